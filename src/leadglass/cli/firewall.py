"""``leadglass firewall``: rules that leave imaging servers to the peers they know."""

from __future__ import annotations

import datetime as dt
import enum
import ipaddress
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Annotated, TextIO

import typer

from leadglass import wiring
from leadglass.cli import fetch
from leadglass.cli.firewall_plan import (
    ConfigOption,
    DatabaseOption,
    GuardOption,
    PeersOption,
    ScanOption,
    ScopeOption,
    Sources,
    plan_of,
)
from leadglass.cli.output import destination
from leadglass.cli.reading import read_text
from leadglass.cli.terminal import complain, write
from leadglass.configs.firewall.dry_run import Count, Stopped, Tally, held_against
from leadglass.configs.firewall.flows import LONGEST, BrokenLine, Flow, Meeting, flows
from leadglass.configs.firewall.forms import Form, written
from leadglass.configs.firewall.plan import Direction, Network, Plan, Server
from leadglass.configs.firewall.proof import Proof, Trial
from leadglass.errors import ConfigError, UsageError
from leadglass.report.safe import visible

__all__ = ["Shape", "app", "dry_run", "try_", "write_"]

STOPS = 1
UNDECIDED = 3

app = typer.Typer(help="Rules that leave imaging servers to the peers they know.", no_args_is_help=True)


class Shape(enum.StrEnum):
    """How ``dry-run`` and ``test`` report."""

    TEXT = "text"
    JSONL = "jsonl"


_LogOnly = Annotated[
    bool, typer.Option("--log-only", help="Refuse nothing, and log what would have been refused.")
]
_Shape = Annotated[Shape, typer.Option("--format", help="How to report.")]


# ---- write


@app.command("write")
def write_(
    form: Annotated[Form, typer.Option("--format", help="The firewall's language.")] = Form.NFTABLES,
    peers: PeersOption = None,
    scope: ScopeOption = None,
    scan: ScanOption = None,
    guard: GuardOption = None,
    config: ConfigOption = None,
    log_only: _LogOnly = False,
    output: Annotated[Path | None, typer.Option(help="Write the rules to this file.")] = None,
    database: DatabaseOption = None,
) -> None:
    """Write rules by which only known peers reach the servers' imaging ports.

    Example: leadglass firewall write --peers peers.toml --log-only --output firewall.nft
    """
    plan = plan_of(Sources(peers, scope, scan, guard, config, database))
    _remind(plan)
    made = written(plan, form, log_only=log_only)
    with destination(output) as stream:
        stream.write(made.text)
    for note in made.notes:
        complain(note)


def _remind(plan: Plan) -> None:
    """What is missing or due in a plan, before anybody loads it."""
    today = dt.datetime.fromtimestamp(wiring.clock().posix(), dt.UTC).date()
    for server in plan.servers:
        if not any(rule.server is server and rule.direction is Direction.IN for rule in plan.rules):
            complain(f"nobody may reach {visible(server.name)}; name its peers with --peers")
    for peer in plan.peers:
        if peer.review is not None and peer.review < today:
            complain(f"the review of {visible(peer.name)} was due on {peer.review}")


# ---- dry-run


@app.command("dry-run")
def dry_run(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FLOWS]...",
            help="What conntrack -L printed, or a CSV of NetFlow (nfdump -o csv); - for standard input.",
            show_default=False,
        ),
    ] = None,
    peers: PeersOption = None,
    scope: ScopeOption = None,
    scan: ScanOption = None,
    guard: GuardOption = None,
    config: ConfigOption = None,
    audit: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIRECTORY",
            help="A guard's audit trail: whom it served; may be repeated.",
            show_default=False,
        ),
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Of which server the audit trail tells, if there is more than one."
        ),
    ] = None,
    here: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS",
            help="An address of servers that have none in the list; may be repeated.",
            show_default=False,
        ),
    ] = None,
    shape: _Shape = Shape.TEXT,
    database: DatabaseOption = None,
) -> None:
    """Say which connections that were seen the rules would stop; nothing is changed and nothing sent.

    Exit 1 if one would be stopped, 3 if lines could not be read or there is no connection at all.

    Example: leadglass firewall dry-run connections.txt --peers peers.toml
    """
    plan = plan_of(Sources(peers, scope, scan, guard, config, database))
    told = _told_of(plan, server) if audit else None
    places = _places(plan, here or [], needed=bool(files))
    if not files and not audit:
        raise UsageError("there are no flows", where="dry-run", then="name a file, - or --audit DIRECTORY")
    with _lines(files or []) as read:
        trail: Iterator[Meeting] = _trail(audit) if audit else iter(())
        tally = held_against(plan, chain(read, trail), places, told)
    _finish(tally, shape)


def _finish(tally: Tally, shape: Shape) -> None:
    for broken in tally.first_broken:
        complain(f"{visible(broken.where)}, line {broken.line}: left out: {broken.why}")
    if tally.broken > len(tally.first_broken):
        complain(f"left out because they could not be read: {tally.broken:,} lines in all")
    (_tell_json if shape is Shape.JSONL else _tell_text)(tally)
    if tally.would_stop:
        raise typer.Exit(STOPS)
    if not (tally.flows or tally.broken):
        complain("dry-run: there is no TCP connection in what was given, so nothing is known of the rules")
    if tally.broken or not tally.flows:
        raise typer.Exit(UNDECIDED)


def _trail(folders: list[Path]) -> Iterator[Meeting]:
    """Reading an audit trail is itself written down in it (PS3.15 A.5.3.2)."""
    found: Iterator[Meeting] = fetch("leadglass.wiring.firewall_stored").meetings(folders)
    fetch("leadglass.cli.guard_audit").note_reading(
        folders[0], "whom it served, for a dry run of firewall rules"
    )
    return found


