"""``leadglass scope``: write one, see what it would touch, prove control of it."""

from __future__ import annotations

import datetime as dt
import enum
import ipaddress
import json
from pathlib import Path
from typing import Annotated

import typer

from leadglass import wiring
from leadglass.cli.asking import ask, words
from leadglass.cli.output import create
from leadglass.cli.reading import read_scope
from leadglass.cli.terminal import complain, write
from leadglass.errors import ScopeError, UsageError
from leadglass.model.rung import Rung
from leadglass.model.verdict import Position
from leadglass.report.safe import visible
from leadglass.scope.parse import parse, parse_range
from leadglass.scope.ports import DEFAULT_PORTS, parse_ports, ports_text
from leadglass.scope.rules import Basis
from leadglass.scope.scope import Scope
from leadglass.scope.summary import as_json, as_text
from leadglass.scope.template import Draft, scope_text
from leadglass.scope.verify import Outcome, token
from leadglass.wiring.names import pinned, resolver
from leadglass.wiring.verifying import outcomes, resolver_at

__all__ = ["Shape", "app", "new", "show", "verify"]

UNFINISHED = 3
_DAYS = 90
"""How long a new scope stands unless its writer says otherwise."""

app = typer.Typer(help="Write, show and verify a scope.", no_args_is_help=True)


class Shape(enum.StrEnum):
    """How ``show`` and ``verify`` report."""

    TEXT = "text"
    JSON = "json"


_File = Annotated[Path, typer.Argument(help="The scope file.")]
_Format = Annotated[Shape, typer.Option("--format", help="How to report.")]
_Nameserver = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS[:PORT]", help="Ask this nameserver, e.g. one outside, instead of this machine's."
    ),
]


@app.command()
def new(
    file: Annotated[Path, typer.Argument(help="Where to write it; must not exist.")] = Path("scope.toml"),
    name: Annotated[str | None, typer.Option(help="What the scope is called.")] = None,
    basis: Annotated[Basis, typer.Option(help="By what right you look.")] = Basis.OWNER,
    granted_by: Annotated[str | None, typer.Option(help="Who said yes.")] = None,
    contact: Annotated[str | None, typer.Option(help="Who a disturbed administrator writes to.")] = None,
    reference: Annotated[str | None, typer.Option(help="Where the yes is written down.")] = None,
    valid_until: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="The last day; 90 days from now if not given.")
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(metavar="RANGE", help="A CIDR range, address or name; may be repeated."),
    ] = None,
    ports: Annotated[str, typer.Option(help="The ports of all targets.")] = ports_text(DEFAULT_PORTS),
    position: Annotated[
        Position, typer.Option(help="From which side of the owner's network you look.")
    ] = Position.OUTSIDE,
    deepest: Annotated[
        str, typer.Option(metavar="RUNG", help="connect, associate, negotiate or blank-query.")
    ] = Rung.ASSOCIATE.word,
) -> None:
    """Write a commented scope file; what no option says is asked.

    Example: leadglass scope new --target 192.0.2.0/28 --granted-by "Head of IT" --contact it@example.org
    """
    if file.exists():
        raise UsageError("the file exists already", where=str(file), then="choose another name")
    last_day = (_today() + dt.timedelta(days=_DAYS)).isoformat()
    draft = Draft(
        name=ask(name, "--name", "What is to be looked at (a name for this scope)", words),
        basis=basis,
        granted_by=ask(granted_by, "--granted-by", "Who said yes", words),
        contact=ask(contact, "--contact", "Who a disturbed administrator writes to", words),
        reference=ask(reference, "--reference", "Where that is written down (- if nowhere)", _reference, "-"),
        valid_until=ask(valid_until, "--valid-until", "The last day", _day, last_day),
        targets=ask(",".join(target or ()) or None, "--target", "Ranges, addresses or names", _ranges),
        position=position,
        deepest=_rung(deepest),
        ports=parse_ports(ports),
    )
    text = scope_text(draft)
    _require_valid(text)
    create(file, text)
    write(f"{visible(str(file))} is written. Read it, and then: leadglass scope show {visible(str(file))}\n")


