"""Whatever an event holds, whatever a spool holds, and whenever its writer dies: the trail is told and holds."""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.guard.audit.samples import AT, GUARD
from tests.unit.guard.audit.structure import faults

from leadglass.guard.audit.bodies import event_of, to_bodies
from leadglass.guard.audit.entries import told
from leadglass.guard.audit.events import (
    AuditedStudy,
    AuditEvent,
    Happening,
    Node,
    Outcome,
    Patient,
    Query,
    SopClass,
)
from leadglass.guard.audit.framing import framed, severity
from leadglass.guard.audit.messages import LONGEST_MESSAGE, to_xml
from leadglass.ledger.chain import Chain, Entry, read_entry
from leadglass.ledger.verify import Verified, verify
from leadglass.model.access import Action, Kind, Principal
from leadglass.store.spool import open_spool
from leadglass.store.spooled import anchors_of, files_of, lines_of

words = st.text(max_size=12) | st.sampled_from(
    ["\x00", "\ud800", "<&>\"'", "a b", "é" * 300, "\U0001f600" * 90]
)
some = st.none() | words
counts = st.integers(0, 2**40)
uids = st.lists(words, max_size=4).map(tuple)
classes = st.builds(SopClass, words, counts, uids)
patients = st.builds(Patient, words, some)
studies = st.builds(AuditedStudy, words, st.none() | patients, some, st.lists(classes, max_size=3).map(tuple))
moments = st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2200, 1, 1), timezones=st.just(dt.UTC))  # noqa: DTZ001
principals = st.builds(Principal, st.sampled_from(Kind), words, st.frozensets(words, max_size=3))
events = st.builds(
    AuditEvent,
    happening=st.sampled_from(Happening),
    at=moments,
    outcome=st.sampled_from(Outcome),
    action=st.none() | st.sampled_from(Action),
    who=st.none() | principals,
    studies=st.lists(studies, max_size=4).map(tuple),
    patients=st.lists(patients, max_size=3).map(tuple),
    query=st.none() | st.builds(Query, words, st.binary(max_size=64), some),
    destination=st.none() | st.builds(Node, words, some),
    matches=st.none() | counts,
    octets=st.none() | counts,
    rules=st.lists(words, max_size=3).map(tuple),
    **dict.fromkeys(
        ("claimed", "device", "title", "called", "address", "certificate", "reason", "emergency", "resource"),
        some,
    ),
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
FIELDS = (
    "happening",
    "time",
    "outcome",
    "who",
    "studies",
    "patients",
    "query",
    "reason",
    "note",
    "matches",
    "action",
)


def messages(event: AuditEvent) -> list[bytes]:
    """Everything that is made of an event on its way."""
    made = to_xml(event, GUARD)
    assert framed(made[0], level=severity(event), at="x", host=GUARD.host, process="w")
    return list(made)


@given(events)
def test_any_event_makes_messages_that_can_be_read_and_fit(event: AuditEvent) -> None:
    made = messages(event)

    assert max(map(len, made)) <= LONGEST_MESSAGE
    assert {fault for message in made for fault in faults(message) if "=" not in fault} == set()


@given(events)
def test_any_event_can_be_kept_and_tells_the_same_again(event: AuditEvent) -> None:
    chain = Chain()
    for body in to_bodies(event):
        entry = read_entry(chain.append(body, AT))
        assert entry is not None
        (again,) = to_bodies(event_of(entry.body))
        assert again == body


@given(
    st.dictionaries(st.sampled_from(FIELDS), json_values), st.sampled_from(Happening), st.text(max_size=30)
)
def test_an_entry_that_somebody_made_up_is_told_and_stops_nothing(
    body: dict[str, Any], happening: Happening, at: str
) -> None:
    likely = {"happening": happening.value, "time": "2026-11-21T05:00:00Z", "outcome": 0, **body}
    for text in (json.dumps(body), json.dumps(likely), "[" * 100_000, "", at):
        entry = Entry(7, at, "", "", text.encode(errors="replace"))

        assert messages(told(entry))


@st.composite
def lives(draw: st.DrawFn) -> list[tuple[int, int, bytes]]:
    """What happened to each writer in turn: entries written, octets lost at the end, octets of rubbish there."""
    one = st.tuples(st.integers(0, 6), st.integers(0, 300), st.binary(max_size=40))
    return draw(st.lists(one, min_size=1, max_size=5))


@given(lives())
def test_whatever_a_dying_writer_leaves_the_chain_goes_on_and_holds(
    lives: list[tuple[int, int, bytes]],
) -> None:
    with TemporaryDirectory() as made:
        folder, written = Path(made), 0
        for count, lost, rubbish in lives:
            spool = open_spool(folder, "w", AT.timestamp, reserve=0, rotate_at=1500)
            for _ in range(count):
                spool.append({"i": written})
                written += 1
            os.close(spool._lock)  # killed: nothing is closed or synced
            for path in files_of("w", folder)[-1:]:
                text = path.read_bytes()
                path.write_bytes(text[: max(0, len(text) - lost)] + rubbish)
        open_spool(folder, "w", AT.timestamp, reserve=0).close()

        assert isinstance(verify(lines_of(files_of("w", folder)), *anchors_of(folder, "w")), Verified)
