"""Scans as they are shown: those that run, those that are due, and those that are done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from leadglass.model.order import Order, Why
from leadglass.model.verdict import Position, Severity
from leadglass.ports.dashboard import NextRun
from leadglass.report.words import RUNG, SEVERITY, VANTAGE, count
from leadglass.store.diff import Change
from leadglass.store.reading import Tally
from leadglass.store.scans import StoredScan
from leadglass.store.server_rows import ScanRow
from leadglass.store.work import Progress
from leadglass.web.pages.changes_view import ChangeLine, change_lines
from leadglass.web.pages.lines import Running, going_on, ordered, percent, running, scan_path
from leadglass.web.pages.telling import (
    Moment,
    Option,
    ago,
    lasting,
    moment,
    options,
    shortened,
    with_query,
)

__all__ = [
    "MOST_CHANGES",
    "OrderLine",
    "ScanLine",
    "ScanView",
    "ScansView",
    "ScheduleLine",
    "Seen",
    "Told",
    "one",
    "said_of",
    "view",
]

MOST_CHANGES = 100
"""Changes that the page of a scan shows."""

_NAME = 80
_WHY = {Why.SCHEDULE: "by schedule", Why.RETEST: "to test a fix", Why.PERSON: "asked for"}


@dataclass(frozen=True, slots=True)
class ScanLine:
    """One scan in a list."""

    scope: str
    href: str
    began: Moment
    state: str
    says: str
    worst: Severity


@dataclass(frozen=True, slots=True)
class ScheduleLine:
    """One schedule, and when it comes next."""

    name: str
    scope: str
    when: str
    next: str
    last: str


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A scan that somebody wants."""

    scope: str
    why: str
    state: str
    due: Moment
    trouble: str
    href: str


@dataclass(frozen=True, slots=True)
class ScansView:
    """The page."""

    running: tuple[Running, ...]
    lines: tuple[ScanLine, ...]
    older: str
    schedules: tuple[ScheduleLine, ...]
    orders: tuple[OrderLine, ...]
    scopes: tuple[Option, ...]
    is_watched: bool


