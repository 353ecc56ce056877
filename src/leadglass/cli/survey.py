"""``leadglass survey``: how many there are, of which kind, why, and how sure that is. Sends nothing."""

from __future__ import annotations

import typer

from leadglass.cli.survey_causes import causes
from leadglass.cli.survey_estimate import estimate
from leadglass.cli.survey_hidden import hidden
from leadglass.cli.survey_nature import nature
from leadglass.cli.survey_plan import plan
from leadglass.cli.survey_report import report
from leadglass.cli.survey_share import share

__all__ = ["app"]

app = typer.Typer(help="Count exposed servers, with the uncertainty of it.", no_args_is_help=True)
for _command in (plan, estimate, nature, hidden, share, causes, report):
    app.command()(_command)
