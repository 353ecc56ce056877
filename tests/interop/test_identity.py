"""Tokens of a real identity provider, fetched keys and all: believed, and refused in every way there is."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import RSAKey
from tests.peers import certificates, oidc
from tests.unit.access.minting import encode, hmac_token, mint

from leadglass.access.admission import Peer
from leadglass.access.identity import IdentityRefusal
from leadglass.access.tokens import TokenRules, Verified
from leadglass.guard.identity.configured import configured
from leadglass.guard.identity.jwks import KeyCache, provider
from leadglass.guard.identity.people import Believed, Identities, Passcodes, People
from leadglass.model.access import Kind, Principal
from leadglass.model.enrolment import Enrolled, Roll
from leadglass.settings.guard import IdentitySettings
from leadglass.wire.user_information import UserIdentityRQ

GUARD = "https://guard.example/"
DEEP = os.environ.get("LEADGLASS_DEEP") == "1"
HOUR = 3600.0

with_provider = pytest.mark.peer("oidc")


@pytest.fixture(scope="module")
def own_papers(tmp_path_factory: pytest.TempPathFactory) -> certificates.Certificates:
    return certificates.certificates(tmp_path_factory.mktemp("papers"), "127.0.0.1")


@pytest.fixture(scope="module")
def issuer(
    tmp_path_factory: pytest.TempPathFactory, own_papers: certificates.Certificates
) -> Iterator[oidc.Issuer]:
    with oidc.oidc_provider(tmp_path_factory.mktemp("oidc"), own_papers) as running:
        yield running


class Clocks:
    """The machine's clocks, which a test may put forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead

    def posix(self) -> float:
        return time.time() + self.ahead


class Stand:
    """A guard's knowledge of one provider, as it is at its start."""

    def __init__(self, issuer: oidc.Issuer, **rules: Any) -> None:
        self.clocks = Clocks()
        self.fetched = 0
        self._provider = provider(issuer.name, authorities=issuer.authorities)
        self.cache = KeyCache(self._fetch, self.clocks)
        wanted = replace(TokenRules(issuer.name, GUARD), **rules)
        self.identities = Identities(self.cache, wanted, self.clocks)

    async def _fetch(self) -> Any:
        self.fetched += 1
        return await self._provider.keys()

    async def look(self, jwt: bytes, certificate: str | None = None) -> Verified | IdentityRefusal:
        return await self.identities.person(jwt, certificate)

    async def rule(self, jwt: bytes, certificate: str | None = None) -> str:
        """The rule that refuses the token; "" if none does."""
        found = await self.look(jwt, certificate)
        return found.rule if isinstance(found, IdentityRefusal) else ""


def asked(issuer: oidc.Issuer, *tokens: bytes, certificate: str | None = None) -> list[str]:
    """What a guard that just started says to each token in turn."""

    async def story() -> list[str]:
        stand = Stand(issuer)
        return [await stand.rule(jwt, certificate) for jwt in tokens]

    return asyncio.run(story())


def believed(issuer: oidc.Issuer, jwt: bytes, certificate: str | None = None, **rules: Any) -> Principal:
    found = asyncio.run(Stand(issuer, **rules).look(jwt, certificate))
    assert isinstance(found, Verified), found
    return found.principal


def shown_certificate(issuer: oidc.Issuer) -> str:
    """SHA-256 of the client certificate, as a TLS server sees it."""
    first = issuer.papers.client.read_text().partition("-----END CERTIFICATE-----\n")
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(first[0] + first[1])).hexdigest()


# ---- believed


@with_provider
@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"])
def test_real_tokens_are_believed(issuer: oidc.Issuer, algorithm: str) -> None:
    jwt = issuer.person("ada", GUARD, algorithm, roles=["radiologist"], physician_names=["LOVELACE^ADA"])

    assert believed(issuer, jwt) == Principal(
        Kind.PERSON, "ada", roles=frozenset({"radiologist"}), physician_names=frozenset({"LOVELACE^ADA"})
    )


