"""What a study of a sample is reduced to: the names of the features it shows, and nothing else.

The rows stand in ``knowledge/features.toml``. A match comes in as text by keyword; what comes out holds no value
of it.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass

from leadglass.judge.knowledge import table
from leadglass.model.verdict import Kind

__all__ = ["FRESH", "Feature", "features", "keys", "shown"]

FRESH = dt.timedelta(days=90)
_HUMAN = re.compile(r"(?i)homo sapien|\bhuman")
_LONGEST = 128
"""Characters of a value that are looked at: no pattern needs more."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One row."""

    id: str
    group: str
    keys: tuple[str, ...]
    says: str
    share: Mapping[Kind, float]
    spread: float
    source: str
    pattern: re.Pattern[str] | None = None
    test: str | None = None
    unless: frozenset[str] = frozenset()

    def shows(self, values: Mapping[str, str], today: dt.date) -> bool:
        """Whether a study with these values shows it, ``unless`` left aside."""
        found = [values[key][:_LONGEST].strip() for key in self.keys if key in values]
        match self.test:
            case "human":
                return any(value and not _HUMAN.search(value) for value in found)
            case "recent":
                return any(_is_recent(value, today) for value in found)
            case "same":
                return len(set(found)) == 1 < len(found) and self._fits(found[0])
            case _:
                return any(self._fits(value) for value in found)

    def _fits(self, value: str) -> bool:
        return self.pattern is not None and self.pattern.search(value) is not None


@functools.cache
def features() -> tuple[Feature, ...]:
    """The rows, in the order of the table."""
    return tuple(
        Feature(
            id=row["id"],
            group=row["group"],
            keys=tuple(row["keys"]),
            says=row["says"],
            share={Kind(kind): float(share) for kind, share in row["share"].items()},
            spread=float(row["spread"]),
            source=row["source"],
            pattern=re.compile(row["pattern"]) if "pattern" in row else None,
            test=row.get("test"),
            unless=frozenset(row.get("unless", ())),
        )
        for row in table("features")["feature"]
    )


@functools.cache
def keys() -> tuple[str, ...]:
    """The attributes that a query of the sample asks for, by keyword, sorted."""
    return tuple(sorted({key for feature in features() for key in feature.keys}))


def shown(values: Mapping[str, str], today: dt.date) -> frozenset[str]:
    """The features of one study. ``values``: text by keyword; what is not there counts as empty."""
    found = {feature.id: feature for feature in features() if feature.shows(values, today)}
    return frozenset(id_ for id_, feature in found.items() if not feature.unless & found.keys())


def _is_recent(date: str, today: dt.date) -> bool:
    try:
        taken = dt.datetime.strptime(date, "%Y%m%d").replace(tzinfo=dt.UTC).date()
    except ValueError:
        return False
    return dt.timedelta(0) <= today - taken <= FRESH
