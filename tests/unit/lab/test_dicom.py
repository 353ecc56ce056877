from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.lab.memory import Dice, converse, feed

from leadglass.lab.archive import Archive
from leadglass.lab.dicom import DicomSession, Manners, OnQuery
from leadglass.lab.fiction import Cast, Stems, cast
from leadglass.lab.personas import PERSONAS
from leadglass.lab.session import End, SlowSession
from leadglass.model.evidence import Reply
from leadglass.probe.associate import AssociateConversation
from leadglass.probe.blank_query import BlankQueryConversation
from leadglass.probe.negotiate import NegotiateConversation
from leadglass.wire import uids
from leadglass.wire.command import encode_command
from leadglass.wire.dataset import identifier
from leadglass.wire.dimse import CFindRQ, CGetRQ, CMoveRQ, CStoreRQ
from leadglass.wire.pdata import fragment
from leadglass.wire.pdu import AAbort, AAssociateRQ, PresentationContextRQ, UserInformation, encode

STEMS = Stems("bcdfghjklm", "123456789012345678")
ARCHIVE = Archive(cast(Cast.PEOPLE, STEMS, 1, 5, Dice()))
INVENTED = "2.25.1"
BUSY, CALLER, CALLED = (2, 3, 1), (1, 1, 3), (1, 1, 7)
MANNERS = {p.name: s.behaviour for p in PERSONAS for s in p.services if isinstance(s.behaviour, Manners)}


def session(name: str, archive: Archive = ARCHIVE) -> DicomSession:
    return DicomSession(MANNERS[name], archive)


class Seen(NamedTuple):
    """What our own probes see of a persona, question by question."""

    name: str
    echo: Reply | None = Reply.ANSWERED
    reject: tuple[int, int, int] | None = None
    query: Reply = Reply.ANSWERED
    granted: frozenset[str] = frozenset()


ARCHIVE_GRANTS = frozenset(
    {
        *(uids.VERIFICATION, uids.STUDY_ROOT_FIND, uids.STUDY_ROOT_MOVE, uids.STUDY_ROOT_GET),
        *(uids.PATIENT_ROOT_FIND, uids.PATIENT_ROOT_MOVE, uids.PATIENT_ROOT_GET),
        *(uids.CT_IMAGE_STORAGE, uids.MR_IMAGE_STORAGE, uids.CR, uids.DX, uids.US, uids.SECONDARY_CAPTURE),
    }
)
STORES = frozenset(
    {
        uids.VERIFICATION,
        uids.CT_IMAGE_STORAGE,
        uids.MR_IMAGE_STORAGE,
        uids.CR,
        uids.DX,
        uids.US,
        uids.SECONDARY_CAPTURE,
    }
)
FINDS = frozenset({uids.VERIFICATION, uids.STUDY_ROOT_FIND, uids.PATIENT_ROOT_FIND})

ALL = [
    Seen("open-archive", granted=ARCHIVE_GRANTS),
    Seen("empty-archive", granted=ARCHIVE_GRANTS),
    Seen("veterinary", granted=ARCHIVE_GRANTS),
    Seen("demonstration", granted=ARCHIVE_GRANTS),
    Seen("orthanc-like", query=Reply.ABORTED, granted=ARCHIVE_GRANTS | {uids.STORAGE_COMMITMENT}),
    Seen("ignores-keys", query=Reply.RECORDS, granted=FINDS),
    Seen("storage-only", query=Reply.NOT_OFFERED, granted=STORES),
    Seen(
        "worklist-only",
        query=Reply.NOT_OFFERED,
        granted=frozenset({uids.VERIFICATION, uids.MODALITY_WORKLIST_FIND}),
    ),
    Seen("verification-only", query=Reply.NOT_OFFERED, granted=frozenset({uids.VERIFICATION})),
    Seen("caller-refused", None, CALLER, Reply.REJECTED),
    Seen("called-title-refused", None, CALLED, Reply.REJECTED),
    Seen("busy", None, BUSY, Reply.REJECTED),
]
EACH = pytest.mark.parametrize("seen", [pytest.param(seen, id=seen.name) for seen in ALL])


def test_every_dicom_persona_but_the_honeypot_is_in_the_table() -> None:
    plain = {p.name for p in PERSONAS for s in p.services if isinstance(s.behaviour, Manners) and not s.lock}

    assert {seen.name for seen in ALL} | {"honeypot", "slow", "lock-beside-open-door"} == plain


@EACH
def test_a_stranger_associates_and_echoes(seen: Seen) -> None:
    probe = AssociateConversation("ANY-SCP", "LEADGLASS")
    converse(probe, session(seen.name))

    assert (probe.evidence.echo, probe.evidence.reject) == (seen.echo, seen.reject)
    assert probe.evidence.echo_status in (None, 0)


