"""Ports and targets as people type them."""

from __future__ import annotations

import pytest

from leadglass.errors import UsageError
from leadglass.scope.ports import (
    DEFAULT_PORTS,
    HostPorts,
    parse_ports,
    parse_target,
    port_ranges,
    ports_text,
)


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("104", (104,)),
        ("11112,104", (104, 11112)),
        ("104,104,104-104", (104,)),
        (" 104 , 11112 ", (104, 11112)),
        ("20000-20003", (20000, 20001, 20002, 20003)),
        ("1,65535", (1, 65535)),
        ("10-12,11-14", (10, 11, 12, 13, 14)),
    ],
)
def test_ports_are_read_sorted_and_each_once(text: str, ports: tuple[int, ...]) -> None:
    assert parse_ports(text) == ports


@pytest.mark.parametrize(
    "text",
    [
        "",
        ",",
        "104,",
        "0",
        "65536",
        "99999",
        "100000",
        "-1",
        "1-",
        "-",
        "5-3",
        "1-2-3",
        "x",
        "104;105",
        "1.5",
        "0x68",
        "٣",
        "1 2",
        "1-65536",
        "104\n,",
    ],
)
def test_anything_else_is_an_error_of_one_line(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_ports(text)

    assert "\n" not in str(caught.value)


def test_a_backward_range_is_turned_round_in_the_advice() -> None:
    with pytest.raises(UsageError, match="write 3-7"):
        parse_ports("7-3")


@pytest.mark.parametrize(
    ("ports", "ranges"),
    [
        ([], []),
        ([5], [(5, 5)]),
        ([1, 2, 3], [(1, 3)]),
        ([3, 1, 2, 2, 7, 9, 8], [(1, 3), (7, 9)]),
        ([65534, 65535], [(65534, 65535)]),
    ],
)
def test_consecutive_ports_are_one_range(ports: list[int], ranges: list[tuple[int, int]]) -> None:
    assert list(port_ranges(ports)) == ranges


def test_the_text_of_ports_reads_back() -> None:
    ports = (104, 2761, 2762, 20000, 20001, 20002)

    assert ports_text(ports) == "104,2761-2762,20000-20002"
    assert parse_ports(ports_text(ports)) == ports


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:104", HostPorts("127.0.0.1", (104,), is_name=False)),
        ("127.0.0.1", HostPorts("127.0.0.1", DEFAULT_PORTS, is_name=False)),
        ("PACS.example.org.:11112", HostPorts("pacs.example.org", (11112,), is_name=True)),
        ("localhost", HostPorts("localhost", DEFAULT_PORTS, is_name=True)),
        ("[::1]:104,11112", HostPorts("::1", (104, 11112), is_name=False)),
        ("[::1]", HostPorts("::1", DEFAULT_PORTS, is_name=False)),
        ("::1", HostPorts("::1", DEFAULT_PORTS, is_name=False)),
        ("2001:DB8:0:0::1", HostPorts("2001:db8::1", DEFAULT_PORTS, is_name=False)),
        ("pacs_1:104-106", HostPorts("pacs_1", (104, 105, 106), is_name=True)),
    ],
)
def test_a_target_is_a_host_with_or_without_ports(text: str, expected: HostPorts) -> None:
    assert parse_target(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":104",
        "host:",
        "192.0.2.256:104",
        "192.0.2:104",
        "010.0.0.1",
        "http://host/",
        "host/24",
        "a b",
        "[::1]x",
        "[::1",
        "::1]:104",
        "[host",
        "-x",
        "x-",
        "a..b",
        "fe80::1%eth0",
        "[fe80::1%eth0]:104",
        "bücher.example",
        "a" * 64,
    ],
)
def test_anything_else_is_no_target(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_target(text)

    assert "\n" not in str(caught.value)
