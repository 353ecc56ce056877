"""The head of a data set in pieces: complete as early as it can be, the same however it is cut, checked to the end."""

from __future__ import annotations

import sys

import pytest
from tests.unit.wire.data_sets import (
    BIG,
    EXPLICIT,
    IMPLICIT,
    SYNTAXES,
    UNDEFINED,
    element,
    item,
    item_end,
    sequence_end,
)

from leadglass.errors import LocalProtocolError, RemoteProtocolError
from leadglass.wire.elements import HeadReader, Syntax, walk

MODALITY, REFERENCED, NAME, PATIENT, STUDY = 0x0008_0060, 0x0008_1115, 0x0010_0010, 0x0010_0020, 0x0020_000D
SERIES, PIXELS = 0x0020_000E, 0x7FE0_0010
WANTED = frozenset({MODALITY, REFERENCED, PATIENT, STUDY})

each_syntax = pytest.mark.parametrize("syntax", SYNTAXES, ids=["implicit", "explicit", "explicit big endian"])


def reader(syntax: Syntax, limit: int = 256 * 1024) -> HeadReader:
    return HeadReader(syntax, WANTED, SERIES, limit)


def items(syntax: Syntax) -> bytes:
    first = item(syntax, element(syntax, NAME, "PN", b"x "))
    second = item(syntax, element(syntax, STUDY, "UI", b"9.9 "), length=UNDEFINED) + item_end(syntax)
    return first + second + sequence_end(syntax)


def head(syntax: Syntax) -> bytes:
    return b"".join(
        (
            element(syntax, MODALITY, "CS", b"CT"),
            element(syntax, REFERENCED, "SQ", items(syntax), length=UNDEFINED),
            element(syntax, NAME, "PN", b"Doe^Jane"),
            element(syntax, PATIENT, "LO", b"4711"),
            element(syntax, STUDY, "UI", b"2.25.7"),
        )
    )


def rest(syntax: Syntax) -> bytes:
    pixels = element(syntax, PIXELS, "OW", bytes(range(200)))
    return element(syntax, SERIES, "UI", b"2.25.8") + element(syntax, 0x0028_0010, "US", b"\0\2") + pixels


def fed(made: HeadReader, data: bytes, size: int) -> int:
    """Feeds ``data`` in pieces of ``size`` bytes, as far as the head goes; how many bytes that took."""
    for at in range(0, len(data), size):
        if made.feed(memoryview(data)[at : at + size], last=at + size >= len(data)):
            return at + size
    raise AssertionError("the head was never complete")


# ---- the head


@each_syntax
@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 64, 1000])
def test_the_head_is_the_same_however_it_is_cut(syntax: Syntax, size: int) -> None:
    made = reader(syntax)

    took = fed(made, head(syntax) + rest(syntax), size)

    assert made.values == {
        MODALITY: b"CT",
        REFERENCED: items(syntax),
        PATIENT: b"4711",
        STUDY: b"2.25.7",
    }
    assert set(made.vrs.values()) == ({"CS", "SQ", "LO", "UI"} if syntax.explicit else {""})
    assert b"".join(made.held) == (head(syntax) + rest(syntax))[:took]


@each_syntax
def test_the_head_is_complete_when_the_next_tag_is_seen_and_not_before(syntax: Syntax) -> None:
    data = head(syntax) + rest(syntax)

    assert fed(reader(syntax), data, 1) == len(head(syntax)) + 4


@each_syntax
def test_the_head_is_complete_when_the_data_set_ends(syntax: Syntax) -> None:
    made = reader(syntax)

    assert made.feed(head(syntax), last=False) is False
    assert made.complete is False
    assert made.feed(b"", last=True) is True
    assert made.complete is True
    assert made.values[STUDY] == b"2.25.7"


def test_an_empty_data_set_has_an_empty_head() -> None:
    made = reader(EXPLICIT)

    assert made.feed(b"", last=True) is True
    assert (made.values, made.held) == ({}, [])


