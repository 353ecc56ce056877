from __future__ import annotations

import pytest
from tests.unit.lab.memory import converse, feed

from leadglass.lab.broken import Breakage, BrokenSession
from leadglass.lab.session import End
from leadglass.model.evidence import Reply
from leadglass.probe.associate import AssociateConversation

GARBAGE = b"\xff\xfe" + bytes(range(256))


@pytest.mark.parametrize(
    ("how", "reply", "seconds"),
    [
        (Breakage.HALF_PDU, Reply.SILENT, 5.0),
        (Breakage.ENDLESS_PDU, Reply.MALFORMED, 0.0),
        (Breakage.GARBAGE, Reply.OTHER_PROTOCOL, 0.0),
        (Breakage.WRONG_LENGTH, Reply.MALFORMED, 0.0),
        (Breakage.RESET, Reply.RESET, 0.0),
    ],
)
def test_each_breaks_in_its_own_way(how: Breakage, reply: Reply, seconds: float) -> None:
    probe = AssociateConversation("ANY-SCP", "LEADGLASS", patience=5.0)
    took = converse(probe, BrokenSession(how, GARBAGE))

    assert probe.evidence.reply is reply
    assert took == seconds


def test_garbage_says_nothing_of_a_protocol() -> None:
    probe = AssociateConversation("ANY-SCP", "LEADGLASS")
    converse(probe, BrokenSession(Breakage.GARBAGE, GARBAGE))

    assert probe.evidence.spoke is None


def test_the_endless_pdu_streams_in_pieces_and_ends_for_our_own_sake() -> None:
    server = BrokenSession(Breakage.ENDLESS_PDU, GARBAGE)
    *_, act = feed(server, b"hello")
    sent = len(act.send)
    while act.end is End.OPEN and act.wake_at is not None:
        assert len(act.send) < 70_000
        act = server.woken(act.wake_at)
        sent += len(act.send)

    assert 200 * 1024 * 1024 < sent < 300 * 1024 * 1024


@pytest.mark.parametrize("how", Breakage)
def test_nobody_is_waited_for_for_ever(how: Breakage) -> None:
    server = BrokenSession(how, GARBAGE)
    waiting = server.connected(0.0)

    assert waiting.wake_at is not None
    assert server.woken(waiting.wake_at).end is End.CLOSE


def test_more_bytes_change_nothing() -> None:
    *_, first, second = feed(BrokenSession(Breakage.HALF_PDU, GARBAGE), b"a", b"b")

    assert first.send
    assert (second.send, second.end) == (b"", End.OPEN)
    assert second.wake_at is not None
