"""Rules for nftables that leave an archive's own ports to the guard alone.

They stand before the translation of destinations, so that ports which containers publish are covered too.
A stranger gets a reset: the port looks closed, and nobody waits for a time-out.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

from leadglass.configs.firewall.nftables import Refusal, Style
from leadglass.configs.firewall.nftables import nftables as write
from leadglass.configs.firewall.plan import Peer, Plan, Server, Service
from leadglass.errors import ConfigError
from leadglass.settings.guard import Address, ArchiveSettings

__all__ = ["archive_ports", "is_here", "nftables"]

_TABLE = "leadglass_guard"
_LOAD = "where the archive runs, nft -f FILE"


def archive_ports(archive: ArchiveSettings) -> tuple[int, ...]:
    """The archive's ports for DICOM and DICOMweb, in order."""
    ports = {archive.address.port}
    if archive.web is not None:
        parts = urlsplit(archive.web)
        ports.add(parts.port or (443 if parts.scheme == "https" else 80))
    return tuple(sorted(ports))


def is_here(archive: Address) -> bool:
    """Whether the archive runs on the guard's own machine: it is reached by a loopback address."""
    try:
        return ipaddress.ip_address(archive.host).is_loopback
    except ValueError:
        return archive.host == "localhost"


def nftables(archive: ArchiveSettings, guards: Sequence[str]) -> str:
    """A file for ``nft -f``, which may be loaded again and again.

    ``guards`` are the addresses from which the guard reaches the archive, none if it is on the same
    machine; ``ConfigError`` if they are missing. The archive's machine itself is let through.
    """
    if not guards and not is_here(archive.address):
        raise ConfigError(
            "nobody knows from which address the guard reaches the archive",
            then="say so with --guard ADDRESS",
        )
    archive_side = Server("archive", ((Service.DICOM, archive_ports(archive)),))
    networks = tuple(ipaddress.ip_network(guard) for guard in guards)
    guard_side = Peer("guard", networks, frozenset({Service.DICOM}), owner="leadglass guard")
    plan = Plan("The archive's own ports are left to the guard", (archive_side,), (guard_side,))
    return write(plan, Style(refusal=Refusal.RESET, table=_TABLE, load=_LOAD)).text
