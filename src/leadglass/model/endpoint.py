"""Where a question goes, and the permission to ask it.

Tuples with names: as unchangeable as frozen dataclasses, and made in half the time, once an endpoint.
"""

from __future__ import annotations

from typing import NamedTuple

from leadglass.model.rung import Rung

__all__ = ["Endpoint", "Permit"]


class Endpoint(NamedTuple):
    """One TCP endpoint. ``address`` is an IPv4 or IPv6 literal in canonical form."""

    address: str
    port: int
    name: str | None = None
    """The DNS name that the address was resolved from, for SNI and the Host header."""

    @property
    def is_ipv6(self) -> bool:
        """Whether the address is an IPv6 literal."""
        return ":" in self.address

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if self.is_ipv6 else f"{self.address}:{self.port}"


class Permit(NamedTuple):
    """Leave to open one connection to one endpoint, as deep as ``rung``, until ``valid_until``.

    Only ``leadglass.scope`` makes one (a test reads the source tree for it); only
    ``leadglass.net.dial`` takes one. ``valid_until`` is POSIX time in seconds.
    """

    endpoint: Endpoint
    rung: Rung
    valid_until: float
