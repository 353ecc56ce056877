"""Brings an older database to the newest schema, one revision after the other, or says why that cannot be.

Alembic runs the revisions inside the caller's transaction: a database is migrated whole or not at
all. There is no ``env.py``, since nothing but this runs them.
"""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationStep
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from leadglass.store.revisions import NEWEST, refuse_strangers, revision_of

__all__ = ["migrate", "scripts"]


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
