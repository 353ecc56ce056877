"""A search (QIDO-RS, PS3.18 10.6): what the archive is asked, page by page, and which matches are shown.

``limit`` and ``offset`` count the matches that the client may see. The archive's own count begins with
those it may not, so the guard asks for pages until enough are visible, and says nothing of how many
there were in all.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from leadglass.guard.dicomweb.headers import accepts
from leadglass.guard.dicomweb.matches import ADDED, COUNTS, STUDY_UID, tag_name
from leadglass.guard.dicomweb.parameters import Parameters
from leadglass.guard.dicomweb.paths import Level, Place, Request, is_uid
from leadglass.guard.dicomweb.refused import Refused
from leadglass.guard.identifiers.keys import WITHOUT_REQUIRED_MATCHING, needed_tags

__all__ = ["JSON", "Pages", "Search", "read"]

_LARGEST_NUMBER = 1_000_000
_SMALLEST_NEXT_PAGE = 10
_LARGEST_PAGE = 1000
_MOST_SCANNED = 100_000
"""Matches that the archive may be asked for in one search, visible or not."""
_MOST_UIDS = 1000
_TAG = re.compile(r"[0-9A-Fa-f]{8}\Z")
_KEYWORD = re.compile(r"[A-Z][A-Za-z0-9]{1,63}\Z")
_SEPARATORS = re.compile(r"[,\\]")
_NUMBERS = frozenset({"limit", "offset"})
_SWITCHES = frozenset({"fuzzymatching", "emptyvaluematching", "multiplevaluematching"})
"""PS3.18 8.3.4.1 and 8.3.4.2."""
_UIDS = frozenset(
    {"StudyInstanceUID", STUDY_UID, "SeriesInstanceUID", "0020000E", "SOPInstanceUID", "00080018"}
)
_OF_STUDY = frozenset({"StudyInstanceUID", STUDY_UID})
_OF_SERIES = frozenset({"SeriesInstanceUID", "0020000E"})
_UNTOLD = frozenset(COUNTS) | frozenset(COUNTS.values())
_KEYWORDS = {
    **{keyword: tag for tag, keyword in ADDED.items()},
    "ModalitiesInStudy": "00080061",
    "ReferringPhysicianName": "00080090",
    "StudyInstanceUID": STUDY_UID,
}
_UNMATCHED = frozenset(map(tag_name, WITHOUT_REQUIRED_MATCHING))
JSON = ("application/dicom+json", "application/json")


@dataclass(frozen=True, slots=True)
class Search:
    """One search, understood."""

    level: Level
    at: Place
    """What it is confined to."""
    matching: Parameters
    """What the archive is asked to match and to include, besides what the guard adds."""
    limit: int | None
    offset: int
    added: tuple[str, ...]
    """Tags that the archive is asked for on behalf of the policy."""
    hidden: frozenset[str]
    """Those of them that the client did not ask for."""
    several: bool
    """Whether more than one UID was named: some of them can be hidden."""
    doubtful: frozenset[str]
    """Tags whose value in a match may be the client's own: it was matched, and an archive that does not
    match it may answer with a copy."""


def read(request: Request, accept: str, needed: frozenset[str]) -> Search:
    """The search that ``request`` is; ``Refused`` if its parameters break the grammar or tell what is hidden.

    ``needed`` are the attributes of ``Study`` that policies read.
    """
    wanted = next((value for name, value in request.parameters if name == "accept"), accept)
    if not accepts(wanted, *JSON):
        raise Refused("search results come as JSON only", 406)
    once = [name for name, _ in request.parameters if name != "includefield"]
    if len(set(once)) != len(once):
        raise Refused("a query parameter that came twice")
    numbers = {name: _number(value) for name, value in request.parameters if name in _NUMBERS}
    matching: list[tuple[str, str]] = []
    fields: list[str] = []
    for name, value in request.parameters:
        if name == "includefield":
            fields += map(_field, value.split(","))
        elif name in _SWITCHES and value in {"true", "false"}:
            matching.append((name, value))
        elif not (name[0].islower() or name[0] in "_-"):
            matching.append((_key(name, value, request.at), value))
        # Others are ignored, as PS3.18 8.3.1 has it: what no one knows cannot change the result.
    return _search(request, tuple(matching), fields, numbers, _added(request, needed))


@functools.lru_cache(maxsize=64)
def _of_policies(needed: frozenset[str]) -> tuple[str, ...]:
    return tuple(tag for tag in map(tag_name, needed_tags(needed)) if tag in ADDED)


def _added(request: Request, needed: frozenset[str]) -> tuple[str, ...]:
    if request.at.study is not None:
        return ()
    return _of_policies(needed) if request.level is Level.STUDY else (STUDY_UID,)


def _search(
    request: Request,
    matching: Parameters,
    fields: list[str],
    numbers: dict[str, int],
    added: tuple[str, ...],
) -> Search:
    matched = {_KEYWORDS.get(name, name) for name, _ in matching}
    asked = matched | {_KEYWORDS.get(name, name) for name in fields} | {STUDY_UID}
    return Search(
        request.level,
        request.at,
        (*matching, *(("includefield", field) for field in fields)),
        numbers.get("limit"),
        numbers.get("offset", 0),
        added,
        frozenset() if "all" in fields else frozenset(added) - asked,
        any(name in _UIDS and len(_SEPARATORS.split(value)) > 1 for name, value in matching),
        _UNMATCHED & matched,
    )


def _number(value: str) -> int:
    if not value.isascii() or not value.isdecimal() or int(value[:8]) > _LARGEST_NUMBER:
        raise Refused("a limit or offset that is no number, or too large")
    return int(value)


def _key(name: str, value: str, at: Place) -> str:
    """The name of an attribute to match; of one in a sequence all the steps to it (PS3.18 8.3.4.1.1)."""
    key = _attribute(name)
    if (at.study is not None and key in _OF_STUDY) or (at.series is not None and key in _OF_SERIES):
        raise Refused("a matching key that the path has fixed already")
    if key in _UIDS:
        uids = _SEPARATORS.split(value)
        if len(uids) > _MOST_UIDS or not all(map(is_uid, uids)):
            raise Refused("a UID to match that breaks the grammar")
    return key


def _field(name: str) -> str:
    return name if name == "all" else _attribute(name)


@functools.lru_cache(maxsize=512)
def _attribute(name: str) -> str:
    """A keyword or tag, or several for an attribute in a sequence; tags in upper case."""
    steps = [step.upper() if _TAG.match(step) else step for step in name.split(".")]
    if not all(map(_is_told, steps)):
        raise Refused("an attribute that breaks the grammar, is private, or counts what is hidden")
    return ".".join(steps)


def _is_told(step: str) -> bool:
    if step in _UNTOLD:
        return False
    # The group of a private attribute is odd (PS3.5 7.1).
    return bool(_KEYWORD.match(step)) or (bool(_TAG.match(step)) and int(step[3], 16) % 2 == 0)


class Pages:
    """The state of one search: what to ask next, and which of the visible matches to show."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self._scanned = 0
        self._page = 0
        self._asked = 0
        self._received = 0
        self._visible = 0
        self.shown = 0
        """Matches that went to the client."""

    def next(self) -> Parameters:
        """The parameters to ask the archive with, for the first page or the next one."""
        search = self._search
        parameters = [*search.matching, *(("includefield", tag) for tag in search.added)]
        self._asked = self._received = 0
        if search.limit is not None:
            self._asked = self._estimate(search.offset + search.limit - self._visible)
            parameters.append(("limit", str(self._asked)))
        if self._scanned:
            parameters.append(("offset", str(self._scanned)))
        self._page += 1
        return tuple(parameters)

    def _estimate(self, left: int) -> int:
        """How many matches to ask for so that ``left`` of them are visible."""
        # Whoever sees everything gets all of it from the first page.
        if self._scanned and self._visible:
            left = max(_SMALLEST_NEXT_PAGE, left * self._scanned * 5 // (self._visible * 4) + 1)
        elif self._scanned:
            left = max(left, _SMALLEST_NEXT_PAGE << min(self._page, 10))
        return min(_LARGEST_PAGE, left)

    def received(self) -> None:
        """The archive sent a match."""
        self._scanned += 1
        self._received += 1

    def show(self) -> bool:
        """The match may be seen: whether it is one of those asked for."""
        self._visible += 1
        wanted = self._visible > self._search.offset and not self.full
        self.shown += wanted
        return wanted

    @property
    def full(self) -> bool:
        """Whether the client has as many as it asked for."""
        return self._search.limit is not None and self.shown >= self._search.limit

    @property
    def exhausted(self) -> bool:
        """Whether the archive has been asked for as much as one search may cost."""
        return self._scanned >= _MOST_SCANNED

    def goes_on(self, *, more: bool) -> bool:
        """After a page: whether there is another to ask for. ``more``: the archive said that there is more."""
        if self.full or not self._received:
            return False
        return more or (self._asked > 0 and self._received >= self._asked)
