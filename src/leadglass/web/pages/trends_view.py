"""How it went from scan to scan, as pictures and as numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from leadglass.model.verdict import Access, Severity
from leadglass.store.server_rows import EXPOSED, ScanRow
from leadglass.web.pages.lines import scan_path
from leadglass.web.pages.telling import Option, day, options, with_query

__all__ = [
    "CHARTS",
    "Chart",
    "Row",
    "TrendsView",
    "counts",
    "drawn",
    "exposed_of",
    "labels",
    "searched_of",
    "view",
]

_LABELS = 12
"""Dates that fit beside each other."""


@dataclass(frozen=True, slots=True)
class Chart:
    """One picture."""

    title: str
    light: str
    dark: str
    says: str
    """For those who do not see it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One scan in numbers."""

    day: str
    href: str
    scope: str
    endpoints: int
    numbers: tuple[int, ...]
    """By severity, worst first."""
    exposed: int


@dataclass(frozen=True, slots=True)
class TrendsView:
    """The page."""

    charts: tuple[Chart, ...]
    rows: tuple[Row, ...]
    """The latest first."""
    scopes: tuple[Option, ...]
    says: str


CHARTS: Mapping[str, str] = {
    "severity": "Endpoints by severity, scan by scan",
    "exposed": "Endpoints that ask for action, and those that a stranger can search",
}
"""What is drawn, and what each picture is called."""


def view(scans: Sequence[ScanRow], scope: str, scopes: Iterable[str]) -> TrendsView:
    """The page over ``scans``, the oldest first."""
    told = drawn(scans)
    return TrendsView(
        charts=tuple(_chart(name, scope, told) for name in CHARTS) if told else (),
        rows=tuple(_row(scan) for scan in reversed(told)),
        scopes=options(scopes, scope, "all scopes"),
        says=_says(told),
    )


def drawn(scans: Iterable[ScanRow]) -> list[ScanRow]:
    """Those of ``scans`` that were counted."""
    return [scan for scan in scans if scan.tally is not None]


def labels(scans: Sequence[ScanRow]) -> list[str]:
    """Their days; where there are many, only some."""
    step = -(-len(scans) // _LABELS)
    return [day(scan.began) if number % step == 0 else "" for number, scan in enumerate(scans)]


def counts(scan: ScanRow) -> Mapping[Severity, int]:
    """Endpoints by severity."""
    return scan.tally.severity if scan.tally else {}


def exposed_of(scan: ScanRow) -> int:
    """Endpoints that ask for action."""
    return sum(number for severity, number in counts(scan).items() if severity.rank <= EXPOSED.rank)


def searched_of(scan: ScanRow) -> int:
    """Endpoints that a stranger can search."""
    return scan.tally.access.get(Access.ANSWERS_QUERY, 0) if scan.tally else 0


def _chart(name: str, scope: str, scans: Sequence[ScanRow]) -> Chart:
    path = f"/charts/{name}.svg"
    light, dark = (with_query(path, {"look": look, "scope": scope}) for look in ("light", "dark"))
    return Chart(
        CHARTS[name], light, dark, f"{CHARTS[name]}. {_says(scans)} The table below has the numbers."
    )


def _says(scans: Sequence[ScanRow]) -> str:
    if not scans:
        return "No scan has ended yet."
    first, last = scans[0], scans[-1]
    then, now = exposed_of(first), exposed_of(last)
    word = "fewer than" if now < then else "more than" if now > then else "as many as"
    return (
        f"On {day(last.began)}, {now:,} endpoints asked for action: {word} on {day(first.began)}, when it was {then:,}."
        if len(scans) > 1
        else f"On {day(last.began)}, {now:,} endpoints asked for action."
    )


def _row(scan: ScanRow) -> Row:
    tally = scan.tally
    return Row(
        day=day(scan.began),
        href=scan_path(scan.ulid),
        scope=scan.scope,
        endpoints=tally.endpoints if tally else 0,
        numbers=tuple(counts(scan).get(severity, 0) for severity in Severity),
        exposed=exposed_of(scan),
    )
