"""The main program of one process of a guard: everything it is made of, from ``guard.toml``.

Started by ``guard_run`` with the file and a number. It listens by itself, tells its numbers on
standard output once a second and its log on standard error, and obeys SIGTERM (let nobody in any more,
end when those inside are done) and SIGHUP (read certificates and policies anew).
"""

from __future__ import annotations

import contextlib
import datetime as dt
import gc
import json
import os
import platform
import re
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from leadglass import wiring
from leadglass.access.budgets import Measure, Spent
from leadglass.errors import ConfigError, LeadglassError, ResourceError
from leadglass.guard.audit.bodies import to_bodies
from leadglass.guard.audit.events import AuditEvent, Happening, Outcome
from leadglass.guard.dimse.archive import Archive
from leadglass.guard.doors import Crowd
from leadglass.guard.kept import keep
from leadglass.guard.process import Parts, run
from leadglass.guard.tls import ServerTls, server_context
from leadglass.guard.worker import Keeping
from leadglass.guard.world import World
from leadglass.model.access import Principal
from leadglass.model.enrolment import Roll
from leadglass.settings.guard import GuardSettings
from leadglass.store.guard_moves import shared_key
from leadglass.store.guard_roll import read_roll
from leadglass.store.spool import Spool, open_spool
from leadglass.wiring.guard_kept import KeptFiles
from leadglass.wiring.guard_log import log, mistake, open_log, refusal
from leadglass.wiring.guard_setup import Site, read_site, roll_of
from leadglass.wiring.guard_state import KeptMoves, Reach, SharedState
from leadglass.wiring.guard_world import (
    Policies,
    archive_of,
    budgets_of,
    forwarder_of,
    tokens_of,
    web_of,
    world_of,
)
from leadglass.wiring.names import resolver

__all__ = ["main"]

_YOUNG = 50_000
"""Objects between two collections."""
_AGAIN = 1.0
"""Seconds before the shared state is tried again by a process that cannot begin without it."""


def main() -> None:
    """Be process number ``argv[2]`` of the guard of the file ``argv[1]``."""
    open_log()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # what it has not read yet it will read as it is then
    gc.set_threshold(_YOUNG)
    try:
        _serve(read_site(Path(sys.argv[1])), int(sys.argv[2]))
    except LeadglassError as exc:
        log("cannot run", {"words": str(exc)})


def writer_name(number: int) -> str:
    """How this process is called among all that share a state and an audit."""
    host = re.sub(r"[^a-z0-9]+", "-", platform.node().partition(".")[0].lower()).strip("-")
    return f"{host[:40] or 'guard'}-{number}"


def _serve(site: Site, number: int) -> None:
    settings, clock = site.settings, wiring.clock()
    folder, reserve = Path(settings.audit.directory), settings.audit.reserve
    kept = KeptFiles(site.kept, writes=number == 0)
    with (
        Reach(lambda: roll_of(site)) as reach,
        open_spool(folder, writer_name(number), clock.posix, reserve=reserve) as spool,
    ):
        run(_Member(settings, reach, spool, number, kept).parts())


class _Begun(NamedTuple):
    """What a process begins with."""

    roll: Roll
    key: bytes
    """Under which all processes count whom they do not name."""
    stale: float | None
    """Seconds since this was so for certain; None: it is so now."""


def _begun(reach: Reach, kept: KeptFiles) -> _Begun:
    """By the shared state, or by what was kept of it; where nothing was, when it can be had.

    ``ConfigError`` if it can never be had as it is configured, and nothing was kept.
    """
    said = ""
    while True:
        try:
            database = reach.open()
            key = shared_key(database, "budgets", wiring.randomness().token(32))
            return _Begun(read_roll(database), key, None)
        except LeadglassError as exc:
            last = kept.state()
            if last is not None:
                age = kept.age(last)
                log("begun by what was kept", {"words": str(exc), "seconds": f"{age:.0f}"})
                return _Begun(last.roll, last.key, age)
            if isinstance(exc, ConfigError):
                raise
            if str(exc) != said:
                said = str(exc)
                log("waiting", {"for": "state", "words": said})
        _tell({"waiting": 1.0, "problem_state": 1.0})
        threading.Event().wait(_AGAIN)


