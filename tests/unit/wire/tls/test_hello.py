from __future__ import annotations

import pytest

from leadglass.errors import LocalProtocolError
from leadglass.wire.tls.hello import OFFERS, client_hello, goodbye

RANDOM = bytes(range(32))


class Parsed:
    """A ClientHello taken apart by the layout of RFC 5246 7.4.1.2, apart from the code that made it."""

    def __init__(self, data: bytes) -> None:
        self.record_version = data[1:3].hex()
        assert data[0] == 22
        assert int.from_bytes(data[3:5]) == len(data) - 5
        assert data[5] == 1
        assert int.from_bytes(data[6:9]) == len(data) - 9
        self.version = data[9:11].hex()
        self.random = data[11:43]
        self.session = data[43]
        size = int.from_bytes(data[44:46])
        self.suites = [int.from_bytes(data[at : at + 2]) for at in range(46, 46 + size, 2)]
        at = 46 + size
        self.compression = data[at : at + 2].hex()
        assert int.from_bytes(data[at + 2 : at + 4]) == len(data) - at - 4
        self.extensions = dict(self._extensions(data[at + 4 :]))

    @staticmethod
    def _extensions(rest: bytes) -> list[tuple[int, bytes]]:
        found = []
        while rest:
            size = int.from_bytes(rest[2:4])
            found.append((int.from_bytes(rest[:2]), rest[4 : 4 + size]))
            assert len(found[-1][1]) == size
            rest = rest[4 + size :]
        return found


def ask(offer: str, name: str | None = None) -> Parsed:
    return Parsed(client_hello(OFFERS[offer], server_name=name, random=RANDOM))


@pytest.mark.parametrize(
    ("offer", "version"), [("tls12", "0303"), ("retired-suites", "0303"), ("old-versions", "0302")]
)
def test_a_hello_offers_its_version_and_no_session_and_no_compression(offer: str, version: str) -> None:
    hello = ask(offer)

    assert (hello.record_version, hello.version) == ("0301", version)
    assert (hello.random, hello.session, hello.compression) == (RANDOM, 0, "0100")


@pytest.mark.parametrize("offer", OFFERS)
def test_a_hello_offers_its_suites_in_order_and_secure_renegotiation(offer: str) -> None:
    assert tuple(ask(offer).suites) == (*OFFERS[offer].suites, 0x00FF)


@pytest.mark.parametrize("offer", OFFERS)
def test_no_hello_offers_tls_13(offer: str) -> None:
    assert 43 not in ask(offer).extensions


def test_signature_algorithms_go_only_where_tls_12_is_offered() -> None:
    assert 13 in ask("tls12").extensions
    assert 13 in ask("retired-suites").extensions
    assert 13 not in ask("old-versions").extensions


def test_signatures_with_sha1_are_offered_too() -> None:
    content = ask("tls12").extensions[13][2:]

    assert {0x0201, 0x0203, 0x0401, 0x0804} <= {
        int.from_bytes(content[n : n + 2]) for n in range(0, len(content), 2)
    }


def test_application_protocols_are_those_of_the_web() -> None:
    assert ask("tls12").extensions[16] == b"\x00\x0c\x02h2\x08http/1.1"


@pytest.mark.parametrize("name", ["archive.example", "archive.example."])
def test_the_server_name_is_sent_without_its_final_dot(name: str) -> None:
    assert ask("tls12", name).extensions[0] == b"\x00\x12\x00\x00\x0farchive.example"


def test_no_server_name_is_sent_where_none_is_known() -> None:
    assert 0 not in ask("tls12").extensions


@pytest.mark.parametrize("name", ["bücher.example", "a" * 254, "."])
def test_a_name_that_sni_cannot_carry_is_our_own_error(name: str) -> None:
    with pytest.raises(LocalProtocolError):
        ask("tls12", name)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_the_random_has_32_bytes(size: int) -> None:
    with pytest.raises(LocalProtocolError, match="32 random bytes"):
        client_hello(OFFERS["tls12"], server_name=None, random=bytes(size))


def test_goodbye_is_user_canceled_and_close_notify() -> None:
    assert goodbye(0x0302).hex(" ") == "15 03 02 00 02 01 5a 15 03 02 00 02 01 00"
