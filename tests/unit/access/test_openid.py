"""What a provider says of itself, and what an ID token has to say beside what every token has."""

from __future__ import annotations

import dataclasses
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.unit.access.minting import ABSENT, ISSUER, NOW, key, key_set, mint

from leadglass.access.id_token import IdTokenRules, Person, verify_id_token
from leadglass.access.identity import IdentityRefusal
from leadglass.access.openid import Asking, basic, challenge, discovery, id_token_in, read_metadata
from leadglass.access.tokens import UnknownKey
from leadglass.errors import RemoteProtocolError

RULES = IdTokenRules(ISSUER, "dashboard", "realm_access.roles")
DOCUMENT = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/auth?tenant=1",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}:8443/keys",
}
ASKING = Asking("dash board", "https://here.example/sign-in/return", "s", "n", "v" * 43)


def believed(**claims: Any) -> Person | IdentityRefusal | UnknownKey:
    good = {"aud": "dashboard", "nonce": "n", "roles": ABSENT, "realm_access": {"roles": ["staff", "chief"]}}
    return verify_id_token(mint(header={"typ": "JWT"}, **{**good, **claims}), key_set(key()), RULES, "n", NOW)


def test_the_challenge_is_that_of_the_standard() -> None:
    # RFC 7636, appendix B.
    assert challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == (
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )


def test_a_browser_is_led_to_the_provider_with_all_that_the_flow_needs() -> None:
    there = urlsplit(read_metadata(json.dumps(DOCUMENT).encode(), ISSUER).leads_to(ASKING))

    assert (there.hostname, there.path) == ("id.example", "/auth")
    assert parse_qs(there.query) == {
        "tenant": ["1"],
        "response_type": ["code"],
        "client_id": ["dash board"],
        "redirect_uri": ["https://here.example/sign-in/return"],
        "scope": ["openid profile"],
        "state": ["s"],
        "nonce": ["n"],
        "code_challenge": [challenge("v" * 43)],
        "code_challenge_method": ["S256"],
    }
    again = dataclasses.replace(ASKING, anew=True).parameters()
    assert (again["prompt"], again["max_age"]) == ("login", "0")


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize(
    "url",
    [
        None,
        7,
        "",
        "http://id.example/x",
        "https://id.example.evil/x",
        "https://id.example@evil/x",
        "https://u@id.example/x",
        "https://id.example:99999/x",
        "https://id.example/x#y",
        "https://id.example/a b",
        "https://id.example\\@evil/x",
        "https://[id.example/x",
        "//id.example/x",
    ],
)
def test_an_address_elsewhere_is_refused(name: str, url: object) -> None:
    with pytest.raises(RemoteProtocolError, match=name):
        read_metadata(json.dumps({**DOCUMENT, name: url}).encode(), ISSUER)


def test_discovery_is_beneath_the_issuer_and_for_it_alone() -> None:
    assert discovery("https://id.example/r/") == "https://id.example/r/.well-known/openid-configuration"
    with pytest.raises(RemoteProtocolError, match="another issuer"):
        read_metadata(json.dumps(DOCUMENT).encode(), f"{ISSUER}/")


def test_a_secret_with_signs_is_written_as_the_standard_has_it() -> None:
    assert basic("a:b", "c d%") == "Basic YSUzQWI6YytkJTI1"


@pytest.mark.parametrize("body", [b"", b"[]", b'{"id_token": 1}', b'{"id_token": "\xc3\xa9"}', b"[" * 9999])
def test_an_answer_without_a_token_is_an_error(body: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        id_token_in(200, body)


def test_a_token_that_holds_says_who_it_is() -> None:
    found = believed(preferred_username="Ada", name="Ada E.", auth_time=NOW - 5)

    assert found == Person(ISSUER, "ada", frozenset({"staff", "chief"}), "Ada", "Ada E.", NOW - 5)


def test_what_only_adorns_does_no_harm() -> None:
    found = believed(preferred_username=["x"], name="a\u202eb", auth_time=True, labels=7, institutions={})

    assert isinstance(found, Person)
    assert (found.called, found.full_name, found.at) == ("", "", None)


@pytest.mark.parametrize(
    ("claims", "rule"),
    [
        ({"aud": ["dashboard", "other"]}, "token-audience"),
        ({"aud": "other"}, "token-audience"),
        ({"aud": {"dashboard": 1}}, "token-audience"),
        ({"azp": "other"}, "token-party"),
        ({"azp": ["dashboard"]}, "token-party"),
        ({"nonce": "m"}, "token-nonce"),
        ({"nonce": ABSENT}, "token-nonce"),
        ({"nonce": 7}, "token-nonce"),
        ({"nonce": "\ud800"}, "token-nonce"),
        ({"iat": NOW - 700}, "token-too-old"),
        ({"exp": NOW - 61}, "token-expired"),
        ({"realm_access": {"roles": [["staff"]]}}, "token-claims"),
    ],
)
def test_a_token_for_another_question_is_refused_by_its_rule(claims: dict[str, Any], rule: str) -> None:
    found = believed(**claims)

    assert isinstance(found, IdentityRefusal)
    assert found.rule == rule
