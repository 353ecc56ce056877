"""nmap's XML: only what is open, whatever else the file holds or is made to hold."""

from __future__ import annotations

import tracemalloc

import pytest
from tests.unit.imports.files import NMAP_XML, OPEN, broken, found, told

from leadglass.errors import ConfigError
from leadglass.imports.reading import Broken, Found, Kind

HEAD = b'<?xml version="1.0"?>\n<!DOCTYPE nmaprun>\n<nmaprun>\n'
LAUGHS = b"""<?xml version="1.0"?>
<!DOCTYPE nmaprun [<!ENTITY a "104"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<nmaprun><host><address addr="192.0.2.1" addrtype="ipv4"/></host></nmaprun>"""
OUTSIDE = b"""<?xml version="1.0"?>
<!DOCTYPE nmaprun [<!ENTITY a SYSTEM "file:///etc/passwd">]><nmaprun>&a;</nmaprun>"""
PARAMETER = b"""<!DOCTYPE nmaprun [<!ENTITY % a SYSTEM "http://192.0.2.9/a.dtd"> %a;]><nmaprun></nmaprun>"""


def host(ports: bytes, address: bytes = b"192.0.2.1") -> bytes:
    """One host."""
    return b'<host><address addr="' + address + b'" addrtype="ipv4"/><ports>' + ports + b"</ports></host>\n"


def port(number: bytes, state: bytes = b"open", protocol: bytes = b"tcp") -> bytes:
    """One port of a host."""
    return (
        b'<port protocol="' + protocol + b'" portid="' + number + b'"><state state="' + state + b'"/></port>'
    )


@pytest.mark.parametrize("state", [b"closed", b"filtered", b"unfiltered", b"open|filtered", b""])
def test_no_other_state_than_open_is_taken(state: bytes) -> None:
    assert told(HEAD + host(port(b"104", state)) + b"</nmaprun>") == []


@pytest.mark.parametrize("protocol", [b"udp", b"sctp", b"ip", b""])
def test_no_other_protocol_than_tcp_is_taken(protocol: bytes) -> None:
    assert told(HEAD + host(port(b"161", protocol=protocol)) + b"</nmaprun>") == []


def test_addresses_are_canonical() -> None:
    six = host(port(b"104"), b"2001:DB8:0:0::1")

    assert told(HEAD + six + b"</nmaprun>") == [Found("2001:db8::1", 104, None)]


@pytest.mark.parametrize(
    ("ports", "address", "why"),
    [
        (port(b"104"), b"pacs.example.org", "no address"),
        (port(b"104"), b"fe80::1%eth0", "no address"),
        (port(b"0"), b"192.0.2.1", "no port"),
        (port(b"65536"), b"192.0.2.1", "no port"),
        (port(b"-1"), b"192.0.2.1", "no port"),
        (port(b"\xc2\xb9"), b"192.0.2.1", "no port"),
    ],
)
def test_a_port_that_is_none_is_told_by_its_line_and_the_rest_is_used(
    ports: bytes, address: bytes, why: str
) -> None:
    data = HEAD + host(ports, address) + host(port(b"104"), b"192.0.2.3") + b"</nmaprun>"

    assert told(data) == [Broken(4, why), Found("192.0.2.3", 104, None)]


def test_a_host_does_not_inherit_the_address_of_the_one_before() -> None:
    nameless = b"<host><ports>" + port(b"104") + b"</ports></host>\n"

    assert told(HEAD + host(port(b"4242")) + nameless + b"</nmaprun>") == [
        Found("192.0.2.1", 4242, None),
        Broken(5, "no address"),
    ]


@pytest.mark.parametrize("cut", range(NMAP_XML.index(b"<scaninfo"), len(NMAP_XML) - 1, 40))
def test_a_file_that_was_cut_is_one_broken_line_and_what_came_before_stands(cut: int) -> None:
    *before, last = told(NMAP_XML[:cut])

    assert before == OPEN[: len(before)]
    assert isinstance(last, Broken)
    assert last.why.startswith("the XML cannot be read from here on: ")


def test_what_stands_before_the_damage_in_the_same_piece_is_taken() -> None:
    damaged = NMAP_XML.replace(b"<runstats>", b"<runstats", 1)

    assert found(damaged) == OPEN
    assert len(broken(damaged)) == 1


@pytest.mark.parametrize("data", [LAUGHS, OUTSIDE, PARAMETER], ids=["laughs", "outside", "parameter"])
def test_entities_are_refused_and_nothing_is_fetched(data: bytes) -> None:
    with pytest.raises(ConfigError, match=r"a file: not nmap's XML: it declares entities"):
        told(data, Kind.NMAP_XML)


def test_an_external_document_type_is_tolerated_and_not_fetched() -> None:
    doctype = b'<!DOCTYPE nmaprun SYSTEM "http://192.0.2.9/nmap.dtd">'

    assert told(NMAP_XML.replace(b"<!DOCTYPE nmaprun>", doctype)) == OPEN


@pytest.mark.parametrize(
    "data",
    [
        b"<?xml version='1.0'?><html></html>",
        b"<?xml version='1.0'?>",
        b"open tcp 104 192.0.2.1 1",
        b"",
        b"<nmaprun",
    ],
)
def test_what_is_no_such_file_is_refused_with_advice(data: bytes) -> None:
    with pytest.raises(ConfigError, match=r"a file: not nmap's XML: .*; write it with nmap -oX"):
        told(data, Kind.NMAP_XML)


@pytest.mark.parametrize(
    ("unit", "why"),
    [
        (b"<host>", "more names or levels than nmap has"),
        (b"x", "a tag, comment or text longer than 4 MiB"),
        (b"<a", "the XML cannot be read"),
    ],
)
def test_a_document_cannot_grow_without_end(unit: bytes, why: str) -> None:
    head = HEAD + (b"<host a='" if unit == b"x" else b"")
    *_, last = told(head + unit * ((6 << 20) // len(unit)))

    assert isinstance(last, Broken)
    assert last.why.startswith(why)


def test_names_cannot_grow_without_end() -> None:
    names = b"".join(b"<a%d b%d=''/>\n" % (n, n) for n in range(100_000))
    tracemalloc.start()
    try:
        *before, last = told(HEAD + host(port(b"104")) + names + b"</nmaprun>")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert before == [Found("192.0.2.1", 104, None)]
    assert isinstance(last, Broken)
    assert last.why == "more names or levels than nmap has"
    assert last.line < 1000
    assert peak < 10 << 20
