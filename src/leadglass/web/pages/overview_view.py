"""What the first screen says: are we exposed, since when, what do I do first; and how far a look from here goes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from leadglass.model.verdict import Position, Severity
from leadglass.ports.dashboard import ReviewDue
from leadglass.report.words import ACCESS, SEVERITY, count
from leadglass.store.server_rows import Overview, ScanRow
from leadglass.web.pages.changes_view import ChangeLine
from leadglass.web.pages.lines import (
    OPEN,
    AlertLine,
    Running,
    ServerLine,
    do_first,
    running,
    scan_path,
    server_line,
)
from leadglass.web.pages.telling import Empty, Link, ago, day, lasting, server_path, system_path, with_query

__all__ = ["Answer", "Due", "OverviewView", "Tile", "Told", "Vantage", "view"]


@dataclass(frozen=True, slots=True)
class Answer:
    """The three answers."""

    severity: Severity
    exposed: str
    lead: str
    since: str
    first: str
    href: str = ""
    act: str = ""


@dataclass(frozen=True, slots=True)
class Vantage:
    """What the place that was looked from can and cannot say."""

    seen: str
    says: str


@dataclass(frozen=True, slots=True)
class Tile:
    """How many servers are of one severity."""

    severity: Severity
    number: int
    act: str
    href: str


@dataclass(frozen=True, slots=True)
class Due:
    """A review that is due."""

    system: Link
    says: str


@dataclass(frozen=True, slots=True)
class Told:
    """What the store and the desks told."""

    overview: Overview
    changes: tuple[ChangeLine, ...]
    positions: Collection[Position]
    """From where the latest scans looked."""
    alerts: tuple[AlertLine, ...]
    reviews: Sequence[ReviewDue]
    is_watching: bool
    """Whether anything is scheduled."""
    is_first: bool
    """There is no scan before the last one."""


@dataclass(frozen=True, slots=True)
class OverviewView:
    """The whole screen."""

    answer: Answer
    vantage: Vantage
    tiles: tuple[Tile, ...]
    worst: tuple[ServerLine, ...]
    nothing: Empty
    changes: tuple[ChangeLine, ...]
    last_scan: str
    unchanged: Empty
    alerts: tuple[AlertLine, ...]
    quiet: Empty
    reviews: tuple[Due, ...]
    unreviewed: Empty
    running: tuple[Running, ...]


def view(told: Told, now: int) -> OverviewView:
    """The screen, as it is ``now``."""
    seen = told.overview
    return OverviewView(
        answer=answer(seen, now),
        vantage=vantage(told.positions),
        tiles=_tiles(seen),
        worst=tuple(server_line(row, now) for row in seen.worst),
        nothing=_nothing(seen),
        changes=told.changes,
        last_scan=scan_path(seen.last.ulid) if seen.last else "",
        unchanged=_unchanged(None if told.is_first else seen.last, now),
        alerts=told.alerts,
        quiet=_quiet(is_watching=told.is_watching),
        reviews=tuple(_dues(told.reviews)),
        unreviewed=Empty("No review is due.", "Reviews stand in the register, each with its next date."),
        running=tuple(running(scan) for scan in seen.unfinished),
    )


def answer(seen: Overview, now: int) -> Answer:
    """One sentence for each question."""
    if seen.is_exposed is None:
        return _nobody_knows(seen)
    if not seen.is_exposed:
        return _nothing_exposed(seen, now)
    todo = seen.todo[0] if seen.todo else None
    return Answer(
        severity=seen.worst[0].severity if seen.worst else Severity.HIGH,
        exposed=_yes(seen),
        lead=_lead(seen, now),
        since=_since(seen, now),
        first=do_first(todo.server, todo.advice) if todo else "Read why, worst first.",
        href=server_path(todo.server.address) if todo else "/servers",
        act="Read why, and how to close it for good",
    )


def vantage(positions: Collection[Position]) -> Vantage:
    """What a look from there says of the internet: nothing, unless somebody looked from outside."""
    if Position.OUTSIDE in positions:
        return Vantage(
            "Seen from outside too",
            "What was seen from outside is what strangers reach. A server that nobody asked for is not in it.",
        )
    seen = (
        "Seen from inside only" if Position.INSIDE in positions else "Nobody has said from where it was seen"
    )
    return Vantage(
        seen if positions else "Not seen from anywhere yet",
        "This says nothing about the internet. To know what strangers reach, look from outside: from a rented "
        'machine or over a phone\'s connection, with position = "outside" in the scope.',
    )


def _nobody_knows(seen: Overview) -> Answer:
    going_on = bool(seen.unfinished)
    return Answer(
        severity=Severity.NONE,
        exposed="Nobody knows yet." if not going_on else "The first look is under way.",
        lead="No scan has ended, so nothing can be said about your servers.",
        since="Nobody has looked.",
        first="Wait for the scan to end." if going_on else "Order a scan of a server of your own.",
        href="/scans",
        act="To the scans",
    )


def _nothing_exposed(seen: Overview, now: int) -> Answer:
    assert seen.last is not None
    return Answer(
        severity=Severity.NONE,
        exposed="No: nothing exposed was seen.",
        lead=f"{count(seen.servers, 'server')} known, none open to strangers in a way that asks for action.",
        since=f"The last look ended {ago(seen.last.ended or seen.last.began, now)}.",
        first="Nothing today. Keep looking: what is shut now can be opened by the next update.",
        href="/scans",
        act="Order the next look",
    )


def _yes(seen: Overview) -> str:
    worst = next((word for word in OPEN if seen.access.get(word)), None)
    if worst is None:
        return f"Yes: {count(seen.exposed, 'server')} of {seen.servers:,} should not stay as they are."
    number, brief = seen.access[worst], ACCESS[worst].brief
    if seen.servers == 1:
        return f"Yes: a stranger {brief}."
    return f"Yes: a stranger {brief} at {number:,} of {seen.servers:,} addresses."


def _lead(seen: Overview, now: int) -> str:
    are = "asks" if seen.exposed == 1 else "ask"
    when = f", as of {ago(seen.as_of, now)}" if seen.as_of is not None else ""
    return f"{count(seen.exposed, 'server')} {are} for action{when}."


def _since(seen: Overview, now: int) -> str:
    if seen.since is None:
        return "Since the last look."
    return f"At least since {day(seen.since)}: for {lasting(now - seen.since)}, as far as anybody looked."


def _tiles(seen: Overview) -> tuple[Tile, ...]:
    if not seen.servers:
        return ()
    return tuple(
        Tile(
            severity,
            seen.severity.get(severity, 0),
            SEVERITY[severity].act,
            with_query("/servers", {"at_least": severity if severity is not Severity.NONE else ""}),
        )
        for severity in Severity
    )


def _nothing(seen: Overview) -> Empty:
    if seen.is_exposed is None:
        return Empty(
            "No server is known yet.", "Order a scan of a server of your own.", "/scans", "To the scans"
        )
    if seen.servers:
        return Empty(
            "No server asks for action.", "All that is known stands there.", "/servers", "To the servers"
        )
    return Empty(
        "No server answered.", "Look again, or take more addresses into the scope.", "/scans", "To the scans"
    )


def _unchanged(last: ScanRow | None, now: int) -> Empty:
    if last is None:
        return Empty("Nothing to compare yet.", "Changes show from the second scan on.")
    when = ago(last.ended or last.began, now)
    return Empty("Nothing changed.", f"The last scan, {when}, saw what the one before it saw.")


def _quiet(*, is_watching: bool) -> Empty:
    if is_watching:
        return Empty("No open alert.", "Scheduled scans raise one when something changes.")
    return Empty(
        "No open alert, and nobody is watching.",
        "Alerts come from scheduled scans: write a schedule, and they run.",
        "/scans",
        "To the schedules",
    )


def _dues(reviews: Iterable[ReviewDue]) -> Iterable[Due]:
    for due in reviews:
        last = (
            f"the last was on {due.last.on} by {due.last.reviewer}" if due.last else "never reviewed before"
        )
        says = f"Due on {due.due}; {last}." if due.due else "Its controls were never reviewed."
        yield Due(Link(due.system, system_path(due.system)), says)