@app.command()
def show(
    file: _File,
    resolve: Annotated[bool, typer.Option("--resolve", help="Look up the scope's names.")] = False,
    shape: _Format = Shape.TEXT,
) -> None:
    """What a scope would touch, how deep and when. Sends nothing, or with --resolve only DNS.

    Example: leadglass scope show scope.toml
    """
    scope = read_scope(file)
    if resolve:
        scope = pinned(scope, resolver())
    moment = wiring.clock().posix()
    write(_json(as_json(scope, moment)) if shape is Shape.JSON else as_text(scope, moment))


@app.command()
def verify(file: _File, nameserver: _Nameserver = None, shape: _Format = Shape.TEXT) -> None:
    """Prove control of what a scope names, by a DNS record or a file on the server.

    Looks for the scope's token in TXT records at _leadglass.NAME, and in /.well-known/leadglass.txt on the web
    ports that the scope permits. Exit 3 if something is not proved.

    Example: leadglass scope verify scope.toml --nameserver 192.0.2.53
    """
    resolver = resolver_at(_service(nameserver) if nameserver else None)
    scope = pinned(read_scope(file), resolver)
    results = list(outcomes(scope, resolver))
    write(_json(_as_json(scope, results)) if shape is Shape.JSON else _as_text(scope, results))
    open_ = sum(outcome.proof is None for outcome in results)
    if open_:
        complain(f"{open_} of {len(results)} targets not proved")
        raise typer.Exit(UNFINISHED)


def _reference(text: str) -> str | None:
    return None if text.strip() == "-" else words(text)


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text.strip())
    except ValueError as exc:
        raise ValueError(f"{text!r} is no date; write it as 2027-01-31") from exc


def _ranges(text: str) -> tuple[str, ...]:
    ranges = tuple(text.replace(",", " ").split())
    if not ranges:
        raise ValueError("at least one range, address or name is needed")
    for range_ in ranges:
        parse_range(range_)
    return ranges


def _rung(word: str) -> Rung:
    try:
        return Rung.from_word(word)
    except ValueError as exc:
        raise UsageError(str(exc), where="--deepest") from exc


def _require_valid(text: str) -> None:
    """The file would be refused when it is read: better to hear it before it is written."""
    try:
        parse(text, filename="", moment=wiring.clock().posix())
    except ScopeError as exc:
        raise UsageError(f"this would make no valid scope: {exc.what}", then=exc.then) from exc


def _service(text: str) -> tuple[str, int]:
    """An address, with a port if it is not 53."""
    host, port = text, "53"
    if text.startswith("[") or text.count(":") == 1:
        host, _, port = text.removeprefix("[").replace("]", "").rpartition(":")
    try:
        return str(ipaddress.ip_address(host)), parse_ports(port)[0]
    except ValueError as exc:
        raise UsageError(f"{text!r} is no address", where="--nameserver", then="write 192.0.2.53") from exc


def _as_text(scope: Scope, results: list[Outcome]) -> str:
    lines = [f"token: {token(scope)}"]
    for outcome in results:
        proved = f"proved by {outcome.proof}" if outcome.proof else "not proved"
        lines.append(f"{outcome.claim.range}: {proved}")
        if outcome.proof is None:
            lines += [f"  {attempt}" for attempt in outcome.tried]
    lines += [f"left out: {refusal}" for refusal in scope.refused]
    return "\n".join(lines) + "\n"


def _as_json(scope: Scope, results: list[Outcome]) -> object:
    return {
        "schema": "leadglass.scope-verification/1",
        "token": token(scope),
        "targets": [
            {
                "range": outcome.claim.range,
                "dns_name": outcome.claim.dns_name,
                "proof": outcome.proof,
                "tried": list(outcome.tried),
            }
            for outcome in results
        ],
        "refused": [str(refusal) for refusal in scope.refused],
    }


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _today() -> dt.date:
    return dt.datetime.fromtimestamp(wiring.clock().posix(), dt.UTC).date()
