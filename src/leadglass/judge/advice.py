"""What to do, and what would settle what is open: rows of ``knowledge/advice.toml`` chosen by the verdict.

Only choosing happens here. A row may name products, words, rules, states; it is said where all it names holds.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from leadglass.judge.knowledge import table
from leadglass.model.rung import Rung
from leadglass.model.verdict import Capabilities, Position, Verdict

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

    def suits(self, about: _About) -> bool:
        """Whether everything the row names holds."""
        return (
            _holds(self.product, about.product)
            and _holds(self.access, about.access)
            and _holds(self.protocol, about.protocols)
            and _holds(self.position, about.position)
            and _holds(self.rule, about.rules)
            and (self.below is None or about.rung < Rung.from_word(self.below))
            and (self.reached is None or about.rung >= Rung.from_word(self.reached))
            and all(_state(about.capabilities, name) in states for name, states in self.capability.items())
        )


class _About(NamedTuple):
    """What rows are compared with."""

    product: AbstractSet[str | None]
    access: AbstractSet[str]
    protocols: AbstractSet[str]
    position: AbstractSet[str]
    rules: AbstractSet[str]
    rung: Rung
    capabilities: Capabilities


def advice(verdict: Verdict, rung: Rung, position: Position) -> tuple[str, ...]:
    """What to do next, the most useful first."""
    return tuple(_suiting("advice", _about(verdict, rung, position)))[:LIMIT]


def settles(verdict: Verdict, rung: Rung, position: Position) -> tuple[str, ...]:
    """What would settle what is still open in access."""
    return tuple(_suiting("settle", _about(verdict, rung, position)))


@functools.cache
def sayings(kind: str) -> tuple[Saying, ...]:
    """All rows of ``advice`` or ``settle``."""
    return tuple(_saying(row) for row in table("advice")[kind])


def _about(verdict: Verdict, rung: Rung, position: Position) -> _About:
    return _About(
        product={verdict.software.product},
        access={verdict.access.value},
        protocols=set(verdict.protocols),
        position={position.value},
        rules={reason.rule for reason in verdict.reasons},
        rung=rung,
        capabilities=verdict.capabilities,
    )


def _suiting(kind: str, about: _About) -> Iterator[str]:
    return (saying.text for saying in sayings(kind) if saying.suits(about))


def _saying(row: Mapping[str, Any]) -> Saying:
    lists = {name: tuple(value) for name, value in row.items() if isinstance(value, list)}
    states = {name: tuple(value) for name, value in row.get("capability", {}).items()}
    return Saying(**{**row, **lists, "capability": states})


def _holds(wanted: tuple[str, ...], found: AbstractSet[str | None] | AbstractSet[str]) -> bool:
    return not wanted or not found.isdisjoint(wanted)


def _state(capabilities: Capabilities, name: str) -> str:
    state: str = getattr(capabilities, name.replace("-", "_")).value
    return state
