"""The ways through a front: from a door that is open to the network to a server behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from leadglass.configs.fronts.imaging import Target
from leadglass.configs.fronts.needs import WORST_REACH, Gate, Need, exposure, is_open, reach
from leadglass.configs.reading import Fact, Front, Listener, Login, Reach, Service
from leadglass.configs.source import Source
from leadglass.model.verdict import Access

__all__ = ["MOST_WAYS", "Door", "Way", "facts", "fronts", "listeners"]

MOST_WAYS = 2000
"""Doors times paths times servers behind them, in one file."""


@dataclass(frozen=True, slots=True)
class Door:
    """A port that the front listens on."""

    port: int | None
    tls: bool
    bound: Reach
    at: int
    """Offset of what opens it."""

    @property
    def name(self) -> str:
        """Its listener's name: ``front/443``."""
        return f"front/{self.port}" if self.port else "front"


@dataclass(frozen=True, slots=True)
class Way:
    """One door, one path, one server behind it."""

    door: Door
    path: str
    """The location as it is written, ``/`` for everything; ``""`` for a stream."""
    target: Target
    gate: Gate
    service: Service
    imaging: bool
    at: int
    """Offset of what sends requests there."""

    @property
    def reach(self) -> Reach:
        """Who can come this far."""
        return reach(self.gate, self.door.bound)

    @property
    def exposure(self) -> Access:
        """What a stranger meets who asks this way: of DICOM only that he is let through to associate."""
        found = exposure(self.gate)
        open_stream = self.service is Service.DICOM and found is Access.ANSWERS_QUERY
        return Access.ASSOCIATES if open_stream else found


def listeners(ways: Iterable[Way], product: str) -> tuple[Listener, ...]:
    """The ports by which imaging servers are reached, each as open as its worst way."""
    doors: dict[tuple[str, Service], list[Way]] = {}
    for way in ways:
        if way.imaging and Need.NOBODY not in way.gate:
            doors.setdefault((way.door.name, way.service), []).append(way)
    return tuple(_listener(name, service, found, product) for (name, service), found in doors.items())


def fronts(ways: Iterable[Way], source: Source) -> tuple[Front, ...]:
    """Every way that somebody gets through, imaging or not, once."""
    found = {
        (
            way.target.host,
            way.target.port,
            way.path,
            exposure(way.gate),
            way.reach,
            source.place(way.at).line,
        ): None
        for way in ways
        if Need.NOBODY not in way.gate
    }
    return tuple(Front(*row) for row in found)


def facts(ways: Sequence[Way]) -> Mapping[str, Fact]:
    """The words of the reference: which imaging paths are open, which ask, and how."""
    imaging = [way for way in ways if way.imaging and Need.NOBODY not in way.gate]
    gates = [way.gate for way in imaging]
    return {
        "imaging": bool(imaging),
        "behind": _each(f"{way.target.host}:{way.target.port}" for way in imaging),
        "open_paths": _each(_shown(way) for way in imaging if not way.gate),
        "named_paths": _each(_shown(way) for way in imaging if way.gate == {Need.ADDRESS}),
        "asking_paths": _each(_shown(way) for way in imaging if not is_open(way.gate)),
        "closed_paths": _each(_shown(way) for way in ways if way.imaging and Need.NOBODY in way.gate),
        "asks": _each(str(need) for gate in gates for need in sorted(gate)),
        "tls": _share([way.door.tls for way in imaging]),
        "verdict": _verdict(gates),
    }


def _listener(name: str, service: Service, ways: Sequence[Way], product: str) -> Listener:
    worst = min(ways, key=lambda way: (WORST_REACH.index(way.reach), way.exposure.rank))
    asks = all({Need.LOGIN, Need.SECRET} & way.gate for way in ways)
    web = Login.EXTERNAL if asks else Login.NONE
    return Listener(
        name=name,
        service=service,
        port=worst.door.port,
        product=product,
        exposure=worst.exposure,
        reach=worst.reach,
        login=web if service is Service.WEB else None,
        tls=all(way.door.tls for way in ways),
        client_certificate=all(Need.CERTIFICATE in way.gate for way in ways),
    )


def _shown(way: Way) -> str:
    return f"{way.door.port or '-'} {way.path}".rstrip()


def _each(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def _share(flags: Sequence[bool]) -> str | None:
    if not flags:
        return None
    return ("all" if all(flags) else "some") if any(flags) else "none"


def _verdict(gates: Sequence[Gate]) -> str | None:
    """The worst that a stranger meets, in one word; None when nothing of imaging is behind it."""
    if not gates:
        return None
    wide = [gate for gate in gates if Need.ADDRESS not in gate]
    if not wide:
        return "named"
    if all(map(is_open, wide)):
        return "open"
    if any(map(is_open, wide)):
        return "partly-open"
    return str(min(map(exposure, wide), key=lambda access: access.rank))
