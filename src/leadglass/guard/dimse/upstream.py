"""The association to the archive that serves one client: opened when it is needed, let go when it is not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from leadglass.errors import TransportError
from leadglass.guard.dimse.archive import Answer, Archive, Proposal
from leadglass.guard.dimse.contexts import request_of
from leadglass.guard.dimse.leg import Keeper, Leg
from leadglass.wire.association import Role
from leadglass.wire.pdu import AAssociateAC

__all__ = ["Upstream"]

_ARTIM = 10.0
_IDLE = 15.0
"""Seconds that a PDU may take, and the pause between two of one message."""
_SLOWEST = 600.0
"""Seconds that an archive may take for a response."""
_PATIENCE = 10.0
"""Seconds for the archive to answer a proposal."""
_QUIET = 2.0
"""Seconds without a request after which the association is released."""


class Upstream:
    """One client's archive: at most one association at a time."""

    def __init__(self, keeper: Keeper, line: Archive, proposal: Proposal, let_go: Callable[[], None]) -> None:
        """``keeper`` hears of the association; ``let_go`` is called when one is ended here."""
        self._keeper = keeper
        self._line = line
        self._proposal = proposal
        self._let_go = let_go
        self.leg: Leg | None = None
        self.answer: Answer | None = None
        """How the archive answers the proposal; None: not known yet."""
        self._opening: asyncio.Future[AAssociateAC] | None = None
        self._quiet: asyncio.TimerHandle | None = None
        self._turn = asyncio.Lock()
        self.reused = False
        """Whether the association was open when it was wanted last: the archive may just have been leaving it."""

    async def negotiated(self) -> Answer:
        """How the archive answers this proposal: as it did before, or asked now."""
        if not self._proposal[2]:
            self.answer = Answer((), (), ())
        else:
            self.answer = self._line.learned(self._proposal)
        if self.answer is None:
            await self._dial()
        assert self.answer is not None
        return self.answer

    async def ready(self) -> Leg:
        """The association, opened if it is not; ``TransportError`` if there is none."""
        async with self._turn:
            self._stop_waiting()
            leg = self.leg
            self.reused = leg is not None and leg.open
            return leg if leg is not None and leg.open else await self._dial()

    async def _dial(self) -> Leg:
        leg = Leg(Role.REQUESTOR, self._keeper, artim=_ARTIM, idle=_IDLE)
        leg.allowance = leg.stalled = _SLOWEST
        self.leg = leg
        self._opening = opening = asyncio.get_running_loop().create_future()
        leg.associate(request_of(self._proposal))
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._line.dial(leg)
                ac = await opening
        except TimeoutError as exc:
            leg.abort()
            raise TransportError("the archive did not answer in time") from exc
        self._compare(ac)
        if not leg.open:  # it accepted and left at once
            raise TransportError("the archive ended the association")
        return leg

    def _compare(self, ac: AAssociateAC) -> None:
        proposed = {context.context_id: context.transfer_syntaxes for context in self._proposal[2]}
        if any(
            c.result == 0 and c.transfer_syntax not in proposed[c.context_id]
            for c in ac.presentation_contexts
        ):
            self.drop()
            raise TransportError("the archive accepted a transfer syntax that was not proposed")
        answer = self._line.learn(self._proposal, ac)
        if self.answer is None:
            self.answer = answer
        elif answer != self.answer:
            # The client was told something else: nothing can be passed on as it is.
            self._line.forget(self._proposal)
            self.drop()
            raise TransportError("the archive answers otherwise than before")

    def accepted(self, ac: AAssociateAC) -> None:
        """The archive accepted."""
        if self._opening is not None and not self._opening.done():
            self._opening.set_result(ac)

    def lost(self, why: str) -> bool:
        """The association is over; whether it had been open, so that requests may have been lost with it."""
        self.leg = None
        if self._opening is None or self._opening.done():
            return True
        self._opening.set_exception(TransportError(f"the archive: {why}"))
        return False

    def rest(self, *, idle: bool) -> None:
        """Release the association when nothing has been under way for a while."""
        if not idle:
            self._stop_waiting()
        elif self._quiet is None and self.leg is not None:
            self._quiet = asyncio.get_running_loop().call_later(_QUIET, self.release)

    def release(self) -> None:
        """Let it go in good order."""
        leg = self._taken()
        if leg is not None:
            leg.release()

    def drop(self) -> None:
        """End it at once."""
        leg = self._taken()
        if leg is not None:
            leg.abort()

    def _taken(self) -> Leg | None:
        self._stop_waiting()
        leg, self.leg = self.leg, None
        self._let_go()
        return leg

    def _stop_waiting(self) -> None:
        if self._quiet is not None:
            self._quiet.cancel()
            self._quiet = None
