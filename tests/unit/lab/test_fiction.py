from __future__ import annotations

import pytest
from tests.unit.lab.memory import Dice

from leadglass.lab.dataset import VR
from leadglass.lab.fiction import Cast, cast, stems

STEMS = stems(Dice())
CASTS = pytest.mark.parametrize("kind", Cast)
NAMES = {tag for tag, vr in VR.items() if vr == "PN"}
IDENTIFIERS = ((0x0010, 0x0020), (0x0008, 0x0050))
DATES = {tag for tag, vr in VR.items() if vr == "DA"}
UIDS = ((0x0020, 0x000D), (0x0020, 0x000E), (0x0008, 0x0018))


@CASTS
def test_every_name_and_number_gives_itself_away(kind: Cast) -> None:
    for image in cast(kind, STEMS, 3, 12, Dice()):
        words = [image[tag] for tag in image.keys() & NAMES] + [image[tag] for tag in IDENTIFIERS]
        assert all(STEMS.word in word.lower() for word in words)
        assert all(STEMS.digits in image[tag] for tag in UIDS)


@CASTS
def test_nobody_takes_them_for_people_of_today(kind: Cast) -> None:
    for image in cast(kind, STEMS, 3, 12, Dice()):
        assert image[0x0010, 0x0010].startswith(("FICTITIOUS ", "DEMO "))
        assert all(image[tag].startswith("18") for tag in image.keys() & DATES)


@CASTS
def test_values_fit_their_representation(kind: Cast) -> None:
    limits = {"PN": 64, "LO": 64, "SH": 16, "CS": 16, "DA": 8, "UI": 64, "IS": 12, "TM": 14}
    for image in cast(kind, STEMS, 99, 100, Dice()):
        assert all(len(value) <= limits[VR[tag]] for tag, value in image.items())


def test_no_two_patients_share_a_key() -> None:
    images = [image for number in (1, 2, 3) for image in cast(Cast.PEOPLE, STEMS, number, 12, Dice())]

    assert len({image[0x0008, 0x0018] for image in images}) == len(images) == 72
    assert len({image[0x0010, 0x0020] for image in images}) == 36
    assert len({image[0x0010, 0x0010] for image in images}) == 36


def test_another_start_makes_other_patients() -> None:
    other = stems(Dice(b"other"))

    assert other.word != STEMS.word
    assert other.digits != STEMS.digits
    assert (len(other.word), len(other.digits)) == (10, 18)


def test_animals_have_a_species_and_an_owner() -> None:
    (first, *_) = cast(Cast.ANIMALS, STEMS, 1, 1, Dice())

    assert first[0x0010, 0x2201] in {"Canine", "Feline", "Equine"}
    assert STEMS.word.upper() in first[0x0010, 0x2297]
