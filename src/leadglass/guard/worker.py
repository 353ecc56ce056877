"""One process of a guard: its doors, and what keeps it up to date while they are open."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from leadglass.access.budgets import Totals
from leadglass.access.policy import Policy
from leadglass.errors import ConfigError, LeadglassError
from leadglass.guard.audit.events import AuditEvent, Happening, Outcome
from leadglass.guard.budgets import Budgets
from leadglass.guard.world import World
from leadglass.model.enrolment import Roll

__all__ = ["Keeping", "State", "Worker"]

_LOOK = 1.0
"""Seconds between two looks at the shared state: how long a revoked certificate may still be used."""
_DRAIN = 30.0
"""Seconds that clients have to finish when the guard is asked to stop."""
_SYNC = 0.05
"""Seconds between two times that the audit is forced to the disk."""


class State(Protocol):
    """What several processes share, read and written in a thread; any method may raise ``LeadglassError``."""

    def roll(self, known: int) -> Roll | None:
        """The roll if it is not the known version."""
        ...

    def exchange(
        self, totals: Mapping[tuple[str, int], Totals], since: int
    ) -> Mapping[str, Mapping[int, list[Totals]]]:
        """Tell what was counted here, and hear what was counted elsewhere."""
        ...


@dataclass(slots=True)
class Keeping:
    """What a worker looks after, and how."""

    state: State
    budgets: Budgets
    policies: Callable[[], Policy | None]
    """New policies, None if they are as they were; ``ConfigError`` if they cannot be used."""
    reload: Callable[[], None]
    """Read certificates anew; ``ConfigError`` if they cannot be used."""
    sync: Callable[[], None]
    """Force the audit to the disk."""
    first: bool
    """Of all processes of this guard: tells the audit what concerns all of them."""
    report: Callable[[Mapping[str, float]], None]
    """Takes the numbers of this process once a second."""
    log: Callable[[str, Mapping[str, str]], None]
    """Takes what an operator should see: a word for the event, and its circumstances."""


class Worker:
    """Doors open, until ``stop``."""

    def __init__(
        self,
        world: World,
        keeping: Keeping,
        close: Sequence[Callable[[], None]],
        beside: Sequence[Awaitable[None]],
    ) -> None:
        """``close`` shuts the doors; ``beside`` runs for as long as they are open."""
        self._world = world
        self._keeping = keeping
        self._close = close
        self._beside = beside
        self._stop = asyncio.Event()
        self._problems: dict[str, str] = {}
        self._counted = 0

    def stop(self) -> None:
        """Let nobody in any more, and end when those inside are done."""
        self._stop.set()

    def reload(self) -> None:
        """Read certificates and policies anew, now."""
        with self._noted("certificates"):
            self._keeping.reload()
        self._look_at_policies()

    async def run(self) -> None:
        """Until ``stop``, and the last client has gone or had its time."""
        self._tell(Happening.STARTED)
        tasks = [asyncio.ensure_future(each) for each in self._beside]
        tasks += [asyncio.create_task(self._look()), asyncio.create_task(self._sync())]
        try:
            await self._stop.wait()
            for close in self._close:
                close()
            await self._drain()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._tell(Happening.STOPPED)
            with contextlib.suppress(LeadglassError):
                self._keeping.sync()

    async def _drain(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN):
                while self._world.gateways:
                    self._end(lambda gateway: gateway.who is None)
                    await asyncio.sleep(0.05)
        self._end(lambda _: True)
        await asyncio.sleep(0)

    def _end(self, which: Callable[..., bool]) -> None:
        for gateway in list(self._world.gateways):
            if which(gateway):
                gateway.client.abort()

    async def _look(self) -> None:
        while True:
            await self._look_at_state()
            self._look_at_policies()
            self._keeping.report(self._numbers())
            await asyncio.sleep(_LOOK)

    async def _sync(self) -> None:
        while True:
            with self._noted("audit"):
                self._keeping.sync()
            await asyncio.sleep(_SYNC)

    async def _look_at_state(self) -> None:
        world, keeping = self._world, self._keeping
        try:
            roll = await asyncio.to_thread(keeping.state.roll, world.roll.version)
            since = self._counted
            self._counted = keeping.budgets.step()
            totals = keeping.budgets.snapshot(since)
            keeping.budgets.merge(await asyncio.to_thread(keeping.state.exchange, totals, self._counted - 61))
        except LeadglassError as exc:
            if world.stale_since is None:
                world.stale_since = world.posix()
            self._problem("state", str(exc))
            return
        world.stale_since = None
        self._well("state")
        if roll is not None:
            self._take(roll)

    def _take(self, roll: Roll) -> None:
        before, self._world.roll = self._world.roll, roll
        for gateway in list(self._world.gateways):
            if not gateway.still_welcome():
                gateway.client.abort()
        if self._keeping.first:
            self._tell_emergencies(before, roll)

    def _tell_emergencies(self, before: Roll, roll: Roll) -> None:
        for name, (reason, _) in roll.emergencies.items():
            if name not in before.emergencies:
                self._tell(Happening.EMERGENCY_STARTED, claimed=name, emergency=reason)
                self._keeping.log("break-glass begins", {"name": name})
        for name, (reason, _) in before.emergencies.items():
            if name not in roll.emergencies:
                self._tell(Happening.EMERGENCY_STOPPED, claimed=name, emergency=reason)
                self._keeping.log("break-glass ends", {"name": name})

    def _look_at_policies(self) -> None:
        try:
            policy = self._keeping.policies()
        except ConfigError as exc:
            self._problem("policy", str(exc))
            return
        self._well("policy")
        if policy is not None:
            self._world.policy = policy
            self._world.studies.forget()  # other attributes may be read now
            self._keeping.log("policies replaced", {"version": str(policy.version)})
            self._tell(Happening.CONFIGURATION, reason="policies were replaced", resource="policy")

    @contextlib.contextmanager
    def _noted(self, what: str):  # type: ignore[no-untyped-def]  # noqa: ANN202
        try:
            yield
        except LeadglassError as exc:
            self._problem(what, str(exc))
        else:
            self._well(what)

    def _problem(self, what: str, words: str) -> None:
        if self._problems.get(what) != words:
            self._problems[what] = words
            self._keeping.log("problem", {"with": what, "words": words})
            self._tell(Happening.CONFIGURATION, Outcome.MAJOR, reason=words, resource=what)

    def _well(self, what: str) -> None:
        if self._problems.pop(what, None) is not None:
            self._keeping.log("well again", {"with": what})

    def _tell(self, happening: Happening, outcome: Outcome = Outcome.SUCCESS, **more: str) -> None:
        if self._keeping.first:
            trail = self._world.trail
            trail.after(AuditEvent(happening, trail.now(), outcome, **more), reserved=True)  # type: ignore[arg-type]

    def _numbers(self) -> Mapping[str, float]:
        world = self._world
        return {
            "associations": len(world.gateways),
            "stale": 0.0 if world.stale_since is None else world.posix() - world.stale_since,
            **{f"problem_{name}": 1.0 for name in self._problems},
            **world.counts,
        }
