"""How good a password is that stands in a file. Nothing here keeps, shows or returns the password itself."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from importlib import resources
from typing import Any

from leadglass.configs.reading import Login

__all__ = ["GUESSABLE", "quality", "worst"]

GUESSABLE = frozenset({Login.NONE, Login.DEFAULT, Login.PLACEHOLDER, Login.WEAK})
"""What a stranger gets past with a list of common words."""

_RANK = list(Login)
_SHORTEST = 8
_LONGEST = 128
"""Of a longer one, as much is looked at."""

_PLACEHOLDER = re.compile(
    r"change[-_ ]?(?:me|this|it|please)|(?:set|put|enter|insert|choose|use|pick|add|type)[-_ ](?:a|an|your|the|some)[-_ ]"
    r"|(?:password|secret|passwd|key|token|value)[-_ ]?(?:here|goes)|replace[-_ ]?(?:me|this|with|by)|place[-_ ]?holder"
    r"|your[-_ ]?(?:own|very|super|strong|secure|secret|password|passwd|db|key|token|orthanc|admin)"
    r"|\b(?:todo|fixme|tbd)\b|^x{3,}$|^<[^<>]{1,60}>$|^\[[^\]]{1,60}\]$|^(?:example|sample|dummy|placeholder)"
    r"|(?:strong|secure)[-_ ]?(?:random[-_ ]?)?password|^\.{3,}$|must[-_ ]be[-_ ]changed|default[-_ ]?password",
    re.IGNORECASE,
)
# A copy from which somebody took the password out: it stands in the one that runs.
_REDACTED = re.compile(
    r"^\W*(?:redacted|removed|masked|censored|hidden)\W*$|^\*{3,}$|^[\u2022\u25cf]{3,}$", re.IGNORECASE
)
_EXTERNAL = re.compile(
    r"^\$\{(?P<name>[^}:]+)(?P<default>:?[-=][^}]*)?(?:[:?][^}]*)?\}$|^\$(?:ENV_)?[A-Z_][A-Z0-9_]*$|^\{\{.*\}\}$"
    r"|^%[A-Za-z_]\w{2,60}%$|^@[A-Za-z_]\w{2,60}@$"
)
_LEET = str.maketrans("4@31!0$57", "aaeiiosst")
_RUNS = ("01234567890", "09876543210", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm")


def quality(password: str, user: str = "") -> Login:
    """How much work a guess is, by the worst that is true of it; never ``NONE``.

    ``${NAME}`` comes from elsewhere; of ``${NAME:-word}`` the word counts. What was taken out of a copy
    (``<redacted>``) counts as ``PUBLISHED``: it stands in the file that runs.
    """
    external = _EXTERNAL.match(password)
    if external:
        default = (external["default"] or "").lstrip(":-=")
        return quality(default, user) if default else Login.EXTERNAL
    if _REDACTED.match(password):
        return Login.PUBLISHED
    if (user.lower(), password.lower()) in _defaults():
        return Login.DEFAULT
    return _judged(password[:_LONGEST], user.lower())


def worst(*logins: Login) -> Login:
    """The one a stranger gets past most easily."""
    return min(logins, key=_RANK.index)


@functools.cache
def _common() -> AbstractSet[str]:
    return frozenset(_knowledge()["common"].split())


@functools.cache
def _defaults() -> AbstractSet[tuple[str, str]]:
    return frozenset((row["user"], row["password"]) for row in _knowledge()["defaults"])


@functools.cache
def _knowledge() -> Mapping[str, Any]:
    file = resources.files("leadglass.configs").joinpath("knowledge", "passwords.toml")
    return tomllib.loads(file.read_text("utf-8"))


def _judged(password: str, user: str) -> Login:
    if _PLACEHOLDER.search(password):
        return Login.PLACEHOLDER
    return Login.WEAK if _weak(password, user) else Login.PUBLISHED


def _weak(password: str, user: str) -> bool:
    folded = password.lower()
    if len(password) < _SHORTEST or len(set(folded)) < _SHORTEST // 2 or folded.isdigit():
        return True
    if any(folded[:4] in run and folded in run * 2 for run in _RUNS):
        return True
    plain = _letters(folded)
    return any(_words(letters, user) for letters in {plain, _letters(folded.translate(_LEET)), _bare(folded)})


def _letters(text: str) -> str:
    return re.sub(r"[^a-z]", "", text)


def _bare(folded: str) -> str:
    """Without digits and signs at its ends, the rest read as letters: ``P4ssw0rd2024!`` is ``password``."""
    return _letters(folded.rstrip("0123456789!?.@#$%&*_-+").translate(_LEET))


def _words(letters: str, user: str) -> bool:
    """Whether the letters are common words, one after another, the user's name among them."""
    name, common = _letters(user), _common()
    ends = [True] + [False] * len(letters)
    for end in range(1, len(letters) + 1):
        ends[end] = any(
            ends[start] and ((word := letters[start:end]) in common or (word == name != ""))
            for start in range(max(0, end - 20), end)
        )
    return ends[-1]
