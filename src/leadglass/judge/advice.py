"""What to do, and what would settle what is open: rows of ``knowledge/advice.toml`` chosen by the verdict.

Only choosing happens here. A row may name products, words, rules, states; it is said where all it names holds.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from leadglass.judge.knowledge import table
from leadglass.model.rung import Rung
from leadglass.model.verdict import Position, Verdict

__all__ = ["LIMIT", "Saying", "advice", "sayings", "settles"]

LIMIT = 6
"""More advice than this is not read."""


@dataclass(frozen=True, slots=True)
class Saying:
    """One row and its conditions; an empty condition always holds."""

    text: str
    source: str = ""
    product: tuple[str, ...] = ()
    access: tuple[str, ...] = ()
    protocol: tuple[str, ...] = ()
    position: tuple[str, ...] = ()
    rule: tuple[str, ...] = ()
    below: str | None = None
    reached: str | None = None
    capability: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def suits(self, verdict: Verdict, rung: Rung, position: Position) -> bool:
        """Whether everything the row names holds."""
        return (
            _holds(self.product, {verdict.software.product})
            and _holds(self.access, {verdict.access.value})
            and _holds(self.protocol, set(verdict.protocols))
            and _holds(self.position, {position.value})
            and _holds(self.rule, {reason.rule for reason in verdict.reasons})
            and (self.below is None or rung < Rung.from_word(self.below))
            and (self.reached is None or rung >= Rung.from_word(self.reached))
            and all(_state(verdict, name) in states for name, states in self.capability.items())
        )


def advice(verdict: Verdict, rung: Rung, position: Position) -> tuple[str, ...]:
    """What to do next, the most useful first."""
    return tuple(_suiting("advice", verdict, rung, position))[:LIMIT]


def settles(verdict: Verdict, rung: Rung, position: Position) -> tuple[str, ...]:
    """What would settle what is still open in access."""
    return tuple(_suiting("settle", verdict, rung, position))


@functools.cache
def sayings(kind: str) -> tuple[Saying, ...]:
    """All rows of ``advice`` or ``settle``."""
    return tuple(_saying(row) for row in table("advice")[kind])


def _suiting(kind: str, verdict: Verdict, rung: Rung, position: Position) -> Iterator[str]:
    return (saying.text for saying in sayings(kind) if saying.suits(verdict, rung, position))


def _saying(row: Mapping[str, Any]) -> Saying:
    lists = {name: tuple(value) for name, value in row.items() if isinstance(value, list)}
    states = {name: tuple(value) for name, value in row.get("capability", {}).items()}
    return Saying(**{**row, **lists, "capability": states})


def _holds(wanted: tuple[str, ...], found: set[str] | set[str | None]) -> bool:
    return not wanted or not found.isdisjoint(wanted)


def _state(verdict: Verdict, capability: str) -> str:
    state: str = getattr(verdict.capabilities, capability.replace("-", "_")).value
    return state
