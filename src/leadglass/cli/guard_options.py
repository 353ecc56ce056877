"""What the commands of the guard share: where it is, how they report, how they read what is typed."""

from __future__ import annotations

import datetime as dt
import enum
import ipaddress
import json
import re
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from leadglass import wiring
from leadglass.errors import UsageError
from leadglass.settings.guard_kinds import duration

__all__ = [
    "CONFIG",
    "REASON",
    "ConfigOption",
    "InstitutionsOption",
    "LabelsOption",
    "RolesOption",
    "Shape",
    "ShapeOption",
    "as_json",
    "choice",
    "day",
    "is_address",
    "last_second",
    "name_of",
    "now",
    "seconds",
    "shown_time",
    "texts",
]

CONFIG = Path("guard/guard.toml")
"""Where a guard is that nobody names: what ``guard init`` makes when nobody names that either."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_CODE = re.compile(r"[A-Z0-9_ ]{1,16}")
_LONGEST = 64
REASON = 200
"""Characters in a reason, which goes into audit messages."""

ConfigOption: TypeAlias = Annotated[
    Path,
    typer.Option(
        "--config",
        envvar="LEADGLASS_GUARD",
        metavar="FILE",
        help="The guard's file, or its folder; guard/guard.toml if not given.",
        show_default=False,
    ),
]


class Shape(enum.StrEnum):
    """How a command reports."""

    TEXT = "text"
    JSON = "json"


ShapeOption: TypeAlias = Annotated[Shape, typer.Option("--format", help="How to report.")]

RolesOption: TypeAlias = Annotated[
    list[str] | None, typer.Option("--role", metavar="ROLE", help="What it may do; may be repeated.")
]
InstitutionsOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--institution", metavar="NAME", help="An institution it belongs to; may be repeated."),
]
LabelsOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--label", metavar="LABEL", help="A label it was granted; may be repeated."),
]


def as_json(value: object) -> str:
    """For programs."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def name_of(text: str, where: str = "NAME") -> str:
    """A name that can be enrolled, which is that of a file too."""
    if not _NAME.fullmatch(text):
        raise UsageError(
            f"{text!r} is no name",
            where=where,
            then="use up to 64 letters, digits, dots, dashes and underscores",
        )
    return text


def texts(values: list[str] | None, option: str, longest: int = _LONGEST) -> tuple[str, ...]:
    """What was given with a repeated option, each a line of text."""
    for value in values or ():
        if not value.strip() or not value.isprintable() or len(value) > longest:
            raise UsageError(f"{value!r} is no line of 1 to {longest} characters", where=option)
    return tuple(dict.fromkeys(value.strip() for value in values or ()))


def choice(values: list[str] | None, option: str) -> tuple[str, ...]:
    """Codes of DICOM (CS, PS3.5 6.2) that were given with a repeated option."""
    for value in values or ():
        if not _CODE.fullmatch(value):
            raise UsageError(f"{value!r} is no code such as CT", where=option)
    return tuple(dict.fromkeys(value.strip() for value in values or ()))


def day(text: str, option: str) -> dt.date:
    """A date, as 2027-01-31."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError as exc:
        raise UsageError(f"{text!r} is no date; write it as 2027-01-31", where=option) from exc


def last_second(date: dt.date) -> float:
    """POSIX seconds when that day is over, UTC."""
    return dt.datetime.combine(date + dt.timedelta(days=1), dt.time(), dt.UTC).timestamp()


def seconds(text: str, option: str) -> int:
    """A length of time, as 1h."""
    try:
        return int(duration(text))
    except ValueError as exc:
        raise UsageError(str(exc), where=option) from exc


def shown_time(posix: float) -> str:
    """A moment for people: to the minute, UTC."""
    return dt.datetime.fromtimestamp(posix, dt.UTC).strftime("%Y-%m-%d %H:%M UTC")


def now() -> float:
    """POSIX seconds."""
    return wiring.clock().posix()


def is_address(text: str) -> bool:
    """Whether ``text`` is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
