"""The sample: few keys, one day at a time, counts out, and no value kept anywhere."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from tests.unit.probe.acceptor import Acceptor, converse, grant

from leadglass.judge.features import keys
from leadglass.model.evidence import Reply, facts_of
from leadglass.probe import sample as probe_sample
from leadglass.probe.sample import DAYS, SampleConversation, random_days
from leadglass.wire.dataset import identifier
from leadglass.wire.dimse import CCancelRQ, CFindRQ
from leadglass.wire.elements import syntax_of, walk
from leadglass.wire.uids import IMPLICIT_VR_LE, MODALITY_WORKLIST_FIND

TODAY = dt.date(2026, 11, 21)
NAME = "Canaryson^Planted"
STUDY = {
    (0x0008, 0x0020): "20261101",
    (0x0008, 0x1030): "MR head",
    (0x0010, 0x0010): NAME,
    (0x0010, 0x0020): "CANARY-4711",
    (0x0020, 0x000D): "1.2.840.99.1",
}


class Fixed:
    """Randomness that counts."""

    def __init__(self) -> None:
        self.count = 0

    def token(self, size: int) -> bytes:
        self.count += 7919
        return self.count.to_bytes(size, "big")


def asking(days: int = 3, most: int = 200) -> SampleConversation:
    drawn = [TODAY - dt.timedelta(days=back) for back in range(1, days + 1)]
    return SampleConversation("ANY-SCP", "LEADGLASS", days=drawn, today=TODAY, most=most)


def serving(matches: int, match: bytes, last: int = 0) -> Acceptor:
    """Answers each query with so many matches, and with the status ``last``."""
    server = Acceptor()
    server.find = lambda _: server.response(0xFF00, match) * matches + server.response(last)
    return server


def test_each_day_is_asked_for_with_the_keys_of_the_features_and_no_others() -> None:
    probe, server = asking(), serving(0, b"")
    converse(probe, server)
    syntax = syntax_of(IMPLICIT_VR_LE)
    assert syntax is not None
    asked = [
        {span.tag: data[span.value_at : span.end] for span in walk(data, syntax)} for data in server.data_sets
    ]

    assert [query[0x00080020] for query in asked] == [b"20261120", b"20261119", b"20261118"]
    assert all(query.pop(0x00080052) == b"STUDY " for query in asked)
    assert all(set(query) == set(probe_sample._TAGS) for query in asked)
    assert set(probe_sample._TAGS.values()) == set(keys())
    assert server.ends == ["release"]


def test_matches_are_counted_by_feature_and_by_patient() -> None:
    probe = asking()
    converse(probe, serving(2, identifier(STUDY)))
    seen = probe.evidence

    assert (seen.reply, seen.windows, seen.studies, seen.patients, seen.cut) == (
        Reply.ANSWERED,
        3,
        6,
        1,
        False,
    )
    assert {count.feature: count.studies for count in seen.features} == {"ordinary-names": 6, "recent": 6}


@pytest.mark.parametrize("piece", [1, 100, 1 << 20])
def test_no_value_of_a_match_is_in_the_evidence_or_in_the_conversation(piece: int) -> None:
    probe = asking()
    converse(probe, serving(3, identifier(STUDY)), piece=piece)
    held = f"{probe.evidence} {[fact.value for fact in facts_of(probe.evidence)]} {vars(probe)} {probe._whole._data_set}"

    assert probe.evidence.studies == 9
    for value in ("Canaryson", "CANARY-4711", "1.2.840.99.1", "MR head"):
        assert value not in held


def test_at_the_limit_it_cancels_and_aborts_whatever_the_server_goes_on_to_send() -> None:
    probe, server = asking(most=5), serving(1000, identifier(STUDY))
    step = converse(probe, server)

    assert step.close
    assert (probe.evidence.studies, probe.evidence.cut) == (5, True)
    assert [type(command) for command in server.commands] == [CFindRQ, CCancelRQ]
    assert server.ends == ["cancel", "abort"]


def test_a_refusal_ends_it_with_the_status() -> None:
    probe, server = asking(), serving(0, b"", last=0xA700)
    converse(probe, server)

    assert (probe.evidence.windows, probe.evidence.status) == (1, 0xA700)
    assert server.ends == ["release"]


def test_without_the_study_root_nothing_is_asked() -> None:
    probe, server = asking(), Acceptor(contexts=grant(MODALITY_WORKLIST_FIND))
    converse(probe, server)

    assert probe.evidence.reply is Reply.NOT_OFFERED
    assert server.commands == []


BROKEN: list[tuple[str, Callable[[], bytes]]] = [
    (
        "out of order",
        lambda: identifier({(0x0010, 0x0010): NAME}) + identifier({(0x0008, 0x0020): "20260101"}),
    ),
    ("cut short", lambda: identifier(STUDY)[:-3]),
    ("too large", lambda: identifier({(0x0010, 0x0010): "A" * (1 << 17)})),
]


@pytest.mark.parametrize(("how", "make"), BROKEN, ids=[how for how, _ in BROKEN])
def test_a_broken_match_ends_it_and_is_told_without_its_values(how: str, make: Callable[[], bytes]) -> None:
    probe, server = asking(), serving(1, make())
    converse(probe, server)

    assert probe.evidence.reply is Reply.MALFORMED
    assert "Canary" not in str(probe.evidence)
    assert server.ends == ["abort"]


def test_the_days_are_different_and_lie_in_the_five_years_before_today() -> None:
    days = random_days(Fixed(), TODAY)

    assert len(set(days)) == DAYS
    assert all(dt.timedelta(0) < TODAY - day <= dt.timedelta(days=5 * 365) for day in days)
    assert days != tuple(sorted(days))
