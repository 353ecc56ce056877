"""``leadglass notify``: tell owners what was seen, and find out whether that helped."""

from __future__ import annotations

import typer

from leadglass.cli.notify_assign import assign
from leadglass.cli.notify_draft import draft, export
from leadglass.cli.notify_log import log
from leadglass.cli.notify_send import send
from leadglass.cli.notify_status import status

__all__ = ["app"]

app = typer.Typer(help="Tell owners what was seen, and find out whether that helped.", no_args_is_help=True)
for _command in (draft, export, send, log, status, assign):
    app.command()(_command)
