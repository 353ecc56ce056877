"""What the dashboard and the API are told of servers: pages, one server, the first screen, the trend.

Values only. ``store.servers`` fills pages, ``store.history`` one server, ``store.overview`` the rest. Times are
POSIX seconds. A server is an address where something answers, or once did: what never answered is in the records
of its scans only.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from leadglass.model.endpoint import Endpoint
from leadglass.model.record import ScanRecord
from leadglass.model.verdict import Access, Kind, Severity
from leadglass.store.diff import Seen
from leadglass.store.reading import Tally
from leadglass.store.scans import State

__all__ = [
    "EXACTLY_UP_TO",
    "EXPOSED",
    "Count",
    "EndpointNow",
    "EndpointRow",
    "Overview",
    "Page",
    "ScanRow",
    "Server",
    "ServerRow",
    "Sort",
    "Todo",
    "Turn",
    "Wanted",
]

EXPOSED = Severity.MEDIUM
"""From here on somebody should act: the same line that ``check --fail-on`` draws unless told otherwise."""

EXACTLY_UP_TO = 1000
"""Rows that match are counted up to here; beyond it stands "more than 1,000"."""

_T = TypeVar("_T")


class Sort(enum.StrEnum):
    """What comes first."""

    SEVERITY = "severity"
    """The worst, then by what a stranger can do, then by address."""
    LAST_SEEN = "last-seen"
    """What was looked at last."""
    FIRST_SEEN = "first-seen"
    """What is newest."""
    ADDRESS = "address"
    """IPv4 before IPv6."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which servers, or which endpoints; of a server it is enough that one endpoint is all that is asked for."""

    at_least: Severity | None = None
    """As bad as this, or worse."""
    access: frozenset[Access] = frozenset()
    """None: any."""
    nature: Kind | None = None
    """The likeliest kind."""
    product: str | None = None
    """Exactly."""
    port: int | None = None
    scan: str | None = None
    """The ULID of a scan that has a record of it."""
    scope: str | None = None
    """The name of a scope whose latest scan has a record of it."""
    network: str | None = None
    """An address, a network (CIDR), or how an IPv4 address begins: ``192.0.2.``."""
    place: str | None = None
    """The name of a place that it was seen from; "" for the machine that Leadglass runs on."""
    changed_since: int | None = None
    """It answered otherwise at some look since then, or was first seen since then."""
    text: str = ""
    """Part of a product's or a server's name, in any case; or what ``network`` takes."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are."""

    number: int
    is_exact: bool
    """False: there are more than ``number``."""


@dataclass(frozen=True, slots=True)
class Page(Generic[_T]):
    """Some rows in order, and what to ask for before and after them."""

    rows: tuple[_T, ...]
    count: Count
    """Of all pages together."""
    next: str | None
    """The cursor of the page after this one; None: this is the last."""
    previous: str | None
    """The cursor of the page before it; None: this is the first."""


@dataclass(frozen=True, slots=True)
class ServerRow:
    """One address, by its worst endpoint."""

    address: str
    name: str | None
    """The name of the scope that it was resolved from."""
    severity: Severity
    access: Access
    port: int
    """Of the worst endpoint."""
    product: str | None
    """As that endpoint shows it: text of a peer."""
    nature: Kind
    """The likeliest kind, there."""
    open_ports: int
    """How many answer."""
    since: int
    """Since when it is as bad as now or worse, as far as anybody looked."""
    first_seen: int
    last_seen: int
    changed_at: int | None
    """When it was last seen to answer otherwise than before."""

    @property
    def is_exposed(self) -> bool:
        """Whether somebody should act."""
        return self.severity.rank <= EXPOSED.rank


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """One address and port as seen from one place. Fields as in ``ServerRow``."""

    endpoint: Endpoint
    place: str
    """Its name; "" for the machine that Leadglass runs on."""
    severity: Severity
    access: Access
    product: str | None
    nature: Kind
    since: int
    first_seen: int
    last_seen: int
    changed_at: int | None

    @property
    def is_exposed(self) -> bool:
        """Whether somebody should act."""
        return self.severity.rank <= EXPOSED.rank


@dataclass(frozen=True, slots=True)
class EndpointNow:
    """One endpoint, with all that its last look showed."""

    row: EndpointRow
    record: ScanRecord
    """Verdict, reasons, evidence, advice; of the latest scan that has it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One moment at which an endpoint was not as it was."""

    at: int
    scan: str
    """The ULID of the scan that saw it."""
    endpoint: Endpoint
    place: str
    before: Seen | None
    """None: nobody had looked before."""
    after: Seen
    not_before: int | None
    """The last look that saw it as before: it happened between then and ``at``. None: that look is forgotten."""


@dataclass(frozen=True, slots=True)
class Server:
    """All that is known of one address."""

    row: ServerRow
    endpoints: tuple[EndpointNow, ...]
    """The worst first."""
    timeline: tuple[Turn, ...]
    """The latest first; the first look at each endpoint is a turn too."""
    looks: int
    """How many times anybody looked at any of its endpoints, as far as it is kept."""


@dataclass(frozen=True, slots=True)
class ScanRow:
    """One scan in a list."""

    ulid: str
    kind: str
    """``scan`` or ``import``."""
    state: State
    began: int
    ended: int | None
    scope: str
    places: tuple[str, ...]
    """From where it was seen, by name; "" for the machine that Leadglass runs on."""
    shards: int
    shards_done: int
    endpoints: int
    """How many may be asked."""
    progress: float
    """How much of it is done, from 0 to 1."""
    tally: Tally | None
    """Endpoints by severity and access; None while it goes on, or until it was counted."""


@dataclass(frozen=True, slots=True)
class Todo:
    """What to do next: an advice, and the server that it helps most."""

    server: ServerRow
    advice: str


@dataclass(frozen=True, slots=True)
class Overview:
    """The first screen: are we exposed, since when, what do I do first."""

    as_of: int | None
    """When servers were last counted; None: never yet."""
    servers: int
    severity: Mapping[Severity, int]
    """Servers by their severity, worst first; only what occurs."""
    access: Mapping[Access, int]
    exposed: int
    since: int | None
    """Since when the longest exposed of them is; None: none is."""
    worst: tuple[ServerRow, ...]
    todo: tuple[Todo, ...]
    last: ScanRow | None
    """The scan that ended last."""
    unfinished: tuple[ScanRow, ...]

    @property
    def is_exposed(self) -> bool | None:
        """None: nobody has finished a look, so nobody knows."""
        if self.exposed:
            return True
        return False if self.last is not None else None
