"""``leadglass db``: looks after the database."""

from __future__ import annotations

from typing import Annotated

import typer

from leadglass import wiring
from leadglass.cli.storing import DatabaseOption, kept
from leadglass.cli.terminal import write
from leadglass.report.say import count
from leadglass.store import prune as pruning
from leadglass.store.prune import Pruned

__all__ = ["app", "prune"]

_DAY = 86_400

app = typer.Typer(help="Look after the database.", no_args_is_help=True)


@app.callback()
def db() -> None:
    """Look after the database."""


@app.command()
def prune(
    keep: Annotated[
        int,
        typer.Option(
            metavar="DAYS", min=0, max=36_500, help="Keep what was seen in so many days.", show_default=False
        ),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be forgotten.")] = False,
    database: DatabaseOption = None,
) -> None:
    """Forget what is older than you want to keep: the database is a list of targets.

    Scans that ended before, with all that only they refer to, and endpoints that nobody has seen since.

    Example: leadglass db prune --keep 90 --dry-run
    """
    before = int(wiring.clock().posix()) - keep * _DAY
    with kept(database) as store:
        write(_said(pruning.prune(store, before, dry=dry_run), dry_run))


def _said(pruned: Pruned, dry: bool) -> str:
    what = (
        f"{count(pruned.scans, 'scan')}, {count(pruned.observations, 'observation')} and "
        f"{count(pruned.endpoints, 'endpoint')}"
    )
    return f"{what} would be forgotten.\n" if dry else f"{what} forgotten.\n"
