"""Passcodes: kept as hashes, compared for strangers as for users, and not for those who guess."""

from __future__ import annotations

import pytest

from leadglass.access.identity import IdentityRefusal, NeedsPasscode
from leadglass.access.passcodes import Attempts, check_passcode, hash_passcode
from leadglass.model.access import Kind, Principal
from leadglass.model.enrolment import User

SALT = bytes(range(16))
HASH = hash_passcode("Zoë's cat", SALT)
USERS = {
    "ada": User("ada", HASH, roles=("radiologist",), physician_names=("LOVELACE^ADA",)),
    "token-only": User("token-only", ""),
}


def check(user: str, passcode: str) -> Principal | IdentityRefusal:
    return check_passcode(NeedsPasscode(user, passcode), USERS)


def test_a_right_passcode_is_the_person() -> None:
    assert check("ada", "Zo\u00eb's cat") == Principal(
        Kind.PERSON, "ada", roles=frozenset({"radiologist"}), physician_names=frozenset({"LOVELACE^ADA"})
    )


def test_a_hash_is_argon2id_with_the_salt_that_was_given() -> None:
    assert HASH.startswith("$argon2id$v=19$m=19456,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$")
    assert hash_passcode("Zoë's cat", SALT) == HASH
    assert hash_passcode("Zoë's cat", SALT[::-1]) != HASH


def test_one_passcode_typed_on_two_keyboards_is_one_passcode() -> None:
    assert hash_passcode("Zoe\u0308's cat", SALT) == HASH


@pytest.mark.parametrize("passcode", ["", " cat", "cat\n", "c\0at", "x" * 513])
def test_a_passcode_that_nobody_could_type_is_not_kept(passcode: str) -> None:
    with pytest.raises(ValueError):
        hash_passcode(passcode, SALT)


def test_a_wrong_passcode_and_an_unknown_user_are_refused_alike() -> None:
    answers = {check("ada", "Zoe's cat"), check("eve", "Zoë's cat"), check("token-only", "Zoë's cat")}

    assert answers == {IdentityRefusal("the user name or the passcode is wrong", "passcode-wrong")}


def test_an_unknown_user_costs_the_same_work(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []

    class Watch:
        @staticmethod
        def verify_phc_encoded(key_material: bytes, phc_encoded: str) -> None:
            compared.append(phc_encoded.rpartition("$")[0].rpartition("$")[0])

    monkeypatch.setattr("leadglass.access.passcodes.Argon2id", Watch)
    check("ada", "x")
    check("eve", "x")

    assert compared == ["$argon2id$v=19$m=19456,t=2,p=1"] * 2


def test_even_who_knows_the_strangers_passcode_is_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    class Yes:
        @staticmethod
        def verify_phc_encoded(key_material: bytes, phc_encoded: str) -> None: ...

    monkeypatch.setattr("leadglass.access.passcodes.Argon2id", Yes)

    assert isinstance(check("eve", "x"), IdentityRefusal)


def test_no_passcode_shows_in_a_log() -> None:
    assert "cat" not in repr(NeedsPasscode("ada", "cat"))
    assert "argon2" not in repr(USERS["ada"])


# ---- guessing


def begin(
    attempts: Attempts, times: int, user: str = "ada", address: str = "192.0.2.1", now: float = 0.0
) -> int:
    """How many of that many attempts were heard."""
    return sum(attempts.begin(user, address, now) for _ in range(times))


def test_after_some_wrong_passcodes_a_user_is_not_heard_for_a_while() -> None:
    attempts = Attempts()

    assert begin(attempts, 9) == 5
    assert begin(attempts, 1, now=59.9) == 0
    assert begin(attempts, 9, now=60.0) == 1
    assert begin(attempts, 1, now=119.9) == 0


def test_being_turned_away_does_not_make_it_longer() -> None:
    attempts = Attempts()
    begin(attempts, 5)
    begin(attempts, 1, now=59.0)

    assert begin(attempts, 1, now=60.0) == 1


def test_attempts_at_the_same_time_count_before_they_are_decided() -> None:
    attempts = Attempts()
    assert begin(attempts, 5) == 5

    assert not attempts.begin("ada", "192.0.2.1", 0.0)


def test_a_right_passcode_begins_anew() -> None:
    attempts = Attempts()
    for _ in range(50):
        assert begin(attempts, 4) == 4
        attempts.begin("ada", "192.0.2.1", 0.0)
        attempts.succeeded("ada", "192.0.2.1")
        attempts.lock = 0.0

    assert begin(attempts, 1) == 1


def test_a_busy_ward_that_types_rightly_is_never_locked_out() -> None:
    attempts = Attempts()
    for number in range(1000):
        assert attempts.begin(f"user {number % 30}", "192.0.2.1", number / 10)
        attempts.succeeded(f"user {number % 30}", "192.0.2.1")


def test_nobody_is_locked_out_from_elsewhere() -> None:
    attempts = Attempts()
    begin(attempts, 9)

    assert begin(attempts, 1, address="192.0.2.2") == 1
    assert begin(attempts, 1, user="grace") == 1


def test_one_passcode_tried_for_many_users_is_noticed() -> None:
    attempts = Attempts()
    heard = sum(attempts.begin(f"user {number}", "192.0.2.1", 0.0) for number in range(100))

    assert heard == 20
    assert begin(attempts, 1, address="192.0.2.2") == 1


def test_old_mistakes_are_forgotten() -> None:
    attempts = Attempts()
    begin(attempts, 4)

    assert begin(attempts, 9, now=899.0) == 1
    assert begin(attempts, 9, now=899.0 + 900.0) == 5


def test_memory_is_bounded_whatever_names_are_tried() -> None:
    attempts = Attempts()
    for number in range(30_000):
        attempts.begin(f"user {number}", f"address {number}", 0.0)

    assert len(attempts._counts) == Attempts.most
