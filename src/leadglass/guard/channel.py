"""One connection of the guard: a non-blocking socket, with or without TLS, on an event loop.

TLS is an ``SSLObject`` over two memory buffers and not the event loop's own, because a client that
is refused in the handshake must get the alert that says why, and event loops close without sending
it. Bytes are told as a view of one buffer that all connections of a process share: what is not
passed on at once must be copied. ``TCP_QUICKACK`` is set again after every read that leaves nothing
to be read: an archive that leaves Nagle's algorithm on waits for our acknowledgement with each
response, 40 ms where it is delayed (RFC 1122 4.2.3.2). The kernel sends what is due when the option is
set and everything has been read, and forgets the option as soon as it likes.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from leadglass.guard.tls_stream import TlsStream

__all__ = ["HIGH_WATER", "Channel", "Owner"]

_CHUNK = 256 * 1024
"""Bytes read at once, into memory that is made once: what a chunk costs is shared by more bytes."""
_RECORDS = 64 * 1024
"""Bytes encrypted at once, four TLS records: above 128 KiB the allocator maps memory anew for each."""
HIGH_WATER = 256 * 1024
"""Bytes waiting to be sent above which nobody should add more."""
_LOW_WATER = 64 * 1024
_FAREWELL = 2.0
"""Seconds for the peer to take what was sent before an end, and to end its own side."""
_QUICKACK = socket.TCP_QUICKACK

_incoming = memoryview(bytearray(_CHUNK))
_decrypted = memoryview(bytearray(_CHUNK))
"""Shared by all connections: each use ends before the event loop goes on."""


class Owner(Protocol):
    """What a connection tells."""

    def opened(self) -> None:
        """Ready for data; with TLS, the handshake is complete."""
        ...

    def received(self, data: memoryview) -> None:
        """Data came. The view is valid during the call only."""
        ...

    def drained(self) -> None:
        """What waited to be sent has fallen below the mark after having been above it."""
        ...

    def closed(self, why: str) -> None:
        """It is over, by whoever; told once. ``why`` is empty for an orderly end by the peer."""
        ...


class Channel:
    """A connection; all methods may be called at any time and never raise because of the peer."""

    def __init__(self, sock: socket.socket, owner: Owner) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock
        self._fd = sock.fileno()
        self._loop = asyncio.get_running_loop()
        self._owner = owner
        self._tls: TlsStream | None = None
        self._trusted: Callable[[bytes | None], bool] | None = None
        self._queue: deque[memoryview] = deque()
        self.queued = 0
        """Bytes that wait to be sent."""
        self._high = False
        self._paused = False
        self._ending = False
        self._over = False
        self._why = ""
        self._timer: asyncio.TimerHandle | None = None

    # Starting.

    def start(self) -> None:
        """Without TLS: ready at once."""
        self._listen()
        self._owner.opened()

    def start_tls(
        self,
        context: ssl.SSLContext,
        *,
        server: bool,
        name: str | None,
        patience: float,
        trusted: Callable[[bytes | None], bool] | None = None,
    ) -> None:
        """Shake hands first; the connection is closed if that takes longer than ``patience`` seconds.

        ``trusted`` is asked about the peer's certificate (DER) before anything is sent.
        """
        self._trusted = trusted
        self._tls = TlsStream(context, server=server, name=name)
        self._timer = self._loop.call_later(patience, self._end, "the TLS handshake took too long")
        self._listen()
        self._shake_hands()

    @property
    def peer_certificate(self) -> bytes | None:
        """The peer's verified certificate (DER), None without TLS or certificate."""
        return None if self._tls is None else self._tls.object.getpeercert(binary_form=True)

    @property
    def tls_version(self) -> str | None:
        """``TLSv1.3`` or the like, None without TLS."""
        return None if self._tls is None else self._tls.object.version()

    # What the owner wants.

    def send(self, data: bytes | memoryview) -> None:
        """Send, now or as soon as the peer reads."""
        if self._over or self._ending or not data:
            return
        if self._tls is None:
            self._write(data)
            return
        view = memoryview(data)
        for at in range(0, len(view), _RECORDS):
            self._write(self._tls.encrypt(view[at : at + _RECORDS]))

    def send_all(self, parts: Sequence[bytes | memoryview]) -> None:
        """Send ``parts`` one after the other, in as few packets as there can be."""
        if self._over or self._ending or not parts:
            return
        if self._tls is not None or self._queue or len(parts) == 1:
            self.send(parts[0] if len(parts) == 1 else b"".join(parts))
            return
        try:
            sent = self._sock.sendmsg(parts)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError as exc:
            self._loop.call_soon(self._end, exc.strerror or "the connection broke")
            return
        if sent < sum(map(len, parts)):
            self._keep_after(parts, sent)

    def _keep_after(self, parts: Sequence[bytes | memoryview], sent: int) -> None:
        for part in parts:
            if sent < len(part):
                self._keep(memoryview(part)[sent:])
            sent = max(0, sent - len(part))

    def pause(self) -> None:
        """Read no more until ``resume``; the peer then has to wait."""
        if not self._paused:
            self._paused = True
            if not self._over:
                self._loop.remove_reader(self._fd)

    def resume(self) -> None:
        """Read again."""
        if self._paused:
            self._paused = False
            if not self._over:
                self._loop.add_reader(self._fd, self._readable)
                if self._tls is not None:  # what had come before the pause
                    self._loop.call_soon(self._go_on)

    def close(self) -> None:
        """End it once everything has been sent, and wait for the peer to end its side, shortly."""
        if self._over or self._ending:
            return
        self._goodbye()
        self._ending = True
        self._start_timer(_FAREWELL)
        if not self._queue:
            self._shut_down()

    def abort(self) -> None:
        """End it at once; what was not sent is lost."""
        self._end("")

    # What the socket tells.

    def _listen(self) -> None:
        if not self._paused:
            self._loop.add_reader(self._fd, self._readable)

    def _readable(self) -> None:
        try:
            size = self._sock.recv_into(_incoming)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as exc:
            self._end(exc.strerror or "the connection broke")
            return
        if size < _CHUNK:  # or more follows at once, and is acknowledged together with this
            self._acknowledge_at_once()
        if not size:
            self._end("" if self._tls is None or self._ending else self._tls.end())
        elif not self._ending:
            self._took(_incoming[:size])

    def _took(self, data: memoryview) -> None:
        tls = self._tls
        if tls is None:
            self._owner.received(data)
            return
        tls.incoming.write(data)
        if tls.ready:
            self._decrypt(tls)
        else:
            self._shake_hands()

    def _shake_hands(self) -> None:
        tls = self._tls
        assert tls is not None
        why = tls.shake_hands()
        self._write(tls.to_send())
        if why:
            self._alert(why)
        elif tls.ready and self._trusted is not None and not self._trusted(self.peer_certificate):
            self._alert("TLS: the certificate is not the one that is expected")
        elif tls.ready:
            self._stop_timer()
            self._owner.opened()
            if not self._over:
                self._decrypt(tls)

    def _alert(self, why: str) -> None:
        # The alert is on its way. A reset would overtake it, so the peer is given time to read it.
        self._why = why
        self.close()

    def _go_on(self) -> None:
        if self._tls is not None and self._tls.ready:
            self._decrypt(self._tls)

    def _decrypt(self, tls: TlsStream) -> None:
        while not (self._over or self._ending or self._paused):
            size, more, why = tls.decrypt(_decrypted)
            if size:
                self._owner.received(_decrypted[:size])
            if why is not None:
                self._write(tls.to_send())
                self._end(why)
            if not more:
                break
        self._write(tls.to_send())  # key updates and tickets

    # Sending.

    def _write(self, data: bytes | memoryview) -> None:
        if self._over or not data:
            return
        if not self._queue:
            try:
                sent = self._sock.send(data)
            except (BlockingIOError, InterruptedError):
                sent = 0
            except OSError as exc:
                self._loop.call_soon(self._end, exc.strerror or "the connection broke")
                return
            if sent == len(data):
                return
            data = memoryview(data)[sent:]
        self._keep(data)

    def _keep(self, data: bytes | memoryview) -> None:
        if not self._queue:
            self._loop.add_writer(self._fd, self._writable)
        kept = memoryview(bytes(data))
        self._queue.append(kept)
        self.queued += len(kept)
        self._high = self._high or self.queued > HIGH_WATER

    def _writable(self) -> None:
        try:
            while self._queue:
                part = self._queue[0]
                sent = self._sock.send(part)
                self.queued -= sent
                if sent < len(part):
                    self._queue[0] = part[sent:]
                    break
                self._queue.popleft()
        except (BlockingIOError, InterruptedError):
            return
        except OSError as exc:
            self._end(exc.strerror or "the connection broke")
            return
        self._sent()

    def _sent(self) -> None:
        if not self._queue:
            self._loop.remove_writer(self._fd)
            if self._ending:
                self._shut_down()
        if self._high and self.queued < _LOW_WATER:
            self._high = False
            if not self._ending:
                self._owner.drained()

    def _acknowledge_at_once(self) -> None:
        try:  # noqa: SIM105 - with every chunk, and a context manager costs more than the call
            self._sock.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
        except OSError:
            pass

    # Ending.

    def _goodbye(self) -> None:
        if self._tls is not None and self._tls.ready:
            self._write(self._tls.goodbye())

    def _shut_down(self) -> None:
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)
        self.resume()  # to see the peer's end

    def _start_timer(self, seconds: float) -> None:
        self._stop_timer()
        self._timer = self._loop.call_later(seconds, self._end, self._why)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self, why: str) -> None:
        if self._over:
            return
        self._over = True
        self._stop_timer()
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        self._queue.clear()
        self.queued = 0
        self._sock.close()
        self._owner.closed(why or self._why)
