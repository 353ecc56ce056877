"""For all data sets that pydicom writes and all damage to them: walked as pydicom reads them, or refused."""

from __future__ import annotations

import io
import itertools
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence
from tests.property import wire_strategies as some

from leadglass.errors import RemoteProtocolError
from leadglass.wire.elements import (
    HeadReader,
    Span,
    Syntax,
    encode_element,
    items,
    syntax_of,
    text_values,
    uid_values,
    walk,
)
from leadglass.wire.sequences import SEQUENCES

SYNTAXES = [Syntax(explicit, little) for explicit, little in ((False, True), (True, True), (True, False))]
syntaxes = st.sampled_from(SYNTAXES)
slow = settings(max_examples=min(settings().max_examples, 1_000))
"""Pydicom takes its time with each data set."""

# ---- data sets of pydicom

words = st.text("ABCDEFGHIJ 0123456789", max_size=12).map(str.strip)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "LO": words | st.lists(words, max_size=3),
    "PN": words,
    "UI": some.uids | st.lists(some.uids, max_size=3),
    "UT": words,
    "UC": words,
    "OB": st.binary(max_size=20).map(lambda value: value[: len(value) & ~1]),
    "OW": st.binary(max_size=20).map(lambda value: value[: len(value) & ~1]),
    "UN": st.binary(max_size=20).map(lambda value: b"\0" + value[1 : len(value) & ~1] if value[1:] else b""),
    "US": some.u16 | st.lists(some.u16, max_size=3),
    "UL": some.u32,
    "FD": st.floats(allow_nan=False),
    "AT": some.u32,
    "SV": st.integers(-(2**63), 2**63 - 1),
}
tags = st.integers(0x0008_0001, 0xFFFC_FFFF).filter(lambda tag: tag & 0xFFFF != 0 and tag != 0x7FE0_0010)
plain_tags = tags.filter(lambda tag: tag not in SEQUENCES) | st.sampled_from(
    [0x0008_0018, 0x0010_0010, 0x0010_0020, 0x0020_000D, 0x0020_000E]
)
private_tags = tags.map(lambda tag: tag | 0x0001_0000)
sequence_tags = private_tags | st.sampled_from(sorted(SEQUENCES))


@st.composite
def plain(draw: st.DrawFn) -> DataElement:
    vr = draw(st.sampled_from(sorted(VALUES)))
    # In place of UN pydicom gives a standard tag its own VR.
    return DataElement(draw(private_tags if vr == "UN" else plain_tags), vr, draw(VALUES[vr]))


def sequences(contents: st.SearchStrategy[Dataset]) -> st.SearchStrategy[DataElement]:
    @st.composite
    def one(draw: st.DrawFn) -> DataElement:
        made = DataElement(draw(sequence_tags), "SQ", Sequence(draw(st.lists(contents, max_size=3))))
        made.is_undefined_length = draw(st.booleans())
        for item in made.value:
            item.is_undefined_length_sequence_item = draw(st.booleans())
        return made

    return one()


def of_elements(elements: st.SearchStrategy[DataElement]) -> st.SearchStrategy[Dataset]:
    def made(chosen: list[DataElement]) -> Dataset:
        data_set = Dataset()
        for element in chosen:
            data_set[element.tag] = element
        return data_set

    return st.lists(elements, max_size=6).map(made)


data_sets = st.recursive(
    of_elements(plain()), lambda inner: of_elements(plain() | sequences(inner)), max_leaves=6
)


def encoded(data_set: Dataset, syntax: Syntax) -> bytes:
    written = DicomBytesIO()
    written.is_implicit_VR, written.is_little_endian = not syntax.explicit, syntax.little
    write_dataset(written, data_set)
    return bytes(written.getvalue())