@dataclass(frozen=True, slots=True)
class Told:
    """What the store and the watch told."""

    unfinished: Sequence[ScanRow]
    rows: Sequence[ScanRow]
    next: str | None
    schedules: Sequence[NextRun]
    orders: Sequence[Order]
    scopes: Mapping[str, str]
    is_watched: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of one scan so far."""

    progress: Progress
    tally: Tally | None
    """None: not counted yet."""
    changes: Sequence[Change]
    """One more than ``MOST_CHANGES`` if there are more."""


@dataclass(frozen=True, slots=True)
class ScanView:
    """One scan."""

    ulid: str
    scope: str
    is_running: bool
    says: str
    began: Moment
    ended: Moment | None
    facts: tuple[tuple[str, str], ...]
    tiles: tuple[tuple[Severity, int, str, str], ...]
    """Severity, number of endpoints, what to do, the servers."""
    changes: tuple[ChangeLine, ...]
    more: bool
    """There are more changes."""
    percent: int
    events: str
    servers: str
    """The servers that it has a record of."""


def view(told: Told, now: int) -> ScansView:
    """The list, as it is ``now``."""
    return ScansView(
        running=tuple(_running(told, now)),
        lines=tuple(_line(row, now) for row in told.rows),
        older=with_query("/scans", {"cursor": told.next}) if told.next else "",
        schedules=tuple(_schedule(run, now) for run in told.schedules),
        orders=tuple(_order(order, now) for order in told.orders),
        scopes=options(told.scopes, next(iter(told.scopes), "")),
        is_watched=told.is_watched,
    )


def one(scan: StoredScan, seen: Seen, now: int) -> ScanView:
    """The page of a scan."""
    path = scan_path(scan.plan.ulid)
    return ScanView(
        ulid=scan.plan.ulid,
        scope=shortened(scan.plan.scope_name or "Without a scope", _NAME),
        is_running=scan.state in {"open", "filling"},
        says=said_of(seen.progress),
        began=moment(scan.plan.began, now),
        ended=None if scan.ended is None else moment(scan.ended, now),
        facts=tuple(_facts(scan, seen.progress)),
        tiles=() if seen.tally is None else tuple(_tiles(seen.tally, scan.plan.ulid)),
        changes=change_lines(seen.changes[:MOST_CHANGES]),
        more=len(seen.changes) > MOST_CHANGES,
        percent=percent(seen.progress.share),
        events=f"{path}/progress",
        servers=with_query("/servers", {"scan": scan.plan.ulid}),
    )


def _running(told: Told, now: int) -> Iterable[Running]:
    """Orders first: what is told of one goes on from its waiting to its end."""
    orders = going_on(told.orders, now)
    yield from map(ordered, orders)
    known = {order.scan for order in orders}
    yield from (running(row) for row in told.unfinished if row.ulid not in known)


def said_of(progress: Progress) -> str:
    """How far it is, in one line."""
    done = f"{progress.asked:,} of {count(progress.endpoints, 'endpoint')} asked"
    speed = f", {progress.seen_lately:.1f} a second" if progress.seen_lately >= _SLOW else ""
    left = progress.endpoints - progress.asked
    ends = f", about {lasting(int(left / progress.seen_lately))} left" if speed and left else ""
    return f"{done}{speed}{ends}"


_SLOW = 0.05
"""Endpoints a second below which a speed says nothing."""


def _line(row: ScanRow, now: int) -> ScanLine:
    tally = row.tally
    return ScanLine(
        scope=shortened(row.scope or "without a scope", _NAME),
        href=scan_path(row.ulid),
        began=moment(row.began, now),
        state=_state(row),
        says=_counted(tally) if tally else f"{percent(row.progress)} % done",
        worst=next(iter(tally.severity), Severity.NONE) if tally else Severity.NONE,
    )


def _state(row: ScanRow) -> str:
    word = "done" if row.state == "complete" else "not finished"
    return f"{word}, imported" if row.kind == "import" else word


def _counted(tally: Tally) -> str:
    urgent = [
        f"{number:,} {severity}"
        for severity, number in tally.severity.items()
        if severity is not Severity.NONE
    ]
    return f"{count(tally.endpoints, 'endpoint')}: {', '.join(urgent) or 'nothing exposed'}"


def _schedule(run: NextRun, now: int) -> ScheduleLine:
    following = ago(run.next_at, now) if run.next_at is not None else "never"
    last = f"{run.last.state} {ago(run.last.due_at, now)}" if run.last else "not yet"
    return ScheduleLine(run.schedule, run.scope, run.when, following, last)


def _order(order: Order, now: int) -> OrderLine:
    by = f" by {order.asked_by}" if order.asked_by else ""
    return OrderLine(
        scope=shortened(order.scope_file.rpartition("/")[2], _NAME),
        why=f"{_WHY[order.why]}{by}",
        state=order.state,
        due=moment(order.due_at, now),
        trouble=order.trouble,
        href=scan_path(order.scan) if order.scan else "",
    )


def _facts(scan: StoredScan, progress: Progress) -> Iterable[tuple[str, str]]:
    plan = scan.plan
    yield "Depth", f"{plan.deepest.word}: {RUNG[plan.deepest.word]}"
    yield "Seen from", _from(plan.position, progress)
    yield "Targets", f"{count(progress.hosts, 'host')}, at most {count(plan.endpoints, 'endpoint')}"
    yield "Pace", f"{plan.rate:g} new connections a second at most"
    yield "Command", plan.command
    yield "Scan", plan.ulid


def _from(position: Position, progress: Progress) -> str:
    places = ", ".join(place.name for place in progress.places if place.name)
    return f"{places}. {VANTAGE[position]}" if places else VANTAGE[position]


def _tiles(tally: Tally, ulid: str) -> Iterable[tuple[Severity, int, str, str]]:
    for severity in Severity:
        at_least = severity if severity is not Severity.NONE else ""
        href = with_query("/servers", {"scan": ulid, "at_least": at_least})
        yield severity, tally.severity.get(severity, 0), SEVERITY[severity].act, href
