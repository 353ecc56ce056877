"""``leadglass owner``: who runs an endpoint, how sure that is, and whom to write to. Asks only who was named."""

from __future__ import annotations

import enum
import ipaddress
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from leadglass.cli import load
from leadglass.cli.prose import print_lines, wrapped
from leadglass.cli.reading import read_text
from leadglass.cli.terminal import write
from leadglass.errors import UsageError
from leadglass.model.record import ScanRecord, read_record
from leadglass.owner.attribute import Attribution, Candidate, attribute
from leadglass.owner.clues import Clue
from leadglass.owner.contacts import Contact
from leadglass.owner.gather import gather, whom
from leadglass.wiring.storage import default_database

__all__ = ["Ask", "Shape", "owner"]


class Ask(enum.StrEnum):
    """Third parties that may be asked, by name."""

    DNS = "dns"
    RDAP = "rdap"


class Shape(enum.StrEnum):
    """How to answer."""

    TEXT = "text"
    JSON = "json"


def owner(
    target: Annotated[str, typer.Argument(metavar="ADDRESS", help="IPv4 or IPv6.", show_default=False)],
    ask: Annotated[
        list[Ask] | None,
        typer.Option(
            help="Ask a third party: dns (reverse and forward) or rdap (registries). Again for both."
        ),
    ] = None,
    records: Annotated[
        Path | None,
        typer.Option(help="Scan records (JSON Lines): the names in the certificates that were seen there."),
    ] = None,
    mmdb: Annotated[
        list[Path] | None, typer.Option(help="A database of networks or countries, as MMDB. Again for more.")
    ] = None,
    nameserver: Annotated[
        str | None, typer.Option(metavar="ADDRESS[:PORT]", help="Ask this nameserver, not the system's.")
    ] = None,
    bootstrap: Annotated[
        Path | None,
        typer.Option(help="IANA's RDAP bootstrap files as one JSON object; without it they are fetched."),
    ] = None,
    plain: Annotated[bool, typer.Option(help="Let registries be asked over HTTP without TLS.")] = False,
    shape: Annotated[Shape, typer.Option("--format", help="How to answer.")] = Shape.TEXT,
) -> None:
    """Who runs an endpoint, how sure that is, and whom to write to.

    Example: leadglass owner 192.0.2.7 --ask dns --ask rdap --records records.jsonl
    """
    address, asked = _address(target), set(ask or ())
    asking = load("leadglass.wiring.owning", extra="owner").asking
    with asking(
        dns=Ask.DNS in asked,
        nameserver=None if nameserver is None else _nameserver(nameserver),
        rdap=Ask.RDAP in asked,
        bootstrap=bootstrap,
        plain=plain,
        cache=Path(default_database()).parent / "registries.json",
        databases=mmdb or (),
    ) as open_:
        found = list(gather(address, open_, _certified(records, address)))
    clues = [one for one in found if isinstance(one, Clue)]
    told = attribute(clues)
    contacts = whom([one for one in found if isinstance(one, Contact)], told.country)
    trouble = [one for one in found if isinstance(one, str)]
    if shape is Shape.JSON:
        write(json.dumps(_as_json(address, told, contacts, trouble), indent=2) + "\n")
    else:
        print_lines(_lines(address, told, contacts, trouble))
    if not told.candidates:
        raise typer.Exit(3)


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text.strip("[]")))
    except ValueError:
        raise UsageError("not an address", where=text, then="give IPv4 or IPv6, without a port") from None


def _nameserver(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or (text.count(":") > 1 and not text.startswith("[")):
        host, port = text, "53"
    if not port.isdigit() or not 0 < int(port) < 1 << 16:
        raise UsageError("not a port", where="--nameserver")
    return _address(host), int(port)


def _certified(records: Path | None, address: str) -> Sequence[str]:
    """The names in certificates that were seen at the address."""
    if records is None:
        return ()
    lines = [line for line in read_text(records).splitlines() if line.strip()]
    return [name for line in lines for name in _names(read_record(line), address)]


def _names(record: ScanRecord, address: str) -> Iterator[str]:
    if record.endpoint.address != address or record.transport.tls is None:
        return
    certificate = record.transport.tls.certificate
    if certificate is not None:
        yield from certificate.sans
        yield from (part.partition("=")[2] for part in certificate.subject.split(",") if part[:3] == "CN=")


def _lines(
    address: str, told: Attribution, contacts: Sequence[Contact], trouble: Sequence[str]
) -> Iterator[Text]:
    yield Text(f"{address}: who runs it", style="bold")
    yield from wrapped(told.says, "  ", indent=2)
    for candidate in told.candidates:
        yield Text("")
        yield from wrapped(
            f"{candidate.name}, agreement {candidate.agreement:.0%}{_kinds(candidate)}", "  ", indent=4
        )
        for clue in candidate.clues:
            yield from wrapped(f"{clue.source}: {clue.name}{_of(clue)}", "    ", indent=6)
    if contacts:
        yield Text("")
        yield Text("  whom to write to, the way that is answered oftenest first")
        for contact in contacts:
            yield from wrapped(f"{contact.way}: {contact.address} ({contact.of})", "    ", indent=6)
    for one in trouble:
        yield from wrapped(f"not known: {one}", "  ", indent=4)


def _kinds(candidate: Candidate) -> str:
    return f" ({', '.join(sorted(candidate.kinds))})" if candidate.kinds else ""


def _of(clue: Clue) -> str:
    parts = [part for part in (clue.country, clue.when and f"of {clue.when}") if part]
    return f" ({', '.join(parts)})" if parts else ""


def _as_json(
    address: str, told: Attribution, contacts: Sequence[Contact], trouble: Sequence[str]
) -> dict[str, Any]:
    return {
        "schema": "leadglass.owner/1",
        "address": address,
        "says": told.says,
        "country": told.country,
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
            for one in told.candidates
        ],
        "contacts": [{"way": one.way, "address": one.address, "of": one.of} for one in contacts],
        "not_known": list(trouble),
    }
