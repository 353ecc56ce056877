"""A byte stream cut into PDUs (PS3.8 9.3.1): the only place where "need more" exists.

The first byte already tells an unknown PDU type (an HTTP or SSH server, mostly), the sixth an
excessive length; neither waits for a body. Memory is bounded by the longest PDU that is allowed
now, plus what was fed in one piece.
"""

from __future__ import annotations

from leadglass.errors import RemoteProtocolError
from leadglass.wire.fields import malformed
from leadglass.wire.limits import DEFAULT, Limits

__all__ = ["PduReader"]

_ASSOCIATE = frozenset({0x01, 0x02})
_P_DATA = 0x04
_UNRECOGNISED_PDU = 1  # PS3.8 table 9-26


class PduReader:
    """Feed it bytes in any pieces, take whole PDUs out."""

    __slots__ = ("_at", "_buffer", "_limits", "maximum_p_data")

    def __init__(self, limits: Limits = DEFAULT) -> None:
        self._limits = limits
        self._buffer: bytes | bytearray = b""
        self._at = 0
        self.maximum_p_data = limits.p_data
        """The longest P-DATA-TF body taken; set it anew once the association is negotiated."""

    @property
    def buffered(self) -> int:
        """How many bytes are waiting for the rest of their PDU."""
        return len(self._buffer) - self._at

    def feed(self, data: bytes) -> None:
        """More bytes of the stream. Take all whole PDUs out before feeding again."""
        if self._at == len(self._buffer):
            self._buffer = data
            self._at = 0
            return
        # A PDU in many pieces is collected in a bytearray: amortised, not copied for each piece.
        if isinstance(self._buffer, bytes):
            self._buffer = bytearray(self._buffer)
        del self._buffer[: self._at]
        self._at = 0
        self._buffer += data

    def next_pdu(self) -> tuple[int, bytes] | None:
        """The next whole PDU as (type, body), None if more bytes are needed.

        ``RemoteProtocolError`` for an unknown type or a length that is not allowed; the stream
        cannot be understood beyond it, and every later call raises again.
        """
        buffer, at = self._buffer, self._at
        have = len(buffer) - at
        if have < 6:
            if have:
                self._check_type(buffer[at])
            return None
        pdu_type = buffer[at]
        length = int.from_bytes(buffer[at + 2 : at + 6], "big")
        if pdu_type != _P_DATA or length > self.maximum_p_data:
            self._check_length(pdu_type, length)
        if have < 6 + length:
            return None
        self._at = stop = at + 6 + length
        return pdu_type, bytes(buffer[at + 6 : stop])

    def _check_type(self, pdu_type: int) -> None:
        if not 0x01 <= pdu_type <= 0x07:
            raise RemoteProtocolError(f"PDU type {pdu_type:02X}H is unknown", abort_reason=_UNRECOGNISED_PDU)

    def _check_length(self, pdu_type: int, length: int) -> None:
        self._check_type(pdu_type)
        if pdu_type == _P_DATA:
            fits = length <= self.maximum_p_data
        elif pdu_type in _ASSOCIATE:
            fits = length <= self._limits.associate
        else:
            fits = length == 4  # all others are fixed (PS3.8 9.3.4, 9.3.6 to 9.3.8)
        if not fits:
            raise malformed(f"a PDU of type {pdu_type:02X}H claims {length} bytes")
