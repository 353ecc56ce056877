"""Names are asked for once, of a real nameserver, and only a right answer counts."""

from __future__ import annotations

import dns.rcode
import pytest
from tests.interop.local_servers import Zone, nameserver

from leadglass.errors import TransportError
from leadglass.net.resolve import SystemResolver
from leadglass.net.services import Service, Transport, connect

ZONE: Zone = {
    "pacs.example.org": {"A": ("192.0.2.1", "192.0.2.2"), "AAAA": ("2001:DB8::1",)},
    "alias.example.org": {"CNAME": ("pacs.example.org",)},
    "text.example.org": {"TXT": ('"one " "string"', '"another"')},
    "empty.example.org": {"A": ("192.0.2.3",)},
}


def test_addresses_come_from_both_families_in_canonical_form() -> None:
    with nameserver(ZONE) as server:
        resolver = SystemResolver(server.address)

        assert sorted(resolver.addresses("pacs.example.org")) == ["192.0.2.1", "192.0.2.2", "2001:db8::1"]
        assert sorted(resolver.addresses("alias.example.org")) == ["192.0.2.1", "192.0.2.2", "2001:db8::1"]
        assert resolver.addresses("192.0.2.9") == ("192.0.2.9",)


def test_a_name_is_asked_for_once_whatever_dns_says_later() -> None:
    zone: dict[str, dict[str, tuple[str, ...]]] = {"pacs.example.org": {"A": ("192.0.2.1",)}}
    with nameserver(zone) as server:
        resolver = SystemResolver(server.address)
        first = resolver.addresses("pacs.example.org")
        zone["pacs.example.org"] = {"A": ("127.0.0.1",)}

        assert resolver.addresses("pacs.example.org") == first == ("192.0.2.1",)
        assert [kind for _, _, kind in server.asked] == ["A", "AAAA"]


def test_a_text_in_pieces_is_one_text() -> None:
    with nameserver(ZONE) as server:
        resolver = SystemResolver(server.address)

        assert sorted(resolver.texts("text.example.org")) == ["another", "one string"]
        assert resolver.texts("empty.example.org") == ()
        assert resolver.texts("missing.example.org") == ()


def test_an_answer_too_long_for_a_datagram_comes_over_tcp() -> None:
    zone: Zone = {"long.example.org": {"TXT": tuple(f'"{number:0200}"' for number in range(40))}}
    with nameserver(zone, truncated=frozenset(zone)) as server:
        assert len(SystemResolver(server.address).texts("long.example.org")) == 40
        assert [transport for transport, _, _ in server.asked] == ["udp", "tcp"]


def test_a_forged_answer_is_passed_over() -> None:
    zone: Zone = {"pacs.example.org": {"TXT": ('"true"',)}}
    with nameserver(zone, forged=frozenset(zone)) as server:
        assert SystemResolver(server.address).texts("pacs.example.org") == ("true",)


@pytest.mark.parametrize("rcode", [dns.rcode.SERVFAIL, dns.rcode.REFUSED])
def test_a_server_that_cannot_tell_is_not_taken_for_no(rcode: dns.rcode.Rcode) -> None:
    with nameserver({}, rcodes={"pacs.example.org": rcode}) as server:
        resolver = SystemResolver(server.address)

        with pytest.raises(TransportError, match=dns.rcode.to_text(rcode)) as caught:
            resolver.texts("pacs.example.org")
        with pytest.raises(TransportError):
            resolver.addresses("pacs.example.org")
    assert "\n" not in str(caught.value)


def test_a_silent_server_is_an_error_in_bounded_time() -> None:
    with (
        nameserver({}, silent=frozenset({"pacs.example.org"})) as server,
        pytest.raises(TransportError, match="cannot be looked up"),
    ):
        SystemResolver(server.address, timeout=0.1).texts("pacs.example.org")
    assert len(server.asked) == 2


def test_a_name_without_an_address_is_an_error() -> None:
    with nameserver({"empty.example.org": {}}) as server:
        for name in ("missing.example.org", "empty.example.org"):
            with pytest.raises(TransportError, match=f"{name}: no address"):
                SystemResolver(server.address).addresses(name)


@pytest.mark.parametrize("name", ["a" * 64, "a..b", "." * 5, "x" * 300])
def test_what_is_no_name_is_an_error_of_one_line(name: str) -> None:
    with nameserver(ZONE) as server:
        for resolver in (SystemResolver(server.address), SystemResolver()):
            with pytest.raises(TransportError) as caught:
                resolver.addresses(name)
            assert "\n" not in str(caught.value)


def test_the_system_knows_its_own_name() -> None:
    assert "127.0.0.1" in SystemResolver().addresses("localhost")


def test_a_service_that_is_not_there_is_an_error_that_names_it() -> None:
    with nameserver({}) as server:
        address = server.address
    with pytest.raises(TransportError, match=rf"DNS at 127\.0\.0\.1:{address[1]}: cannot be reached"):
        connect(Service("DNS", *address, Transport.TCP), 1.0)
    assert str(Service("DNS", "::1", 53)) == "DNS at [::1]:53"
