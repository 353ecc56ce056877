"""Servers that break the standard, each in one way that was seen or must be feared.

They do not read what they are sent: whatever comes first is answered with the breakage.
"""

from __future__ import annotations

import enum
from typing import assert_never

from leadglass.lab.session import WAIT, Act, End

__all__ = ["Breakage", "BrokenSession"]

_PATIENCE = 10.0
_PAUSE = 0.01
_CHUNK = bytes(64 * 1024)
_MOST = 256 * 1024 * 1024
"""Where the endless PDU ends after all, in bytes, for the sake of this machine."""

# An A-ASSOCIATE-AC (PS3.8 9.3.3) from the start: type, reserved, length, version, reserved, titles, reserved.
_AC_FIELDS = b"\x00\x01" + bytes(2) + b"ANY-SCP".ljust(16) + b"LEADGLASS".ljust(16) + bytes(32)
_APPLICATION = b"1.2.840.10008.3.1.1.1"
_AC_HEADER = b"\x02\x00" + (len(_AC_FIELDS) + 4 + len(_APPLICATION)).to_bytes(4, "big")


class Breakage(enum.Enum):
    """What is wrong with it."""

    HALF_PDU = "half-pdu"
    """The first half of an A-ASSOCIATE-AC, and then nothing."""
    ENDLESS_PDU = "endless-pdu"
    """A header that claims 4 GiB, and zeros for as long as anybody reads."""
    GARBAGE = "garbage"
    """Bytes of no protocol."""
    WRONG_LENGTH = "wrong-length"
    """An item that claims to be longer than the PDU that holds it."""
    RESET = "reset"
    """RST in answer to the first bytes."""


class BrokenSession:
    """One connection to a broken server (``session.Session``)."""

    def __init__(self, how: Breakage, garbage: bytes) -> None:
        self._how = how
        self._garbage = garbage
        self._sent = 0
        self._asked = False

    def connected(self, now: float) -> Act:
        """Wait for the first bytes, not for ever."""
        return Act(wake_at=now + _PATIENCE)

    def received(self, data: bytes, now: float) -> Act:  # noqa: ARG002 - the contract's signature
        """Break, once."""
        if self._asked:
            return WAIT._replace(wake_at=now + (_PAUSE if self._sent else _PATIENCE))
        self._asked = True
        match self._how:
            case Breakage.HALF_PDU:
                return Act(_AC_HEADER + _AC_FIELDS[:20], now + _PATIENCE)
            case Breakage.ENDLESS_PDU:
                return self._stream(b"\x02\x00\xff\xff\xff\xff", now)
            case Breakage.GARBAGE:
                return Act(self._garbage, end=End.CLOSE)
            case Breakage.WRONG_LENGTH:
                too_long = (len(_APPLICATION) + 200).to_bytes(2, "big")
                return Act(_AC_HEADER + _AC_FIELDS + b"\x10\x00" + too_long + _APPLICATION, now + _PATIENCE)
            case Breakage.RESET:
                return Act(end=End.RESET)
            case _:
                assert_never(self._how)

    def woken(self, now: float) -> Act:
        """Go on with what has no end, or stop waiting."""
        return self._stream(b"", now) if 0 < self._sent < _MOST else Act(end=End.CLOSE)

    def _stream(self, head: bytes, now: float) -> Act:
        self._sent += len(_CHUNK)
        return Act(head + _CHUNK, now + _PAUSE)
