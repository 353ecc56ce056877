"""Messages to P-DATA fragments and back (PS3.8 annex E, PS3.7 clause 6.2).

Three ways to receive, by how much of a data set one may hold: ``MessageAssembler`` with the data
set (lab, tests), without it (the probes: that one *began* is all they may know), and ``Passthrough``
(the guard: commands read, data set fragments handed on as they come, never copied).

A peer sends one message at a time: the fragments of its command, then those of its data set, all on
one presentation context. Anything else is a ``RemoteProtocolError``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from struct import Struct
from typing import NamedTuple, TypeAlias

from leadglass.errors import LocalProtocolError
from leadglass.wire.command import decode_command
from leadglass.wire.dimse import Message, has_data_set
from leadglass.wire.fields import malformed
from leadglass.wire.limits import DEFAULT, Limits
from leadglass.wire.pdu import PresentationDataValue

__all__ = [
    "CommandReceived",
    "Completed",
    "DataSetFragment",
    "MessageAssembler",
    "Passed",
    "Passthrough",
    "fragment",
]

_HEADER = Struct(">BBLLBB")
_OVERHEAD = 6  # of one value: length, context id, control header
_UNLIMITED = 0xFFFFFFFF - _OVERHEAD


def fragment(context_id: int, command: bytes, data_set: bytes | None, maximum_length: int) -> bytes:
    """A message as whole P-DATA-TF PDUs, one fragment in each.

    ``maximum_length`` is the peer's (PS3.8 D.1): bytes in the body of one PDU; 0 is no limit.
    """
    if not 1 <= context_id <= 255 or context_id % 2 == 0:
        raise LocalProtocolError(f"presentation context id {context_id} is not odd and at most 255")
    size = maximum_length - _OVERHEAD if maximum_length else _UNLIMITED
    if size < 1:
        raise LocalProtocolError(f"a maximum length of {maximum_length} leaves no room for data")
    if len(command) <= size and data_set is not None and len(data_set) <= size:
        return b"".join((_one(context_id, command, 3), command, _one(context_id, data_set, 2), data_set))
    parts = list(_fragments(context_id, command, size, 1))
    if data_set is not None:
        parts.extend(_fragments(context_id, data_set, size, 0))
    return b"".join(parts)


def _one(context_id: int, data: bytes, control: int) -> bytes:
    """The header of a PDU with a single value."""
    length = len(data)
    return _HEADER.pack(4, 0, length + 6, length + 2, context_id, control)


def _fragments(context_id: int, data: bytes, size: int, command: int) -> Iterator[bytes]:
    for at in range(0, max(len(data), 1), size):
        piece = data[at : at + size]
        last = 2 if at + size >= len(data) else 0
        length = len(piece)
        yield _HEADER.pack(4, 0, length + 6, length + 2, context_id, command | last)
        yield piece


@dataclass(frozen=True, slots=True)
class CommandReceived:
    """A whole command; ``raw`` is its command set as received."""

    context_id: int
    command: Message
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DataSetFragment:
    """A piece of the data set that belongs to the last command; ``data`` is a view, use it before it is kept."""

    context_id: int
    data: bytes | memoryview = field(repr=False)
    is_last: bool


Passed: TypeAlias = CommandReceived | DataSetFragment


class Passthrough:
    """Values in; commands and data set fragments out, in order, nothing of a data set held."""

    __slots__ = ("_command_set", "_context_id", "_in_data_set", "_limits")

    def __init__(self, limits: Limits = DEFAULT) -> None:
        self._limits = limits
        self._command_set = bytearray()
        self._context_id = 0
        self._in_data_set = False

    @property
    def idle(self) -> bool:
        """Whether no message is half received."""
        return not self._context_id

    def feed(self, pdv: PresentationDataValue) -> Passed | None:
        """One value; None while its command is incomplete."""
        if self._context_id and pdv.context_id != self._context_id:
            raise malformed("fragments of two messages are mixed")
        if pdv.is_command == self._in_data_set:
            raise malformed("a command fragment within a data set, or a data set fragment before its command")
        return self._command(pdv) if pdv.is_command else self._data_set(pdv)

    def _command(self, pdv: PresentationDataValue) -> CommandReceived | None:
        self._context_id = pdv.context_id
        if len(self._command_set) + len(pdv.data) > self._limits.command:
            raise malformed(f"a command set with more than {self._limits.command} bytes")
        self._command_set += pdv.data
        if not pdv.is_last:
            return None
        raw = bytes(self._command_set)
        self._command_set.clear()
        command = decode_command(raw, self._limits)
        self._in_data_set = has_data_set(command)
        if not self._in_data_set:
            self._context_id = 0
        return CommandReceived(pdv.context_id, command, raw)

    def _data_set(self, pdv: PresentationDataValue) -> DataSetFragment:
        if pdv.is_last:
            self._in_data_set = False
            self._context_id = 0
        return DataSetFragment(pdv.context_id, pdv.data, pdv.is_last)


class Completed(NamedTuple):
    """A message, as far as its receiver may know it."""

    context_id: int
    command: Message
    data_set: bytes | None
    """None: no data set. Kept: its bytes. Not kept: ``b""``, it began and was dropped."""

    def __repr__(self) -> str:  # without the data set, which may be a patient's
        size = "none" if self.data_set is None else f"{len(self.data_set)} bytes"
        return f"Completed(context_id={self.context_id}, command={self.command}, data_set: {size})"


class MessageAssembler:
    """Values in, messages out.

    With ``keep_data_set=False`` a message is complete when the first fragment of its data set is
    seen, and that fragment and the others are dropped unread.
    """

    __slots__ = ("_command", "_data_set", "_keep", "_limits", "_passthrough")

    def __init__(self, limits: Limits = DEFAULT, *, keep_data_set: bool = True) -> None:
        self._limits = limits
        self._keep = keep_data_set
        self._passthrough = Passthrough(limits)
        self._command: Message | None = None
        self._data_set = bytearray()

    def feed(self, pdv: PresentationDataValue) -> Completed | None:
        """One value; the message that it completes, or None."""
        passed = self._passthrough.feed(pdv)
        if passed is None:
            return None
        if isinstance(passed, DataSetFragment):
            return self._kept(passed) if self._keep else self._dropped(passed)
        if has_data_set(passed.command):
            self._command = passed.command
            return None
        return Completed(passed.context_id, passed.command, None)

    def _dropped(self, piece: DataSetFragment) -> Completed | None:
        command, self._command = self._command, None
        return None if command is None else Completed(piece.context_id, command, b"")

    def _kept(self, piece: DataSetFragment) -> Completed | None:
        if len(self._data_set) + len(piece.data) > self._limits.data_set:
            raise malformed(f"a data set with more than {self._limits.data_set} bytes")
        self._data_set += piece.data
        if not piece.is_last or self._command is None:
            return None
        completed = Completed(piece.context_id, self._command, bytes(self._data_set))
        self._command = None
        self._data_set.clear()
        return completed
