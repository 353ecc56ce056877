"""Whatever people and peers wrote: a dossier is set, says it as text, and shows every change that is made to it."""

from __future__ import annotations

import io
import json
import unicodedata
import zipfile

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.register.dossiers import practice, seen

from leadglass.errors import ConfigError
from leadglass.model.dossier import DossierOptions
from leadglass.model.register import Review, Risk, SeenPort, System
from leadglass.register.archive import archive
from leadglass.register.case import Case
from leadglass.register.evidence import rows_of
from leadglass.register.pages import as_typst, characters, pages
from leadglass.register.unpacking import checked
from leadglass.wiring import typesetting

MARKUP = "#$@`*_\\/<>=-+~'\"[]{}()!&|^%;:,. \n\t\x00\x1b\u202e\u2066\u200d\u0301\u20d2\ufe0f"
texts = st.text(st.sampled_from(MARKUP) | st.characters(exclude_categories=["Cs"]), max_size=200)
words = st.sampled_from(
    ["#panic()", "$x", "@here", "`raw`", "*/", "// x", "\\", "A" * 190, "שלום", "日本", "é"]
)
written = st.one_of(texts, st.lists(words, max_size=4).map(" ".join))
systems = st.builds(
    System,
    st.just("evil"),
    owner=written,
    location=written,
    addresses=st.just(("192.0.2.40",)),
    titles=st.tuples(written),
    zones=st.tuples(written),
    peers=st.tuples(written),
    data=st.tuples(written),
    controls=st.tuples(written),
    note=written,
)
reviews = st.builds(Review, st.just("evil"), reviewer=written, note=written)
risks = st.builds(
    Risk, written.filter(bool), st.just("evil"), threat=written, vulnerability=written, owner=written
)
ports = st.builds(SeenPort, st.integers(1, 65535), product=written, version=written)
cases = st.builds(
    lambda by, organisation, system, review, risk, port: practice(
        DossierOptions(organisation=organisation, profiles=("hipaa",)),
        more=[
            (28, by, system),
            (28, by, review),
            (28, by, risk),
            (28, by, seen(28, 2, "192.0.2.40", port, name=system.note)),
        ],
    ),
    written, written, systems, reviews, risks, ports,
)  # fmt: skip
SOURCE = as_typst(pages(practice(), rows_of(practice())))[0]


def packed(case: Case, pdf: bytes = b"%PDF-1.7") -> bytes:
    return archive(case, rows_of(case), pdf)


@given(cases)
@settings(max_examples=15)
def test_text_from_anybody_is_data_that_can_be_seen_and_never_source(case: Case) -> None:
    source, inputs = as_typst(pages(case, rows_of(case)))
    shown = "".join(strings(json.loads(inputs["dossier"])))

    assert source == SOURCE
    assert all(unicodedata.category(char)[0] not in "MC" for char in shown.replace("\u200b", ""))
    assert not any(unicodedata.bidirectional(char) in {"R", "AL", "RLO", "RLE", "RLI"} for char in shown)


def strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in strings(one)]


@given(cases)
@settings(max_examples=6)
def test_pages_are_set_whatever_stands_in_them(case: Case) -> None:
    shown = pages(case, rows_of(case))
    rare = "".join(char for char in characters(shown) if not char.isascii())
    source, inputs = as_typst(shown, typesetting.unset(rare, None))

    assert typesetting.pdf(source, inputs, case.moment, None, ("a-2a", "ua-1")).startswith(b"%PDF-1.7")


@given(cases)
@settings(max_examples=15)
def test_an_archive_of_anything_is_whole(case: Case) -> None:
    found = checked(io.BytesIO(packed(case)), "here", None)

    assert (found.head, found.faults, found.remade) == (case.head, (), True)


ARCHIVE = packed(practice())


@given(st.data())
@settings(max_examples=60)
def test_no_byte_of_a_file_in_an_archive_changes_unseen(data: st.DataObject) -> None:
    with zipfile.ZipFile(io.BytesIO(ARCHIVE)) as zipped:
        files = {name: zipped.read(name) for name in zipped.namelist()}
    name = data.draw(st.sampled_from([name for name, content in sorted(files.items()) if content]))
    at = data.draw(st.integers(0, len(files[name]) - 1))
    byte = data.draw(st.integers(1, 255))
    changed = bytearray(files[name])
    changed[at] ^= byte
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zipped:
        for each, content in files.items():
            zipped.writestr(each, bytes(changed) if each == name else content)

    assert complaints(out.getvalue())


def deflated() -> bytes:
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(ARCHIVE)) as zipped,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as other,
    ):
        for name in zipped.namelist():
            other.writestr(name, zipped.read(name))
    return out.getvalue()


DEFLATED = deflated()


def altered(raw: bytes, at: int, byte: int) -> bytes:
    changed = bytearray(raw)
    changed[at] ^= byte
    return bytes(changed)


def test_an_archive_that_was_packed_anew_is_whole() -> None:
    assert complaints(DEFLATED) == []


@given(
    st.binary(max_size=300)
    | st.integers(0, len(ARCHIVE)).map(lambda end: ARCHIVE[:end])
    | st.builds(altered, st.just(DEFLATED), st.integers(0, len(DEFLATED) - 1), st.integers(1, 255))
    | st.builds(altered, st.just(DEFLATED), st.integers(-2000, -1), st.integers(1, 255))
)
@settings(max_examples=200)
def test_any_bytes_are_an_archive_or_refused_in_one_line(raw: bytes) -> None:
    assert all("\n" not in said for said in complaints(raw))


def complaints(raw: bytes) -> list[str]:
    """What is wrong with an archive, in lines; none of them if it is whole."""
    try:
        return list(checked(io.BytesIO(raw), "here", None).faults)
    except ConfigError as error:
        return [str(error)]
