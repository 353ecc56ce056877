"""The register in both databases: entries follow one another, the state is what they come to, and an edit shows."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import text
from tests.contract.conftest import Opening

from leadglass.errors import ConfigError, LocalProtocolError, ResourceError
from leadglass.ledger.chain import GENESIS
from leadglass.ledger.verify import Break, Broken, Verified, verify
from leadglass.store import register
from leadglass.store.database import Database
from leadglass.store.register import Change

CT = Change("system", "ct-1", {"name": "ct-1", "ports": [104]}, "import of devices.csv")
MR = Change("system", "mr-1", {"name": "mr-1", "owner": "Zoë"})


def execute(database: Database, statement: str) -> None:
    with database.write() as connection:
        connection.execute(text(statement))


def test_nothing_is_in_a_new_register(database: Database) -> None:
    assert register.read_state(database) == {}
    assert register.head_of(database) == GENESIS
    assert verify(register.lines_of(database)) == Verified(GENESIS)


def test_every_change_is_an_entry_with_who_and_when(database: Database) -> None:
    head = register.write_down(database, "ada", [CT, MR])

    first, second = register.history(database)
    assert (first.n, second.n, second.head) == (1, 2, head)
    assert first.body == {
        "by": "ada",
        "what": "system",
        "name": "ct-1",
        "now": CT.now,
        "why": "import of devices.csv",
    }
    assert first.at[:4].isdigit()
    assert verify(register.lines_of(database), head) == Verified(register.head_of(database))


def test_the_state_is_the_latest_of_each_thing(database: Database) -> None:
    register.write_down(database, "ada", [CT, MR])
    register.write_down(database, "bob", [Change("system", "ct-1", {"name": "ct-1"})])
    register.write_down(database, "bob", [Change("system", "mr-1", None)])

    state = register.read_state(database)

    assert state == {("system", "ct-1"): {"name": "ct-1"}}
    assert register.fold(register.lines_of(database)) == state
    assert [entry.n for entry in register.history(database, ("system", "ct-1"))] == [1, 3]


def test_of_a_thing_that_changes_twice_at_once_the_last_counts(database: Database) -> None:
    register.write_down(database, "ada", [CT, Change("system", "ct-1", None), MR, Change(*MR.key, {"a": 1})])

    assert register.read_state(database) == {MR.key: {"a": 1}}
    assert register.fold(register.lines_of(database)) == register.read_state(database)


def test_a_lost_state_is_made_anew(database: Database) -> None:
    register.write_down(database, "ada", [CT, MR])
    before = register.read_state(database)
    execute(database, "UPDATE register_state SET body = '{}' WHERE name = 'ct-1'")
    execute(database, "INSERT INTO register_state (what, name, body) VALUES ('risk', 'invented', '{}')")

    register.rebuild(database)

    assert register.read_state(database) == before


def test_from_an_edited_chain_nothing_is_made(database: Database) -> None:
    register.write_down(database, "ada", [CT, MR])
    execute(database, "UPDATE register_entries SET line = replace(line, 'ct-1', 'ct-9')")

    with pytest.raises(ConfigError, match="entry 1 is not as it was written"):
        register.rebuild(database)

    assert set(register.read_state(database)) == {CT.key, MR.key}


def test_what_has_no_place_in_a_ledger_leaves_nothing_behind(database: Database) -> None:
    with pytest.raises(LocalProtocolError):
        register.write_down(database, "ada", [CT, Change("system", "x", {"rate": 0.5})])  # type: ignore[dict-item]

    assert register.read_state(database) == {}
    assert register.head_of(database) == GENESIS


@pytest.mark.parametrize(
    ("statement", "what", "n"),
    [
        ("UPDATE register_entries SET line = replace(line, 'Zoë', 'Eve') WHERE n = 2", Break.EDITED, 2),
        ("DELETE FROM register_entries WHERE n = 2", Break.DELETED, 2),
        ("DELETE FROM register_entries WHERE n = 3", Break.CUT, 3),
    ],
)
def test_an_edit_a_gap_and_a_cut_are_found(database: Database, statement: str, what: Break, n: int) -> None:
    register.write_down(database, "ada", [CT, MR, Change("system", "ct-1", None)])
    execute(database, statement)

    found = verify(register.lines_of(database), register.head_of(database))

    assert isinstance(found, Broken)
    assert (found.what, found.n) == (what, n)


def test_writers_at_once_make_one_chain(opening: Opening) -> None:
    databases = [opening() for _ in range(3)]

    def work(number: int) -> None:
        for count in range(4):
            register.write_down(databases[number], "ada", [Change("system", f"{number}-{count}", {})])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert verify(register.lines_of(databases[0])) == Verified(register.head_of(databases[1]))
    assert register.head_of(databases[0]).n == 12
    assert register.fold(register.lines_of(databases[0])) == register.read_state(databases[0])


def test_a_change_that_does_not_know_of_the_last_one_is_refused(database: Database) -> None:
    before = register.write_down(database, "ada", [CT], after=GENESIS)
    head = register.write_down(database, "bob", [MR], after=before)

    with pytest.raises(ResourceError, match="somebody else changed the register meanwhile; call again"):
        register.write_down(database, "ada", [Change(*CT.key, {})], after=before)

    assert register.head_of(database) == head
    assert register.read_state(database)[CT.key] == CT.now
