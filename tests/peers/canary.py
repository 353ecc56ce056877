"""Patients that nobody can guess, and a search for any trace of them.

Every word of a canary contains a stem that was drawn at random for this run, and every number a
numeric one, so that looking for two stems and a few dates finds all of it, in whatever
encoding it left. Birth dates lie in the eighteen-hundreds, where no clock writes.
"""

from __future__ import annotations

import binascii
import calendar
import datetime as dt
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

__all__ = ["Canaries", "Finding", "Patient", "hatch"]

# No vowels: nothing that a program might write by itself.
_LETTERS = "bcdfghjklmnpqrstvwxz"

_YEAR = re.compile(rb"(?=(18\d\d))")
_NULS = re.compile(rb"\0|\\x00|\\u0000|\\0")
_HEX_MARKS = re.compile(rb"[\s:,%]+|\\?0?x")
_HEX_RUN = re.compile(rb"[0-9a-fA-F]{16,}")
_BASE64_RUN = re.compile(rb"[A-Za-z0-9+/]{11,}")


class Finding(NamedTuple):
    """A trace: where, in which form, and at which byte."""

    where: str
    form: str
    offset: int


@dataclass(frozen=True, slots=True)
class Patient:
    """One planted patient with one study. Dates are DICOM dates, YYYYMMDD."""

    name: str
    identifier: str
    born: str
    accession: str
    description: str
    referrer: str
    address: str
    study: str
    series: str
    instances: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Canaries:
    """The patients of one run and the stems that give them away."""

    word: str
    digits: str
    patients: tuple[Patient, ...]

    def find(self, *places: Path | tuple[str, bytes]) -> list[Finding]:
        """Every kind of trace in files, folders of files, and named byte strings; empty when there is none.

        A trace that repeats within one form of one file is told once.
        """
        stems = _stems(self.word, self.digits)
        dates = _dates_by_year(patient.born for patient in self.patients)
        return [
            Finding(where, f"{what}, {form}", offset)
            for where, content in _contents(places)
            for form, view in _views(content)
            for what, offset in (*_stems_in(view, stems), *_dates_in(view, dates))
        ]


def hatch(patients: int = 20, instances: int = 10) -> Canaries:
    """Draw new stems and make ``patients`` patients with ``instances`` images each."""
    word = "".join(secrets.choice(_LETTERS) for _ in range(10))
    digits = str(10**17 + secrets.randbelow(9 * 10**17))
    return Canaries(
        word, digits, tuple(_patient(word, digits, number, instances) for number in range(patients))
    )


def _patient(word: str, digits: str, number: int, instances: int) -> Patient:
    # 2.25 is the arc for UIDs that need no registration (PS3.5 B.2).
    study = f"2.25.{digits}{number:04d}"
    return Patient(
        name=f"{word}{_letters(number)}^{word[::-1]}".title(),
        identifier=f"{word.upper()}-{number}",
        born=_birth_date(),
        accession=f"{word[:10].upper()}{number:04d}",
        description=f"MR head of {word} {number}",
        referrer=f"Dr^{word.title()}",
        address=f"{number} {word.title()} Street",
        study=study,
        series=f"{study}.1",
        instances=tuple(f"{study}.1.{image + 1}" for image in range(instances)),
    )


def _birth_date() -> str:
    first = dt.date(1801, 1, 1)
    return (first + dt.timedelta(days=secrets.randbelow(36_000))).strftime("%Y%m%d")


def _letters(number: int) -> str:
    return _LETTERS[number // 20 % 20] + _LETTERS[number % 20]


def _stems(word: str, digits: str) -> dict[str, bytes]:
    return {"word": word.encode(), "mirrored word": word[::-1].encode(), "number": digits.encode()}


def _stems_in(view: bytes, stems: Mapping[str, bytes]) -> Iterator[tuple[str, int]]:
    folded = view.lower()
    for what, stem in stems.items():
        if (offset := folded.find(stem)) >= 0:
            yield what, offset


def _dates_by_year(dates: Iterable[str]) -> dict[bytes, set[bytes]]:
    spellings: dict[bytes, set[bytes]] = {}
    for date in dates:
        spellings.setdefault(date[:4].encode(), set()).update(_spellings(date))
    return spellings


def _spellings(dicom: str) -> Iterator[bytes]:
    """The ways to write a date that contain the year as four digits, in lower case."""
    year, month, day = dicom[:4], dicom[4:6], dicom[6:]
    name = calendar.month_name[int(month)].lower()
    for mark in ("", "-", ".", "/", " "):
        yield mark.join((year, month, day)).encode()
        yield mark.join((day, month, year)).encode()
        yield mark.join((month, day, year)).encode()
    yield f"{int(day)} {name} {year}".encode()
    yield f"{name} {int(day)}, {year}".encode()


def _dates_in(view: bytes, dates: Mapping[bytes, set[bytes]]) -> Iterator[tuple[str, int]]:
    for match in _YEAR.finditer(view):
        around = view[max(0, match.start() - 15) : match.start() + 10].lower()
        if any(spelling in around for spelling in dates.get(match[1], ())):
            yield "birth date", match.start()
            return


def _views(content: bytes) -> Iterator[tuple[str, bytes]]:
    """The content as it is, and as what it may be an encoding of."""
    yield "plain", content
    # UTF-16 of either order, and what a debugger prints of it.
    yield "as UTF-16", _NULS.sub(b"", content)
    for form, decoded in (*_from_hex(content), *_from_base64(content)):
        yield form, decoded
        yield f"{form} of UTF-16", decoded.replace(b"\0", b"")


def _from_hex(content: bytes) -> Iterator[tuple[str, bytes]]:
    runs = _HEX_RUN.findall(_HEX_MARKS.sub(b"", content))
    for phase in range(2):
        parts = (run[phase : phase + (len(run) - phase) // 2 * 2] for run in runs)
        yield "as hex", b" ".join(binascii.unhexlify(part) for part in parts)


def _from_base64(content: bytes) -> Iterator[tuple[str, bytes]]:
    plain = content.translate(bytes.maketrans(b"-_", b"+/"), b" \t\r\n\\")
    runs = _BASE64_RUN.findall(plain)
    for phase in range(4):
        yield "as base64", b" ".join(_decoded(run[phase:]) for run in runs)


def _decoded(run: bytes) -> bytes:
    """The bytes behind base64 characters whose padding, if they had any, is gone."""
    rest = len(run) % 4
    return binascii.a2b_base64(run[:-1] if rest == 1 else run + b"A" * (-rest % 4))


def _contents(places: Iterable[Path | tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    for place in places:
        if isinstance(place, tuple):
            yield place
        elif place.is_dir():
            yield from _contents(sorted(path for path in place.rglob("*") if path.is_file()))
        else:
            yield str(place), place.read_bytes()
            # A name on disk can tell as much as what is inside.
            yield f"the name of {place}", place.name.encode()
