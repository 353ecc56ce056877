"""What scans saw over time: when each exposure was first seen, how it changed, and which scan shows that it is closed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from leadglass.ledger.chain import Entry
from leadglass.model.register import Seen, SeenPort
from leadglass.model.verdict import Access, Position, Severity
from leadglass.register.codec import SEEN, read

__all__ = ["Exposure", "Step", "exposures"]


@dataclass(frozen=True, slots=True)
class Step:
    """What a port showed from one scan on."""

    at: int
    """POSIX seconds."""
    scan: str
    access: Access
    severity: Severity


@dataclass(frozen=True, slots=True)
class Exposure:
    """One port that was seen to be worth a severity, from one side, until it was no more."""

    address: str
    port: int
    position: Position
    name: str | None
    """The DNS name that the address was resolved from."""
    steps: tuple[Step, ...]
    """At least one, in the order in which they were written down."""
    closed: int | None = None
    """POSIX seconds; None: it is open still."""
    closed_by: str = ""
    """The scan that looked and saw it no more."""

    @property
    def opened(self) -> int:
        """POSIX seconds: when it was first seen."""
        return self.steps[0].at

    @property
    def worst(self) -> Step:
        """The step of the highest severity; of equal ones the first."""
        return min(self.steps, key=lambda step: step.severity.rank)


@dataclass(slots=True)
class _Place:
    """One address from one side."""

    open: dict[int, Exposure] = field(default_factory=dict)


def exposures(entries: Iterable[Entry]) -> list[Exposure]:
    """Every exposure that the entries tell of: first those that are open, worst first, then by when they were closed.

    ``ConfigError`` if an entry about what was seen cannot be read.
    """
    places: dict[str, _Place] = {}
    found: list[Exposure] = []
    for entry in entries:
        body = entry.body
        if body["what"] == SEEN:
            place = places.setdefault(body["name"], _Place())
            found += _closed(place, entry) if body["now"] is None else _seen(place, _read(entry))
    found += [one for place in places.values() for one in place.open.values()]
    return sorted(found, key=_order)


def _order(one: Exposure) -> tuple[int, int, int, str, int, str]:
    is_open = one.closed is None
    rank = one.steps[-1].severity.rank if is_open else 0
    when = one.opened if is_open else -(one.closed or 0)
    return (not is_open, rank, when, one.address, one.port, one.position)


def _read(entry: Entry) -> Seen:
    body = entry.body
    seen = read(SEEN, body["name"], body["now"], f"entry {entry.n}")
    assert isinstance(seen, Seen)
    return seen


def _seen(place: _Place, seen: Seen) -> Iterator[Exposure]:
    """Bring the place up to date; what is closed now."""
    now = {port.port: port for port in seen.ports if port.severity is not Severity.NONE}
    for number in sorted(place.open.keys() - now.keys()):
        yield replace(place.open.pop(number), closed=seen.since, closed_by=seen.scan)
    for number, port in now.items():
        place.open[number] = _continued(place.open.get(number), seen, port)


def _continued(before: Exposure | None, seen: Seen, port: SeenPort) -> Exposure:
    step = Step(seen.since, seen.scan, port.access, port.severity)
    if before is None:
        return Exposure(seen.address, port.port, seen.position, seen.name, (step,))
    last = before.steps[-1]
    if (last.access, last.severity) == (step.access, step.severity):
        return before
    return replace(before, steps=(*before.steps, step))


def _closed(place: _Place, entry: Entry) -> Iterator[Exposure]:
    """The observation was taken out of the register: nothing tells of it any more."""
    moment = int(entry.moment.timestamp())
    yield from [replace(one, closed=moment) for one in place.open.values()]
    place.open.clear()
