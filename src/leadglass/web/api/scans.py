"""Scans: the list, one with its records and changes, the trend, and estimates over one."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from typing import Annotated, Literal

from fastapi import Path, Query, Request, Response
from pydantic import Field

from leadglass.model.account import Permission
from leadglass.model.verdict import Access, Severity
from leadglass.store import reading
from leadglass.store.database import Database
from leadglass.store.diff import Change, Kind, changes, difference
from leadglass.store.overview import scan_row, scans_page, trend
from leadglass.store.scans import StoredScan, find
from leadglass.store.servers import LARGEST_PAGE
from leadglass.web.api.answering import (
    LINES,
    ONCE,
    PROBLEMS,
    Asked,
    Item,
    ItemPage,
    Line,
    Ulid,
    as_lines,
    found,
    one,
    page,
)
from leadglass.web.doors import Doors
from leadglass.web.visit import Visiting

__all__ = ["ScanItem", "doors"]

doors = Doors("/api/v1", tags=["scans"], responses=PROBLEMS, dependencies=ONCE)

_SCAN = Path(description="The identifier of a scan.", examples=["01JD5Y0000000000000000000A"])
_AS_LINES = {
    200: {"description": "One JSON object a line.", "content": {LINES: {"schema": {"type": "string"}}}}
}


class TallyItem(Item):
    """Endpoints by what came of them; only what occurs."""

    endpoints: int
    access: dict[Access, int]
    severity: dict[Severity, int]


class ScanItem(Item):
    """One scan."""

    ulid: str
    kind: Literal["scan", "import"]
    state: Literal["open", "complete"]
    began: dt.datetime
    ended: dt.datetime | None
    scope: str
    places: list[str] = Field(
        description="From where it was seen; empty: the machine that Leadglass runs on."
    )
    shards: int
    shards_done: int
    endpoints: int = Field(description="How many may be asked.")
    progress: float = Field(ge=0, le=1, description="How much of it is done; less than 1 until all of it is.")
    tally: TallyItem | None = Field(description="Null while it goes on, or until it is counted.")


class Trend(Item):
    """Complete scans, the oldest first."""

    scans: list[ScanItem]


class ChangeSide(Item):
    """One side of a change."""

    access: Access
    severity: Severity
    product: str | None
    version: str | None


class ChangeEndpoint(Item):
    """Where."""

    address: str
    port: int
    name: str | None


class ChangeItem(Item):
    """One endpoint that is not as it was: a line of the answer."""

    kind: Kind
    endpoint: ChangeEndpoint
    place: str | None
    before: ChangeSide | None
    after: ChangeSide | None
    facts: list[str]
    came_from: ChangeEndpoint | None


class FigureItem(Item):
    """How many are of one kind, and how sure that is."""

    label: str
    count: int
    of: int
    share: float
    low: float
    high: float


class Estimate(Item):
    """What a scan says of the servers behind its endpoints."""

    figures: list[FigureItem]


class ScansAsked(Asked):
    """Which page."""

    cursor: Annotated[str, Field(max_length=300)] | None = None
    limit: int = Field(50, ge=1, le=LARGEST_PAGE)


class TrendAsked(Asked):
    """Of which scope; of all, if it is not said."""

    scope: Line | None = None


class ChangesAsked(Asked):
    """Since which scan; since each endpoint was last seen, if it is not said."""

    since: Ulid | None = None


@doors.get("/scans", Permission.READ, response_model=ItemPage[ScanItem])
def read_scans(request: Request, visit: Visiting, which: Annotated[ScansAsked, Query()]) -> Response:
    """All scans, the latest first."""
    return page(request, ItemPage[ScanItem], scans_page(visit.site.database, which.cursor, which.limit))


@doors.get("/trends", Permission.READ, response_model=Trend)
def read_trend(request: Request, visit: Visiting, which: Annotated[TrendAsked, Query()]) -> Response:
    """What the latest complete scans counted, the oldest first."""
    return one(request, Trend, {"scans": trend(visit.site.database, which.scope)})


@doors.get("/scans/{scan}", Permission.READ, response_model=ScanItem)
def read_scan(request: Request, visit: Visiting, scan: Annotated[Ulid, _SCAN]) -> Response:
    """One scan."""
    return one(request, ScanItem, found(scan_row(visit.site.database, scan), "scan"))


@doors.get("/scans/{scan}/records", Permission.READ, responses={**PROBLEMS, **_AS_LINES})
def read_records(visit: Visiting, scan: Annotated[Ulid, _SCAN]) -> Response:
    """Its records, in the order of endpoints: the lines that ``leadglass scan show --format jsonl`` prints."""
    return as_lines(reading.lines(visit.site.database, _stored(visit.site.database, scan)))


@doors.get("/scans/{scan}/changes", Permission.READ, responses={**PROBLEMS, **_AS_LINES})
def read_changes(
    visit: Visiting, scan: Annotated[Ulid, _SCAN], which: Annotated[ChangesAsked, Query()]
) -> Response:
    """What is not as it was."""
    return as_lines(_told(visit.site.database, _stored(visit.site.database, scan), which.since))


@doors.get("/scans/{scan}/estimate", Permission.READ, response_model=Estimate)
def read_estimate(request: Request, visit: Visiting, scan: Annotated[Ulid, _SCAN]) -> Response:
    """How many servers of each kind it saw, with bounds."""
    found(scan_row(visit.site.database, scan), "scan")
    return one(request, Estimate, {"figures": list(visit.site.desks.survey.estimate(scan))})


def _stored(database: Database, ulid: str) -> StoredScan:
    found(scan_row(database, ulid), "scan")
    return find(database, ulid)


def _told(database: Database, scan: StoredScan, since: str | None) -> Iterator[str]:
    differing: Iterator[Change] = (
        changes(database, scan) if since is None else difference(database, _stored(database, since), scan)
    )
    for change in differing:
        yield ChangeItem.model_validate(dataclasses.asdict(change)).model_dump_json()
