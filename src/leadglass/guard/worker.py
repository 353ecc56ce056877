"""One process of a guard: its doors, and what keeps it up to date while they are open."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from leadglass.access.budgets import STEPS, Totals
from leadglass.access.policy import Policy
from leadglass.errors import ConfigError, LeadglassError
from leadglass.guard.audit.events import AuditEvent, Happening, Outcome
from leadglass.guard.budgets import Budgets
from leadglass.guard.world import Inside, World
from leadglass.model.enrolment import Roll

__all__ = ["Keeping", "State", "Visitors", "Worker"]

_LOOK = 1.0
"""Seconds between two looks at the shared state: how long a revoked certificate may still be used."""
_PATIENCE = 3.0
"""Seconds that a look may take; after it, the state counts as one that cannot be had."""
_DRAIN = 30.0
"""Seconds that clients have to finish when the guard is asked to stop."""
_RESTING = 2.0
"""Seconds of that without a message, after which a client is not waited for."""
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


class _Found(NamedTuple):
    """What a look at the shared state brought."""

    roll: Roll | None
    others: Mapping[str, Mapping[int, list[Totals]]]
    step: int
    """The step of time up to which the others know what was counted here."""


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
    """Force the audit to the disk; called in a thread."""
    dirty: Callable[[], bool]
    """Whether ``sync`` has something to do."""
    first: bool
    """Of all processes of this guard: tells the audit what concerns all of them."""
    report: Callable[[Mapping[str, float]], None]
    """Takes the numbers of this process once a second."""
    troubles: Callable[[], Mapping[str, str]]
    """What else can be in trouble, each with its words; empty words: all is well."""
    log: Callable[[str, Mapping[str, str]], None]
    """Takes what an operator should see: a word for the event, and its circumstances."""


class Visitors(Protocol):
    """The clients of the web door."""

    @property
    def inside(self) -> Collection[object]:
        """Those that are connected."""
        ...

    def rest(self) -> None:
        """Send those away that ask for nothing just now."""
        ...

    def check(self) -> None:
        """Send those away that the roll does not let in any more."""
        ...

    def close(self) -> None:
        """Send everybody away."""
        ...


class Worker:
    """Doors open, until ``stop``."""

    def __init__(
        self,
        world: World,
        keeping: Keeping,
        close: Sequence[Callable[[], None]],
        beside: Sequence[Awaitable[None]],
        web: Visitors | None = None,
    ) -> None:
        """``close`` shuts the doors; ``beside`` runs for as long as they are open."""
        self._web = web
        self._world = world
        self._keeping = keeping
        self._close = close
        self._beside = beside
        self._stop = asyncio.Event()
        self._problems: dict[str, str] = {}
        self._counted = 0
        self._asking: asyncio.Task[_Found] | None = None

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
                rests: dict[Inside, float] = {}
                while self._world.gateways or (self._web is not None and self._web.inside):
                    if self._web is not None:
                        self._web.rest()
                    self._end(lambda gateway: gateway.who is None or self._rests(gateway, rests))
                    await asyncio.sleep(0.05)
        self._end(lambda _: True)
        if self._web is not None:
            self._web.close()
        await asyncio.sleep(0)

    def _rests(self, gateway: Inside, since: dict[Inside, float]) -> bool:
        """Whether it has asked for nothing for a while: between two of its messages it is let be."""
        if not gateway.idle:
            since.pop(gateway, None)
            return False
        now = self._world.monotonic()
        return now - since.setdefault(gateway, now) >= _RESTING

    def _end(self, which: Callable[[Inside], bool]) -> None:
        for gateway in list(self._world.gateways):
            if which(gateway):
                gateway.client.abort()

    async def _look(self) -> None:
        while True:
            try:
                await self._look_at_state()
                self._look_at_policies()
                self._look_at_others()
            except Exception as exc:  # noqa: BLE001 - who stops looking would never hear of a revocation
                self._world.mistake(exc)
                self._cannot_tell("a mistake of the guard's own, see the log")
            self._keeping.report(self._numbers())
            await asyncio.sleep(_LOOK)

    async def _sync(self) -> None:
        while True:
            with self._noted("audit"):
                if self._keeping.dirty():  # the disk may take its time: not on the event loop
                    await asyncio.to_thread(self._keeping.sync)
            await asyncio.sleep(_SYNC)

    async def _look_at_state(self) -> None:
        budgets = self._keeping.budgets
        now = budgets.step()
        if self._asking is None:
            asked = asyncio.to_thread(
                self._ask, self._world.roll.version, budgets.snapshot(self._counted), now
            )
            self._asking = asyncio.create_task(asked)
            self._asking.add_done_callback(_seen)  # at the end nobody waits for it
        # A thread cannot be called back: the same question is waited for at the next look.
        done, _ = await asyncio.wait({self._asking}, timeout=_PATIENCE)
        if not done:
            self._cannot_tell("the shared state does not answer in time")
            return
        asking, self._asking = self._asking, None
        try:
            found = asking.result()
        except LeadglassError as exc:
            self._cannot_tell(str(exc))
            return
        self._heard(found)

    def _ask(self, version: int, totals: Mapping[tuple[str, int], Totals], step: int) -> _Found:
        """In a thread."""
        state = self._keeping.state
        roll = state.roll(version)
        return _Found(roll, state.exchange(totals, step - STEPS - 1), step)

    def _heard(self, found: _Found) -> None:
        self._world.stale_since = None
        self._well("state")
        if found.roll is not None:  # before anything that may fail: it is not told again
            self._take(found.roll)
        self._counted = found.step
        self._keeping.budgets.merge(found.others)

    def _cannot_tell(self, why: str) -> None:
        """From the first look that fails, only care goes on."""
        if self._world.stale_since is None:
            self._world.stale_since = self._world.monotonic()
        self._problem("state", why)

    def _look_at_others(self) -> None:
        for what, words in self._keeping.troubles().items():
            if words:
                self._problem(what, words)
            else:
                self._well(what)

    def _take(self, roll: Roll) -> None:
        before, self._world.roll = self._world.roll, roll
        for gateway in list(self._world.gateways):
            if not gateway.still_welcome():
                gateway.client.abort()
        if self._web is not None:
            self._web.check()
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
            "web_clients": 0 if self._web is None else len(self._web.inside),
            "stale": 0.0 if world.stale_since is None else world.monotonic() - world.stale_since,
            **{f"problem_{name}": 1.0 for name in self._problems},
            **world.counts,
        }


def _seen(task: asyncio.Task[_Found]) -> None:
    if not task.cancelled():
        task.exception()
