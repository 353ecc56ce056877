"""Only what the scope permits comes through, and all else is counted."""

from __future__ import annotations

from leadglass.imports.found import Answered, Broken, Found
from leadglass.imports.within import SHOWN, Tally, within

INSIDE, OUTSIDE = Found("192.0.2.1", 104, None), Found("198.51.100.1", 104, None)


def permits(address: str, port: int) -> bool:
    """A scope of one network and one port."""
    return address.startswith("192.0.2.") and port == 104


def ports(address: str) -> range:
    """The ports of that scope at ``address``, one of which may not be asked."""
    return range(104, 106) if address.startswith("192.0.2.") else range(0)


def test_what_is_permitted_is_taken_and_the_rest_is_counted() -> None:
    tally = Tally()
    told: list[Found | Broken] = [INSIDE, OUTSIDE, Broken(3, "x"), INSIDE, Found("192.0.2.1", 105, None)]

    assert list(within(told, permits, ports, tally)) == [INSIDE, INSIDE]
    assert tally == Tally(taken=2, outside=2, broken=1, first_broken=[Broken(3, "x")])


def test_the_count_goes_along_with_the_reading() -> None:
    tally = Tally()

    next(within([OUTSIDE, INSIDE, OUTSIDE], permits, ports, tally))

    assert (tally.taken, tally.outside) == (1, 1)


def test_only_the_first_broken_lines_are_remembered() -> None:
    tally = Tally()
    lines = [Broken(number, "x") for number in range(1, 1000)]

    assert list(within(lines, permits, ports, tally)) == []
    assert tally.broken == 999
    assert tally.first_broken == lines[:SHOWN]


def test_an_address_without_a_port_is_taken_where_the_scope_permits_it() -> None:
    tally = Tally()
    told: list[Found | Answered | Broken] = [Answered("192.0.2.1"), Answered("198.51.100.1"), INSIDE]

    assert list(within(told, permits, ports, tally)) == [INSIDE, INSIDE]
    assert tally == Tally(taken=2, outside=1, portless=1)
