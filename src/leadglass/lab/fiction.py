"""Patients who do not exist, and whom nobody can mistake for people.

Each word of theirs contains a stem and each number another, both drawn anew when a lab starts, and all
dates lie in the eighteen-hundreds. So two stems and a few dates find every trace of them, and nobody
can guess one: whoever shows a stem has read a record.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import NamedTuple

from leadglass.lab.dataset import Tag
from leadglass.ports.world import Randomness

__all__ = ["Canaries", "Cast", "Instance", "Stems", "cast", "stems"]

_LETTERS = "bcdfghjklmnpqrstvwxz"
"""No vowels: no program writes such a word by itself."""
_SEX = "FMO"
_ANIMALS = (("Canine", "Beagle", "REX"), ("Feline", "Siamese", "MIEZE"), ("Equine", "Haflinger", "BLITZ"))
_DAYS = 28
"""Days that every month has."""


class Stems(NamedTuple):
    """What every word and every number of one lab contains."""

    word: str
    """Ten lower-case letters."""
    digits: str
    """Eighteen digits."""


class Canaries(NamedTuple):
    """What gives a lab's patients away."""

    stems: Stems
    dates: tuple[str, ...]
    """Birth dates as DICOM writes them (YYYYMMDD)."""


class Cast(enum.Enum):
    """Who plays the patients."""

    PEOPLE = "people"
    ANIMALS = "animals"
    DEMONSTRATION = "demonstration"


Instance = Mapping[Tag, str]
"""One image's attributes, from patient to image. Images of one study repeat its attributes."""


def stems(randomness: Randomness) -> Stems:
    """New stems: 43 bits of word and 59 bits of number."""
    word = "".join(_LETTERS[byte % len(_LETTERS)] for byte in randomness.token(10))
    return Stems(word, str(10**17 + int.from_bytes(randomness.token(8), "big") % (9 * 10**17)))


def cast(kind: Cast, stem: Stems, number: int, patients: int, randomness: Randomness) -> tuple[Instance, ...]:
    """The images of ``patients`` patients, one study of two each; ``number`` tells archives apart."""
    days = randomness.token(3 * patients)
    made: list[Instance] = []
    for index in range(patients):
        person = _person(kind, stem, 100 * number + index, days[3 * index : 3 * index + 3])
        made.extend(person | _image(person, image) for image in (1, 2))
    return tuple(made)


def _person(kind: Cast, stem: Stems, serial: int, day: bytes) -> dict[Tag, str]:
    study = f"2.25.{stem.digits}{serial:05d}"  # 2.25 needs no registration (PS3.5 B.2)
    attributes = {
        (0x0008, 0x0020): f"1899{day[0] % 12 + 1:02d}{day[1] % _DAYS + 1:02d}",
        (0x0008, 0x0030): "120000",
        (0x0008, 0x0050): f"{stem.word.upper()}{serial:05d}",
        (0x0008, 0x0061): "CT",
        (0x0008, 0x0090): f"NOBODY^{stem.word.upper()}",
        (0x0008, 0x1030): f"Fictitious study {stem.word}",
        (0x0010, 0x0010): f"FICTITIOUS {stem.word.upper()}^NOBODY {serial}",
        (0x0010, 0x0020): f"FICTION-{stem.word.upper()}-{serial}",
        (0x0010, 0x0030): f"18{day[2] % 90:02d}{day[1] % 12 + 1:02d}{day[0] % _DAYS + 1:02d}",
        (0x0010, 0x0040): _SEX[serial % len(_SEX)],
        (0x0020, 0x000D): study,
        (0x0020, 0x0010): f"{stem.word[:6].upper()}{serial:05d}",
        (0x0020, 0x1206): "1",
        (0x0020, 0x1208): "2",
    }
    return attributes | _costume(kind, stem, serial)


def _costume(kind: Cast, stem: Stems, serial: int) -> dict[Tag, str]:
    """What tells the casts apart, in the habits of real archives of each kind."""
    if kind is Cast.ANIMALS:
        species, breed, name = _ANIMALS[serial % len(_ANIMALS)]
        return {
            (0x0008, 0x0080): "Fictitious Animal Clinic",
            (0x0008, 0x1030): f"{species} pelvis VD {stem.word}",
            (0x0010, 0x0010): f"FICTITIOUS {stem.word.upper()}^{name}",
            (0x0010, 0x2201): species,
            (0x0010, 0x2292): breed,
            (0x0010, 0x2297): f"FICTITIOUS {stem.word.upper()}^OWNER",
        }
    if kind is Cast.DEMONSTRATION:
        return {
            (0x0008, 0x0080): "Example Imaging Sales Demonstration",
            (0x0008, 0x1030): f"Demo case {stem.word}",
            (0x0010, 0x0010): f"DEMO {stem.word.upper()}^SAMPLE",
        }
    return {(0x0008, 0x0080): "Fictitious Hospital"}


def _image(person: Mapping[Tag, str], number: int) -> dict[Tag, str]:
    series = f"{person[0x0020, 0x000D]}.1"
    return {
        (0x0008, 0x0016): "1.2.840.10008.5.1.4.1.1.2",  # CT Image Storage
        (0x0008, 0x0018): f"{series}.{number}",
        (0x0008, 0x0060): "CT",
        (0x0008, 0x103E): person[0x0008, 0x1030],
        (0x0020, 0x000E): series,
        (0x0020, 0x0011): "1",
        (0x0020, 0x0013): str(number),
    }
