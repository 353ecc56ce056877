"""Carries out one order after the other: the scope read anew, the scan resumed or begun, what follows written down."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterable
from pathlib import Path

from leadglass import wiring
from leadglass.errors import ConfigError, LeadglassError, ResourceError, UsageError
from leadglass.model.order import Order, OrderState
from leadglass.model.rung import Rung
from leadglass.ports.world import Clock
from leadglass.report.say import count
from leadglass.scan.foreman import Foreman, Outcome
from leadglass.scope.scope import Scope
from leadglass.store import orders, scans
from leadglass.store.database import Database
from leadglass.store.locks import sole
from leadglass.store.orders import Held
from leadglass.store.scans import StoredScan
from leadglass.store.work import release_all
from leadglass.wiring.filling import take_in
from leadglass.wiring.session import HERE, ScopeFile, plan_of, run, scope_digest
from leadglass.wiring.watch_files import read_scope
from leadglass.wiring.watch_judging import Judge

__all__ = ["LEASE", "Runner"]

LEASE = 30.0
"""Seconds that whoever runs an order may be silent before another one goes on with it."""
_OPENS = 60.0
"""Seconds until it is looked again whether the scope's hours have come."""
_NEVER = "the scope permits none of what was asked for any more"


class Runner:
    """Takes orders as ``worker``; ``say`` hears what became of them."""

    def __init__(
        self, database: Database, judge: Judge, worker: str, clock: Clock, say: Callable[[str], None]
    ) -> None:
        self._database = database
        self._judge = judge
        self._worker = worker
        self._clock = clock
        self._say = say
        self._held: Held | None = None
        self._owed: Held | None = None
        """Could not be given back, because the database was away."""
        self._foreman: Foreman | None = None
        self._stopping = self._lost = False

    def step(self) -> bool:
        """Carry out the order that is due longest; False if none is. ``ResourceError`` if that failed for now."""
        if self._owed is not None:
            orders.give_back(self._database, self._owed)
            self._owed = None
        token = wiring.randomness().token(16).hex()
        held = orders.take(self._database, self._worker, self._clock.posix(), token, LEASE)
        if held is None:
            return False
        self._held, self._lost = held, False
        try:
            self._carry_out(held)
        except ResourceError as exc:
            with contextlib.suppress(ResourceError):
                self._stumble(held, exc)
            raise
        except LeadglassError as exc:
            self._fail(held, str(exc))
        finally:
            self._held = self._foreman = None
        return True

    def renew(self) -> None:
        """Hold on to what is being done; called by another thread."""
        held = self._held
        if held is not None and not orders.renew(self._database, held, LEASE):
            self._lost = True
            self._halt()

    def stop(self) -> None:
        """End soon; what was begun is gone on with later, by whoever takes it."""
        self._stopping = True
        self._halt()

    def _halt(self) -> None:
        if self._foreman is not None:
            self._foreman.stop()

    # ---- one order

    def _carry_out(self, held: Held) -> None:
        order = held.order
        file = read_scope(Path(order.scope_file))
        if not file.scope.stretch(self._clock.posix()).is_open:
            orders.put_off(self._database, held, self._clock.posix() + _OPENS)
            return
        stored = self._begun(held, file)
        with sole(self._database, stored) as ours:
            if not ours:
                raise ResourceError("another process is at this scan", where=stored.plan.ulid)
            if held.is_taken_over and not self._database.is_postgres:
                release_all(self._database, stored)
            outcome = run(self._database, stored, HERE, lambda _: None, self._began)
            is_whole = scans.complete(self._database, stored)
        self._conclude(held, stored, outcome, file.scope, is_whole=is_whole)

    def _began(self, foreman: Foreman) -> None:
        self._foreman = foreman
        if self._stopping or self._lost:
            foreman.stop()

    def _begun(self, held: Held, file: ScopeFile) -> StoredScan:
        """The scan that the order has become: the one that was begun, if the scope reads as it did then."""
        if held.order.scan is not None:
            try:
                stored = scans.find(self._database, held.order.scan)
            except UsageError:
                pass  # somebody has deleted it
            else:
                if stored.state != "filling" and stored.plan.scope_digest == scope_digest(file.text):
                    return stored
        return self._new(held, file)

    def _new(self, held: Held, file: ScopeFile) -> StoredScan:
        order = held.order
        schedule = self._judge.settings.schedule(order.schedule)
        deepest = Rung.SAMPLE if schedule is None else schedule.deepest
        ports = list(_permitted(file.scope, order.ports))
        if order.ports and not ports:
            raise ConfigError(_NEVER, where=order.scope_file)
        command = f"leadglass watch: {order.schedule or order.asked_by or order.why}"
        plan = plan_of(file, command, deepest, listed=bool(ports))
        # Its name first: whoever dies in between has begun nothing that nobody knows of.
        if not orders.note_scan(self._database, held, plan.ulid):
            raise ResourceError("somebody else has gone on with this order", where=order.id)
        stored = scans.begin(self._database, plan)
        if ports:
            scans.add_listed(self._database, stored, ports)
        return scans.find(self._database, plan.ulid)

    def _conclude(
        self, held: Held, stored: StoredScan, outcome: Outcome, scope: Scope, *, is_whole: bool
    ) -> None:
        if self._lost:
            return
        order = dataclasses.replace(held.order, scan=stored.plan.ulid)
        if is_whole:
            seen = scans.find(self._database, stored.plan.ulid)
            take_in(self._database, seen, f"watch {order.schedule}".strip())
            news = self._judge.of_scan(order, seen)
            now = self._clock.posix()
            if orders.finish(self._database, held, OrderState.DONE, now, news=news):
                self._say(
                    f"{_name(order)}: scanned, {count(len(news.raised), 'alert')}, {len(news.closed)} over"
                )
        elif outcome is Outcome.CLOSED:
            why = f"the scope's hours, {scope.limits.hours_text}, are over"
            self._fail(held, why, stored)
        else:
            orders.give_back(self._database, held)

    def _fail(self, held: Held, why: str, part: StoredScan | None = None) -> None:
        news = self._judge.of_absence(held.order, why, part)
        now = self._clock.posix()
        if orders.finish(self._database, held, OrderState.FAILED, now, trouble=why[:500], news=news):
            self._say(f"{_name(held.order)}: not scanned: {why}")

    def _stumble(self, held: Held, error: ResourceError) -> None:
        """Let it be tried again, until its time is over."""
        self._owed = held
        if self._clock.posix() > held.order.until:
            self._fail(held, str(error))
        orders.give_back(self._database, held)
        self._owed = None


def _permitted(scope: Scope, ports: Iterable[tuple[str, int]]) -> Iterable[tuple[str, int]]:
    for address, port in ports:
        depth = scope.depth(address, port)
        if depth is not None and depth >= Rung.CONNECT:
            yield address, port


def _name(order: Order) -> str:
    return order.schedule or order.scope_file
