"""Who is believed, and how that is remembered and forgotten."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.unit.access.minting import ABSENT, CERTIFICATE, NOW, RULES, encode, key, mint
from tests.unit.guard.identity.standing import Clocks, Publisher, on_a_loop

from leadglass.access import tokens
from leadglass.access.admission import Peer, principal_of
from leadglass.access.identity import IdentityRefusal
from leadglass.access.passcodes import hash_passcode
from leadglass.access.tokens import Verified
from leadglass.errors import TransportError
from leadglass.guard.identity import people
from leadglass.guard.identity.jwks import KeyCache
from leadglass.guard.identity.people import Believed, Identities, Passcodes, People
from leadglass.model.access import Kind, Principal
from leadglass.model.enrolment import Enrolled, Roll, User
from leadglass.wire.user_information import UserIdentityRQ

STATION = Enrolled("reading-room", Kind.DEVICE, ("READ1",), ("192.0.2.0/24",), users=("ada",))
ROLL = Roll(1, {"reading-room": STATION}, {"ada": User("ada", hash_passcode("open sesame", bytes(16)))})
HERE = Peer("192.0.2.1", CERTIFICATE, tls=True)
BOUND = {"x5t#S256": encode(bytes.fromhex(CERTIFICATE)).decode()}


class Stand:
    """A guard's people, with one provider."""

    def __init__(self) -> None:
        self.publisher, self.clocks = Publisher(key()), Clocks()
        cache = KeyCache(self.publisher.fetch, self.clocks)
        self.tokens = Identities(cache, RULES, self.clocks)
        self.passcodes = Passcodes(self.clocks)
        self.people = People(self.passcodes, self.tokens)

    async def token(self, jwt: bytes, certificate: str | None = None) -> str:
        """The person's name, or the rule that refused."""
        found = await self.tokens.person(jwt, certificate)
        return found.principal.name if isinstance(found, Verified) else found.rule

    async def claim(self, kind: int, primary: bytes, secondary: bytes = b"", peer: Peer = HERE) -> str:
        found = await self.people.associating(
            UserIdentityRQ(kind, False, primary, secondary), STATION, peer, ROLL
        )
        return found.principal.name if isinstance(found, Believed) else found.rule


