"""What a fix would change, as a unified diff that can be looked at: no password, and nothing that a terminal obeys."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence

from leadglass.report.safe import visible

__all__ = ["diff_lines"]

_CONTEXT = 2
_SECRET = re.compile(
    r"pass|pwd|secret|token|credential|users|authorization|bearer|storepin|keypin|(?:api|access)[_-]?key",
    re.IGNORECASE,
)
_FILE = re.compile(
    r"""\s*(?:-\s+)?["']?[\w.-]{1,100}file["']?(?:\s*[:=]\s*|\s+)\S{1,200};?\s*""", re.IGNORECASE
)
"""An option that names a file in which passwords are, such as ``auth_basic_user_file users;``."""
_USERS = re.compile(r"""["'](?:RegisteredUsers|Users)["']\s*:""")
_LOGIN = re.compile(r"://[^\s:/@]{0,200}:[^\s@]{0,200}@")
_NAME = re.compile(r"\s*(?:-\s+)?(?:[^\s:=]+\s*(?:[:=]\s*|(?<=\s)))?")
"""Of an option: up to the first blank or sign."""
_GOES_ON = re.compile(r"(?:[:=\[{]|[|>][-+0-9]{0,2})\s{0,100}(?:(?:#|//).*)?$")
"""The end of a line whose value is in those behind it."""
_STRING = r"\"(?:[^\"\\]|\\.)*+\""
_NUMBER = r"-?[0-9][0-9.eE+-]*+"
_JSON = re.compile(rf"(?:{_STRING}|{_NUMBER}|true|false|null|[\s{{}}\[\],:])*+")
_NAME_OR_VALUE = re.compile(rf"({_STRING})(\s*:)?|{_NUMBER}")
_HARMLESS = re.compile(r"""["']?\$\{[\w:?-]*\}["']?|[{\[]?|true|false""")


def diff_lines(path: str, before: str, after: str) -> Iterator[str]:
    """The lines of a unified diff, without their ends; what may be a password is shown as ``***``."""
    old, new = before.splitlines(), after.splitlines()
    secret = _secret(old) | _secret(new)
    name = visible(path)
    for line in difflib.unified_diff(old, new, name, f"{name} (fixed)", n=_CONTEXT, lineterm=""):
        mark, text = line[:1], line[1:]
        shown = _masked(text) if text in secret else text
        yield mark + "\t".join(visible(part) for part in shown.split("\t"))


def _secret(lines: Sequence[str]) -> set[str]:
    """Lines that may hold a password: by a word in them, or because they stand under such a line, or among users."""
    found = set()
    is_among_users = False
    under: int | None = None
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if under is not None and line.strip() and indent <= under:
            under = None
        is_among_users = is_among_users or bool(_USERS.search(line))
        named = _SECRET.search(line) and not _FILE.fullmatch(line)
        if is_among_users or under is not None or named or _LOGIN.search(line):
            found.add(line)
            if under is None and _GOES_ON.search(line):
                under = indent
        is_among_users = is_among_users and "}" not in line
    return found


def _masked(text: str) -> str:
    """The option without its value, unless that is a variable or only begins a list."""
    name = _NAME.match(text)
    assert name is not None
    value = text[name.end() :].rstrip(" \t,")
    end = text[name.end() + len(value) :]
    if _HARMLESS.fullmatch(value):
        return text
    if _JSON.fullmatch(value):
        return f"{name[0]}{_NAME_OR_VALUE.sub(_hidden, value)}{end}"
    return f"{name[0]}***{end}"


def _hidden(found: re.Match[str]) -> str:
    """A string or number of JSON, hidden unless it is a name or a variable."""
    if found[1] is None:
        return "***"
    return found[0] if found[2] or _HARMLESS.fullmatch(found[1]) else '"***"'
