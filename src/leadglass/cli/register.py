"""``leadglass register``: who runs each imaging system, what may be open there, what was seen, what is done about it."""

from __future__ import annotations

import typer

from leadglass.cli.register_dossier import dossier, stamp
from leadglass.cli.register_entering import add, fill, import_, review
from leadglass.cli.register_looking import check, list_, show
from leadglass.cli.register_risk import risk
from leadglass.cli.register_verifying import verify

__all__ = ["app"]

app = typer.Typer(
    help="Who runs each imaging system, what may be open there, and what was seen.", no_args_is_help=True
)
app.command()(add)
app.command("list")(list_)
app.command()(show)
app.command()(fill)
app.command("import")(import_)
app.command()(review)
app.command()(risk)
app.command()(check)
app.command()(dossier)
app.command()(stamp)
app.command()(verify)
