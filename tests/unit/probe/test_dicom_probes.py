"""The DICOM questions, put to an acceptor without a socket."""

from __future__ import annotations

import pytest
from tests.unit.probe.acceptor import NOW, Acceptor, converse, cut, grant

from leadglass.errors import LocalProtocolError
from leadglass.model.evidence import Reply
from leadglass.model.rung import Rung
from leadglass.ports.conversation import Loss
from leadglass.probe.associate import AssociateConversation
from leadglass.probe.blank_query import BlankQueryConversation
from leadglass.probe.dicom import DicomConversation
from leadglass.probe.negotiate import OFFERED, NegotiateConversation
from leadglass.wire import uids
from leadglass.wire.dimse import CCancelRQ, CEchoRQ, CFindRQ
from leadglass.wire.pdu import AAbort, AAssociateRJ, encode

INVENTED = "2.25.123456789"
CANARY = b"CANARY^PATIENT"
PIECES = [1, 7, 1 << 20]


def associate() -> AssociateConversation:
    return AssociateConversation("ANY-SCP", "LEADGLASS")


def negotiate() -> NegotiateConversation:
    return NegotiateConversation("ANY-SCP", "LEADGLASS", INVENTED)


def blank_query() -> BlankQueryConversation:
    return BlankQueryConversation("ANY-SCP", "LEADGLASS", study_instance_uid="2.25.7", patient_id="AB" * 16)


ALL = [associate, negotiate, blank_query]


@pytest.mark.parametrize("piece", PIECES)
def test_an_association_is_opened_echoed_and_released(piece: int) -> None:
    probe, server = associate(), Acceptor()
    converse(probe, server, piece=piece)

    seen = probe.evidence
    assert (seen.reply, seen.verification, seen.echo, seen.echo_status) == (
        Reply.ACCEPTED,
        0,
        Reply.ANSWERED,
        0,
    )
    assert (seen.implementation_class_uid, seen.implementation_version_name) == ("1.2.3", "TEST")
    assert (seen.maximum_length, seen.user_items) == (16384, ("51H", "52H", "55H"))
    assert [type(c) for c in server.commands] == [CEchoRQ]
    assert server.ends == ["release"]


def test_verification_that_is_not_granted_is_not_used() -> None:
    probe, server = associate(), Acceptor(contexts=grant())
    converse(probe, server)

    assert (probe.evidence.verification, probe.evidence.echo) == (3, Reply.NOT_OFFERED)
    assert server.commands == []
    assert server.ends == ["release"]


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize("numbers", [(1, 1, 3), (1, 1, 7), (2, 3, 1), (1, 2, 2)])
def test_a_reject_keeps_its_three_numbers_and_closes_at_once(
    make: type[DicomConversation], numbers: tuple[int, int, int]
) -> None:
    probe = make()  # type: ignore[call-arg]
    step = converse(probe, Acceptor(reject=AAssociateRJ(*numbers)))

    assert step.close
    assert (probe.evidence.reply, probe.evidence.reject) == (Reply.REJECTED, numbers)  # type: ignore[attr-defined]


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize(
    ("answer", "loss", "reply"),
    [
        (b"", None, Reply.SILENT),
        (b"", Loss.EOF, Reply.CLOSED),
        (b"", Loss.RESET, Reply.RESET),
        (b"\x02", None, Reply.SILENT),
        (b"\x02\x00\x00", Loss.EOF, Reply.CLOSED),
        (encode(AAbort(2, 1)), None, Reply.ABORTED),
        (b"\x02\x00\xff\xff\xff\xff", None, Reply.MALFORMED),
        (b"\x05\x00\x00\x00\x00\x04\x00\x00\x00\x00", None, Reply.MALFORMED),
        (b"HTTP/1.1 400 Bad Request\r\n", None, Reply.OTHER_PROTOCOL),
        (b"SSH-2.0-OpenSSH_9.2\r\n", None, Reply.OTHER_PROTOCOL),
        (b"\x15\x03\x01\x00\x02\x02\x46", None, Reply.OTHER_PROTOCOL),
        (b"\xde\xad\xbe\xef", None, Reply.OTHER_PROTOCOL),
    ],
)
def test_whatever_comes_instead_of_an_answer_is_told_apart(
    make: type[DicomConversation], answer: bytes, loss: Loss | None, reply: Reply
) -> None:
    probe = make()  # type: ignore[call-arg]
    cut(probe, answer, loss)

    assert probe.evidence.reply is reply  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("answer", "protocol"),
    [(b"HTTP/1.1 400", "http"), (b"SSH-2.0-x", "ssh"), (b"\x15\x03\x01\x00\x02", "tls"), (b"\xde\xad", None)],
)
def test_the_other_protocol_is_named_where_its_first_bytes_tell(answer: bytes, protocol: str | None) -> None:
    probe = associate()
    cut(probe, answer, None)

    assert probe.evidence.spoke == protocol


def test_an_echo_that_is_never_answered_is_silence_and_ends_with_an_abort() -> None:
    probe, server = associate(), Acceptor()
    answer = server.talk(probe.connected(NOW).send)
    probe.received(answer, NOW)
    step = probe.woken(NOW + 60)

    assert step.close
    assert step.send == encode(AAbort(0, 0))
    assert (probe.evidence.reply, probe.evidence.echo) == (Reply.ACCEPTED, Reply.SILENT)


