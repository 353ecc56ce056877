"""``leadglass owner``: who runs an endpoint, how sure that is, and whom to write to. Asks only who was named."""

from __future__ import annotations

import enum
import ipaddress
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from rich.text import Text

from leadglass.cli import load
from leadglass.cli.prose import print_lines, wrapped
from leadglass.cli.reading import read_text
from leadglass.cli.terminal import write
from leadglass.errors import UsageError
from leadglass.model.record import ScanRecord, read_record
from leadglass.model.verdict import Nature
from leadglass.owner.attribute import Attribution, Candidate, attribute
from leadglass.owner.clues import Clue
from leadglass.owner.contacts import Contact
from leadglass.owner.gather import gather, whom
from leadglass.owner.natures import natures
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


class _Answer(NamedTuple):
    address: str
    told: Attribution
    contacts: Sequence[Contact]
    trouble: Sequence[str]
    natures: Mapping[int, Nature]


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
        seen = _read(records)
        found = list(gather(address, open_, [name for record in seen for name in _names(record, address)]))
    clues = [one for one in found if isinstance(one, Clue)]
    told = attribute(clues)
    contacts = whom([one for one in found if isinstance(one, Contact)], told.country)
    answer = _Answer(
        address, told, contacts, [one for one in found if isinstance(one, str)], natures(seen, address, clues)
    )
    if shape is Shape.JSON:
        write(json.dumps(_as_json(answer), indent=2) + "\n")
    else:
        print_lines(_lines(answer))
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


def _read(records: Path | None) -> Sequence[ScanRecord]:
    if records is None:
        return ()
    return [read_record(line) for line in read_text(records).splitlines() if line.strip()]


def _names(record: ScanRecord, address: str) -> Iterator[str]:
    if record.endpoint.address != address or record.transport.tls is None:
        return
    certificate = record.transport.tls.certificate
    if certificate is not None:
        yield from certificate.sans
        yield from (part.partition("=")[2] for part in certificate.subject.split(",") if part[:3] == "CN=")


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
        "contacts": [{"way": one.way, "address": one.address, "of": one.of} for one in answer.contacts],
        "not_known": list(answer.trouble),
    }
