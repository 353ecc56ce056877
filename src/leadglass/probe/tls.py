"""TLS: what a server chooses, presents and demands.

Two questions, each a conversation at the ``connect`` rung:

* ``HelloConversation`` sends one ClientHello made by hand and reads the plain flight. It sees old
  versions and retired suites that OpenSSL no longer offers, and never finishes a handshake.
* ``SecureConversation`` makes a real handshake, without verifying and without a certificate of ours,
  and may carry another conversation inside, whose rung is then the rung of the whole.

Both report what they saw; whether a client certificate is *required* is for the judge to say. In TLS 1.3
a server rejects a missing certificate only after the client believes the handshake complete, and an
early write can destroy that alert (the server's RST overtakes it), so before its first write a
conversation that was asked for a certificate is patient for a moment.
"""

from __future__ import annotations

import enum
from dataclasses import replace

from leadglass.errors import RemoteProtocolError
from leadglass.model.evidence import Certificate, TlsEvidence, TlsHelloEvidence, TlsOutcome, clean
from leadglass.model.rung import Rung
from leadglass.ports.conversation import CLOSE, WAIT, Conversation, Loss, Step
from leadglass.probe.tls_certificate import certificate_facts, distinguished_name
from leadglass.probe.tls_openssl import Ending, TlsClient
from leadglass.wire.tls.flight import Event, FlightReader
from leadglass.wire.tls.hello import OFFERS, client_hello, goodbye
from leadglass.wire.tls.messages import (
    Alert,
    CertificateRequest,
    Certificates,
    ServerHello,
    ServerHelloDone,
    version_name,
)
from leadglass.wire.tls.records import MAX_TOTAL, NotTls, is_tls
from leadglass.wire.tls.suites import suite_name

__all__ = ["HelloConversation", "SecureConversation"]

_LATE_ALERT = 0.25
"""Seconds to wait for a late alert; twice the round trip if that is longer."""

_MAX_CAS = 200
"""Names of CAs kept as evidence; a whole public bundle has about 150."""


def _ended_by(loss: Loss) -> TlsOutcome:
    return TlsOutcome.RESET if loss is Loss.RESET else TlsOutcome.CLOSED


def _facts(ders: tuple[bytes, ...]) -> Certificate | None:
    return certificate_facts(ders[0]) if ders else None


def _authorities(request: CertificateRequest | None) -> tuple[str, ...]:
    names = request.authorities[:_MAX_CAS] if request else ()
    return tuple(distinguished_name(der) or f"unreadable name of {len(der)} bytes" for der in names)


def _sni(name: str | None) -> str | None:
    """The name as SNI can carry it (RFC 6066 3): an A-label form; None if it has none."""
    if name is None:
        return None
    try:
        host = name.rstrip(".").encode("idna").decode("ascii")
    except UnicodeError:
        return None
    return host if 0 < len(host) <= 253 and not host.startswith(".") else None


