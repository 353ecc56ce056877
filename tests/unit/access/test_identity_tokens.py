"""Tokens: what is believed of them, and every way in which one is not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.access.minting import (
    ABSENT,
    AUDIENCE,
    CERTIFICATE,
    CLAIMS,
    NOW,
    RULES,
    encode,
    hmac_token,
    key,
    key_set,
    mint,
    public,
    sign,
    unsigned,
)

from leadglass.access.identity import IdentityRefusal
from leadglass.access.key_set import Keys
from leadglass.access.tokens import LONGEST, TokenRules, UnknownKey, Verified, verify
from leadglass.model.access import Kind, Principal

OTHER = "0" * 64
NAMESPACED: Any = {"https://id.example/roles": ["flat"]}
BOUND = {"x5t#S256": encode(bytes.fromhex(CERTIFICATE)).decode()}


def look(
    jwt: bytes,
    keys: Keys | None = None,
    rules: TokenRules = RULES,
    now: float = NOW,
    certificate: str | None = None,
) -> Verified | IdentityRefusal | UnknownKey:
    return verify(jwt, keys or key_set(key()), rules, now, certificate)


def rule_of(found: Verified | IdentityRefusal | UnknownKey) -> str:
    assert isinstance(found, IdentityRefusal), found
    assert "\n" not in found.reason
    return found.rule


def person(jwt: bytes, **options: Any) -> Principal:
    found = look(jwt, **options)
    assert isinstance(found, Verified), found
    return found.principal


# ---- believed


def test_a_token_names_a_person_with_roles() -> None:
    assert person(mint()) == Principal(Kind.PERSON, "ada", roles=frozenset({"radiologist"}))


@pytest.mark.parametrize(
    ("kind", "algorithm"),
    [("RSA", "RS256"), ("RSA", "PS256"), ("EC", "ES256"), ("OKP", "EdDSA"), ("OKP", "Ed25519")],
)
def test_the_usual_signatures_are_verified(kind: str, algorithm: str) -> None:
    signer = key("of " + kind, kind)

    assert person(mint(signer, algorithm), keys=key_set(signer)).name == "ada"


def test_everything_that_policies_know_of_a_person_is_taken_from_claims() -> None:
    jwt = mint(roles=["a", "b"], physician_names="CURIE^MARIE", institutions=["North"], labels=["trial-7"])

    assert person(jwt) == Principal(
        Kind.PERSON,
        "ada",
        roles=frozenset({"a", "b"}),
        physician_names=frozenset({"CURIE^MARIE"}),
        institutions=frozenset({"North"}),
        labels=frozenset({"trial-7"}),
    )


def test_a_claim_is_found_by_its_way_and_by_a_name_with_dots() -> None:
    nested = mint(roles=ABSENT, realm_access={"roles": ["nested"]})
    flat = mint(roles=ABSENT, **NAMESPACED)

    assert person(nested, rules=replace(RULES, roles="realm_access.roles")).roles == {"nested"}
    assert person(flat, rules=replace(RULES, roles="https://id.example/roles")).roles == {"flat"}


@pytest.mark.parametrize("realm", [{}, {"roles": None}, "text", 7, None])
def test_a_way_that_leads_nowhere_gives_nobody_a_role(realm: Any) -> None:
    jwt = mint(roles=ABSENT, realm_access=realm)

    assert person(jwt, rules=replace(RULES, roles="realm_access.roles")).roles == frozenset()


def test_a_client_that_asks_for_itself_is_a_service_and_no_person() -> None:
    assert person(mint(sub="router", client_id="router")).kind is Kind.SERVICE
    assert person(mint(sub="router", client_id="viewer")).kind is Kind.PERSON


def test_a_name_may_come_from_another_claim_but_not_for_a_service() -> None:
    rules = replace(RULES, name="preferred_username")

    assert person(mint(preferred_username="a.lovelace"), rules=rules).name == "a.lovelace"
    service = mint(sub="router", client_id="router", preferred_username="ada")
    assert person(service, rules=rules).name == "router"


def test_names_are_normalised() -> None:
    assert person(mint(sub="Zoe\u0308")).name == "Zo\u00eb"


def test_one_of_several_audiences_is_enough() -> None:
    assert person(mint(aud=["https://other.example/", AUDIENCE])).name == "ada"


@pytest.mark.parametrize("kind", ["at+jwt", "AT+JWT", "application/at+jwt", "JWT", ABSENT])
def test_access_tokens_are_known_by_their_type(kind: Any) -> None:
    assert person(mint(header={"typ": kind})).name == "ada"


def test_members_of_the_header_that_mean_nothing_here_are_passed_over() -> None:
    assert person(mint(header={"x5t": "AAAA", "x5t#S256": "AAAA", "note": [1]})).name == "ada"


def test_a_token_without_a_key_name_is_verified_with_the_only_key_that_fits() -> None:
    keys = key_set(key(), key("other", "RSA"))

    assert person(mint(header={"kid": ABSENT}), keys=keys).name == "ada"


def test_keys_of_two_kinds_may_share_a_name() -> None:
    keys = key_set(key("same", "RSA"), key("same", "EC"))

    assert person(mint(key("same", "EC")), keys=keys).name == "ada"
    assert person(mint(key("same", "RSA"), "RS256"), keys=keys).name == "ada"


# ---- time


def test_a_token_tells_until_when_it_holds() -> None:
    found = look(mint(nbf=NOW - 5, exp=NOW + 60))

    assert isinstance(found, Verified)
    assert (found.since, found.until) == (NOW - 35, NOW + 90)
    assert not found.holds(NOW - 35.1, None)
    assert found.holds(NOW + 89.9, None)
    assert not found.holds(NOW + 90, None)


@pytest.mark.parametrize(
    ("claims", "rule"),
    [
        ({"exp": NOW - 30}, "token-expired"),
        ({"exp": NOW - 31, "iat": NOW - 600}, "token-expired"),
        ({"nbf": NOW + 31}, "token-not-yet-valid"),
        ({"iat": NOW + 31}, "token-not-yet-valid"),
        ({"iat": NOW - 12 * 3600 - 31}, "token-too-old"),
    ],
)
def test_a_token_out_of_its_time_is_refused(claims: dict[str, Any], rule: str) -> None:
    assert rule_of(look(mint(**claims))) == rule


@pytest.mark.parametrize("claims", [{"exp": NOW - 29}, {"nbf": NOW + 29}, {"iat": NOW + 29}])
def test_clocks_may_differ_a_little(claims: dict[str, Any]) -> None:
    assert person(mint(**claims)).name == "ada"


def test_a_token_that_claims_to_be_valid_for_ever_ends_by_its_age() -> None:
    found = look(mint(iat=NOW, exp=NOW + 1e9))

    assert isinstance(found, Verified)
    assert found.until == NOW + 12 * 3600 + 30


@pytest.mark.parametrize("name", ["exp", "iat"])
@pytest.mark.parametrize("value", [ABSENT, None, "1800000000", True, -1, 1e300, [NOW]])
def test_a_moment_that_is_none_is_refused(name: str, value: Any) -> None:
    assert rule_of(look(mint(**{name: value}))) == "token-claims"


def test_a_number_too_large_for_a_number_is_refused() -> None:
    claims = json.dumps(dict(CLAIMS)).replace(str(NOW + 600), "1e999").encode()
    assert b"1e999" in claims
    jwt = sign(b'{"alg":"ES256","typ":"at+jwt","kid":"first"}', claims, key(), "ES256")

    assert rule_of(look(jwt)) == "token-claims"


# ---- issuer, audience, names


@pytest.mark.parametrize(
    "issuer", [ABSENT, None, "https://id.example/", "HTTPS://ID.EXAMPLE", ["https://id.example"]]
)
def test_another_issuer_is_refused(issuer: Any) -> None:
    assert rule_of(look(mint(iss=issuer))) == "token-issuer"


@pytest.mark.parametrize(
    "audience",
    [ABSENT, None, "", "https://guard.example", [], ["https://other.example/"], {AUDIENCE: 1}, [[AUDIENCE]]],
)
def test_another_audience_is_refused(audience: Any) -> None:
    assert rule_of(look(mint(aud=audience))) == "token-audience"


@pytest.mark.parametrize(
    "subject",
    [
        ABSENT,
        None,
        "",
        " ",
        " ada",
        "ada\n",
        "a\0da",
        "a\u202eda",
        "a\u200bda",
        "\ud800",
        "a" * 129,
        7,
        ["ada"],
    ],
)
def test_a_subject_that_is_no_name_is_refused(subject: Any) -> None:
    assert rule_of(look(mint(sub=subject))) == "token-claims"


@pytest.mark.parametrize(
    "roles", [7, {"radiologist": True}, ["radiologist", 7], [["radiologist"]], ["a\n"], ["r" * 201]]
)
def test_roles_that_are_no_list_of_names_are_refused(roles: Any) -> None:
    assert rule_of(look(mint(roles=roles))) == "token-claims"


# ---- form


@pytest.mark.parametrize(
    "jwt",
    [
        b"",
        b".",
        b"..",
        b"a.b",
        b"a.b.c.d.e",
        b"\xff.\xff.\xff",
        b"null.null.null",
        encode(b"[]") + b".e30.AAAA",
    ],
)
def test_what_is_no_token_is_refused(jwt: bytes) -> None:
    assert rule_of(look(jwt)) == "token-malformed"


def test_white_space_and_padding_around_a_token_are_refused() -> None:
    jwt = mint()
    header, payload, signature = jwt.split(b".")
    for changed in (
        jwt + b"\n",
        jwt + b"=",
        b" " + jwt,
        jwt + b"\0",
        header + b"=." + payload + b"." + signature,
    ):
        assert rule_of(look(changed)) == "token-malformed"


def test_a_giant_token_is_refused_unread() -> None:
    assert rule_of(look(b"a" * (LONGEST + 1))) == "token-too-long"


def test_a_token_nested_without_end_is_refused() -> None:
    deep = b'{"alg":' + b"[" * 5000 + b"]" * 5000 + b"}"

    assert rule_of(look(encode(deep) + b".e30.AAAA")) == "token-malformed"


@pytest.mark.parametrize(
    ("header", "payload"),
    [
        (b'{"alg":"none","alg":"ES256","kid":"first"}', b"{}"),
        (b'{"alg":"ES256","kid":"first"}', b'{"sub":"eve","sub":"ada"}'),
        (b'{"alg":"ES256","kid":"first"}', b'{"exp":NaN}'),
        (b'{"alg":"ES256","kid":"first"}', b'{"exp":Infinity}'),
        (b'{"alg":"ES256","kid":"first"}', b"[]"),
        (b'{"alg":"ES256","kid":"first"}', b'{"a":1} {"a":2}'),
        (b'{"alg":"ES256","kid":"first"}', '{"sub":"ada"}'.encode("utf-16")),
        (b'{"alg":"ES256","kid":"first"}', b'{"sub":"\xff"}'),
    ],
)
def test_json_that_two_readers_may_read_differently_is_refused(header: bytes, payload: bytes) -> None:
    assert rule_of(look(sign(header, payload, key(), "ES256"))) == "token-malformed"


def test_every_other_way_to_write_the_signature_is_refused() -> None:
    jwt = mint()
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    others = [jwt[:-1] + bytes([last]) for last in alphabet if last != jwt[-1]]

    assert {rule_of(look(other)) for other in others} <= {"token-malformed", "token-signature"}


# ---- algorithm and key


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", "nOnE"])
def test_a_token_without_a_signature_is_refused(algorithm: str) -> None:
    assert rule_of(look(unsigned(algorithm))) == "token-algorithm"


def test_a_public_key_is_no_secret_to_sign_with() -> None:
    signer = key("first", "RSA")
    keys = key_set(signer)
    modulus = public(signer)["keys"][0]["n"].encode()
    for secret in (signer.as_pem(), signer.as_der(), modulus, json.dumps(public(signer)).encode()):
        assert rule_of(look(hmac_token(secret), keys=keys)) == "token-algorithm"


def test_not_even_a_configuration_lets_a_shared_secret_or_none_in() -> None:
    rules = replace(RULES, algorithms=frozenset({"HS256", "none", "ES256K"}))

    for jwt in (unsigned(), hmac_token(b"secret")):
        assert rule_of(look(jwt, rules=rules)) == "token-algorithm"


def test_an_algorithm_that_is_not_on_the_list_is_refused() -> None:
    assert rule_of(look(mint(), rules=replace(RULES, algorithms=frozenset({"RS256"})))) == "token-algorithm"
    assert rule_of(look(mint(header={"alg": ["ES256"]}))) == "token-algorithm"
    assert rule_of(look(mint(header={"alg": ABSENT}))) == "token-algorithm"


def test_a_key_is_used_for_its_own_algorithms_only() -> None:
    signer = key("of RSA", "RSA")

    assert rule_of(look(mint(signer, "RS256", {"alg": "ES256"}), keys=key_set(signer))) == "token-key-unfit"


def test_rs256_is_not_verified_as_ps256() -> None:
    signer = key("of RSA", "RSA")

    assert rule_of(look(mint(signer, "RS256", {"alg": "PS256"}), keys=key_set(signer))) == "token-signature"


@pytest.mark.parametrize(
    ("member", "value", "rule"),
    [
        ("jwk", {"kty": "EC"}, "token-embedded-key"),
        ("jku", "https://evil.example/jwks", "token-embedded-key"),
        ("x5u", "https://evil.example/cert", "token-embedded-key"),
        ("x5c", ["AAAA"], "token-embedded-key"),
        ("crit", ["exp"], "token-header"),
        ("crit", [], "token-header"),
        ("b64", False, "token-header"),
        ("cty", "JWT", "token-header"),
        ("zip", "DEF", "token-header"),
        ("enc", "A256GCM", "token-header"),
        ("kid", 7, "token-header"),
        ("kid", None, "token-header"),
        ("typ", "logout+jwt", "token-type"),
        ("typ", "dpop+jwt", "token-type"),
        ("typ", 7, "token-type"),
        ("typ", None, "token-type"),
    ],
)
def test_a_header_that_asks_for_anything_special_is_refused(member: str, value: Any, rule: str) -> None:
    assert rule_of(look(mint(header={member: value}))) == rule


def test_a_key_that_the_token_brings_along_is_never_used() -> None:
    own = key("eve")
    jwt = mint(own, header={"jwk": own.as_dict(private=False), "kid": "first"})

    assert rule_of(look(jwt)) == "token-embedded-key"


def test_a_signature_by_another_key_under_a_known_name_is_refused() -> None:
    assert rule_of(look(mint(key("eve"), header={"kid": "first"}))) == "token-signature"


@pytest.mark.parametrize("kid", ["eve", "", "FIRST", "first ", "../first", "'; drop table keys"])
def test_a_name_that_no_key_has_may_be_one_of_tomorrow(kid: str) -> None:
    assert look(mint(key("eve"), header={"kid": kid})) == UnknownKey(kid)


def test_without_a_key_name_a_wrong_signature_may_be_by_a_newer_key() -> None:
    assert look(mint(key("eve"), header={"kid": ABSENT})) == UnknownKey(None)


def test_without_a_key_name_nobody_tries_several_keys() -> None:
    keys = key_set(key(), key("second"))

    assert rule_of(look(mint(header={"kid": ABSENT}), keys=keys)) == "token-key-unnamed"


def test_claims_are_not_looked_at_before_the_signature_holds() -> None:
    header, _, signature = mint().split(b".")
    forged = header + b"." + encode(json.dumps({**CLAIMS, "sub": "eve"}).encode()) + b"." + signature

    assert rule_of(look(forged)) == "token-signature"


# ---- bound to a certificate


def test_a_bound_token_is_believed_beside_its_certificate_only() -> None:
    jwt = mint(cnf=BOUND)
    found = look(jwt, certificate=CERTIFICATE)

    assert isinstance(found, Verified)
    assert found.bound == CERTIFICATE
    assert found.holds(NOW, CERTIFICATE)
    assert not found.holds(NOW, OTHER)
    assert not found.holds(NOW, None)
    assert rule_of(look(jwt, certificate=OTHER)) == "token-bound-elsewhere"
    assert rule_of(look(jwt)) == "token-bound-elsewhere"


def test_a_token_that_is_bound_to_nothing_comes_with_any_certificate() -> None:
    assert person(mint(), certificate=OTHER).name == "ada"


@pytest.mark.parametrize(
    "confirmation",
    [
        None,
        {},
        [],
        "x5t",
        {"jkt": "AAAA"},
        {"jwk": {}},
        {**BOUND, "jkt": "AAAA"},
        {"x5t#S256": 7},
        {"x5t#S256": "=="},
    ],
)
def test_a_binding_that_cannot_be_checked_is_refused(confirmation: Any) -> None:
    assert rule_of(look(mint(cnf=confirmation), certificate=CERTIFICATE)) == "token-binding"


@pytest.mark.parametrize("thumbprint", ["", "AAAA", "\u00e9"])
def test_a_binding_to_something_that_is_no_certificate_is_refused(thumbprint: str) -> None:
    found = look(mint(cnf={"x5t#S256": thumbprint}), certificate=CERTIFICATE)

    assert rule_of(found) in {"token-binding", "token-bound-elsewhere"}


# ---- silence


def test_no_refusal_repeats_what_was_sent() -> None:
    refused = [
        mint(sub="secret\n"),
        mint(roles=["secret\n"]),
        mint(header={"typ": "secret"}),
        mint(header={"alg": "secret"}),
        mint(iss="secret"),
        b"secret.secret.secret",
    ]

    for jwt in refused:
        found = look(jwt)
        assert isinstance(found, IdentityRefusal)
        assert "secret" not in found.reason
