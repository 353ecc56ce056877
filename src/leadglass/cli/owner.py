"""``leadglass owner``: who runs an endpoint, how sure that is, and whom to write to. Asks only who was named."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from rich.text import Text

from leadglass.cli import fetch, load
from leadglass.cli.database import DatabaseOption
from leadglass.cli.owner_options import (
    Ask,
    AskOption,
    BootstrapOption,
    MmdbOption,
    NameserverOption,
    PlainOption,
    Shape,
    address_of,
    nameserver_of,
)
from leadglass.cli.prose import print_lines, wrapped
from leadglass.cli.reading import read_text
from leadglass.cli.terminal import write
from leadglass.errors import UsageError
from leadglass.model.record import ScanRecord, read_record
from leadglass.model.statement import Statement
from leadglass.model.verdict import Nature
from leadglass.owner.attribute import Attribution, Candidate, attribute
from leadglass.owner.clues import Clue, Source, in_certificate
from leadglass.owner.contacts import Contact
from leadglass.owner.gather import gather, whom
from leadglass.owner.natures import natures
from leadglass.store.surroundings import Announced
from leadglass.wiring.storage import default_database

__all__ = ["owner"]


class _Kept(NamedTuple):
    """What the database has of an address."""

    statements: Sequence[Statement] = ()
    announced: Sequence[Announced] = ()

    def clues(self) -> Iterator[Clue]:
        """Whoever says something of a server runs it, or speaks for who does."""
        yield from (Clue(Source.STATEMENT, one.by) for one in self.statements)


class _Answer(NamedTuple):
    address: str
    told: Attribution
    contacts: Sequence[Contact]
    trouble: Sequence[str]
    natures: Mapping[int, Nature]
    kept: _Kept


def owner(
    context: typer.Context,
    target: Annotated[str, typer.Argument(metavar="ADDRESS", help="IPv4 or IPv6.", show_default=False)],
    ask: AskOption = None,
    records: Annotated[
        Path | None,
        typer.Option(help="Scan records (JSON Lines): the names in the certificates that were seen there."),
    ] = None,
    mmdb: MmdbOption = None,
    nameserver: NameserverOption = None,
    bootstrap: BootstrapOption = None,
    plain: PlainOption = False,
    shape: Annotated[Shape, typer.Option("--format", help="How to answer.")] = Shape.TEXT,
    database: DatabaseOption = None,
) -> None:
    """Who runs an endpoint, how sure that is, and whom to write to.

    Example: leadglass owner 192.0.2.7 --ask dns --ask rdap --records records.jsonl
    """
    if context.invoked_subcommand is not None:
        return
    address, asked = address_of(target), set(ask or ())
    if Ask.DNS_SD in asked:
        raise UsageError(
            "dns-sd asks the names of a scope",
            where="--ask dns-sd",
            then="leadglass owner gather --ask dns-sd",
        )
    kept = _kept(database, address)
    asking = load("leadglass.wiring.owning", extra="owner").asking
    with asking(
        dns=Ask.DNS in asked,
        nameserver=None if nameserver is None else nameserver_of(nameserver),
        rdap=Ask.RDAP in asked,
        bootstrap=bootstrap,
        plain=plain,
        cache=Path(default_database()).parent / "registries.json",
        databases=mmdb or (),
    ) as open_:
        seen = _read(records)
        found = list(gather(address, open_))
    certified = (clue for record in seen for clue in _certified(record, address))
    clues = [*certified, *(one for one in found if isinstance(one, Clue)), *kept.clues()]
    told = attribute(clues)
    contacts = whom([one for one in found if isinstance(one, Contact)], told.country)
    answer = _Answer(
        address,
        told,
        contacts,
        [one for one in found if isinstance(one, str)],
        natures(seen, address, clues),
        kept,
    )
    if shape is Shape.JSON:
        write(json.dumps(_as_json(answer), indent=2) + "\n")
    else:
        print_lines(_lines(answer))
    if not told.candidates:
        raise typer.Exit(3)


def _kept(database: str | None, address: str) -> _Kept:
    """What owners stated and what DNS-SD announced, where there is a database at all."""
    place = database or default_database()
    if "://" not in place and not Path(place).exists():
        return _Kept()
    with fetch("leadglass.cli.storing").kept(database) as store:
        said = fetch("leadglass.store.statements").listed(store)
        announced = fetch("leadglass.store.surroundings").announced_at(store, address)
    return _Kept([one for one in said if one.address == address and one.withdrawn_at is None], announced)


def _read(records: Path | None) -> Sequence[ScanRecord]:
    if records is None:
        return ()
    return [read_record(line) for line in read_text(records).splitlines() if line.strip()]


def _certified(record: ScanRecord, address: str) -> Iterator[Clue]:
    if record.endpoint.address != address or record.transport.tls is None:
        return
    certificate = record.transport.tls.certificate
    if certificate is not None:
        yield from in_certificate(certificate.subject, certificate.sans)


def _lines(answer: _Answer) -> Iterator[Text]:
    yield Text(f"{answer.address}: who runs it", style="bold")
    yield from wrapped(answer.told.says, "  ", indent=2)
    for candidate in answer.told.candidates:
        yield Text("")
        yield from wrapped(
            f"{candidate.name}, agreement {candidate.agreement:.0%}{_kinds(candidate)}", "  ", indent=4
        )
        for clue in candidate.clues:
            yield from wrapped(f"{clue.source}: {clue.name}{_of(clue)}", "    ", indent=6)
    for said in answer.kept.statements:
        words = [f"{name} {value}" for name, value in _stated(said).items()]
        day = dt.datetime.fromtimestamp(said.at, dt.UTC).date()
        yield Text("")
        yield from wrapped(
            f"stated of {said.target}: {', '.join(words)}; by {said.by} on {day}, reference {said.reference}",
            "  ",
            indent=4,
        )
    for spot in answer.kept.announced:
        yield from wrapped(f"port {spot.port} is announced as {spot.service}.{spot.domain}", "  ", indent=4)
    for port, nature in answer.natures.items():
        shares = sorted(nature.shares.items(), key=lambda pair: -pair[1])
        yield Text("")
        yield Text(f"  what stands behind port {port}, with what is around it")
        yield from wrapped(", ".join(f"{kind} {share:.0%}" for kind, share in shares), "    ", indent=6)
        yield from wrapped(
            "settled" if nature.settled else f"not settled; {nature.settles[0]}", "    ", indent=6
        )
    if answer.contacts:
        yield Text("")
        yield Text("  whom to write to, the way that is answered oftenest first")
        for contact in answer.contacts:
            yield from wrapped(f"{contact.way}: {contact.address} ({contact.of})", "    ", indent=6)
    for one in answer.trouble:
        yield from wrapped(f"not known: {one}", "  ", indent=4)


def _kinds(candidate: Candidate) -> str:
    return f" ({', '.join(sorted(candidate.kinds))})" if candidate.kinds else ""


def _of(clue: Clue) -> str:
    parts = [part for part in (clue.country, clue.when and f"of {clue.when}") if part]
    return f" ({', '.join(parts)})" if parts else ""


def _stated(said: Statement) -> dict[str, str]:
    words = {"nature": said.nature, "data": said.data, "cause": said.cause}
    return {name: word.value for name, word in words.items() if word is not None}


def _as_json(answer: _Answer) -> dict[str, Any]:
    return {
        "schema": "leadglass.owner/1",
        "address": answer.address,
        "says": answer.told.says,
        "country": answer.told.country,
        "candidates": [
            {
                "name": one.name,
                "agreement": round(one.agreement, 3),
                "provider": one.is_provider,
                "kinds": sorted(one.kinds),
                "clues": [
                    {"source": clue.source, "name": clue.name, "country": clue.country, "of": clue.when}
                    for clue in one.clues
                ],
            }
            for one in answer.told.candidates
        ],
        "nature": {
            str(port): {kind.value: round(share, 4) for kind, share in nature.shares.items()}
            for port, nature in answer.natures.items()
        },
        "stated": [
            {
                "number": one.number,
                "target": one.target,
                **_stated(one),
                "by": one.by,
                "reference": one.reference,
            }
            for one in answer.kept.statements
        ],
        "announced": [
            {"port": one.port, "service": one.service, "domain": one.domain} for one in answer.kept.announced
        ],
        "contacts": [{"way": one.way, "address": one.address, "of": one.of} for one in answer.contacts],
        "not_known": list(answer.trouble),
    }