class HelloConversation:
    """One ClientHello, one flight, goodbye.

    ``offer`` is a name in ``wire.tls.hello.OFFERS``; ``random`` 32 bytes nobody can guess; ``patience``
    seconds for the whole conversation.
    """

    def __init__(self, offer: str, *, server_name: str | None, random: bytes, patience: float) -> None:
        self.rung = Rung.CONNECT
        self._offer = OFFERS[offer]
        self._hello = client_hello(self._offer, server_name=_sni(server_name), random=random)
        self._patience = patience
        self._flight = FlightReader(highest=self._offer.highest)
        self._outcome = TlsOutcome.SILENT
        self._chosen: ServerHello | None = None
        self._chain: tuple[bytes, ...] = ()
        self._request: CertificateRequest | None = None
        self._alert: Alert | None = None

    def connected(self, now: float) -> Step:
        """Send the ClientHello, whole."""
        return Step(self._hello, now + self._patience)

    def received(self, data: bytes, now: float) -> Step:  # noqa: ARG002 - the contract's signature
        """Read on; the flight's end is the conversation's."""
        self._flight.feed(data)
        try:
            while (event := self._flight.next()) is not None:
                self._note(event)
        except RemoteProtocolError:
            return self._leave(TlsOutcome.MALFORMED)
        return self._leave(self._outcome) if self._flight.finished else WAIT

    def woken(self, now: float) -> Step:  # noqa: ARG002 - the contract's signature
        """The flight did not come, or not in time."""
        return self._leave(TlsOutcome.SILENT)

    def stopped(self, now: float) -> Step:  # noqa: ARG002 - the contract's signature
        """Say goodbye without an answer."""
        return self._leave(TlsOutcome.SILENT)

    def lost(self, loss: Loss, now: float) -> None:  # noqa: ARG002 - the contract's signature
        """The peer ended it before its flight was complete."""
        self._outcome = _ended_by(loss)

    @property
    def evidence(self) -> TlsHelloEvidence:
        """What was seen: version, suite and the rest as far as they came, whatever the outcome."""
        hello, done = self._chosen, self._outcome is TlsOutcome.SERVER_HELLO
        return TlsHelloEvidence(
            offer=self._offer.name,
            outcome=self._outcome,
            version=version_name(hello.version) if hello else None,
            cipher=suite_name(hello.suite) if hello else None,
            alpn=clean(hello.alpn.decode("latin-1")) if hello and hello.alpn else None,
            certificate_requested=True if self._request else (False if done else None),
            acceptable_cas=_authorities(self._request),
            certificate=_facts(self._chain),
            alert=self._alert.name if self._alert else None,
        )

    def _note(self, event: Event) -> None:
        match event:
            case ServerHello():
                self._chosen = event
            case Certificates(ders=ders):
                self._chain = ders
            case CertificateRequest():
                self._request = event
            case ServerHelloDone():
                self._outcome = TlsOutcome.SERVER_HELLO
            case Alert() if event.ends:
                self._outcome = TlsOutcome.ALERT if event.number else TlsOutcome.CLOSED
                self._alert = event if event.number else None
            case NotTls():
                self._outcome = TlsOutcome.NOT_TLS

    def _leave(self, outcome: TlsOutcome) -> Step:
        """Close, with a goodbye if the peer is in a handshake with us and still listens."""
        self._outcome = outcome
        in_handshake = self._chosen is not None and self._alert is None
        return Step(goodbye(self._chosen.version), close=True) if in_handshake and self._chosen else CLOSE


class _Stage(enum.Enum):
    HANDSHAKE = enum.auto()
    PATIENCE = enum.auto()
    """The handshake is complete; a late alert may follow."""
    INNER = enum.auto()
    OVER = enum.auto()


