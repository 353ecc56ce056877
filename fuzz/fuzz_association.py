"""Any bytes: an event or RemoteProtocolError; bounded memory and time. How they are cut does not matter.

Input: a byte that chooses the role and what the local user does, a byte for the size of the pieces,
then the peer's stream. The machine must never raise because of it, end in a state it can leave, hold
no more than one PDU, and tell and send the same however the stream is cut, whatever its user does.
"""

from __future__ import annotations

import atheris

with atheris.instrument_imports(include=["leadglass.wire"]):
    from leadglass.wire import association as ul
    from leadglass.wire import pdu

# A script finds its neighbours in its own folder; mypy counts modules from the root.
import samples  # type: ignore[import-not-found]
from harness import run  # type: ignore[import-not-found]

from leadglass.errors import LocalProtocolError
from leadglass.wire.limits import DEFAULT

_ECHO = samples.whole(samples.MESSAGES[0])
_LARGEST = max(DEFAULT.associate, DEFAULT.p_data) + 6
_PIECES = 16
_ACCEPTOR, _ANSWERS, _SENDS, _RELEASES, _REPLIES, _ENDS, _WHOLE, _IDLES = 1, 2, 4, 8, 16, 32, 64, 128


def opened(choices: int) -> ul.Association:
    role = ul.Role.ACCEPTOR if choices & _ACCEPTOR else ul.Role.REQUESTOR
    association = ul.Association(role)
    if role is ul.Role.REQUESTOR:
        association.associate(samples.SHORT_REQUEST, 0.0)
    association.connection_opened(0.0)
    return association


def react(association: ul.Association, event: ul.Event, choices: int) -> None:
    """What a user may do; what table 9-10 forbids at this point must be refused as our own misuse."""
    if choices & _IDLES:
        return
    try:
        if isinstance(event, ul.AssociateRequested) and choices & _ANSWERS:
            association.accept(samples.SHORT_ANSWER, 1.0)
        elif isinstance(event, ul.AssociateRequested):
            association.reject(samples.REJECTION, 1.0)
        if choices & _SENDS:
            association.send(_ECHO, 1.0)
        if choices & _RELEASES:
            association.release(1.0)
        if isinstance(event, ul.ReleaseRequested | ul.Released) and choices & _REPLIES:
            association.release_reply(1.0)
    except LocalProtocolError:
        pass


def comparable(event: ul.Event) -> object:
    """An event that can be compared: an exception is only equal to itself."""
    return str(event.error) if isinstance(event, ul.ProtocolViolation) else event


def played(choices: int, stream: bytes, size: int) -> tuple[list[object], bytes]:
    """What the machine told and sent, when the stream came in pieces of ``size``."""
    association = opened(choices)
    heard, sent = list[object](), b""
    for at in range(0, len(stream), size):
        for event in association.receive(stream[at : at + size], 1.0):
            heard.append(comparable(event))
            react(association, event, choices)
        sent += association.data_to_send()
    finish(association, choices)
    return heard, sent


def finish(association: ul.Association, choices: int) -> None:
    assert association._reader.buffered <= _LARGEST  # noqa: SLF001 - what it holds is the point
    if choices & _ENDS:
        association.connection_closed(2.0)
    elif association.deadline is not None:
        association.timeout(association.deadline)
        association.connection_closed(association.deadline or 0.0)
    else:
        return  # it waits for its own user
    assert association.wants_close
    assert list(association.receive(b"\1", 3.0)) == []


def target(data: bytes) -> None:
    if len(data) < 2:
        return
    choices, stream = data[0], data[2:]
    size = max(data[1], len(stream) // _PIECES) + 1
    came = played(choices, stream, size)
    if choices & _WHOLE:
        assert came == played(choices, stream, len(stream) or 1)


def seeds() -> list[bytes]:
    request, answer = pdu.encode(samples.SHORT_REQUEST), pdu.encode(samples.SHORT_ANSWER)
    rejection, release, reply, abort = samples.PDUS[2:6]
    data = b"".join(map(samples.whole, samples.MESSAGES[:4]))
    acceptor = [request + data + release, request + release + data, request + abort, request + reply]
    requestor = [answer + data + reply, answer + release + reply, answer + data + abort, rejection]
    return [
        bytes((choices | side, size)) + stream
        for side, streams in ((0, requestor), (_ACCEPTOR, acceptor))
        for stream in streams
        for size in (0, 255)
        for choices in (
            0,
            _WHOLE | _ANSWERS | _SENDS | _RELEASES | _REPLIES,
            _ANSWERS | _SENDS | _REPLIES,
            _ANSWERS | _RELEASES | _REPLIES | _ENDS,
            _ENDS,
        )
    ]


if __name__ == "__main__":
    run(target, seeds())