@with_provider
def test_a_real_clients_own_token_is_a_service(issuer: oidc.Issuer) -> None:
    assert believed(issuer, issuer.client("router", GUARD)) == Principal(Kind.SERVICE, "router")


@with_provider
def test_roles_are_found_where_another_product_puts_them(issuer: oidc.Issuer) -> None:
    jwt = issuer.person("ada", GUARD, realm_access={"roles": ["auditor"]}, preferred_username="a.lovelace")
    found = believed(issuer, jwt, roles="realm_access.roles", name="preferred_username")

    assert found.name == "a.lovelace"
    assert found.roles == {"auditor"}


@with_provider
def test_a_guard_believes_as_its_file_says(issuer: oidc.Issuer) -> None:
    jwt = issuer.person(
        "0", GUARD, upn="ada", groups=["auditor"], pn="LOVELACE^ADA", at=["North"], trials=["7"]
    )
    settings = IdentitySettings(
        issuer=issuer.name,
        audience=GUARD,
        jwks=issuer.name + "/jwks",
        ca=None,
        name_claim="upn",
        roles_claim="groups",
        physician_claim="pn",
        institutions_claim="at",
        labels_claim="trials",
    )

    async def story() -> Verified | IdentityRefusal:
        _, identities = configured(settings, issuer.authorities, Clocks())
        return await identities.person(jwt, None)

    found = asyncio.run(story())
    assert isinstance(found, Verified)
    assert found.principal == Principal(
        Kind.PERSON,
        "ada",
        roles=frozenset({"auditor"}),
        physician_names=frozenset({"LOVELACE^ADA"}),
        institutions=frozenset({"North"}),
        labels=frozenset({"7"}),
    )


@with_provider
def test_many_at_once_make_one_question(issuer: oidc.Issuer) -> None:
    tokens = [issuer.person(f"user {number}", GUARD, "ES256") for number in range(5)]

    async def story() -> None:
        stand = Stand(issuer)
        rules = await asyncio.gather(*(stand.rule(jwt) for jwt in tokens * 20))
        assert set(rules) == {""}
        assert stand.fetched == 1

    asyncio.run(story())


@with_provider
def test_a_real_token_in_an_association_is_a_person_at_a_device(issuer: oidc.Issuer) -> None:
    station = Enrolled("reading-room", Kind.DEVICE, ("READ1",), ("127.0.0.0/8",))
    jwt = issuer.person("ada", GUARD, roles=["radiologist"])

    async def story() -> Believed | IdentityRefusal:
        stand = Stand(issuer)
        people = People(Passcodes(stand.clocks), stand.identities)
        peer = Peer("127.0.0.1", None, tls=True)
        return await people.associating(
            UserIdentityRQ(5, True, jwt), station, peer, Roll(1, {"reading-room": station}, {})
        )

    found = asyncio.run(story())
    assert isinstance(found, Believed)
    assert found.principal == Principal(
        Kind.PERSON, "ada", roles=frozenset({"radiologist"}), titles=frozenset({"READ1"})
    )
    assert found.until is not None
    assert 600 < found.until - time.time() < 640


# ---- bound to a certificate


@with_provider
def test_a_token_bound_to_a_certificate_is_worth_nothing_beside_another(issuer: oidc.Issuer) -> None:
    jwt, own = issuer.client("modality", GUARD), shown_certificate(issuer)

    assert believed(issuer, jwt, own) == Principal(Kind.SERVICE, "modality")
    assert asked(issuer, jwt, certificate="0" * 64) == ["token-bound-elsewhere"]
    assert asked(issuer, jwt) == ["token-bound-elsewhere"]


# ---- signed by the provider, and refused


@with_provider
@pytest.mark.parametrize(
    ("claims", "rule"),
    [
        ({"iat": -1200, "exp": -600}, "token-expired"),
        ({"nbf": 600}, "token-not-yet-valid"),
        ({"iat": 600}, "token-not-yet-valid"),
        ({"iat": -13 * HOUR, "exp": 24 * HOUR}, "token-too-old"),
    ],
)
def test_a_signed_token_out_of_its_time_is_refused(
    issuer: oidc.Issuer, claims: dict[str, float], rule: str
) -> None:
    moments: dict[str, Any] = {name: int(time.time() + seconds) for name, seconds in claims.items()}

    assert asked(issuer, issuer.person("ada", GUARD, **moments)) == [rule]


