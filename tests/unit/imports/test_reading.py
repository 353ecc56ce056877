"""Which file it is, and what every reader has in common: gzip, damage, long lines, files that are none."""

from __future__ import annotations

import gzip
import io
import json
import tracemalloc
from collections.abc import Callable

import pytest
from tests.unit.imports.files import (
    CENSYS_OLDER,
    CENSYS_PLATFORM,
    MASSCAN_JSON,
    MASSCAN_LIST,
    NMAP_XML,
    OPEN,
    SHODAN,
    ZMAP_CSV,
    broken,
    found,
    json_lines,
    told,
)

from leadglass.errors import ConfigError, ResourceError
from leadglass.imports.found import LONGEST
from leadglass.imports.reading import Broken, Found, Kind, detect, read

FILES: dict[Kind, list[bytes]] = {
    Kind.NMAP_XML: [
        NMAP_XML,
        b"<nmaprun></nmaprun>",
        b"\xef\xbb\xbf" + NMAP_XML,
        b"<!-- masscan -->\n<nmaprun/>",
    ],
    Kind.MASSCAN_JSON: [
        MASSCAN_JSON,
        b"[\n]\n",
        b"[\n{finished: 1}\n]\n",
        b'{"ip":"192.0.2.1","port":104,"rec_type":"status"}\n',
    ],
    Kind.MASSCAN_LIST: [
        MASSCAN_LIST,
        b"#masscan\n# end\n",
        b"open tcp 104 192.0.2.1 1\n",
        b"banner tcp 1 ::1 1 ssh SSH-2.0\n",
    ],
    Kind.ZMAP_CSV: [
        ZMAP_CSV,
        b"saddr, sport\n",
        b"saddr\n",
        b"192.0.2.1\n",
        b"2001:db8::1,104\n",
        b'"saddr"',
    ],
    Kind.SHODAN: [json_lines([SHODAN]), json_lines([{"matches": [SHODAN]}])],
    Kind.CENSYS: [json_lines([CENSYS_OLDER]), json_lines([CENSYS_PLATFORM])],
}
SCANNED = {
    Kind.NMAP_XML: NMAP_XML,
    Kind.MASSCAN_JSON: MASSCAN_JSON,
    Kind.MASSCAN_LIST: MASSCAN_LIST,
    Kind.ZMAP_CSV: ZMAP_CSV,
}
EVERY = {kind: files[0] for kind, files in FILES.items()}


