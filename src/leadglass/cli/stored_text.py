"""Kept scans, their differences and their progress, in words for a terminal and as JSON.

Lines fit the terminal, or 80 columns in a pipe. What peers, scopes and operators wrote passes ``visible``.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.text import Text

from leadglass.cli.console import console
from leadglass.cli.terminal import shows_colour, width, write
from leadglass.model.endpoint import Endpoint
from leadglass.model.record import Tlp
from leadglass.model.verdict import Severity
from leadglass.report.safe import columns, cut, padded, visible
from leadglass.report.say import count
from leadglass.store.diff import Change, Kind, Seen
from leadglass.store.reading import Tally
from leadglass.store.scans import StoredScan
from leadglass.store.work import Progress

__all__ = [
    "Counts",
    "change",
    "change_json",
    "difference_foot",
    "difference_head",
    "estimated_end",
    "listed",
    "listed_json",
    "scan_json",
    "show",
    "status",
    "utc",
]

_STYLE: Mapping[Severity, str] = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.NONE: "green",
}
_KIND = 10
_LABEL = 11


def show(lines: Iterable[Text]) -> None:
    """Print ``lines``; colour only where somebody sees it."""
    if shows_colour():
        for line in lines:
            console().print(line, soft_wrap=True)
    else:
        write("".join(f"{line.plain}\n" for line in lines))


def utc(posix: float | None) -> str | None:
    """ISO 8601, whole seconds."""
    return None if posix is None else f"{datetime.fromtimestamp(posix, UTC):%Y-%m-%dT%H:%M:%SZ}"


# ---- kept scans


def listed(scan: StoredScan, tally: Tally) -> Iterator[Text]:
    """One scan of the list: two lines or more."""
    head = f"{scan.plan.ulid}  {_minute(scan.plan.began)}  {padded(_state(scan), 8)}  "
    yield Text(head).append(cut(visible(scan.plan.scope_name), max(width() - len(head), 8)), "bold")
    seen = ", ".join(f"{number:,} {access}" for access, number in tally.access.items())
    yield from _wrapped(f"{count(tally.endpoints, 'endpoint')}{f': {seen}' if seen else ''}", "    ")


def listed_json(scan: StoredScan, tally: Tally) -> dict[str, Any]:
    """The same for programs."""
    return {
        **scan_json(scan),
        "endpoints": tally.endpoints,
        "access": dict(tally.access),
        "severity": dict(tally.severity),
    }


def scan_json(scan: StoredScan) -> dict[str, Any]:
    """Which scan it is."""
    return {
        "scan": scan.plan.ulid,
        "kind": scan.plan.kind,
        "state": scan.state,
        "began": utc(scan.plan.began),
        "ended": utc(scan.ended),
        "scope": scan.plan.scope_name,
    }


# ---- what changed


class Counts:
    """Counts changes while they go by."""

    def __init__(self, fail_on: Severity) -> None:
        self.fail_on = fail_on
        self.exposed = 0
        """How many became as severe as ``fail_on`` or more."""
        self._kinds: Counter[Kind] = Counter()

    def add(self, made: Change) -> None:
        """Count one."""
        self._kinds[made.kind] += 1
        self.exposed += made.became(self.fail_on)

    def __str__(self) -> str:
        return ", ".join(f"{self._kinds[kind]:,} {kind}" for kind in Kind if self._kinds[kind])


def difference_head(scans: Sequence[StoredScan], tlp: Tlp) -> Iterator[Text]:
    """What is compared."""
    yield Text(tlp.label.rjust(width()), "bold")
    names = [f"{scan.plan.ulid} ({_minute(scan.plan.began)}, {scan.plan.scope_name})" for scan in scans]
    if len(scans) == 1:
        yield from _wrapped(f"{names[0]}, and what was seen from the same place before it")
    else:
        yield from _wrapped(f"before: {names[0]}", hang=8)
        yield from _wrapped(f"after:  {names[1]}", hang=8)
    yield Text()


def difference_foot(counts: Counts, tlp: Tlp) -> Iterator[Text]:
    """What there was in all."""
    said = str(counts)
    if said:
        yield Text()
    worse = f" {counts.exposed:,} became {counts.fail_on} or worse." if counts.exposed else ""
    yield from _wrapped(f"{said}.{worse}" if said else "Nothing changed.")
    yield Text(tlp.label.rjust(width()), "bold")


def change(made: Change, *, tells_place: bool) -> Iterator[Text]:
    """One endpoint that is not as it was; ``tells_place``: and from where."""
    name = f" {made.endpoint.name}" if made.endpoint.name else ""
    place = f", seen from {made.place}" if tells_place and made.place else ""
    label = str(made.kind).ljust(_KIND)
    style = _STYLE[made.after.severity] if made.after else ""
    first, *rest = _wrapped(f"{made.endpoint}{name}{place}", label, hang=_KIND)
    first.stylize(style, 0, len(made.kind))
    yield first
    yield from rest
    yield from _wrapped(_became(made), " " * _KIND, hang=_KIND)
    if made.facts:
        yield from _wrapped(f"differs: {', '.join(made.facts)}", " " * _KIND, hang=_KIND + 2)


def change_json(made: Change, scans: Sequence[str], tlp: Tlp) -> dict[str, Any]:
    """The same for programs."""
    return {
        "schema": "leadglass.change/1",
        "change": made.kind,
        "scan": scans[-1],
        "compared_with": scans[0] if len(scans) == 2 else None,
        "tlp": tlp,
        "endpoint": _endpoint_json(made.endpoint),
        "place": made.place,
        "before": _seen_json(made.before),
        "after": _seen_json(made.after),
        "facts": made.facts,
        "came_from": made.came_from and _endpoint_json(made.came_from),
    }


def _became(made: Change) -> str:
    before, after = _side(made.before), _side(made.after)
    if made.came_from is not None:
        return f"was at {made.came_from}: {_turned(before, after)}"
    if made.after is None:
        return f"no record; was {before}"
    return f"{after}; no record before" if made.before is None else _turned(before, after)


def _turned(before: str, after: str) -> str:
    return f"still {after}" if before == after else f"{before} -> {after}"


def _side(seen: Seen | None) -> str:
    if seen is None or seen.severity is Severity.NONE:
        return "" if seen is None else seen.access
    software = " ".join(part for part in (seen.product, seen.version) if part)
    return f"{seen.access}, {seen.severity}{f', {software}' if software else ''}"


def _endpoint_json(endpoint: Endpoint) -> dict[str, Any]:
    return {"address": endpoint.address, "port": endpoint.port, "name": endpoint.name}


def _seen_json(seen: Seen | None) -> dict[str, Any] | None:
    if seen is None:
        return None
    return {
        "access": seen.access,
        "severity": seen.severity,
        "product": seen.product,
        "version": seen.version,
    }


# ---- how far


def estimated_end(scan: StoredScan, far: Progress, now: float) -> float | None:
    """POSIX seconds, at the rate of the last minute; None if it has ended or nobody knows."""
    if scan.state == "complete" or far.hosts_lately <= 0:
        return None
    return now + (far.hosts - far.hosts_done) / far.hosts_lately


def status(scan: StoredScan, far: Progress, end: float | None, now: float) -> Iterator[Text]:
    """How far a scan is, line by line."""
    yield from _wrapped(f"{scan.plan.ulid}, {scan.plan.scope_name}: {_state(scan)}")
    asked = [("rate", _rate(scan, far))] if far.shards else []
    rows = [
        ("began", _minute(scan.plan.began)),
        *_pieces(far),
        ("endpoints", _endpoints(far)),
        *asked,
        ("end", _end(scan, end, now)),
    ]
    for label, said in rows:
        yield from _wrapped(said, f"  {label}".ljust(_LABEL + 2), hang=_LABEL + 2)
    for place in far.places:
        ago = f"last {_span(max(now - place.last, 0))} ago"
        said = (
            f"{visible(place.name)}: {count(place.seen, 'endpoint')}, {count(place.shards, 'shard')}, {ago}"
        )
        yield from _wrapped(said, "  seen from  ", hang=_LABEL + 2)
    for worker in far.workers:
        said = f"{worker.name} at {worker.place}: {worker.rate:,.1f} connections/s"
        yield from _wrapped(said, "  worker     ", hang=_LABEL + 2)


def _pieces(far: Progress) -> list[tuple[str, str]]:
    """Shards and hosts; nothing of an import, and of a scan whose list of targets is still read in."""
    if not far.shards:
        return []
    done = f"{far.hosts_done / far.hosts:.1%}" if far.hosts else "100%"
    return [
        ("shards", f"{far.done:,} of {far.shards:,} done, {far.leased:,} at work, {far.waiting:,} waiting"),
        ("hosts", f"{far.hosts_done:,} of {far.hosts:,} ({done})"),
    ]


def _endpoints(far: Progress) -> str:
    under_way = f", {far.under_way:,} more asked in shards at work" if far.under_way else ""
    return f"{far.seen:,} with a record{under_way}"


def _rate(scan: StoredScan, far: Progress) -> str:
    most = f"at most {scan.plan.rate:,g} connections/s"
    if scan.state == "complete":
        return most
    return f"{far.seen_lately:,.0f} endpoints/s in the last minute; {most}"


def _end(scan: StoredScan, end: float | None, now: float) -> str:
    if scan.ended is not None:
        return _minute(scan.ended)
    if scan.state == "filling":
        return "not known: its list of targets was not read to the end yet"
    if end is None:
        return "not known: nothing was finished in the last minute"
    return f"in about {_span(end - now)}, {_minute(end)}"


def _span(seconds: float) -> str:
    """A time as people say it, in one unit."""
    for unit, size in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= 2 * size:
            return count(round(seconds / size), unit)
    return count(round(seconds), "second")


# ---- lines


def _state(scan: StoredScan) -> str:
    return "import" if scan.plan.kind == "import" else scan.state


def _minute(posix: float) -> str:
    return f"{datetime.fromtimestamp(posix, UTC):%Y-%m-%d %H:%M} UTC"


def _wrapped(text: str, label: str = "", *, hang: int | None = None) -> Iterator[Text]:
    indent = " " * (columns(label) if hang is None else hang)
    shown = textwrap.wrap(
        visible(text), width(), initial_indent=label, subsequent_indent=indent, break_on_hyphens=False
    )
    return (Text(line) for line in shown)
