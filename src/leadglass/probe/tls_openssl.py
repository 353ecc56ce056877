"""OpenSSL as a client without a socket that tells what it sees.

What a scanner wants to know of a handshake, OpenSSL does not tell through any public interface of
``ssl``: whether a client certificate was asked for, which CAs the server names, which alert ended it.
So this module installs ``SSLContext._msg_callback``, private to CPython (3.8 and later): it shows every
handshake message and alert decrypted, TLS 1.3 included. Where it is missing, handshakes work as
before and those facts stay unknown.

Nothing is verified and nothing of ours is presented: the peer is a stranger, and so are we. Contexts are
built once for each list of application protocols; ``ssl.create_default_context`` would load the CA
bundle each time (16 ms against 0.1 ms, and it would refuse the very servers we look for).
"""

from __future__ import annotations

import enum
import functools
import ssl
from typing import Any

from leadglass.errors import RemoteProtocolError
from leadglass.wire.tls.messages import (
    Alert,
    CertificateRequest,
    Certificates,
    ServerHello,
    alert,
    certificate_request,
    certificate_request_13,
    certificates,
    certificates_13,
    server_hello,
    version_name,
)
from leadglass.wire.tls.records import ContentType
from leadglass.wire.tls.suites import suite_name

__all__ = ["Ending", "Seen", "TlsClient"]

_READ_SIZE = 64 * 1024
_MAX_MESSAGES = 100
"""Handshake messages in one connection: a handshake has about ten, and some servers renegotiate once. OpenSSL
bounds warnings, key updates and empty records by itself, but not tickets and renegotiations."""
_TLS13 = 0x0304
_HARMLESS_13 = frozenset({0, 90})
"""close_notify and user_canceled: all other alerts of TLS 1.3 are errors whatever their level (RFC 8446 6)."""

_OP_LEGACY_SERVER_CONNECT = 0x4
"""SSL_OP_LEGACY_SERVER_CONNECT: talk to servers without RFC 5746. ``ssl`` names it from Python 3.12 on."""


class Ending(enum.Enum):
    """How the TLS layer ended, seen in the bytes that were fed."""

    CLOSE_NOTIFY = "close-notify"
    ALERT = "alert"
    BROKEN = "broken"
    """No alert from the peer: OpenSSL could not go on with what it was sent."""


class Seen:
    """What went by in one connection, as far as it could be read."""

    def __init__(self) -> None:
        self.hello: ServerHello | None = None
        self.chain: Certificates | None = None
        self.request: CertificateRequest | None = None
        self.fatal: Alert | None = None
        self.messages = 0

    def message(self, kind: int, body: bytes) -> None:
        """A handshake message from the peer; those of a renegotiation do not replace the first."""
        self.messages += 1
        if kind == 2 and self.hello is None:
            self.hello = server_hello(body)
        elif kind == 11 and self.chain is None:
            self.chain = certificates_13(body) if self._is_13 else certificates(body)
        elif kind == 13 and self.request is None:
            self.request = self._request(body)

    def alert(self, received: Alert) -> None:
        """An alert from the peer; only one that is an error is kept."""
        error_13 = self._is_13 and received.number not in _HARMLESS_13
        if received.level == 2 or error_13:
            self.fatal = self.fatal or received

    @property
    def _is_13(self) -> bool:
        return self.hello is not None and self.hello.version == _TLS13

    def _request(self, body: bytes) -> CertificateRequest:
        if self._is_13:
            return certificate_request_13(body)
        return certificate_request(body, self.hello.version if self.hello else 0)


class _Observed(ssl.SSLObject):
    """An SSLObject that carries its observations, so that one context can serve all connections."""

    seen: Seen


def _observe(
    connection: _Observed, direction: str, _version: int, content_type: int, _kind: int, data: bytes
) -> None:
    """The callback; it must never raise, because OpenSSL is in the middle of its work."""
    if direction != "read":
        return
    try:
        if content_type == ContentType.HANDSHAKE:
            connection.seen.message(data[0], data[4:])
        elif content_type == ContentType.ALERT:
            connection.seen.alert(alert(data))
    except RemoteProtocolError:
        return  # OpenSSL will say so itself, or it did not mind.


