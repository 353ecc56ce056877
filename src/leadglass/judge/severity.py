"""How soon somebody should act: one table of access by vantage, lowered by nature and data.

The table is ``knowledge/severity.toml``; this module only looks it up.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import NamedTuple

from leadglass.judge.knowledge import table
from leadglass.judge.rules import Rule, because
from leadglass.model.verdict import Access, Data, Kind, Nature, Position, Reason, Severity

__all__ = ["Graded", "severity"]


class Graded(NamedTuple):
    """The severity and the reasons for it."""

    severity: Severity
    reasons: tuple[Reason, ...]


def severity(access: Access, position: Position, nature: Nature, data: Data) -> Graded:
    """The severity of one endpoint."""
    grade = _table()[access, position]
    reasons = [because(Rule.SEVERITY, f"{access} seen from {_SEEN_FROM[position]} is {grade}")]
    why = _lowering(nature, data)
    if why and grade.rank < _floor().rank:
        grade = list(Severity)[grade.rank + 1]
        reasons.append(because(Rule.SEVERITY_LOWERED, f"one step milder, {grade}, because {why}"))
    return Graded(grade, tuple(reasons))


_SEEN_FROM = {
    Position.OUTSIDE: "outside",
    Position.INSIDE: "inside",
    Position.UNKNOWN: "a place that was not declared",
}


@functools.cache
def _table() -> Mapping[tuple[Access, Position], Severity]:
    rows = table("severity")["table"]
    return {
        (access, position): Severity(rows[access.value][position.value])
        for access in Access
        for position in Position
    }


@functools.cache
def _floor() -> Severity:
    return Severity(table("severity")["lowered"]["floor"])


def _lowering(nature: Nature, data: Data) -> str:
    limits = table("severity")["lowered"]
    if nature.shares[Kind.HONEYPOT] >= limits["honeypot_share"]:
        return f"a honeypot is likely ({nature.shares[Kind.HONEYPOT]:.0%})"
    return f"the data are {data}" if data.value in limits["data"] else ""
