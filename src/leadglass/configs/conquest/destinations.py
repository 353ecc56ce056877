"""``acrnema.map``: where Conquest sends images, by title; and to whom when it is a wildcard."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from leadglass.configs.catalogue import finding
from leadglass.configs.conquest.server import PRODUCT
from leadglass.configs.dcmtk.words import shown
from leadglass.configs.kinds import Environment
from leadglass.configs.reading import Fact, Reading
from leadglass.configs.source import Source
from leadglass.model.finding import Finding

__all__ = ["Destination", "destinations", "is_map", "read_map"]

_COMPRESSION = (
    r"(?:un|ul|ub|ue|uj|us|as|is|nj|n[1-4]|j[1-8k](?:\d\d)?|js|jk|jl(?:\d\d)?|k[1-8]|v\d|[Jj][37]\d\d)"
)
_LINE = re.compile(
    rf"[ \t]*(\S{{1,16}})[ \t]+(\S{{1,253}})[ \t]+(\d{{1,5}}|\*)(?:[ \t]+({_COMPRESSION}))?[ \t\r]*"
)
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)|(?<!\S)(?:#|//)[^\n]*", re.DOTALL)
_NAMED = re.compile(r"acr[-_]?nema", re.IGNORECASE)
_LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})


_MOST = 20_000
"""Destinations; no server has so many."""


@dataclass(frozen=True, slots=True)
class Destination:
    """One line; ``start`` to ``end`` with its line end."""

    title: str
    host: str
    port: str
    start: int
    end: int

    @property
    def is_anybody(self) -> bool:
        """Whether it stands for whoever calls: images go to the caller's own address."""
        return "*" in self.host


def is_map(source: Source) -> bool:
    """Whether it is such a map: its first line is an entry with a compression, or the file says what it is."""
    first = next((line for _, line in _lines(source.text) if line.strip()), "")
    entry = _LINE.fullmatch(first)
    return entry is not None and (
        entry[4] is not None or _NAMED.search(source.path + source.text[:2000]) is not None
    )


def destinations(source: Source) -> list[Destination]:
    """The entries. Lines of another form are passed over, as Conquest does."""
    found: list[Destination] = []
    for start, line in _lines(source.text):
        entry = _LINE.fullmatch(line)
        if entry is not None:
            end = min(start + len(line) + 1, len(source.text))
            found.append(Destination(entry[1], entry[2], entry[3], start, end))
        if len(found) > _MOST:
            raise source.fault(f"more than {_MOST} entries", start, then="no server has so many destinations")
    return found


def read_map(source: Source, _environment: Environment) -> Reading:
    """The reading of an ``acrnema.map``."""
    entries = destinations(source)
    return Reading("conquest-map", source, findings=tuple(_findings(source, entries)), facts=_facts(entries))


def _facts(entries: list[Destination]) -> dict[str, Fact]:
    is_open = any(entry.is_anybody for entry in entries)
    own = next((entry.port for entry in entries if entry.host in _LOCAL), None)
    return {
        "product": PRODUCT,
        "ports": own,
        "verdict": "dicom-open" if is_open else "destinations-named",
        "dicom_if_public": "any AE store/query" if is_open else None,
        "wildcards": tuple(entry.title for entry in entries if entry.is_anybody),
        "destinations": tuple(entry.title for entry in entries if not entry.is_anybody),
    }


def _findings(source: Source, entries: list[Destination]) -> Iterator[Finding]:
    for entry in entries:
        if entry.is_anybody:
            title = shown(entry.title)
            says = f"images are sent to whoever calls itself {title}, at the address it calls from"
            place = entry.start + _indented(source.text[entry.start : entry.end])
            edits = (source.edit(entry.start, entry.end, ""),)
            yield finding("LG-CONQUEST-002", source, place, title, says, edits=edits)


def _indented(line: str) -> int:
    return len(line) - len(line.lstrip())


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with blanks for their comments, and where they begin."""
    bare = _COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    at = 0
    for line in bare.split("\n"):
        yield at, line
        at += len(line) + 1
