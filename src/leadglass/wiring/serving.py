"""Puts the dashboard together: the store, the desks, the real clock."""

from __future__ import annotations

from pathlib import Path

from leadglass.errors import ConfigError
from leadglass.ports.dashboard import Desks
from leadglass.settings.serve import ServeSettings
from leadglass.settings.watch_file import WatchSettings, read_watch
from leadglass.store.database import Database
from leadglass.wiring.desk_register import RegisterKept
from leadglass.wiring.desk_survey import SurveyKept
from leadglass.wiring.desk_watch import WatchKept

__all__ = ["desks_of", "watch_settings"]


def desks_of(database: Database, settings: ServeSettings) -> Desks:
    """Everything that the dashboard asks; ``ConfigError`` for a file of ``settings`` that cannot be read."""
    return Desks(
        register=RegisterKept(database),
        survey=SurveyKept(database),
        watch=WatchKept(database, watch_settings(settings), settings.scopes),
    )


def watch_settings(settings: ServeSettings) -> WatchSettings | None:
    """What ``watch.toml`` says, if there is one."""
    if settings.watch is None:
        return None
    file = Path(settings.watch)
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError("the file cannot be read", where=str(file)) from exc
    return read_watch(text, filename=str(file), folder=str(file.parent))
