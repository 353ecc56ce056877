"""What the commands around stored scans share: where they are kept, and how one is reported."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from leadglass.cli.output import destination
from leadglass.cli.terminal import shows_colour, width
from leadglass.model.record_parts import Tlp
from leadglass.report.contract import Meta, Summary, Tally
from leadglass.report.writer import Format, writer
from leadglass.store.database import Database
from leadglass.store.reading import records, scope_of
from leadglass.store.scans import StoredScan

__all__ = ["DatabaseOption", "meta_of_stored", "report"]

DatabaseOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="PLACE",
        help="Where scans are kept: a file or a postgresql:// URL; your data directory if not given.",
    ),
]


def report(
    store: Database, stored: StoredScan, form: Format, output: Path | None, tlp: Tlp = Tlp.AMBER
) -> Summary:
    """Write the report of a stored scan; what it counted."""
    tally = Tally()
    with destination(output) as stream:
        out = writer(form, stream, width=width(), colour=output is None and shows_colour())
        out.begin(meta_of_stored(stored, tlp))
        for record in records(store, stored, tlp):
            out.add(record)
            tally.add(record)
        ended = None if stored.ended is None else datetime.fromtimestamp(stored.ended, UTC)
        summary = tally.summary(finished=stored.state == "complete", ended=ended)
        out.end(summary)
    return summary


def meta_of_stored(stored: StoredScan, tlp: Tlp) -> Meta:
    """What the head of its report says."""
    plan = stored.plan
    return Meta(
        scan=plan.ulid,
        started=datetime.fromtimestamp(plan.began, UTC),
        tool_version=plan.tool_version,
        command=plan.command,
        position=plan.position,
        scope=scope_of(plan),
        tlp=tlp,
    )
