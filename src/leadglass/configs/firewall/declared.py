"""What a server's own configuration declares: the ports that it opens, and the peers that it names."""

from __future__ import annotations

import ipaddress
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from leadglass.configs import reading as read
from leadglass.configs.dcmtk.archive_file import archive
from leadglass.configs.firewall.plan import DICOM_PORTS, MANAGEMENT, Network, Peer, Plan, Server, Service

__all__ = ["Declared", "declared"]

_SERVICES = {
    read.Service.DICOM: Service.DICOM,
    read.Service.WEB: Service.DICOMWEB,
    read.Service.DATABASE: Service.DATABASE,
    read.Service.DIRECTORY: Service.LDAP,
    read.Service.HL7: Service.HL7,
    read.Service.ADMIN: Service.ADMIN,
}
_PEER = re.compile(r"(?P<title>.*?)@(?P<host>[^@ ]*):(?P<port>\d{1,5}|None)(?: without .*)?")
_LAST_PORT = 65535


class Declared(NamedTuple):
    """A plan made of configurations, and what of them could not be taken into it."""

    plan: Plan
    notes: tuple[str, ...]


class _Named(NamedTuple):
    """A peer as a file names it."""

    title: str
    host: str
    port: int | None


def declared(readings: Iterable[read.Reading]) -> Declared:
    """The servers of some files, each left to the peers that its own file names.

    They have no addresses: they are on the machine on which the rules are loaded. A peer by name is told in
    the notes, and not taken.
    """
    servers: list[Server] = []
    peers: list[Peer] = []
    notes: list[str] = []
    for reading in readings:
        ports = _ports(reading.listeners)
        if not ports:
            continue
        name = reading.source.path
        servers.append(Server(name, ports))
        for peer in _named(reading):
            network = _network(peer.host)
            if network is None:
                notes.append(f"{name}: left out: {peer.title} at {peer.host}, which is no address")
            elif not network.is_loopback:
                peers.append(_peer(peer, network, name))
    return Declared(
        Plan("What configurations declare", tuple(servers), tuple(peers), _outgoing(peers)), tuple(notes)
    )


def _ports(listeners: Iterable[read.Listener]) -> tuple[tuple[Service, tuple[int, ...]], ...]:
    found: dict[Service, set[int]] = defaultdict(set)
    for one in listeners:
        if one.port is not None and one.port not in MANAGEMENT:
            service = _SERVICES[one.service]
            found[Service.DICOM_TLS if service is Service.DICOM and one.tls else service].add(one.port)
    return tuple((service, tuple(sorted(found[service]))) for service in Service if service in found)


def _named(reading: read.Reading) -> Iterator[_Named]:
    if reading.kind == "dcmqrscp":
        hosts = archive(reading.source).hosts.values()
        yield from dict.fromkeys(_Named(peer.title, peer.host, peer.port) for each in hosts for peer in each)
        return
    peers = reading.facts.get("peers")
    for text in peers if isinstance(peers, tuple) else ():
        if found := _PEER.fullmatch(text):
            port = found["port"]
            yield _Named(found["title"], found["host"], int(port) if port.isdigit() else None)


def _network(host: str) -> Network | None:
    try:
        return ipaddress.ip_network(host)
    except ValueError:
        return None


def _peer(named: _Named, network: Network, server: str) -> Peer:
    port = named.port
    listens = port is not None and 0 < port <= _LAST_PORT and port not in MANAGEMENT
    return Peer(
        named.title,
        (network,),
        frozenset({Service.DICOM, Service.DICOM_TLS}),
        (port,) if port is not None and listens else (),
        frozenset({server}),
    )


def _outgoing(peers: Iterable[Peer]) -> tuple[int, ...]:
    receiving = {port for peer in peers for port in peer.receives}
    return tuple(sorted({*DICOM_PORTS, *receiving})) if receiving else ()
