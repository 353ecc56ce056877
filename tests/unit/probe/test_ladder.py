"""The visit: which question follows which answer, and when enough is enough."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from tests.unit.probe.acceptor import Acceptor, converse, grant

from leadglass.model.endpoint import Endpoint
from leadglass.model.evidence import (
    AssociateEvidence,
    BlankQueryEvidence,
    NegotiateEvidence,
    Reply,
    TcpEvidence,
    TcpOutcome,
    WebEvidence,
)
from leadglass.model.rung import Rung
from leadglass.ports.conversation import Conversation, Loss
from leadglass.probe.associate import AssociateConversation
from leadglass.probe.blank_query import BlankQueryConversation
from leadglass.probe.dicom import DicomConversation
from leadglass.probe.http import HttpConversation
from leadglass.probe.ladder import EndpointVisit
from leadglass.probe.negotiate import NegotiateConversation
from leadglass.probe.qido import QidoConversation
from leadglass.probe.questions import Questions
from leadglass.probe.remembered import RememberedConversation
from leadglass.probe.tls import HelloConversation, SecureConversation
from leadglass.probe.web import WebConversation
from leadglass.wire import uids
from leadglass.wire.pdu import AAssociateRJ

NOW = 1000.0
HTTP_404 = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
HTTP_404_CLOSE = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
SSH = b"SSH-2.0-OpenSSH_9.2p1\r\n"
TLS_ALERT = b"\x15\x03\x01\x00\x02\x02\x46"


class Counting:
    """Randomness that is not."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def token(self, size: int) -> bytes:
        return next(self._numbers).to_bytes(size, "big")


Peer = Callable[[Conversation], None]


def visit(port: int, rung: Rung = Rung.BLANK_QUERY, connections: int = 6) -> EndpointVisit:
    questions = Questions(Counting(), "2.25.99", connections=connections)
    return EndpointVisit(Endpoint("192.0.2.7", port), rung, questions)


def walk(it: EndpointVisit, peer: Peer) -> list[type[object]]:
    """Carry the visit out against ``peer``; the kinds of conversation, in order."""
    asked: list[type[object]] = []
    now = NOW
    while (question := it.next(now)) is not None:
        now = max(now, it.not_before)
        it.source("192.0.2.1")
        asked.append(kind(question))
        peer(question)
    return asked


def kind(conversation: Conversation) -> type[object]:
    """What is asked; that an association may be remembered makes no other question of it."""
    return AssociateConversation if isinstance(conversation, RememberedConversation) else type(conversation)


def answers(data: bytes, loss: Loss | None = Loss.EOF) -> Peer:
    """A peer that says ``data`` to everything, then closes, resets or (None) goes silent."""

    def peer(conversation: Conversation) -> None:
        step = conversation.connected(NOW)
        if data and not step.close:
            step = conversation.received(data, NOW)
        if not step.close and loss is not None:
            conversation.lost(loss, NOW)
        elif not step.close:
            assert conversation.woken(NOW + 60).close

    return peer


def dicom(make: Callable[[], Acceptor]) -> Peer:
    def peer(conversation: Conversation) -> None:
        if isinstance(conversation, DicomConversation | RememberedConversation):
            converse(conversation, make())
        else:
            answers(b"", Loss.RESET)(conversation)

    return peer


def web(*, closing: bool = False) -> Peer:
    reply = HTTP_404_CLOSE if closing else HTTP_404

    def peer(conversation: Conversation) -> None:
        step = conversation.connected(NOW)
        if not isinstance(conversation, HttpConversation):
            step = conversation.received(HTTP_404, NOW)
            return
        while not step.close:
            step = conversation.received(reply, NOW)

    return peer


def archive() -> Acceptor:
    acceptor = Acceptor()
    acceptor.find = lambda _: acceptor.response(0)
    return acceptor


def test_an_archive_is_asked_one_question_after_the_other_on_its_first_face() -> None:
    it = visit(11112)
    asked = walk(it, dicom(archive))

    assert asked == [AssociateConversation, NegotiateConversation, BlankQueryConversation]
    assert [type(e) for e in it.evidence] == [
        TcpEvidence,
        AssociateEvidence,
        NegotiateEvidence,
        BlankQueryEvidence,
    ]


