"""Whatever is written down and whatever is done to it: the chain holds, or says where it broke."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from leadglass.ledger.canonical import canonical
from leadglass.ledger.chain import Chain, Head, read_entry
from leadglass.ledger.verify import Break, Broken, Verified, verify

AT = dt.datetime(2026, 11, 21, 5, 0, tzinfo=dt.UTC)

text = st.text(st.characters(exclude_categories=["Cs"]))
keys = st.text(st.characters(max_codepoint=127), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)
bodies = st.dictionaries(keys, values, max_size=4)


@st.composite
def chains(draw: st.DrawFn) -> list[bytes]:
    chain = Chain()
    return [chain.append(body, AT) for body in draw(st.lists(bodies, min_size=2, max_size=8))]


def end(lines: list[bytes]) -> Head:
    entry = read_entry(lines[-1])
    assert entry is not None
    return entry.head


@given(bodies)
def test_any_body_comes_back_as_it_was(body: dict[str, Any]) -> None:
    entry = read_entry(Chain().append(body, AT))

    assert entry is not None
    assert entry.body == body


@given(values)
def test_one_value_has_one_text_in_one_line(value: Any) -> None:
    made = canonical(value)

    assert b"\n" not in made
    assert canonical(json.loads(made)) == made


@given(chains())
def test_a_chain_that_nobody_touched_is_verified(lines: list[bytes]) -> None:
    assert verify(lines, end(lines)) == Verified(end(lines))


def edited(lines: list[bytes], at: int, data: st.DataObject) -> list[bytes]:
    octet = data.draw(st.integers(0, len(lines[at]) - 2))
    new = data.draw(st.integers(0, 255).filter(lambda v: v not in {lines[at][octet], 10}))
    changed = lines[at][:octet] + bytes([new]) + lines[at][octet + 1 :]
    return [*lines[:at], changed, *lines[at + 1 :]]


def deleted(lines: list[bytes], at: int, _: st.DataObject) -> list[bytes]:
    return [*lines[:at], *lines[at + 1 :]]


def twice(lines: list[bytes], at: int, data: st.DataObject) -> list[bytes]:
    where = data.draw(st.integers(at + 1, len(lines)))
    return [*lines[:where], lines[at], *lines[where:]]


def moved(lines: list[bytes], at: int, data: st.DataObject) -> list[bytes]:
    others = deleted(lines, at, data)
    where = data.draw(st.integers(0, len(others)).filter(lambda place: place != at))
    return [*others[:where], lines[at], *others[where:]]


def invented(lines: list[bytes], at: int, data: st.DataObject) -> list[bytes]:
    # One with a number that was there already is told as standing twice: nobody remembers the first.
    stranger = Chain(Head(data.draw(st.integers(at, 99)), "ab" * 32)).append(data.draw(bodies), AT)
    return [*lines[:at], stranger, *lines[at:]]


def rewritten(lines: list[bytes], at: int, data: st.DataObject) -> list[bytes]:
    before = read_entry(lines[at - 1]) if at else None
    line = Chain(before.head if before else Head(0, "0" * 64)).append(data.draw(bodies), AT)
    assume(line != lines[at])
    return [*lines[:at], line, *lines[at + 1 :]]


TAMPERING: dict[Break, Callable[[list[bytes], int, st.DataObject], list[bytes]]] = {
    Break.EDITED: edited,
    Break.DELETED: deleted,
    Break.DUPLICATED: twice,
    Break.REORDERED: moved,
    Break.INSERTED: invented,
}


@given(chains(), st.sampled_from(sorted(TAMPERING, key=lambda what: what.value)), st.data())
def test_what_was_done_and_to_which_entry_is_told(
    lines: list[bytes], what: Break, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(lines) - 1))
    found = verify(TAMPERING[what](lines, at, data), end(lines))

    assert isinstance(found, Broken)
    if what is Break.DELETED and at == len(lines) - 1:
        what = Break.CUT
    assert found.what is what
    # Of two neighbours that changed places, either was moved.
    assert found.n == at + 1 or (what is Break.REORDERED and abs(found.n - at - 1) == 1)


@given(chains(), st.data())
def test_an_entry_with_a_new_digest_is_told(lines: list[bytes], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(lines) - 1))
    found = verify(rewritten(lines, at, data), end(lines))

    assert isinstance(found, Broken)
    assert (found.n, found.what) == (at + 1, Break.EDITED)


@given(st.lists(st.binary(max_size=200).map(lambda line: line + b"\n"), max_size=4), chains())
def test_any_bytes_are_told_and_never_raise(rubbish: list[bytes], lines: list[bytes]) -> None:
    found = verify([*lines[:1], *rubbish, *lines[1:]])

    assert isinstance(found, Broken) == bool(rubbish)
