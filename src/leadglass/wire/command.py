"""Command sets (PS3.7 clause 6.3 and annex E): implicit VR little endian, group 0000, ascending.

Elements we do not know are skipped, because newer peers add some; their number and length are
bounded. The order, the group length where it is given, and the length of every number must be
right. A sequence (undefined length) cannot occur in a command set, so nothing nests.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from struct import Struct
from typing import Any

from leadglass.errors import LocalProtocolError
from leadglass.wire.dimse import MESSAGES, Element, Message
from leadglass.wire.fields import malformed, padded_text, text
from leadglass.wire.limits import DEFAULT, Limits

__all__ = ["decode_command", "encode_command"]

_HEADER = Struct("<HHL")
_NUMBER = Struct("<HHLH")
_LENGTH = Struct("<HHLL")
_MOST = 0xFFFF
_GROUP_LENGTH = 0x0000
_COMMAND_FIELD = 0x0100
_PLAIN = frozenset({0x0000, 0x0002, 0x0100, 0x0110, 0x0120, 0x0700, 0x0800, 0x0900})
"""Elements that name no patient and hold no free text. Only small command sets made of these are
remembered, so that nothing of a patient outlives its message."""
_REMEMBERED_SIZE, _REMEMBERED_COUNT = 128, 256
_remembered: dict[tuple[bytes, Limits], Message] = {}
"""Servers answer the same echo alike; a scan decodes each such answer once."""
_PADS = {"UI": b"\0", "AE": b" ", "LO": b" "}


def encode_command(message: Message) -> bytes:
    """The command set of ``message``; ``LocalProtocolError`` for a value that does not fit."""
    parts: list[bytes] = []
    for tag, vr, name, _ in _plan_of(message.COMMAND_FIELD):
        value = getattr(message, name)
        if value is None:
            continue
        if vr == "US" and 0 <= value <= _MOST:
            parts.append(_NUMBER.pack(0, tag, 2, value))
        else:
            encoded = _encode_value(vr, name, value)
            parts += (_HEADER.pack(0, tag, len(encoded)), encoded)
    body = b"".join(parts)
    return _LENGTH.pack(0, _GROUP_LENGTH, 4, len(body)) + body


@cache
def _plan_of(command_field: int) -> tuple[Element, ...]:
    """The elements of a message in ascending order, the command field among them."""
    field = Element(_COMMAND_FIELD, "US", "COMMAND_FIELD", required=True)
    return tuple(sorted((*MESSAGES[command_field].ELEMENTS, field), key=lambda element: element.tag))


def _encode_value(vr: str, name: str, value: Any) -> bytes:
    if vr == "US":
        return _us(value, name)
    if vr == "AT":
        return b"".join(_us(tag >> 16, name) + _us(tag & 0xFFFF, name) for tag in value)
    encoded = text(value, name)
    return encoded + _PADS[vr] if len(encoded) % 2 else encoded


def _us(value: int, name: str) -> bytes:
    if not 0 <= value <= _MOST:
        raise LocalProtocolError(f"{name} is {value}, which does not fit 2 bytes")
    return value.to_bytes(2, "little")


def decode_command(data: bytes, limits: Limits = DEFAULT) -> Message:
    """The message of one whole command set; ``RemoteProtocolError`` if it is none of PS3.7's."""
    message = _remembered.get((data, limits))
    if message is not None:
        return message
    if len(data) > limits.command:
        raise malformed(f"a command set with {len(data)} bytes, more than {limits.command}")
    values = _split(data, limits)
    message = _message(values, limits)
    if len(data) <= _REMEMBERED_SIZE and values.keys() <= _PLAIN:
        if len(_remembered) >= _REMEMBERED_COUNT:
            _remembered.clear()
        _remembered[data, limits] = message
    return message


def _message(values: Mapping[int, bytes], limits: Limits) -> Message:
    field = values.get(_COMMAND_FIELD)
    kind = None if field is None else MESSAGES.get(int.from_bytes(field, "little"))
    if kind is None or field is None or len(field) != 2:
        raise malformed("a command set without a known command field")
    found: dict[str, Any] = {}
    for tag, vr, name, required in kind.ELEMENTS:
        raw = values.get(tag)
        if raw is not None:
            found[name] = _decode_value(vr, name, raw, limits)
        elif required:
            raise malformed(f"a {kind.__name__} without {name}")
    return kind(**found)


def _split(data: bytes, limits: Limits) -> Mapping[int, bytes]:
    values: dict[int, bytes] = {}
    at, end, last = 0, len(data), -1
    while at < end:
        if end - at < 8:
            raise malformed("the last element of a command set is cut short")
        group, tag, length = _HEADER.unpack_from(data, at)
        at += 8
        if group or length > end - at:
            raise malformed(f"element ({group:04X},{tag:04X}) does not fit its command set")
        if tag <= last:
            raise malformed(f"element (0000,{tag:04X}) is out of order")
        if len(values) == limits.command_elements:
            raise malformed(f"a command set with more than {limits.command_elements} elements")
        values[tag] = data[at : at + length]
        last = tag
        at += length
    _check_group_length(values, end)
    return values


def _check_group_length(values: Mapping[int, bytes], size: int) -> None:
    raw = values.get(_GROUP_LENGTH)
    # A missing group length contradicts nothing; a wrong one would mean different things to different readers.
    if raw is not None and (len(raw) != 4 or int.from_bytes(raw, "little") != size - 12):
        raise malformed("the group length of a command set is wrong")


def _decode_value(vr: str, name: str, raw: bytes, limits: Limits) -> Any:
    if vr == "US":
        if len(raw) != 2:
            raise malformed(f"{name} has {len(raw)} bytes instead of 2")
        return raw[0] | raw[1] << 8
    if vr == "AT":
        if len(raw) % 4:
            raise malformed(f"{name} has {len(raw)} bytes, not a multiple of 4")
        return tuple(_tag(raw, at) for at in range(0, len(raw), 4))
    if vr == "LO":
        raw = raw[: limits.text]  # an over-long comment must not hide the status beside it
    return padded_text(raw, limits.text, name)


def _tag(raw: bytes, at: int) -> int:
    return int.from_bytes(raw[at : at + 2], "little") << 16 | int.from_bytes(raw[at + 2 : at + 4], "little")