class _Member:
    """Everything of one process."""

    def __init__(
        self, settings: GuardSettings, reach: Reach, spool: Spool, number: int, kept: KeptFiles
    ) -> None:
        begun = _begun(reach, kept)
        self._settings = settings
        self._reach = reach
        self._begun = begun
        self._kept = kept
        self._spool = spool
        self._number = number
        # What a process counted that died counts on, and two guards on one machine are not taken for one.
        self._life = wiring.randomness().token(8).hex()
        self._policies = Policies(settings.policy)
        self._crowd = Crowd(settings.limits.connections, settings.limits.per_address)
        self._budgets = budgets_of(settings, begun.key, self._tell_budget)
        self._keys, self._tokens = tokens_of(settings.identity, kept)
        sends = number == 0 and settings.audit.syslog is not None  # one process sends for all
        self._forwarder = forwarder_of(settings) if sends else None
        self._archive: Archive | None = None
        self._unwritten = ""

    def parts(self) -> Parts:
        """What the process is made of."""
        told = self._settings.tls
        tls = ServerTls(lambda: server_context(told.profile, told.certificate, told.key, told.ca))
        web = ServerTls(
            # Who brings a token need not have a certificate; without tokens nobody else is known.
            lambda: server_context(
                told.profile, told.certificate, told.key, told.ca, demand=self._tokens is None
            )
        )
        settings = self._settings

        def reload() -> None:
            tls.reload()
            web.reload()

        return Parts(
            listen=self._settings.listen,
            tls=tls.context,
            crowd=self._crowd,
            world=self._world,
            web=None if settings.listen.web is None else lambda world: web_of(settings, world, web),
            keeping=self._keeping(reload),
            beside=self._beside(),
            stop_on=signal.SIGTERM,
            reload_on=signal.SIGHUP,
        )

    def _beside(self) -> list[Callable[[World], Awaitable[None]]]:
        keys, forwarder = self._keys, self._forwarder
        beside: list[Callable[[World], Awaitable[None]]] = [lambda _: keep(self._kept.write)]
        if keys is not None:
            beside.append(lambda _: keys.run())
        if forwarder is not None:
            beside.append(lambda _: forwarder.run())
        return beside

    def _keeping(self, reload: Callable[[], None]) -> Keeping:
        return Keeping(
            state=SharedState(self._reach, f"{writer_name(self._number)}-{self._life}", self._confirm),
            budgets=self._budgets,
            policies=self._policies.newer,
            reload=reload,
            sync=self._spool.sync,
            dirty=lambda: self._spool.is_dirty,
            first=self._number == 0,
            report=self._report,
            troubles=self._troubles,
            log=log,
        )

    def _world(self) -> World:
        self._archive = archive_of(self._settings, resolver())
        world = world_of(
            self._settings,
            self._archive,
            policy=self._policies.first(),
            roll=self._begun.roll,
            budgets=self._budgets,
            write=self._write,
            moves=KeptMoves(self._reach),
            tokens=self._tokens,
            mistake=mistake,
            resolver=resolver(),
        )
        if self._begun.stale is not None:
            world.stale_since = world.monotonic() - self._begun.stale
        return world

    def _confirm(self, roll: Roll | None) -> None:
        self._kept.confirm(roll, self._begun.key)

    def _write(self, event: AuditEvent, *, reserved: bool) -> None:
        refusal(event)
        try:
            for body in to_bodies(event):
                self._spool.append(body, reserved=reserved)
        except ResourceError as exc:
            self._unwritten = str(exc)
            raise

    def _troubles(self) -> Mapping[str, str]:
        if self._unwritten or not self._spool.has_reserve:
            self._try_to_write()
        told = {"audit-trail": self._unwritten, "kept": self._kept.trouble}
        if self._archive is not None:
            told["archive"] = self._archive.unreached.words
            told["archive-query"] = self._archive.unasked.words
        if self._keys is not None:
            told["identity-provider"] = self._keys.problem
        if self._forwarder is not None:
            told["audit-collector"] = self._forwarder.trouble
        return told

    def _try_to_write(self) -> None:
        """What is not care has no room at the moment: it may have now."""
        words = "the audit trail has room again"
        event = AuditEvent(Happening.CONFIGURATION, _now(), reason=words, resource="audit")
        with contextlib.suppress(ResourceError):
            self._write(event, reserved=False)
            self._unwritten = ""

    def _tell_budget(self, principal: Principal, measure: Measure, spent: Spent) -> None:
        log("budget", {"principal": principal.name, "measure": measure.value, "spent": spent.value})
        outcome = Outcome.SUCCESS if spent.allowed else Outcome.MINOR
        event = AuditEvent(
            Happening.OVER_BUDGET, _now(), outcome, who=principal, reason=f"{measure.value}: {spent.value}"
        )
        with contextlib.suppress(ResourceError):
            self._write(event, reserved=False)

    def _report(self, numbers: Mapping[str, float]) -> None:
        _tell({**numbers, "turned_away": self._crowd.turned_away})


def _tell(numbers: Mapping[str, float]) -> None:
    try:
        os.write(1, json.dumps(numbers).encode() + b"\n")
    except BrokenPipeError:  # nobody looks after this process any more
        signal.raise_signal(signal.SIGTERM)


def _now() -> dt.datetime:
    return dt.datetime.fromtimestamp(wiring.clock().posix(), tz=dt.UTC)


if __name__ == "__main__":
    main()
