"""A chain of entries, one a line, each with the hash of the one before.

An entry is ``{"at":"...","body":{...},"digest":"...","n":17,"previous":"..."}`` in canonical JSON. Its
digest is the SHA-256 of the same object without the member ``digest``. Whoever changes an entry must
change all that follow; and who knows a later head, on another machine or on paper, sees that too.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from leadglass.errors import LocalProtocolError
from leadglass.ledger.canonical import Json, canonical

__all__ = ["GENESIS", "LONGEST_LINE", "Chain", "Entry", "Head", "digested", "read_entry", "stamp"]

LONGEST_LINE = 1 << 20
"""Octets of a line, its end included."""

_LINE = re.compile(
    rb'(?P<first>\{"at":"(?P<at>[0-9T:.Z-]{27})","body":(?P<body>\{.*\}),)'
    rb'"digest":"(?P<digest>[0-9a-f]{64})",'
    rb'(?P<last>"n":(?P<n>[1-9][0-9]{0,14}),"previous":"(?P<previous>[0-9a-f]{64})"\})\n'
)


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain stands: the number and digest of its last entry."""

    n: int
    digest: str
    """SHA-256 in hexadecimal."""


GENESIS = Head(0, "0" * 64)
"""Where every chain begins."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry whose digest fits what stands in it."""

    n: int
    """Counted from 1."""
    at: str
    """When it was written: RFC 3339, UTC, microseconds."""
    previous: str
    digest: str
    text: bytes = field(repr=False)
    """The body as it stands in the line."""

    @property
    def head(self) -> Head:
        """Where the chain stands with this entry."""
        return Head(self.n, self.digest)

    @property
    def moment(self) -> dt.datetime:
        """When it was written, as it says itself; ``ValueError`` if that is no moment."""
        return dt.datetime.fromisoformat(self.at)

    @property
    def body(self) -> dict[str, Any]:
        """What was written down."""
        found: dict[str, Any] = json.loads(self.text)
        return found

    def follows(self, head: Head) -> bool:
        """Whether this is the entry that comes after ``head``."""
        return self.n == head.n + 1 and self.previous == head.digest


class Chain:
    """A chain that grows."""

    def __init__(self, head: Head = GENESIS) -> None:
        self.head = head
        """The last entry made."""

    def append(self, body: Mapping[str, Json], at: dt.datetime) -> bytes:
        """The next entry as a line with its end; ``LocalProtocolError`` if ``body`` cannot be written."""
        first = b'{"at":"%b","body":%b,' % (stamp(at).encode(), canonical(body))
        n = self.head.n + 1
        last = b'"n":%d,"previous":"%b"}' % (n, self.head.digest.encode())
        digest = sha256(first + last).hexdigest()
        line = b'%b"digest":"%b",%b\n' % (first, digest.encode(), last)
        if len(line) > LONGEST_LINE:
            raise LocalProtocolError(f"an entry of {len(line)} octets is too long for the ledger")
        self.head = Head(n, digest)
        return line


def read_entry(line: bytes) -> Entry | None:
    """The entry in ``line``; None if it is none, or its digest does not fit what stands in it."""
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    digest = found["digest"].decode()
    if sha256(found["first"] + found["last"]).hexdigest() != digest:
        return None
    return Entry(int(found["n"]), found["at"].decode(), found["previous"].decode(), digest, found["body"])


def digested(line: bytes) -> bytes:
    """What the digest in ``line`` is of: the entry without that member. ``ValueError`` if it is no entry."""
    found = _LINE.fullmatch(line)
    if found is None:
        raise ValueError("this is no entry")
    return found["first"] + found["last"]


def stamp(at: dt.datetime) -> str:
    """A moment as entries have it: RFC 3339, UTC, microseconds."""
    utc = at if at.tzinfo is dt.UTC else at.astimezone(dt.UTC)
    return utc.isoformat(timespec="microseconds")[:-6] + "Z"
