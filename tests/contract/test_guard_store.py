"""The guard's roll and budgets: who is enrolled, from when to when, and what all guards counted."""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.contract.conftest import Clock, Opening

from leadglass.errors import UsageError
from leadglass.model.access import Kind
from leadglass.model.enrolment import Enrolled, User
from leadglass.store.database import Database, open_database
from leadglass.store.guard_budgets import exchange_budgets
from leadglass.store.guard_people import (
    add_user,
    begin_emergency,
    emergencies,
    end_emergency,
    remove_user,
)
from leadglass.store.guard_roll import (
    Issued,
    add_certificate,
    enrol,
    enrolled,
    members,
    read_roll,
    revoke,
    revoked,
    roll_version,
)

FULL = Enrolled(
    name="workstation-3",
    kind=Kind.SERVICE,
    titles=("WS3", "WS3 SCP"),
    networks=("192.0.2.0/28", "2001:db8::/64"),
    roles=("radiologist",),
    institutions=("Example Hospital",),
    modalities=("CT", "MR"),
    labels=("trial-7", "größer"),
    users=("ada",),
    address="ws3.example.org:2762",
    address_tls=False,
    plain=True,
    until=1_900_000_000.0,
)
ADA = User(
    "ada", "$argon2id$v=19$x", ("radiologist",), ("LOVELACE^ADA",), ("Example Hospital",), ("trial-7",)
)


def entry(name: str, *titles: str, plain: bool = False) -> Enrolled:
    return Enrolled(name, Kind.DEVICE, titles, ("192.0.2.0/28",), plain=plain)


def issued(database: Database, number: int, seconds: int = 86_400) -> Issued:
    """A certificate that ends so many seconds from now."""
    with database.read() as connection:
        now = int(database.moment(connection))
    return Issued(f"{number:064x}", number, now, now + seconds)


def test_nobody_is_enrolled_in_a_new_database(database: Database) -> None:
    roll = read_roll(database)

    assert (roll.version, roll_version(database)) == (0, 0)
    assert (dict(roll.enrolled), dict(roll.users), dict(roll.emergencies)) == ({}, {}, {})
    assert roll.revoked == frozenset()


def test_an_entry_is_read_as_it_was_enrolled(database: Database) -> None:
    certificate = issued(database, 1)
    enrol(database, FULL, certificate)
    roll = read_roll(database)
    read = roll.enrolled["workstation-3"]

    assert read.certificates == {certificate.fingerprint}
    assert enrolled(database, "workstation-3") == FULL
    assert dataclasses.replace(read, certificates=frozenset()) == FULL
    assert (roll.version, roll_version(database)) == (1, 1)


def test_every_change_is_another_version(database: Database) -> None:
    versions = [roll_version(database)]
    for change in (
        lambda: enrol(database, entry("a", "A"), issued(database, 1)),
        lambda: add_certificate(database, "a", issued(database, 2)),
        lambda: add_user(database, ADA),
        lambda: begin_emergency(database, "a", "why", 60),
        lambda: end_emergency(database, "a"),
        lambda: remove_user(database, "ada"),
        lambda: revoke(database, "a", "lost"),
    ):
        change()
        versions.append(roll_version(database))

    assert versions == list(range(8))


def test_a_change_that_is_refused_is_no_version(database: Database) -> None:
    enrol(database, entry("a", "A"), None)
    for change in (
        lambda: enrol(database, entry("b", "A"), None),
        lambda: revoke(database, "b", "lost"),
        lambda: remove_user(database, "b"),
        lambda: end_emergency(database, "b"),
    ):
        with pytest.raises(UsageError):
            change()

    assert roll_version(database) == 1


def test_revoking_takes_the_entry_off_and_remembers_its_certificates(database: Database) -> None:
    first, second, other = (issued(database, n) for n in (1, 2, 3))
    enrol(database, entry("a", "A"), first)
    add_certificate(database, "a", second)
    enrol(database, entry("b", "B"), other)

    assert revoke(database, "a", "lost") == 2
    roll = read_roll(database)

    assert set(roll.enrolled) == {"b"}
    assert roll.revoked == {first.fingerprint, second.fingerprint}
    assert [one.serial for one in revoked(database)] == [1, 2]
    with pytest.raises(UsageError, match="nobody is enrolled as 'a'"):
        revoke(database, "a", "lost")
    with pytest.raises(UsageError, match="nobody is enrolled as 'a'"):
        add_certificate(database, "a", issued(database, 4))


def test_a_revoked_name_is_free_again_but_its_certificates_stay_revoked(database: Database) -> None:
    old, new = issued(database, 1), issued(database, 2)
    enrol(database, entry("a", "A", plain=True), old)
    revoke(database, "a", "lost")
    enrol(database, entry("a", "OTHER"), new)
    roll = read_roll(database)

    assert roll.enrolled["a"].titles == ("OTHER",)
    assert not roll.enrolled["a"].plain
    assert roll.enrolled["a"].certificates == {new.fingerprint}
    assert roll.revoked == {old.fingerprint}


def test_a_certificate_past_its_end_is_not_valid_and_neither_revoked(database: Database) -> None:
    enrol(database, entry("a", "A"), issued(database, 1, -1))
    later = issued(database, 2, 600)
    add_certificate(database, "a", later)
    roll = read_roll(database)

    assert roll.enrolled["a"].certificates == {later.fingerprint}
    assert roll.revoked == frozenset()


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (entry("a", "B"), "a is enrolled already; leadglass guard revoke a"),
        (entry("b", "A"), "the AE title A belongs to a"),
        (entry("b", "B", "a"), "the AE title A belongs to a"),
    ],
)
def test_a_name_and_a_title_belong_to_one(database: Database, second: Enrolled, said: str) -> None:
    enrol(database, entry("a", "A"), None)

    with pytest.raises(UsageError, match=said):
        enrol(database, second, None)


