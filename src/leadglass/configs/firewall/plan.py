"""Who may open a connection to whom: servers, peers, and the rules that follow.

Everything is TCP, as DICOM, DICOMweb, HL7 and the databases beside an archive are. Only the ports that a plan
names are ever closed: the rest of a machine is none of its business, and the ports by which a machine is
managed cannot be named.
"""

from __future__ import annotations

import datetime as dt
import enum
import ipaddress
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from leadglass.errors import ConfigError

__all__ = [
    "DICOM_PORTS",
    "MANAGEMENT",
    "MOST_RULES",
    "Address",
    "Direction",
    "Door",
    "Network",
    "Peer",
    "Plan",
    "Rule",
    "Server",
    "Service",
    "collapsed",
    "of_version",
    "service_at",
]

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

DICOM_PORTS = (104, 2761, 2762, 11112)
"""Registered for DICOM (PS3.8 9.1.1, PS3.15 B.1): what a server may only open to peers that receive."""

MOST_RULES = 50_000
"""Of one plan."""

MANAGEMENT = frozenset({22, 3389, 5985, 5986})
"""SSH, RDP and WinRM: never closed, so that whoever loads the rules can still take them back."""


class Service(enum.StrEnum):
    """What listens at a server's port; the word in a peer list."""

    DICOM = "dicom"
    DICOM_TLS = "dicom_tls"
    DICOMWEB = "dicomweb"
    """DICOMweb, and the web interface of an imaging server."""
    DATABASE = "database"
    LDAP = "ldap"
    HL7 = "hl7"
    """HL7 version 2 over MLLP."""
    ADMIN = "admin"
    """A console that manages the server."""


_PORTS = {
    Service.DICOM_TLS: (2761, 2762),
    Service.DICOMWEB: (80, 443, 8042, 8080, 8081, 8443),
    Service.DATABASE: (1433, 1521, 3306, 5432, 27017),
    Service.LDAP: (389, 636),
    Service.HL7: (2575,),
    Service.ADMIN: (9990, 9993),
}
_SERVICES = {port: service for service, ports in _PORTS.items() for port in ports}


class Direction(enum.StrEnum):
    """Who opens the connection, as the server sees it."""

    IN = "in"
    OUT = "out"
    """The server itself: C-MOVE, storage commitment, autorouting."""


@dataclass(frozen=True, slots=True)
class Server:
    """What is protected. Without ``networks`` it is the machine on which the rules are loaded."""

    name: str
    ports: tuple[tuple[Service, tuple[int, ...]], ...]
    networks: tuple[Network, ...] = ()

    @property
    def closed(self) -> tuple[int, ...]:
        """Its ports, in order, each once."""
        return tuple(sorted({port for _, ports in self.ports for port in ports}))

    def open_for(self, services: Iterable[Service]) -> tuple[int, ...]:
        """The ports of these services, in order, each once."""
        wanted = frozenset(services)
        return tuple(sorted({port for service, ports in self.ports if service in wanted for port in ports}))


@dataclass(frozen=True, slots=True)
class Peer:
    """Who may reach what, and who answers for that."""

    name: str
    networks: tuple[Network, ...]
    opens: frozenset[Service] = frozenset()
    """What it may reach."""
    receives: tuple[int, ...] = ()
    """Its own ports that servers may open."""
    servers: frozenset[str] = frozenset()
    """At these only; none: at all."""
    owner: str = ""
    review: dt.date | None = None
    """When somebody has to look whether it is still needed."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What one peer and one server may do."""

    direction: Direction
    server: Server
    peer: Peer
    ports: tuple[int, ...]
    """The server's; outgoing: the peer's."""

    @property
    def services(self) -> tuple[Service, ...]:
        """What is opened; outgoing it is always DICOM."""
        if self.direction is Direction.OUT:
            return (Service.DICOM,)
        return tuple(service for service, _ in self.server.ports if service in self.peer.opens)


@dataclass(frozen=True, slots=True)
class Door:
    """What is closed to all others."""

    direction: Direction
    server: Server
    ports: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that the rules are made from."""

    name: str
    servers: tuple[Server, ...]
    peers: tuple[Peer, ...]
    outgoing: tuple[int, ...] = ()
    """Ports that a server may open at receiving peers only; none: it may open what it likes."""
    rules: tuple[Rule, ...] = field(init=False, repr=False, compare=False)
    """What is allowed, server by server in the order of the peers."""
    doors: tuple[Door, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        rules = tuple(itertools.islice(self._rules(), MOST_RULES + 1))
        if len(rules) > MOST_RULES:
            raise ConfigError(
                f"this would be more than {MOST_RULES:,} pairs of a server and a peer",
                then="write networks instead of addresses, or say at which servers each peer is",
            )
        object.__setattr__(self, "rules", rules)
        object.__setattr__(self, "doors", tuple(self._doors()))

    def _rules(self) -> Iterator[Rule]:
        for server in self.servers:
            for peer in self.peers:
                if peer.servers and server.name not in peer.servers:
                    continue
                if ports := server.open_for(peer.opens):
                    yield Rule(Direction.IN, server, peer, ports)
                if self.outgoing and peer.receives:
                    yield Rule(Direction.OUT, server, peer, peer.receives)

    def _doors(self) -> Iterator[Door]:
        for server in self.servers:
            if server.closed:
                yield Door(Direction.IN, server, server.closed)
            if self.outgoing:
                yield Door(Direction.OUT, server, self.outgoing)

    def allowed(self, door: Door, port: int) -> tuple[Network, ...]:
        """From where (outgoing: to where) ``port`` of ``door`` stays open, without overlaps.

        What is allowed at another server that has some of the same addresses counts as well.
        """
        near = {id(server) for server in self.servers if _meet(server, door.server)}
        return collapsed(
            network
            for rule in self.rules
            if rule.direction is door.direction and port in rule.ports and id(rule.server) in near
            for network in rule.peer.networks
        )


def _meet(one: Server, other: Server) -> bool:
    if one is other or not one.networks or not other.networks:
        return True
    return any(a.version == b.version and a.overlaps(b) for a in one.networks for b in other.networks)


def service_at(port: int) -> Service:
    """What usually listens at ``port`` of an imaging server; DICOM where nothing is usual."""
    return _SERVICES.get(port, Service.DICOM)


def of_version(networks: Iterable[Network], version: int) -> tuple[Network, ...]:
    """Those of IPv4 or IPv6, without overlaps, in order."""
    return collapsed(network for network in networks if network.version == version)


def collapsed(networks: Iterable[Network]) -> tuple[Network, ...]:
    """The same addresses with as few networks as possible, IPv4 first."""
    four: list[ipaddress.IPv4Network] = []
    six: list[ipaddress.IPv6Network] = []
    for network in networks:
        if isinstance(network, ipaddress.IPv4Network):
            four.append(network)
        else:
            six.append(network)
    merged: Sequence[Network] = [
        *ipaddress.collapse_addresses(four),
        *ipaddress.collapse_addresses(six),
    ]
    return tuple(merged)
