"""``leadglass watch``: look again and again, and tell who has to hear of it."""

from __future__ import annotations

import typer

from leadglass.cli import fetch
from leadglass.cli.database import DatabaseOption
from leadglass.cli.ending import stop_on_signals
from leadglass.cli.storing import opened
from leadglass.cli.terminal import complain
from leadglass.cli.watch_alerts import acknowledge, alerts, close, retest
from leadglass.cli.watch_options import CONFIG, ConfigOption, settings
from leadglass.cli.watch_silence import app as silence
from leadglass.cli.watch_status import now, status
from leadglass.errors import ResourceError
from leadglass.report.say import count

__all__ = ["app", "run"]

app = typer.Typer(help="Look again and again, and tell who has to hear of it.", no_args_is_help=True)


def run(config: ConfigOption = CONFIG, database: DatabaseOption = None) -> None:
    """Scan each scope when it is due and send alerts, until SIGTERM or Ctrl-C.

    With a file as database one process watches; with PostgreSQL any number may, and each scan is one's.

    Example: leadglass watch run --config watch.toml
    """
    told = settings(config)
    watching = fetch("leadglass.wiring.watching")
    stop = watching.Stopper()
    with opened(database) as store, stop_on_signals() as signals:
        signals.tell(stop)
        complain(f"watching as {told.name!r}, {count(len(told.schedules), 'schedule')}, until Ctrl-C")
        if not watching.run_watch(store, told, stop.event, complain):
            raise ResourceError(
                "another process watches already", where=store.where, then="stop that one first"
            )


for _command in (run, status, now, alerts, acknowledge, close, retest):
    app.command()(_command)
app.add_typer(silence, name="silence", help="Take a risk upon oneself until a day, and hear no more of it.")
