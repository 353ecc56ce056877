"""Where scans are kept, unless somebody says otherwise, and the database opened with the real clock."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from leadglass import wiring
from leadglass.errors import ConfigError
from leadglass.store.database import Database, Upgrade, no_upgrade, open_database

__all__ = ["default_database", "kept_storage", "open_storage"]

_IS_WINDOWS = sys.platform == "win32"


def default_database() -> str:
    """``leadglass/leadglass.sqlite`` in the user's data directory (XDG Base Directory Specification 0.8).

    On Windows that is the directory of local data of programs, which belongs to the user alone.
    """
    name, usual = ("LOCALAPPDATA", "AppData/Local") if _IS_WINDOWS else ("XDG_DATA_HOME", ".local/share")
    data = os.environ.get(name, "")
    # A relative path is invalid there, and ignored.
    home = Path(data) if Path(data).is_absolute() else _home() / usual
    return str(home / "leadglass" / "leadglass.sqlite")


def open_storage(where: str | None, upgrade: Upgrade = no_upgrade) -> Database:
    """The database at ``where`` (a file, a ``postgresql://`` URL; None: the user's own), made if it is new.

    ``upgrade`` is for one that an older version made. Errors as ``store.database.open_database``.
    """
    return open_database(where or default_database(), wiring.clock().posix, upgrade)


def kept_storage(where: str | None, upgrade: Upgrade = no_upgrade) -> Database:
    """The same for whoever only reads: ``ConfigError`` if there is none, instead of an empty one."""
    place = where or default_database()
    if "://" not in place and not Path(place).exists():
        raise ConfigError(
            "there is no database here",
            where=place,
            then="leadglass scan makes one; --database names another",
        )
    return open_storage(place, upgrade)


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError as exc:
        raise ConfigError(
            "nobody knows where your home is", where="--database", then="name a file with --database"
        ) from exc
