"""What a driver complains of, in words that say who must act. The one place where that is decided.

SQLite names its errors by code, PostgreSQL by SQLSTATE (PostgreSQL 15, appendix A); a lost
connection has neither.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from leadglass.errors import ConfigError, LeadglassError, ResourceError

__all__ = ["explained", "trouble"]

_RESUME = "what was finished is kept: put that right and call again, a scan with --resume"
_LOST = "check the server and the network; what was finished is kept, and a scan goes on with --resume"

_SQLITE = {
    sqlite3.SQLITE_BUSY: (ResourceError, "another program holds the database", _RESUME),
    sqlite3.SQLITE_LOCKED: (ResourceError, "another program holds the database", _RESUME),
    sqlite3.SQLITE_FULL: (ResourceError, "the disk is full", _RESUME),
    sqlite3.SQLITE_IOERR: (ResourceError, "the disk cannot be read or written", _RESUME),
    sqlite3.SQLITE_READONLY: (
        ConfigError,
        "the database may not be written",
        "give the right to write, or choose another file with --database",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        ConfigError,
        "the database cannot be opened",
        "check the folder and its rights, or choose another file with --database",
    ),
    sqlite3.SQLITE_NOTADB: (
        ConfigError,
        "this is not a database",
        "choose another file with --database",
    ),
    sqlite3.SQLITE_CORRUPT: (
        ConfigError,
        "the database is damaged",
        "bring back a copy, or choose another file with --database",
    ),
}
"""By the primary result code: the lowest eight bits of ``sqlite_errorcode``."""

_POSTGRES = (
    ("28", ConfigError, "the server refuses this user or password", "check the address of the database"),
    ("3D", ConfigError, "the server has no such database", "create it, or check the address"),
    ("42501", ConfigError, "this user may not do that there", "grant the right to create and write tables"),
    ("25006", ConfigError, "the server takes no writes", "name the primary server"),
    ("53", ResourceError, "the server lacks disk, memory or connections", _RESUME),
    ("55P03", ResourceError, "somebody else holds what is needed for too long", _RESUME),
    ("40", ResourceError, "another transaction was in the way", _RESUME),
    ("57", ResourceError, "the server ended the connection", _LOST),
    ("08", ResourceError, "the connection to the server broke", _LOST),
    ("25P03", ResourceError, "the server ended a connection that had fallen silent", _LOST),
)
"""By the beginning of the SQLSTATE, the first that fits."""


@contextlib.contextmanager
def explained(where: str, drivers: type[Exception]) -> Iterator[None]:
    """Raise what SQLAlchemy or the driver raises within as one of our errors; ``drivers`` is the driver's base."""
    try:
        yield
    except (SQLAlchemyError, drivers) as error:
        raise trouble(error, where) from error


def trouble(error: Exception, where: str) -> LeadglassError:
    """The error that a user reads for ``error``, which happened to the database ``where``."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    state = getattr(cause, "sqlstate", None)
    if isinstance(cause, sqlite3.Error):
        row = _SQLITE.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF)
    elif state:
        row = next((row[1:] for row in _POSTGRES if state.startswith(row[0])), None)
    else:
        row = _unnamed(error, cause)
    if row is None:
        return ResourceError(f"the database refused: {_line(cause)}", where=where, then="please report this")
    kind, what, then = row
    return kind(what, where=where, then=then)


def _unnamed(error: Exception, cause: BaseException) -> tuple[type[LeadglassError], str, str] | None:
    """Libpq gives no SQLSTATE when it reached no server, or lost it, or was turned away at the door."""
    said = str(cause)
    for phrase, row in (("password", _POSTGRES[0]), ("does not exist", _POSTGRES[1])):
        if phrase in said and "FATAL" in said:
            return row[1:]
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    if lost or type(cause).__name__ in {"OperationalError", "ConnectionTimeout", "InterfaceError"}:
        return ResourceError, "there is no connection to the server", _LOST
    return None


def _line(cause: BaseException) -> str:
    return (str(cause).splitlines() or [type(cause).__name__])[0]
