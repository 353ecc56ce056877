"""Any bytes: an event or RemoteProtocolError; bounded memory and time. Three receivers agree on what came.

Input: a byte, then a command set to decode (even) or P-DATA-TF bodies to assemble (odd). A command
that decodes must survive encoding; the assembler that keeps data sets, the one that does not and the
pass-through must see the same commands in the same order.
"""

from __future__ import annotations

import atheris

with atheris.instrument_imports(include=["leadglass.wire"]):
    from leadglass.wire import command, pdata, pdu

# A script finds its neighbours in its own folder; mypy counts modules from the root.
import samples  # type: ignore[import-not-found]
from harness import run  # type: ignore[import-not-found]

from leadglass.errors import RemoteProtocolError
from leadglass.wire.dimse import Message, has_data_set


def decode(data: bytes) -> None:
    try:
        message = command.decode_command(data)
    except RemoteProtocolError:
        return
    encoded = command.encode_command(message)
    assert command.decode_command(encoded) == message
    assert command.encode_command(message) == encoded


def values(data: bytes) -> list[pdu.PresentationDataValue]:
    try:
        decoded = pdu.decode(0x04, data)
    except RemoteProtocolError:
        return []
    assert isinstance(decoded, pdu.PDataTF)
    return list(decoded.pdvs)


def assemble(data: bytes) -> None:
    keeping, dropping = pdata.MessageAssembler(), pdata.MessageAssembler(keep_data_set=False)
    passing = pdata.Passthrough()
    commands: list[Message] = []
    kept: list[pdata.Completed | None] = []
    dropped: list[pdata.Completed | None] = []
    try:
        for value in values(data):
            passed = passing.feed(value)
            if isinstance(passed, pdata.CommandReceived):
                commands.append(passed.command)
            kept.append(keeping.feed(value))
            dropped.append(dropping.feed(value))
    except RemoteProtocolError:
        pass
    check(commands, [m for m in kept if m], [m for m in dropped if m])


def check(commands: list[Message], kept: list[pdata.Completed], dropped: list[pdata.Completed]) -> None:
    for completed in (kept, dropped):
        assert [m.command for m in completed] == commands[: len(completed)]
        assert all((m.data_set is None) != has_data_set(m.command) for m in completed)
    assert len(commands) - 1 <= len(kept) <= len(dropped) <= len(commands)


def target(data: bytes) -> None:
    if data and data[0] & 1:
        assemble(data[1:])
    else:
        decode(data[1:])


def seeds() -> list[bytes]:
    commands = [b"\0" + command.encode_command(message) for message in samples.MESSAGES]
    pieces = [bodies(samples.whole(message, 40)) for message in samples.MESSAGES]
    return [*commands, *(b"\1" + piece for piece in pieces), b"\1" + b"".join(pieces)]


def bodies(stream: bytes) -> bytes:
    """P-DATA-TF PDUs without their headers, one after the other: one body of many values."""
    found = b""
    while stream:
        stop = 6 + int.from_bytes(stream[2:6], "big")
        found += stream[6:stop]
        stream = stream[stop:]
    return found


if __name__ == "__main__":
    run(target, seeds())
