"""A stream of PDUs read and written piece by piece, for whoever carries data and does not keep it.

``Association`` takes whole PDUs, which is what a probe wants. A gateway moves gigabytes: here the
values of a P-DATA-TF (PS3.8 9.3.5) are told while they arrive, as views of what was fed, and are
framed anew on the way out. Memory is one header. All other PDUs are handed over as they came, for
an ``Association`` to read; what it must know of the data it is told with ``Association.data_passed``.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple, TypeAlias

from leadglass.wire.fields import malformed
from leadglass.wire.limits import DEFAULT, Limits

__all__ = ["Fragment", "Other", "StreamReader", "ValueFramer"]

_P_DATA = 4
_HEADER = 6
"""Bytes of a PDU's header, and of a presentation data value's too."""
_VALUE = Struct(">LBB")
_FRAME = Struct(">BBLLBB")
_ONE_GO = 0xFFFFFFFF - _HEADER
_BOTH = _FRAME.size
_new = tuple.__new__  # a quarter of the time of Fragment(...)


class Fragment(NamedTuple):
    """A piece of one presentation data value."""

    context_id: int
    is_command: bool
    is_last: bool
    """The value is the last of its command or data set (PS3.8 annex E.2)."""
    opens: int
    """The piece begins a value of this many bytes; -1: it goes on with one."""
    ends: bool
    """The piece ends its command or data set."""
    data: memoryview
    """A view of what was fed: use it before it is kept. It may be a patient's."""

    def __repr__(self) -> str:
        return f"Fragment(context_id={self.context_id}, {len(self.data)} bytes)"


class Other(NamedTuple):
    """Bytes of PDUs that are not data."""

    data: memoryview


Piece: TypeAlias = Fragment | Other


class StreamReader:
    """Cuts a stream into pieces, whatever the sizes in which it comes."""

    __slots__ = (
        "_context_id",
        "_control",
        "_head",
        "_limits",
        "_other",
        "_pdu",
        "_value",
        "_values",
        "maximum",
    )

    def __init__(self, limits: Limits = DEFAULT) -> None:
        self._limits = limits
        self.maximum = limits.p_data
        """The longest P-DATA-TF body taken, in bytes."""
        self._head = b""
        self._pdu = 0  # bytes to come of the P-DATA-TF
        self._value = 0  # bytes to come of the value
        self._values = 0
        self._other = 0  # bytes to come of another PDU
        self._context_id = 0
        self._control = 0

    def take(self, data: memoryview, at: int) -> tuple[int, Piece | None]:
        """The piece at ``data[at:]`` and where the next begins; None: more bytes are needed.

        ``RemoteProtocolError`` if the lengths do not add up; the stream cannot be read beyond it.
        """
        if self._value and at < len(data):
            return self._more_of_value(data, at)
        if len(data) - at >= _BOTH and not (self._head or self._pdu or self._other):
            kind, _, length, size, context_id, control = _FRAME.unpack_from(data, at)
            # One value in its PDU, as nearly all peers send them. What has a fault is read again, with care.
            if kind == _P_DATA and 2 <= size == length - 4 and length <= self.maximum and context_id & 1:
                self._context_id, self._control, self._value = context_id, control, size - 2
                at += _BOTH
                part = data[at : at + size - 2]
                return at + len(part), self._piece(part, size - 2)
        return self._take(data, at)

    def _take(self, data: memoryview, at: int) -> tuple[int, Piece | None]:
        while at < len(data):
            if self._value:
                return self._more_of_value(data, at)
            if self._other:
                return self._more_of_other(data, at)
            missing = _HEADER - len(self._head)
            self._head += data[at : at + missing]
            at = min(at + missing, len(data))
            if len(self._head) < _HEADER:
                return self._begun(at)
            head, self._head = self._head, b""
            piece = self._open_value(head, data, at) if self._pdu else self._open_pdu(head)
            if piece is not None:
                return at + len(piece.data) if isinstance(piece, Fragment) else at, piece
        return at, None

    def _begun(self, at: int) -> tuple[int, Piece | None]:
        # An unknown first byte is told at once: who sends it may never send six.
        if not self._pdu and not 1 <= self._head[0] <= 7:
            return self._whole_head(at)
        return at, None

    def _whole_head(self, at: int) -> tuple[int, Piece]:
        head, self._head = self._head, b""
        return at, Other(memoryview(head))

    def _open_pdu(self, head: bytes) -> Piece | None:
        length = int.from_bytes(head[2:6], "big")
        if head[0] != _P_DATA:
            self._other = length
            return Other(memoryview(head))
        if length > self.maximum:
            raise malformed(f"a PDU of type 04H claims {length} bytes")
        if length < _HEADER:
            raise malformed("a P-DATA-TF without a value")
        self._pdu = length
        self._values = 0
        return None

    def _open_value(self, head: bytes, data: memoryview, at: int) -> Fragment | None:
        length, self._context_id, self._control = _VALUE.unpack(head)
        self._values += 1
        left = self._pdu - 4 - length
        if length < 2 or left < 0 or 0 < left < _HEADER:
            raise malformed("the length of a presentation data value does not fit its P-DATA-TF")
        if self._values > self._limits.pdvs:
            raise malformed(f"a P-DATA-TF with more than {self._limits.pdvs} values")
        if self._context_id % 2 == 0:
            raise malformed(f"presentation context id {self._context_id} is not odd")
        self._pdu = left
        self._value = length - 2
        return self._piece(data[at : at + self._value], self._value)

    def _more_of_value(self, data: memoryview, at: int) -> tuple[int, Fragment]:
        part = data[at : at + self._value]
        return at + len(part), self._piece(part, -1)

    def _piece(self, data: memoryview, opens: int) -> Fragment:
        self._value = left = self._value - len(data)
        control = self._control
        is_last = control & 2 == 2
        return _new(
            Fragment, (self._context_id, control & 1 == 1, is_last, opens, is_last and not left, data)
        )

    def _more_of_other(self, data: memoryview, at: int) -> tuple[int, Other]:
        part = data[at : at + self._other]
        self._other -= len(part)
        return at + len(part), Other(part)


