"""Which ways lead through an nginx: its doors, its locations, and what is behind each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from leadglass.configs.fronts.imaging import (
    DICOM_PORTS,
    Target,
    is_dicom,
    is_imaging,
    native_paths,
    target_of,
)
from leadglass.configs.fronts.needs import Gate, Need, bound_to
from leadglass.configs.fronts.nginx_gates import gate, returns
from leadglass.configs.fronts.nginx_scopes import Scope, Site
from leadglass.configs.fronts.nginx_syntax import Block, Directive
from leadglass.configs.fronts.patterns import matches
from leadglass.configs.fronts.ways import Door, Way
from leadglass.configs.reading import Service

__all__ = ["Location", "Passing", "Server", "passings_of", "servers_of"]

_PASSES = ("proxy_pass", "grpc_pass", "uwsgi_pass", "fastcgi_pass", "scgi_pass")
_ADDRESS = re.compile(r"(?:(?P<host>\[[0-9a-fA-F:.]*\]|[^:]*):)?(?P<port>\d{1,5})(?:-\d{1,5})?")
_MOST_DOORS = 64
_MOST_TARGETS = 16
_MOST_CHOICES = 100
"""Locations of one server up to which it is worked out which of them nginx would choose."""
_SAMPLES = ("", "/", "/studies", "/system", "x", "x.json", "/app/explorer.html")


@dataclass(frozen=True, slots=True, eq=False)
class Location:
    """One location, or a server's part that is at the top of an included file."""

    directive: Directive | None
    scope: Scope
    """Its own block is the innermost."""
    modifier: str = ""
    """``=``, ``^~``, ``~``, ``~*``, ``@`` or nothing."""
    path: str = "/"

    @property
    def block(self) -> Block:
        """What stands in it."""
        return self.scope.blocks[-1]

    @property
    def passes(self) -> tuple[tuple[Directive, Scope], ...]:
        """What sends requests on, here and in an ``if``."""
        parts = [(self.block, self.scope)]
        parts += [(d.block, self.scope.inner(d.block)) for d in self.block.all("if") if d.block is not None]
        return tuple((directive, scope) for block, scope in parts for directive in block.all(*_PASSES))


@dataclass(frozen=True, eq=False)
class Server:
    """One ``server``."""

    directive: Directive | None
    scope: Scope
    stream: bool
    doors: tuple[Door, ...]
    locations: tuple[Location, ...] = field(repr=False)

    @property
    def block(self) -> Block:
        """What stands in it."""
        return self.scope.blocks[-1]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What it is called by."""
        return tuple(name for directive in self.block.all("server_name") for name in directive.arguments)

    @cached_property
    def granting(self) -> frozenset[str]:
        """Paths that answer every sub-request with success, so that asking them is asking nobody."""
        return frozenset(
            location.path for location in self.locations if returns(location.block).startswith("2")
        )


class Passing(NamedTuple):
    """A way, and where in the file it is opened."""

    way: Way
    server: Server
    location: Location
    """For a stream, a location that stands for all of its server."""
    directive: Directive
    """What passes requests on."""


def servers_of(top: Block) -> Iterator[Server]:
    """Every server, in ``http`` and ``stream`` or at the top of an included file, and locations without one."""
    scope = Scope((top,))
    outer = [(scope, False)]
    for kind in ("http", "stream"):
        outer += [(scope.inner(d.block), kind == "stream") for d in top.all(kind) if d.block is not None]
    for around, stream in outer:
        for directive in around.blocks[-1].all("server"):
            if directive.block is not None:
                yield _server(directive, around.inner(directive.block), stream or _streams(directive.block))
    if top.all("location"):
        yield Server(None, scope, stream=False, doors=(), locations=tuple(_locations(scope)))


def passings_of(servers: Iterable[Server], site: Site) -> Iterator[Passing]:
    """Every way through, with what it asks."""
    servers = tuple(servers)
    native = len(native_paths(location.path for server in servers for location in server.locations)) > 1
    for server in servers:
        if server.stream:
            yield from _streamed(server, site)
        elif not returns(server.block):
            yield from _Web(server, site, native=native).passings()


def _server(directive: Directive, scope: Scope, stream: bool) -> Server:
    locations = () if stream else tuple(_locations(scope))
    return Server(directive, scope, stream, tuple(_doors(directive, scope)), locations)


def _streams(block: Block) -> bool:
    """In an included file nothing else tells: only a stream passes on without a location."""
    return bool(block.all("proxy_pass")) and not block.all("location")


def _doors(directive: Directive, scope: Scope) -> Iterator[Door]:
    listens = scope.blocks[-1].all("listen")[:_MOST_DOORS]
    all_tls = scope.says("ssl") == "on"
    for listen in listens:
        address = listen.argument
        flags = listen.arguments[1:]
        host, port = _address(address)
        if "udp" in flags:
            continue
        yield Door(port, all_tls or not {"ssl", "quic"}.isdisjoint(flags), bound_to(host), listen.start)
    if not listens:
        yield Door(80, all_tls, bound_to(""), directive.start)


def _address(text: str) -> tuple[str, int | None]:
    """``listen``'s first word: a port, an address, both, or a socket of the file system."""
    if text.startswith("unix:"):
        return text, None
    found = _ADDRESS.fullmatch(text)
    if found:
        return found["host"] or "", int(found["port"])
    if "$" in text:
        return "", None
    return text, 80


def _locations(scope: Scope) -> Iterator[Location]:
    todo = [scope]
    while todo:
        around = todo.pop()
        inner = [d for d in around.blocks[-1].all("location") if d.block is not None and d.words]
        for directive in inner:
            assert directive.block is not None
            *modifier, path = directive.arguments[:2]
            kind = modifier[0] if modifier else "@" if path.startswith("@") else ""
            location = Location(directive, around.inner(directive.block), kind, path)
            todo.append(location.scope)
            yield location