@pytest.mark.parametrize(
    ("rung", "asked"),
    [
        (Rung.CONNECT, [SecureConversation]),
        (Rung.ASSOCIATE, [AssociateConversation]),
        (Rung.NEGOTIATE, [AssociateConversation, NegotiateConversation]),
    ],
)
def test_no_question_is_deeper_than_the_rung(rung: Rung, asked: list[type[object]]) -> None:
    kinds = walk(visit(11112, rung), dicom(archive))

    assert kinds == asked


def test_without_a_query_context_no_query_is_put() -> None:
    asked = walk(
        visit(11112), dicom(lambda: Acceptor(contexts=grant(uids.VERIFICATION, uids.MODALITY_WORKLIST_FIND)))
    )

    assert asked == [AssociateConversation, NegotiateConversation]


@pytest.mark.parametrize("reason", [3, 7])
def test_a_server_that_wants_a_title_is_asked_nothing_more(reason: int) -> None:
    asked = walk(visit(104), dicom(lambda: Acceptor(reject=AAssociateRJ(1, 1, reason))))

    assert asked == [AssociateConversation]


@pytest.mark.parametrize("reason", [1, 2])
def test_a_busy_server_is_asked_twice_more_ever_later(reason: int) -> None:
    it = visit(104)
    asked_at = []
    while (question := it.next(NOW)) is not None:
        asked_at.append(it.not_before)
        it.source("192.0.2.1")
        converse(question, Acceptor(reject=AAssociateRJ(2, 3, reason)))

    assert asked_at == [0.0, NOW + 3, NOW + 12]
    assert it.evidence[-1] == AssociateEvidence(Reply.REJECTED, reject=(2, 3, reason))


@pytest.mark.parametrize("rung", [Rung.ASSOCIATE, Rung.NEGOTIATE, Rung.BLANK_QUERY])
@pytest.mark.parametrize(
    "peer",
    [dicom(archive), dicom(lambda: Acceptor(reject=AAssociateRJ(1, 1, 7))), answers(b"", None), answers(SSH)],
)
def test_the_second_endpoint_that_answers_alike_is_seen_alike(rung: Rung, peer: Peer) -> None:
    questions = Questions(Counting(), "2.25.99")
    visits = [EndpointVisit(Endpoint(f"192.0.2.{n}", 104), rung, questions) for n in (1, 2, 3)]
    asked = [walk(it, peer) for it in visits]

    assert asked[0] == asked[1] == asked[2]
    assert visits[0].evidence == visits[1].evidence == visits[2].evidence
    assert {it.connections for it in visits} == {len(asked[0])}


def test_a_refusal_by_the_gate_after_the_first_answer_keeps_that_answer() -> None:
    it = visit(104)
    first = it.next(NOW)
    assert first is not None
    it.source("192.0.2.1")
    converse(first, archive())
    assert it.next(NOW) is not None
    it.denied("the hours are over")

    assert it.next(NOW) is None
    assert [e.probe for e in it.evidence] == ["tcp", "associate"]


@pytest.mark.parametrize("port", [104, 4242, 11112, 20001, 8042, 8080, 443, 8443, 2762])
def test_plain_dicom_is_found_in_at_most_two_connections_on_any_port(port: int) -> None:
    asked = walk(visit(port, Rung.ASSOCIATE), dicom(archive))

    assert AssociateConversation in asked[:2]
    assert len(asked) <= 2


@pytest.mark.parametrize("port", [104, 20001])
def test_another_protocol_that_names_itself_ends_the_visit(port: int) -> None:
    it = visit(port)
    asked = walk(it, answers(SSH))

    assert asked == [AssociateConversation]
    assert it.evidence[-1] == AssociateEvidence(Reply.OTHER_PROTOCOL, spoke="ssh")


def test_a_hint_of_http_is_followed_first() -> None:
    asked = walk(visit(11112), web())

    assert asked[:2] == [AssociateConversation, WebConversation]
    assert SecureConversation not in asked


def test_a_hint_of_tls_is_followed_first() -> None:
    asked = walk(visit(8080, Rung.ASSOCIATE), answers(TLS_ALERT))

    assert asked[:2] == [WebConversation, SecureConversation]


@pytest.mark.parametrize("loss", [None, Loss.EOF, Loss.RESET])
@pytest.mark.parametrize("port", [104, 2762, 8042])
def test_a_peer_that_answers_nothing_is_tried_on_each_face_once(port: int, loss: Loss | None) -> None:
    asked = walk(visit(port), answers(b"", loss))

    assert sorted(k.__name__ for k in asked) == [
        "AssociateConversation",
        "SecureConversation",
        "WebConversation",
    ]


