"""Which revision of the schema a database has, and a new database made as the newest one.

Older ones are brought forward by ``store.migrating``, with Alembic, which takes as long to load as all
the rest of the store: whoever opens a database says how to get it.
"""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    insert,
    inspect,
    select,
)

from leadglass.errors import ConfigError
from leadglass.store.schema_current import metadata

__all__ = ["NEWEST", "REVISIONS", "create", "refuse_strangers", "revision_of"]

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008")
"""All revisions of the schema, oldest first."""
NEWEST = REVISIONS[-1]

_version = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""As Alembic makes it."""


def revision_of(connection: Connection) -> str | None:
    """The revision that the database has; None if it has none yet."""
    if not inspect(connection).has_table(_version.name):
        return None
    return connection.execute(select(_version.c.version_num)).scalar()


def create(connection: Connection) -> None:
    """Make all tables of the newest revision, in the transaction that is open there."""
    metadata.create_all(connection, checkfirst=False)
    _version.create(connection)
    connection.execute(insert(_version).values(version_num=NEWEST))


def refuse_strangers(connection: Connection, where: str) -> None:
    """``ConfigError`` if the database was made by a newer version, or by another program."""
    revision = revision_of(connection)
    if revision is None:
        names = set(inspect(connection).get_table_names())
        if names & {"scans", "observations"} or (names and connection.dialect.name == "sqlite"):
            raise ConfigError(
                "this database belongs to another program",
                where=where,
                then="choose another with --database",
            )
    elif revision not in REVISIONS:
        raise ConfigError(
            f"this database was made by a newer Leadglass (revision {revision})",
            where=where,
            then="update Leadglass, or choose another database with --database",
        )