@EACH
def test_a_stranger_is_granted_what_the_table_says(seen: Seen) -> None:
    probe = NegotiateConversation("ANY-SCP", "LEADGLASS", INVENTED)
    converse(probe, session(seen.name))

    assert {c.abstract_syntax for c in probe.evidence.contexts if c.result == 0} == seen.granted
    assert {c.result for c in probe.evidence.contexts} <= {0, 3}
    assert probe.evidence.invented in (None, 3)


@EACH
def test_a_blank_query_meets_what_the_table_says(seen: Seen) -> None:
    probe = blank_query()
    converse(probe, session(seen.name))

    assert probe.evidence.reply is seen.query
    assert probe.evidence.status in (None, 0)
    if seen.query is Reply.ABORTED:
        assert probe.evidence.abort == (0, 0)


def blank_query(called: str = "ANY-SCP", calling: str = "LEADGLASS") -> BlankQueryConversation:
    return BlankQueryConversation(called, calling, study_instance_uid="2.25.7", patient_id="NOT-THERE")


@pytest.mark.parametrize(
    ("name", "called", "calling"),
    [("called-title-refused", "ARCHIVE-WEST", "LEADGLASS"), ("caller-refused", "ANY-SCP", "CT-ROOM-1")],
)
def test_whoever_knows_the_name_is_in(name: str, called: str, calling: str) -> None:
    probe = blank_query(called, calling)
    converse(probe, session(name))

    assert probe.evidence.status == 0


def test_the_honeypot_gives_itself_away_twice() -> None:
    associate, offer = (
        AssociateConversation("ANY-SCP", "LEADGLASS"),
        NegotiateConversation("ANY-SCP", "LEADGLASS", INVENTED),
    )
    converse(associate, session("honeypot"))
    converse(offer, session("honeypot"))

    assert associate.evidence.user_items == ("51H",)
    assert associate.evidence.implementation_class_uid is None
    assert {c.result for c in offer.evidence.contexts} == {0}
    assert offer.evidence.invented == 0


def test_the_orthanc_like_server_says_what_orthanc_says() -> None:
    probe = AssociateConversation("ANY-SCP", "LEADGLASS")
    converse(probe, session("orthanc-like"))

    assert probe.evidence.implementation_class_uid == "1.2.276.0.7230010.3.0.3.6.7"
    assert probe.evidence.implementation_version_name == "OFFIS_DCMTK_367"
    assert probe.evidence.maximum_length == 16384


def test_the_slow_server_answers_in_the_end() -> None:
    probe = blank_query()
    took = converse(probe, SlowSession(session("open-archive"), 2.0))

    assert probe.evidence.status == 0
    assert 4.0 <= took <= 7.0


# ---- what the probes never ask, an ordinary client does

CONTEXTS = {
    1: uids.STUDY_ROOT_FIND,
    3: uids.CT_IMAGE_STORAGE,
    5: uids.STUDY_ROOT_MOVE,
    7: uids.STUDY_ROOT_GET,
    9: uids.MODALITY_WORKLIST_FIND,
}


def request(*syntaxes: str) -> bytes:
    contexts = tuple(
        PresentationContextRQ(number, uid, syntaxes or (uids.IMPLICIT_VR_LE,))
        for number, uid in CONTEXTS.items()
    )
    return encode(AAssociateRQ("LAB", "CLIENT", contexts, UserInformation(maximum_length=16384)))


def find(level: str = "STUDY", sop_class: str = uids.STUDY_ROOT_FIND, context: int = 1) -> bytes:
    elements = {(0x0008, 0x0052): level, (0x0010, 0x0010): ""}
    return fragment(context, encode_command(CFindRQ(1, sop_class)), identifier(elements), 16384)


def status_of(sent: bytes) -> int:
    """The status in the last command set of a reply: element (0000,0900), two bytes."""
    at = sent.rindex(b"\x00\x00\x00\x09\x02\x00\x00\x00")
    return int.from_bytes(sent[at + 8 : at + 10], "little")


def test_a_query_that_matches_is_answered_with_the_patients() -> None:
    *_, answer = feed(session("open-archive"), request(), find())

    assert answer.send.count(b"FICTITIOUS BCDFGHJKLM^NOBODY") == 5
    assert status_of(answer.send) == 0x0000


