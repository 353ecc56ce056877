"""A conversation inside TLS: what it sees, when it goes on, how it ends."""

from __future__ import annotations

import ssl

import pytest
from tests.unit.probe.tls_server import V12, V13, Echo, Server, Talk, secure, server_context
from tests.unit.wire.tls.captured import record

from leadglass.model.evidence import TlsOutcome
from leadglass.model.rung import Rung
from leadglass.ports.conversation import Loss, Step

BOTH = pytest.mark.parametrize("version", [V12, V13])


@BOTH
def test_the_inner_conversation_goes_on_at_once_when_no_certificate_is_asked_for(
    version: ssl.TLSVersion,
) -> None:
    inner, server = Echo(), Server(server_context(version))
    probe = secure(inner)
    talk = Talk(probe, server)

    assert server.requests == [b"A-ASSOCIATE-RQ", b"A-RELEASE-RQ"]
    assert inner.heard == [b"A-ASSOCIATE-RQ"]
    assert talk.closed
    assert server.closed
    assert probe.rung is Rung.ASSOCIATE
    assert probe.evidence.application_data


def test_in_tls13_the_first_request_goes_out_with_the_handshakes_end_in_one_write() -> None:
    server = Server(server_context(V13))
    talk = Talk(secure(Echo(enough=2)), server)

    assert len(talk.writes) == 2
    assert server.requests == [b"A-ASSOCIATE-RQ"]


def test_the_inner_conversation_keeps_its_own_time() -> None:
    inner = Echo(enough=3)
    talk = Talk(secure(inner), Server(server_context(V12)), tick=0.0)

    assert talk.wake_at == 1007.0
    talk.wake()

    assert inner.woke == [1007.0]
    assert talk.closed


def test_a_large_request_goes_out_whole() -> None:
    server = Server(server_context(V13))
    Talk(secure(Echo(ask=bytes(100_000), enough=100)), server)

    assert b"".join(server.requests) == bytes(100_000)


@BOTH
def test_close_notify_is_the_end_of_file_for_the_inner_conversation(version: ssl.TLSVersion) -> None:
    inner, server = Echo(enough=2), Server(server_context(version))
    probe = secure(inner)
    talk = Talk(probe, server)

    talk.bring(server.close())

    assert talk.closed
    assert inner.losses == [Loss.EOF]
    assert probe.evidence.ended == "close-notify"
    assert probe.evidence.outcome is TlsOutcome.ESTABLISHED


@pytest.mark.parametrize("loss", [Loss.EOF, Loss.RESET])
def test_a_connection_that_ends_without_a_word_ends_for_the_inner_one_too(loss: Loss) -> None:
    inner = Echo(enough=2)
    probe = secure(inner)
    talk = Talk(probe, Server(server_context(V13)))

    probe.lost(loss, talk.now)

    assert inner.losses == [loss]
    assert probe.evidence.ended == loss.value
    assert probe.evidence.application_data


def test_a_connection_lost_while_waiting_does_not_reach_the_inner_one() -> None:
    inner = Echo()
    probe = secure(inner)
    talk = Talk(probe, Server(server_context(V13, ssl.CERT_OPTIONAL)))

    probe.lost(Loss.EOF, talk.now)

    assert inner.losses == []
    assert (probe.evidence.outcome, probe.evidence.ended) == (TlsOutcome.ESTABLISHED, "eof")


def test_records_that_cannot_be_read_are_a_reset_for_the_inner_conversation() -> None:
    inner = Echo(enough=2)
    probe = secure(inner)
    talk = Talk(probe, Server(server_context(V12)))

    talk.bring(record(bytes(64), kind=23))

    assert talk.closed
    assert inner.losses == [Loss.RESET]
    assert probe.evidence.ended is None


def test_stopping_lets_the_inner_conversation_say_goodbye() -> None:
    inner, server = Echo(enough=2), Server(server_context(V13))
    probe = secure(inner)
    talk = Talk(probe, server)

    talk.take(probe.stopped(talk.now))

    assert talk.closed
    assert server.requests == [b"A-ASSOCIATE-RQ", b"A-ABORT"]
    assert server.closed


def test_stopping_before_the_handshake_is_complete_just_closes() -> None:
    inner = Echo()
    probe = secure(inner)
    probe.connected(0.0)

    assert probe.stopped(0.1) == Step(close=True)
    assert inner.asked_at is None


def test_what_comes_along_with_the_handshakes_end_is_not_lost() -> None:
    inner, server = Echo(enough=9), Server(server_context(V12))
    probe = secure(inner)
    step = probe.received(server.feed(probe.connected(0.0).send), 0.1)

    probe.received(server.feed(step.send) + server.say(b"220 hello"), 0.2)

    assert inner.heard == [b"220 hello"]


def test_what_comes_along_with_the_handshakes_end_may_be_its_end() -> None:
    inner, server = Echo(enough=9), Server(server_context(V12))
    probe = secure(inner)
    step = probe.received(server.feed(probe.connected(0.0).send), 0.1)

    step = probe.received(server.feed(step.send) + server.close(), 0.2)

    assert step.close
    assert inner.losses == [Loss.EOF]
    assert (probe.evidence.outcome, probe.evidence.ended) == (TlsOutcome.ESTABLISHED, "close-notify")


@pytest.mark.parametrize(("tickets", "tolerated"), [(2, True), (50, True), (200, False)])
def test_a_server_cannot_keep_us_busy_with_tickets(tickets: int, tolerated: bool) -> None:
    context = server_context(V13)
    context.num_tickets = tickets
    inner = Echo(enough=9)
    probe = secure(inner)
    talk = Talk(probe, Server(context))

    assert talk.closed is not tolerated
    assert inner.losses == ([] if tolerated else [Loss.RESET])
