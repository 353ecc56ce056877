"""The network to look at: a square for each server, in the network that it is in."""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from leadglass.model.verdict import Severity
from leadglass.report.words import count
from leadglass.store.server_rows import Page, ServerRow
from leadglass.web.pages.lines import ServerLine, server_line
from leadglass.web.pages.telling import Pages, with_query, worst_of

__all__ = ["NetworkView", "Square", "View", "view"]

_PREFIX = {4: 24, 6: 64}
"""What is drawn together: as much as one switch usually holds."""


@dataclass(frozen=True, slots=True)
class Square:
    """One server."""

    label: str
    """What tells it from its neighbours."""
    href: str
    severity: Severity
    says: str
    """For those who do not see the colour: address and severity."""


@dataclass(frozen=True, slots=True)
class NetworkView:
    """One network and its servers, by address."""

    id: str
    """For links within the page."""
    name: str
    href: str
    """The list of its servers."""
    worst: Severity
    says: str
    squares: tuple[Square, ...]
    lines: tuple[ServerLine, ...]


@dataclass(frozen=True, slots=True)
class View:
    """The page."""

    networks: tuple[NetworkView, ...]
    pages: Pages


def view(page: Page[ServerRow], now: int) -> View:
    """The networks of the servers of ``page``, which are sorted by address."""
    grouped = itertools.groupby(page.rows, key=lambda row: network_of(row.address))
    networks = tuple(
        _network(number, name, list(rows), now) for number, (name, rows) in enumerate(grouped, 1)
    )
    many = count(len(page.rows), "server")
    return View(
        networks,
        Pages(
            f"{many} in {count(len(networks), 'network')} on this page",
            _turned(page.previous),
            _turned(page.next),
        ),
    )


def network_of(address: str) -> str:
    """The network that ``address`` is drawn in, as CIDR."""
    prefix = _PREFIX[ipaddress.ip_address(address).version]
    return str(ipaddress.ip_network((address, prefix), strict=False))


def _network(number: int, name: str, rows: Sequence[ServerRow], now: int) -> NetworkView:
    return NetworkView(
        id=f"network-{number}",
        name=name,
        href=with_query("/servers", {"network": name}),
        worst=worst_of([row.severity for row in rows]),
        says=_says(rows),
        squares=tuple(_square(row) for row in rows),
        lines=tuple(server_line(row, now) for row in rows),
    )


def _says(rows: Sequence[ServerRow]) -> str:
    exposed = sum(row.is_exposed for row in rows)
    asks = f"{exposed:,} ask{'' if exposed != 1 else 's'} for action" if exposed else "nothing exposed seen"
    return f"{count(len(rows), 'server')}, {asks}"


def _square(row: ServerRow) -> Square:
    line = server_line(row, row.last_seen)
    return Square(_label(row.address), line.href, row.severity, f"{row.address}, {row.severity}: {line.says}")


def _label(address: str) -> str:
    if "." in address:
        return f".{address.rpartition('.')[2]}"
    return f":{':'.join(_groups(address))}"


def _groups(address: str) -> Iterable[str]:
    """The last 64 bits of an IPv6 address, without the zeros before the first group that says something."""
    low = int(ipaddress.IPv6Address(address)) & (1 << 64) - 1
    groups = [f"{low >> shift & 0xFFFF:x}" for shift in (48, 32, 16, 0)]
    return itertools.dropwhile(lambda group: group == "0", groups) if low else ["0"]


def _turned(cursor: str | None) -> str:
    return "" if cursor is None else with_query("/network", {"cursor": cursor})
