"""masscan's list and JSON, as several versions write them."""

from __future__ import annotations

import json

import pytest
from tests.unit.imports.files import MASSCAN_JSON, MASSCAN_LIST, OPEN, json_lines, told

from leadglass.imports.reading import Broken, Found, Kind

ONE = '{"ip": "192.0.2.1", "timestamp": "1", "ports": [{"port": 104, "proto": "tcp", "status": "open"}]}'
TWO = '{"ip": "192.0.2.2", "timestamp": "1", "ports": [{"port": 11112, "proto": "tcp", "status": "open"}]}'


@pytest.mark.parametrize(
    "text",
    [
        f"[\n{ONE},\n{TWO},\n]\n",
        f"[\n{ONE},\n{TWO},\n{{finished: 1}}\n]\n",
        f"{ONE},\n{TWO},\n{{finished: 1}}\n",
        f"[{ONE},\n{TWO}]\n",
        f"[ {ONE} , {TWO} ]",
        f"{ONE}\r\n{TWO}\r\n",
        json.dumps([json.loads(ONE), json.loads(TWO)], indent=2),
        json.dumps([json.loads(ONE), json.loads(TWO)], indent=4),
        json.dumps(json.loads(ONE), indent=2) + "\n" + json.dumps(json.loads(TWO), indent=2),
        f"\ufeff[\n{ONE},\n{TWO}\n]",
    ],
    ids=[
        "1.0.4, a comma too many",
        "1.0.3, finished",
        "no brackets",
        "brackets on the lines",
        "on one line",
        "from Windows",
        "pretty",
        "prettier",
        "pretty objects in a row",
        "byte order mark",
    ],
)
def test_every_layout_of_the_array_is_read(text: str) -> None:
    assert told(text.encode()) == OPEN


def test_one_object_a_line_is_read() -> None:
    rows = [
        {"ip": "192.0.2.1", "port": 104, "proto": "tcp", "rec_type": "status", "data": {"status": "open"}},
        {"ip": "192.0.2.1", "port": 104, "proto": "tcp", "rec_type": "banner", "data": {"banner": "open"}},
        {"ip": "192.0.2.1", "port": 161, "proto": "udp", "rec_type": "status", "data": {"status": "open"}},
        {"ip": "192.0.2.1", "port": 105, "proto": "tcp", "rec_type": "status", "data": {"status": "closed"}},
        {"ip": "192.0.2.2", "port": 11112, "proto": "tcp", "rec_type": "status", "data": {"status": "open"}},
    ]

    assert told(json_lines(rows)) == OPEN


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"ip": ', "not JSON"),
        (b'{"ip": "192.0.2.1"}', "not a record of masscan"),
        (b'{"ports": []}', "not a record of masscan"),
        (b'"ip"', "not a record of masscan"),
        (b"null", "not a record of masscan"),
        (b'{"ip": "192.0.2.1", "ports": [104]}', "not a record of masscan"),
        (b'{"ip": "192.0.2.300", "ports": [{"port": 1, "proto": "tcp", "status": "open"}]}', "no address"),
        (b'{"ip": 3221225985, "ports": [{"port": 1, "proto": "tcp", "status": "open"}]}', "no address"),
        (b'{"ip": "192.0.2.1", "ports": [{"port": true, "proto": "tcp", "status": "open"}]}', "no port"),
        (b'{"ip": "192.0.2.1", "ports": [{"port": 1.5, "proto": "tcp", "status": "open"}]}', "no port"),
        (b"[" * 100_000, "not JSON"),
        (b'{"a":' * 100_000, "not JSON"),
        (b"1" * 5000, "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
    ],
)
def test_a_broken_line_of_json_is_told_by_number_and_the_rest_is_used(line: bytes, why: str) -> None:
    data = MASSCAN_JSON.replace(b",\n", line + b"\n", 1)

    assert told(data, Kind.MASSCAN_JSON) == [OPEN[0], Broken(3, why), OPEN[1]]


def test_an_object_that_never_closes_takes_the_rest_with_it_and_says_where_it_began() -> None:
    data = MASSCAN_JSON.replace(b",\n", b"{\n", 1)

    assert told(data, Kind.MASSCAN_JSON) == [OPEN[0], Broken(3, "the file ends within this record")]


def test_each_port_of_a_record_is_broken_for_itself() -> None:
    ports = [{"port": p, "proto": "tcp", "status": "open"} for p in (0, 104, "x", 105)]

    assert told(json_lines([{"ip": "192.0.2.1", "ports": ports}])) == [
        Broken(1, "no port"),
        Found("192.0.2.1", 104, None),
        Broken(1, "no port"),
        Found("192.0.2.1", 105, None),
    ]


def test_a_spoilt_object_over_several_lines_is_told_once() -> None:
    pretty = json.dumps([json.loads(ONE), json.loads(TWO)], indent=2).replace('"port": 104', '"port": oops')

    assert told(pretty.encode(), Kind.MASSCAN_JSON) == [Broken(2, "not JSON"), OPEN[1]]


# ---- the list


def test_a_list_with_ipv6_and_other_line_ends_is_read() -> None:
    assert told(b"#masscan\r\nopen tcp 104 2001:DB8::1 1\r\nopen tcp 104 192.0.2.1 1\r\n# end\r\n") == [
        Found("2001:db8::1", 104, None),
        Found("192.0.2.1", 104, None),
    ]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"open tcp 104", "not a line of masscan's list"),
        (b"open tcp 104 192.0.2.1", "not a line of masscan's list"),
        (b"open tcp x 192.0.2.1 1", "not a line of masscan's list"),
        (b"open tcp 0 192.0.2.1 1", "no port"),
        (b"open tcp 65536 192.0.2.1 1", "no port"),
        (b"open tcp 104 192.0.2.256 1", "no address"),
        (b"open tcp 104 192.0.2.01 1", "no address"),
        (b"open tcp 104 \xff\xff 1", "no address"),
        (b"\0\0\0", "not a line of masscan's list"),
        (b"open tcp 104 192.0.2.1 1 CANARY^JANE", None),
    ],
)
def test_a_broken_line_of_a_list_is_told_by_number_and_the_rest_is_used(line: bytes, why: str | None) -> None:
    data = MASSCAN_LIST.replace(b"# end", line)

    assert told(data) == [*OPEN, *([Broken(7, why)] if why else [Found("192.0.2.1", 104, None)])]
