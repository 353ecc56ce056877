"""A whole study: what was asked and how, what was counted, what it means, what it leaves out.

It holds counts and no address, so that it can be published. It is written as HTML or as a source for Typst; both
say the same, from the same parts.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from leadglass.model.record_parts import Tlp
from leadglass.model.verdict import Access
from leadglass.survey import pictures, texts, texts_counted
from leadglass.survey.census import Census
from leadglass.survey.figure import Figure, Row, svg
from leadglass.survey.grid import Grid, Line, grid
from leadglass.survey.hidden import hidden
from leadglass.survey.proportion import Proportion, proportion
from leadglass.survey.published import Published, published
from leadglass.survey.recapture import attempted, lists_of
from leadglass.survey.share import Share
from leadglass.survey.stratified import Stratified
from leadglass.survey.words import count, percent, span

__all__ = ["Section", "Study", "Subject", "as_html", "as_typst", "study"]

_OPEN: tuple[tuple[str, Access], ...] = (
    ("answer a stranger's query", Access.ANSWERS_QUERY),
    ("answer or offer queries", Access.OFFERS_QUERY),
    ("let a stranger associate", Access.VERIFICATION_ONLY),
)
"""What this study can call open: each word and everything worse."""

_COUNTED = (
    "Servers are counted by address, with the worst of their endpoints. A server counts as DICOM if it was seen to speak"
    " it."
)
_ASKED_NOBODY = (
    "No record of a patient was asked for: that a query is processed was shown by one that cannot match."
)
_ASKED_SAMPLES = (
    "With the owners' written leave, some servers were asked for a few attributes of some studies, of which only shares and"
    " counts were kept."
)
_INTERVALS = (
    "Shares of samples have 95 % intervals: Wilson's, corrected for a finite population, or what stands beside them."
    " Counts of everything that was looked at have none, since chance has no part in them."
)
_NO_SERIES = (
    "Each called something else open, and none gave an interval: those here are ours (Wilson), as if each had been a random"
    " sample of servers like it. The rows are no series in time."
)


@dataclass(frozen=True, slots=True)
class Subject:
    """What was looked at, by whose leave, from where and how."""

    title: str
    scan: str
    began: str
    ended: str
    """"" for a scan that is not finished."""
    scope: str
    basis: str
    position: str
    places: tuple[str, ...]
    deepest: str
    tool_version: str
    tlp: Tlp = Tlp.AMBER
    """How far the study may be passed on."""


@dataclass(frozen=True, slots=True)
class Section:
    """One part, with a figure if something is drawn."""

    title: str
    lines: tuple[Line, ...]
    figure: Figure | None = None


@dataclass(frozen=True, slots=True)
class Study:
    """All of it."""

    subject: Subject
    sections: tuple[Section, ...]


def study(
    subject: Subject,
    counted: Census,
    truths: tuple[Mapping[str, Stratified], int] | None = None,
    share: Share | None = None,
) -> Study:
    """The study of one scan; ``truths`` (with how many could not be told) and ``share`` where there are some.

    ``UsageError`` if the scan saw no DICOM server: there is nothing to write of.
    """
    sections = [
        _methods(subject),
        Section("What was found", tuple(texts_counted.for_census(counted)), _kinds(counted)),
    ]
    if truths is not None:
        shares, unanswered = truths
        sections.append(
            Section(
                "What the servers are, by a random sample",
                (*texts.for_truths(shares, unanswered), *_other_population(counted, shares)),
                pictures.of_truths(shares),
            )
        )
    if len(lists_of(counted.histories)) > 1:
        unseen = attempted(counted.histories)
        drawing = None if isinstance(unseen, str) else pictures.of_recaptured(unseen)
        sections.append(Section("What no place saw", tuple(texts.for_recaptured(unseen, 0.95)), drawing))
    if counted.hints.total():
        behind = hidden(counted.hints)
        sections.append(
            Section("Behind mutual TLS", tuple(texts_counted.for_hidden(behind)), pictures.of_hidden(behind))
        )
    if share is not None:
        sections.append(
            Section("Reported breaches", tuple(texts_counted.for_share(share)), pictures.of_share(share))
        )
    sections += [
        _comparison(counted),
        Section("What this study cannot say", tuple(_limits(subject, truths is not None))),
    ]
    return Study(subject, tuple(sections))


def _other_population(counted: Census, shares: Mapping[str, Stratified]) -> Iterator[Line]:
    """What must be said of a sample that was not drawn from the servers of this scan."""
    drawn_from = next(iter(shares.values())).population
    if drawn_from != counted.servers:
        yield (
            f"This sample was drawn from {count(drawn_from, 'server')}, and the scan counted {counted.servers:,}: these are"
            " not the same servers, and the shares are those of the servers that the sample was drawn from."
        )


def _methods(subject: Subject) -> Section:
    rows = [
        ("scan", subject.scan),
        ("began", subject.began),
        ("ended", subject.ended or "not finished"),
        ("scope", subject.scope),
        ("by whose leave", subject.basis),
        ("seen from", f"{', '.join(subject.places) or 'one place'} ({subject.position})"),
        ("deepest question", subject.deepest),
        ("made with", f"Leadglass {subject.tool_version}"),
    ]
    return Section(
        "Methods",
        (
            grid(rows, has_head=False),
            _COUNTED,
            _ASKED_SAMPLES if subject.deepest == "sample" else _ASKED_NOBODY,
            _INTERVALS,
        ),
    )


def _kinds(counted: Census) -> Figure | None:
    return pictures.of_census(counted) if counted.servers else None


def _comparison(counted: Census) -> Section:
    surveys = published()
    own = tuple(_own(counted)) if counted.servers else ()
    rows = [(s.name, str(s.year), f"{s.servers:,}", *_open(s.share), s.rule) for s in surveys]
    rows += [
        (f"this study: {name}", "", f"{p.sampled:,}", *_open(p), "as this study counts") for name, p in own
    ]
    last = own[0] if own else None
    return Section(
        "Beside published surveys",
        (
            grid([("survey", "year", "servers", "open", "95 % interval", "what it called open"), *rows]),
            _NO_SERIES,
            *(_source(survey) for survey in surveys),
        ),
        pictures.of_published(
            surveys,
            None
            if last is None
            else Row(f"this study: {last[0]}", last[1].wilson, last[1].share, span(last[1].wilson)),
        ),
    )


def _source(survey: Published) -> str:
    return f"{survey.name} ({survey.year}): {survey.source}. Not in it: {survey.lacks}."


def _open(share: Proportion | None) -> tuple[str, str]:
    return ("not tested", "-") if share is None else (percent(share.share), span(share.wilson))


def _own(counted: Census) -> Iterator[tuple[str, Proportion]]:
    for name, word in _OPEN:
        number = sum(n for access, n in counted.access.items() if access.rank <= word.rank)
        yield name, proportion(number, counted.servers)


def _limits(subject: Subject, has_truths: bool) -> Iterable[str]:
    if not subject.ended:
        yield "The scan is not finished: what it had not yet looked at is missing."
    yield (
        "What did not answer from here is not counted: other places may see more, and servers behind mutual TLS or an allow"
        " list show nothing of what they are."
    )
    yield (
        "An address is not a server, nor a server an organisation. Addresses change hands within days where they are given"
        " out anew; the longer a scan takes, the more are counted twice or missed."
    )
    if not has_truths:
        yield (
            "What kind of server stands behind an address was inferred, not looked up. Until some are drawn at random and"
            " reviewed, the kinds have bounds and no estimate."
        )
    yield (
        "Honeypots are made to be counted. Where they are not told apart, every share of open servers is a share of servers"
        " and of those who pretend to be one."
    )
    yield "That a stranger could read says nothing of whether somebody did."


# ---- written down


def as_html(of: Study) -> str:
    """One HTML file that needs nothing else."""
    return (
        _environment()
        .get_template("study.html.j2")
        .render(
            study=of,
            colour=_colour(of.subject.tlp),
            figures={section.title: Markup(svg(section.figure)) for section in of.sections if section.figure},  # noqa: S704 - our own drawing, escaped where it was made
            is_grid=lambda line: isinstance(line, Grid),
        )
    )


def as_typst(of: Study) -> tuple[str, Mapping[str, str]]:
    """A Typst source, and the inputs that it reads: all text comes as data and is never markup."""
    source = (
        resources.files("leadglass.survey").joinpath("templates", "study.typ").read_text(encoding="utf-8")
    )
    sections = [
        {
            "title": section.title,
            "lines": [_part(line) for line in section.lines if line],
            "figure": "" if section.figure is None else svg(section.figure),
        }
        for section in of.sections
    ]
    return source, {
        "study": json.dumps(
            {
                **dataclasses.asdict(of.subject),
                "sections": sections,
                "label": of.subject.tlp.label,
                "colour": _colour(of.subject.tlp),
            }
        )
    }


def _colour(tlp: Tlp) -> str:
    """As TLP 2.0 prescribes them; the black behind it is the templates'."""
    colours = {Tlp.CLEAR: "#ffffff", Tlp.GREEN: "#33ff00", Tlp.RED: "#ff2b2b"}
    return colours.get(tlp, "#ffc000")


def _part(line: Line) -> dict[str, object]:
    if isinstance(line, Grid):
        return {"rows": [list(row) for row in line.rows], "head": line.has_head}
    return {"text": line}


@functools.cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("leadglass.survey"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
