"""Text in DICOM's character sets, beside pydicom; what cannot be read is no text."""

from __future__ import annotations

import pytest
from pydicom.charset import convert_encodings, decode_bytes

from leadglass.guard.identifiers.text import single, texts

PN_DELIMITERS = {0x5E, 0x3D}

# Names of PS3.5 annexes H, I, J and K, and of hospitals in other scripts, as they are coded.
CODED = [
    pytest.param(b"", b"Adams^John", id="ascii"),
    pytest.param(b"ISO_IR 100", b"Buc^J\xe9r\xf4me", id="latin-1"),
    pytest.param(b"ISO_IR 101", b"Wa\xb3\xeasa", id="latin-2"),
    pytest.param(b"ISO_IR 109", b"\xa1amrun", id="latin-3"),
    pytest.param(b"ISO_IR 110", b"\xc5dolfs", id="latin-4"),
    pytest.param(b"ISO_IR 144", b"\xbb\xee\xda\x63\x65\xdc\xd1\xe3\xe0\xd3", id="cyrillic"),
    pytest.param(b"ISO_IR 127", b"\xe2\xc8\xc7\xe6\xea^\xe4\xe6\xd2\xc7\xd1", id="arabic"),
    pytest.param(b"ISO_IR 126", b"\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2", id="greek"),
    pytest.param(b"ISO_IR 138", b"\xf9\xf8\xe5\xef^\xe3\xe1\xe5\xf8\xe4", id="hebrew"),
    pytest.param(b"ISO_IR 148", b"\xdeahin", id="turkish"),
    pytest.param(b"ISO_IR 166", b"\xb9\xd2\xc1\xca\xa1\xd8\xc5", id="thai"),
    pytest.param(b"ISO_IR 192", "Wang^XiaoDong=\u738b^\u5c0f\u6771".encode(), id="utf-8"),
    pytest.param(b"GB18030", "Wang^XiaoDong=\u738b^\u5c0f\u4e1c".encode("gb18030"), id="gb18030"),
    pytest.param(b"GBK", "\u738b".encode("gbk"), id="gbk"),
    pytest.param(b"ISO_IR 13", b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3", id="katakana"),
    pytest.param(
        b"\\ISO 2022 IR 87",
        b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B",
        id="kanji",
    ),
    pytest.param(
        b"ISO 2022 IR 13\\ISO 2022 IR 87",
        b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J",
        id="katakana-kanji",
    ),
    pytest.param(
        b"\\ISO 2022 IR 149",
        b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7",
        id="hangul",
    ),
    pytest.param(b"ISO 2022 IR 100\\ISO 2022 IR 144", b"Buc^J\xe9r=\x1b-L\xbb\xee", id="extension"),
]


@pytest.mark.parametrize(("charset", "raw"), CODED)
def test_names_are_read_as_the_reference_reads_them(charset: bytes, raw: bytes) -> None:
    encodings = convert_encodings([term.decode() for term in charset.split(b"\\")])

    assert single(raw, charset) == decode_bytes(raw, encodings, PN_DELIMITERS)


def test_gb2312_is_read_as_the_standard_has_it() -> None:
    # PS3.5 annex K; the reference leaves the escape sequences in.
    raw = b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab"

    assert single(raw, b"\\ISO 2022 IR 58") == "Zhang^XiaoDong=\u5f20^\u5c0f\u4e1c"


def test_a_backslash_within_a_character_separates_nothing() -> None:
    raw = "\u4e57".encode("gbk")
    assert b"\\" in raw

    assert texts(raw + b"\\B", b"GBK") == ("\u4e57", "B")


@pytest.mark.parametrize(
    ("charset", "raw"),
    [
        (b"", b"J\xe9r\xf4me"),
        (b"ISO_IR 192", b"J\xe9r\xf4me"),
        (b"ISO_IR 999", b"J\xe9r\xf4me"),
        (b"utf-8", "J\u00e9r".encode()),
        (b"rot13\xff", b"J\xe9r"),
        (b"", b"A\x1b"),
        (b"", b"A\x1b(Zx"),
        (b"", b"A\x1b$)"),
        (b"", b"A\x1b$B\xff\xff"),
        (b"", b"A\nB"),
        (b"", b"A\0B"),
        (b"", b"A\x7fB"),
        (b"ISO_IR 100", b"A\x85B"),
    ],
)
def test_what_the_character_sets_do_not_explain_is_no_text(charset: bytes, raw: bytes) -> None:
    assert texts(raw, charset) is None
    assert single(raw, charset) is None


def test_ascii_is_read_whatever_is_declared() -> None:
    assert single(b"Plain", b"ISO_IR 999") == "Plain"


@pytest.mark.parametrize(
    ("raw", "values"),
    [
        (b"", ()),
        (b"  \0", ()),
        (b" A \\ B \0", ("A", "B")),
        (b"\\A\\\\", ("A",)),
        (b"A B", ("A B",)),
    ],
)
def test_padding_and_empty_values_are_left_out(raw: bytes, values: tuple[str, ...]) -> None:
    assert texts(raw) == values


def test_one_value_is_one() -> None:
    assert single(b" CT ") == "CT"
    assert [single(raw) for raw in (None, b"", b"  ", b"CT\\MR")] == [None] * 4