def test_a_query_in_explicit_vr_is_answered_in_it() -> None:
    data_set = b"\x08\x00\x52\x00CS\x06\x00STUDY " + b"\x10\x00\x10\x00PN\x00\x00"
    asked = fragment(1, encode_command(CFindRQ(1, uids.STUDY_ROOT_FIND)), data_set, 16384)

    *_, answer = feed(session("open-archive"), request(uids.EXPLICIT_VR_LE), asked)

    assert answer.send.count(b"\x10\x00\x10\x00PN") == 5


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (find("BOGUS"), 0xA900),
        (fragment(1, encode_command(CFindRQ(1, uids.STUDY_ROOT_FIND)), b"\x08", 16384), 0xC000),
        (fragment(3, encode_command(CStoreRQ(1, uids.CT_IMAGE_STORAGE, "2.25.1")), b"\0" * 9000, 0), 0x0000),
        (fragment(5, encode_command(CMoveRQ(1, uids.STUDY_ROOT_MOVE, "X")), b"", 0), 0xA801),
        (fragment(7, encode_command(CGetRQ(1, uids.STUDY_ROOT_GET)), b"", 0), 0xA702),
    ],
    ids=["no such level", "unreadable", "stored", "moved nowhere", "nothing to get"],
)
def test_each_service_has_its_status(asked: bytes, status: int) -> None:
    *_, answer = feed(session("open-archive"), request(), asked)

    assert answer.end is End.OPEN
    assert status_of(answer.send) == status


def test_the_honeypot_refuses_to_store() -> None:
    store = fragment(3, encode_command(CStoreRQ(1, uids.CT_IMAGE_STORAGE, "2.25.1")), bytes(100), 0)

    *_, answer = feed(session("honeypot"), request(), store)

    assert status_of(answer.send) == 0x0124


def test_the_worklist_names_patients_to_whoever_asks() -> None:
    *_, answer = feed(session("worklist-only"), request(), find("", uids.MODALITY_WORKLIST_FIND, 9))

    assert answer.send.count(b"FICTITIOUS BCDFGHJKLM^NOBODY") == 5
    assert answer.send.count(b"\xfe\xff\x00\xe0") == 5


def test_records_stream_in_pieces_and_end_by_themselves_at_last() -> None:
    server = session("ignores-keys")
    *_, act = feed(server, request(), find())
    records, goes = act.send.count(b"NOBODY"), 0
    while act.wake_at is not None and b"\x00\x09\x02\x00\x00\x00\x00\x00" not in act.send:
        act = server.woken(act.wake_at)
        records, goes = records + act.send.count(b"FICTITIOUS"), goes + 1
        assert len(act.send) < 64 * 1024

    assert records == 10_000
    assert goes > 100


def test_a_small_client_gets_small_pieces() -> None:
    rq = encode(
        AAssociateRQ(
            "LAB",
            "CLIENT",
            (PresentationContextRQ(1, uids.STUDY_ROOT_FIND, (uids.IMPLICIT_VR_LE,)),),
            UserInformation(maximum_length=1),
        )
    )
    *_, answer = feed(session("open-archive"), rq, find())

    assert status_of(answer.send) == 0


def test_a_service_that_was_not_granted_is_aborted() -> None:
    *_, answer = feed(session("storage-only"), request(), find())

    assert answer.send.startswith(b"\x07")
    assert answer.end is End.CLOSE


def test_an_identifier_without_end_is_aborted() -> None:
    endless = fragment(1, encode_command(CFindRQ(1, uids.STUDY_ROOT_FIND)), bytes(70 * 1024), 16384)

    *_, answer = feed(session("open-archive"), request(), endless)

    assert answer.send == encode(AAbort(2, 0))
    assert answer.end is End.CLOSE


@given(
    name=st.sampled_from(sorted(MANNERS)),
    pieces=st.lists(st.binary(max_size=64), max_size=4),
    start=st.sampled_from([b"", request(), request() + find()]),
    cut=st.integers(0, 2000),
)
def test_any_bytes_are_answered_and_none_raises(
    name: str, pieces: list[bytes], start: bytes, cut: int
) -> None:
    server = session(name)
    acts = feed(server, start[:cut], *pieces)

    if acts[-1].end is End.OPEN:
        assert acts[-1].wake_at is not None
        assert server.woken(acts[-1].wake_at + 60).end in End


def test_patience_ends() -> None:
    server = session("open-archive")
    waiting = server.connected(0.0)

    assert waiting.wake_at == 30.0
    assert server.woken(30.0).end is End.CLOSE


def test_the_stranger_without_a_word_on_queries_is_the_one_who_aborts() -> None:
    assert {name for name, manners in MANNERS.items() if manners.on_query is OnQuery.ABORT} == {
        "orthanc-like"
    }
