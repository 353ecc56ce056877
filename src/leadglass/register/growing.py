"""A register into which one entry after another is written, for whoever follows how it came to be."""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from leadglass.model.register import Register, Review, Risk, ScanTaken, Seen, System
from leadglass.register.codec import FIELDS, Thing, key_of

__all__ = ["Growing"]


class Growing(Register):
    """Empty at first. What it says where things are goes along with each change, and is not made anew."""

    @cached_property
    def systems_at(self) -> dict[str, list[System]]:
        """By address or name, the systems that are declared to be there."""
        return {}

    @cached_property
    def seen_at(self) -> dict[str, list[Seen]]:
        """By address, and by the name that it was resolved from, what was seen there."""
        return {}

    @cached_property
    def identified(self) -> dict[str, list[Seen]]:
        """By identity, what showed it."""
        return {}

    @cached_property
    def reviews_of(self) -> dict[str, list[Review]]:
        """By system, its reviews."""
        return {}

    @cached_property
    def risks_of(self) -> dict[str, list[Risk]]:
        """By system, its risks."""
        return {}

    def put(self, what: str, name: str, thing: Thing | None) -> Thing | None:
        """From now on that kind of thing called so is ``thing``, None: is gone; what it was before."""
        table: dict[str, Thing] = vars(self)[FIELDS[what]]
        old = table.pop(name, None)
        if old is not None:
            for index, place in self._places(old):
                _take(index, place, old)
        if thing is not None:
            table[name] = thing
            for index, place in self._places(thing):
                bisect.insort(index.setdefault(place, []), thing, key=key_of)
        self._scanned(old, thing)
        return old

    def _scanned(self, old: Thing | None, now: Thing | None) -> None:
        """Whoever looks through all scans after each of them looks through the square of them."""
        if _began(old) == self.last_scan != 0:
            del self.last_scan
        vars(self)["last_scan"] = max(self.last_scan, _began(now))

    def _places(self, thing: Thing) -> Iterator[tuple[dict[str, list[Any]], str]]:
        """Where it stands in which index."""
        match thing:
            case System():
                yield from ((self.systems_at, address) for address in thing.addresses)
            case Seen():
                yield from ((self.seen_at, place) for place in {thing.address, thing.name} if place)
                yield from ((self.identified, identity) for identity in (thing.identity,) if identity)
            case Review():
                yield self.reviews_of, thing.system
            case Risk():
                yield self.risks_of, thing.system
            case _:  # where a scan or a stamp is, nobody asks
                return


def _take(index: dict[str, list[Any]], place: str, thing: Thing) -> None:
    left = [one for one in index.pop(place, ()) if one is not thing]
    if left:
        index[place] = left


def _began(thing: Thing | None) -> int:
    """When a finished scan began; 0 of anything else."""
    return thing.began if isinstance(thing, ScanTaken) and thing.is_complete else 0
