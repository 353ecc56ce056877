"""One nginx file with everything that was worked out about it, as the rules see it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from leadglass.configs.fronts.needs import WORST_REACH, Need, is_open
from leadglass.configs.fronts.nginx_gates import LOGINS, unfiled
from leadglass.configs.fronts.nginx_scopes import Site, site_of
from leadglass.configs.fronts.nginx_syntax import Block, Directive, parse
from leadglass.configs.fronts.nginx_ways import Location, Passing, Server, passings_of, servers_of
from leadglass.configs.fronts.ways import MOST_WAYS, Way
from leadglass.configs.reading import Service
from leadglass.configs.source import Source

__all__ = ["Case", "Spot", "case_of"]


@dataclass(frozen=True)
class Spot:
    """One location that leads to an imaging server, by all its ways."""

    server: Server
    location: Location
    directive: Directive
    """What passes requests on."""
    ways: Sequence[Way]

    @cached_property
    def open_ways(self) -> Sequence[Way]:
        """Those by which a stranger from anywhere needs nothing."""
        return tuple(way for way in self.ways if not way.gate)

    @property
    def listener(self) -> str:
        """Of the door by which most people come."""
        found = self.open_ways or self.ways
        return min(found, key=lambda way: WORST_REACH.index(way.reach)).door.name

    @cached_property
    def asks(self) -> bool:
        """Whether nobody gets through without a login, certificate or secret, by any door with TLS if there is one."""
        ways = [way for way in self.ways if way.door.tls] or self.ways
        return not any(is_open(way.gate) for way in ways)


@dataclass(frozen=True)
class Case:
    """What the rules look at."""

    source: Source
    top: Block
    site: Site
    servers: Sequence[Server]
    passings: Sequence[Passing] = field(repr=False)

    @property
    def ways(self) -> Sequence[Way]:
        """Every way through."""
        return tuple(passing.way for passing in self.passings)

    @cached_property
    def spots(self) -> Sequence[Spot]:
        """Where the web of an imaging server is passed on; nothing that is answered with a refusal."""
        return tuple(self._spots(Service.WEB))

    @cached_property
    def streams(self) -> Sequence[Spot]:
        """Where DICOM itself is passed on."""
        return tuple(self._spots(Service.DICOM))

    @cached_property
    def by_server(self) -> Mapping[Server, Sequence[Spot]]:
        """The spots of each server."""
        found: dict[Server, list[Spot]] = {}
        for spot in self.spots:
            found.setdefault(spot.server, []).append(spot)
        return found

    @cached_property
    def asking(self) -> Mapping[Server, Sequence[Location]]:
        """Of each server, two locations at most that ask who is calling; the archive's before others."""
        return {
            server: tuple(itertools.islice(_asking(server, spots), 2))
            for server, spots in self.by_server.items()
        }

    @cached_property
    def names_with_tls(self) -> frozenset[str]:
        """The names of imaging servers that are served over TLS."""
        with_tls = (server for server in self.by_server if any(door.tls for door in server.doors))
        return frozenset(name for server in with_tls for name in server.names) - {"_", ""}

    def blocks(self) -> Iterator[Block]:
        """Every block, the file first."""
        todo = [self.top]
        while todo:
            block = todo.pop()
            yield block
            todo += [d.block for d in reversed(block.directives) if d.block is not None]

    def all(self, name: str) -> Iterator[Directive]:
        """Every directive of that name, wherever it stands."""
        return (directive for block in self.blocks() for directive in block.all(name))

    def _spots(self, service: Service) -> Iterator[Spot]:
        found: dict[int, list[Passing]] = {}
        for passing in self.passings:
            way = passing.way
            if way.imaging and way.service is service and Need.NOBODY not in way.gate:
                found.setdefault(passing.directive.start, []).append(passing)
        for group in found.values():
            _, server, location, directive = group[0]
            yield Spot(server, location, directive, tuple(passing.way for passing in group))


def _asking(server: Server, spots: Sequence[Spot]) -> Iterator[Location]:
    yield from (spot.location for spot in spots if spot.asks)
    yield from (location for location in server.locations if _logs_in(location))


def _logs_in(location: Location) -> bool:
    own = location.block.all(*LOGINS)
    return any(d.argument != "off" for d in own) and unfiled(location.scope) is None


def case_of(source: Source) -> Case:
    """Read a file; ``ConfigError`` at its place when nginx would not."""
    top = parse(source)
    site = site_of(top)
    servers = tuple(servers_of(top))
    passings: list[Passing] = []
    for passing in passings_of(servers, site):
        if len(passings) == MOST_WAYS:
            raise source.fault(
                f"more than {MOST_WAYS} ways lead through it",
                passing.directive.start,
                then="no front has so many",
            )
        passings.append(passing)
    return Case(source, top, site, servers, passings)