class SecureConversation:
    """A real handshake, and another conversation inside it if ``inner`` is given.

    ``inner`` sees plaintext only. It is not called at all unless the handshake succeeds and no alert
    follows at once; ``asked`` says whether it was. ``patience`` is for the handshake, in seconds; after
    that ``inner`` keeps its own time.
    """

    def __init__(
        self,
        inner: Conversation | None,
        *,
        server_name: str | None,
        alpn: tuple[str, ...] = (),
        patience: float,
    ) -> None:
        self.rung = max(Rung.CONNECT, inner.rung) if inner else Rung.CONNECT
        self._inner = inner
        self._patience = patience
        self._tls = TlsClient(_sni(server_name), alpn)
        self._stage = _Stage.HANDSHAKE
        self._head = b""
        self._fed = 0
        self._began = 0.0
        self._round_trip: float | None = None
        self._outcome = TlsOutcome.SILENT
        self._ended: str | None = None
        self._application_data = False
        self.asked = False

    def connected(self, now: float) -> Step:
        """Send the ClientHello, whole."""
        self._began = now
        self._tls.handshake()
        return Step(self._tls.outgoing(), now + self._patience)

    def received(self, data: bytes, now: float) -> Step:
        """Take the bytes through TLS, and what is inside to ``inner``."""
        if self._round_trip is None:
            self._round_trip = now - self._began
        if self._stage is _Stage.HANDSHAKE:
            return self._shake_hands(data, now)
        self._tls.feed(data)
        return self._read(now)

    def woken(self, now: float) -> Step:
        """A deadline of the handshake, the end of patience, or ``inner``'s own time."""
        if self._stage is _Stage.PATIENCE:
            return self._ask(now) if self._inner else self._leave()
        if self._stage is _Stage.INNER and self._inner:
            return self._wrapped(self._inner.woken(now), now)
        return self._fail(TlsOutcome.SILENT)

    def stopped(self, now: float) -> Step:
        """Let ``inner`` say goodbye, then close."""
        if self._stage is _Stage.INNER and self._inner:
            return self._wrapped(replace(self._inner.stopped(now), close=True), now)
        return self._leave()

    def lost(self, loss: Loss, now: float) -> None:
        """The peer ended the connection without a word of TLS."""
        if self._stage is _Stage.HANDSHAKE:
            self._outcome = _ended_by(loss)
        self._ended = loss.value
        self._inner_lost(loss, now)
        self._stage = _Stage.OVER

    @property
    def evidence(self) -> TlsEvidence:
        """What was seen: version, suite, certificate and request as far as they came, whatever the outcome.

        ``server-hello`` means that the server chose, but OpenSSL could not go on with its choice.
        """
        tls, der = self._tls, self._tls.certificate
        return TlsEvidence(
            outcome=self._outcome,
            version=tls.version,
            cipher=tls.suite,
            alpn=clean(tls.alpn) if tls.alpn else None,
            certificate_requested=tls.certificate_requested,
            acceptable_cas=_authorities(tls.seen.request),
            certificate=certificate_facts(der) if der else None,
            alert=tls.seen.fatal.name if tls.seen.fatal else None,
            application_data=self._application_data,
            ended=self._ended,
        )

    # The handshake.

    def _shake_hands(self, data: bytes, now: float) -> Step:
        self._fed += len(data)
        self._head = (self._head + data)[:2] if len(self._head) < 2 else self._head
        if is_tls(self._head) is False:
            return self._fail(TlsOutcome.NOT_TLS)
        if self._fed > MAX_TOTAL:
            return self._fail(TlsOutcome.MALFORMED)
        self._tls.feed(data)
        ending = self._tls.handshake()
        if ending is not None:
            return self._refused(ending)
        return self._established(now) if self._tls.established else Step(self._tls.outgoing())

    def _refused(self, ending: Ending) -> Step:
        if ending is Ending.BROKEN:
            return self._fail(TlsOutcome.SERVER_HELLO if self._tls.seen.hello else TlsOutcome.MALFORMED)
        self._ended = ending.value
        return self._fail(TlsOutcome.ALERT if ending is Ending.ALERT else TlsOutcome.CLOSED)

    def _established(self, now: float) -> Step:
        self._outcome = TlsOutcome.ESTABLISHED
        late_alert = self._tls.version == "TLSv1.3" and self._tls.certificate_requested
        if self._inner is not None and not late_alert:
            return self._joined(self._ask(now), now)
        self._stage = _Stage.PATIENCE
        wait = max(_LATE_ALERT, 2 * (self._round_trip or 0.0))
        return self._joined(Step(self._tls.outgoing(), now + wait), now)

    def _fail(self, outcome: TlsOutcome) -> Step:
        self._outcome = outcome
        self._stage = _Stage.OVER
        return Step(self._tls.outgoing(), close=True)

    # After it.

    def _joined(self, first: Step, now: float) -> Step:
        """What ``first`` wants, and what follows from bytes that came along with the handshake's last."""
        if first.close:
            return first
        then = self._read(now)
        return Step(first.send + then.send, then.wake_at or first.wake_at, then.close)

    def _read(self, now: float) -> Step:
        plain, ending = self._tls.read()
        step = self._plaintext(plain, now) if plain else Step(self._tls.outgoing())
        if ending is None or step.close:
            return step
        return self._end(ending, step.send, now)

    def _plaintext(self, plain: bytes, now: float) -> Step:
        self._application_data = True
        if self._inner is None:
            return Step(self._tls.outgoing())
        first = self._ask(now) if self._stage is _Stage.PATIENCE else WAIT
        if first.close:
            return first
        then = self._wrapped(self._inner.received(plain, now), now)
        return Step(first.send + then.send, then.wake_at or first.wake_at, then.close)

    def _ask(self, now: float) -> Step:
        assert self._inner is not None
        self._stage = _Stage.INNER
        self.asked = True
        return self._wrapped(self._inner.connected(now), now)

    def _wrapped(self, step: Step, now: float) -> Step:
        """A step of ``inner``, encrypted."""
        ending = self._tls.write(step.send) if step.send else None
        if ending is not None and not step.close:
            return self._end(ending, b"", now)
        if step.close:
            self._tls.close()
            self._stage = _Stage.OVER
        return Step(self._tls.outgoing(), step.wake_at, step.close)

    def _end(self, ending: Ending, send: bytes, now: float) -> Step:
        """The peer ended the TLS layer, or broke it."""
        self._ended = None if ending is Ending.BROKEN else ending.value
        self._inner_lost(Loss.EOF if ending is Ending.CLOSE_NOTIFY else Loss.RESET, now)
        return self._leave(send)

    def _inner_lost(self, loss: Loss, now: float) -> None:
        if self._stage is _Stage.INNER and self._inner:
            self._inner.lost(loss, now)

    def _leave(self, send: bytes = b"") -> Step:
        self._stage = _Stage.OVER
        self._tls.close()
        return Step(send + self._tls.outgoing(), close=True)
