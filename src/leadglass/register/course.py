"""The course of findings: since when each stands, which stood and were resolved, and by which entries.

The register is made anew entry by entry, and judged at the end of each day on which something of it changed: an
entry was written, or a day came on which something falls due. Only what an entry or a day touches is judged again.
The past is judged by the rules of today.
"""

from __future__ import annotations

import datetime as dt
import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from leadglass.ledger.chain import GENESIS, Entry, Head
from leadglass.model.register import Review, Risk, ScanTaken, Seen, System
from leadglass.register.check import (
    Asked,
    Disagreement,
    Key,
    asked_by,
    check_risk,
    check_scans,
    check_seen,
    check_system,
    risk_days,
    scans_days,
    system_days,
)
from leadglass.register.codec import FIELDS, SCAN, SYSTEM, Thing, key_of, read
from leadglass.register.growing import Growing
from leadglass.register.matching import systems_at
from leadglass.register.requirements import Profile

__all__ = ["Following", "Stood", "course", "standing_since"]

_Unit: TypeAlias = tuple[str, str]
"""What is judged at once: a system, an observation or a risk, by its kind and name; or all scans."""

_SCANS: _Unit = (SCAN, "")


@dataclass(frozen=True, slots=True)
class Stood:
    """One finding, from the first day at whose end it stood to the first at whose end it did no more."""

    found: Disagreement
    """As it was last worded."""
    began: dt.date
    began_by: int | None
    """The entry that it came with; None: a day came."""
    ended: dt.date | None = None
    """None: it stands still."""
    ended_by: int | None = None
    """The entry that it went with; None: a day came, or it stands still."""


def course(entries: Iterable[Entry], today: dt.date, profiles: Iterable[Profile] = ()) -> list[Stood]:
    """Every finding that ever stood at the end of a day: first those that stand, worst first; then by end, latest first.

    A finding that ends and comes again is two. ``ConfigError`` if an entry cannot be read.
    """
    following = Following(profiles)
    following.follow(entries, today)
    return sorted(following.all(), key=_order)


class Following:
    """A course as far as it has come: who asks again gives it the entries that came since, and not all."""

    def __init__(self, profiles: Iterable[Profile] = ()) -> None:
        """Before the first entry."""
        self.head: Head = GENESIS
        """The last entry that it was given."""
        self._asked = asked_by(profiles)
        self._replay: _Replay | None = None

    def follow(self, entries: Iterable[Entry], today: dt.date) -> None:
        """Go through ``entries``, which come after ``head``, and on to ``today``, which is never an earlier day.

        ``ConfigError`` if an entry cannot be read; then it has come no further than the entry before.
        """
        for entry in entries:
            # A clock may be set back, and entries of tomorrow may be there: days only ever go on, and not past today.
            day = min(entry.moment.date(), today)
            if self._replay is None:
                self._replay = _Replay(self._asked, day)
            self._replay.reach(day)
            self._replay.write(entry)
            self.head = entry.head
        if self._replay is not None:
            self._replay.reach(today)

    def all(self) -> Iterator[Stood]:
        """Every finding that ever stood, if the day ends now; nothing can be followed after that."""
        return iter(()) if self._replay is None else self._replay.all()

    def begun(self) -> dict[Key, tuple[dt.date, int | None]]:
        """Of each that stands now, the day since when, and the entry that it came with."""
        return {} if self._replay is None else self._replay.begun()


def standing_since(stood: Iterable[Stood]) -> dict[Key, Stood]:
    """Those that stand, by what makes a finding the same."""
    return {one.found.key: one for one in stood if one.ended is None}


def _order(one: Stood) -> tuple[bool, int, int, Key]:
    latest = 0 if one.ended is None else -one.ended.toordinal()
    return one.ended is not None, latest, one.found.severity.rank, one.found.key


