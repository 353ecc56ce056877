"""Looks something up in the spool, and checks that the spool is whole. Both read it as a stream."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import chain

from leadglass.guard.audit.entries import told
from leadglass.guard.audit.events import AuditEvent, Outcome
from leadglass.ledger.chain import Entry, Head, read_entry
from leadglass.ledger.verify import Broken, Verified, verify
from leadglass.store.spooled import (
    Folder,
    anchors_of,
    files_of,
    lines_of,
    position_of,
    unfinished,
    writers_of,
)

__all__ = ["Checked", "Found", "Wanted", "check", "search"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; None: anything."""

    who: str | None = None
    """A person, a device, an AE title or an address, whole; case does not matter."""
    what: str | None = None
    """What happened (``Happening``), or what was asked for (``Action``)."""
    outcomes: frozenset[Outcome] | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    """Up to this moment, and not it."""
    study: str | None = None
    """A Study Instance UID."""

    def fits(self, event: AuditEvent) -> bool:
        """Whether ``event`` is looked for."""
        return (
            (self.since is None or event.at >= self.since)
            and (self.until is None or event.at < self.until)
            and (self.outcomes is None or event.outcome in self.outcomes)
            and (self.what is None or self.what in _what(event))
            and (self.study is None or any(one.study_instance_uid == self.study for one in event.studies))
            and (self.who is None or self.who.casefold() in _who(event))
        )


@dataclass(frozen=True, slots=True)
class Found:
    """One entry that was looked for."""

    writer: str
    entry: Entry
    event: AuditEvent
    line: bytes
    """As it stands in the spool, with its end."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One writer's chain."""

    writer: str
    result: Verified | Broken
    files: int
    notes: tuple[str, ...]
    """What the chain itself tells about repairs, the first of them."""
    more_notes: int
    """How many more."""
    unfinished: int
    """Octets at the end that are no whole line."""


_MOST_NOTES = 100


def search(folders: Sequence[Folder], wanted: Wanted) -> Iterator[Found]:
    """What is looked for, in the order in which it was written down."""
    chains = [_found(writer, folders, wanted) for writer in writers_of(*folders)]
    return merge(*chains, key=lambda found: found.entry.at)


def check(folders: Sequence[Folder], anchors: Sequence[Folder] = ()) -> list[Checked]:
    """Every chain in ``folders``, against the anchors there and those that were kept in ``anchors``."""
    return [_checked(writer, folders, anchors) for writer in writers_of(*folders)]


def _found(writer: str, folders: Sequence[Folder], wanted: Wanted) -> Iterator[Found]:
    # Most entries are not looked for: a line without the UID need not be read any further.
    needle = None if wanted.study is None else wanted.study.encode()
    for line in lines_of(files_of(writer, *folders)):
        if needle is not None and needle not in line:
            continue
        entry = read_entry(line)
        if entry is not None and wanted.fits(event := told(entry)):
            yield Found(writer, entry, event, line)


def _checked(writer: str, folders: Sequence[Folder], anchors: Sequence[Folder]) -> Checked:
    files = files_of(writer, *folders)
    notes = _Notes()
    heads = chain.from_iterable(_known_heads(folder, writer) for folder in (*folders, *anchors))
    result = verify(notes.heard(lines_of(files)), *heads)
    return Checked(writer, result, len(files), tuple(notes.first), notes.more, unfinished(files))


def _known_heads(folder: Folder, writer: str) -> Iterator[Head]:
    yield from anchors_of(folder, writer)
    yield position_of(folder, writer).head


class _Notes:
    """Listens for what a chain tells about itself."""

    def __init__(self) -> None:
        self.first: list[str] = []
        self.more = 0

    def heard(self, lines: Iterator[bytes]) -> Iterator[bytes]:
        for line in lines:
            if b'"note":"' in line and (entry := read_entry(line)) and "note" in entry.body:
                self._note(told(entry).reason or "")
            yield line

    def _note(self, words: str) -> None:
        if len(self.first) < _MOST_NOTES:
            self.first.append(words)
        else:
            self.more += 1


def _what(event: AuditEvent) -> set[str]:
    return {event.happening.value} | ({event.action.value} if event.action is not None else set())


def _who(event: AuditEvent) -> set[str]:
    named = (event.claimed, event.device, event.title, event.address, event.who and event.who.name)
    return {name.casefold() for name in named if name}
