"""The watch, as the dashboard and the command line ask it and give it orders (``ports.dashboard.WatchDesk``)."""

from __future__ import annotations

import dataclasses
import datetime as dt
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from leadglass.errors import ConfigError, ScopeDenied, UsageError
from leadglass.model.alert import Alert, AlertState, Silence
from leadglass.model.order import Order, Why
from leadglass.model.rung import Rung
from leadglass.ports.dashboard import NextRun
from leadglass.ports.world import Clock, Randomness
from leadglass.scan.ids import scan_id
from leadglass.scope.parse import parse
from leadglass.settings.watch_file import Schedule, WatchSettings
from leadglass.store import alerts, orders, silences, watch_state
from leadglass.store.database import Database
from leadglass.watch.due import next_due
from leadglass.wiring.watch_files import read_scope, scope_text

__all__ = ["Desk"]

_WITHIN = 24 * 3600
"""Seconds in which an order of a person is to be begun."""
_ALIVE = 60.0
"""Seconds without a sign of life after which nobody watches."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Over one database. ``settings`` None: no ``watch.toml``, so there are no schedules and no scopes."""

    database: Database
    settings: WatchSettings | None
    clock: Clock
    randomness: Randomness

    # ---- schedules and orders

    def schedules(self) -> Sequence[NextRun]:
        """Every schedule, soonest first."""
        now = self.clock.posix()
        found = [self._next(schedule, now) for schedule in self._schedules()]
        return sorted(found, key=lambda one: (one.next_at or 0, one.schedule))

    def scopes(self) -> Mapping[str, str]:
        """By name, the scope files that orders may be given for; those that cannot be read now are left out."""
        found = {}
        for schedule in self._schedules():
            name = self._name_of(schedule)
            if name is not None:
                found[name] = schedule.scope_file
        return found

    def order(self, scope: str, ports: Sequence[tuple[str, int]], by: str) -> Order:
        """Ask for a look at ``ports`` of a scope (none: at all of it), now; the scope by its name.

        ``UsageError`` if there is no such scope; ``ScopeError`` or ``ScopeDenied`` if it does not permit that.
        """
        for schedule in self._schedules():
            if self._name_of(schedule) == scope:
                return self.order_for(schedule.name, ports, by)
        raise UsageError(f"there is no scope {scope!r}", then="watch.toml names the scopes that are watched")

    def order_for(
        self, schedule: str, ports: Sequence[tuple[str, int]], by: str, why: Why = Why.PERSON
    ) -> Order:
        """The same by the name of a schedule."""
        theirs = next((one for one in self._schedules() if one.name == schedule), None)
        if theirs is None:
            known = ", ".join(one.name for one in self._schedules()) or "none"
            raise UsageError(f"there is no schedule {schedule!r}", then=f"the schedules are {known}")
        file = read_scope(Path(theirs.scope_file))
        for address, port in ports:
            depth = file.scope.depth(address, port)
            if depth is None or depth < Rung.CONNECT:
                raise ScopeDenied(f"the scope does not permit {address} port {port}", where=theirs.scope_file)
        now = int(self.clock.posix())
        order = Order(
            id=self._new_id(),
            schedule=schedule,
            scope_file=theirs.scope_file,
            scope_text=file.text,
            why=why,
            due_at=now,
            until=now + _WITHIN,
            ports=tuple(ports),
            asked_by=by,
        )
        orders.give(self.database, order)
        return order

    def retest(self, alert: str, by: str) -> Order:
        """Ask for another look at the endpoint of an alert, now; ``UsageError`` if it is about none."""
        found = alerts.find(self.database, alert)
        spot = found.endpoint
        ports = [] if spot is None else [(spot.address, spot.port)]
        return self.order_for(found.schedule, ports, by, Why.RETEST)

    def orders(self, most: int) -> Sequence[Order]:
        """The latest ones first."""
        return orders.latest(self.database, most)

    def order_of(self, order: str) -> Order:
        """One of them; ``UsageError`` if there is none."""
        return orders.find(self.database, order)

    # ---- alerts

    def alerts(self, states: Sequence[AlertState], most: int, before: str | None = None) -> Sequence[Alert]:
        """The latest first, those older than the one whose identifier is ``before``."""
        return alerts.page(self.database, states=states, most=most, after=before)

    def alert(self, alert: str) -> Alert:
        """One of them; ``UsageError`` if there is none."""
        return alerts.find(self.database, alert)

    def acknowledge(self, alert: str, by: str) -> Alert:
        """Somebody has seen it."""
        return alerts.change(self.database, alert, AlertState.ACKNOWLEDGED, by, self.clock.posix())

    def close(self, alert: str, by: str) -> Alert:
        """Somebody says that it is over."""
        return alerts.change(self.database, alert, AlertState.CLOSED, by, self.clock.posix())

    # ---- silences

    def silences(self) -> Sequence[Silence]:
        """Those in force that people have entered."""
        today = self._today()
        return [one for one in silences.read(self.database) if today <= one.until]

    def silence(self, silence: Silence, by: str) -> Silence:
        """Let one be in force; its ``id`` is given anew.

        ``UsageError`` if its last day has gone by, if it has no owner or reason, or if ``address`` is none.
        """
        if silence.until < self._today():
            raise UsageError(f"{silence.until} has gone by", where="--until")
        if not (silence.owner.strip() and silence.reason.strip()):
            raise UsageError("a silence has an owner and a reason")
        reason = silence.reason if by == silence.owner else f"{silence.reason} (entered by {by})"
        address = None if silence.address is None else _network(silence.address)
        kept = dataclasses.replace(silence, id=self._new_id(), reason=reason, address=address)
        silences.add(self.database, kept, self.clock.posix())
        return kept

    def end_silence(self, silence: str, by: str) -> None:
        """End one before its day."""
        silences.end(self.database, silence, by, self.clock.posix())

    def is_running(self) -> bool:
        """Whether somebody takes orders now."""
        return any(one.silent < _ALIVE for one in watch_state.watchers_of(self.database))

    # ---- parts

    def _schedules(self) -> Sequence[Schedule]:
        return () if self.settings is None else self.settings.schedules

    def _next(self, schedule: Schedule, now: float) -> NextRun:
        last = next((one for one in orders.latest(self.database, 20, schedule.name) if not one.ports), None)
        return NextRun(
            schedule=schedule.name,
            scope=self._name_of(schedule) or schedule.scope_file,
            when=schedule.cron.fields,
            next_at=next_due(schedule, now).at,
            last=last,
        )

    def _name_of(self, schedule: Schedule) -> str | None:
        try:
            text = scope_text(Path(schedule.scope_file))
            return parse(text, filename=schedule.scope_file, moment=self.clock.posix()).name
        except ConfigError:
            return None

    def _new_id(self) -> str:
        return scan_id(self.clock.posix(), self.randomness)

    def _today(self) -> dt.date:
        return dt.datetime.fromtimestamp(self.clock.posix(), dt.UTC).date()


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as exc:
        raise UsageError(str(exc), where="--address", then="write 192.0.2.7 or 192.0.2.0/28") from exc
