"""Whether a chain is whole; and if not, what was done to it and where.

Only the first fault is told: behind it nothing is proved any more. To tell an entry that was moved from
one that was taken away, the rest is read once more for traces of it, still without keeping any of it.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from leadglass.ledger.chain import GENESIS, Entry, Head, read_entry

__all__ = ["Break", "Broken", "Verified", "verify"]


class Break(enum.Enum):
    """What was done to a chain."""

    EDITED = "edited"
    DELETED = "deleted"
    INSERTED = "inserted"
    REORDERED = "reordered"
    DUPLICATED = "duplicated"
    CUT = "cut"
    """Entries are missing at the end."""


@dataclass(frozen=True, slots=True)
class Verified:
    """The chain is whole from its first entry."""

    head: Head


@dataclass(frozen=True, slots=True)
class Broken:
    """The chain is whole up to the entry before ``n``."""

    n: int
    """The entry that is not as it was written, not where it was, or not there."""
    what: Break
    why: str
    """One line about it."""


def verify(lines: Iterable[bytes], *anchors: Head) -> Verified | Broken:
    """Read a whole chain, from entry 1; each line with its end.

    ``anchors`` are heads that the chain is known to have had: they must be on the way. Without one, nobody
    can tell that the end is missing, or that everything was written anew.
    """
    known: dict[int, set[str]] = {}
    for anchor in anchors:
        if anchor.n:
            known.setdefault(anchor.n, set()).add(anchor.digest)
    head, rest = GENESIS, iter(lines)
    for line in rest:
        entry = read_entry(line)
        if entry is None or not entry.follows(head):
            return _explained(head, entry, rest, known)
        if not known.get(entry.n, set()) <= {entry.digest}:
            return Broken(entry.n, Break.EDITED, "this entry, or one before it, is not what was anchored")
        head = entry.head
    last = max(known, default=0)
    if head.n < last:
        return Broken(head.n + 1, Break.CUT, f"{_entries(head.n + 1, last)} missing at the end")
    return Verified(head)


def _explained(head: Head, entry: Entry | None, rest: Iterator[bytes], known: dict[int, set[str]]) -> Broken:
    """What ``entry`` means, which stands where the one after ``head`` should."""
    due = head.n + 1
    if entry is not None and entry.n < due:
        return _again(head, entry)
    if entry is not None and entry.n > due:
        return _gap(head, entry, rest, known)
    if (following := read_entry(next(rest, b""))) and following.follows(head):
        return Broken(due, Break.INSERTED, f"a line that was never written stands before entry {due}")
    if entry is None:
        return Broken(due, Break.EDITED, "its digest does not fit what stands in it")
    if not head.n:
        return Broken(due, Break.EDITED, "the first entry does not stand at the beginning of a chain")
    return Broken(head.n, Break.EDITED, f"written anew: entry {due} follows on another one")


def _again(head: Head, entry: Entry) -> Broken:
    if entry.n == head.n and entry.digest != head.digest:
        return Broken(entry.n, Break.INSERTED, f"two different entries have the number {entry.n}")
    return Broken(entry.n, Break.DUPLICATED, f"it stands once more after entry {head.n}")


def _gap(head: Head, entry: Entry, rest: Iterator[bytes], known: dict[int, set[str]]) -> Broken:
    """Tell why ``entry`` has too high a number: moved here, invented, or those before it gone."""
    due = head.n + 1
    behind = map(read_entry, rest)
    following = next(behind, None)
    is_due_elsewhere, is_genuine = False, entry.digest in known.get(entry.n, ())
    for later in filter(None, chain((following,), behind)):
        is_due_elsewhere |= later.follows(head)
        is_genuine |= later.previous == entry.digest
    if not is_due_elsewhere:
        return Broken(due, Break.DELETED, f"{_entries(due, entry.n - 1)} missing")
    if not is_genuine:
        return Broken(due, Break.INSERTED, f"an entry that was never written stands before entry {due}")
    if following is not None and following.follows(entry.head):
        return Broken(due, Break.REORDERED, "it stands further behind")
    return Broken(entry.n, Break.REORDERED, f"it stands before entry {due}")


def _entries(first: int, last: int) -> str:
    return f"entry {first} is" if first == last else f"entries {first} to {last} are"
