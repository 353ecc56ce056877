"""What kind of organisation a name speaks of, by the words of several languages.

The words stand in ``knowledge/organisations.toml``. A name says what somebody calls himself and proves nothing.
"""

from __future__ import annotations

import enum
import functools
import re
import unicodedata
from collections.abc import Iterable

from leadglass.judge.knowledge import table

__all__ = ["Organisation", "organisations"]

_PARTS = re.compile(r"[a-z]+")
_WHOLE = 4
"""Words up to this length count only as a whole part: ``res`` is not in ``reserved``."""
_LONGEST = 256


class Organisation(enum.StrEnum):
    """What somebody is, as far as a name tells."""

    VETERINARY = "veterinary"
    HOSPITAL = "hospital"
    UNIVERSITY = "university"
    VENDOR = "vendor"
    TEST = "test"
    HOSTING = "hosting"
    ACCESS = "access"


def organisations(names: Iterable[str]) -> frozenset[Organisation]:
    """All kinds that any of the names speaks of: of hosts, in certificates, of registered organisations."""
    return frozenset().union(*(_of(_plain(name)) for name in names))


def _plain(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name[:_LONGEST])
    return "".join(c for c in folded if not unicodedata.combining(c)).lower()


def _of(name: str) -> frozenset[Organisation]:
    parts = _PARTS.findall(name)
    return frozenset(
        kind
        for kind, (words, suffixes) in _words().items()
        if name.rstrip(".").endswith(suffixes) or any(_says(part, words) for part in parts)
    )


def _says(part: str, words: tuple[str, ...]) -> bool:
    return any(part == word if len(word) <= _WHOLE else part.startswith(word) for word in words)


@functools.cache
def _words() -> dict[Organisation, tuple[tuple[str, ...], tuple[str, ...]]]:
    return {
        Organisation(row["kind"]): (tuple(row["words"]), tuple(row.get("suffixes", ())))
        for row in table("organisations")["organisation"]
    }
