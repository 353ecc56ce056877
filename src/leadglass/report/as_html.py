"""The report to hand over: one HTML file that needs nothing else, on screen and on paper.

It has no script and no reference to anything outside itself; its content security policy allows only
its own style sheet, by hash. Autoescape is on, and every text passes ``safe.visible`` before it, so that
what a peer chose is shown and never obeyed.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from collections import Counter
from typing import Any, TextIO

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from leadglass.model.record import ScanRecord
from leadglass.model.rung import Rung
from leadglass.model.verdict import Access, Kind, Severity, State
from leadglass.report import picture, say, words
from leadglass.report.contract import Meta, Summary
from leadglass.report.gather import SILENT, Gatherer, by_host
from leadglass.report.safe import visible

__all__ = ["HtmlReport"]

_BAR = 640.0
_ROW = 520.0


class HtmlReport:
    """Written whole at the end, because the worst comes first."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._gathered = Gatherer()
        self._spread: Counter[tuple[Access, Severity]] = Counter()
        self._rungs: Counter[str] = Counter()
        self._meta: Meta

    def begin(self, meta: Meta) -> None:
        """Remember what the head says."""
        self._meta = meta

    def add(self, record: ScanRecord) -> None:
        """Keep or count one record."""
        self._gathered.add(record)
        self._rungs[record.rung] += 1
        if record.access not in SILENT:
            self._spread[record.access, record.severity] += 1

    def end(self, summary: Summary) -> None:
        """Write everything."""
        environment = _environment()
        style = environment.get_template("style.css").render()
        template = environment.get_template("report.html.j2")
        for chunk in template.generate(self._context(summary), style=Markup(style), style_hash=_hash(style)):  # noqa: S704 - our own file
            self._stream.write(chunk)

    def _context(self, summary: Summary) -> dict[str, Any]:
        records = self._gathered.records()
        hosts = by_host(records)
        return {
            "meta": self._meta,
            "summary": summary,
            "hosts": hosts,
            "counted": self._gathered.counted(),
            "headline": say.headline(summary, hosts),
            "sources": say.sources(records, self._meta.position),
            "promise": say.promise(self._rungs),
            "rungs": {rung.word: self._rungs[rung.word] for rung in Rung if self._rungs[rung.word]},
            "severity_bar": picture.segments(summary.severity, _BAR),
            "access_bars": picture.bars(self._spread, _ROW),
            "matrix": picture.matrix(hosts),
        }


@functools.cache
def _environment() -> Environment:
    """Templates are compiled once."""
    environment = Environment(
        loader=PackageLoader("leadglass.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.update(say=say, words=words, Access=Access, Kind=Kind, Severity=Severity, State=State)
    environment.filters["thousands"] = "{:,}".format
    environment.filters["percent"] = _percent
    return environment


def _finalize(value: object) -> object:
    """Every text that a template shows; what a macro made has been through here already."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _percent(share: float) -> str:
    """A share in whole percent; a small one does not become nothing."""
    return f"{share:.0%}" if share >= 0.01 else f"{share:.2%}"


def _hash(style: str) -> str:
    """The source expression that allows exactly this style sheet (CSP level 3, 2.3.1)."""
    digest = hashlib.sha256(style.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
