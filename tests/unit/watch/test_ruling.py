"""From what is otherwise to alerts, their ends, and second looks."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from typing import Any

import pytest

from leadglass.model.alert import Alert, AlertKind, AlertState, Silence
from leadglass.model.endpoint import Endpoint
from leadglass.model.order import Order, Why
from leadglass.model.verdict import Access, Severity
from leadglass.store.watch_looks import Sight
from leadglass.watch import ruling
from leadglass.watch.detection import detection
from leadglass.watch.facts import Certified, Claim, Frame, Shift

NOW = 1_795_262_400
SPOT = Endpoint("192.0.2.1", 104)
numbers = itertools.count()


def frame(**different: Any) -> Frame:
    made = Frame(
        schedule="nightly",
        scope="Example Radiology",
        scan="01JD5Y0000000000000000000A",
        now=NOW,
        today=dt.date(2026, 11, 21),
        fail_on=Severity.MEDIUM,
        head="ab" * 32,
        silences=(),
        new_id=lambda: f"{next(numbers):026}",
        system_at=lambda spot: "ct-1" if spot == SPOT else None,
    )
    return dataclasses.replace(made, **different)


def sight(access: Access, severity: Severity = Severity.HIGH, at: int = NOW) -> Sight:
    return Sight(access, severity, at)


CLOSED = sight(Access.CLOSED, Severity.NONE, NOW - 3600)
OPEN = sight(Access.ASSOCIATES)


def opened(
    before: Sight | None, after: Sight = OPEN, *, known: bool = False, **different: Any
) -> list[Alert]:
    return list(ruling.opened([Shift(SPOT, before, after, known)], frame(**different)))


@pytest.mark.parametrize(
    ("before", "known", "kind"),
    [
        (CLOSED, False, AlertKind.NEW_SERVER),
        (None, False, AlertKind.NEW_SERVER),
        (CLOSED, True, AlertKind.NEWLY_OPEN),
        (sight(Access.NOT_DICOM, Severity.NONE), True, AlertKind.NEWLY_OPEN),
        (sight(Access.INCONCLUSIVE, Severity.NONE), False, AlertKind.NEWLY_OPEN),
        (sight(Access.DEMANDS_CERTIFICATE, Severity.NONE), True, AlertKind.CONTROL_LOST),
    ],
)
def test_what_has_opened_is_alerted_as_what_it_is(before: Sight | None, known: bool, kind: AlertKind) -> None:
    (alert,) = opened(before, known=known)

    assert (alert.kind, alert.state, alert.system) == (kind, AlertState.OPEN, "ct-1")
    assert alert.not_before == (None if before is None else before.at)
    assert alert.head == "ab" * 32
    assert "192.0.2.1:104" in alert.summary


def test_what_is_mild_or_better_or_as_bad_is_no_news() -> None:
    assert opened(CLOSED, sight(Access.DEMANDS_LOGIN, Severity.LOW)) == []
    assert opened(sight(Access.ANSWERS_QUERY, Severity.HIGH)) == []
    assert opened(OPEN) == []


def test_a_silence_covers_what_it_names_until_its_last_day() -> None:
    silence = Silence("s", "ada", "replaced", dt.date(2026, 11, 21), address="192.0.2.0/28", port=104)

    assert opened(CLOSED, silences=[silence])[0].state is AlertState.SILENT
    late = dt.date(2026, 11, 22)
    assert opened(CLOSED, silences=[silence], today=late)[0].state is AlertState.OPEN


def raised() -> Alert:
    return opened(CLOSED)[0]


def after(now: Sight, was: Sight | None, *, second: bool = False) -> ruling.Answered:
    at = (SPOT.address, SPOT.port)
    earlier = {} if was is None else {at: was}
    return ruling.answered([raised()], {at: now}, earlier, frame(), is_second_look=second)


def test_what_falls_silent_is_fixed_at_the_second_look_only() -> None:
    first = after(CLOSED, OPEN)
    assert (list(first.closed), first.look_again) == ([], (("192.0.2.1", 104),))

    for answer in (after(CLOSED, OPEN, second=True), after(CLOSED, CLOSED)):
        (closing,) = answer.closed
        assert closing.fixed.kind is AlertKind.FIXED
        assert answer.look_again == ()


def test_what_asks_for_a_certificate_is_fixed_at_once() -> None:
    (closing,) = after(sight(Access.DEMANDS_CERTIFICATE, Severity.NONE), OPEN).closed

    assert closing.fixed.after is Access.DEMANDS_CERTIFICATE


def test_what_is_still_open_or_not_certain_is_not_fixed() -> None:
    for now in (OPEN, sight(Access.INCONCLUSIVE, Severity.NONE)):
        answer = after(now, OPEN, second=True)
        assert (list(answer.closed), answer.look_again) == ([], ())


@pytest.mark.parametrize(
    ("days", "severity", "says"),
    [(-1, Severity.HIGH, "ended"), (3, Severity.HIGH, "in 3 days"), (20, Severity.MEDIUM, "in 20 days")],
)
def test_a_certificate_is_alerted_before_it_ends(days: int, severity: Severity, says: str) -> None:
    ends = dt.datetime.fromtimestamp(NOW, dt.UTC) + dt.timedelta(days=days, hours=1)
    (alert,) = ruling.expiring([Certified(SPOT, ends, NOW)], frame(), 30)

    assert (alert.kind, alert.severity) == (AlertKind.CERTIFICATE, severity)
    assert says in alert.summary


def test_a_certificate_that_lasts_is_no_news() -> None:
    ends = dt.datetime.fromtimestamp(NOW, dt.UTC) + dt.timedelta(days=60)

    assert list(ruling.expiring([Certified(SPOT, ends, NOW)], frame(), 30)) == []


def test_what_the_register_no_longer_says_is_over() -> None:
    claim = Claim("register:unknown:192.0.2.1", AlertKind.UNDECLARED, Severity.MEDIUM, "not declared", None)
    (alert,) = ruling.claimed([claim], frame())
    assert alert.kind is AlertKind.UNDECLARED

    kinds = {AlertKind.UNDECLARED}
    assert list(ruling.without_claim([alert], kinds, [claim.key], frame())) == []
    (closing,) = ruling.without_claim([alert], kinds, [], frame())
    assert closing.alert == alert.id


def test_a_scan_that_could_not_run_is_an_alert_that_a_general_silence_does_not_cover() -> None:
    order = Order("o", "nightly", "scope.toml", "", Why.SCHEDULE, NOW, NOW + 60)
    everything = Silence("s", "ada", "holiday", dt.date(2027, 1, 1))
    alert = ruling.unseen(order, "the scope has expired", frame(silences=[everything]))

    assert (alert.kind, alert.state) == (AlertKind.NOT_SCANNED, AlertState.OPEN)
    assert "the scope has expired" in alert.summary
    named = dataclasses.replace(everything, kinds=(AlertKind.NOT_SCANNED,))
    assert ruling.unseen(order, "x", frame(silences=[named])).state is AlertState.SILENT


def test_detection_is_between_two_looks() -> None:
    found = detection([(0, 100), (0, 300), (50, 50)])

    assert found is not None
    assert (found.alerts, found.median_at_most, found.worst_at_most) == (3, 100, 300)
    assert detection([]) is None
