"""Any bytes: elements or RemoteProtocolError; bounded memory and time. A walk and a reader of heads agree.

Input: a byte that says the syntax, one that says how to cut, then a data set. What is walked lies end
to end, in order, and within the data; items lie within their sequence; what is written again walks the
same. A reader fed with the same bytes in pieces must refuse what the walk refuses, in the head where
it is in the head, and find the same values however it was cut.
"""

from __future__ import annotations

import atheris

with atheris.instrument_imports(include=["leadglass.wire"]):
    from leadglass.wire import elements

# A script finds its neighbours in its own folder; mypy counts modules from the root.
import samples  # type: ignore[import-not-found]
from harness import run  # type: ignore[import-not-found]

from leadglass.errors import RemoteProtocolError
from leadglass.wire.elements import HeadReader, Span, Syntax

SYNTAXES = (
    Syntax(explicit=False, little=True),
    Syntax(explicit=True, little=True),
    Syntax(explicit=True, little=False),
)
WANTED = frozenset({0x0008_0018, 0x0008_1115, 0x0010_0020, 0x0020_000D})
STOP = 0x0020_000E
ENDLESS = 0xFFFE_0000
LIMIT = 512


def walk(data: bytes, syntax: Syntax) -> list[Span] | None:
    """The elements; None if the data set is refused."""
    try:
        spans = list(elements.walk(data, syntax))
    except RemoteProtocolError:
        return None
    at, last = 0, 0
    for span in spans:
        assert (span.start, span.tag > last) == (at, True)
        assert span.start + 8 <= span.value_at <= span.end <= len(data)
        at, last = span.end, span.tag
        look_into(data, span, syntax, 0)
    assert at == len(data)
    return spans


def look_into(data: bytes, span: Span, syntax: Syntax, depth: int) -> None:
    """Items, and the elements within them as far as they are in order."""
    assert depth <= 16
    try:
        for start, end in elements.items(data, span, syntax):
            assert span.value_at + 8 <= start <= end <= span.end
            inner = elements.syntax_within(span, syntax)
            for nested in elements.walk(data, inner, start, end):
                look_into(data, nested, inner, depth + 1)
    except RemoteProtocolError:
        return


def read(
    data: bytes, syntax: Syntax, size: int, stop: int, wanted: frozenset[int]
) -> dict[int, bytes] | None:
    """What a reader of heads finds; None if it refuses."""
    reader = HeadReader(syntax, wanted, stop, LIMIT if stop == STOP else 1 << 20)
    held = b""
    try:
        for at in range(0, len(data) or 1, size):
            piece = data[at : at + size]
            complete = reader.complete
            reader.feed(memoryview(piece), last=at + size >= len(data))
            held = held if complete else held + piece
            assert complete or b"".join(reader.held) == held
    except RemoteProtocolError:
        return None
    assert reader.complete
    return dict(reader.values)


def check(data: bytes, syntax: Syntax, size: int) -> None:
    spans = walk(data, syntax)
    everything = None if spans is None else {span.tag: data[span.value_at : span.end] for span in spans}
    all_tags = frozenset(everything or ())
    assert read(data, syntax, size, ENDLESS, all_tags) == everything
    at_once = read(data, syntax, len(data) or 1, STOP, WANTED)
    assert read(data, syntax, size, STOP, WANTED) == at_once
    if at_once is not None and everything is not None:
        assert at_once == {tag: value for tag, value in everything.items() if tag in WANTED}


def values(data: bytes) -> None:
    text = elements.text_values(data)
    assert all(value == value.strip(" \0") for value in text)
    try:
        uids = elements.uid_values(data)
    except RemoteProtocolError:
        return
    assert "\\".join(uids) == data.decode("ascii").rstrip(" \0")
    assert all(set(uid) <= set("0123456789.") and len(uid) <= 64 for uid in uids)


def target(data: bytes) -> None:
    if len(data) < 2:
        return
    size = data[1] % 32 + 1
    if data[0] % 4 == 3:
        values(data[2:])
    else:
        check(data[2:], SYNTAXES[data[0] % 4], size)


def seeds() -> list[bytes]:
    made = [
        bytes((number, 6)) + samples.data_set(syntax, undefined=undefined)
        for number, syntax in enumerate(SYNTAXES)
        for undefined in (True, False)
    ]
    return [*made, b"\3\0" + b"1.2.840\\2.25.7\0", b"\0\0" + samples.IDENTIFIER]


if __name__ == "__main__":
    run(target, seeds())
