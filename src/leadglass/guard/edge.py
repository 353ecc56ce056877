"""Beside a device that has never heard of TLS: plain DICOM from that one, mutual TLS to the guard.

It decides nothing: the guard does, by the certificate that the edge shows for its device. Nothing is
sent before a whole A-ASSOCIATE-RQ has come, so that no stray connection reaches the guard.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable, Sequence

from leadglass.errors import TransportError
from leadglass.guard.channel import HIGH_WATER, Channel
from leadglass.net.reach import reach
from leadglass.net.services import Service

__all__ = ["Edge"]

_A_ASSOCIATE_RQ = 1
_LONGEST = 128 * 1024
"""Bytes in the body of an A-ASSOCIATE-RQ."""
_PATIENCE = 10.0
"""Seconds for the request to come, for the connection, and for the handshake."""
_NO_CONNECTION = bytes.fromhex("03 00 00000004 00 02 03 01")
"""A-ASSOCIATE-RJ: transient, provider (presentation), temporary congestion (PS3.8 9.3.4)."""


class Edge:
    """Carries associations of one device to the guard."""

    def __init__(
        self,
        devices: Sequence[str],
        guard: Service,
        tls: ssl.SSLContext,
        name: str,
        tell: Callable[[str], None],
    ) -> None:
        """``devices``: the networks (CIDR) that are heard; ``name``: what the guard's certificate must say."""
        self._devices = [ipaddress.ip_network(device) for device in devices]
        self.guard = guard
        self.tls = tls
        self.name = name
        self.tell = tell
        """Takes one line for the log."""

    def enter(self, sock: socket.socket, address: str, left: Callable[[], None]) -> None:
        """Somebody has connected (``doors.Enter``)."""
        if not any(ipaddress.ip_address(address) in device for device in self._devices):
            self.tell(f"{address} is not the device: sent away")
            sock.close()
            left()
            return
        _Relay(self, sock, left)


class _Relay:
    """One association: a side for the device, one for the guard."""

    def __init__(self, edge: Edge, sock: socket.socket, left: Callable[[], None]) -> None:
        self._edge = edge
        self._left = left
        self._first = bytearray()
        self._task: asyncio.Task[None] | None = None
        self._over = False
        self.device = _Side(self)
        self.guard = _Side(self)
        self._timer = asyncio.get_running_loop().call_later(_PATIENCE, self._too_slow)
        self.device.channel = Channel(sock, self.device)
        self.device.channel.start()

    def received(self, side: _Side, data: memoryview) -> None:
        """Bytes for the other side; the device's first ones wait until they are a request."""
        other = self.guard if side is self.device else self.device
        if other.ready:
            other.send(data, side)
            return
        self._first += data
        if self._task is None and self._request_complete():
            self._timer.cancel()
            side.pause()
            self._task = asyncio.get_running_loop().create_task(self._dial())

    def _request_complete(self) -> bool:
        first = self._first
        if first and first[0] != _A_ASSOCIATE_RQ:
            self.end("what came is not a DICOM association request")
            return False
        length = int.from_bytes(first[2:6], "big")
        if len(first) >= 6 and length > _LONGEST:
            self.end("the association request is too long")
            return False
        return len(first) >= 6 and len(first) >= 6 + length

    async def _dial(self) -> None:
        edge = self._edge
        try:
            sock = await reach(edge.guard, _PATIENCE)
        except TransportError as exc:
            edge.tell(str(exc))
            self.device.refuse()
            return
        if self._over:
            sock.close()
            return
        self.guard.channel = channel = Channel(sock, self.guard)
        channel.start_tls(edge.tls, server=False, name=edge.name, patience=_PATIENCE)

    def opened(self, side: _Side) -> None:
        """The guard has shaken hands: the request goes."""
        if side is self.guard:
            self.guard.send(memoryview(bytes(self._first)), self.device)
            self._first.clear()
            self.device.resume()

    def closed(self, side: _Side, why: str) -> None:
        """One side has ended: so does the other, once it has what is on its way."""
        other = self.guard if side is self.device else self.device
        if why:
            self._edge.tell(f"the {'device' if side is self.device else 'guard'}: {why}")
        if side is self.guard and not side.ready:
            self.device.refuse()
        other.close()
        if side is self.device:
            self._finish()

    def drained(self, side: _Side) -> None:
        """The other may be read again."""
        (self.guard if side is self.device else self.device).resume()

    def end(self, why: str) -> None:
        """Nothing of this goes to the guard."""
        self._edge.tell(why)
        self.device.close()
        self.guard.close()

    def _too_slow(self) -> None:
        self.end("no association request came in time")

    def _finish(self) -> None:
        if self._over:
            return
        self._over = True
        self._timer.cancel()
        if self._task is not None and self.guard.channel is None:
            self._task.cancel()
        self._left()


class _Side:
    """The owner of one channel of a relay."""

    def __init__(self, relay: _Relay) -> None:
        self._relay = relay
        self.channel: Channel | None = None
        self.ready = False

    def send(self, data: memoryview, source: _Side) -> None:
        """Pass on; ``source`` has to wait if this side does not read."""
        assert self.channel is not None
        self.channel.send(data)
        if self.channel.queued > HIGH_WATER:
            source.pause()

    def refuse(self) -> None:
        """Tell a device that there is no way to the guard now."""
        if self.channel is not None:
            self.channel.send(_NO_CONNECTION)
            self.channel.close()

    def pause(self) -> None:
        """Read no more."""
        if self.channel is not None:
            self.channel.pause()

    def resume(self) -> None:
        """Read again."""
        if self.channel is not None:
            self.channel.resume()

    def close(self) -> None:
        """End it in order."""
        if self.channel is not None:
            self.channel.close()

    # The channel's owner.

    def opened(self) -> None:
        """Ready."""
        self.ready = True
        self._relay.opened(self)

    def received(self, data: memoryview) -> None:
        """Bytes came."""
        self._relay.received(self, data)

    def drained(self) -> None:
        """More may be sent."""
        self._relay.drained(self)

    def closed(self, why: str) -> None:
        """It is over."""
        self._relay.closed(self, why)
