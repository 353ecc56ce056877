"""Surveys: how many servers of each kind a stored scan stands for, with how sure that is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import HTMLResponse

from leadglass.model.account import Permission
from leadglass.model.verdict import Kind
from leadglass.ports.dashboard import Figure
from leadglass.report.words import KIND
from leadglass.store.overview import scans_page
from leadglass.store.scans import StoredScan
from leadglass.store.server_rows import ScanRow
from leadglass.web.doors import Doors
from leadglass.web.pages.finding import scan_called
from leadglass.web.pages.lines import scan_path
from leadglass.web.pages.telling import Empty, Option, day
from leadglass.web.rendering import page
from leadglass.web.visit import Visiting

__all__ = ["Bar", "SurveyView", "bar_of", "doors", "view"]

doors = Doors(include_in_schema=False)

_WIDE = 600
"""Units that a share of 1 is wide."""
_NOTHING = Empty(
    "No scan has ended yet.", "An estimate is made over a stored scan.", "/scans", "To the scans"
)
_NO_SERVERS = Empty("The scan saw no server that speaks DICOM.", "There is nothing to estimate.")


@dataclass(frozen=True, slots=True)
class Bar:
    """One kind of server, as numbers and as lengths of a picture."""

    label: str
    means: str
    says: str
    likeliest: int
    share: str
    between: str
    x: float
    """Where the interval begins."""
    width: float
    """How long it is."""
    dot: float
    """Where the expected share is."""


@dataclass(frozen=True, slots=True)
class SurveyView:
    """One estimate."""

    scope: str
    href: str
    sentence: str
    bars: tuple[Bar, ...]


@doors.get("/surveys", Permission.READ)
def surveys(visit: Visiting, request: Request) -> HTMLResponse:
    """Show what kinds of servers stand behind those that a scan saw."""
    database = visit.site.database
    complete = [row for row in scans_page(database).rows if row.state == "complete"]
    chosen = request.query_params.get("scan") or (complete[0].ulid if complete else "")
    if not chosen:
        return page("surveys.html", visit, view=None, scans=(), nothing=_NOTHING)
    scan = scan_called(database, chosen)
    found = view(scan, visit.site.desks.survey.estimate(scan.plan.ulid))
    return page("surveys.html", visit, view=found, scans=_choices(complete, scan), nothing=_NO_SERVERS)


def view(scan: StoredScan, figures: Sequence[Figure]) -> SurveyView:
    """The estimate over ``scan``."""
    return SurveyView(
        scope=scan.plan.scope_name,
        href=scan_path(scan.plan.ulid),
        sentence=_sentence(figures),
        bars=tuple(bar_of(figure) for figure in figures if figure.of),
    )


def _sentence(figures: Sequence[Figure]) -> str:
    most = max(figures, key=lambda figure: figure.share, default=None)
    if most is None or not most.of:
        return "No server that speaks DICOM was seen."
    return (
        f"Of {most.of:,} servers seen, {most.share:.0%} are to be expected to be {most.label}"
        f" ({_means(most.label)}); whatever one believed before, between {most.low:.0%} and {most.high:.0%}."
    )


def bar_of(figure: Figure) -> Bar:
    """One kind as numbers and lengths."""
    return Bar(
        label=figure.label,
        means=_means(figure.label),
        says=f"{figure.label}: {figure.share:.0%}, between {figure.low:.0%} and {figure.high:.0%}",
        likeliest=figure.count,
        share=f"{figure.share:.0%}",
        between=f"{figure.low:.0%} to {figure.high:.0%}",
        x=round(figure.low * _WIDE, 1),
        width=round(max((figure.high - figure.low) * _WIDE, 2.0), 1),
        dot=round(figure.share * _WIDE, 1),
    )


def _means(label: str) -> str:
    return KIND[Kind(label)] if label in {kind.value for kind in Kind} else ""


def _choices(complete: Iterable[ScanRow], chosen: StoredScan) -> tuple[Option, ...]:
    rows = {row.ulid: f"{day(row.began)} {row.scope}" for row in complete}
    rows.setdefault(chosen.plan.ulid, f"{day(chosen.plan.began)} {chosen.plan.scope_name}")
    return tuple(Option(ulid, name, ulid == chosen.plan.ulid) for ulid, name in rows.items())
