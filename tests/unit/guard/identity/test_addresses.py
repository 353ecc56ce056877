"""Where keys may be fetched from: over HTTPS, or without leaving this machine."""

from __future__ import annotations

import pytest
import trustme

from leadglass.errors import ConfigError
from leadglass.guard.identity.fetch import Address
from leadglass.guard.identity.jwks import provider


@pytest.mark.parametrize(
    ("url", "address", "authority"),
    [
        ("https://id.example", Address(True, "id.example", 443, "/"), "id.example"),
        ("https://ID.example:8443/a/b?c=d", Address(True, "id.example", 8443, "/a/b?c=d"), "id.example:8443"),
        ("https://[2001:db8::1]/jwks", Address(True, "2001:db8::1", 443, "/jwks"), "[2001:db8::1]"),
        ("http://127.0.0.1:3000/jwks", Address(False, "127.0.0.1", 3000, "/jwks"), "127.0.0.1:3000"),
        ("http://[::1]/", Address(False, "::1", 80, "/"), "[::1]"),
        ("http://localhost/", Address(False, "localhost", 80, "/"), "localhost"),
    ],
)
def test_an_address_is_read(url: str, address: Address, authority: str) -> None:
    assert Address.parse(url) == address
    assert address.authority == authority


def test_an_address_is_shown_as_it_is_asked() -> None:
    assert str(Address.parse("https://ID.example:443/jwks")) == "https://id.example/jwks"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "id.example",
        "//id.example/",
        "https://",
        "https:///jwks",
        "ftp://id.example/",
        "file:///etc/passwd",
        "http://id.example/",
        "http://192.0.2.1/",
        "http://127.0.0.1.example/",
        "http://localhost.example/",
        "https://user:word@id.example/",
        "https://@id.example/",
        "https://id.example/#part",
        "https://id.example:port/",
        "https://id.example:99999/",
        "https://[id.example/",
        "https://id.example/a b",
        "https://id.example/\r\nHost: evil.example",
        "https://id.example/\u00e9",
    ],
)
def test_an_address_that_is_not_trusted_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        Address.parse(url)


def test_a_provider_is_asked_where_its_keys_are_unless_that_is_known() -> None:
    found = provider("https://id.example/realms/north/")
    told = provider("https://id.example/realms/north/", "https://keys.example/jwks")

    assert str(found.start) == "https://id.example/realms/north/.well-known/openid-configuration"
    assert (found.discovers, told.discovers) == (True, False)
    assert str(told.start) == "https://keys.example/jwks"


@pytest.mark.parametrize(
    ("issuer", "jwks"), [("http://id.example", None), ("https://id.example", "http://id.example/jwks")]
)
def test_a_provider_without_https_is_a_mistake_in_the_configuration(issuer: str, jwks: str | None) -> None:
    with pytest.raises(ConfigError, match="only https is trusted"):
        provider(issuer, jwks)


def test_authorities_that_are_none_are_a_mistake_in_the_configuration() -> None:
    authority = trustme.CA(key_type=trustme.KeyType.ECDSA).cert_pem.bytes().decode()
    assert provider("https://id.example", authorities=authority).tls.cert_store_stats()["x509"] == 1

    for text in ("", "nothing", authority.replace("M", "N"), "\u00e9"):
        with pytest.raises(ConfigError, match="authorities"):
            provider("https://id.example", authorities=text)
