"""The breach portal of the US Office for Civil Rights, as its CSV is downloaded, read row by row.

It lists breaches of 500 or more people that were reported under 45 CFR 164.408; the archive and the list of
cases under investigation overlap, so a case is told by name, state, people, day and type. Names of
columns are as the portal writes them; their order does not matter.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from leadglass.errors import ConfigError

__all__ = ["Breach", "decoded", "distinct", "read_breaches"]

_NAME = "Name of Covered Entity"
_STATE = "State"
_PEOPLE = "Individuals Affected"
_DAY = "Breach Submission Date"
_TYPE = "Type of Breach"
_LOCATION = "Location of Breached Information"
_STORY = "Web Description"
_COLUMNS = (_NAME, _STATE, _PEOPLE, _DAY, _TYPE, _LOCATION)
"""Those that must be there; the portal leaves the description out of some of its lists."""
_NO_STORY = frozenset({r"\N", "\\\\", "N/A"})
_MOST_ROWS = 1_000_000
_LONGEST = 1 << 20
"""Characters in a row: a quotation mark that never ends does not fill the memory."""
_US_DAY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")


@dataclass(frozen=True, slots=True)
class Breach:
    """One reported breach."""

    name: str
    state: str
    people: int | None
    """None where the portal leaves it out."""
    day: dt.date
    kinds: str
    location: str
    story: str
    """What the office wrote of it; "" where it wrote nothing."""


def decoded(lines: Iterable[bytes], *, where: str = "") -> Iterator[str]:
    """Lines as text: UTF-8, with or without its mark; a line that is not is taken for Windows-1252.

    ``ConfigError`` for UTF-16, which a spreadsheet writes, and for lines without end.
    """
    for number, line in enumerate(lines, 1):
        if number == 1 and line.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise ConfigError("this is UTF-16", where=where, then="save it as CSV UTF-8")
        if len(line) > _LONGEST:
            raise ConfigError("a line is longer than a breach can be", where=f"{where}, line {number}")
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            text = line.decode("cp1252", errors="replace")
        yield text.replace("\0", "�")


def read_breaches(lines: Iterable[str], *, where: str = "") -> Iterator[Breach]:
    """The breaches in the portal's CSV, in its order; ``lines`` keep their ends, as within quotation marks.

    ``ConfigError`` names the line that is not as the portal writes.
    """
    reader = csv.reader(_bounded(lines, where), strict=True)
    try:
        head = [name.strip() for name in next(reader, [])]
        missing = [name for name in _COLUMNS if name not in head]
        if missing:
            raise ConfigError(
                f"the column {missing[0]!r} is missing",
                where=where,
                then="download the CSV of the breach portal and do not change it",
            )
        for number, row in enumerate(reader, 1):
            place = f"{where}, line {reader.line_num}"
            if number > _MOST_ROWS:
                raise ConfigError(f"more than {_MOST_ROWS:,} rows", where=place)
            if row:
                yield _breach(dict(zip(head, row, strict=False)), place)
    except csv.Error as exc:
        raise ConfigError(f"this is not CSV ({exc})", where=f"{where}, line {reader.line_num}") from exc


def distinct(breaches: Iterable[Breach]) -> Iterator[Breach]:
    """Each case once, where lists overlap: the first that comes, or the first that has a story."""
    seen: dict[tuple[str, str, int | None, dt.date, str], Breach] = {}
    for breach in breaches:
        key = (breach.name, breach.state, breach.people, breach.day, breach.kinds)
        if key not in seen or (breach.story and not seen[key].story):
            seen[key] = breach
    yield from seen.values()


def _bounded(lines: Iterable[str], where: str) -> Iterator[str]:
    """The same lines, as long as no quotation mark stays open for too long."""
    open_for = 0
    is_open = False
    for number, line in enumerate(lines, 1):
        is_open ^= bool(line.count('"') % 2)
        open_for = open_for + len(line) if is_open else 0
        if open_for > _LONGEST:
            raise ConfigError("a quotation mark is never closed", where=f"{where}, before line {number}")
        yield line


def _breach(row: dict[str, str], place: str) -> Breach:
    if not all(name in row for name in _COLUMNS):
        raise ConfigError("a row has too few columns", where=place)
    return Breach(
        name=" ".join(row[_NAME].split()),
        state=row[_STATE].strip().upper(),
        people=_people(row[_PEOPLE], place),
        day=_day(row[_DAY], place),
        kinds=row[_TYPE].strip(),
        location=row[_LOCATION].strip(),
        story=_story(row.get(_STORY, "")),
    )


def _story(text: str) -> str:
    """What is told; the portal writes nothing in several ways."""
    story = text.strip()
    return "" if story in _NO_STORY else story


def _people(text: str, place: str) -> int | None:
    digits = text.strip().replace(",", "")
    if digits in {"", r"\N"}:
        return None
    if not (digits.isascii() and digits.isdigit() and len(digits) < 11):
        raise ConfigError(f"this is no number of people: {text[:40]!r}", where=place)
    return int(digits)


def _day(text: str, place: str) -> dt.date:
    match = _US_DAY.fullmatch(text.strip())
    try:
        if match is not None:
            return dt.date(int(match[3]), int(match[1]), int(match[2]))
        return dt.date.fromisoformat(text.strip())
    except ValueError as exc:
        raise ConfigError(
            f"this is no day: {text[:40]!r}", where=place, then="it is written MM/DD/YYYY"
        ) from exc
