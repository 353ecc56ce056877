"""Ports and targets as people write them: ``104,11112,20000-20207`` and ``HOST[:PORTS]``."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from leadglass.errors import UsageError
from leadglass.scope.names import host_name

__all__ = ["DEFAULT_PORTS", "HostPorts", "parse_ports", "parse_target", "port_ranges", "ports_text"]

DEFAULT_PORTS = (80, 104, 443, 2761, 2762, 4242, 8042, 8080, 8443, 11112)
"""Where a DICOM server is looked for when nobody says.

104 (well known), 11112 (registered), 2761 and 2762 (registered: integrated secure
communication, TLS) are PS3.8 9.1.1 and PS3.15 B.1; 4242 and 8042 are Orthanc's two defaults, 8080 and
8443 dcm4chee's and most Java servers' web ports, 80 and 443 where a proxy would stand.
"""

_LAST = 65535
_ITEM = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")
_BRACKETED = re.compile(r"\[([^\]]*)\](?::(.*))?")


@dataclass(frozen=True, slots=True)
class HostPorts:
    """What a user typed to be checked: a name or a canonical address, and its ports."""

    host: str
    ports: tuple[int, ...]
    is_name: bool


def parse_ports(text: str) -> tuple[int, ...]:
    """The ports of ``104,11112,20000-20207``, sorted, each once; ``UsageError`` if it is not like that."""
    found: set[int] = set()
    for item in text.split(","):
        first, last = _range(item.strip())
        found.update(range(first, last + 1))
    return tuple(sorted(found))


def parse_target(text: str) -> HostPorts:
    """``HOST[:PORTS]``; HOST is a name, an IPv4 or IPv6 address, the last in brackets if ports follow.

    ``UsageError`` if it is none of these.
    """
    host, ports = _split(text.strip())
    chosen = DEFAULT_PORTS if ports is None else parse_ports(ports)
    try:
        return HostPorts(_literal(host), chosen, is_name=False)
    except ValueError:
        pass
    try:
        return HostPorts(host_name(host), chosen, is_name=True)
    except ValueError as exc:
        raise UsageError(str(exc), where=text, then="write HOST, HOST:104,11112 or [IPv6]:104") from exc


def port_ranges(ports: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Consecutive ports as (first, last), ascending."""
    first = last = -1
    for port in sorted(set(ports)):
        if port == last + 1 and first >= 0:
            last = port
            continue
        if first >= 0:
            yield first, last
        first = last = port
    if first >= 0:
        yield first, last


def ports_text(ports: Iterable[int]) -> str:
    """The shortest spelling that ``parse_ports`` reads."""
    return ",".join(f"{a}-{b}" if b > a else str(a) for a, b in port_ranges(ports))


def _range(item: str) -> tuple[int, int]:
    match = _ITEM.fullmatch(item)
    if match is None:
        raise UsageError(f"{item!r} is no port or range of ports", then="write 104,11112,20000-20207")
    first, last = int(match[1]), int(match[2] or match[1])
    if not 1 <= first <= _LAST or not 1 <= last <= _LAST:
        raise UsageError(f"port {item} is not between 1 and {_LAST}")
    if last < first:
        raise UsageError(f"the port range {item} runs backwards", then=f"write {last}-{first}")
    return first, last


def _split(text: str) -> tuple[str, str | None]:
    bracketed = _BRACKETED.fullmatch(text)
    if bracketed:
        return bracketed[1], bracketed[2]
    if text.count(":") > 1:
        return text, None  # a bare IPv6 address: its colons are not ours
    host, colon, ports = text.partition(":")
    return host, ports if colon else None


def _literal(host: str) -> str:
    if "%" in host:
        raise UsageError("an address with a zone is not supported", where=host)
    return str(ipaddress.ip_address(host))
