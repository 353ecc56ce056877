"""Any bytes whatever are read to the end, however they come, and what is told is never theirs."""

from __future__ import annotations

import gzip
import io
import ipaddress
import json
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from tests.unit.imports.files import (
    CENSYS_OLDER,
    CENSYS_PLATFORM,
    MASSCAN_JSON,
    MASSCAN_LIST,
    NMAP_XML,
    SHODAN,
    ZMAP_CSV,
    json_lines,
    told,
)

from leadglass.errors import ConfigError
from leadglass.imports.reading import Answered, Broken, Found, Kind, read
from leadglass.imports.within import Tally, within
from leadglass.model.evidence import facts_of, from_facts

FILES = [
    NMAP_XML,
    MASSCAN_JSON,
    MASSCAN_LIST,
    ZMAP_CSV,
    json_lines([SHODAN] * 3),
    json_lines([CENSYS_OLDER, CENSYS_PLATFORM]),
    json.dumps([SHODAN, SHODAN], indent=2).encode(),
]
WORDS = (
    "no address, no port, not JSON, not CSV, not a line of masscan's list, not a record of masscan,"
    " not a record of Shodan, not a host or service of Censys, columns without names,"
    " not as many cells as there are columns,"
    " the file ends within this record, longer than 4 MiB without a line end, a record longer than 4 MiB,"
    " a tag; comment or text longer than 4 MiB, more names or levels than nmap has,"
    " it declares entities; which nmap does not and which are not expanded,"
    " the compressed data end early, the compressed data are damaged from here on"
)
REASONS = {word.strip().replace(";", ",") for word in WORDS.split(",")}
XML = "the XML cannot be read from here on: "
"""Followed by one of Expat's own words."""

KINDS = st.none() | st.sampled_from(Kind)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good file in which bytes were changed, taken out, put in or repeated, packed or not."""
    data = bytearray(draw(st.sampled_from(FILES)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        size = draw(st.integers(0, 60))
        data[at : at + size] = draw(st.binary(max_size=20) | st.just(bytes(data[at : at + 200])))
    packed = bytes(data)
    if draw(st.booleans()):
        packed = gzip.compress(packed, mtime=0)
        packed = packed[: draw(st.integers(0, len(packed)))]
    return packed


@st.composite
def cut(draw: st.DrawFn) -> tuple[bytes, Sequence[int]]:
    """A file and the sizes of the pieces in which it arrives."""
    return draw(damaged()), draw(st.lists(st.integers(1, 300), min_size=1, max_size=10))


class Pieces(io.BytesIO):
    """A stream that gives pieces of the sizes told, over and over."""

    def __init__(self, data: bytes, sizes: Sequence[int]) -> None:
        super().__init__(data)
        self.sizes, self.reads = sizes, 0

    def read(self, size: int | None = -1) -> bytes:
        self.reads += 1
        return super().read(self.sizes[self.reads % len(self.sizes)])


def everything(stream: io.BytesIO, kind: Kind | None) -> list[Found | Answered | Broken] | str:
    """All that is told, or why the file is refused."""
    try:
        return list(read(stream, "a file", kind))
    except ConfigError as refused:
        return str(refused)


@given(damaged() | st.binary(max_size=300), KINDS)
@example(b"", Kind.ZMAP_CSV)
def test_any_bytes_are_endpoints_and_broken_lines_or_a_refusal(data: bytes, kind: Kind | None) -> None:
    said = everything(io.BytesIO(data), kind)

    if isinstance(said, str):
        assert said.startswith("a file: ")
        return
    lines = [one.line for one in said if isinstance(one, Broken)]
    assert lines == sorted(lines)
    for one in said:
        check(one)


def check(one: Found | Answered | Broken) -> None:
    """One thing that was told keeps its form."""
    if isinstance(one, Broken):
        assert one.line >= 1
        assert one.why in REASONS or one.why.startswith(XML)
        return
    assert str(ipaddress.ip_address(one.address)) == one.address
    if isinstance(one, Answered):
        return
    assert 1 <= one.port <= 65535
    if one.evidence is not None:
        assert from_facts(facts_of(one.evidence)) == (one.evidence,)
        assert all(
            str(fact.value).isascii() and str(fact.value).isprintable() for fact in facts_of(one.evidence)
        )


@given(cut(), KINDS)
def test_how_the_bytes_arrive_makes_no_difference(
    file: tuple[bytes, Sequence[int]], kind: Kind | None
) -> None:
    data, sizes = file

    assert everything(Pieces(data, sizes), kind) == everything(io.BytesIO(data), kind)


@given(st.sampled_from(FILES), st.integers(0, 9))
def test_packing_makes_no_difference(data: bytes, level: int) -> None:
    assert told(gzip.compress(data, level)) == told(data)


@given(st.lists(st.builds(Found, st.sampled_from(["192.0.2.1", "::1"]), st.integers(1, 4), st.none())))
def test_everything_that_is_told_is_counted_once(said: list[Found]) -> None:
    tally = Tally()
    mixed: list[Found | Broken] = [one for found in said for one in (found, Broken(1, "no port"))]
    taken = list(
        within(mixed, lambda address, port: address == "::1" and port > 1, lambda address: (), tally)
    )

    assert len(taken) == tally.taken
    assert tally.taken + tally.outside == len(said) == tally.broken


# ---- nobody's data

TEXT = st.text(max_size=60)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(
    [
        "ip",
        "ip_str",
        "port",
        "ports",
        "data",
        "dicom",
        "ssl",
        "services",
        "host",
        "result",
        "hits",
        "software",
        "tls",
        "cert",
        "_shodan",
        "matches",
        "timestamp",
        "transport",
        "rec_type",
        "status",
    ]
)
RECORDS = st.dictionaries(KEYS, JSON | st.dictionaries(KEYS, JSON, max_size=4), max_size=8)
UNTAKEN = st.fixed_dictionaries(
    dict.fromkeys(("org", "isp", "asn", "os", "title", "info", "version", "html", "cpe", "device"), TEXT)
    | {"hostnames": st.lists(TEXT, max_size=3), "location": st.dictionaries(TEXT, TEXT, max_size=3)}
)


@given(st.lists(RECORDS | JSON, max_size=4), st.sampled_from([Kind.SHODAN, Kind.CENSYS, Kind.MASSCAN_JSON]))
def test_any_json_is_read(values: list[object], kind: Kind) -> None:
    for one in told(json_lines(values), kind):
        check(one)


@given(UNTAKEN, TEXT)
def test_what_shodan_wrote_elsewhere_changes_nothing(untaken: Mapping[str, object], text: str) -> None:
    record = {**SHODAN, "data": text, "_shodan": {"module": "dicom", "options": untaken}, **untaken}
    bare = {**SHODAN, "data": "", "_shodan": {"module": "dicom"}}

    assert told(json_lines([record]), Kind.SHODAN) == told(json_lines([bare]), Kind.SHODAN)


@given(UNTAKEN, TEXT)
def test_what_censys_wrote_elsewhere_changes_nothing(untaken: Mapping[str, object], text: str) -> None:
    service = CENSYS_OLDER["services"][0]
    untold = {**untaken, "banner": text, "software": [{"vendor": text, "product": "nginx", "version": text}]}
    record = {**untaken, **CENSYS_OLDER, "services": [{**untold, **service, "banner": text}]}
    bare = {**CENSYS_OLDER, "services": [service]}

    assert told(json_lines([record]), Kind.CENSYS) == told(json_lines([bare]), Kind.CENSYS)
