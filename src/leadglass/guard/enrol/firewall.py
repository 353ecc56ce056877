"""Rules for nftables that leave an archive's own ports to the guard alone.

They stand before the translation of destinations, so that ports which containers publish are covered too.
A stranger gets a reset: the port looks closed, and nobody waits for a time-out.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

from leadglass.errors import ConfigError
from leadglass.settings.guard import Address, ArchiveSettings

__all__ = ["archive_ports", "is_here", "nftables"]

_RULES = """\
# Leaves the archive's own ports to the guard. To be loaded where the archive runs: nft -f FILE
table inet leadglass_guard
delete table inet leadglass_guard
table inet leadglass_guard {{
    chain archive {{
        type filter hook prerouting priority dstnat - 10; policy accept;
        {match} iif "lo" accept
{guards}        {match} counter reject with tcp reset
    }}
}}
"""


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
    ports = ", ".join(map(str, archive_ports(archive)))
    match = f"fib daddr type local tcp dport {{ {ports} }}"
    return _RULES.format(match=match, guards="".join(_accepted(match, guards)))


def _accepted(match: str, guards: Sequence[str]) -> Sequence[str]:
    addresses = [ipaddress.ip_address(guard) for guard in guards]
    families = {4: "ip", 6: "ip6"}
    return [
        f"        {match} {family} saddr {{ {', '.join(str(a) for a in addresses if a.version == version)} }} accept\n"
        for version, family in families.items()
        if any(a.version == version for a in addresses)
    ]
