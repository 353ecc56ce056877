"""Silences that follow accepted risks."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest
from tests.unit.watch.test_ruling import CLOSED, SPOT, opened, sight

from leadglass.model.alert import Alert, AlertKind, Silence
from leadglass.model.register import Level, Risk, Treatment
from leadglass.model.verdict import Access
from leadglass.watch.silencing import bound_to, following, is_covered

TODAY = dt.date(2026, 11, 21)
RISK = Risk(
    name="ct-1 104 associates",
    system="ct-1",
    threat="x",
    vulnerability="x",
    likelihood=Level.HIGH,
    impact=Level.HIGH,
    treatment=Treatment.ACCEPT,
    owner="Dr. Hopper",
    until=dt.date(2027, 1, 31),
)


def alert(access: Access = Access.ASSOCIATES) -> Alert:
    return opened(CLOSED, sight(access))[0]


def test_an_accepted_risk_silences_the_access_that_was_accepted() -> None:
    (silence,) = following([RISK])

    assert (silence.owner, silence.until, silence.port) == ("Dr. Hopper", RISK.until, SPOT.port)
    assert is_covered(alert(), silence, TODAY)
    assert not is_covered(alert(), silence, dt.date(2027, 2, 1))


def test_what_is_worse_than_was_accepted_is_heard() -> None:
    (silence,) = following([RISK])

    assert not is_covered(alert(Access.ANSWERS_QUERY), silence, TODAY)


@pytest.mark.parametrize(
    "different",
    [
        {"treatment": Treatment.MITIGATE},
        {"treatment": None},
        {"until": None},
        {"name": "old ct"},
        {"name": "ct-1 104 nonsense"},
    ],
)
def test_other_risks_silence_nothing(different: dict[str, Any]) -> None:
    assert list(following([dataclasses.replace(RISK, **different)])) == []


def test_a_silence_that_names_a_risk_ends_with_it() -> None:
    silence = Silence("s", "ada", "x", dt.date(2028, 1, 1), risk=RISK.name)
    free = Silence("f", "ada", "x", dt.date(2028, 1, 1))

    (kept, other) = bound_to([silence, free], [RISK])
    assert (kept.until, other) == (RISK.until, free)
    assert list(bound_to([silence], [dataclasses.replace(RISK, treatment=Treatment.MITIGATE)])) == []
    assert list(bound_to([silence], [])) == []


@pytest.mark.parametrize(
    ("different", "covered"),
    [
        ({}, True),
        ({"kinds": (AlertKind.NEW_SERVER,)}, True),
        ({"kinds": (AlertKind.CERTIFICATE,)}, False),
        ({"address": "192.0.2.1"}, True),
        ({"address": "192.0.2.2"}, False),
        ({"address": "2001:db8::/32"}, False),
        ({"port": 105}, False),
        ({"system": "ct-1"}, True),
        ({"system": "ct-2"}, False),
    ],
)
def test_a_silence_covers_what_fits_all_that_it_says(different: dict[str, Any], covered: bool) -> None:
    silence = dataclasses.replace(Silence("s", "ada", "x", TODAY), **different)

    assert is_covered(alert(), silence, TODAY) is covered
