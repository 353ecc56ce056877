"""Which declared system an observation is of: by address, by the name it was resolved from, by what only it shows."""

from __future__ import annotations

from collections.abc import Sequence

from leadglass.model.register import Register, Seen, System

__all__ = ["identified", "seen_of", "systems_at"]


def systems_at(register: Register, seen: Seen) -> Sequence[System]:
    """The systems that are declared to be where this was seen."""
    return [system for system in register.systems.values() if _is_there(system, seen)]


def seen_of(register: Register, system: System) -> Sequence[Seen]:
    """Everything seen where this system is declared to be."""
    return [seen for seen in register.seen.values() if _is_there(system, seen)]


def identified(register: Register, seen: Seen) -> Sequence[System]:
    """The systems declared elsewhere that once showed what only this server shows."""
    if seen.identity is None:
        return []
    places = [other for other in register.seen.values() if other.identity == seen.identity]
    return [
        system
        for system in register.systems.values()
        if not _is_there(system, seen) and any(_is_there(system, other) for other in places)
    ]


def _is_there(system: System, seen: Seen) -> bool:
    return seen.address in system.addresses or (seen.name is not None and seen.name in system.addresses)
