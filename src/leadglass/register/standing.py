"""How each requirement stands: which findings speak against it, and of how many systems."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from leadglass.register.check import Disagreement, Rule
from leadglass.register.requirements import Profile, Requirement

__all__ = ["Standing", "standing"]


@dataclass(frozen=True, slots=True)
class Standing:
    """One requirement and what the register holds against it. Nothing held against it proves nothing."""

    profile: str
    requirement: Requirement
    against: tuple[Disagreement, ...]


def standing(profiles: Iterable[Profile], found: Sequence[Disagreement]) -> Iterator[Standing]:
    """Every requirement of ``profiles``, with the findings that speak against it."""
    for profile in profiles:
        for row in profile.rows:
            yield Standing(profile.name, row, tuple(one for one in found if _is_against(one, row)))


def _is_against(one: Disagreement, row: Requirement) -> bool:
    match one.rule:
        case Rule.CONTROL_MISSING:
            return one.control in row.controls
        case Rule.INVENTORY_OLD:
            return row.inventory_days is not None
        case Rule.SCAN_OLD:
            return row.scan_days is not None
        case _:
            return one.rule in row.rules
