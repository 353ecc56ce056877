"""The watch: plans what is due, carries it out, tells who has to hear of it, and survives what comes.

Three threads share a database: one keeps time and leases, one scans, one sends. All that matters is in the
database before it is done, so that this process may be killed at any moment. Nothing here handles signals.
"""

from __future__ import annotations

import contextlib
import platform
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from leadglass import wiring
from leadglass.errors import ConfigError, ResourceError
from leadglass.model.order import Order, Why
from leadglass.net import metrics_page
from leadglass.ports.world import Clock
from leadglass.scan.ids import scan_id
from leadglass.settings.watch_file import Schedule, WatchSettings
from leadglass.store import alerts, orders, watch_state
from leadglass.store.database import Database
from leadglass.store.locks import alone
from leadglass.watch.due import Due, planned
from leadglass.wiring.watch_files import scope_text
from leadglass.wiring.watch_judging import Judge
from leadglass.wiring.watch_metrics import metrics
from leadglass.wiring.watch_running import LEASE, Runner
from leadglass.wiring.watch_sending import Sender

__all__ = ["Stopper", "Tempo", "run_watch"]

_GOODBYE = 30.0
"""Seconds that what is under way has to end."""


@dataclass(frozen=True, slots=True)
class Tempo:
    """How often, in seconds. Another one is for tests."""

    look: float = 1.0
    """Between two looks at what is due."""
    beat: float = 10.0
    """Between two signs of life."""
    register: float = 600.0
    """Between two looks at the register."""
    send: float = 2.0
    """Between two looks at what waits to be sent."""
    rest: float = 10.0
    """After trouble with the database or the disk."""


class Stopper:
    """Ends a watch: ``event`` is for ``run_watch``, and calling it is safe in a signal handler, which a lock is not."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()
        threading.Thread(target=self._wait, daemon=True).start()

    def __call__(self) -> None:
        """Have the watch end."""
        self._bell.put(None)

    def _wait(self) -> None:
        self._bell.get()
        self.event.set()


def run_watch(
    database: Database,
    settings: WatchSettings,
    stop: threading.Event,
    say: Callable[[str], None],
    *,
    clock: Clock | None = None,
    tempo: Tempo | None = None,
) -> bool:
    """Watch until ``stop``; False, at once, if another process watches with the same file.

    Scans that are under way are then given back: whoever watches next goes on with them. ``say`` takes what the
    operator should know, from any thread. ``ConfigError`` if the database can no longer be used.
    """
    with alone(database, "watch") as ours:
        if not ours:
            return False
        _Watch(database, settings, stop, say, clock=clock or wiring.clock(), tempo=tempo or Tempo()).run()
    return True


class _Watch:
    """One watch, while it runs."""

    def __init__(
        self,
        database: Database,
        settings: WatchSettings,
        stop: threading.Event,
        say: Callable[[str], None],
        *,
        clock: Clock,
        tempo: Tempo,
    ) -> None:
        self._database = database
        self._settings = settings
        self._stop = stop
        self._say = say
        self._clock = clock
        self._tempo = tempo
        randomness = wiring.randomness()
        self._worker = f"{platform.node()[:100]}:{randomness.token(6).hex()}"
        self._judge = Judge(database, settings, clock, randomness)
        self._runner = Runner(database, self._judge, self._worker, clock, say)
        self._sender = Sender(database, settings, clock, say)
        self._failure: Exception | None = None
        self._trouble: dict[str, str] = {}
        self._next: dict[str, float] = {}

    def run(self) -> None:
        """Until it is told to stop."""
        if not self._database.is_postgres:  # whoever held something in this file is dead
            orders.release_all(self._database)
        threads = [
            threading.Thread(target=self._guarded, args=(name, step, rest), name=f"watch {name}", daemon=True)
            for name, step, rest in (
                ("scan", self._scan, self._tempo.look),
                ("send", self._sender.round, self._tempo.send),
            )
        ]
        with self._served():
            for thread in threads:
                thread.start()
            self._guarded("time", self._keep, self._tempo.look)
            self._runner.stop()
            for thread in threads:
                thread.join(_GOODBYE)
        with contextlib.suppress(ResourceError):
            watch_state.gone(self._database, self._worker)
        if self._failure is not None:
            raise self._failure

    def _guarded(self, name: str, step: Callable[[], object], rest: float) -> None:
        """Take ``step`` again and again until the end; trouble that may mend itself is said once."""
        while not self._stop.is_set():
            pause = rest
            try:
                step()
            except ResourceError as error:
                self._lament(name, error)
                pause = self._tempo.rest
            except Exception as error:  # noqa: BLE001 - a thread that dies must not leave the others pretending
                self._failure = error
                self._stop.set()
            else:
                self._trouble.pop(name, None)
            self._stop.wait(pause)

    def _lament(self, name: str, error: ResourceError) -> None:
        if self._trouble.get(name) != error.what:
            self._say(str(ResourceError(error.what, where=error.where, then="trying again until it works")))
        self._trouble[name] = error.what

    @contextlib.contextmanager
    def _served(self) -> Iterator[None]:
        place = self._settings.metrics
        if place is None:
            yield
            return
        with metrics_page.serving(place.host, place.port, self._metrics):
            yield

    def _metrics(self) -> str:
        try:
            return metrics(self._database, self._settings, self._clock.posix(), len(self._trouble))
        except (ResourceError, ConfigError):
            return "leadglass_watch_up 0\n"

    # ---- time

    def _keep(self) -> None:
        """All that has to be done again and again."""
        for every, act in (
            (self._tempo.beat, self._beat),
            (LEASE / 6, self._runner.renew),
            (self._tempo.look, self._plan),
            (self._tempo.register, self._look_into_register),
        ):
            now = self._clock.monotonic()
            if now >= self._next.get(act.__name__, 0.0):
                act()
                self._next[act.__name__] = now + every

    def _beat(self) -> None:
        watch_state.beat(self._database, self._worker, self._clock.posix())

    def _plan(self) -> None:
        now = self._clock.posix()
        for schedule in self._settings.schedules:
            self._plan_one(schedule, now)
        for order in orders.overdue(self._database, now):
            why = "nobody watched, or other scans took too long, until its window was over"
            if orders.miss(self._database, order, now, why, self._judge.of_absence(order, why)):
                self._say(f"{order.schedule or order.scope_file}: missed: {why}")

    def _plan_one(self, schedule: Schedule, now: float) -> None:
        mark = watch_state.mark_of(self._database, schedule.name)
        plan = planned(schedule, mark, now)
        if plan.mark == mark or (mark is not None and not plan.dues and mark <= now < mark + 60):
            return  # nothing is due, and the mark is near enough
        given = [self._order(schedule, due) for due in plan.dues]
        if plan.passed_over:
            self._say(f"{schedule.name}: {plan.passed_over:,} more moments went by unwatched")
        watch_state.plan(self._database, schedule.name, given, plan.mark, now)

    def _order(self, schedule: Schedule, due: Due) -> Order:
        try:
            text = scope_text(Path(schedule.scope_file))
        except ConfigError:
            text = ""  # it is read again when it is due, and said then
        return Order(
            id=scan_id(self._clock.posix(), wiring.randomness()),
            schedule=schedule.name,
            scope_file=schedule.scope_file,
            scope_text=text,
            why=Why.SCHEDULE,
            due_at=due.at,
            until=due.until,
            moment=due.moment,
        )

    def _look_into_register(self) -> None:
        if self._settings.register_alerts:
            for news in self._judge.of_register():
                alerts.raise_(self._database, news)

    def _scan(self) -> None:
        while not self._stop.is_set() and self._runner.step():
            pass
