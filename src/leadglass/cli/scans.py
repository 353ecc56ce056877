"""``leadglass scan list``, ``show``, ``diff`` and ``status``: what is kept of scans.

They read the database and send nothing to anybody else.
"""

from __future__ import annotations

import dataclasses
import enum
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from leadglass import wiring
from leadglass.cli import stored_text as words
from leadglass.cli.ending import EXPOSED
from leadglass.cli.storing import DatabaseOption, Export, kept, report
from leadglass.cli.terminal import complain, write
from leadglass.model.record import Tlp
from leadglass.model.verdict import Severity
from leadglass.store import diff as differing
from leadglass.store import reading
from leadglass.store.diff import Change
from leadglass.store.scans import StoredScan, find
from leadglass.store.work import progress

__all__ = ["Shape", "diff", "list_", "show", "status"]

_Tlp = Annotated[Tlp, typer.Option(help="How far it may be passed on (FIRST TLP 2.0).")]
_NAMED = "A scan: its identifier, four or more characters of its beginning or end, or last."


class Shape(enum.StrEnum):
    """How ``list``, ``diff`` and ``status`` report."""

    TEXT = "text"
    JSONL = "jsonl"


_Shape = Annotated[Shape, typer.Option("--format", help="How to report.")]


# ---- list


def list_(shape: _Shape = Shape.TEXT, database: DatabaseOption = None) -> None:
    """The scans that are kept, latest first, and what was seen.

    Example: leadglass scan list
    """
    with kept(database) as store:
        found = 0
        for scan, tally in reading.listing(store):
            found += 1
            if shape is Shape.JSONL:
                _write_json(words.listed_json(scan, tally))
            else:
                words.show(words.listed(scan, tally))
        if not found:
            complain(f"{store.where}: no scan is kept here yet")


# ---- show


def show(
    scan: Annotated[str, typer.Argument(metavar="SCAN", help=_NAMED, show_default=False)],
    form: Annotated[Export, typer.Option("--format", help="How to report.")] = Export.TEXT,
    output: Annotated[Path | None, typer.Option(help="Write the report to this file.")] = None,
    tlp: _Tlp = Tlp.AMBER,
    database: DatabaseOption = None,
) -> None:
    """A scan that is kept, as any report: also as Parquet, for analysts.

    Example: leadglass scan show last --format html --output report.html
    """
    with kept(database) as store:
        report(store, find(store, scan), form, output, tlp)


# ---- diff


def diff(
    first: Annotated[
        str,
        typer.Argument(
            metavar="BEFORE",
            help="The earlier scan; or the only one, compared with what was seen before it.",
            show_default=False,
        ),
    ],
    second: Annotated[
        str | None, typer.Argument(metavar="SCAN", help="The later scan.", show_default=False)
    ] = None,
    shape: _Shape = Shape.TEXT,
    fail_on: Annotated[
        Severity, typer.Option(help="Exit 1 if something became as severe as that, or more.")
    ] = Severity.MEDIUM,
    tlp: _Tlp = Tlp.AMBER,
    database: DatabaseOption = None,
) -> None:
    """What changed: since each endpoint was last seen from the same place, or between two scans.

    Example: leadglass scan diff last
    """
    with kept(database) as store:
        scans = [find(store, name) for name in (first, second) if name is not None]
        for scan in scans:
            if scan.state != "complete":
                complain(f"{scan.plan.ulid} is not finished: what it has not looked at is missing here")
        changes = (
            differing.changes(store, scans[0]) if len(scans) == 1 else differing.difference(store, *scans)
        )
        if shape is Shape.JSONL:
            exposed = _tell_json(changes, scans, tlp, fail_on)
        else:
            places = {place.name for scan in scans for place in progress(store, scan).places}
            exposed = _tell_text(changes, scans, tlp, words.Counts(fail_on), tells_place=len(places) > 1)
    if exposed:
        raise typer.Exit(EXPOSED)


def _tell_json(changes: Iterable[Change], scans: list[StoredScan], tlp: Tlp, fail_on: Severity) -> bool:
    """One line a change; whether something became exposed."""
    exposed = False
    ulids = [scan.plan.ulid for scan in scans]
    for change in changes:
        _write_json(words.change_json(change, ulids, tlp))
        exposed = exposed or change.became(fail_on)
    return exposed


def _tell_text(
    changes: Iterable[Change], scans: list[StoredScan], tlp: Tlp, counts: words.Counts, *, tells_place: bool
) -> bool:
    words.show(words.difference_head(scans, tlp))
    for change in changes:
        counts.add(change)
        words.show(words.change(change, tells_place=tells_place))
    words.show(words.difference_foot(counts, tlp))
    return counts.exposed > 0


# ---- status


def status(
    scan: Annotated[str, typer.Argument(metavar="SCAN", help=_NAMED)] = "last",
    shape: _Shape = Shape.TEXT,
    database: DatabaseOption = None,
) -> None:
    """How far a scan is: shards, rate, vantage points, workers, and when it will end.

    Example: leadglass scan status
    """
    with kept(database) as store:
        found = find(store, scan)
        far = progress(store, found)
        if found.plan.kind == "import":
            far = dataclasses.replace(far, seen=reading.tally(store, found).endpoints)
    end = words.estimated_end(found, far, wiring.clock().posix())
    if shape is Shape.JSONL:
        _write_json({**words.scan_json(found), **dataclasses.asdict(far), "estimated_end": words.utc(end)})
    else:
        words.show(words.status(found, far, end, wiring.clock().posix()))


def _write_json(value: object) -> None:
    """ASCII, so that text from elsewhere stays escaped."""
    write(json.dumps(value) + "\n")