@pytest.fixture
def verifications(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The tokens that were verified, and not remembered."""
    seen: list[bytes] = []

    def counted(jwt: bytes, *more: Any) -> Any:
        seen.append(jwt)
        return tokens.verify(jwt, *more)

    monkeypatch.setattr(people, "verify", counted)
    return seen


# ---- tokens


def test_a_token_is_verified_once_while_it_holds(verifications: list[bytes]) -> None:
    @on_a_loop
    async def story() -> None:
        stand, jwt = Stand(), mint(exp=NOW + 60)
        for _ in range(5):
            assert await stand.token(jwt) == "ada"
        assert len(verifications) == 1
        stand.clocks.since_start += 90

        assert await stand.token(jwt) == "token-expired"
        assert len(verifications) == 2

    story()


def test_what_was_refused_is_looked_at_again(verifications: list[bytes]) -> None:
    @on_a_loop
    async def story() -> None:
        stand, jwt = Stand(), mint(nbf=NOW + 60)
        assert await stand.token(jwt) == "token-not-yet-valid"
        stand.clocks.since_start += 60

        assert await stand.token(jwt) == "ada"

    story()


@on_a_loop
async def test_a_clock_that_jumps_back_makes_nobody_valid() -> None:
    stand, jwt = Stand(), mint(iat=NOW)
    assert await stand.token(jwt) == "ada"
    stand.clocks.posix = lambda: NOW - 3600  # type: ignore[method-assign]

    assert await stand.token(jwt) == "token-not-yet-valid"


def test_a_bound_token_that_is_remembered_is_still_bound(verifications: list[bytes]) -> None:
    @on_a_loop
    async def story() -> None:
        stand, jwt = Stand(), mint(cnf=BOUND)
        assert await stand.token(jwt, CERTIFICATE) == "ada"
        assert await stand.token(jwt, "0" * 64) == "token-bound-elsewhere"
        assert await stand.token(jwt, None) == "token-bound-elsewhere"
        assert await stand.token(jwt, CERTIFICATE) == "ada"

    story()


def test_another_token_with_the_same_claims_is_another_token(verifications: list[bytes]) -> None:
    @on_a_loop
    async def story() -> None:
        stand, jwt = Stand(), mint()
        assert await stand.token(jwt) == "ada"
        assert await stand.token(jwt[:-8] + b"AAAAAAAA") == "token-signature"

    story()


@on_a_loop
async def test_a_rotated_key_is_fetched_and_what_the_old_one_signed_is_forgotten() -> None:
    stand, old, new = Stand(), mint(), mint(key("second"))
    assert await stand.token(old) == "ada"
    stand.publisher.keys = [key("second")]
    stand.clocks.since_start += 10

    assert await stand.token(new) == "ada"
    assert stand.publisher.asked == 2
    assert await stand.token(old) == "token-key-unknown"


@on_a_loop
async def test_strangers_keys_make_nobody_ask_more_often() -> None:
    stand = Stand()
    for number in range(50):
        assert await stand.token(mint(key("eve"), header={"kid": f"eve {number}"})) == "token-key-unknown"
    stand.clocks.since_start += 10
    await stand.token(mint(key("eve")))

    assert stand.publisher.asked == 2


@on_a_loop
async def test_without_keys_nobody_is_believed_and_the_reason_is_told() -> None:
    stand = Stand()
    stand.publisher.failure = TransportError("cannot be reached", where="https://id.example/jwks")
    found = await stand.tokens.person(mint(), None)

    assert isinstance(found, IdentityRefusal)
    assert found.rule == "token-no-keys"
    assert "https://id.example/jwks: cannot be reached" in found.reason


@on_a_loop
async def test_a_remembered_token_is_not_believed_longer_than_the_keys() -> None:
    stand, jwt = Stand(), mint(exp=NOW + 8 * 3600)
    assert await stand.token(jwt) == "ada"
    stand.publisher.failure = TransportError("cannot be reached")
    stand.clocks.since_start += 4 * 3600

    assert await stand.token(jwt) == "token-no-keys"


def test_the_longest_unused_token_is_forgotten_first(
    monkeypatch: pytest.MonkeyPatch, verifications: list[bytes]
) -> None:
    monkeypatch.setattr(people, "_REMEMBERED", 2)

    @on_a_loop
    async def story() -> None:
        stand = Stand()
        first, second, third = (mint(sub=name) for name in ("first", "second", "third"))
        for jwt in (first, second, first, third):
            await stand.token(jwt)
        assert verifications == [first, second, third]
        await stand.token(first)
        await stand.token(second)
        assert verifications == [first, second, third, second]

    story()


@on_a_loop
async def test_a_giant_token_is_turned_away_before_anybody_is_asked() -> None:
    stand = Stand()

    assert await stand.token(b"a" * 20_000) == "token-too-long"
    assert stand.publisher.asked == 0


# ---- associations


@on_a_loop
async def test_a_token_in_an_association_is_believed_until_its_end() -> None:
    found = await Stand().people.associating(UserIdentityRQ(5, True, mint(exp=NOW + 60)), STATION, HERE, ROLL)

    assert isinstance(found, Believed)
    assert (found.principal.name, found.until) == ("ada", NOW + 90)


@on_a_loop
async def test_a_token_bound_to_another_device_is_refused_in_an_association() -> None:
    stand, jwt = Stand(), mint(cnf=BOUND)

    assert await stand.claim(5, jwt) == "ada"
    assert await stand.claim(5, jwt, peer=Peer("192.0.2.1", "0" * 64, tls=True)) == "token-bound-elsewhere"


@on_a_loop
async def test_a_device_that_names_nobody_asks_for_itself_for_as_long_as_it_likes() -> None:
    assert await Stand().people.associating(None, STATION, HERE, ROLL) == Believed(principal_of(STATION))


@on_a_loop
async def test_a_workstation_vouches_without_any_secret() -> None:
    assert await Stand().claim(1, b"ada") == "ada"
    assert await Stand().claim(1, b"eve") == "identity-not-vouched"


@on_a_loop
async def test_a_guard_without_a_provider_says_so() -> None:
    alone = People(Passcodes(Clocks()), None)
    found = await alone.requesting(f"Bearer {mint().decode()}", None, HERE)

    assert isinstance(found, IdentityRefusal)
    assert found.rule == "token-no-provider"


@on_a_loop
async def test_a_person_gets_the_devices_titles_and_none_of_its_roles() -> None:
    for item in (UserIdentityRQ(1, False, b"ada"), UserIdentityRQ(5, False, mint(roles=ABSENT))):
        found = await Stand().people.associating(item, STATION, HERE, ROLL)

        assert isinstance(found, Believed)
        assert found.principal == Principal(Kind.PERSON, "ada", titles=frozenset({"READ1"}))


# ---- requests


@on_a_loop
async def test_a_bearer_token_names_who_asks_with_and_without_a_certificate() -> None:
    stand = Stand()
    for scheme in ("Bearer", "bearer", "BEARER"):
        for enrolled in (None, STATION):
            found = await stand.people.requesting(f"{scheme} {mint().decode()}", enrolled, HERE)

            assert isinstance(found, Believed)
            assert (found.principal.name, found.until) == ("ada", NOW + 630)


@on_a_loop
async def test_a_certificate_alone_is_the_device_and_nothing_is_nobody() -> None:
    people_ = Stand().people

    assert await people_.requesting(None, STATION, HERE) == Believed(principal_of(STATION))
    nobody = await people_.requesting(None, None, HERE)
    assert isinstance(nobody, IdentityRefusal)
    assert nobody.rule == "web-anonymous"


@pytest.mark.parametrize(
    ("authorization", "tls", "rule"),
    [
        ("Basic YWRhOmE=", True, "identity-type"),
        ("", True, "identity-type"),
        ("Bearer", True, "token-malformed"),
        ("Bearer a b", True, "token-malformed"),
        ("Bearer \u00e9", True, "token-malformed"),
        ("Bearer\ta.b.c", True, "identity-type"),
        ("Bearer a.b.c", False, "identity-needs-tls"),
    ],
)
def test_an_authorization_that_is_no_bearer_token_over_tls_is_refused_even_with_a_certificate(
    authorization: str, tls: bool, rule: str
) -> None:
    @on_a_loop
    async def story() -> None:
        found = await Stand().people.requesting(
            authorization, STATION, Peer("192.0.2.1", CERTIFICATE, tls=tls)
        )

        assert isinstance(found, IdentityRefusal)
        assert found.rule == rule

    story()


# ---- passcodes


@on_a_loop
async def test_a_passcode_is_compared_and_guessing_ends_in_a_lock_out() -> None:
    stand = Stand()
    assert await stand.claim(2, b"ada", b"open sesame") == "ada"
    guesses = [await stand.claim(2, b"ada", b"open says me") for _ in range(7)]

    assert guesses == ["passcode-wrong"] * 5 + ["passcode-locked-out"] * 2
    assert await stand.claim(2, b"ada", b"open sesame") == "passcode-locked-out"
    elsewhere = Peer("192.0.2.2", CERTIFICATE, tls=True)
    assert await stand.claim(2, b"ada", b"open sesame", elsewhere) == "ada"
    stand.clocks.since_start += 60
    assert await stand.claim(2, b"ada", b"open sesame") == "ada"
    stand.passcodes.close()


@on_a_loop
async def test_many_guesses_at_once_are_no_more_than_many_in_turn() -> None:
    stand = Stand()
    guesses = await asyncio.gather(*(stand.claim(2, b"ada", b"open says me") for _ in range(20)))

    assert sorted(guesses) == ["passcode-locked-out"] * 15 + ["passcode-wrong"] * 5
    stand.passcodes.close()


def test_more_passcodes_than_can_wait_are_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "_WAITING", 3)

    @on_a_loop
    async def story() -> None:
        stand = Stand()
        answers = await asyncio.gather(
            *(stand.claim(2, name, b"x") for name in (b"a", b"b", b"c", b"d", b"e"))
        )

        assert sorted(answers) == ["passcode-busy"] * 2 + ["passcode-wrong"] * 3
        assert await stand.claim(2, b"ada", b"open sesame") == "ada"
        stand.passcodes.close()

    story()


@on_a_loop
async def test_who_goes_away_while_waiting_has_had_an_attempt() -> None:
    stand = Stand()
    for _ in range(5):
        task = asyncio.create_task(stand.claim(2, b"ada", b"open says me"))
        asyncio.get_running_loop().call_soon(task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task

    assert await stand.claim(2, b"ada", b"open sesame") == "passcode-locked-out"
    stand.passcodes.close()
