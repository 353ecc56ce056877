"""Permitted C-MOVEs in the shared state: what several clients with the same numbers have asked for."""

from __future__ import annotations

from leadglass.store.database import Database
from leadglass.store.guard_moves import keep_move, kept_move

_LATER, _BEFORE = 4e9, 1.0
"""POSIX seconds after and before any clock."""


def _keep(database: Database, study: str, until: float = _LATER, title: str = "WS3") -> None:
    keep_move(database, "READER", title, 1, "ada", frozenset({study}), until)


def test_two_moves_with_the_same_numbers_are_both_in_force(database: Database) -> None:
    _keep(database, "2.25.1")
    _keep(database, "2.25.2")
    assert kept_move(database, "READER", "WS3", 1) == ("ada", frozenset({"2.25.1", "2.25.2"}))


def test_a_move_that_is_over_is_nobodys_when_another_has_its_numbers(database: Database) -> None:
    _keep(database, "2.25.1", _BEFORE)
    assert kept_move(database, "READER", "WS3", 1) is None
    _keep(database, "2.25.2")
    assert kept_move(database, "READER", "WS3", 1) == ("ada", frozenset({"2.25.2"}))


def test_what_one_title_asked_for_is_not_what_another_did(database: Database) -> None:
    _keep(database, "2.25.1", title="OTHER")
    assert kept_move(database, "READER", "WS3", 1) is None
