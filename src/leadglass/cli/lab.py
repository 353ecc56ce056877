"""``leadglass lab``: DICOM servers with known truth, on loopback, until Ctrl-C."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from leadglass.cli.console import console
from leadglass.cli.output import create
from leadglass.cli.terminal import complain
from leadglass.errors import UsageError
from leadglass.lab.serve import Running
from leadglass.wiring.lab import running_lab, until_stopped

__all__ = ["lab"]

_LINE = "{:21}  {:17}  {}"


def lab(
    scope: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a scope for exactly this lab to a new file.")
    ] = None,
) -> None:
    """Serve DICOM servers with known truth on loopback, until Ctrl-C.

    Each plays one kind of server that scans meet: open, guarded, trapped, broken. The table says where
    each is and what a scanner should find there. All patients are made up at the start.

    Example: leadglass lab --scope lab.toml, and in another terminal: leadglass scan --scope lab.toml
    """
    with until_stopped() as wait, running_lab() as running:
        if scope is not None:
            _write_new(scope, running.scope_text())
        _show(running.servers)
        if scope is not None:
            complain(f"its scope is {scope}; in another terminal: leadglass scan --scope {scope}")
        complain("serving until Ctrl-C")
        # Being asked to stop is how a server ends: exit code 0.
        wait()


def _write_new(path: Path, text: str) -> None:
    if path.exists():
        raise UsageError("the scope cannot be written (file exists)", where=str(path), then="name a new file")
    create(path, text)


def _show(servers: Iterable[Running]) -> None:
    """Each endpoint with its truth, each server's story under it: readable at 80 columns and in a pipe."""
    screen = console()
    screen.print(Text(_LINE.format("SERVER", "WHERE", "WHAT A STRANGER CAN DO"), style="bold"))
    for running in servers:
        for i, (port, service) in enumerate(running.services):
            name = "" if i else running.persona.name
            screen.print(Text(_LINE.format(name, f"{running.address}:{port}", service.truth.blank_query)))
        screen.print(Text(f"  {running.persona.story}", style="dim"), soft_wrap=True)
