"""Brings a database to the newest schema, one revision after the other, or says why that cannot be.

Alembic runs the revisions inside the caller's transaction: a database is migrated whole or not at
all. There is no ``env.py``, since nothing but this runs them.
"""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationStep
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from leadglass.errors import ConfigError

__all__ = ["NEWEST", "migrate", "refuse_strangers", "revision_of", "scripts"]

NEWEST = "0002"
"""The newest revision. A database that has it needs no look into the scripts."""


def revision_of(connection: Connection) -> str | None:
    """The revision that the database has; None if it has none yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def scripts() -> ScriptDirectory:
    """The revisions that this version knows."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return ScriptDirectory.from_config(config)


def migrate(connection: Connection, where: str, upto: str = NEWEST) -> None:
    """Bring the database at ``connection`` forward to ``upto``, in the transaction that is open there.

    ``ConfigError`` if it was made by a newer version, or holds something else.
    """
    known = scripts()
    refuse_strangers(connection, where)
    present = revision_of(connection) or "base"
    steps = [
        MigrationStep.upgrade_from_script(known.revision_map, script)
        for script in reversed(list(known.iterate_revisions(upto, present)))
    ]
    context = EnvironmentContext(Config(), known, fn=lambda *_: steps, destination_rev=upto)
    context.configure(connection=connection)
    context.run_migrations()


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
    elif revision not in {script.revision for script in scripts().walk_revisions()}:
        raise ConfigError(
            f"this database was made by a newer Leadglass (revision {revision})",
            where=where,
            then="update Leadglass, or choose another database with --database",
        )