@with_provider
def test_a_signed_token_for_others_or_by_others_is_refused(issuer: oidc.Issuer) -> None:
    assert asked(
        issuer,
        issuer.person("ada", "https://other.example/"),
        issuer.person("ada", GUARD, aud=["https://other.example/"]),
        issuer.person("ada", GUARD, iss="https://other.example"),
        issuer.person("ada", GUARD, iss=issuer.name + "/"),
    ) == ["token-audience", "token-audience", "token-issuer", "token-issuer"]


@with_provider
def test_a_signed_token_of_another_kind_is_refused(issuer: oidc.Issuer) -> None:
    assert asked(
        issuer,
        issuer.person("ada", GUARD, header={"typ": "logout+jwt"}),
        issuer.person("ada", GUARD, header={"jku": issuer.name + "/jwks"}),
        issuer.person("ada", GUARD, cnf={"jkt": "AAAA"}),
        issuer.person("ada\n", GUARD),
        issuer.person("ada", GUARD, roles="radiologist\n"),
    ) == ["token-type", "token-embedded-key", "token-binding", "token-claims", "token-claims"]


@with_provider
def test_a_giant_token_is_refused_and_a_large_one_is_not(issuer: oidc.Issuer) -> None:
    large = issuer.person("ada", GUARD, groups=[f"group {number}" for number in range(600)])
    giant = issuer.person("ada", GUARD, groups=[f"group {number}" for number in range(1200)])

    assert 10_000 < len(large) < 16 * 1024 < len(giant)
    assert asked(issuer, large, giant) == ["", "token-too-long"]


# ---- not signed by the provider


@with_provider
def test_a_real_token_whose_signature_was_taken_off_is_refused(issuer: oidc.Issuer) -> None:
    _, payload, signature = issuer.person("ada", GUARD).split(b".")
    for algorithm in ("none", "None", "NONE"):
        header = encode(json.dumps({"alg": algorithm, "typ": "at+jwt"}).encode())
        tokens = [b".".join((header, payload, part)) for part in (b"", signature)]

        assert asked(issuer, *tokens) == ["token-algorithm"] * 2


@with_provider
def test_the_published_key_is_no_secret_to_sign_with(issuer: oidc.Issuer) -> None:
    published = next(entry for entry in issuer.keys()["keys"] if entry["kty"] == "RSA")
    public = RSAKey.import_key(published)
    secrets = [public.as_pem(), public.as_pem().strip(), public.as_der(), json.dumps(published).encode()]

    assert asked(issuer, *map(hmac_token, secrets)) == ["token-algorithm"] * len(secrets)


@with_provider
def test_another_key_is_refused_whatever_name_it_takes(issuer: oidc.Issuer) -> None:
    own = RSAKey.generate_key(2048, {"kid": "eve"})
    real = next(entry["kid"] for entry in issuer.keys()["keys"] if entry["kty"] == "RSA")
    now = int(time.time())
    claims = {"iss": issuer.name, "aud": GUARD, "iat": now, "exp": now + 600}
    tokens = [mint(own, "RS256", {"kid": kid}, **claims) for kid in (real, "eve")]

    assert asked(issuer, *tokens) == ["token-signature", "token-key-unknown"]


@with_provider
@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"] if DEEP else ["ES256"])
def test_any_bit_flipped_in_a_real_token_makes_it_worthless(issuer: oidc.Issuer, algorithm: str) -> None:
    jwt = issuer.person("ada", GUARD, algorithm, roles=["radiologist"])

    async def story() -> list[int]:
        stand = Stand(issuer)
        assert await stand.rule(jwt) == ""
        return [bit for bit in range(len(jwt) * 8) if await stand.rule(_flipped(jwt, bit)) == ""]

    assert asyncio.run(story()) == []