class _Replay:
    """The register on its way from the first entry on."""

    def __init__(self, asked: Asked, day: dt.date) -> None:
        self._asked = asked
        self._day = day
        self._register = Growing()
        self._due: list[tuple[dt.date, _Unit]] = [(day, _SCANS)]
        """When what is to be judged again though no entry touches it; a heap."""
        self._found: dict[_Unit, dict[Key, Disagreement]] = {}
        """What is wrong at this moment."""
        self._turned: dict[Key, tuple[bool, int | None]] = {}
        """What came or went on this day: whether it came at last, and by which entry."""
        self._said: dict[Key, Disagreement] = {}
        self._open: dict[Key, tuple[dt.date, int | None]] = {}
        """What stood at the end of the day before."""
        self._ended: list[Stood] = []

    def reach(self, day: dt.date) -> None:
        """Let the days pass until ``day``; one that has passed stays so."""
        while self._due and self._due[0][0] <= day:
            when, unit = heapq.heappop(self._due)
            self._begin(when)
            self._judge(unit, None)
        self._begin(day)

    def write(self, entry: Entry) -> None:
        """Write an entry of this day."""
        body = entry.body
        what, name = body["what"], body["name"]
        if what not in FIELDS:  # a later version may keep more
            return
        now = None if body["now"] is None else read(what, name, body["now"], f"entry {entry.n}")
        before = self._register.put(what, name, now)
        for unit in dict.fromkeys(self._touched((what, name), before, now)):
            self._judge(unit, entry.n)

    def begun(self) -> dict[Key, tuple[dt.date, int | None]]:
        """What would stand if the day ended now, since when and by which entry."""
        begun = dict(self._open)
        for key, (came, n) in self._turned.items():
            if came:
                begun.setdefault(key, (self._day, n))
            else:
                begun.pop(key, None)
        return begun

    def all(self) -> Iterator[Stood]:
        """What stands at the end of this day, and what does no more."""
        self._settle()
        yield from self._ended
        yield from (Stood(self._said[key], *began) for key, began in self._open.items())

    # ---- days

    def _begin(self, day: dt.date) -> None:
        if day > self._day:
            self._settle()
            self._day = day

    def _settle(self) -> None:
        """The day is over: what came and went again on it, or went and came, did nothing."""
        for key, (came, n) in self._turned.items():
            if came:
                self._open.setdefault(key, (self._day, n))
            elif key in self._open:
                self._ended.append(Stood(self._said[key], *self._open.pop(key), self._day, n))
        self._turned.clear()

    # ---- one thing

    def _judge(self, unit: _Unit, n: int | None) -> None:
        """See what is wrong with one thing now, and when that may change by itself."""
        before = self._found.pop(unit, {})
        now = {one.key: one for one in self._wrong(unit)}
        self._turned.update((key, (key in now, n)) for key in before.keys() ^ now.keys())
        self._said.update(now)
        if now:
            self._found[unit] = now
        following = min((day for day in self._days(unit) if day > self._day), default=None)
        if following is not None:
            heapq.heappush(self._due, (following, unit))

    def _wrong(self, unit: _Unit) -> Iterable[Disagreement]:
        register = self._register
        match self._thing(unit):
            case System() as system:
                return check_system(register, system, self._asked, self._day)
            case Seen() as seen:
                return check_seen(register, seen)
            case Risk() as risk:
                return check_risk(risk, self._day)
            case _:
                return check_scans(register, self._asked, self._day) if unit == _SCANS else ()

    def _days(self, unit: _Unit) -> Iterable[dt.date]:
        match self._thing(unit):
            case System() as system:
                return system_days(self._register, system, self._asked)
            case Risk() as risk:
                return risk_days(risk)
            case _:
                return scans_days(self._register, self._asked) if unit == _SCANS else ()

    def _thing(self, unit: _Unit) -> Thing | None:
        what, name = unit
        table: dict[str, Thing] = getattr(self._register, FIELDS[what])
        return table.get(name)

    # ---- what an entry touches

    def _touched(self, unit: _Unit, before: Thing | None, now: Thing | None) -> Iterator[_Unit]:
        """All of which another thing may be wrong when ``before`` becomes ``now``."""
        yield unit
        has_moved = _whereabouts(before) != _whereabouts(now)
        for thing in filter(None, (before, now)):
            match thing:
                case System() if has_moved:
                    for address in thing.addresses:
                        for seen in self._register.seen_at.get(address, ()):
                            yield from self._alike(seen)
                case Seen():
                    declared = systems_at(self._register, thing)
                    yield from ((SYSTEM, system.name) for system in declared)
                    yield from self._alike(thing) if has_moved and declared else ()
                case Review() | Risk():
                    yield SYSTEM, thing.system
                case ScanTaken():
                    yield _SCANS

    def _alike(self, seen: Seen) -> Iterator[_Unit]:
        """What was seen there, and wherever the same identity was shown."""
        yield key_of(seen)
        yield from map(key_of, self._register.identified.get(seen.identity or "", ()))


def _whereabouts(thing: Thing | None) -> tuple[object, ...]:
    """What decides which declared systems an observation is of, and what a system is known by elsewhere."""
    match thing:
        case System():
            return (thing.addresses,)
        case Seen():
            return thing.address, thing.name, thing.identity
        case _:
            return ()
