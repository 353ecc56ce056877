"""Orders, alerts and schedules as the dashboard and the API ask for them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from leadglass import wiring
from leadglass.errors import ConfigError, ScopeDenied, UsageError
from leadglass.model.alert import Alert, AlertState, Silence
from leadglass.model.order import Order, Why
from leadglass.ports.dashboard import NextRun
from leadglass.scan.ids import scan_id
from leadglass.scope.parse import parse
from leadglass.settings.watch_file import Schedule, WatchSettings
from leadglass.store import alerts, orders, silences, watch_state
from leadglass.store.database import Database

__all__ = ["WatchKept"]

_PATIENCE = 3600
"""Seconds within which an order that somebody gives is begun, or missed."""
_ALIVE = 60.0
"""Seconds after which a watcher that says nothing is none."""
_LONGEST_SCOPE = 10 << 20


@dataclass(frozen=True, slots=True)
class WatchKept:
    """``ports.dashboard.WatchDesk`` over the store."""

    database: Database
    settings: WatchSettings | None
    """What is scanned when; None: nothing by itself."""
    scope_files: tuple[str, ...] = ()
    """Further scopes that orders may be given for."""

    def schedules(self) -> Sequence[NextRun]:
        """Every schedule, soonest first."""
        found = [] if self.settings is None else [self._next(one) for one in self.settings.schedules]
        return sorted(found, key=lambda one: (one.next_at is None, one.next_at or 0, one.schedule))

    def scopes(self) -> Mapping[str, str]:
        """By name, the scope files that orders may be given for; one that cannot be read is left out."""
        scheduled = () if self.settings is None else (one.scope_file for one in self.settings.schedules)
        found: dict[str, str] = {}
        for file in dict.fromkeys((*scheduled, *self.scope_files)):
            try:
                name = parse(_read(file), filename=file, moment=wiring.clock().posix()).name
            except ConfigError:
                continue
            found.setdefault(name, file)
        return found

    def order(self, scope: str, ports: Sequence[tuple[str, int]], by: str) -> Order:
        """Ask for a look, now."""
        file, now = self.scopes().get(scope), wiring.clock().posix()
        if file is None:
            raise UsageError(f"there is no scope {scope!r} that scans may be asked for")
        text = _read(file)
        permitted = parse(text, filename=file, moment=now)
        for address, port in ports:
            # Names are resolved when it runs; an address that only a name stands for is judged then.
            if permitted.depth(address, port) is None and not permitted.names():
                raise ScopeDenied(f"the scope {scope!r} does not permit {address} port {port}")
        given = Order(
            id=scan_id(now, wiring.randomness()),
            schedule="",
            scope_file=file,
            scope_text=text,
            why=Why.PERSON,
            due_at=int(now),
            until=int(now) + _PATIENCE,
            ports=tuple(ports),
            asked_by=by,
        )
        orders.give(self.database, given)
        return given

    def orders(self, most: int) -> Sequence[Order]:
        """The latest ones first."""
        return orders.latest(self.database, most)

    def order_of(self, order: str) -> Order:
        """One of them."""
        return orders.find(self.database, order)

    def alerts(self, states: Sequence[AlertState], most: int, before: str | None = None) -> Sequence[Alert]:
        """The latest first."""
        return alerts.page(self.database, states=states, after=before, most=most)

    def alert(self, alert: str) -> Alert:
        """One of them."""
        return alerts.find(self.database, alert)

    def acknowledge(self, alert: str, by: str) -> Alert:
        """Somebody has seen it."""
        return alerts.change(self.database, alert, AlertState.ACKNOWLEDGED, by, wiring.clock().posix())

    def close(self, alert: str, by: str) -> Alert:
        """Somebody says that it is over."""
        return alerts.change(self.database, alert, AlertState.CLOSED, by, wiring.clock().posix())

    def silences(self) -> Sequence[Silence]:
        """Those in force."""
        today = dt.datetime.fromtimestamp(wiring.clock().posix(), dt.UTC).date()
        return [one for one in silences.read(self.database) if one.until >= today]

    def silence(self, silence: Silence, by: str) -> Silence:
        """Let one be in force; ``by`` is who takes the risk if nobody else is named."""
        now = wiring.clock().posix()
        kept = replace(silence, id=scan_id(now, wiring.randomness()), owner=silence.owner or by)
        silences.add(self.database, kept, now)
        return kept

    def end_silence(self, silence: str, by: str) -> None:
        """End one before its day."""
        silences.end(self.database, silence, by, wiring.clock().posix())

    def is_running(self) -> bool:
        """Whether somebody takes orders now."""
        return any(one.silent < _ALIVE for one in watch_state.watchers_of(self.database))

    def _next(self, schedule: Schedule) -> NextRun:
        now = wiring.clock().posix()
        last = next(iter(orders.latest(self.database, 1, schedule.name)), None)
        try:
            scope = parse(_read(schedule.scope_file), filename=schedule.scope_file, moment=now).name
        except ConfigError:
            scope = ""
        following = next(iter(schedule.cron.after(now)), None)
        return NextRun(schedule.name, scope, schedule.cron.fields, following, last)


def _read(file: str) -> str:
    try:
        content = Path(file).read_bytes()
        if len(content) > _LONGEST_SCOPE:
            raise ConfigError("the scope is too long", where=file)
        return content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError("the scope cannot be read", where=file) from exc
