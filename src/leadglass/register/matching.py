"""Which declared system an observation is of: by address, by the name it was resolved from, by what only it shows."""

from __future__ import annotations

from collections.abc import Sequence

from leadglass.model.register import Register, Seen, System

__all__ = ["identified", "seen_of", "systems_at"]


def systems_at(register: Register, seen: Seen) -> Sequence[System]:
    """The systems that are declared to be where this was seen."""
    places = dict.fromkeys([seen.address, seen.name or seen.address])
    found = (system for place in places for system in register.systems_at.get(place, ()))
    return list({system.name: system for system in found}.values())


def seen_of(register: Register, system: System) -> Sequence[Seen]:
    """Everything seen where this system is declared to be."""
    found = (seen for address in system.addresses for seen in register.seen_at.get(address, ()))
    return list({(seen.address, seen.position): seen for seen in found}.values())


def identified(register: Register, seen: Seen) -> Sequence[System]:
    """The systems declared elsewhere that once showed what only this server shows."""
    here = {system.name for system in systems_at(register, seen)}
    others = register.identified.get(seen.identity or "", ())
    found = (system for other in others for system in systems_at(register, other))
    return list({system.name: system for system in found if system.name not in here}.values())
