"""Where the commands of ``leadglass firewall`` take their plan from: a list, a scope, a scan, a guard, configurations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from leadglass.cli import fetch
from leadglass.cli.database import DatabaseOption
from leadglass.cli.reading import read_text
from leadglass.cli.terminal import complain
from leadglass.configs.firewall.plan import Plan
from leadglass.configs.firewall.read import read_peers, with_servers
from leadglass.errors import UsageError
from leadglass.report.safe import visible

__all__ = [
    "ConfigOption",
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

ConfigOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--config",
        metavar="PATH",
        help="A server's own configuration, on this machine: its ports, left to the peers that it names.",
        show_default=False,
    ),
]

_STORED = "leadglass.wiring.firewall_stored"
_NOTHING = Plan("Imaging servers", (), ())


@dataclass(frozen=True, slots=True)
class Sources:
    """What a command was given."""

    peers: Path | None
    scope: Path | None
    scan: str | None
    guard: Path | None
    config: list[str] | None
    database: str | None


def plan_of(sources: Sources) -> Plan:
    """Everything that was given as one plan; ``UsageError`` if there is no server in it."""
    plan = _NOTHING if sources.peers is None else _of_list(sources.peers)
    if sources.scope is not None:
        scope = fetch("leadglass.cli.storing").read_scope_file(sources.scope).scope
        for refusal in scope.refused:
            complain(f"left out: {refusal}")
        plan = with_servers(plan, fetch("leadglass.wiring.firewall_scope").scope_servers(scope))
    if sources.scan is not None:
        with fetch("leadglass.cli.storing").kept(sources.database) as store:
            plan = with_servers(plan, fetch(_STORED).scan_servers(store, sources.scan))
    if sources.guard is not None:
        plan = _both(plan, fetch(_STORED).guard_plan(sources.guard))
    if sources.config is not None:
        plan = _both(plan, _of_configurations(sources.config))
    if not plan.servers:
        raise UsageError(
            "there is no server to protect",
            where="firewall",
            then="give --peers, --scope, --scan, --guard or --config",
        )
    return plan


def _both(one: Plan, other: Plan) -> Plan:
    return replace(
        one,
        servers=(*one.servers, *other.servers),
        peers=(*one.peers, *other.peers),
        outgoing=tuple(sorted({*one.outgoing, *other.outgoing})),
    )


def _of_configurations(paths: list[str]) -> Plan:
    looked = fetch("leadglass.wiring.linting").lint_files(paths)
    for broken in looked.linted.broken:
        complain(broken.why)
    for path in looked.linted.unknown:
        complain(f"{path}: left out: of no kind that is known")
    found = fetch("leadglass.configs.firewall.declared").declared(looked.linted.readings)
    for note in found.notes:
        complain(visible(note))
    plan: Plan = found.plan
    return plan


def _of_list(path: Path) -> Plan:
    return read_peers(read_text(path), filename=str(path))