class ValueFramer:
    """Frames the pieces of a data set for another association, each value as it is or in parts."""

    __slots__ = ("_left", "_part", "size")

    def __init__(self, maximum_length: int) -> None:
        """``maximum_length`` is the receiver's (PS3.8 D.1): bytes in the body of one PDU, 0 without limit."""
        self.size = maximum_length - _HEADER if maximum_length else _ONE_GO
        self._left = 0  # bytes to come of the incoming value
        self._part = 0  # bytes to come of the outgoing one

    @property
    def within(self) -> bool:
        """Whether a PDU has been begun and is not complete: other bytes would be taken for data of it."""
        return self._part > 0

    def frame(self, piece: Fragment, context_id: int) -> list[bytes | memoryview]:
        """What to send for ``piece``, on this presentation context."""
        data = piece.data
        size = len(data)
        if piece.opens < 0 and size <= self._part:  # most of a large object
            self._part -= size
            self._left -= size
            return [data]
        opens = piece.opens
        if 0 <= opens <= self.size:  # most of all others
            self._part = self._left = opens - size
            control = piece.is_command | piece.is_last << 1
            return [_FRAME.pack(_P_DATA, 0, opens + 6, opens + 2, context_id, control), data]
        return self._framed(piece, context_id)

    def _framed(self, piece: Fragment, context_id: int) -> list[bytes | memoryview]:
        control = piece.is_command | piece.is_last << 1
        out: list[bytes | memoryview] = []
        if piece.opens >= 0:
            self._left = piece.opens
            out.append(self._header(context_id, control))
        data = piece.data
        while len(data) > self._part:
            out.append(data[: self._part])
            data = data[self._part :]
            self._left -= self._part
            out.append(self._header(context_id, control))
        self._part -= len(data)
        self._left -= len(data)
        out.append(data)
        return out

    def _header(self, context_id: int, control: int) -> bytes:
        self._part = size = min(self.size, self._left)
        if size < self._left:
            control &= 1  # the last bit belongs to the last part
        return _FRAME.pack(_P_DATA, 0, size + 6, size + 2, context_id, control)
