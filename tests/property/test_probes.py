"""Whatever bytes a peer sends, a probe ends with evidence: no exception, no patient's word in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadglass.model.evidence import facts_of
from leadglass.ports.conversation import Conversation, Loss
from leadglass.probe.associate import AssociateConversation
from leadglass.probe.blank_query import BlankQueryConversation
from leadglass.probe.http import Caller
from leadglass.probe.negotiate import NegotiateConversation
from leadglass.probe.qido import QidoConversation
from leadglass.probe.tls import HelloConversation, SecureConversation
from leadglass.probe.web import WebConversation
from leadglass.wire.command import encode_command
from leadglass.wire.dimse import CEchoRSP, CFindRSP
from leadglass.wire.pdata import fragment
from leadglass.wire.pdu import (
    AAbort,
    AAssociateAC,
    AAssociateRJ,
    AReleaseRP,
    AReleaseRQ,
    PresentationContextAC,
    UserInformation,
    encode,
)
from leadglass.wire.uids import IMPLICIT_VR_LE, STUDY_ROOT_FIND, VERIFICATION

NOW = 1000.0
CANARY = b"CANARY^PATIENT^X"
CALLER = Caller("192.0.2.1", "Leadglass/0")

MAKERS: list[Callable[[], Any]] = [
    lambda: AssociateConversation("ANY-SCP", "LEADGLASS"),
    lambda: NegotiateConversation("ANY-SCP", "LEADGLASS", "2.25.1"),
    lambda: BlankQueryConversation("ANY-SCP", "LEADGLASS", study_instance_uid="2.25.2", patient_id="A" * 32),
    lambda: WebConversation(CALLER, ("/", "/system")),
    lambda: QidoConversation(CALLER, ("/dicom-web/studies", "/rs/studies"), "2.25.3"),
    lambda: HelloConversation("tls12", server_name=None, random=bytes(32), patience=5.0),
    lambda: SecureConversation(AssociateConversation("ANY-SCP", "LEADGLASS"), server_name=None, patience=5.0),
]


def _accept(*results: int) -> bytes:
    contexts = tuple(PresentationContextAC(2 * i + 1, r, IMPLICIT_VR_LE) for i, r in enumerate(results))
    return encode(
        AAssociateAC(
            "A", "B", contexts, UserInformation(maximum_length=16384, implementation_class_uid="1.2")
        )
    )


VALID = [
    _accept(0),
    _accept(0, 0),
    _accept(3, 0),
    *(_accept(*[0] * 18),),
    encode(AAssociateRJ(1, 1, 7)),
    encode(AAbort(2, 1)),
    encode(AReleaseRP()),
    encode(AReleaseRQ()),
    fragment(1, encode_command(CEchoRSP(1, 0, VERIFICATION)), None, 16384),
    fragment(1, encode_command(CFindRSP(1, 0, STUDY_ROOT_FIND)), None, 16384),
    fragment(1, encode_command(CFindRSP(1, 0xFF00, STUDY_ROOT_FIND, 0)), CANARY, 16384),
    b"HTTP/1.1 200 OK\r\nContent-Type: application/dicom+json\r\nContent-Length: 2\r\n\r\n[]",
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nServer: x/1\r\n\r\n[" + CANARY,
    b"HTTP/1.1 302 Found\r\nLocation: //[\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<html\r\n0\r\n\r\n",
    b"\x15\x03\x03\x00\x02\x02\x28",
    b"\x16\x03\x03\x00\x04\x0e\x00\x00\x00",
    b"\x16\x03\x03\x00\x2a\x02\x00\x00\x26\x03\x03" + bytes(32) + b"\x00\x00\x9c\x00",
]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    data = bytearray(b"".join(draw(st.lists(st.sampled_from(VALID), min_size=1, max_size=3))))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data) - 1))
        data[at] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(0, len(data)))]) if draw(st.booleans()) else bytes(data)


CHUNKS = st.lists(st.one_of(damaged(), st.binary(max_size=64), st.sampled_from(VALID)), max_size=5)


@pytest.mark.parametrize("make", MAKERS)
@given(chunks=CHUNKS, end=st.sampled_from([None, Loss.EOF, Loss.RESET, "stop"]))
def test_any_bytes_end_in_evidence(
    make: Callable[[], Any], chunks: list[bytes], end: Loss | str | None
) -> None:
    probe = make()
    _feed(probe, chunks, end)

    evidence = probe.evidence if not isinstance(probe, QidoConversation) else None
    text = repr(list(facts_of(evidence))) if evidence is not None else repr(getattr(probe, "answers", ""))
    assert CANARY.decode() not in text


def _feed(probe: Conversation, chunks: list[bytes], end: Loss | str | None) -> None:
    step = probe.connected(NOW)
    assert step.wake_at is not None or step.close
    for data in chunks:
        if step.close:
            return
        if data:
            step = probe.received(data, NOW)
    if step.close:
        return
    if isinstance(end, Loss):
        probe.lost(end, NOW)
    elif end is None:
        _wait(probe)
    else:
        assert probe.stopped(NOW).close


def _wait(probe: Conversation) -> None:
    """Silence must end it after a few wake-ups at most."""
    for _ in range(4):
        if probe.woken(NOW + 1000).close:
            return
    raise AssertionError("the conversation does not end by itself")
