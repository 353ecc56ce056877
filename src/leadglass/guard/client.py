"""Who is on the other side."""

from __future__ import annotations

from dataclasses import dataclass

from leadglass.access.admission import Peer
from leadglass.model.access import Principal
from leadglass.model.enrolment import Enrolled

__all__ = ["Client"]


@dataclass(frozen=True, slots=True)
class Client:
    """Who is on the other side of one association, or of one web request."""

    principal: Principal
    enrolled: Enrolled
    peer: Peer
    calling: str
    """Its AE title; empty for a web client."""
    called: str
    """The title that it called the archive by."""
    until: float | None = None
    """POSIX seconds after which it is believed no more; None: as long as it is enrolled."""