def _flipped(jwt: bytes, bit: int) -> bytes:
    changed = bytearray(jwt)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


# ---- keys that change, and a provider that is away


@with_provider
def test_after_a_rotation_new_tokens_are_believed_and_old_ones_are_not(issuer: oidc.Issuer) -> None:
    async def story() -> None:
        stand, old = Stand(issuer), issuer.person("ada", GUARD)
        assert await stand.rule(old) == ""
        issuer.rotate()
        new = issuer.person("ada", GUARD)
        # Keys were asked for a moment ago: a stranger's token does not make them be asked for again.
        assert [await stand.rule(jwt) for jwt in (new, old)] == ["token-key-unknown", ""]
        stand.clocks.ahead += 10

        assert [await stand.rule(jwt) for jwt in (new, old)] == ["", "token-key-unknown"]
        assert stand.fetched == 2

    asyncio.run(story())


@with_provider
def test_a_key_that_was_withdrawn_is_not_believed_longer_than_its_lifetime(issuer: oidc.Issuer) -> None:
    async def story() -> None:
        stand, old = Stand(issuer), issuer.person("ada", GUARD)
        assert await stand.rule(old) == ""
        issuer.rotate()
        stand.clocks.ahead += 300

        assert await stand.rule(old) == "token-key-unknown"

    asyncio.run(story())


@with_provider
def test_without_its_provider_a_guard_goes_on_for_a_while_and_then_believes_nobody(
    tmp_path: Path, own_papers: certificates.Certificates
) -> None:
    async def story() -> None:
        with oidc.oidc_provider(tmp_path, own_papers) as issuer:
            stand = Stand(issuer)
            jwt, other = (
                issuer.person(name, GUARD, exp=int(time.time() + 9 * HOUR)) for name in ("ada", "grace")
            )
            assert await stand.rule(jwt) == ""
        stand.clocks.ahead += 3.9 * HOUR
        assert await stand.rule(jwt) == ""
        assert await stand.rule(other) == ""
        await _others()
        assert "cannot be reached" in stand.cache.problem
        stand.clocks.ahead += 0.2 * HOUR

        found = await stand.look(jwt)
        assert isinstance(found, IdentityRefusal)
        assert found.rule == "token-no-keys"
        assert f"127.0.0.1:{issuer.peer.port}: cannot be reached" in found.reason

        with oidc.oidc_provider(tmp_path, own_papers, issuer.peer.port) as back:
            assert await stand.rule(back.person("ada", GUARD)) == "token-no-keys"
            stand.clocks.ahead += 10
            fresh = back.person(
                "ada", GUARD, iat=int(stand.clocks.posix()), exp=int(stand.clocks.posix()) + 60
            )
            assert await stand.rule(fresh) == ""

    asyncio.run(story())


async def _others() -> None:
    """Let everything end that others have under way."""
    await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})


@with_provider
@pytest.mark.parametrize("trusting", ["strangers", "system"])
def test_a_provider_whose_certificate_nobody_vouches_for_is_not_asked(
    issuer: oidc.Issuer, tmp_path: Path, trusting: str
) -> None:
    strangers = certificates.certificates(tmp_path, "127.0.0.1").authority.read_text()
    cache = KeyCache(
        provider(issuer.name, authorities=strangers if trusting == "strangers" else None).keys, Clocks()
    )
    identities = Identities(cache, TokenRules(issuer.name, GUARD), Clocks())
    found = asyncio.run(identities.person(issuer.person("ada", GUARD), None))

    assert isinstance(found, IdentityRefusal)
    assert found.rule == "token-no-keys"
    assert "no TLS that is trusted" in found.reason


def test_the_lock_of_the_provider_names_no_host() -> None:
    lock = (Path(oidc.__file__).parent / "oidc-provider" / "package-lock.json").read_text()

    assert '"integrity": "sha512-' in lock
    assert not re.search(r"://|\.(org|com|io|net)\b|resolved", lock)
