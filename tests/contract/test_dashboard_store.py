"""Accounts, sessions, tokens, actions and notes of the dashboard, over both databases."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import text
from tests.contract.conftest import Clock, Opening

from leadglass.errors import UsageError
from leadglass.ledger.chain import Head
from leadglass.ledger.verify import Break, Broken, Verified
from leadglass.model.account import Account, Permission, Role
from leadglass.store import accounts as kept
from leadglass.store import actions, notes, web_sessions
from leadglass.store.actions import Action, Question
from leadglass.store.database import Database
from leadglass.store.notes import Beside, Note
from leadglass.store.web_sessions import Flow, Session, Token

ADA = Account("ada", Role.ADMINISTRATOR, "Ada Example")
BEN = Account("ben", Role.VIEWER)
FAR = 4_000_000_000
ULID = "01JD5Y0000000000000000000A"


def now_of(database: Database) -> int:
    with database.read() as connection:
        return int(database.moment(connection))


def session(database: Database, ulid: str = ULID, account: str = "ada", *, until: int = FAR) -> Session:
    now = now_of(database)
    return Session(ulid, account, now, now, now, until, "192.0.2.7", "a browser")


# ---- accounts


def test_an_account_is_found_as_it_was_added(database: Database) -> None:
    kept.add_account(database, ADA, "$argon2id$x")

    assert kept.account_of(database, "ada") == kept.Kept(ADA, "$argon2id$x")
    assert kept.account_of(database, "ben") is None
    assert kept.every_account(database) == [ADA]


def test_two_accounts_of_one_name_or_subject_cannot_be(database: Database) -> None:
    kept.add_account(database, Account("ada", Role.ADMINISTRATOR, subject="https://id.example|1"))

    with pytest.raises(UsageError, match="already"):
        kept.add_account(database, Account("ada", Role.VIEWER))
    with pytest.raises(UsageError, match="belongs to another"):
        kept.add_account(database, Account("ben", Role.VIEWER, subject="https://id.example|1"))


def test_the_last_administrator_stays(database: Database) -> None:
    kept.add_account(database, ADA)
    kept.add_account(database, BEN)

    with pytest.raises(UsageError, match="last administrator"):
        kept.change_account(database, Account("ada", Role.VIEWER))
    with pytest.raises(UsageError, match="last administrator"):
        kept.change_account(database, Account("ada", Role.ADMINISTRATOR, disabled=True))

    kept.change_account(database, Account("ben", Role.ADMINISTRATOR))
    kept.change_account(database, Account("ada", Role.VIEWER))


def test_another_role_or_password_signs_out(database: Database) -> None:
    kept.add_account(database, ADA)
    kept.add_account(database, BEN)
    web_sessions.begin_session(database, "d1", session(database, account="ben"))
    kept.change_account(database, Account("ben", Role.OPERATOR))

    assert web_sessions.session_of(database, "d1", 900) is None

    web_sessions.begin_session(database, "d2", session(database, account="ben"))
    kept.set_password(database, "ben", "$argon2id$y")

    assert web_sessions.session_of(database, "d2", 900) is None


def test_a_disabled_account_is_let_in_by_nothing(database: Database) -> None:
    kept.add_account(database, ADA)
    kept.add_account(database, BEN)
    token = Token(ULID, "ben", "script", frozenset({Permission.READ}), 0, FAR)
    web_sessions.add_token(database, "t1", token)
    kept.change_account(database, Account("ben", Role.VIEWER, disabled=True))

    assert web_sessions.token_of(database, "t1") is None

    # Enabled again, it does not get its tokens back.
    kept.change_account(database, BEN)

    assert web_sessions.token_of(database, "t1") is None


# ---- links


def test_a_link_works_once_and_a_later_one_voids_it(database: Database) -> None:
    kept.give_link(database, "l1", None, 60)
    kept.give_link(database, "l2", None, 60)

    assert kept.link_of(database, "l1") == (False, None)
    assert kept.link_of(database, "l2") == (True, None)
    assert kept.use_link(database, "l2", ADA, "$argon2id$x") == "ada"
    assert kept.use_link(database, "l2", Account("eve", Role.ADMINISTRATOR), "$argon2id$z") is None
    assert kept.every_account(database) == [ADA]


def test_a_link_for_the_first_account_is_void_once_there_is_one(database: Database) -> None:
    kept.give_link(database, "l1", None, 60)
    kept.add_account(database, ADA)

    assert kept.link_of(database, "l1") == (False, None)
    assert kept.use_link(database, "l1", Account("eve", Role.ADMINISTRATOR), "$argon2id$z") is None


def test_a_link_ends_in_time(database: Database) -> None:
    kept.give_link(database, "l1", None, -1)

    assert kept.link_of(database, "l1") == (False, None)
    assert kept.use_link(database, "l1", ADA, "x") is None


def test_of_two_who_use_a_link_at_once_one_succeeds(database: Database, opening: Opening) -> None:
    kept.add_account(database, ADA)
    kept.give_link(database, "l1", "ada", 60)
    other, found = opening(), []

    def use(which: Database) -> None:
        found.append(kept.use_link(which, "l1", ADA, "x"))

    threads = [threading.Thread(target=use, args=(which,)) for which in (database, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(found, key=str) == [None, "ada"]


# ---- wrong passwords


def test_attempts_are_counted_over_processes_until_one_is_right(database: Database, opening: Opening) -> None:
    other, limits = opening(), {"account": 2, "address": 3}

    assert kept.attempt(database, limits, 900)
    assert kept.attempt(other, limits, 900)
    assert not kept.attempt(database, limits, 900)
    assert not kept.attempt(other, {"account": 2}, 900)
    # What was refused was not counted: the address has one left.
    assert kept.attempt(database, {"address": 3}, 900)
    assert not kept.attempt(database, {"address": 3}, 900)

    kept.forgive(database, ["account"], ["address"])

    assert kept.attempt(database, {"account": 2, "address": 3}, 900)
    assert not kept.attempt(database, {"address": 3}, 900)


def test_attempts_are_forgotten_after_a_while_even_if_others_go_on(database: Database) -> None:
    assert kept.attempt(database, {"k": 1}, 900)
    with database.write() as connection:
        connection.execute(text("UPDATE web_attempts SET last = last - 800"))
    assert not kept.attempt(database, {"k": 1}, 900)
    with database.write() as connection:
        connection.execute(text("UPDATE web_attempts SET last = last - 800"))

    assert kept.attempt(database, {"k": 1}, 900)


def test_attempts_do_not_fill_the_disk(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_MOST_ATTEMPTS", 3)
    for number in range(6):
        kept.attempt(database, {f"k{number}": 5}, 900)

    with database.read() as connection:
        rows = connection.execute(text("SELECT count(*) FROM web_attempts")).scalar()

    assert rows == 3


# ---- sessions and tokens


def test_a_session_ends_by_idleness_and_by_its_end(database: Database, clock: Clock) -> None:
    kept.add_account(database, ADA)
    web_sessions.begin_session(database, "d1", session(database))
    web_sessions.begin_session(database, "d2", session(database, ULID[:-1] + "B", until=now_of(database) + 5))

    found = web_sessions.session_of(database, "d1", 900)

    assert found is not None
    assert (found[0].id, found[1]) == (ULID, ADA)
    assert web_sessions.session_of(database, "d1", 0) is None
    with database.write() as connection:
        connection.execute(text("UPDATE web_sessions SET until = 1 WHERE digest = 'd2'"))
    assert web_sessions.session_of(database, "d2", 900) is None


def test_a_confirmed_session_has_another_secret(database: Database) -> None:
    kept.add_account(database, ADA)
    web_sessions.begin_session(database, "d1", session(database))

    web_sessions.confirm(database, "d1", "d2")

    assert web_sessions.session_of(database, "d1", 900) is None
    found = web_sessions.session_of(database, "d2", 900)
    assert found is not None
    assert found[0].id == ULID


def test_nobody_ends_the_sessions_of_others(database: Database) -> None:
    kept.add_account(database, ADA)
    kept.add_account(database, BEN)
    other = ULID[:-1] + "B"
    web_sessions.begin_session(database, "d1", session(database))
    web_sessions.begin_session(database, "d2", session(database, other))

    assert not web_sessions.end_session(database, "ben", ULID)
    assert web_sessions.end_sessions(database, "ada", but=other) == 1
    assert [one.id for one in web_sessions.sessions(database, "ada")] == [other]


def test_a_token_is_found_until_it_is_revoked(database: Database) -> None:
    kept.add_account(database, ADA)
    token = Token(ULID, "ada", "script", frozenset({Permission.READ, Permission.SCAN}), 1, FAR)
    web_sessions.add_token(database, "t1", token)

    assert web_sessions.token_of(database, "t1") == (token, ADA)
    (used,) = web_sessions.tokens(database, "ada")
    assert used.used_at is not None
    assert not web_sessions.revoke_token(database, ULID, "ben")
    assert web_sessions.revoke_token(database, ULID, "ada")
    assert not web_sessions.revoke_token(database, ULID, "ada")
    assert web_sessions.token_of(database, "t1") is None


def test_an_expired_token_is_nobodys(database: Database) -> None:
    kept.add_account(database, ADA)
    web_sessions.add_token(database, "t1", Token(ULID, "ada", "x", frozenset(), 1, 2))

    assert web_sessions.token_of(database, "t1") is None


def test_a_providers_answer_counts_once_and_in_time(database: Database) -> None:
    web_sessions.begin_flow(database, "f1", Flow("n", "v", "/servers"), 60)
    web_sessions.begin_flow(database, "f2", Flow("n", "v", "/"), -1)

    assert web_sessions.end_flow(database, "f1") == Flow("n", "v", "/servers")
    assert web_sessions.end_flow(database, "f1") is None
    assert web_sessions.end_flow(database, "f2") is None


# ---- actions


def act(who: str, what: str, on: str = "") -> Action:
    return Action(who, "session", what, on, "done", "192.0.2.7")


def test_actions_are_found_by_who_and_what(database: Database) -> None:
    for who, what in (("ada", "sign-in"), ("ben", "sign-in"), ("ada", "scan")):
        actions.note_action(database, act(who, what))

    def found(question: Question) -> list[int]:
        return [done.n for done in actions.actions_done(database, question)]

    assert found(Question()) == [3, 2, 1]
    assert found(Question(who="ada")) == [3, 1]
    assert found(Question(what="sign-in", before=2)) == [1]
    assert found(Question(most=1)) == [3]
    assert found(Question(since=FAR)) == []
    assert found(Question(until=1)) == []


def test_an_action_that_was_altered_or_cut_shows(database: Database) -> None:
    for number in range(4):
        actions.note_action(database, act("ada", "scan", str(number)))
    whole = actions.check_actions(database)
    assert isinstance(whole, Verified)

    with database.write() as connection:
        connection.execute(text("DELETE FROM actions WHERE n = 4"))
    cut = actions.check_actions(database)

    assert isinstance(cut, Broken)
    assert cut.what is Break.CUT

    with database.write() as connection:
        connection.execute(text("UPDATE actions SET line = replace(line, 'ada', 'eve') WHERE n = 2"))
    edited = actions.check_actions(database)

    assert isinstance(edited, Broken)
    assert (edited.n, edited.what) == (2, Break.EDITED)
    assert [done.n for done in actions.actions_done(database, Question())] == [3, 1]


def test_actions_of_many_at_once_make_one_chain(database: Database, opening: Opening) -> None:
    places = [database, opening(), opening()]

    def work(which: Database) -> None:
        for _ in range(8):
            actions.note_action(which, act("ada", "scan"))

    threads = [threading.Thread(target=work, args=(which,)) for which in places]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    result = actions.check_actions(database)

    assert isinstance(result, Verified)
    assert result.head == actions.head_of_actions(database)
    assert result.head.n == 24
    assert isinstance(actions.check_actions(database, Head(30, "0" * 64)), Broken)


# ---- notes


def test_a_note_is_removed_by_its_author_only(database: Database) -> None:
    first = Note(ULID, Beside.SERVER, "192.0.2.1", "ada", 5, "ask <b>the vendor</b>")
    second = Note(ULID[:-1] + "B", Beside.SERVER, "192.0.2.1", "ben", 6, "asked")
    for note in (second, first):
        notes.add_note(database, note)

    assert notes.notes_beside(database, Beside.SERVER, "192.0.2.1") == [first, second]
    assert notes.notes_beside(database, Beside.SYSTEM, "192.0.2.1") == []
    assert not notes.remove_note(database, first.id, "ben")
    assert notes.remove_note(database, first.id, "ada")
    assert notes.remove_note(database, second.id)
    assert notes.notes_beside(database, Beside.SERVER, "192.0.2.1") == []