class Dribble(io.BytesIO):
    """A pipe that gives few bytes at a time."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(size or 7, 7))


class Endless(io.BytesIO):
    """A beginning, then the same bytes again and again, made as they are read, up to a size."""

    def __init__(self, head: bytes, unit: bytes, size: int) -> None:
        super().__init__(head)
        self.left, self.unit = size, unit * (65536 // len(unit))

    def read(self, size: int | None = -1) -> bytes:
        piece = super().read(size) or self.unit[: min(self.left, size or -1)]
        self.left -= len(piece)
        return piece


# ---- which file it is


@pytest.mark.parametrize(("kind", "data"), [(kind, data) for kind, files in FILES.items() for data in files])
def test_the_first_bytes_tell_the_tool(kind: Kind, data: bytes) -> None:
    assert detect(data) is kind


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" \n\n",
        b"\xef\xbb\xbf",
        b"hello\n",
        b"<html></html>",
        b"{}",
        b'[{"a": 1}]',
        b"pacs.example.org\n",
        b"\x7fELF",
        b"address,port\n192.0.2.1,104\n",
    ],
)
def test_a_file_of_another_kind_is_refused_by_name_and_with_advice(data: bytes) -> None:
    with pytest.raises(ConfigError, match=r"scan\.txt: the file is .*; give what nmap -oX, masscan -oJ"):
        read(io.BytesIO(data), "scan.txt")


def test_a_quoted_record_inside_a_banner_does_not_mislead() -> None:
    record = {"ip": "192.0.2.1", "ports": [{"service": {"banner": '"ip_str": 1, "services": []'}}]}

    assert detect(json_lines([record])) is Kind.MASSCAN_JSON


@pytest.mark.parametrize(("kind", "data"), SCANNED.items())
def test_a_port_scanner_says_open_and_no_more(kind: Kind, data: bytes) -> None:
    assert told(data) == OPEN
    assert told(data, kind) == OPEN


# ---- gzip, pipes, damage


@pytest.mark.parametrize("data", EVERY.values(), ids=EVERY)
def test_gzip_is_unpacked_also_in_members_and_with_padding(data: bytes) -> None:
    half = len(data) // 2

    assert told(gzip.compress(data)) == told(data)
    assert told(gzip.compress(data[:half]) + gzip.compress(b"") + gzip.compress(data[half:])) == told(data)
    assert told(gzip.compress(data) + b"\0" * 70000) == told(data)


@pytest.mark.parametrize("data", EVERY.values(), ids=EVERY)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_pipe_may_give_few_bytes_at_a_time(data: bytes, pack: Callable[[bytes], bytes]) -> None:
    assert list(read(Dribble(pack(data)), "a pipe")) == told(data)


@pytest.mark.parametrize("data", EVERY.values(), ids=EVERY)
def test_a_gzip_file_that_ends_early_is_one_broken_line_and_what_came_before_stands(data: bytes) -> None:
    packed = gzip.compress(data)

    assert told(packed[:-8]) == [*found(data), Broken(line_count(data), "the compressed data end early")]


def line_count(data: bytes) -> int:
    """The number of the line on which a file ends."""
    return data.count(b"\n") + 1


def test_damage_in_the_middle_of_a_gzip_file_is_told_once() -> None:
    packed = gzip.compress(MASSCAN_LIST)
    no_such_block = packed[:10] + b"\xff" * 50

    assert told(packed + no_such_block + packed) == [
        *OPEN,
        Broken(8, "the compressed data are damaged from here on"),
    ]


@pytest.mark.parametrize(
    "data", [gzip.compress(MASSCAN_LIST)[:12], b"\x1f\x8b" + b"\xff" * 100], ids=["a head", "no head"]
)
def test_compressed_data_without_any_content_are_refused(data: bytes) -> None:
    with pytest.raises(ConfigError, match=r"scan\.gz: the compressed data .*; fetch or pack the file again"):
        read(io.BytesIO(data), "scan.gz")


def test_rubbish_behind_a_gzip_file_is_told_and_harms_nothing() -> None:
    assert told(gzip.compress(MASSCAN_LIST) + b"rubbish")[:2] == OPEN
    assert len(broken(gzip.compress(MASSCAN_LIST) + b"rubbish")) == 1


def test_a_disk_that_fails_stops_the_reading_with_a_clear_line() -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise OSError(5, "Input/output error")
            return super().read(size)

    with pytest.raises(ResourceError, match=r"scan\.txt: reading stopped: Input/output error"):
        list(read(Failing(MASSCAN_LIST), "scan.txt"))


# ---- size


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.NMAP_XML])
def test_a_line_that_is_too_long_is_broken_and_the_next_is_read(kind: Kind) -> None:
    data = EVERY[kind]
    first, _, rest = data.partition(b"\n")
    long = b"x" * (LONGEST + 1)

    assert broken(first + b"\n" + long + b"\n" + rest, kind) == [
        Broken(2, "longer than 4 MiB without a line end")
    ]
    assert found(first + b"\n" + long + b"\n" + rest, kind) == found(data)


@pytest.mark.parametrize(
    ("around", "why"),
    [
        ("[{}]", []),
        ('{{"total": 2, "matches": [ {}], "facets": {{}}}}', []),
        ("[{}] and more", []),
        ("\ufeff[{}", ["the file ends within this record"]),
        ("[{}, 5]", ["not JSON"]),
    ],
)
@pytest.mark.parametrize("between", [",", ", "])
def test_a_list_that_is_one_long_line_is_cut_into_its_records(
    around: str, why: list[str], between: str
) -> None:
    record = json.dumps({**SHODAN, "html": '}, {[\\"' + "é" * 99_999})
    count = LONGEST // len(record) + 5
    said = told(around.format(between.join([record] * count)).encode())

    assert [one for one in said if isinstance(one, Found)] == found(json_lines([SHODAN])) * count
    assert [one for one in said if isinstance(one, Broken)] == [Broken(1, word) for word in why]


def test_a_record_that_is_too_long_ends_its_line_and_nothing_more() -> None:
    record = json.dumps(SHODAN)
    long = json.dumps({**SHODAN, "html": "x" * 2 * LONGEST})

    said = told(f"[{record},{long},{record}]\n[{record}]\n".encode())

    assert said == [*found(record.encode()), Broken(1, "a record longer than 4 MiB"), *found(record.encode())]


def test_the_longest_line_that_is_allowed_is_read() -> None:
    line = b"banner tcp 104 192.0.2.1 1 http "
    line += b"x" * (LONGEST - len(line))

    assert told(line + b"\n" + MASSCAN_LIST, Kind.MASSCAN_LIST) == OPEN


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("unit", [b"[", b"y" * 9999 + b"\n"], ids=["a line", "lines"])
def test_memory_does_not_grow_with_the_file(kind: Kind, unit: bytes) -> None:
    head = b"<?xml version='1.0'?><nmaprun><!--" if kind is Kind.NMAP_XML else b"{\n"
    stream = Endless(head, unit, 24 << 20)
    tracemalloc.start()
    try:
        broken_lines = sum(isinstance(one, Broken) for one in read(stream, "a file", kind))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert broken_lines > 0
    assert peak < 20 << 20


def test_a_bomb_in_a_gzip_file_costs_no_memory() -> None:
    bomb = gzip.compress(b"\0" * (64 << 20), 1)
    tracemalloc.start()
    try:
        told_all = told(b"".join((gzip.compress(MASSCAN_LIST), bomb)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert told_all == [*OPEN, Broken(8, "longer than 4 MiB without a line end")]
    assert peak < 20 << 20


def test_reading_is_lazy() -> None:
    stream = io.BytesIO(b"open tcp 104 192.0.2.1 1\n" * 1_000_000)

    assert next(read(stream, "a file")) == Found("192.0.2.1", 104, None)
    assert stream.tell() < 3 << 20
