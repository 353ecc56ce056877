"""A JSON array in pieces."""

from __future__ import annotations

import json

import pytest

from leadglass.errors import RemoteProtocolError
from leadglass.guard.dicomweb.array import ArrayReader, Element, write

MATCHES: list[Element] = [
    {"0020000D": {"vr": "UI", "Value": ["1.2.3"]}},
    {},
    {"a": [1, 2.5, -3e2, True, None, 'x"}],{"'], "b": {"c": {}}, "d": "Müller 日本 \\ \u0001"},
]


def read(data: bytes, size: int = 1 << 30, largest: int = 1 << 20) -> list[Element]:
    reader, found = ArrayReader(largest), list[Element]()
    for at in range(0, len(data), size):
        found += reader.feed(data[at : at + size])
    return found + reader.feed(b"", last=True)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1 << 20])
@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("escaped", [True, False])
def test_elements_come_out_however_the_text_is_cut(size: int, indent: int | None, escaped: bool) -> None:
    data = json.dumps(MATCHES, indent=indent, ensure_ascii=escaped).encode()

    assert read(data, size) == MATCHES
    assert read(b" \r\n\t" + data + b"\n ", size) == MATCHES


def test_an_element_is_told_as_soon_as_it_is_complete() -> None:
    reader = ArrayReader()

    assert reader.feed(b'[{"a":1},{"b"') == [{"a": 1}]
    assert reader.feed(b":2},   {}  ,") == [{"b": 2}, {}]
    assert reader.feed(b"{}]", last=True) == [{}]


def test_an_empty_array_is_one() -> None:
    assert read(b"[]") == read(b" [ ] ") == []


def test_what_is_written_is_what_was_read() -> None:
    assert json.loads(b"[" + write(MATCHES) + b"]") == MATCHES
    assert write([{"a": "\ud800"}]) == b'{"a":"\\ud800"}'
    assert write([]) == b""


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[",
        b"[{}",
        b"[{},",
        b"[{},]",
        b"[,{}]",
        b"[{}{}]",
        b"[{}]]",
        b"[{}]x",
        b"[1]",
        b'["a"]',
        b"[null]",
        b"[[]]",
        b"[{]",
        b'[{"a":NaN}]',
        b'[{"a":-Infinity}]',
        b"[{'a':1}]",
        b'[{"a":1,}]',
        b"<html>",
        b'[{"a":"\xff"}]',
        b'[{"a":"\xc3',
        b"\xef\xbb\xbf[]",
        b'[{"a":"\n"}]',
        b"[{} // comment\n]",
    ],
)
@pytest.mark.parametrize("size", [1, 1 << 20])
def test_what_is_no_array_of_objects_breaks_the_protocol(data: bytes, size: int) -> None:
    with pytest.raises(RemoteProtocolError):
        read(data, size)


def test_an_endless_element_is_not_waited_for() -> None:
    with pytest.raises(RemoteProtocolError, match="too large"):
        read(b'[{"a":"' + b"x" * 2000, 10, largest=1000)


def test_deep_nesting_ends_the_reading_and_not_the_program() -> None:
    with pytest.raises(RemoteProtocolError):
        read(b'[{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}]")


def test_a_number_with_very_many_digits_ends_the_reading() -> None:
    with pytest.raises(RemoteProtocolError):
        read(b'[{"a":' + b"9" * 10_000 + b"}]")


def test_a_number_that_json_has_not_is_not_written() -> None:
    found = read(b'[{"a":1e999}]')

    with pytest.raises(RemoteProtocolError, match="out of range"):
        write(found)


def test_of_a_name_that_comes_twice_one_value_is_read_and_written() -> None:
    found = read(b'[{"0020000D":{"Value":["1.2"]},"0020000D":{"Value":["1.3"]}}]')

    assert json.loads(write(found)) == {"0020000D": {"Value": ["1.3"]}}


def test_dribbling_costs_no_more_than_in_proportion() -> None:
    tries = 0

    class Counting(ArrayReader):
        def _take(self) -> list[Element]:
            nonlocal tries
            tries += 1
            return super()._take()

    reader = Counting()
    data = b'[{"a":"' + b"x" * 20_000 + b'"}]'
    for at in range(len(data)):
        reader.feed(data[at : at + 1])

    assert reader.feed(b"", last=True) or tries
    assert tries < 40
