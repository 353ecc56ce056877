"""Where a question goes, and the permission to ask it.

Made once an endpoint. ``Final`` is frozen as far as the type checker sees; what ``frozen=True`` adds to it
makes an object three times as dear.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from leadglass.model.rung import Rung

__all__ = ["Endpoint", "Permit"]


@dataclass(slots=True, unsafe_hash=True)
class Endpoint:
    """One TCP endpoint. ``address`` is an IPv4 or IPv6 literal in canonical form."""

    address: Final[str]
    port: Final[int]
    name: Final[str | None] = None
    """The DNS name that the address was resolved from, for SNI and the Host header."""

    @property
    def is_ipv6(self) -> bool:
        """Whether the address is an IPv6 literal."""
        return ":" in self.address

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if self.is_ipv6 else f"{self.address}:{self.port}"


@dataclass(slots=True, unsafe_hash=True)
class Permit:
    """Leave to open one connection to one endpoint, as deep as ``rung``, until ``valid_until``.

    Only ``leadglass.scope`` makes one (a test reads the source tree for it); only
    ``leadglass.net.dial`` takes one. ``valid_until`` is POSIX time in seconds.
    """

    endpoint: Final[Endpoint]
    rung: Final[Rung]
    valid_until: Final[float]
