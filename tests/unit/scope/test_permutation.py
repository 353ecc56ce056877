"""The order of visits: each host once, spread over the networks, any position without the others."""

from __future__ import annotations

import pytest

from leadglass.scope.permutation import Permutation

KEY = bytes(range(16))


@pytest.mark.parametrize("size", [0, 1, 2, 3, 10, 255, 256, 257, 1000, 65_536, 100_003])
def test_every_number_stands_at_exactly_one_position(size: int) -> None:
    order = Permutation(size, KEY)

    assert sorted(order.stretch(0, size)) == list(range(size))


def test_stretches_join_to_the_whole_order() -> None:
    order = Permutation(5000, KEY)
    whole = list(order.stretch(0, 5000))

    assert [*order.stretch(0, 1234), *order.stretch(1234, 5000)] == whole


@pytest.mark.parametrize("size", [1, 2, 7, 5000, 1 << 28, (1 << 28) + 1, 1 << 40])
def test_a_stretch_holds_what_stands_at_its_positions(size: int) -> None:
    order = Permutation(size, KEY)
    first = size // 2
    after = min(first + 100, size)

    assert list(order.stretch(first, after)) == [order.at(position) for position in range(first, after)]


def test_the_order_of_a_scan_that_was_begun_earlier_stays() -> None:
    assert list(Permutation(1000, KEY).stretch(500, 508)) == [441, 580, 251, 827, 868, 190, 739, 562]


def test_another_key_is_another_order() -> None:
    assert list(Permutation(1000, KEY).stretch(0, 50)) != list(Permutation(1000, bytes(16)).stretch(0, 50))


def test_what_lies_outside_is_refused() -> None:
    for position in (-1, 10):
        with pytest.raises(IndexError):
            Permutation(10, KEY).at(position)
    with pytest.raises(ValueError, match="16 bytes"):
        Permutation(10, b"short")


def test_a_huge_scope_costs_nothing() -> None:
    order = Permutation(1 << 62, KEY)

    assert len({order.at(position) for position in range(0, 1 << 62, 1 << 52)}) == 1 << 10


@pytest.mark.parametrize("key", [KEY, bytes(16), b"\xff" * 16, b"leadglass leadgl"])
def test_no_network_is_hit_in_bursts(key: bytes) -> None:
    """Of 256 visits in a row to a /16, a fair order sends one to each /24 on average."""
    order = Permutation(1 << 16, key)
    for first in range(0, 1 << 16, 1 << 12):
        crowd = [0] * 256
        for number in order.stretch(first, first + 256):
            crowd[number >> 8] += 1

        assert max(crowd) <= 9  # more than this is chance once in ten thousand such tests
        assert crowd.count(0) < 140
