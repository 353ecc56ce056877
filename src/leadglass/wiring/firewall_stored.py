"""Who is protected from whom, out of what is stored: a scan, a guard's roll, and its audit trail."""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from leadglass.configs.firewall.flows import Meeting
from leadglass.configs.firewall.plan import Direction, Network, Peer, Plan, Server, Service, service_at
from leadglass.configs.firewall.read import servers_at
from leadglass.errors import UsageError
from leadglass.guard.audit.events import AuditEvent, Outcome
from leadglass.guard.audit.search import Wanted, search
from leadglass.model.enrolment import Enrolled
from leadglass.model.evidence import TcpOutcome
from leadglass.model.record import ScanRecord
from leadglass.model.verdict import Access
from leadglass.settings.guard import Address, GuardSettings
from leadglass.store import reading
from leadglass.store.database import Database
from leadglass.store.guard_roll import read_roll
from leadglass.store.scans import find
from leadglass.store.spooled import writers_of
from leadglass.wiring.guard_setup import read_site, roll_of

__all__ = ["guard_plan", "meetings", "scan_servers"]

_OPEN = frozenset({TcpOutcome.OPEN, None})
"""Of what others saw it is not told."""
_NOBODY = frozenset({Access.CLOSED, Access.FILTERED, Access.NOT_DICOM})
_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104  # compared with, not bound
_FROM_ARCHIVE = "guard, from the archive"


# ---- a stored scan


def scan_servers(database: Database, name: str) -> tuple[Server, ...]:
    """What a stored scan found open, with the services that it saw there."""
    seen: dict[str, dict[int, Service]] = defaultdict(dict)
    for record in reading.records(database, find(database, name)):
        if record.transport.tcp in _OPEN and record.access not in _NOBODY:
            seen[record.endpoint.address][record.endpoint.port] = _service(record)
    return servers_at((ipaddress.ip_network(address), ports) for address, ports in seen.items())


def _service(record: ScanRecord) -> Service:
    if "dicom" in record.protocols:
        return Service.DICOM if record.transport.tls is None else Service.DICOM_TLS
    return Service.DICOMWEB if "http" in record.protocols else service_at(record.endpoint.port)


# ---- a guard


def guard_plan(file: Path) -> Plan:
    """A guard's own doors, left to who is enrolled there; ``ConfigError`` if there is no guard."""
    site = read_site(file)
    with roll_of(site) as database:
        enrolled = read_roll(database).enrolled
    peers = [_enrolled(one) for one in enrolled.values() if one.networks]
    return Plan(site.settings.name, tuple(_doors(site.settings)), (*peers, *_archive(site.settings)))


def _doors(settings: GuardSettings) -> Iterator[Server]:
    listen = settings.listen
    doors = {Service.DICOM: listen.plain, Service.DICOM_TLS: listen.dicom, Service.DICOMWEB: listen.web}
    by_place: dict[tuple[Network, ...], list[tuple[Service, tuple[int, ...]]]] = defaultdict(list)
    for service, door in doors.items():
        if door is not None:
            by_place[_place(door)].append((service, (door.port,)))
    for number, (place, ports) in enumerate(by_place.items(), 1):
        yield Server("guard" if number == 1 else f"guard {number}", tuple(ports), place)
    if listen.from_archive is not None:
        ports = [(Service.DICOM, (listen.from_archive.port,))]
        yield Server(_FROM_ARCHIVE, tuple(ports), _place(listen.from_archive))


def _place(door: Address) -> tuple[Network, ...]:
    """Where a door is; none: on this machine, by whatever address."""
    try:
        return () if door.host in _EVERYWHERE else (ipaddress.ip_network(door.host),)
    except ValueError:
        return ()


def _enrolled(entry: Enrolled) -> Peer:
    opens = {Service.DICOM_TLS, Service.DICOMWEB} | ({Service.DICOM} if entry.plain else set())
    return Peer(
        entry.name,
        tuple(map(ipaddress.ip_network, entry.networks)),
        frozenset(opens),
        servers=frozenset({"guard", "guard 2", "guard 3"}),
        owner=", ".join(entry.institutions),
        review=None if entry.until is None else dt.datetime.fromtimestamp(entry.until, dt.UTC).date(),
    )


def _archive(settings: GuardSettings) -> Iterator[Peer]:
    networks = tuple(map(ipaddress.ip_network, settings.archive.sends_from))
    if networks and settings.listen.from_archive is not None:
        opens = frozenset({Service.DICOM})
        yield Peer("archive", networks, opens, servers=frozenset({_FROM_ARCHIVE}))


# ---- its audit trail


def meetings(folders: Sequence[Path]) -> Iterator[Meeting]:
    """Who was served, and where to instances were sent, as the trail has it; ``UsageError`` if there is none."""
    if not writers_of(*folders):
        raise UsageError(
            "there is no audit trail here", where=str(folders[0]), then="name the guard's folder"
        )
    found = search(folders, Wanted(outcomes=frozenset({Outcome.SUCCESS})))
    return (meeting for one in found for meeting in _met(one.event))


def _met(event: AuditEvent) -> Iterator[Meeting]:
    destination = event.destination.address if event.destination is not None else None
    for direction, text in ((Direction.IN, event.address), (Direction.OUT, destination)):
        remote = _literal(text or "")
        if remote is not None:
            yield Meeting(direction, remote, event.at)


def _literal(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """None for a name, which leads to wherever it leads today."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
