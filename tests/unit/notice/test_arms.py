"""Owners drawn by lot."""

from __future__ import annotations

from collections import Counter

import pytest

from leadglass.errors import UsageError
from leadglass.notice.arms import draw

OWNERS = [f"clinic {number}" for number in range(100)]


def test_arms_are_of_equal_size_to_within_one() -> None:
    sizes = Counter(draw(OWNERS, ["a", "b", "c"], "7").values())

    assert sorted(sizes.values()) == [33, 33, 34]


def test_the_seed_decides_and_the_order_of_the_list_does_not() -> None:
    drawn = draw(OWNERS, ["a", "b"], "7")

    assert draw(OWNERS[::-1], ["b", "a"], "7") == drawn
    assert draw(OWNERS, ["a", "b"], "8") != drawn


def test_every_owner_gets_every_arm_equally_often() -> None:
    # 2,000 seeds: 1,000 expected in arm a, with a standard deviation of 22.
    often = Counter(
        owner
        for seed in range(2000)
        for owner, arm in draw(OWNERS[:4], ["a", "b"], str(seed)).items()
        if arm == "a"
    )

    assert all(880 < count < 1120 for count in often.values())


def test_who_gets_the_odd_place_is_drawn_as_well() -> None:
    larger = Counter(
        Counter(draw(OWNERS[:3], ["a", "b"], str(seed)).values()).most_common(1)[0][0] for seed in range(400)
    )

    assert 140 < larger["a"] < 260


@pytest.mark.parametrize(
    ("owners", "arms"),
    [(OWNERS, ["a"]), (OWNERS, ["a", "a"]), (["x", "x", "y"], ["a", "b"]), (["x"], ["a", "b"])],
)
def test_what_cannot_be_drawn_is_refused(owners: list[str], arms: list[str]) -> None:
    with pytest.raises(UsageError):
        draw(owners, arms, "7")
