"""What entries tell of exposures over time."""

from __future__ import annotations

import datetime as dt

from tests.unit.register.dossiers import OPEN, SCANS, TITLED, at, lines, port, practice, seen

from leadglass.ledger.chain import read_entry
from leadglass.model.register import Seen
from leadglass.model.verdict import Access, Position, Severity
from leadglass.register.history import Exposure, exposures


def told(*written: tuple[int, Seen]) -> list[Exposure]:
    made = lines(*((days, "nightly", look) for days, look in written))
    return exposures(entry for line in made if (entry := read_entry(line)))


def test_an_exposure_is_open_until_a_scan_sees_it_no_more() -> None:
    first, second = seen(0, 0, "192.0.2.1", OPEN), seen(14, 1, "192.0.2.1")

    (still,) = told((0, first))
    (closed,) = told((0, first), (14, second))

    assert (still.opened, still.closed) == (at(0), None)
    assert (closed.opened, closed.steps[0].scan) == (at(0), SCANS[0])
    assert (closed.closed, closed.closed_by) == (at(14), SCANS[1])


def test_what_changes_while_it_is_open_is_a_step_and_what_is_worth_nothing_is_closed() -> None:
    shut = port(104, Access.DEMANDS_CERTIFICATE, Severity.NONE)

    (one,) = told(
        (0, seen(0, 0, "192.0.2.1", TITLED)),
        (7, seen(7, 1, "192.0.2.1", OPEN)),
        (14, seen(14, 2, "192.0.2.1", shut)),
    )

    assert [(step.at, step.access) for step in one.steps] == [
        (at(0), Access.WANTS_TITLE),
        (at(7), Access.ANSWERS_QUERY),
    ]
    assert one.worst.severity is Severity.CRITICAL
    assert (one.closed, one.closed_by) == (at(14), SCANS[2])


def test_an_exposure_that_comes_back_is_another_one() -> None:
    found = told(
        (0, seen(0, 0, "192.0.2.1", OPEN)),
        (7, seen(7, 1, "192.0.2.1")),
        (14, seen(14, 2, "192.0.2.1", OPEN)),
    )

    assert [(one.opened, one.closed) for one in found] == [(at(14), None), (at(0), at(7))]


def test_the_same_port_from_two_sides_is_two_exposures() -> None:
    found = told(
        (0, seen(0, 0, "192.0.2.1", OPEN)),
        (1, seen(1, 1, "192.0.2.1", OPEN, position=Position.OUTSIDE)),
        (2, seen(2, 2, "192.0.2.1")),
    )

    assert [(one.position, one.closed is None) for one in found] == [
        (Position.OUTSIDE, True),
        (Position.INSIDE, False),
    ]


def test_a_practice_of_four_weeks_has_its_history() -> None:
    case = practice()
    told = [(one.address, one.port, one.closed is None) for one in case.exposures]

    assert told == [("192.0.2.99", 11112, True), ("192.0.2.10", 104, True), ("192.0.2.20", 104, False)]
    assert case.exposures[1].steps[0].severity is Severity.CRITICAL
    assert case.moment == int(dt.datetime(2026, 11, 21, 5, 15, tzinfo=dt.UTC).timestamp())
