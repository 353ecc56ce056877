"""``leadglass scan``: everything that a scope permits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from leadglass import wiring
from leadglass.cli.looking import Look, look, rung_option
from leadglass.cli.reading import read_scope
from leadglass.model.verdict import Severity
from leadglass.report.writer import Format
from leadglass.wiring.names import pinned

__all__ = ["scan"]


def scan(
    scope: Annotated[Path, typer.Option(help="The scope file: whom to ask, how deep, by whose leave.")],
    deepest: Annotated[
        str | None,
        typer.Option(metavar="RUNG", help="Go no deeper: connect, associate, negotiate, blank-query."),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How to report.")] = Format.TEXT,
    output: Annotated[Path | None, typer.Option(help="Write the report to this file.")] = None,
    fail_on: Annotated[Severity, typer.Option(help="Exit 1 from this severity on.")] = Severity.MEDIUM,
) -> None:
    """Look at everything that a scope permits, and report it.

    Example: leadglass scan --scope scope.toml --format html --output report.html
    """
    permitted = pinned(read_scope(scope), wiring.resolver())
    raise typer.Exit(look(permitted, Look(form, output, fail_on), deepest=rung_option(deepest)))
