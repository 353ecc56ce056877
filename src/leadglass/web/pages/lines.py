"""What several pages show alike: a server, an alert, a scan, each as one line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from leadglass.model.alert import Alert, AlertKind, AlertState
from leadglass.model.order import Order, OrderState
from leadglass.model.verdict import Access, Severity
from leadglass.report.words import ACCESS, count
from leadglass.store.server_rows import ScanRow, ServerRow
from leadglass.web.pages.telling import Link, Moment, address_of, moment, server_path, shortened

__all__ = [
    "ALERTS",
    "OPEN",
    "AlertLine",
    "Running",
    "ServerLine",
    "alert_lines",
    "do_first",
    "going_on",
    "ordered",
    "percent",
    "running",
    "scan_path",
    "server_line",
    "stranger_can",
    "worst_first",
]

OPEN = (Access.ANSWERS_QUERY, Access.OFFERS_QUERY, Access.OFFERS_STORAGE, Access.ASSOCIATES)
"""What lets a stranger in, worst first."""

_NAME = 80
"""Characters of a peer's text in a line."""

ALERTS = {
    AlertKind.NEW_SERVER: "New server",
    AlertKind.NEWLY_OPEN: "Newly open",
    AlertKind.CONTROL_LOST: "Control lost",
    AlertKind.CERTIFICATE: "Certificate expires",
    AlertKind.UNDECLARED: "Not in the register",
    AlertKind.FIXED: "Fixed",
    AlertKind.ENDED: "Acceptance ended",
    AlertKind.REVIEW: "Review overdue",
    AlertKind.NOT_SCANNED: "Not scanned",
}
"""What each kind of alert is called."""


@dataclass(frozen=True, slots=True)
class ServerLine:
    """One server in a list."""

    address: str
    href: str
    severity: Severity
    says: str
    """What a stranger can do there, and where."""
    since: Moment
    first_seen: Moment
    last_seen: Moment
    known_as: str = ""
    software: str = ""


@dataclass(frozen=True, slots=True)
class AlertLine:
    """One alert in a list."""

    id: str
    severity: Severity
    kind: str
    summary: str
    first: Moment
    last: Moment
    times: int
    scope: str
    state: AlertState
    server: Link | None
    was_between: str
    """When it happened, as far as it is known; "" if nobody had looked before."""
    ended: str
    """What was done about it, and by whom; "" while it is open."""


@dataclass(frozen=True, slots=True)
class Running:
    """A scan that is not finished, or not begun."""

    scope: str
    href: str
    """Its page; "" before it has begun."""
    events: str
    """Where its progress is told, one server-sent event at a time."""
    percent: int
    says: str


def server_line(row: ServerRow, now: int) -> ServerLine:
    """The line of one server."""
    return ServerLine(
        address=row.address,
        href=server_path(row.address),
        severity=row.severity,
        says=f"A stranger {stranger_can(row.access)} (port {row.port}{_others(row.open_ports)}).",
        since=moment(row.since, now),
        first_seen=moment(row.first_seen, now),
        last_seen=moment(row.last_seen, now),
        known_as=shortened(row.name or "", _NAME),
        software=shortened(row.product or "", _NAME),
    )


def do_first(row: ServerRow, advice: str) -> str:
    """What helps today, whatever the product; where nothing stands open, what the judge advises."""
    if row.access in OPEN:
        return f"Let nobody but known devices reach {row.address}, port {row.port}: a firewall rule does it today."
    return advice


def stranger_can(access: Access) -> str:
    """What follows "a stranger"."""
    return ACCESS[access].brief


def alert_lines(alerts: Iterable[Alert], now: int) -> tuple[AlertLine, ...]:
    """The lines of ``alerts``."""
    return tuple(_alert(alert, now) for alert in alerts)


def running(scan: ScanRow) -> Running:
    """The line of a scan that goes on."""
    path = scan_path(scan.ulid)
    done = percent(scan.progress)
    return Running(shortened(scan.scope or scan.ulid, _NAME), path, f"{path}/progress", done, f"{done} %")


def going_on(orders: Iterable[Order], now: int) -> Sequence[Order]:
    """Those of ``orders`` that are due and not over."""
    live = (OrderState.WAITING, OrderState.RUNNING)
    return [order for order in orders if order.state in live and order.due_at <= now]


def ordered(order: Order) -> Running:
    """The line of an order that goes on."""
    return Running(
        scope=shortened(order.schedule or order.scope_file.rpartition("/")[2], _NAME),
        href=scan_path(order.scan) if order.scan else "",
        events=f"/orders/{order.id}/progress",
        percent=0,
        says=order.state,
    )


def scan_path(ulid: str) -> str:
    """The page of a scan."""
    return f"/scans/{ulid}"


def percent(share: float) -> int:
    """Whole percent; never 100 before the end."""
    return int(share * 100)


def _others(open_ports: int) -> str:
    return f", and {count(open_ports - 1, 'other port')} open" if open_ports > 1 else ""


def _alert(alert: Alert, now: int) -> AlertLine:
    return AlertLine(
        id=alert.id,
        severity=alert.severity,
        kind=ALERTS[alert.kind],
        summary=alert.summary,
        first=moment(alert.first_at, now),
        last=moment(alert.last_at, now),
        times=alert.times,
        scope=alert.scope,
        state=alert.state,
        server=Link(address_of(alert.endpoint), server_path(alert.endpoint.address))
        if alert.endpoint
        else None,
        was_between=_between(alert, now),
        ended=_done_about(alert),
    )


def _between(alert: Alert, now: int) -> str:
    if alert.not_before is None:
        return ""
    return f"It happened between {moment(alert.not_before, now).full} and {moment(alert.first_at, now).full}."


def _done_about(alert: Alert) -> str:
    if alert.state is AlertState.OPEN or alert.kind is AlertKind.FIXED:
        return ""
    if alert.state is AlertState.SILENT:
        return "Silent: somebody has taken the risk upon himself."
    return f"{alert.state.capitalize()} by {alert.changed_by or 'the watch'}."


def worst_first(alerts: Iterable[Alert]) -> Sequence[Alert]:
    """The worst alert first, the latest of those alike before the others."""
    return sorted(alerts, key=lambda alert: (alert.severity.rank, -alert.last_at))
