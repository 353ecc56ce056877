"""A dossier as pages: a Typst source and what it shows as data, so that no text from anywhere becomes markup."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from importlib import resources
from typing import Any

from leadglass import __version__
from leadglass.model.register import Stamp
from leadglass.register import sections_decided, sections_seen
from leadglass.register.blocks import Block
from leadglass.register.case import Case
from leadglass.register.evidence import moment
from leadglass.register.phrases import Sheet
from leadglass.register.phrases import moment as shown_moment
from leadglass.register.summary import summary_of
from leadglass.register.tables import Row
from leadglass.report.safe import visible

__all__ = ["as_typst", "characters", "pages"]

_TITLE = "Imaging systems: evidence of their security"
_LONG = re.compile(r"[^\s\u200b]{24,}")
_WHOLE = frozenset({"digest", "typed"})
"""Kinds of what people copy."""
_PIECE = 6
"""Characters of a long word after which a line may end."""

_SECTIONS: Sequence[Callable[[Sheet], Iterator[Block]]] = (
    sections_seen.inventory,
    sections_seen.network,
    sections_seen.exposures,
    sections_seen.findings,
    sections_decided.reviews,
    sections_decided.risks,
    sections_decided.requirements,
    sections_seen.scans,
    sections_decided.changes,
    sections_decided.chain,
    sections_decided.limits,
)


def pages(case: Case, rows: Mapping[str, Sequence[Row]]) -> dict[str, Any]:
    """All that the pages show, as plain data."""
    sheet = Sheet(case, rows)
    head = case.head
    made = {
        "title": _TITLE,
        "organisation": case.options.organisation,
        "tlp": {"label": case.options.tlp.label, "colour": case.options.tlp.name.partition("_")[0].lower()},
        "as_of": str(case.today),
        "head": f"{head.n}:{head.digest}",
        "cover": [list(row) for row in _cover(case)],
        "summary": asdict(summary_of(case)),
        "sections": [list(section(sheet)) for section in _SECTIONS],
    }
    shown: dict[str, Any] = _each(made, _settable)
    return shown


def characters(shown: Mapping[str, Any]) -> str:
    """Every character that ``shown`` needs, once, in order."""
    return "".join(sorted(set(json.dumps(shown, ensure_ascii=False))))


def as_typst(
    shown: Mapping[str, Any], unset: str = "", families: Sequence[str] = ()
) -> tuple[str, Mapping[str, str]]:
    """The source and its inputs; ``unset`` are characters that no font has, ``families`` fonts to try after Typst's own."""
    table = {ord(char): _number(char) for char in unset}
    given = _each(shown, lambda text: _broken(text.translate(table))) | {"head": shown["head"]}
    source = resources.files("leadglass.register").joinpath("templates", "dossier.typ")
    inputs = {"dossier": json.dumps({**given, "families": list(families)})}
    return source.read_text(encoding="utf-8"), inputs


def _cover(case: Case) -> Iterator[tuple[str, str]]:
    retired = len(case.register.systems) - len(case.systems)
    gone = f", {retired:,} retired" if retired else ""
    since = case.options.since
    yield (
        "Covers",
        f"{len(case.systems):,} imaging systems in service{gone}; {len(case.register.seen):,} addresses looked at",
    )
    yield "As it stood on", f"{case.today}, end of the day, UTC"
    yield "History", f"from {since}" if since else "from the first entry"
    yield "Newest entry or scan", f"{shown_moment(moment(case.moment) or '')} UTC"
    yield "Held against", "; ".join(one.title for one in case.profiles) or "no law or standard was asked for"
    yield "Entries in the chain", f"{case.head.n:,}"
    yield "Time stamp", _stamped(case.stamps)
    yield "Made by", f"Leadglass {__version__}; the same data give the same bytes"


def _stamped(stamps: Sequence[Stamp]) -> str:
    if not stamps:
        return "none"
    last = stamps[-1]
    return f"entry {last.n:,} existed on {shown_moment(moment(last.at) or '')} UTC, says {last.authority}"


def _each(value: Any, change: Callable[[str], str]) -> Any:
    """``value`` with every text in it changed, but for what people copy, which is ours."""
    match value:
        case str():
            return change(value)
        case {"kind": kind} if kind in _WHOLE:
            return value
        case dict():
            return {key: _each(one, change) for key, one in value.items()}
        case list() | tuple():
            return [_each(one, change) for one in value]
        case _:
            return value


def _settable(text: str) -> str:
    """``text`` as it can be set, composed (NFC).

    There are numbers in place of what cannot be seen, of marks that stand on others, and of letters that are written
    from the right: pages to be kept may lack no picture, and Typst breaks off at some mixtures of these.
    """
    if text.isascii():
        return visible(text)
    composed = unicodedata.normalize("NFC", visible(text))
    return "".join(char if char.isascii() or _is_simple(char) else _number(char) for char in composed)


def _is_simple(char: str) -> bool:
    return unicodedata.category(char)[0] not in "MC" and unicodedata.bidirectional(char) not in {
        "R",
        "AL",
        "AN",
    }


def _number(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _broken(text: str) -> str:
    """With places where a line may end in words that are longer than a column."""
    return _LONG.sub(lambda word: "\u200b".join(re.findall(f".{{1,{_PIECE}}}", word[0])), text)
