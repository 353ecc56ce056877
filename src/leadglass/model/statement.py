"""What owners say of their own servers: the nouns of ``leadglass owner state``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leadglass.model.finding import Cause
from leadglass.model.verdict import Data, Kind

__all__ = ["Statement", "standing"]


@dataclass(frozen=True, slots=True)
class Statement:
    """One owner's word on an address, or on one port of it; at least one of nature, data and cause is said."""

    number: int
    address: str
    """Canonical."""
    port: int | None
    """None: all ports of the address."""
    nature: Kind | None
    data: Data | None
    cause: Cause | None
    """How it came to stand open."""
    by: str
    """Who said so."""
    reference: str
    """Where that is written down: a ticket, a letter, a notice's reference."""
    at: int
    """When it was said, POSIX seconds."""
    withdrawn_at: int | None = None

    @property
    def target(self) -> str:
        """``192.0.2.7``, ``192.0.2.7:104`` or ``[2001:db8::7]:104``."""
        if self.port is None:
            return self.address
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


def standing(statements: Sequence[Statement], port: int) -> Statement | None:
    """Of the statements on one address, that which holds for ``port``: one on the port itself, else the latest."""
    found = [one for one in statements if one.withdrawn_at is None and one.port in (None, port)]
    return max(found, key=lambda one: (one.port is not None, one.at, one.number), default=None)
