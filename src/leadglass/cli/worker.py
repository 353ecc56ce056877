"""``leadglass worker``: one more worker on the queue, until it is told to stop."""

from __future__ import annotations

from typing import Annotated

import typer

from leadglass.cli import INTERRUPTED, load
from leadglass.cli.ending import stop_on_signals
from leadglass.cli.storing import opened, place_named
from leadglass.cli.terminal import complain
from leadglass.errors import UsageError

__all__ = ["worker"]


def worker(
    database: Annotated[
        str,
        typer.Option(
            envvar="LEADGLASS_DATABASE",
            metavar="URL",
            help="The database that the scans are in: postgresql://...",
        ),
    ],
    vantage: Annotated[
        str, typer.Option(metavar="NAME", help="What this place is called; it is kept with all that is seen.")
    ],
) -> None:
    """Take part in the scans that others begin in the same database, until Ctrl-C.

    Start as many as there are machines. What one had in hand when it died is done by the others.

    Example: leadglass worker --database postgresql://leadglass@db.example.org/leadglass --vantage berlin
    """
    name = place_named(vantage)
    if "://" not in database:
        raise UsageError(
            "a file cannot be shared by many machines",
            where="--database",
            then="give postgresql://USER@HOST/DATABASE",
        )
    module = load("leadglass.wiring.worker", extra="postgres")
    with opened(database) as store, stop_on_signals() as signals:
        one = module.Worker(store, name, complain)
        signals.tell(one.stop)
        complain(f"working as {name} until Ctrl-C")
        one.run()
    raise typer.Exit(INTERRUPTED)
