"""Where the commands of ``leadglass firewall`` take their plan from: a list, a scope, a scan, a guard."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from leadglass.cli.reading import read_text
from leadglass.cli.storing import DatabaseOption, kept, read_scope_file
from leadglass.cli.terminal import complain
from leadglass.configs.firewall.plan import Plan
from leadglass.configs.firewall.read import read_peers, with_servers
from leadglass.errors import UsageError
from leadglass.wiring.firewall_sources import guard_plan, scan_servers, scope_servers

__all__ = [
    "DatabaseOption",
    "GuardOption",
    "PeersOption",
    "ScanOption",
    "ScopeOption",
    "Sources",
    "plan_of",
]

PeersOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--peers", metavar="FILE", help="A peer list: servers, and who may reach them.", show_default=False
    ),
]
ScopeOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--scope", metavar="FILE", help="A scope, whose targets are servers to protect.", show_default=False
    ),
]
ScanOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--scan", metavar="SCAN", help="A stored scan: what it found open is protected.", show_default=False
    ),
]
GuardOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--guard",
        metavar="FILE",
        help="A guard's file: its own doors are left to who is enrolled there.",
        show_default=False,
    ),
]

_NOTHING = Plan("Imaging servers", (), ())


@dataclass(frozen=True, slots=True)
class Sources:
    """What a command was given."""

    peers: Path | None
    scope: Path | None
    scan: str | None
    guard: Path | None
    database: str | None


def plan_of(sources: Sources) -> Plan:
    """Everything that was given as one plan; ``UsageError`` if there is no server in it."""
    plan = _NOTHING if sources.peers is None else _of_list(sources.peers)
    if sources.scope is not None:
        scope = read_scope_file(sources.scope).scope
        for refusal in scope.refused:
            complain(f"left out: {refusal}")
        plan = with_servers(plan, scope_servers(scope))
    if sources.scan is not None:
        with kept(sources.database) as store:
            plan = with_servers(plan, scan_servers(store, sources.scan))
    if sources.guard is not None:
        guard = guard_plan(sources.guard)
        plan = replace(with_servers(plan, guard.servers), peers=(*plan.peers, *guard.peers))
    if not plan.servers:
        raise UsageError(
            "there is no server to protect", where="firewall", then="give --peers, --scope, --scan or --guard"
        )
    return plan


def _of_list(path: Path) -> Plan:
    return read_peers(read_text(path), filename=str(path))
