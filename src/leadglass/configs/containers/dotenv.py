"""``.env`` beside a compose file: the variables that Compose takes in, unless those of its caller say otherwise.

https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/#env-file-syntax
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from leadglass.configs.containers.variables import resolved
from leadglass.configs.kinds import Environment
from leadglass.configs.passwords import GUESSABLE, quality
from leadglass.configs.source import Source

__all__ = ["NAME", "variables_in"]

NAME = ".env"
_LARGEST = 1 << 16
"""Characters; a longer file is none."""
_LINE = re.compile(r"[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)[ \t]*[=:](?P<value>.*)")
_QUOTED = re.compile(r"""[ \t]*(?:'(?P<single>[^']*)'|"(?P<double>(?:[^"\\]|\\.)*+)")""")
_NOTE = re.compile(r"(?:^|[ \t])#.*")
_SECRET = re.compile(r"PASS|PWD|SECRET|TOKEN|KEY|CRED|USERS|(?:^|_)PW$", re.IGNORECASE)
_LOGIN = re.compile(r"://[^/@\s]*:[^/@\s]*@|^\s*\{")


def variables_in(source: Source) -> Environment:
    """What the file sets. A password that nobody guesses is where it should be: it is set, to what is not known."""
    found: dict[str, str | None] = {}
    for name, value in _lines(source.text) if len(source.text) <= _LARGEST else ():
        word = value if value is None else resolved(value, found).value
        found[name] = None if word is None or _is_kept(name, word) else word
    return found


def _lines(text: str) -> Iterator[tuple[str, str | None]]:
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if match:
            yield match["name"], _value(match["value"])


def _value(text: str) -> str | None:
    """A value without its quotes; None where it may go on in the next line, or has signs of its own."""
    quoted = _QUOTED.match(text)
    if quoted is None:
        bare = _NOTE.sub("", text).strip()
        return None if bare.startswith(("'", '"')) else bare
    if quoted["single"] is not None:
        return quoted["single"].replace("$", "$$")
    return None if "\\" in quoted["double"] else quoted["double"]


def _is_kept(name: str, value: str) -> bool:
    """Whether it is a good password, or holds one."""
    if _LOGIN.search(value):
        return True
    return bool(value and _SECRET.search(name)) and quality(value) not in GUESSABLE
