"""TLS around any session: OpenSSL on memory buffers, so that an alert always leaves before the close.

asyncio's own TLS drops the alert that says why a client without a certificate is turned away; real
servers send it, and a scanner is meant to see it.
"""

from __future__ import annotations

import enum
import ssl

from leadglass.lab.papers import Papers
from leadglass.lab.session import Act, End, MakeSession, Session

__all__ = ["Lock", "SecureSession", "context"]

_PATIENCE = 15.0
_PIECE = 64 * 1024
_RETIRED_SUITES = "AES128-SHA:AES256-SHA:CAMELLIA128-SHA:SEED-SHA:NULL-SHA:AECDH-AES128-SHA:@SECLEVEL=0"
"""No forward secrecy, no encryption, no server identity: as bad as a current OpenSSL still speaks."""


class Lock(enum.Enum):
    """How a TLS server behaves."""

    MUTUAL_12 = "mutual-1.2"
    """TLS 1.2 only, and a client certificate is required."""
    MUTUAL_13 = "mutual-1.3"
    """TLS 1.3 only, and a client certificate is required."""
    RETIRED = "retired"
    """TLS 1.0 to 1.2 with suites that must no longer be negotiated; no client certificate."""


def context(lock: Lock, papers: Papers) -> ssl.SSLContext:
    """The OpenSSL settings of a lock."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if lock is Lock.RETIRED:
        made.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        made.maximum_version = ssl.TLSVersion.TLSv1_2
        made.set_ciphers(_RETIRED_SUITES)
        made.load_cert_chain(*papers.old_server)
        return made
    only = ssl.TLSVersion.TLSv1_2 if lock is Lock.MUTUAL_12 else ssl.TLSVersion.TLSv1_3
    made.minimum_version = made.maximum_version = only
    made.load_cert_chain(*papers.server)
    made.load_verify_locations(papers.authority)
    made.verify_mode = ssl.CERT_REQUIRED
    return made


class SecureSession:
    """One TLS connection, and another session inside it once the handshake is complete."""

    def __init__(self, settings: ssl.SSLContext, make: MakeSession) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = settings.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._make = make
        self._inner: Session | None = None
        self._wake_at: float | None = None

    def connected(self, now: float) -> Act:
        """Wait for a ClientHello, not for ever."""
        return Act(wake_at=now + _PATIENCE)

    def received(self, data: bytes, now: float) -> Act:
        """Take the bytes through TLS."""
        self._incoming.write(data)
        if self._inner is not None:
            return self._read(now)
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return Act(self._outgoing.read(), now + _PATIENCE)
        except ssl.SSLError:
            return Act(self._outgoing.read(), end=End.CLOSE)  # The alert is in there.
        self._inner = self._make()
        first = self._sealed(self._inner.connected(now))
        return _joined(first, self._read(now)) if first.end is End.OPEN else first

    def woken(self, now: float) -> Act:
        """The inner session's time, or the end of patience with a handshake."""
        if self._inner is None:
            return Act(end=End.CLOSE)
        return self._sealed(self._inner.woken(now))

    def _read(self, now: float) -> Act:
        """Everything that has arrived, through the inner session."""
        assert self._inner is not None
        act = Act(wake_at=self._wake_at)
        while act.end is End.OPEN:
            try:
                plain = self._tls.read(_PIECE)
            except ssl.SSLWantReadError:
                return act
            except ssl.SSLError:  # The client's close_notify, too.
                plain = b""
            if not plain:
                return _joined(act, Act(self._outgoing.read(), end=End.CLOSE))
            act = _joined(act, self._sealed(self._inner.received(plain, now)))
        return act

    def _sealed(self, act: Act) -> Act:
        if act.send:
            self._tls.write(act.send)
        if act.end is End.CLOSE:
            self._goodbye()
        self._wake_at = act.wake_at
        return Act(self._outgoing.read(), act.wake_at, act.end)

    def _goodbye(self) -> None:
        try:
            self._tls.unwrap()
        except ssl.SSLError:
            return  # Always: the client's own close_notify is not waited for.


def _joined(first: Act, second: Act) -> Act:
    return Act(first.send + second.send, second.wake_at, second.end)
