"""Servers and endpoints, one server with its history, the first screen."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from fastapi import Path, Query, Request, Response
from pydantic import AwareDatetime, Field

from leadglass.model.account import Permission
from leadglass.model.record import ScanRecord
from leadglass.model.verdict import Access, Kind, Severity
from leadglass.store.history import server
from leadglass.store.overview import overview
from leadglass.store.server_rows import Sort, Wanted
from leadglass.store.servers import LARGEST_PAGE, endpoints_page, servers_page
from leadglass.web.api.addresses import canonical
from leadglass.web.api.answering import (
    ONCE,
    PROBLEMS,
    Address,
    Asked,
    Item,
    ItemPage,
    Line,
    Ulid,
    found,
    one,
    page,
)
from leadglass.web.api.scans import ScanItem
from leadglass.web.doors import Doors
from leadglass.web.visit import Visiting

__all__ = ["doors"]

doors = Doors("/api/v1", tags=["servers"], responses=PROBLEMS, dependencies=ONCE)

_ADDRESS = Path(description="IPv4 or IPv6, in its canonical form.", examples=["192.0.2.10"])


class Which(Asked):
    """Which rows, and in which order."""

    severity: Severity | None = Field(None, description="As bad as this, or worse.", examples=["medium"])
    access: list[Access] = Field([], max_length=12, description="One of these words.")
    nature: Kind | None = Field(None, description="The likeliest kind.")
    product: Line | None = Field(None, description="Exactly.", examples=["Orthanc"])
    port: int | None = Field(None, ge=1, le=65535, examples=[11112])
    scan: Ulid | None = Field(None, description="Of which this scan has a record.")
    scope: Line | None = Field(None, description="Of which the latest scan of this scope has a record.")
    network: Line | None = Field(
        None, description="An address, a network (CIDR), or 192.0.2.", examples=["192.0.2.0/24"]
    )
    place: Line | None = Field(None, description="As seen from this place.")
    changed_since: AwareDatetime | None = Field(None, description="New or otherwise since then.")
    text: Line = Field("", description="Part of the name of a product or a server, or a network.")
    sort: Sort = Sort.SEVERITY
    reverse: bool = False
    cursor: Annotated[str, Field(max_length=300)] | None = Field(
        None, description="From the page next to this one."
    )
    limit: int = Field(50, ge=1, le=LARGEST_PAGE)

    def wanted(self) -> Wanted:
        """As the store asks."""
        since = self.changed_since
        return Wanted(
            at_least=self.severity,
            access=frozenset(self.access),
            nature=self.nature,
            product=self.product,
            port=self.port,
            scan=self.scan,
            scope=self.scope,
            network=self.network,
            place=self.place,
            changed_since=None if since is None else int(since.timestamp()),
            text=self.text,
        )

    def order(self) -> dict[str, Any]:
        """Sort, direction and page."""
        return {"sort": self.sort, "reverse": self.reverse, "cursor": self.cursor, "limit": self.limit}


class EndpointItem(Item):
    """Where something answers."""

    address: str
    port: int
    name: str | None


class ServerItem(Item):
    """One address, by its worst endpoint."""

    address: str = Field(examples=["192.0.2.10"])
    name: str | None
    severity: Severity
    access: Access
    port: int = Field(description="Of the worst endpoint.")
    product: str | None
    nature: Kind = Field(description="The likeliest kind.")
    open_ports: int
    since: dt.datetime = Field(description="Since when it is as bad as now, as far as anybody looked.")
    first_seen: dt.datetime
    last_seen: dt.datetime
    changed_at: dt.datetime | None


class EndpointRowItem(Item):
    """One port, as seen from one place."""

    endpoint: EndpointItem
    place: str = Field(description="Empty: the machine that Leadglass runs on.")
    severity: Severity
    access: Access
    product: str | None
    nature: Kind
    since: dt.datetime
    first_seen: dt.datetime
    last_seen: dt.datetime
    changed_at: dt.datetime | None


class SeenItem(Item):
    """How it was at one look."""

    access: Access
    severity: Severity
    product: str | None
    version: str | None


class TurnItem(Item):
    """One moment at which something was not as it was."""

    at: dt.datetime
    scan: str
    endpoint: EndpointItem
    place: str
    before: SeenItem | None = Field(description="Null: nobody had looked before.")
    after: SeenItem
    not_before: dt.datetime | None = Field(description="The last look that saw it as before.")


class EndpointNowItem(Item):
    """One endpoint, with the record of its latest look."""

    row: EndpointRowItem
    record: ScanRecord


class WholeServer(Item):
    """All that is known of one address."""

    row: ServerItem
    endpoints: list[EndpointNowItem]
    timeline: list[TurnItem] = Field(description="The latest first.")
    looks: int


class History(Item):
    """How a server came to be as it is."""

    timeline: list[TurnItem]
    looks: int


class TodoItem(Item):
    """What to do next, and for which server."""

    server: ServerItem
    advice: str


class OverviewItem(Item):
    """Are we exposed, since when, what do we do first."""

    is_exposed: bool | None = Field(description="Null: no scan has ended yet.")
    as_of: dt.datetime | None
    servers: int
    severity: dict[Severity, int]
    access: dict[Access, int]
    exposed: int
    since: dt.datetime | None
    worst: list[ServerItem]
    todo: list[TodoItem]
    last: ScanItem | None
    unfinished: list[ScanItem]


@doors.get("/overview", Permission.READ, response_model=OverviewItem)
def read_overview(request: Request, visit: Visiting) -> Response:
    """Whether anything is exposed, since when, and what to do first."""
    return one(request, OverviewItem, overview(visit.site.database))


@doors.get("/servers", Permission.READ, response_model=ItemPage[ServerItem])
def read_servers(request: Request, visit: Visiting, which: Annotated[Which, Query()]) -> Response:
    """Servers, the worst first; it is enough that one endpoint is all that is asked for."""
    return page(
        request, ItemPage[ServerItem], servers_page(visit.site.database, which.wanted(), **which.order())
    )


@doors.get("/servers/{address}", Permission.READ, response_model=WholeServer)
def read_server(request: Request, visit: Visiting, address: Annotated[Address, _ADDRESS]) -> Response:
    """One server: each endpoint with its record, and the history."""
    return one(request, WholeServer, found(server(visit.site.database, canonical(address)), "server"))


@doors.get("/servers/{address}/history", Permission.READ, response_model=History)
def read_history(request: Request, visit: Visiting, address: Annotated[Address, _ADDRESS]) -> Response:
    """How it came to be as it is."""
    return one(request, History, found(server(visit.site.database, canonical(address)), "server"))


@doors.get("/endpoints", Permission.READ, response_model=ItemPage[EndpointRowItem])
def read_endpoints(request: Request, visit: Visiting, which: Annotated[Which, Query()]) -> Response:
    """Endpoints, each as seen from each place."""
    rows = endpoints_page(visit.site.database, which.wanted(), **which.order())
    return page(request, ItemPage[EndpointRowItem], rows)