def read_by_pydicom(data: bytes, syntax: Syntax) -> dict[int, bytes | None]:
    """Tags and values; None for a sequence, which pydicom reads into data sets."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read = read_dataset(io.BytesIO(data), not syntax.explicit, syntax.little)
        raw = {int(tag): read.get_item(tag) for tag in read.keys()}  # noqa: SIM118 - iterating converts
    return {tag: value_of(found, syntax) for tag, found in raw.items()}


def value_of(found: Any, syntax: Syntax) -> bytes | None:
    if not found.is_raw:
        return None
    # Pydicom leaves out the delimiter of encapsulated pixel data.
    end = (b"\xfe\xff\xdd\xe0" if syntax.little else b"\xff\xfe\xe0\xdd") + bytes(4)
    return (found.value or b"") + (end if found.length == 0xFFFFFFFF else b"")


def differing(data: bytes, spans: list[Span], syntax: Syntax) -> list[str]:
    """The tags that only one of us found, or of which we have other values."""
    ours = {span.tag: data[span.value_at : span.end] for span in spans}
    theirs = read_by_pydicom(data, syntax)
    return [
        f"{tag:08X}"
        for tag in ours.keys() | theirs.keys()
        if tag not in ours or tag not in theirs or theirs[tag] not in {None, ours[tag]}
    ]


# ---- what pydicom writes


@slow
@given(data_sets, syntaxes)
def test_what_pydicom_writes_is_walked_as_pydicom_reads_it(data_set: Dataset, syntax: Syntax) -> None:
    data = encoded(data_set, syntax)

    spans = list(walk(data, syntax))

    assert [span.tag for span in spans] == sorted(map(int, data_set.keys()))
    assert [span.start for span in spans] == [0, *(span.end for span in spans)][:-1] or not spans
    assert differing(data, spans, syntax) == []
    if syntax.explicit:
        assert [span.vr for span in spans] == [data_set[span.tag].VR for span in spans]


@slow
@given(data_sets, syntaxes)
def test_the_items_of_a_sequence_are_what_pydicom_put_there(data_set: Dataset, syntax: Syntax) -> None:
    data = encoded(data_set, syntax)

    for span in walk(data, syntax):
        element = data_set[span.tag]
        if element.VR == "SQ":
            found = [data[start:end] for start, end in items(data, span, syntax)]
            assert found == [encoded(item, syntax) for item in element.value]


@slow
@given(data_sets, syntaxes)
def test_what_is_walked_can_be_written_again(data_set: Dataset, syntax: Syntax) -> None:
    data = encoded(data_set, syntax)

    for span in walk(data, syntax):
        value = data[span.value_at : span.end]
        if data_set[span.tag].VR != "SQ":
            assert (
                encode_element(span.tag, data_set[span.tag].VR, value, syntax) == data[span.start : span.end]
            )


@slow
@given(st.lists(words.filter(bool), max_size=4), st.lists(some.uids, max_size=4))
def test_text_and_uids_are_read_as_they_were_written(texts: list[str], uids: list[str]) -> None:
    data_set = Dataset()
    data_set.add_new(0x0008_1080, "LO", texts)
    data_set.add_new(0x0020_000D, "UI", uids)
    data = encoded(data_set, SYNTAXES[1])

    text, uid = (data[span.value_at : span.end] for span in walk(data, SYNTAXES[1]))

    assert (text_values(text), uid_values(uid)) == (tuple(texts), tuple(uids))


# ---- what is damaged


@slow
@given(data_sets, syntaxes)
def test_a_data_set_cut_anywhere_yields_a_prefix(data_set: Dataset, syntax: Syntax) -> None:
    data = encoded(data_set, syntax)
    whole = list(walk(data, syntax))

    for size in range(len(data)):
        came, refused = walked(data[:size], syntax)
        assert came == [span for span in whole if span.end <= size]
        assert refused is (size not in {0, *(span.end for span in whole)})


def walked(data: bytes, syntax: Syntax) -> tuple[list[Span], bool]:
    """The elements, and whether it was refused after them."""
    came: list[Span] = []
    try:
        came.extend(walk(data, syntax))
    except RemoteProtocolError:
        return came, True
    return came, False


@slow
@given(st.data(), syntaxes)
def test_damage_that_is_not_refused_is_read_by_pydicom_alike(data: st.DataObject, syntax: Syntax) -> None:
    damaged = data.draw(some.damaged(data_sets.map(lambda made: encoded(made, syntax))))

    spans, refused = walked(damaged, syntax)

    if not refused:
        assert differing(damaged, spans, syntax) == []


# ---- heads

stops = st.sampled_from([0x0010_0020, 0x0020_000E, 0x7FE0_0010, 0xFFFE_0000]) | tags


def pieces(data: bytes, cuts: list[int]) -> Iterator[tuple[bytes, bool]]:
    for start, stop in itertools.pairwise(cuts):
        yield data[start:stop], stop == len(data)
    if len(cuts) < 2:
        yield data, True


def read_head(reader: HeadReader, data: bytes, cuts: list[int]) -> dict[int, bytes] | None:
    try:
        for fragment, last in pieces(data, cuts):
            reader.feed(fragment, last=last)
    except RemoteProtocolError:
        return None
    return dict(reader.values)


@slow
@given(st.data(), data_sets, syntaxes, stops)
def test_a_head_holds_what_is_wanted_however_it_is_cut(
    data: st.DataObject, data_set: Dataset, syntax: Syntax, stop: int
) -> None:
    whole = encoded(data_set, syntax)
    head = [span for span in walk(whole, syntax) if span.tag < stop]
    wanted = frozenset(span.tag for span in head if data.draw(st.booleans()))
    cuts = data.draw(some.cuttings(len(whole)))

    assert read_head(HeadReader(syntax, wanted, stop), whole, cuts) == {
        span.tag: whole[span.value_at : span.end] for span in head if span.tag in wanted
    }


@slow
@given(st.data(), syntaxes, stops, st.integers(0, 300))
def test_a_damaged_head_is_refused_or_not_however_it_is_cut(
    data: st.DataObject, syntax: Syntax, stop: int, limit: int
) -> None:
    damaged = data.draw(some.damaged(data_sets.map(lambda made: encoded(made, syntax))))
    wanted = frozenset(tag for tag in (0x0008_0018, 0x0010_0010, 0x0020_000D) if tag < stop)
    cuts = data.draw(some.cuttings(len(damaged)))

    at_once = read_head(HeadReader(syntax, wanted, stop, limit), damaged, [0, len(damaged)])
    in_pieces = read_head(HeadReader(syntax, wanted, stop, limit), damaged, cuts)
    by_bytes = read_head(HeadReader(syntax, wanted, stop, limit), damaged, list(range(len(damaged) + 1)))

    assert at_once == in_pieces == by_bytes


@slow
@given(st.data(), syntaxes)
def test_a_reader_and_a_walk_agree_on_what_is_a_data_set(data: st.DataObject, syntax: Syntax) -> None:
    damaged = data.draw(some.damaged(data_sets.map(lambda made: encoded(made, syntax))))
    spans, refused = walked(damaged, syntax)
    wanted = frozenset(span.tag for span in spans)

    found = read_head(HeadReader(syntax, wanted, 0xFFFE_0000), damaged, [0, len(damaged)])

    assert (found is None) is refused
    assert refused or found == {span.tag: damaged[span.value_at : span.end] for span in spans}


# ---- what pydicom brings along

FOLDER = Path(pydicom.__file__).parent / "data" / "test_files"
NOT_DATA_SETS = {
    "DICOMDIR-empty.dcm": "of a group",  # its elements of group 0004 exist in files only
    "MR_truncated.dcm": "longer than its data set",
    "SC_rgb_jpeg.dcm": "no VR of the standard",  # in implicit VR, which it denies
    "nested_priv_SQ.dcm": "of a group",  # group 0001
    "rtplan_truncated.dcm": "longer than what it stands in",
}


def transfer_syntax(path: Path) -> str | None:
    """What the file meta information says, if there is any (PS3.10 7.1)."""
    with path.open("rb") as file:
        head = file.read(1024)
    if head[128:136] != b"DICM\2\0\0\0":
        return None
    meta = head[144 : 144 + int.from_bytes(head[140:144], "little")]
    read = read_dataset(io.BytesIO(meta), is_implicit_VR=False, is_little_endian=True)
    return str(read.TransferSyntaxUID) if "TransferSyntaxUID" in read else None


FILES = {
    path.relative_to(FOLDER).as_posix(): syntax
    for path in sorted(FOLDER.rglob("*.dcm"))
    if (uid := transfer_syntax(path)) and (syntax := syntax_of(uid))
}


def data_set_of(name: str) -> bytes:
    data = (FOLDER / name).read_bytes()
    return data[144 + int.from_bytes(data[140:144], "little") :]


def test_there_are_many_files_in_every_syntax() -> None:
    assert len(FILES) > 60
    assert set(FILES.values()) == set(SYNTAXES)


@pytest.mark.parametrize("name", FILES)
def test_files_of_many_makers_are_walked_as_pydicom_reads_them(name: str) -> None:
    data, syntax = data_set_of(name), FILES[name]

    refusal = NOT_DATA_SETS.get(name.rpartition("/")[2])
    if refusal:
        with pytest.raises(RemoteProtocolError, match=refusal):
            list(walk(data, syntax))
    else:
        assert differing(data, list(walk(data, syntax)), syntax) == []