@functools.lru_cache(maxsize=8)
def _context(alpn: tuple[str, ...]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = ssl.TLSVersion.MAXIMUM_SUPPORTED
    context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    context.options |= _OP_LEGACY_SERVER_CONNECT
    if alpn:
        context.set_alpn_protocols(list(alpn))
    context.sslobject_class = _Observed
    if hasattr(ssl.SSLContext, "_msg_callback"):
        private: Any = context
        private._msg_callback = _observe  # noqa: SLF001 - see the module's docstring
    return context


@functools.lru_cache(maxsize=1)
def _numbers_by_name() -> dict[str, int]:
    """OpenSSL's names to registered numbers: the lower half of its ids (needed where the callback is missing)."""
    return {cipher["name"]: cipher["id"] & 0xFFFF for cipher in _context(()).get_ciphers()}


class TlsClient:
    """One TLS connection as its client: ciphertext in and out, plaintext in and out.

    Call ``start``; then, for each piece received, ``feed`` and, until ``established``, ``handshake``,
    after that ``read``. ``outgoing`` is what must be sent after each of them.
    """

    def __init__(self, server_name: str | None, alpn: tuple[str, ...]) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        wrapped = _context(alpn).wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)
        assert isinstance(wrapped, _Observed)
        self._tls = wrapped
        self._tls.seen = self.seen = Seen()
        self._unsent = bytearray()
        self.established = False
        self._version: str | None = None
        self._suite: int | None = None
        self.alpn: str | None = None
        """The application protocol that the server selected."""
        self.certificate: bytes | None = None
        """The server's own certificate in DER; known even if the handshake failed after it."""

    def feed(self, data: bytes) -> None:
        """Ciphertext from the peer."""
        self._incoming.write(data)

    def outgoing(self) -> bytes:
        """Ciphertext to be sent now."""
        return self._outgoing.read()

    def handshake(self) -> Ending | None:
        """Go on with the handshake; ``established`` says whether it is complete."""
        try:
            self._tls.do_handshake()
        except ssl.SSLError as error:
            self._remember_chain()
            return self._ending(error)
        self._complete()
        return None

    def read(self) -> tuple[bytes, Ending | None]:
        """All plaintext that has arrived, and how the peer ended it, if it did."""
        pieces: list[bytes] = []
        ending = self._read_into(pieces)
        if ending is None and self._unsent:
            ending = self._flush()
        return b"".join(pieces), ending

    def write(self, data: bytes) -> Ending | None:
        """Plaintext for the peer. While a renegotiation is under way it waits for the next ``read``."""
        self._unsent += data
        return self._flush()

    def close(self) -> None:
        """Say close_notify, if there is a connection to close."""
        if not self.established:
            return
        try:
            self._tls.unwrap()
        except ssl.SSLError:
            return  # Always: the peer's own close_notify is not waited for.

    @property
    def version(self) -> str | None:
        """E.g. ``TLSv1.3``; known as soon as the server has chosen."""
        return version_name(self.seen.hello.version) if self.seen.hello else self._version

    @property
    def suite(self) -> str | None:
        """The IANA name of the suite; known as soon as the server has chosen."""
        number = self.seen.hello.suite if self.seen.hello else self._suite
        return None if number is None else suite_name(number)

    @property
    def certificate_requested(self) -> bool | None:
        """Whether a client certificate was asked for; None if the handshake did not get that far."""
        if self.seen.request is not None:
            return True
        return False if self.established and self.seen.hello is not None else None

    def _remember_chain(self) -> None:
        if self.seen.chain and self.seen.chain.ders:
            self.certificate = self.seen.chain.ders[0]

    def _complete(self) -> None:
        """Note what OpenSSL tells through public interfaces; after an alert it tells no more."""
        self.established = True
        self.alpn = self._tls.selected_alpn_protocol()
        self.certificate = self._tls.getpeercert(binary_form=True)
        self._version = self._tls.version()
        chosen = self._tls.cipher()
        self._suite = _numbers_by_name().get(chosen[0]) if chosen else None

    def _read_into(self, pieces: list[bytes]) -> Ending | None:
        while True:
            try:
                piece = self._tls.read(_READ_SIZE)
            except ssl.SSLError as error:
                return self._ending(error) or self._overrun()
            if not piece:
                return Ending.CLOSE_NOTIFY
            pieces.append(piece)

    def _overrun(self) -> Ending | None:
        return Ending.BROKEN if self.seen.messages > _MAX_MESSAGES else None

    def _flush(self) -> Ending | None:
        while self._unsent:
            try:
                sent = self._tls.write(bytes(self._unsent))
            except ssl.SSLError as error:
                return self._ending(error)
            del self._unsent[:sent]
        return None

    def _ending(self, error: ssl.SSLError) -> Ending | None:
        if isinstance(error, ssl.SSLWantReadError):
            return None
        if isinstance(error, ssl.SSLZeroReturnError):
            return Ending.CLOSE_NOTIFY
        return Ending.ALERT if self.seen.fatal else Ending.BROKEN
