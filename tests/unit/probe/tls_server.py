"""A real TLS server in memory: OpenSSL on the other side of a conversation, and no socket between."""

from __future__ import annotations

import contextlib
import functools
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

import trustme

from leadglass.model.rung import Rung
from leadglass.ports.conversation import Conversation, Loss, Step
from leadglass.probe.tls import SecureConversation

__all__ = ["V12", "V13", "Echo", "Server", "Talk", "authority", "secure", "server_context"]

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@functools.cache
def authority() -> trustme.CA:
    """The one CA of these tests."""
    return trustme.CA(organization_name="Example Hospital", organization_unit_name="Imaging CA")


@functools.cache
def _leaf() -> trustme.LeafCert:
    return authority().issue_cert("archive.example", "127.0.0.1", common_name="archive.example")


def server_context(
    version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    verify: ssl.VerifyMode = ssl.CERT_NONE,
    alpn: tuple[str, ...] = (),
) -> ssl.SSLContext:
    """A server that speaks only ``version``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = version
    _leaf().configure_cert(context)
    authority().configure_trust(context)
    context.verify_mode = verify
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


class Server:
    """One connection's other side. ``answers`` turns a request into a response."""

    def __init__(self, context: ssl.SSLContext, answers: Callable[[bytes], bytes] = bytes) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_side=True)
        self._answers = answers
        self._shaken = False
        self.requests: list[bytes] = []
        self.error: str | None = None
        self.closed = False

    def feed(self, data: bytes) -> bytes:
        """What the server sends when it gets ``data``."""
        self._in.write(data)
        try:
            self._go_on()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self.error = error.reason
        return self._out.read()

    def say(self, data: bytes) -> bytes:
        """What the server sends of its own accord."""
        self._tls.write(data)
        return self._out.read()

    def close(self) -> bytes:
        """The server's close_notify."""
        with contextlib.suppress(ssl.SSLError):
            self._tls.unwrap()
        return self._out.read()

    @property
    def alpn(self) -> str | None:
        return self._tls.selected_alpn_protocol()

    def _go_on(self) -> None:
        if not self._shaken:
            self._tls.do_handshake()
            self._shaken = True
        while request := self._tls.read(65536):
            self.requests.append(request)
            if response := self._answers(request):
                self._tls.write(response)
        self.closed = True


@dataclass
class Echo:
    """A conversation that asks once, notes what comes, and closes when it has heard enough."""

    ask: bytes = b"A-ASSOCIATE-RQ"
    enough: int = 1
    rung: Rung = Rung.ASSOCIATE
    heard: list[bytes] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    woke: list[float] = field(default_factory=list)
    asked_at: float | None = None

    def connected(self, now: float) -> Step:
        self.asked_at = now
        return Step(self.ask, now + 5.0)

    def received(self, data: bytes, now: float) -> Step:
        self.heard.append(data)
        return (
            Step(b"A-RELEASE-RQ", close=True) if len(self.heard) >= self.enough else Step(wake_at=now + 7.0)
        )

    def woken(self, now: float) -> Step:
        self.woke.append(now)
        return Step(b"A-ABORT", close=True)

    def stopped(self, now: float) -> Step:
        return Step(b"A-ABORT", close=True)

    def lost(self, loss: Loss, now: float) -> None:
        self.losses.append(loss)


def secure(inner: Echo | None = None, alpn: tuple[str, ...] = ()) -> SecureConversation:
    """A conversation with that server."""
    return SecureConversation(inner, server_name="archive.example", alpn=alpn, patience=5.0)


class Talk:
    """Carries bytes to and fro until neither side has anything more to say, a ``tick`` each way."""

    def __init__(
        self, conversation: Conversation, server: Server, *, tick: float = 0.01, piece: int = 65536
    ) -> None:
        self._conversation = conversation
        self._server = server
        self._tick = tick
        self._piece = piece
        self.now = 1000.0
        self.wake_at: float | None = None
        self.closed = False
        self.writes: list[bytes] = []
        self.take(conversation.connected(self.now))

    def take(self, step: Step) -> None:
        """Do what the conversation wants, and bring it what the server says to that."""
        self.wake_at = self.wake_at if step.wake_at is None else step.wake_at
        self.closed = step.close
        if step.send:
            self.writes.append(step.send)
            self.bring(self._server.feed(step.send))

    def bring(self, data: bytes) -> None:
        """Bring the conversation what the server sends, in pieces."""
        self.now += self._tick
        for at in range(0, len(data), self._piece):
            if not self.closed:
                self.take(self._conversation.received(data[at : at + self._piece], self.now))

    def wake(self) -> None:
        """Let time pass until the conversation wants to be woken."""
        assert self.wake_at is not None
        self.now = self.wake_at
        self.take(self._conversation.woken(self.now))