# ---- streams


def _streamed(server: Server, site: Site) -> Iterator[Passing]:
    whole = Location(server.directive, server.scope, path="")
    for directive in server.block.all("proxy_pass"):
        for target in _targets(directive.argument, server.scope, site):
            for door in server.doors:
                yield Passing(_stream_way(directive, target, door, server, site), server, whole, directive)


def _stream_way(directive: Directive, target: Target, door: Door, server: Server, site: Site) -> Way:
    dicom = is_dicom(target) or door.port in DICOM_PORTS
    # Passed on by the name in the caller's TLS, it is the server behind that asks.
    by_name = directive.argument.startswith("$ssl_preread")
    imaging = dicom or (not by_name and is_imaging(target, ""))
    asks = gate(server.scope, server.block, server.block, site, tls=door.tls, granting=frozenset())
    return Way(door, "", target, asks, Service.DICOM if dicom else Service.WEB, imaging, directive.start)


# ---- the web


class _Web:
    """One server of ``http``."""

    def __init__(self, server: Server, site: Site, *, native: bool) -> None:
        self._server = server
        self._site = site
        self._native = native
        self._names = server.names
        self._granting = server.granting
        self._referred = _referred(server)
        self._choice = _Choice(server.locations)
        self._doors = server.doors or (Door(None, tls=False, bound=bound_to(""), at=0),)

    def passings(self) -> Iterator[Passing]:
        """Every way that some path leads to."""
        for location in self._server.locations:
            if location.modifier == "@" and location.path not in self._referred:
                continue
            for directive, scope in location.passes:
                for target in _targets(directive.argument, scope, self._site):
                    yield from self._to(target, location, directive)

    def _to(self, target: Target, location: Location, directive: Directive) -> Iterator[Passing]:
        imaging = self._imaging(target, location)
        if imaging and not self._choice.leads_to(location):
            return
        for door in self._doors:
            asks = self._gate(location, door)
            way = Way(door, location.path, target, asks, Service.WEB, imaging, directive.start)
            yield Passing(way, self._server, location, directive)

    def _imaging(self, target: Target, location: Location) -> bool:
        native = self._native and bool(native_paths([location.path]))
        return native or is_imaging(target, location.path, self._names)

    def _gate(self, location: Location, door: Door) -> Gate:
        """What is asked at the location, and before it at the one that refers to it by name."""
        found = self._asks(location, door)
        before = self._referred.get(location.path) if location.modifier == "@" else None
        if before is not None:
            found |= self._asks(before, door)
        closed = returns(location.block) or location.block.all("internal")
        return frozenset({Need.NOBODY}) if closed else found

    def _asks(self, location: Location, door: Door) -> Gate:
        return gate(
            location.scope,
            self._server.block,
            location.block,
            self._site,
            tls=door.tls,
            granting=self._granting,
        )


def _referred(server: Server) -> dict[str, Location | None]:
    """Named locations, and who leads to them: None where an error does, which comes before or without any login."""
    found: dict[str, Location | None] = {}
    for location in server.locations:
        for directive in location.block.all("try_files"):
            found.setdefault(directive.arguments[-1] if directive.words else "", location)
    blocks = [server.block, *(location.block for location in server.locations)]
    for directive in (d for block in blocks for d in block.all("error_page", "try_files")):
        if directive.name == "error_page" and directive.words:
            found[directive.arguments[-1]] = None
        elif directive.words:
            found.setdefault(directive.arguments[-1], None)
    return found


def _targets(text: str, scope: Scope, site: Site) -> Sequence[Target]:
    """What is behind a ``proxy_pass``: each server of a group."""
    targets: list[Target] = []
    for url in site.expanded(text, scope):
        scheme = "http" if "://" in url else ""
        target = target_of(url)
        members = [target_of(server, scheme=scheme) for server in site.upstreams.get(target.host, ())]
        grouped = [Target(member.host, member.port, target.path, target.host) for member in members]
        targets += grouped or [target]
    return targets[:_MOST_TARGETS]


# ---- which location nginx takes


class _Choice:
    """The locations of one server at its own level, as nginx searches them."""

    def __init__(self, locations: Sequence[Location]) -> None:
        outermost = min((len(location.scope.blocks) for location in locations), default=0)
        self.top = [location for location in locations if len(location.scope.blocks) == outermost]
        self.searched = len(self.top) <= _MOST_CHOICES
        self.exact = {location.path: location for location in self.top if location.modifier == "="}
        self.prefixes = [location for location in self.top if location.modifier in {"", "^~"}]
        self.regular = [location for location in self.top if location.modifier in {"~", "~*"}]

    def take(self, path: str) -> Location | None:
        """Exact, else the longest prefix unless a regular expression fits, the first in the file."""
        if path in self.exact:
            return self.exact[path]
        fitting = [location for location in self.prefixes if path.startswith(location.path)]
        longest = max(fitting, key=lambda location: len(location.path), default=None)
        if longest is not None and longest.modifier == "^~":
            return longest
        found = (one for one in self.regular if matches(one.path, path, any_case=one.modifier == "~*"))
        return next(found, longest)

    def leads_to(self, location: Location) -> bool:
        """Whether some path leads there. Regular expressions and inner locations are taken to be reached."""
        if not self.searched or location not in self.prefixes:
            return True
        base = location.path.rstrip("/") if location.path.endswith("/") else location.path
        samples = [location.path, *(base + more for more in _SAMPLES)]
        return any(self.take(path) is location for path in samples)