@each_syntax
def test_what_was_fed_may_change_afterwards(syntax: Syntax) -> None:
    made, buffer = reader(syntax), bytearray(head(syntax) + rest(syntax))

    made.feed(memoryview(buffer), last=False)
    held = made.held
    buffer[:] = bytes(len(buffer))

    assert made.values[STUDY] == b"2.25.7"
    assert made.held == held == [head(syntax) + rest(syntax)]


def test_what_was_fed_is_let_go_once_more_comes() -> None:
    made = reader(EXPLICIT)
    made.feed(head(EXPLICIT) + rest(EXPLICIT)[:40], last=False)

    made.feed(rest(EXPLICIT)[40:60], last=False)

    assert made.held == []


def test_a_head_in_single_bytes_costs_time_and_memory_in_proportion() -> None:
    # An open sequence is the worst case: nothing says how much of it is still to come.
    inner = item(IMPLICIT) * 2_000
    data = element(IMPLICIT, REFERENCED, "", inner + sequence_end(IMPLICIT), length=UNDEFINED)
    made = reader(IMPLICIT)
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        fed(made, data, 1)
    finally:
        sys.setprofile(None)

    assert made.values[REFERENCED] == inner + sequence_end(IMPLICIT)
    assert calls < 60 * len(data)


# ---- what is refused in it


@each_syntax
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_wanted_element_twice_is_refused(syntax: Syntax, size: int) -> None:
    twice = element(syntax, STUDY, "UI", b"2.25.7") + element(syntax, STUDY, "UI", b"2.25.9")

    with pytest.raises(RemoteProtocolError, match="out of order"):
        fed(reader(syntax), twice + rest(syntax), size)


@each_syntax
@pytest.mark.parametrize("tag", [0x0002_0010, 0xFFFE_E00D])
def test_what_data_sets_do_not_have_is_refused(syntax: Syntax, tag: int) -> None:
    with pytest.raises(RemoteProtocolError, match="of a group that data sets do not have"):
        fed(reader(syntax), element(syntax, tag, "UI", b"1.2 ") + rest(syntax), 1000)


@each_syntax
@pytest.mark.parametrize("size", [1, 1000])
def test_a_head_beyond_the_limit_is_refused(syntax: Syntax, size: int) -> None:
    data = head(syntax) + rest(syntax)
    enough = len(head(syntax)) + 4

    fed(reader(syntax, enough), data, size)
    with pytest.raises(RemoteProtocolError, match=f"more than {enough - 1} bytes"):
        fed(reader(syntax, enough - 1), data, size)


@each_syntax
@pytest.mark.parametrize("size", [1, 1000])
def test_a_data_set_that_ends_at_the_limit_is_within_it(syntax: Syntax, size: int) -> None:
    assert fed(reader(syntax, len(head(syntax))), head(syntax), size) >= len(head(syntax))


@pytest.mark.parametrize("syntax", [EXPLICIT, BIG, IMPLICIT])
def test_a_length_that_cannot_fit_the_head_is_refused_when_it_is_read(syntax: Syntax) -> None:
    with pytest.raises(RemoteProtocolError, match="more than 262144 bytes"):
        reader(syntax).feed(element(syntax, 0x0009_1010, "OB", b"x" * 8, length=262_137), last=False)


@each_syntax
def test_an_open_sequence_cannot_grow_beyond_the_limit(syntax: Syntax) -> None:
    made = reader(syntax, 1000)
    made.feed(element(syntax, REFERENCED, "SQ", length=UNDEFINED), last=False)

    with pytest.raises(RemoteProtocolError):
        feed_all(made, item(syntax) * 200, 8)


@each_syntax
def test_a_data_set_that_ends_within_an_element_is_refused(syntax: Syntax) -> None:
    data = head(syntax)
    whole = [size for size in range(len(data) + 1) if ends_well(data[:size], syntax)]

    assert whole == [0, *(span.end for span in walk(data, syntax))]


def ends_well(data: bytes, syntax: Syntax) -> bool:
    try:
        return reader(syntax).feed(data, last=True)
    except RemoteProtocolError:
        return False


