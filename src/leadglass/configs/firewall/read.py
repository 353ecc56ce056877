"""From a peer list to a plan, and from what a scope or a scan knows to the servers of one."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from leadglass.configs.firewall.plan import (
    DICOM_PORTS,
    MANAGEMENT,
    Network,
    Peer,
    Plan,
    Server,
    Service,
    collapsed,
)
from leadglass.errors import ConfigError
from leadglass.settings.lines import Path
from leadglass.settings.peers_file import PeersFile, PeerTable, ServerTable, key_hint
from leadglass.settings.toml_file import TomlFile

__all__ = ["read_peers", "servers_at", "with_servers"]


def read_peers(text: str, *, filename: str) -> Plan:
    """The plan of a peer list; ``ConfigError`` names the line that is wrong."""
    return _Reader(text, filename).plan()


def servers_at(endpoints: Iterable[tuple[Network, Mapping[int, Service]]]) -> tuple[Server, ...]:
    """A server for each set of services, in the order of the endpoints.

    Ports by which a machine is managed are left out.
    """
    alike: dict[tuple[tuple[int, Service], ...], list[Network]] = defaultdict(list)
    for network, services in endpoints:
        wanted = tuple(sorted(one for one in services.items() if one[0] not in MANAGEMENT))
        if wanted:
            alike[wanted].append(network)
    return tuple(_server(networks, ports) for ports, networks in alike.items())


def with_servers(plan: Plan, servers: Iterable[Server]) -> Plan:
    """The same plan with more servers."""
    return dataclasses.replace(plan, servers=(*plan.servers, *servers))


def _server(networks: Iterable[Network], ports: Iterable[tuple[int, Service]]) -> Server:
    by_service: dict[Service, list[int]] = defaultdict(list)
    for port, service in ports:
        by_service[service].append(port)
    found = collapsed(networks)
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return Server(
        f"{found[0]}{more}",
        tuple((service, tuple(by_service[service])) for service in Service if service in by_service),
        found,
    )


class _Reader:
    def __init__(self, text: str, filename: str) -> None:
        self._toml = TomlFile(text, filename, PeersFile, key_hint, ConfigError)
        self._file: PeersFile = self._toml.values

    def plan(self) -> Plan:
        file = self._file
        servers = tuple(self._server(number, table) for number, table in enumerate(file.servers))
        self._require_different("servers", [server.name for server in servers])
        self._require_different("peers", [peer.name for peer in file.peers])
        known = {server.name for server in servers}
        peers = tuple(self._peer(number, table, known) for number, table in enumerate(file.peers))
        return Plan(file.name, servers, peers, self._outgoing(peers))

    def _server(self, number: int, table: ServerTable) -> Server:
        path = ("servers", number)
        ports: Mapping[Service, tuple[int, ...]] = {one: getattr(table, one.value) for one in Service}
        taken: dict[int, Service] = {}
        for service, listed in ports.items():
            for port in listed:
                if port in MANAGEMENT:
                    self._toml.fail(
                        (*path, service.value),
                        f"port {port} is how a machine is managed",
                        "take it out: these rules never close it",
                    )
                if port in taken:
                    self._toml.fail((*path, service.value), f"port {port} is also under {taken[port]}")
                taken[port] = service
        if not taken:
            self._toml.fail(path, f"server {table.name!r} has no port", "write dicom = [104]")
        listens = tuple((service, listed) for service, listed in ports.items() if listed)
        return Server(table.name, listens, self._networks(path, table.addresses))

    def _peer(self, number: int, table: PeerTable, known: Iterable[str]) -> Peer:
        path = ("peers", number)
        if not table.opens and not table.receives:
            self._toml.fail(path, f"peer {table.name!r} may do nothing", 'write opens = ["dicom"]')
        if not table.addresses:
            self._toml.fail((*path, "addresses"), f"peer {table.name!r} has no address")
        if MANAGEMENT.intersection(table.receives):
            self._toml.fail(
                (*path, "receives"), "these rules never concern the ports by which machines are managed"
            )
        for index, name in enumerate(table.servers):
            if name not in known:
                self._toml.fail((*path, "servers", index), f"there is no server {name!r}")
        return Peer(
            table.name,
            self._networks(path, table.addresses),
            frozenset(map(Service, table.opens)),
            table.receives,
            frozenset(table.servers),
            table.owner or "",
            table.review or self._file.review,
        )

    def _networks(self, path: Path, texts: Iterable[str]) -> tuple[Network, ...]:
        return collapsed(
            self._toml.attempt((*path, "addresses", index), _network, text)
            for index, text in enumerate(texts)
        )

    def _outgoing(self, peers: Iterable[Peer]) -> tuple[int, ...]:
        table = self._file.outgoing
        receiving = {port for peer in peers for port in peer.receives}
        if table is None:
            return tuple(sorted({*DICOM_PORTS, *receiving})) if receiving else ()
        if not table.restrict:
            return ()
        ports = DICOM_PORTS if table.ports is None else table.ports
        if MANAGEMENT.intersection(ports):
            self._toml.fail(
                ("outgoing", "ports"), "these rules never concern the ports by which machines are managed"
            )
        return tuple(sorted({*ports, *receiving}))

    def _require_different(self, heading: str, names: list[str]) -> None:
        for name, count in Counter(names).items():
            if count > 1:
                last = len(names) - 1 - names[::-1].index(name)
                self._toml.fail((heading, last, "name"), f"{name!r} is there twice")


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as exc:
        raise ValueError(
            f"{text!r} is no address and no network ({exc}); names are not looked up for rules"
        ) from exc