def test_a_web_interface_is_asked_for_known_paths_and_for_the_minted_study() -> None:
    it = visit(8042)
    asked = walk(it, web())

    assert asked == [WebConversation, QidoConversation]
    seen = it.evidence[-1]
    assert isinstance(seen, WebEvidence)
    assert "/system" in {a.path for a in seen.answers}
    assert seen.qido


def test_at_the_associate_rung_no_study_is_asked_for() -> None:
    asked = walk(visit(8042, Rung.ASSOCIATE), web())

    assert asked == [WebConversation]


def test_a_server_that_closes_after_each_answer_costs_no_more_than_the_budget() -> None:
    it = visit(8042)
    asked = walk(it, web(closing=True))

    assert len(asked) == it.connections == 6
    assert QidoConversation in asked


@pytest.mark.parametrize("budget", [1, 2, 3])
def test_the_budget_is_never_exceeded_and_what_was_seen_is_kept(budget: int) -> None:
    it = visit(11112, connections=budget)
    asked = walk(it, dicom(archive))

    assert len(asked) == budget
    assert len(it.evidence) == 1 + budget


@pytest.mark.parametrize(
    ("loss", "outcome"),
    [
        (Loss.REFUSED, TcpOutcome.REFUSED),
        (Loss.UNANSWERED, TcpOutcome.UNANSWERED),
        (Loss.UNREACHABLE, TcpOutcome.UNREACHABLE),
    ],
)
def test_a_connection_that_cannot_be_made_is_all_there_is_to_say(loss: Loss, outcome: TcpOutcome) -> None:
    it = visit(104)
    assert it.next(NOW) is not None
    it.failed(loss)

    assert it.next(NOW) is None
    assert it.evidence == (TcpEvidence(outcome),)


def test_a_denial_ends_the_visit_and_is_remembered() -> None:
    it = visit(104)
    assert it.next(NOW) is not None
    it.denied("outside the hours")

    assert it.next(NOW) is None
    assert (it.denial, it.evidence) == ("outside the hours", ())


def test_a_server_that_vanishes_between_questions_keeps_its_first_answers() -> None:
    it = visit(104)
    first = it.next(NOW)
    assert first is not None
    it.source("192.0.2.1")
    converse(first, archive())
    assert it.next(NOW) is not None
    it.failed(Loss.REFUSED)

    assert it.next(NOW) is None
    assert [type(e) for e in it.evidence] == [TcpEvidence, AssociateEvidence]


def test_keys_are_minted_anew_for_each_query() -> None:
    questions = Questions(Counting(), "2.25.99")
    queries = []

    def noting(conversation: Conversation) -> None:
        acceptor = archive()
        assert isinstance(conversation, DicomConversation | RememberedConversation)
        converse(conversation, acceptor)
        queries.extend(acceptor.data_sets)

    for _ in range(2):
        walk(EndpointVisit(Endpoint("192.0.2.7", 104), Rung.BLANK_QUERY, questions), noting)

    assert len(set(queries)) == 2


def test_hand_made_hellos_are_sent_only_to_who_speaks_tls() -> None:
    asked = walk(visit(2762, Rung.CONNECT), answers(TLS_ALERT))

    assert asked == [SecureConversation, HelloConversation, HelloConversation, HelloConversation]


@pytest.mark.parametrize("loss", [None, Loss.EOF, Loss.RESET])
def test_who_began_to_speak_dicom_is_asked_in_no_other_protocol(loss: Loss | None) -> None:
    it = visit(104)
    asked = walk(it, answers(b"\x02\x00\x00\x00\x00\xb8\x00\x01", loss))

    assert asked == [AssociateConversation]
    seen = it.evidence[-1]
    assert isinstance(seen, AssociateEvidence)
    assert seen.spoke == "dicom"


@pytest.mark.parametrize("port", [104, 8042])
def test_a_web_server_that_calls_a_plain_get_bad_is_asked_over_tls(port: int) -> None:
    asked = walk(
        visit(port), answers(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    )

    assert asked.count(WebConversation) == 1
    assert asked.index(SecureConversation) == asked.index(WebConversation) + 1