def test_negotiation_offers_everything_uses_nothing_and_tells_what_was_granted() -> None:
    probe, server = negotiate(), Acceptor(contexts=grant(uids.STUDY_ROOT_FIND, uids.CT_IMAGE_STORAGE))
    converse(probe, server)

    granted = {c.abstract_syntax for c in probe.evidence.contexts if c.result == 0}
    offered = [c.abstract_syntax for c in server.requests[0].presentation_contexts]
    assert granted == {uids.STUDY_ROOT_FIND, uids.CT_IMAGE_STORAGE}
    assert offered == [*OFFERED, INVENTED]
    assert probe.evidence.invented == 3
    assert server.commands == []
    assert server.ends == ["release"]


def test_who_accepts_an_invented_sop_class_is_seen() -> None:
    probe = negotiate()
    converse(probe, Acceptor())

    assert probe.evidence.invented == 0
    assert INVENTED not in {c.abstract_syntax for c in probe.evidence.contexts}


def test_the_order_of_the_answer_is_kept() -> None:
    def reversed_answer(rq: object) -> object:
        return reversed(list(grant()(rq)))  # type: ignore[arg-type]

    probe = negotiate()
    converse(probe, Acceptor(contexts=reversed_answer))  # type: ignore[arg-type]

    assert [c.abstract_syntax for c in probe.evidence.contexts] == list(reversed(OFFERED))


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("status", [0x0000, 0x0122, 0x0124, 0xA700, 0xA900, 0xC000])
def test_a_query_keeps_the_status_of_its_answer(piece: int, status: int) -> None:
    probe, server = blank_query(), Acceptor()
    server.find = lambda _: server.response(status)
    converse(probe, server, piece=piece)

    assert (probe.evidence.reply, probe.evidence.status, probe.evidence.model) == (
        Reply.ANSWERED,
        status,
        "study-root",
    )
    assert server.ends == ["release"]


def test_the_identifier_holds_the_level_and_the_minted_key_only() -> None:
    probe, server = blank_query(), Acceptor()
    server.find = lambda _: server.response(0)
    converse(probe, server)

    assert server.data_sets == [
        b"\x08\x00\x52\x00\x06\x00\x00\x00STUDY \x20\x00\x0d\x00\x06\x00\x00\x002.25.7"
    ]


def test_without_the_study_root_the_patient_root_is_asked() -> None:
    probe, server = blank_query(), Acceptor(contexts=grant(uids.PATIENT_ROOT_FIND))
    server.find = lambda _: server.response(0)
    converse(probe, server)

    assert probe.evidence.model == "patient-root"
    assert server.data_sets == [
        b"\x08\x00\x52\x00\x08\x00\x00\x00PATIENT \x10\x00\x20\x00\x20\x00\x00\x00" + b"AB" * 16
    ]


def test_without_either_nothing_is_asked() -> None:
    probe, server = blank_query(), Acceptor(contexts=grant(uids.MODALITY_WORKLIST_FIND))
    converse(probe, server)

    assert (probe.evidence.reply, probe.evidence.model) == (Reply.NOT_OFFERED, None)
    assert server.commands == []


@pytest.mark.parametrize("piece", PIECES)
def test_returned_records_are_cancelled_aborted_and_leave_no_trace(piece: int) -> None:
    probe, server = blank_query(), Acceptor()
    server.find = lambda _: server.response(0xFF00, CANARY) * 3 + server.response(0)
    step = converse(probe, server, piece=piece)

    assert step.close
    assert probe.evidence.reply is Reply.RECORDS
    assert [type(c) for c in server.commands] == [CFindRQ, CCancelRQ]
    assert server.ends == ["cancel", "abort"]
    assert CANARY.decode() not in repr(probe.evidence)


def test_an_abort_in_place_of_an_answer_is_told_apart_from_one_at_the_start() -> None:
    probe, server = blank_query(), Acceptor(find=lambda _: None)
    converse(probe, server)

    assert (probe.evidence.reply, probe.evidence.model, probe.evidence.abort) == (
        Reply.ABORTED,
        "study-root",
        (0, 0),
    )


@pytest.mark.parametrize("title", ["", " ", "                "])
def test_a_blank_title_is_never_sent(title: str) -> None:
    with pytest.raises(LocalProtocolError):
        AssociateConversation(title, "LEADGLASS")
    with pytest.raises(LocalProtocolError):
        AssociateConversation("ANY-SCP", title)


def test_each_question_states_its_rung() -> None:
    assert [make().rung for make in ALL] == [Rung.ASSOCIATE, Rung.NEGOTIATE, Rung.BLANK_QUERY]


@pytest.mark.parametrize("make", ALL)
def test_an_interrupted_question_says_goodbye(make: type[DicomConversation]) -> None:
    probe = make()  # type: ignore[call-arg]
    probe.connected(NOW)
    step = probe.stopped(NOW)

    assert (step.close, step.send) == (True, encode(AAbort(0, 0)))
