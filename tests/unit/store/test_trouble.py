"""Every complaint of a driver becomes one of our errors, with something to do next."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError, OperationalError

from leadglass.errors import ConfigError, LeadglassError, ResourceError
from leadglass.store.trouble import explained, trouble


def complaint(code: int) -> sqlite3.Error:
    """SQLite's error with the extended result ``code``."""
    error = sqlite3.OperationalError("something in SQLite's words")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [
        (sqlite3.SQLITE_BUSY, ResourceError, "another program holds"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, ResourceError, "another program holds"),
        (sqlite3.SQLITE_LOCKED, ResourceError, "another program holds"),
        (sqlite3.SQLITE_FULL, ResourceError, "disk is full"),
        (sqlite3.SQLITE_IOERR_WRITE, ResourceError, "cannot be read or written"),
        (sqlite3.SQLITE_READONLY_DIRECTORY, ConfigError, "may not be written"),
        (sqlite3.SQLITE_CANTOPEN, ConfigError, "cannot be opened"),
        (sqlite3.SQLITE_NOTADB, ConfigError, "not a database"),
        (sqlite3.SQLITE_CORRUPT_INDEX, ConfigError, "damaged"),
        (sqlite3.SQLITE_MISUSE, ResourceError, "in SQLite's words; please report"),
    ],
)
def test_sqlite(code: int, kind: type[LeadglassError], said: str) -> None:
    told = trouble(OperationalError("SELECT", {}, complaint(code)), "a.sqlite")

    assert type(told) is kind
    assert said in str(told)
    assert str(told).startswith("a.sqlite: ")
    assert told.then


@pytest.mark.parametrize(
    ("state", "kind", "said"),
    [
        ("28P01", ConfigError, "user or password"),
        ("3D000", ConfigError, "no such database"),
        ("42501", ConfigError, "may not do that"),
        ("25006", ConfigError, "takes no writes"),
        ("25P03", ResourceError, "fallen silent"),
        ("53100", ResourceError, "lacks disk"),
        ("53300", ResourceError, "lacks disk, memory or connections"),
        ("55P03", ResourceError, "for too long"),
        ("40P01", ResourceError, "in the way"),
        ("57P01", ResourceError, "ended the connection"),
        ("08006", ResourceError, "broke"),
        ("23505", ResourceError, "please report"),
    ],
)
def test_postgresql(state: str, kind: type[LeadglassError], said: str) -> None:
    told = trouble(psycopg.errors.lookup(state)("something in PostgreSQL's words\nDETAIL: more"), "host/db")

    assert type(told) is kind
    assert said in str(told)
    assert "\n" not in str(told)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ('FATAL:  password authentication failed for user "x"', ConfigError),
        ('FATAL:  database "x" does not exist', ConfigError),
        ("connection refused", ResourceError),
        ("the connection is lost", ResourceError),
    ],
)
def test_libpq_without_a_state(said: str, kind: type[LeadglassError]) -> None:
    assert type(trouble(psycopg.OperationalError(said), "host/db")) is kind


def test_what_is_no_complaint_of_a_driver_passes() -> None:
    with pytest.raises(ZeroDivisionError), explained("here", sqlite3.Error):
        _ = 1 // 0


def test_the_cause_is_kept_for_who_looks_for_it() -> None:
    cause = DBAPIError("SELECT", {}, complaint(sqlite3.SQLITE_FULL))

    with pytest.raises(ResourceError) as caught, explained("here", sqlite3.Error):
        raise cause

    assert caught.value.__cause__ is cause
