"""A provider's key set: what is taken as a key, and what is passed over."""

from __future__ import annotations

import json
import warnings
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from tests.unit.access.minting import key, public

from leadglass.access.key_set import Keys, read_keys
from leadglass.errors import RemoteProtocolError

GOOD = public(key())["keys"][0]
RSA = public(key("of RSA", "RSA"))["keys"][0]


def read(*entries: Any) -> Keys:
    return read_keys(json.dumps({"keys": list(entries)}).encode())


def passed_over(entry: Any) -> bool:
    """Whether a set with this and a good key is a set with the good key alone."""
    return read(entry, GOOD) == read(GOOD)


@pytest.mark.parametrize(
    ("entry", "algorithms"),
    [
        (GOOD, {"ES256"}),
        (RSA, {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
        ({**RSA, "alg": "PS256", "use": "sig"}, {"PS256"}),
        (public(key("okp", "OKP"))["keys"][0], {"EdDSA", "Ed25519"}),
        ({**GOOD, "key_ops": ["verify"], "x5t": "AAAA", "note": [1]}, {"ES256"}),
    ],
)
def test_a_key_verifies_what_it_is_for(entry: dict[str, Any], algorithms: set[str]) -> None:
    assert read(entry).keys[0].algorithms == algorithms


def test_a_key_is_found_by_its_name_and_by_what_it_verifies() -> None:
    keys = read(GOOD, RSA)

    assert [found.kid for found in keys.named("first")] == ["first"]
    assert keys.named("of rsa") == ()
    assert [found.kid for found in keys.fitting("PS256")] == ["of RSA"]


def test_a_key_without_a_name_is_a_key() -> None:
    assert read({name: value for name, value in GOOD.items() if name != "kid"}).keys[0].kid is None


def test_the_same_keys_are_equal_and_other_keys_are_not() -> None:
    assert read(GOOD) == read({**GOOD, "note": 1})
    assert read(GOOD) != read({**GOOD, "kid": "renamed"})
    assert read(GOOD) != read(public(key("other"))["keys"][0] | {"kid": "first"})


@pytest.mark.parametrize(
    "entry",
    [
        OctKey.generate_key(256).as_dict(private=True),
        key().as_dict(private=True),
        key("of RSA", "RSA").as_dict(private=True),
        {**GOOD, "use": "enc"},
        {**GOOD, "use": "signing"},
        {**GOOD, "key_ops": ["encrypt"]},
        {**GOOD, "key_ops": "verify"},
        {**GOOD, "alg": "RS256"},
        {**GOOD, "alg": ["ES256"]},
        {**GOOD, "alg": "none"},
        {**GOOD, "kid": 7},
        {**GOOD, "kty": "AKP"},
        {**GOOD, "kty": ["EC"]},
        {**GOOD, "crv": "secp256k1"},
        {**GOOD, "crv": "P-384"},
        {**GOOD, "x": GOOD["y"]},
        {**GOOD, "x": "!"},
        {**GOOD, "x": 7},
        {"kty": "EC"},
        {},
        OKPKey.generate_key("X25519").as_dict(private=False),
        {**RSA, "n": "AQAB"},
        {**RSA, "n": None},
        {**RSA, "n": "A" * 2000},
        {**RSA, "e": "AA"},
        {**RSA, "e": ""},
        "key",
        None,
    ],
)
def test_what_is_no_public_key_for_signatures_is_passed_over(entry: Any) -> None:
    assert passed_over(entry)


def test_a_short_rsa_key_is_passed_over_in_silence() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        short = RSAKey.generate_key(1024, private=False).as_dict()

    assert passed_over(short)


@pytest.mark.parametrize("bits", ["P-384", "P-521"])
def test_larger_curves_are_for_their_own_algorithms(bits: Any) -> None:
    entry = ECKey.generate_key(bits, private=False).as_dict()

    assert read(entry).keys[0].algorithms == {"ES" + {"P-384": "384", "P-521": "512"}[bits]}


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"keys":{}}',
        b'{"keys":[]}',
        b'{"keys":[{}]}',
        b'{"keys":[],"keys":[]}',
        b'{"keys":' + b"[" * 5000 + b"]" * 5000 + b"}",
        json.dumps({"keys": [GOOD] * 65}).encode(),
        json.dumps({"keys": [OctKey.generate_key(256).as_dict(private=True)]}).encode(),
        b"<!doctype html><title>Sign in</title>",
    ],
    ids=range(12),
)
def test_a_set_that_is_none_or_of_no_use_is_the_providers_error(text: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        read_keys(text)
