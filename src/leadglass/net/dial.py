"""The one door to a target: no permit, no socket.

Nothing else in Leadglass connects to a target. The permit names the endpoint, so a caller
cannot hold a permit for one address and dial another.
"""

from __future__ import annotations

import errno
import socket

from leadglass.errors import LocalProtocolError, ResourceError, ScopeDenied
from leadglass.model.endpoint import Permit
from leadglass.ports.conversation import Loss

__all__ = ["dial", "loss_of"]

_FOUR, _SIX = int(socket.AF_INET), int(socket.AF_INET6)
_NONBLOCK: int = getattr(socket, "SOCK_NONBLOCK", 0)
_STREAM = socket.SOCK_STREAM | _NONBLOCK | getattr(socket, "SOCK_CLOEXEC", 0)
_UNDER_WAY = frozenset({0, errno.EINPROGRESS, errno.EWOULDBLOCK})
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})
_LOSSES = {
    errno.ECONNREFUSED: Loss.REFUSED,
    errno.ETIMEDOUT: Loss.UNANSWERED,
    errno.ECONNRESET: Loss.RESET,
    errno.EPIPE: Loss.RESET,
}


def dial(permit: Permit, moment: float) -> socket.SocketType | Loss:
    """Begin to connect to ``permit.endpoint`` at POSIX time ``moment``, without blocking.

    Returns the connecting socket, or the ``Loss`` where the kernel says no at once. Raises
    ``ScopeDenied`` when the permit has run out and ``ResourceError`` when this machine has no
    descriptor or local port left (try again later).
    """
    if moment > permit.valid_until:
        raise ScopeDenied("the permit has run out", where=str(permit.endpoint))
    address, port = permit.endpoint.address, permit.endpoint.port
    family = _SIX if ":" in address else _FOUR
    _require_literal(family, address)
    try:
        # SocketType is the C type: half the price of its Python subclass, and no makefile.
        sock = socket.SocketType(family, _STREAM)
    except OSError as exc:
        raise _exhausted(exc.errno) from exc
    if not _NONBLOCK:
        sock.setblocking(False)
    code = sock.connect_ex((address, port))
    if code in _UNDER_WAY:
        return sock
    sock.close()
    if code in _EXHAUSTED:
        raise _exhausted(code)
    return loss_of(code)


def loss_of(code: int) -> Loss:
    """What an ``errno`` of a connection means for the conversation."""
    return _LOSSES.get(code, Loss.UNREACHABLE)


def _require_literal(family: int, address: str) -> None:
    # connect() would resolve a name by itself, past the scope. A literal never resolves.
    try:
        socket.inet_pton(family, address if family == _FOUR else address.partition("%")[0])
    except OSError as exc:
        raise LocalProtocolError(f"{address!r} is no address literal") from exc


def _exhausted(code: int | None) -> ResourceError:
    name = errno.errorcode.get(code or 0, "unknown error")
    return ResourceError(
        f"no socket could be opened ({name})", then="lower the rate or raise the open file limit"
    )
