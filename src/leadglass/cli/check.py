"""``leadglass check``: a quick look at one's own server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from leadglass import wiring
from leadglass.cli.ending import Look, rung_option
from leadglass.cli.looking import look
from leadglass.cli.reading import read_scope
from leadglass.errors import TransportError, UsageError
from leadglass.model.rung import Rung
from leadglass.model.verdict import Severity
from leadglass.report.forms import Format
from leadglass.scope.check import scope_for_check
from leadglass.scope.ports import HostPorts, parse_target
from leadglass.scope.scope import Scope
from leadglass.wiring.names import pinned, resolver

__all__ = ["check"]


def check(
    hosts: Annotated[
        list[str],
        typer.Argument(metavar="HOST[:PORTS]...", help="PORTS as 104,11112,20000-20207. IPv6 as [::1]:104."),
    ],
    called_ae: Annotated[
        str | None, typer.Option(help="Called AE title to present, if the server wants one. Never guessed.")
    ] = None,
    calling_ae: Annotated[str, typer.Option(help="Calling AE title to present.")] = "LEADGLASS",
    authorised_by: Annotated[
        str | None,
        typer.Option(
            metavar='"NAME, REFERENCE"', help="Whose leave it is to ask a private address a blank query."
        ),
    ] = None,
    scope: Annotated[
        Path | None, typer.Option(help="A scope file that permits these hosts; needed for public addresses.")
    ] = None,
    deepest: Annotated[
        str | None,
        typer.Option(metavar="RUNG", help="Go no deeper: connect, associate, negotiate, blank-query."),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How to report.")] = Format.TEXT,
    output: Annotated[Path | None, typer.Option(help="Write the report to this file.")] = None,
    fail_on: Annotated[Severity, typer.Option(help="Exit 1 from this severity on.")] = Severity.MEDIUM,
) -> None:
    """A quick look at your own server, and what a stranger could do there.

    Loopback is asked up to a blank query, a private address up to an association (deeper with
    --authorised-by), a public address only under a --scope.

    Example: leadglass check 127.0.0.1:104,11112 --format html --output look.html
    """
    how = Look(form, output, fail_on)
    asked = [parse_target(host) for host in hosts]
    rung = rung_option(deepest)
    if scope is not None:
        raise typer.Exit(_check_within(read_scope(scope), asked, how, rung))
    permitted = scope_for_check(
        asked,
        _resolved(asked),
        authorised_by=authorised_by,
        called_ae=called_ae,
        calling_ae=calling_ae,
        moment=wiring.clock().posix(),
    )
    raise typer.Exit(look(permitted, how, deepest=rung))


def _resolved(asked: list[HostPorts]) -> dict[str, tuple[str, ...]]:
    """The addresses of the names, each looked up once."""
    names = dict.fromkeys(target.host for target in asked if target.is_name)
    return {name: _addresses(name) for name in names}


def _addresses(name: str) -> tuple[str, ...]:
    try:
        return resolver().addresses(name)
    except TransportError as exc:
        raise UsageError(exc.what, where=name, then="check its spelling, or give the address") from exc


def _check_within(scope: Scope, asked: list[HostPorts], how: Look, deepest: Rung | None) -> int:
    """Look at the named hosts only; the scope's gate refuses what it does not permit."""
    permitted = pinned(scope, resolver())
    answers = _resolved(asked)
    targets = [
        (address, port)
        for target in asked
        for address in answers.get(target.host, (target.host,))
        for port in target.ports
    ]
    return look(permitted, how, deepest=deepest, targets=targets)
