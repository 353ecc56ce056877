"""A client, a world around it and a clock that a test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

from leadglass.access.admission import Peer
from leadglass.errors import ResourceError
from leadglass.guard.audit.events import AuditEvent
from leadglass.guard.client import Client
from leadglass.guard.trail import Trail
from leadglass.model.access import Kind, Principal
from leadglass.model.enrolment import Enrolled

__all__ = ["Paper", "client", "on_a_loop"]


def client(kind: Kind = Kind.DEVICE, name: str = "ct1", **more: Any) -> Client:
    """Somebody who came in as CT1 from 10.0.0.7 with a certificate."""
    enrolled = Enrolled("ct1", Kind.DEVICE, ("CT1",), ("10.0.0.0/8",))
    peer = Peer("10.0.0.7", "ab" * 32, tls=True)
    return replace(Client(Principal(kind, name), enrolled, peer, "CT1", "ARCHIVE"), **more)


@dataclass
class Paper:
    """What the audit was told; ``full`` while it takes nothing but what may use the reserve."""

    told: list[tuple[AuditEvent, bool]] = field(default_factory=list)
    full: bool = False
    lost: int = 0
    now: float = 1_800_000_000.0

    def write(self, event: AuditEvent, *, reserved: bool) -> None:
        if self.full and not reserved:
            raise ResourceError("the disk is full")
        self.told.append((event, reserved))

    def trail(self) -> Trail:
        """The trail that is written on it."""
        return Trail(self.write, lambda: self.now, self._lose)

    def _lose(self) -> None:
        self.lost += 1

    @property
    def last(self) -> AuditEvent:
        """The latest event."""
        return self.told[-1][0]


def on_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """A test that is a coroutine, run on a loop; what the loop has to complain of fails it."""

    def run(**given: Any) -> None:
        failures: list[str] = []

        async def heard() -> None:
            asyncio.get_running_loop().set_exception_handler(lambda _, why: failures.append(str(why)))
            await test(**given)

        asyncio.run(heard())
        assert failures == []

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run
