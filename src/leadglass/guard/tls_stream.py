"""The TLS side of one connection of the guard: two memory buffers, and OpenSSL's errors as words."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable

__all__ = ["TlsStream"]


class TlsStream:
    """The TLS side of a connection: buffers, and OpenSSL's errors as words."""

    def __init__(self, context: ssl.SSLContext, *, server: bool, name: str | None) -> None:
        self.incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self.object = context.wrap_bio(
            self.incoming, self._outgoing, server_side=server, server_hostname=name
        )
        self.ready = False

    def shake_hands(self) -> str:
        """A step of the handshake; why it failed, empty if it did not."""
        try:
            self.object.do_handshake()
        except ssl.SSLWantReadError:
            return ""
        except (ssl.SSLError, OSError) as exc:
            return _words(exc)
        self.ready = True
        return ""

    def to_send(self) -> bytes:
        """What OpenSSL wants sent."""
        return self._outgoing.read() if self._outgoing.pending else b""

    def encrypt(self, data: memoryview) -> bytes:
        """``data`` as records."""
        try:
            self.object.write(data)
        except (ssl.SSLError, OSError):  # after a fatal alert; its reading side tells why
            return b""
        return self._outgoing.read()

    def decrypt(self, buffer: memoryview) -> tuple[int, bool, str | None]:
        """Bytes put into ``buffer``, whether there may be more, and why it ended (None: it did not)."""
        read: Callable[[int, memoryview], int] = self.object.read  # type: ignore[assignment]  # with a buffer
        at, room, waiting, kept = 0, len(buffer), self.incoming, self.object.pending
        try:
            while size := read(room, buffer[at:]):
                at += size
                if not waiting.pending and not kept():  # it would say so by an exception
                    return at, False, None
                if at == room:
                    return at, True, None
        except ssl.SSLWantReadError:
            return at, False, None
        except ssl.SSLZeroReturnError:
            return at, False, ""
        except (ssl.SSLError, OSError) as exc:
            return at, False, _words(exc)
        return at, False, ""

    def end(self) -> str:
        """The peer has closed; an end without its close_notify may be an attacker's cut (RFC 8446 6.1)."""
        return "" if self.ready else "the peer left during the TLS handshake"

    def goodbye(self) -> bytes:
        """The close_notify alert."""
        with contextlib.suppress(ssl.SSLError, OSError):
            self.object.unwrap()
        return self.to_send()


def _words(exc: Exception) -> str:
    reason = getattr(exc, "reason", None) or str(exc)
    detail = getattr(exc, "verify_message", "")
    return f"TLS: {str(reason).lower().replace('_', ' ')}" + (f" ({detail})" if detail else "")
