"""Whatever comes as a name, a passcode, a token or a key set: an answer, and never a mistake."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.access.minting import CLAIMS, NOW, RULES, encode, key, key_set, mint, public, sign

from leadglass.access.identity import IdentityRefusal, NeedsPasscode, NeedsToken, bearer_token, user_identity
from leadglass.access.key_set import read_keys
from leadglass.access.passcodes import Attempts
from leadglass.access.strict import decode_base64url, json_object, plain_text
from leadglass.access.tokens import UnknownKey, Verified, verify
from leadglass.errors import RemoteProtocolError
from leadglass.model.access import Kind, Principal
from leadglass.model.enrolment import Enrolled, Roll, User
from leadglass.wire.user_information import UserIdentityRQ

KEYS = key_set(key())
TOKEN = mint()
DEVICE = Enrolled("ws", Kind.DEVICE, ("WS",), (), users=("ada",))
ROLL = Roll(1, {"ws": DEVICE}, {"ada": User("ada", "")})

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
members = st.dictionaries(
    st.sampled_from([*CLAIMS, "nbf", "cnf", "client_id", "alg", "kid", "typ", "crit", "x"]),
    values,
    max_size=6,
)


def look(jwt: bytes) -> Verified | IdentityRefusal | UnknownKey:
    return verify(jwt, KEYS, RULES, NOW)


def is_seen(text: str) -> bool:
    return text.isprintable() and text == text.strip() and text != ""


@given(bit=st.integers(0, len(TOKEN) * 8 - 1))
def test_a_token_with_any_bit_flipped_is_refused(bit: int) -> None:
    changed = bytearray(TOKEN)
    changed[bit // 8] ^= 1 << bit % 8

    assert isinstance(look(TOKEN), Verified)
    assert not isinstance(look(bytes(changed)), Verified)


@given(st.binary(max_size=300) | st.lists(st.binary(max_size=60).map(encode), max_size=5).map(b".".join))
def test_any_bytes_as_a_token_are_answered(jwt: bytes) -> None:
    assert isinstance(look(jwt), IdentityRefusal | UnknownKey)


@given(header=members)
def test_any_header_is_answered(header: dict[str, Any]) -> None:
    head = {"alg": "ES256", "typ": "at+jwt", "kid": "first"} | header
    found = look(sign(json.dumps(head).encode(), json.dumps(dict(CLAIMS)).encode(), key(), "ES256"))

    assert isinstance(found, Verified | IdentityRefusal | UnknownKey)


@given(claims=members)
def test_whatever_is_claimed_names_are_names_and_times_are_kept(claims: dict[str, Any]) -> None:
    found = look(mint(**claims))

    assert isinstance(found, Verified | IdentityRefusal)
    if isinstance(found, Verified):
        assert is_seen(found.principal.name)
        assert all(map(is_seen, found.principal.roles))
        assert found.since <= NOW < found.until <= NOW + 13 * 3600


@given(claims=members)
def test_a_refusal_is_one_line(claims: dict[str, Any]) -> None:
    found = look(mint(**claims))
    if isinstance(found, IdentityRefusal):
        assert found.reason.isprintable()


@given(
    kind=st.integers(0, 255),
    primary=st.binary(max_size=200),
    secondary=st.binary(max_size=40),
    tls=st.booleans(),
)
def test_any_user_identity_is_answered(kind: int, primary: bytes, secondary: bytes, tls: bool) -> None:
    item = UserIdentityRQ(kind, False, primary, secondary)
    found = user_identity(item, DEVICE, ROLL, tls=tls)

    assert isinstance(found, Principal | IdentityRefusal | NeedsToken | NeedsPasscode)
    assert tls or isinstance(found, IdentityRefusal)
    assert not isinstance(found, Principal) or primary == b"ada"
    if isinstance(found, NeedsPasscode):
        assert is_seen(found.user)


@given(st.text(max_size=60), st.booleans())
def test_any_authorization_is_answered(text: str, tls: bool) -> None:
    assert isinstance(bearer_token(text, tls=tls), bytes | IdentityRefusal)
    assert isinstance(
        bearer_token("Bearer " + text, tls=tls), bytes if tls and text.isascii() else IdentityRefusal
    )


@given(st.binary(max_size=300) | values.map(json.dumps).map(str.encode))
def test_any_bytes_as_a_key_set_are_keys_or_one_error(text: bytes) -> None:
    with contextlib.suppress(RemoteProtocolError):
        assert read_keys(text).keys


@given(
    changed=st.dictionaries(
        st.sampled_from(["kty", "crv", "x", "y", "n", "e", "use", "alg", "kid", "key_ops"]), values
    ),
    kind=st.sampled_from(["EC", "RSA", "OKP"]),
)
def test_any_key_beside_a_good_one_is_a_key_or_passed_over(changed: dict[str, Any], kind: str) -> None:
    entry = public(key("of " + kind, kind))["keys"][0] | changed
    found = read_keys(json.dumps({"keys": [entry, *public(key())["keys"]]}).encode())

    assert 1 <= len(found.named("first")) <= 2
    assert len(found.keys) <= 2


@given(st.binary(max_size=60))
def test_base64url_has_one_form(data: bytes) -> None:
    assert decode_base64url(encode(data)) == data


@given(st.binary(max_size=60))
def test_what_is_decoded_from_base64url_was_its_only_form(text: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert encode(decode_base64url(text)) == text


@given(st.dictionaries(st.text(max_size=8), values, max_size=5))
def test_strict_json_reads_what_json_is(value: dict[str, Any]) -> None:
    assert json_object(json.dumps(value).encode()) == value


@given(st.text(max_size=40))
def test_a_plain_text_can_be_seen_and_is_normal(text: str) -> None:
    with contextlib.suppress(ValueError):
        found = plain_text(text, 40)
        assert is_seen(found)
        assert plain_text(found, 40) == found


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), st.integers(0, 100), st.booleans())))
def test_nobody_is_heard_more_often_than_the_limits_say(attempts: list[tuple[str, str, int, bool]]) -> None:
    counted, now, heard = Attempts(), 0.0, dict.fromkeys("xy", 0)
    for user, address, wait, _ in attempts:
        now += wait
        heard[address] += counted.begin(user, address, now)

    span = 1 + now / Attempts.lock
    assert all(count <= Attempts.per_address + span for count in heard.values())
    assert pytest.approx(now) == sum(wait for _, _, wait, _ in attempts)
