"""Data sets walked: what an element is, what a sequence is, what neither is; values of text and UIDs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from pydicom.datadict import DicomDictionary
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

import leadglass
from leadglass.errors import LocalProtocolError, RemoteProtocolError
from leadglass.wire import uids
from leadglass.wire.elements import (
    Span,
    Syntax,
    encode_element,
    items,
    syntax_of,
    syntax_within,
    text_values,
    uid_values,
    walk,
)
from leadglass.wire.sequences import SEQUENCES

PACKAGE = Path(leadglass.__file__).parent

NAME, STUDY = 0x0010_0010, 0x0020_000D
REFERENCED = 0x0008_1115  # a sequence by PS3.6
PRIVATE = 0x0009_1010
PIXELS = 0x7FE0_0010

each_syntax = pytest.mark.parametrize("syntax", SYNTAXES, ids=["implicit", "explicit", "explicit big endian"])


def patient(syntax: Syntax) -> bytes:
    return element(syntax, NAME, "PN", b"Doe^Jane")


def uid(syntax: Syntax, value: bytes = b"2.25.7") -> bytes:
    return element(syntax, STUDY, "UI", value)


def tags(data: bytes, syntax: Syntax) -> list[int]:
    return [span.tag for span in walk(data, syntax)]


# ---- syntaxes


@pytest.mark.parametrize(
    ("transfer_syntax", "syntax"),
    [
        (uids.IMPLICIT_VR_LE, IMPLICIT),
        (uids.EXPLICIT_VR_LE, EXPLICIT),
        (uids.EXPLICIT_VR_BE, BIG),
        (uids.JPEG_LOSSLESS, EXPLICIT),
        ("1.2.3", EXPLICIT),
        (uids.DEFLATED_EXPLICIT_VR_LE, None),
        (uids.JPIP_REFERENCED_DEFLATE, None),
        (uids.JPIP_HTJ2K_REFERENCED_DEFLATE, None),
    ],
)
def test_a_transfer_syntax_says_how_elements_are_coded(transfer_syntax: str, syntax: Syntax | None) -> None:
    assert syntax_of(transfer_syntax) == syntax


# ---- walking


@each_syntax
def test_a_data_set_is_walked(syntax: Syntax) -> None:
    data = patient(syntax) + uid(syntax)
    vrs = ("PN", "UI") if syntax.explicit else ("", "")

    first, second = walk(data, syntax)

    assert first == Span(NAME, vrs[0], 0, 8, 16)
    assert second == Span(STUDY, vrs[1], 16, 24, 30)


def test_an_empty_data_set_has_no_elements() -> None:
    assert list(walk(b"", EXPLICIT)) == []


@each_syntax
def test_a_view_is_walked_like_bytes(syntax: Syntax) -> None:
    data = patient(syntax) + uid(syntax)

    assert list(walk(memoryview(data), syntax)) == list(walk(data, syntax))


@each_syntax
def test_a_part_is_walked_where_it_lies(syntax: Syntax) -> None:
    data = b"before" + uid(syntax) + b"behind"

    assert tags(data[6:-6], syntax) == [STUDY]
    (span,) = walk(data, syntax, 6, len(data) - 6)
    assert (span.start, data[span.value_at : span.end]) == (6, b"2.25.7")


@pytest.mark.parametrize("part", [(-1, 4), (3, 2), (0, 5)])
def test_a_part_that_is_not_there_is_our_own_error(part: tuple[int, int]) -> None:
    with pytest.raises(LocalProtocolError):
        walk(b"1234", IMPLICIT, *part)


@each_syntax
@pytest.mark.parametrize("vr", ["OB", "OW", "UN", "UT", "OV", "SV"])
def test_a_long_length_is_read_with_its_reserved_bytes(syntax: Syntax, vr: str) -> None:
    data = element(syntax, PRIVATE, vr, bytes(70_000)) + uid(syntax)

    first, second = walk(data, syntax)

    assert first.end - first.value_at == 70_000
    assert second.tag == STUDY


@each_syntax
@pytest.mark.parametrize("length", [1, 5, 7, 9])
def test_odd_lengths_are_let_through(syntax: Syntax, length: int) -> None:
    data = element(syntax, NAME, "PN", b"x" * length) + uid(syntax)

    assert tags(data, syntax) == [NAME, STUDY]


# ---- what is refused


@each_syntax
def test_elements_out_of_order_or_twice_are_refused_where_they_stand(syntax: Syntax) -> None:
    for data in (uid(syntax) + patient(syntax), uid(syntax) * 2):
        walked = walk(data, syntax)

        assert next(walked).tag == STUDY
        with pytest.raises(RemoteProtocolError, match="out of order"):
            next(walked)


@each_syntax
@pytest.mark.parametrize("tag", [0x0000_0002, 0x0002_0010, 0x0004_1220, 0x0006_0001, 0x0007_FFFF])
def test_groups_of_commands_and_files_are_refused(syntax: Syntax, tag: int) -> None:
    # A file meta element within a stored object would be taken for the file's own by many readers.
    with pytest.raises(RemoteProtocolError, match="of a group that data sets do not have"):
        tags(element(syntax, tag, "UI", b"1.2.3 "), syntax)


@each_syntax
@pytest.mark.parametrize("number", [0xE000, 0xE00D, 0xE0DD])
def test_delimiters_outside_of_a_sequence_are_refused(syntax: Syntax, number: int) -> None:
    with pytest.raises(RemoteProtocolError, match=f"FFFE,{number:04X}"):
        tags(uid(syntax) + element(syntax._replace(explicit=False), 0xFFFE_0000 | number, ""), syntax)


@pytest.mark.parametrize("vr", ["XX", "??", "\0\0", "  ", "ui", "U1"])
def test_a_vr_that_the_standard_does_not_have_is_refused(vr: str) -> None:
    with pytest.raises(RemoteProtocolError, match="no VR of the standard"):
        tags(element(EXPLICIT, NAME, vr, b"x "), EXPLICIT)


@each_syntax
@pytest.mark.parametrize("length", [17, 0xFFFE])
def test_a_length_beyond_the_data_set_is_refused(syntax: Syntax, length: int) -> None:
    with pytest.raises(RemoteProtocolError, match="longer than its data set"):
        tags(element(syntax, NAME, "PN", b"x" * 16, length=length), syntax)


@pytest.mark.parametrize("length", [0xFFFFFFFE, 0xFFFFFF00, 0x80000000])
def test_four_gigabytes_are_refused_at_once(length: int) -> None:
    with pytest.raises(RemoteProtocolError, match="longer than its data set"):
        tags(element(EXPLICIT, PRIVATE, "OB", b"x", length=length), EXPLICIT)


@pytest.mark.parametrize("vr", ["OB", "OW", "UT", "OF"])
def test_only_sequences_and_pixels_may_leave_their_length_open(vr: str) -> None:
    data = element(EXPLICIT, PRIVATE, vr, sequence_end(EXPLICIT), length=UNDEFINED)

    with pytest.raises(RemoteProtocolError, match="has no length"):
        tags(data, EXPLICIT)


@pytest.mark.parametrize("tag", [NAME, 0x0008_0001, PIXELS])
def test_in_implicit_vr_a_standard_tag_of_open_length_must_be_a_sequence(tag: int) -> None:
    # Pydicom looks for the next delimiter here, whatever it lies in.
    hiding = item(IMPLICIT, element(IMPLICIT, NAME, "", sequence_end(IMPLICIT) + uid(IMPLICIT)))
    data = element(IMPLICIT, tag, "", hiding + sequence_end(IMPLICIT), length=UNDEFINED)

    with pytest.raises(RemoteProtocolError, match="has no length"):
        tags(data, IMPLICIT)


# ---- sequences


def nested(
    syntax: Syntax, tag: int, vr: str, content: bytes, *, open_sequence: bool, open_item: bool
) -> bytes:
    inner = item(syntax, content, length=UNDEFINED) + item_end(syntax) if open_item else item(syntax, content)
    if open_sequence:
        return element(syntax, tag, vr, inner + sequence_end(syntax), length=UNDEFINED)
    return element(syntax, tag, vr, inner)


@each_syntax
@pytest.mark.parametrize("open_sequence", [True, False])
@pytest.mark.parametrize("open_item", [True, False])
def test_a_sequence_is_passed_over_and_its_items_found(
    syntax: Syntax, open_sequence: bool, open_item: bool
) -> None:
    content = patient(syntax) + uid(syntax)
    data = nested(syntax, REFERENCED, "SQ", content, open_sequence=open_sequence, open_item=open_item) + uid(
        syntax
    )

    sequence, behind = walk(data, syntax)
    ((start, end),) = items(data, sequence, syntax)

    assert (sequence.tag, behind.tag, sequence.end) == (REFERENCED, STUDY, behind.start)
    assert data[start:end] == content
    assert [span.tag for span in walk(data, syntax, start, end)] == [NAME, STUDY]


@each_syntax
def test_several_items_and_empty_ones_are_told_apart(syntax: Syntax) -> None:
    inner = item(syntax) + item(syntax, uid(syntax)) + item(syntax, b"", length=UNDEFINED) + item_end(syntax)
    data = element(syntax, REFERENCED, "SQ", inner)

    (span,) = walk(data, syntax)

    assert [data[start:end] for start, end in items(data, span, syntax)] == [b"", uid(syntax), b""]


@each_syntax
def test_a_sequence_without_items_has_none(syntax: Syntax) -> None:
    for data in (
        element(syntax, REFERENCED, "SQ"),
        element(syntax, REFERENCED, "SQ", sequence_end(syntax), length=UNDEFINED),
    ):
        (span,) = walk(data, syntax)
        assert list(items(data, span, syntax)) == []


@pytest.mark.parametrize("syntax", [EXPLICIT, BIG])
@pytest.mark.parametrize("open_sequence", [True, False])
def test_a_sequence_of_vr_un_is_in_implicit_little_endian(syntax: Syntax, open_sequence: bool) -> None:
    value = item(IMPLICIT, uid(IMPLICIT)) + (sequence_end(IMPLICIT) if open_sequence else b"")
    length = UNDEFINED if open_sequence else None
    data = element(syntax, PRIVATE, "UN", value, length=length) + uid(syntax)

    sequence, behind = walk(data, syntax)
    ((start, end),) = items(data, sequence, syntax)

    assert behind.tag == STUDY
    assert syntax_within(sequence, syntax) == IMPLICIT
    assert syntax_within(behind, syntax) == syntax
    assert [span.tag for span in walk(data, IMPLICIT, start, end)] == [STUDY]


@pytest.mark.parametrize("syntax", [EXPLICIT, BIG])
@pytest.mark.parametrize("vr", ["OB", "OW"])
def test_encapsulated_pixels_are_passed_over_unread(syntax: Syntax, vr: str) -> None:
    frames = item(syntax) + item(syntax, b"\xff\xd8 not an element") + sequence_end(syntax)
    data = uid(syntax) + element(syntax, PIXELS, vr, frames, length=UNDEFINED)

    _, pixels = walk(data, syntax)

    assert pixels.end == len(data)


def test_a_fragment_of_pixels_must_have_a_length() -> None:
    frames = item(EXPLICIT, b"", length=UNDEFINED) + item_end(EXPLICIT) + sequence_end(EXPLICIT)

    with pytest.raises(RemoteProtocolError):
        tags(element(EXPLICIT, PIXELS, "OB", frames, length=UNDEFINED), EXPLICIT)


def depth(syntax: Syntax, levels: int, *, undefined: bool) -> bytes:
    content = b""
    for _ in range(levels):
        content = nested(syntax, REFERENCED, "SQ", content, open_sequence=undefined, open_item=undefined)
    return content


@each_syntax
@pytest.mark.parametrize("undefined", [True, False])
def test_sequences_may_lie_sixteen_deep_and_not_deeper(syntax: Syntax, undefined: bool) -> None:
    assert tags(depth(syntax, 16, undefined=undefined), syntax) == [REFERENCED]
    with pytest.raises(RemoteProtocolError, match="more than 16 sequences"):
        tags(depth(syntax, 17, undefined=undefined), syntax)


def test_a_data_set_of_brackets_costs_no_stack() -> None:
    opening = element(IMPLICIT, REFERENCED, "", length=UNDEFINED) + item(IMPLICIT, length=UNDEFINED)

    with pytest.raises(RemoteProtocolError, match="more than 16 sequences"):
        tags(opening * 100_000, IMPLICIT)


# Each would let a reader that trusts the inner length see other elements behind the sequence than one
# that trusts the outer.
CONTRADICTIONS: Mapping[str, Callable[[Syntax], bytes]] = {
    "an item beyond its sequence": lambda s: item(s, length=100),
    "an element beyond its item": lambda s: item(s, element(s, NAME, "PN", length=100)),
    "an element in an open item beyond its sequence": lambda s: item(
        s, element(s, NAME, "PN", b"x", length=100), length=UNDEFINED
    ),
    "a delimiter that ends a sequence early": lambda s: sequence_end(s) + patient(s),
    "a delimiter at the end of a sequence with a length": lambda s: item(s) + sequence_end(s),
    "a delimiter in an item with a length": lambda s: item(s, item_end(s) + patient(s)),
    "a delimiter of an item that nobody opened": lambda s: item(s) + item_end(s),
    "no item at all": uid,
    "an element between items": lambda s: item(s) + uid(s) + item(s),
    "an item within an item": lambda s: item(s, item(s)),
    "a delimiter with a length": lambda s: item(s, length=UNDEFINED) + item_end(s, length=4) + b"1234",
    "an open item that is never closed": lambda s: item(s, uid(s), length=UNDEFINED),
    "half a header": lambda s: item(s) + b"\xfe\xff\0\xe0",
    "half an element": lambda s: item(s, uid(s)[:7]),
    "a sequence end in place of an item end": lambda s: item(s, length=UNDEFINED) + sequence_end(s),
}


@each_syntax
@pytest.mark.parametrize("contradiction", CONTRADICTIONS)
def test_a_sequence_whose_lengths_contradict_each_other_is_refused(
    syntax: Syntax, contradiction: str
) -> None:
    value = CONTRADICTIONS[contradiction](syntax)
    data = element(syntax, REFERENCED, "SQ", value) + patient(syntax) + uid(syntax)

    with pytest.raises(RemoteProtocolError):
        tags(data, syntax)


CLOSING = {"a delimiter that ends a sequence early", "a delimiter at the end of a sequence with a length"}
"""What is right where the length is open."""


@each_syntax
@pytest.mark.parametrize("contradiction", sorted(CONTRADICTIONS.keys() - CLOSING))
def test_so_is_one_whose_length_is_open(syntax: Syntax, contradiction: str) -> None:
    value = CONTRADICTIONS[contradiction](syntax)
    data = element(syntax, REFERENCED, "SQ", value, length=UNDEFINED) + sequence_end(syntax) + uid(syntax)

    with pytest.raises(RemoteProtocolError):
        tags(data, syntax)


@pytest.mark.parametrize("tag", [REFERENCED, PRIVATE])
def test_in_implicit_vr_a_sequence_is_known_by_its_tag_or_by_its_items(tag: int) -> None:
    overrunning = element(IMPLICIT, tag, "", item(IMPLICIT, length=100)) + uid(IMPLICIT)

    with pytest.raises(RemoteProtocolError, match="longer than what it stands in"):
        tags(overrunning, IMPLICIT)


def test_in_implicit_vr_a_standard_sequence_must_hold_items() -> None:
    # An archive that looks the tag up passes over what is no item, by its length.
    hiding = element(IMPLICIT, REFERENCED, "", element(IMPLICIT, NAME, "", length=100)) + uid(IMPLICIT)

    with pytest.raises(RemoteProtocolError, match="stands where an item should be"):
        tags(hiding, IMPLICIT)


@pytest.mark.parametrize("syntax", [EXPLICIT, BIG])
def test_the_same_of_vr_un(syntax: Syntax) -> None:
    hiding = element(syntax, REFERENCED, "UN", element(IMPLICIT, NAME, "", length=100)) + uid(syntax)

    with pytest.raises(RemoteProtocolError, match="stands where an item should be"):
        tags(hiding, syntax)


@pytest.mark.parametrize("value", [b"\xfe\xff\0\0\0\0\0\0", b"\xff\xff\0\xe0\0\0\0\0", b"\xfe\xff\0\xe0"])
def test_opaque_values_that_resemble_an_item_are_opaque(value: bytes) -> None:
    assert tags(element(IMPLICIT, PRIVATE, "", value) + uid(IMPLICIT), IMPLICIT) == [PRIVATE, STUDY]


@each_syntax
def test_items_of_what_is_no_sequence_are_refused(syntax: Syntax) -> None:
    data = element(syntax, NAME, "PN", b"Doe^Jane")
    (span,) = walk(data, syntax)

    with pytest.raises(RemoteProtocolError, match="no sequence" if syntax.explicit else "do not add up"):
        list(items(data, span, syntax))


def test_items_that_lie_elsewhere_are_our_own_error() -> None:
    with pytest.raises(LocalProtocolError):
        list(items(b"short", Span(REFERENCED, "SQ", 0, 0, 8), EXPLICIT))


@each_syntax
def test_a_data_set_cut_anywhere_yields_what_was_whole_and_is_then_refused(syntax: Syntax) -> None:
    data = (
        nested(syntax, REFERENCED, "SQ", uid(syntax), open_sequence=True, open_item=True)
        + nested(syntax, PRIVATE, "SQ", uid(syntax), open_sequence=False, open_item=False)
        + patient(syntax)
        + element(syntax, 0x0042_0011, "OB", bytes(10))
    )
    whole = list(walk(data, syntax))
    borders = {span.end for span in whole} | {0}

    for size in range(len(data)):
        came, refused = walked(data[:size], syntax)
        assert came == [span for span in whole if span.end <= size]
        assert refused is (size not in borders)


def walked(data: bytes, syntax: Syntax) -> tuple[list[Span], bool]:
    """The elements, and whether it was refused after them."""
    came: list[Span] = []
    try:
        came.extend(walk(data, syntax))
    except RemoteProtocolError:
        return came, True
    return came, False


# ---- the list of sequences


def test_the_sequences_are_those_of_the_data_dictionary() -> None:
    theirs = {tag for tag, entry in DicomDictionary.items() if entry[0] == "SQ" and tag >= 0x0008_0000}
    curves = {tag for tag in SEQUENCES if tag & 0xFF01_FFFF == 0x5000_2600}

    assert theirs - SEQUENCES == set()
    assert SEQUENCES - theirs == curves
    assert len(curves) == 16


# ---- encoding


@each_syntax
@pytest.mark.parametrize(
    ("vr", "value", "padded"),
    [
        ("PN", b"Doe^Jan", b"Doe^Jan "),
        ("UI", b"2.25.77", b"2.25.77\0"),
        ("OB", b"x", b"x\0"),
        ("UN", b"x", b"x\0"),
        ("UT", b"x", b"x "),
        ("US", b"\1\0", b"\1\0"),
        ("CS", b"", b""),
        ("SQ", b"", b""),
    ],
)
def test_an_element_is_encoded_and_padded_as_its_vr_asks(
    syntax: Syntax, vr: str, value: bytes, padded: bytes
) -> None:
    assert encode_element(NAME, vr, value, syntax) == element(syntax, NAME, vr, padded)


def test_in_implicit_vr_no_vr_is_needed() -> None:
    assert encode_element(STUDY, "", b"2.25.77", IMPLICIT) == element(IMPLICIT, STUDY, "", b"2.25.77\0")


@pytest.mark.parametrize(
    ("tag", "vr", "value", "syntax"),
    [
        (0x0002_0010, "UI", b"", EXPLICIT),
        (0xFFFE_E000, "UI", b"", EXPLICIT),
        (-1, "UI", b"", EXPLICIT),
        (1 << 32, "UI", b"", EXPLICIT),
        (NAME, "XX", b"", EXPLICIT),
        (NAME, "XX", b"", IMPLICIT),
        (NAME, "", b"", EXPLICIT),
        (NAME, "US", b"x", EXPLICIT),
        (NAME, "SQ", b"x", IMPLICIT),
        (NAME, "LT", b"x" * 65536, EXPLICIT),
    ],
)
def test_what_cannot_be_written_is_our_own_error(tag: int, vr: str, value: bytes, syntax: Syntax) -> None:
    with pytest.raises(LocalProtocolError):
        encode_element(tag, vr, value, syntax)


# ---- values


@pytest.mark.parametrize(
    ("raw", "values"),
    [
        (b"", ()),
        (b"  ", ()),
        (b"\0\0", ()),
        (b"CT", ("CT",)),
        (b" CT \0", ("CT",)),
        (b"CT\\MR ", ("CT", "MR")),
        (b"CT \\ MR\0", ("CT", "MR")),
        (b"\\CT", ("", "CT")),
        (b"CT\\", ("CT", "")),
        (b"M\xfcller", ("Müller",)),
        (b"C\0T", ("C\0T",)),
    ],
)
def test_text_is_split_and_stripped(raw: bytes, values: tuple[str, ...]) -> None:
    assert text_values(raw) == values
    assert text_values(memoryview(raw)) == values


@pytest.mark.parametrize(
    ("raw", "values"),
    [
        (b"", ()),
        (b"\0", ()),
        (b"1.2\0", ("1.2",)),
        (b"1.2 ", ("1.2",)),
        (b"1.2\\2.25.7\0", ("1.2", "2.25.7")),
        (b"1.2.840.01", ("1.2.840.01",)),
        (b"1." + b"2" * 62, ("1." + "2" * 62,)),
    ],
)
def test_uids_are_read(raw: bytes, values: tuple[str, ...]) -> None:
    assert uid_values(raw) == values
    assert uid_values(memoryview(raw)) == values


@pytest.mark.parametrize(
    "raw",
    [
        b"1",
        b"1.",
        b".1",
        b"1..2",
        b"*",
        b"1.2.*",
        b"1.2?",
        b" 1.2",
        b"1.2\\",
        b"\\1.2",
        b"1.2\\\\1.3",
        b"1.2\0\\1.3",
        b"1.2\x00.3",
        b"1.2/../3",
        b"1.2.a",
        b"1.2.\xb2",
        b"1.2\n",
        b"1." + b"2" * 63,
    ],
)
def test_what_is_no_uid_is_refused(raw: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        uid_values(raw)


# ---- who may


SAMPLE = PACKAGE / "probe" / "sample.py"


def test_nothing_that_scans_can_walk_a_data_set_but_the_sample() -> None:
    readers = re.compile(r"leadglass\.wire(\.| import .*)\b(elements|heads|coding)\b")
    folders = {
        path.relative_to(PACKAGE).parts[0]
        for path in PACKAGE.rglob("*.py")
        if readers.search(path.read_text(encoding="utf-8")) and path != SAMPLE
    }

    assert readers.search(SAMPLE.read_text(encoding="utf-8"))
    assert "wire" in folders
    assert folders.isdisjoint({"probe", "scan", "net", "judge", "imports", "store", "report", "cli"})