# ---- the rest


@each_syntax
@pytest.mark.parametrize("size", [1, 3, 50, 100_000])
def test_the_rest_is_checked_as_it_passes(syntax: Syntax, size: int) -> None:
    made, data = reader(syntax), head(syntax) + rest(syntax)
    for at in range(0, len(data), size):
        complete = made.feed(data[at : at + size], last=at + size >= len(data))

    assert complete
    assert made.values[STUDY] == b"2.25.7"


@each_syntax
@pytest.mark.parametrize("size", [1, 3, 50, 100_000])
@pytest.mark.parametrize(
    "hidden", [STUDY, PATIENT, 0x0008_0018, 0x0002_0010], ids=["study", "patient", "instance", "file meta"]
)
def test_a_second_head_behind_the_first_is_refused(syntax: Syntax, size: int, hidden: int) -> None:
    data = head(syntax) + rest(syntax) + element(syntax, hidden, "UI", b"2.25.9")

    with pytest.raises(RemoteProtocolError):
        feed_all(reader(syntax), data, size)


def feed_all(made: HeadReader, data: bytes, size: int) -> None:
    for at in range(0, len(data), size):
        made.feed(data[at : at + size], last=at + size >= len(data))


@each_syntax
@pytest.mark.parametrize("size", [1, 3, 50, 100_000])
def test_the_order_of_the_rest_is_its_own_affair(syntax: Syntax, size: int) -> None:
    shuffled = element(syntax, 0x0028_0010, "US", b"\0\2") + element(syntax, SERIES, "UI", b"2.25.8")

    feed_all(reader(syntax), head(syntax) + shuffled * 2, size)


@each_syntax
@pytest.mark.parametrize("size", [1, 3, 50, 100_000])
def test_a_sequence_in_the_rest_must_add_up(syntax: Syntax, size: int) -> None:
    overrunning = element(syntax, 0x0040_0275, "SQ", item(syntax, length=100)) + bytes(200)

    with pytest.raises(RemoteProtocolError):
        feed_all(reader(syntax), head(syntax) + rest(syntax)[:14] + overrunning, size)


@each_syntax
@pytest.mark.parametrize("size", [1, 3, 50, 100_000])
def test_a_rest_that_ends_within_an_element_is_refused(syntax: Syntax, size: int) -> None:
    data = head(syntax) + rest(syntax)

    for cut in (1, 100, 203, 210):
        with pytest.raises(RemoteProtocolError, match="ends within an element"):
            feed_all(reader(syntax), data[:-cut], size)


@pytest.mark.parametrize("syntax", [EXPLICIT, BIG])
@pytest.mark.parametrize("size", [1, 3, 50, 100_000])
def test_encapsulated_pixels_pass(syntax: Syntax, size: int) -> None:
    frames = item(syntax) + item(syntax, bytes(100)) + sequence_end(syntax)
    pixels = element(syntax, PIXELS, "OB", frames, length=UNDEFINED)

    feed_all(reader(syntax), head(syntax) + pixels, size)


def test_the_rest_may_be_far_larger_than_the_head() -> None:
    made, chunk = reader(EXPLICIT), bytes(1 << 20)
    made.feed(head(EXPLICIT) + element(EXPLICIT, PIXELS, "OW", b"", length=100 * len(chunk)), last=False)

    assert all(made.feed(chunk, last=number == 99) for number in range(100))


# ---- our own misuse


def test_feeding_beyond_the_end_is_our_own_error() -> None:
    made = reader(EXPLICIT)
    made.feed(b"", last=True)

    with pytest.raises(LocalProtocolError):
        made.feed(b"", last=True)


@pytest.mark.parametrize("stop", [STUDY, 0x0008_0000, 0xFFFF_0000])
def test_a_head_that_ends_before_what_is_wanted_is_our_own_error(stop: int) -> None:
    with pytest.raises(LocalProtocolError):
        HeadReader(EXPLICIT, WANTED, stop)
