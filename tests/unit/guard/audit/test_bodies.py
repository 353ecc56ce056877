"""Events in the chain: nothing is lost on the way there and back, and nothing is too long for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.guard.audit.samples import AT, CT, EVENTS, JANE, JOHN, QUERY, event

from leadglass.errors import RemoteProtocolError
from leadglass.guard.audit.bodies import LONGEST_IDENTIFIER, event_of, to_bodies
from leadglass.guard.audit.events import AuditedStudy, AuditEvent, Happening, Patient, Query, SopClass
from leadglass.ledger.chain import LONGEST_LINE, Chain, read_entry
from leadglass.model.access import Action, Kind, Principal


def kept(event: AuditEvent) -> list[AuditEvent]:
    """``event`` as it is read from the chain."""
    chain = Chain()
    entries = [read_entry(chain.append(body, AT)) for body in to_bodies(event)]
    return [event_of(entry.body) for entry in entries if entry is not None]


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_comes_back_as_it_was(name: str) -> None:
    assert kept(EVENTS[name]) == [EVENTS[name]]


def test_of_a_principal_what_the_trail_needs_is_kept() -> None:
    who = Principal(Kind.PERSON, "w", frozenset({"a", "b"}), physician_names=frozenset({"Weber^A"}))

    assert kept(event(Happening.LOGIN, who=who))[0].who == Principal(Kind.PERSON, "w", frozenset({"a", "b"}))


def test_many_studies_and_patients_make_several_entries_and_none_is_lost() -> None:
    studies = tuple(AuditedStudy(f"1.2.{i}", JANE, None, (SopClass(CT, 3),)) for i in range(250))
    patients = tuple(Patient(f"P-{i}") for i in range(120))

    found = kept(event(Happening.TRANSFERRED, action=Action.GET, studies=studies, patients=patients))

    assert len(found) > 1
    assert tuple(study for one in found for study in one.studies) == studies
    assert tuple(patient for one in found for patient in one.patients) == patients
    assert {one.who for one in found} == {found[0].who}


def test_many_instances_make_several_entries_and_none_is_lost() -> None:
    uids = tuple(f"1.2.3.{i}" for i in range(333))
    study = AuditedStudy("1.2.3", JOHN, "A1", (SopClass(CT, 400, uids),))

    found = kept(event(Happening.TRANSFERRED, studies=(study,)))

    classes = [one for each in found for study in each.studies for one in study.sop_classes]
    assert tuple(uid for one in classes for uid in one.uids) == uids
    assert sum(one.instances for one in classes) == 400


@pytest.mark.parametrize("char", ["a", "\x00", "\U0001f600", "\ud800", '"'])
def test_no_event_is_too_long_for_the_chain(char: str) -> None:
    endless = char * 100_000
    who = Principal(Kind.PERSON, endless, frozenset(f"{endless}{i}" for i in range(99)))
    texts = dict.fromkeys(
        ("claimed", "device", "title", "called", "address", "certificate", "reason", "emergency", "resource"),
        endless,
    )
    uids = tuple(endless for _ in range(300))
    study = AuditedStudy(endless, Patient(endless, endless), endless, (SopClass(endless, 1, uids),))
    worst = event(
        Happening.REFUSED,
        who=who,
        rules=tuple(endless for _ in range(99)),
        query=Query(endless, bytes(500_000), endless),
        studies=tuple(study for _ in range(3)),
        patients=tuple(Patient(endless, endless) for _ in range(300)),
        **texts,
    )

    chain = Chain()
    lines = [chain.append(body, AT) for body in to_bodies(worst)]
    longest = max(map(len, lines))
    events = [event_of(entry.body) for entry in map(read_entry, lines) if entry]

    assert longest < LONGEST_LINE
    assert len(events) == len(lines)


def test_of_an_identifier_that_is_too_long_the_beginning_and_the_length_are_kept() -> None:
    (found,) = kept(event(Happening.QUERY, query=replace(QUERY, identifier=bytes(500_000))))

    assert found.query is not None
    assert (len(found.query.identifier), found.query.length) == (LONGEST_IDENTIFIER, 500_000)


GOOD = to_bodies(EVENTS["query"])[0]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"note": "torn"},
        {**GOOD, "happening": "unheard of"},
        {**GOOD, "time": 5},
        {**GOOD, "outcome": 5},
        {**GOOD, "who": "me"},
        {**GOOD, "who": {"kind": "person", "name": 3, "roles": []}},
        {**GOOD, "who": None, "reason": ["x"]},
        {**GOOD, "query": {"identifier": "?", "sop_class": ""}},
        {**GOOD, "studies": [{}]},
        {**GOOD, "studies": 3},
        {**GOOD, "matches": -1},
        {**GOOD, "matches": True},
        {**GOOD, "destination": {"nowhere": "x"}},
    ],
    ids=lambda body: str(body)[-40:],
)
def test_what_tells_no_event_is_refused_in_one_way(body: Any) -> None:
    with pytest.raises(RemoteProtocolError):
        event_of(body)