def _told_of(plan: Plan, name: str | None) -> Server:
    known = ", ".join(visible(server.name) for server in plan.servers)
    found = [server for server in plan.servers if name is None or server.name == name]
    if len(found) != 1:
        raise UsageError(
            "of which server does the audit trail tell?", where="--server", then=f"one of {known}"
        )
    return found[0]


def _places(plan: Plan, here: Sequence[str], *, needed: bool) -> tuple[Network, ...]:
    if needed and not here and not all(server.networks for server in plan.servers):
        raise UsageError(
            "a server without an address is on this machine",
            where="--here",
            then="say by which addresses it is reached",
        )
    try:
        return tuple(map(ipaddress.ip_network, here))
    except ValueError as exc:
        raise UsageError(str(exc), where="--here", then="write 192.0.2.1") from exc


@contextmanager
def _lines(files: Sequence[Path]) -> Iterator[Iterator[Flow | BrokenLine]]:
    """What all files tell, one after the other, never more than a line of them in memory."""
    try:
        yield chain.from_iterable(map(_of_file, files))
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise ConfigError(f"the flows cannot be read ({reason})", where=str(exc.filename or "-")) from exc


def _of_file(path: Path) -> Iterator[Flow | BrokenLine]:
    if str(path) == "-":
        yield from flows(_cut(sys.stdin), "standard input")
        return
    with path.open(encoding="utf-8", errors="replace") as stream:
        yield from flows(_cut(stream), str(path))


def _cut(stream: TextIO) -> Iterator[str]:
    """Lines, of a long one only as much as shows that it is too long."""
    whole = True
    while piece := stream.readline(LONGEST + 2):
        if whole:
            yield piece
        whole = piece.endswith("\n")


def _tell_text(tally: Tally) -> None:
    for stopped, count in tally.worst():
        write(f"{_sentence(stopped)}: {count.flows:,} seen, last {_when(count)}\n")
    if tally.beyond:
        write(f"and others: {tally.beyond:,}\n")
    write(
        f"would stop: {tally.would_stop:,}; would go on: {tally.allowed:,};"
        f" not concerned: {tally.untouched:,}; unreadable lines: {tally.broken:,}\n"
    )


def _sentence(stopped: Stopped) -> str:
    port = f" port {stopped.port}" if stopped.port else ""
    if stopped.direction is Direction.IN:
        return f"would stop  {stopped.remote} to {visible(stopped.server)}{port}"
    return f"would stop  {visible(stopped.server)} to {stopped.remote}{port}, opened by the server"


def _when(count: Count) -> str:
    return "at a time not told" if count.last is None else f"{count.last:%Y-%m-%d %H:%M:%S}Z"


def _tell_json(tally: Tally) -> None:
    for stopped, count in tally.worst():
        line = {
            "schema": "leadglass.firewall-dry-run/1",
            "direction": stopped.direction,
            "server": stopped.server,
            "peer": str(stopped.remote),
            "port": stopped.port or None,
            "flows": count.flows,
            "last": None if count.last is None else count.last.isoformat(),
        }
        write(json.dumps(line) + "\n")


# ---- test


@app.command("test")
def try_(
    rules: Annotated[
        Path | None,
        typer.Argument(
            metavar="[RULES]",
            help="A file for nft -f; if not given, what leadglass firewall write would write.",
            show_default=False,
        ),
    ] = None,
    peers: PeersOption = None,
    scope: ScopeOption = None,
    scan: ScanOption = None,
    guard: GuardOption = None,
    config: ConfigOption = None,
    log_only: _LogOnly = False,
    shape: _Shape = Shape.TEXT,
    database: DatabaseOption = None,
) -> None:
    """Load the rules in network namespaces, and let peers and strangers try every port there.

    Real DICOM servers listen inside, and nothing outside the namespaces is touched. Needs root, nft and ip.
    Exit 1 if somebody reached what is closed, or did not reach what is open.

    Example: leadglass firewall test firewall.nft --peers peers.toml
    """
    plan = plan_of(Sources(peers, scope, scan, guard, config, database))
    text = written(plan, Form.NFTABLES, log_only=log_only).text if rules is None else read_text(rules)
    proof: Proof = fetch("leadglass.wiring.firewall_proof").prove(plan, text, log_only=log_only)
    if shape is Shape.JSONL:
        for trial in proof.trials:
            write(json.dumps(_trial_json(trial)) + "\n")
    else:
        _show(proof)
    if not proof.holds:
        raise typer.Exit(STOPS)


def _show(proof: Proof) -> None:
    for trial in proof.trials:
        verdict = "ok   " if trial.as_meant else "WRONG"
        meant = "may" if trial.meant else "may not"
        write(
            f"{verdict}  {trial.source} to {trial.endpoint} ({visible(trial.who)}, {meant}): {trial.found}\n"
        )
    for says, packets in proof.counters:
        write(f"counter  {packets:>6,}  {visible(says)}\n")
    for note in proof.notes:
        complain(note)
    wrong = sum(not trial.as_meant for trial in proof.trials)
    write(f"{len(proof.trials):,} connections tried, {wrong:,} not as meant\n")


def _trial_json(trial: Trial) -> object:
    return {
        "schema": "leadglass.firewall-trial/1",
        "source": trial.source,
        "address": trial.endpoint.address,
        "port": trial.endpoint.port,
        "who": trial.who,
        "allowed": trial.meant,
        "found": trial.found,
        "as_meant": trial.as_meant,
    }
