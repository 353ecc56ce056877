"""What the ``notify`` commands share: which endpoints are meant, and where they were seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from leadglass.cli import fetch
from leadglass.cli.reading import read_text
from leadglass.cli.storing import kept
from leadglass.errors import UsageError
from leadglass.model.notice import Exposure, Frame, Language
from leadglass.model.record import ScanRecord, Tlp, read_record
from leadglass.scope.parse import parse_range
from leadglass.scope.rules import Range

__all__ = [
    "AddressOption",
    "FrameOption",
    "LanguageOption",
    "OwnerArgument",
    "RecordsOption",
    "ScanOption",
    "ScopeOption",
    "TlpOption",
    "VendorOption",
    "ranges_of",
    "seen",
]

OwnerArgument: TypeAlias = Annotated[
    str, typer.Argument(metavar="OWNER", help="Who runs the servers.", show_default=False)
]
ScopeOption: TypeAlias = Annotated[
    Path,
    typer.Option(
        "--scope", metavar="FILE", help="The scope of the look: it says who we are.", show_default=False
    ),
]
LanguageOption: TypeAlias = Annotated[Language, typer.Option("--language", help="What it is written in.")]
FrameOption: TypeAlias = Annotated[Frame, typer.Option("--frame", help="The law whose duties it names.")]
VendorOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--vendor",
        metavar="NAME",
        help="Write to this supplier or business associate instead.",
        show_default=False,
    ),
]

RecordsOption: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option(
        "--records", metavar="FILE", help="Scan records (JSON Lines); repeat it.", show_default=False
    ),
]
ScanOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--scan",
        metavar="SCAN",
        help="A stored scan instead: its identifier, four or more characters of its beginning or end, or last.",
        show_default=False,
    ),
]
AddressOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--address",
        metavar="RANGE",
        help="Only these: an address, a CIDR range or a host name; repeat it.",
        show_default=False,
    ),
]
TlpOption: TypeAlias = Annotated[
    Tlp, typer.Option("--tlp", help="How far it may be passed on (FIRST TLP 2.0).")
]


def seen(
    records: Sequence[Path] | None,
    scan: str | None,
    database: str | None,
    ranges: Sequence[Range],
    tlp: Tlp | None = None,
) -> Sequence[Exposure]:
    """What strangers can use, worst first; ``UsageError`` if nothing is, or nobody said where it was seen."""
    if bool(records) == (scan is not None):
        raise UsageError("say where it was seen", then="give either --records FILE or --scan SCAN")
    gather = fetch("leadglass.notice.exposures").within
    if records:
        found: Sequence[Exposure] = gather(_read(records), ranges)
    else:
        assert scan is not None
        found = _stored(scan, database, ranges, tlp)
    if not found:
        raise UsageError(
            "nothing exposed was seen there, so there is nothing to tell",
            where="--address" if ranges else "",
            then="look at the records with leadglass explain",
        )
    return found


def ranges_of(addresses: Iterable[str] | None) -> Sequence[Range]:
    """The ranges that --address names; ``UsageError`` for what is none."""
    return [_range(text) for text in addresses or ()]


def _range(text: str) -> Range:
    try:
        return parse_range(text)
    except UsageError as exc:
        raise UsageError(exc.what, where="--address", then=exc.then) from None
    except ValueError as exc:
        raise UsageError(str(exc), where="--address") from None


def _read(files: Sequence[Path]) -> Iterator[ScanRecord]:
    for path in files:
        for number, line in enumerate(read_text(path).splitlines(), 1):
            if line.strip():
                yield read_record(line, where=f"{path}, line {number}")


def _stored(scan: str, database: str | None, ranges: Sequence[Range], tlp: Tlp | None) -> Sequence[Exposure]:
    reading, scans = fetch("leadglass.store.reading"), fetch("leadglass.store.scans")
    gather = fetch("leadglass.notice.exposures").within
    with kept(database) as store:
        found: Sequence[Exposure] = gather(reading.records(store, scans.find(store, scan), tlp), ranges)
    return found