def test_two_who_enrol_one_title_at_once_do_not_both_get_it(database: Database, opening: Opening) -> None:
    others = [opening() for _ in range(4)]
    refused: list[str] = []

    def claim(number: int) -> None:
        try:
            enrol(others[number], entry(f"device-{number}", "SAME"), None)
        except UsageError as error:
            refused.append(error.what)

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(refused) == 3
    assert len(read_roll(database).enrolled) == 1


def test_members_are_shown_with_their_history(database: Database) -> None:
    short, long = issued(database, 1, 60), issued(database, 2, 600)
    enrol(database, entry("b", "B"), short)
    add_certificate(database, "b", long)
    enrol(database, entry("a", "A"), None)
    revoke(database, "a", "sold")
    gone, present = members(database)

    assert (gone.entry.name, gone.revoked_at is None, gone.not_after) == ("a", False, None)
    assert (present.entry.name, present.revoked_at, present.not_after) == ("b", None, long.not_after)


# ---- persons


def test_a_user_is_read_as_added_and_replaced_by_the_next_of_that_name(database: Database) -> None:
    add_user(database, ADA)
    assert read_roll(database).users == {"ada": ADA}

    changed = User("ada", "$argon2id$v=19$y")
    add_user(database, changed)
    assert read_roll(database).users == {"ada": changed}

    remove_user(database, "ada")
    assert dict(read_roll(database).users) == {}
    with pytest.raises(UsageError, match="there is no user 'ada'"):
        remove_user(database, "ada")


def test_break_glass_is_in_force_until_its_end_or_until_it_is_ended(database: Database) -> None:
    begin_emergency(database, "over", "was long ago", -1)
    begin_emergency(database, "ada", "first", 60)
    begun = begin_emergency(database, "ada", "trauma in room 2", 3600)

    assert read_roll(database).emergencies == {"ada": ("trauma in room 2", float(begun.until))}
    end_emergency(database, "ada")
    assert dict(read_roll(database).emergencies) == {}
    with pytest.raises(UsageError, match="not in force for 'ada'"):
        end_emergency(database, "ada")
    with pytest.raises(UsageError, match="not in force for 'over'"):
        end_emergency(database, "over")
    assert [(one.name, one.reason, one.ended is None) for one in emergencies(database)] == [
        ("ada", "trauma in room 2", False),
        ("ada", "first", False),
        ("over", "was long ago", True),
    ]


# ---- budgets


def test_each_guard_sees_what_the_others_counted_and_not_itself(database: Database) -> None:
    ours, theirs = ("Device a", 7), ("Device b", 7)
    assert exchange_budgets(database, "one", {ours: "1", theirs: "2"}, 7) == {}
    assert exchange_budgets(database, "two", {ours: "10"}, 7) == {ours: ("1",), theirs: ("2",)}

    exchange_budgets(database, "two", {ours: "11"}, 7)
    exchange_budgets(database, "three", {ours: "100"}, 7)

    seen = exchange_budgets(database, "one", {}, 7)
    assert {key: sorted(values) for key, values in seen.items()} == {ours: ["100", "11"]}


def test_what_lies_before_the_window_is_forgotten_whoever_counted_it(database: Database) -> None:
    exchange_budgets(database, "dead", {("Device a", 5): "5", ("Device a", 6): "6"}, 5)
    seen = exchange_budgets(database, "alive", {("Device a", 6): "1"}, 6)

    assert seen == {("Device a", 6): ("6",)}
    with database.read() as connection:
        left = connection.execute(text("SELECT writer, bucket FROM guard_budgets ORDER BY writer")).all()
    assert left == [("alive", 6), ("dead", 6)]


def test_guards_that_exchange_at_once_lose_nothing(database: Database, opening: Opening) -> None:
    others = [opening() for _ in range(4)]
    keys = [(f"Device {n}", bucket) for n in range(20) for bucket in range(4)]

    def work(number: int) -> None:
        for since in range(4):
            counted = {key: str(number) for key in keys if key[1] >= since}
            exchange_budgets(others[number], f"guard-{number}", counted, since)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    seen = exchange_budgets(database, "last", {}, 3)
    assert {key: sorted(values) for key, values in seen.items()} == {
        (f"Device {n}", 3): ["0", "1", "2", "3"] for n in range(20)
    }


# ---- one file


def test_a_change_is_in_the_file_itself_and_not_only_in_its_log(tmp_path: Path, clock: Clock) -> None:
    # What is only in the log may be lost with the power: SQLite does not sync it at each commit.
    with open_database(str(tmp_path / "guard.sqlite"), clock) as database:
        enrol(database, entry("a", "A"), None)
        revoke(database, "a", "lost")
        (tmp_path / "copy.sqlite").write_bytes((tmp_path / "guard.sqlite").read_bytes())

    with open_database(str(tmp_path / "copy.sqlite"), clock) as copy:
        assert [member.revoked_at for member in members(copy)] == [int(clock.now)]


def test_certificates_and_break_glass_end_by_themselves(tmp_path: Path, clock: Clock) -> None:
    # The clock of PostgreSQL cannot be moved.
    with open_database(str(tmp_path / "guard.sqlite"), clock) as database:
        enrol(database, entry("a", "A"), issued(database, 1, 60))
        begin_emergency(database, "a", "why", 60)
        before = roll_version(database)
        clock.now += 60
        roll = read_roll(database)
        after = roll_version(database)
        revoke(database, "a", "old")

        assert roll.enrolled["a"].certificates == frozenset()
        assert dict(roll.emergencies) == {}
        assert before < roll.version == after < roll_version(database)
