"""The bricks of every association item: lengths that must add up, text that never raises.

"Need more bytes" exists only for a whole PDU (``framing``): inside one, a field that is short is
malformed, and so is a byte left over. Text is Latin-1 on the way in, because real peers pad with
spaces or NULs and some put stray bytes into titles; that is theirs to explain and ours to show.
"""

from __future__ import annotations

from leadglass.errors import LocalProtocolError, RemoteProtocolError

__all__ = ["Fields", "item", "malformed", "number", "padded_text", "prefixed", "split_items", "text"]

_INVALID_PARAMETER_VALUE = 6  # PS3.8 table 9-26
_PADDING = b"\0 "


def malformed(what: str) -> RemoteProtocolError:
    """The error for a peer's bytes that do not fit the structure they claim."""
    return RemoteProtocolError(what, abort_reason=_INVALID_PARAMETER_VALUE)


def padded_text(raw: bytes, limit: int, where: str) -> str:
    """A UID or name without its trailing padding; more than ``limit`` bytes are malformed.

    UIDs are not padded in associations (PS3.8 annex F) but are by real peers; the grammar is not
    checked, because a UID is only compared (see ``uids``).
    """
    stripped = raw.rstrip(_PADDING)
    if len(stripped) > limit:
        raise malformed(f"{where} has {len(stripped)} bytes, more than {limit}")
    return stripped.decode("latin-1")


def text(value: str, where: str) -> bytes:
    """Our own text as bytes; ``LocalProtocolError`` for characters that no peer could read."""
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError as exc:
        raise LocalProtocolError(f"{where} has characters outside Latin-1") from exc


def item(kind: int, payload: bytes) -> bytes:
    """One item or sub-item: type, reserved, length, payload (PS3.8 9.3.2 and annex D)."""
    return bytes((kind, 0)) + prefixed(payload, f"item {kind:02X}H")


def number(value: int, size: int, where: str) -> bytes:
    """``value`` as an unsigned number of ``size`` bytes, most significant first."""
    try:
        return value.to_bytes(size, "big")
    except OverflowError as exc:
        raise LocalProtocolError(f"{where} is {value}, which does not fit {size} bytes") from exc


def prefixed(payload: bytes, where: str) -> bytes:
    """``payload`` behind its length in two bytes."""
    if len(payload) > 0xFFFF:
        raise LocalProtocolError(f"{where} has {len(payload)} bytes, and its length field only two")
    return len(payload).to_bytes(2, "big") + payload


def split_items(data: bytes, limit: int, where: str) -> list[tuple[int, bytes]]:
    """``data`` cut into items (type, payload); all lengths must add up, at most ``limit`` items."""
    items: list[tuple[int, bytes]] = []
    at, end = 0, len(data)
    while at < end:
        stop = at + 4 + int.from_bytes(data[at + 2 : at + 4], "big")
        if end - at < 4 or stop > end:
            raise malformed(f"the last item of {where} is cut short")
        if len(items) == limit:
            raise malformed(f"{where} has more than {limit} items")
        items.append((data[at], data[at + 4 : stop]))
        at = stop
    return items


class Fields:
    """Reads the fields of one item from front to back; a short one is malformed."""

    __slots__ = ("_at", "_data", "_where")

    def __init__(self, data: bytes, where: str) -> None:
        self._data = data
        self._where = where
        self._at = 0

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return len(self._data) - self._at

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes."""
        at = self._at
        self._at = at + size
        if self._at > len(self._data):
            raise malformed(f"{self._where} is shorter than its fields")
        return self._data[at : self._at]

    def number(self, size: int) -> int:
        """The next ``size`` bytes as an unsigned number, most significant first."""
        return int.from_bytes(self.take(size), "big")

    def prefixed(self) -> bytes:
        """The field behind the next two-byte length."""
        return self.take(self.number(2))

    def rest(self) -> bytes:
        """Everything that is left."""
        return self.take(self.left)

    def end(self) -> None:
        """Nothing may be left."""
        if self.left:
            raise malformed(f"{self._where} has {self.left} bytes too many")
