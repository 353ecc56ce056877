"""What people type about a system, held against what each field can be."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import Enum
from typing import Any, TypeVar

from leadglass.errors import UsageError
from leadglass.model.register import Management, Manager, System, SystemKind

__all__ = ["COLUMNS", "LONGEST", "addressed", "changed", "day", "line", "member", "named", "port"]

LONGEST = 200
"""Characters of a line of text."""
_NAME = re.compile(r"[^\W_][\w .:+()/-]{0,63}")
_HOST = re.compile(
    r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*"
)
_TITLE = re.compile(r"[\x20-\x5b\x5d-\x7e]{1,16}")
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", re.ASCII)
_LAST_PORT = 65535
_MOST = 256
"""Entries of a list."""

_E = TypeVar("_E", bound=Enum)


def named(text: str, where: str) -> str:
    """The name of a system or a risk: 1 to 64 letters, digits and a few marks."""
    if not _NAME.fullmatch(text.strip()):
        raise UsageError(
            f"{text[:64]!r} is no name",
            where=where,
            then="use up to 64 letters, digits, blanks and - . : / + ( )",
        )
    return text.strip()


def line(text: str, where: str) -> str:
    """A line of text, perhaps an empty one."""
    if not text.isprintable() or len(text) > LONGEST:
        raise UsageError(f"this is no line of up to {LONGEST} characters", where=where)
    return text.strip()


def day(text: str, where: str) -> dt.date:
    """A day, as 2027-01-31, or as 31.01.2027: what a spreadsheet may make of it, and can be no other day."""
    dotted = _DOTTED.fullmatch(text.strip())
    if dotted:
        text = f"{dotted[3]}-{dotted[2]:0>2}-{dotted[1]:0>2}"
    try:
        return dt.date.fromisoformat(text.strip())
    except ValueError as exc:
        raise UsageError(f"{text[:32]!r} is no day; write it as 2027-01-31", where=where) from exc


def port(text: str, where: str) -> int:
    """A TCP port."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(_LAST_PORT))):
        raise UsageError(f"{text[:16]!r} is no port", where=where, then="write 1 to 65535")
    number = int(text)
    if not 0 < number <= _LAST_PORT:
        raise UsageError(f"{number} is no port", where=where, then="write 1 to 65535")
    return number


def addressed(text: str, where: str) -> str:
    """An IP address in canonical form, or a name in small letters."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        name = text.lower().rstrip(".")
        if _HOST.fullmatch(name) and not name.replace(".", "").isdigit():
            return name
    raise UsageError(f"{text[:64]!r} is neither an address nor a name", where=where)


def member(kind: type[_E], text: str, where: str) -> _E:
    """One of the words of ``kind``."""
    try:
        return kind(text.strip().lower())
    except ValueError as exc:
        words = ", ".join(str(one.value) for one in kind)
        raise UsageError(f"{text[:32]!r} is none of: {words}", where=where) from exc


def _title(text: str, where: str) -> str:
    if not _TITLE.fullmatch(text):
        raise UsageError(f"{text[:32]!r} is no AE title (PS3.5 6.2)", where=where)
    return text.strip()


def _each(read: Callable[[str, str], Any], pattern: str) -> Callable[[str, str], tuple[Any, ...]]:
    def reading(text: str, where: str) -> tuple[Any, ...]:
        parts = [part.strip() for part in re.split(pattern, text)]
        found = tuple(dict.fromkeys(read(part, where) for part in parts if part))
        if len(found) > _MOST:
            raise UsageError(f"more than {_MOST} entries", where=where)
        return found

    return reading


_LINES = _each(line, r"[;,|]")
_WORDS = r"[;,|\s]+"

COLUMNS: Mapping[str, Callable[[str, str], Any]] = {
    "kind": lambda text, where: member(SystemKind, text, where),
    "owner": line,
    "manager": lambda text, where: member(Management, text, where),
    "manager_name": line,
    "agreement": line,
    "agreement_until": day,
    "location": line,
    "addresses": _each(addressed, _WORDS),
    "ports": lambda text, where: tuple(sorted(_each(port, _WORDS)(text, where))),
    "titles": _each(_title, r"[;,|]"),
    "zones": _LINES,
    "peers": _LINES,
    "data": _LINES,
    "controls": _LINES,
    "note": line,
    "retired": day,
}
"""What can be said of a system, by the words of options and columns, and how each is read."""

_MANAGER = {"manager": "kind", "manager_name": "name", "agreement": "agreement", "agreement_until": "until"}


def changed(system: System, said: Mapping[str, str], where: Callable[[str], str]) -> System:
    """``system`` with what is said of it: texts by the names of ``COLUMNS``, a list in one text.

    ``where`` makes of a column's name the place that an error tells. A manager's name or agreement without his
    kind goes with the kind that is there, or a vendor.
    """
    read = {column: COLUMNS[column](text, where(column)) for column, text in said.items()}
    manager = {field: read.pop(column) for column, field in _MANAGER.items() if column in read}
    if manager:
        read["manager"] = replace(system.manager or Manager(Management.VENDOR), **manager)
    return replace(system, **read)
