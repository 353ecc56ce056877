"""Holds what a scan saw against the scan before it and the register: what follows from that, as news for the store."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from leadglass.errors import UsageError
from leadglass.model.alert import Alert, AlertKind
from leadglass.model.endpoint import Endpoint
from leadglass.model.order import Order, OrderState, Why
from leadglass.model.verdict import Access, Severity
from leadglass.ports.world import Clock, Randomness
from leadglass.scan.ids import scan_id
from leadglass.settings.watch_file import Schedule, WatchSettings
from leadglass.store import alerts, orders, scans, watch_looks
from leadglass.store.alerts import Closing, News
from leadglass.store.database import Database
from leadglass.store.reading import names_of
from leadglass.store.scans import StoredScan
from leadglass.store.watch_looks import Sight, Spot
from leadglass.watch import ruling
from leadglass.watch.facts import Certified, Frame, Shift
from leadglass.wiring.watch_register import Known, known

__all__ = ["Judge"]

_LOOK_AGAIN = 600
"""Seconds until a second look at what has fallen silent."""
_WITHIN = 6 * 3600
"""Seconds in which that look is to begin."""
_MOST = 2000
"""Alerts of one kind from one scan; more are counted in one."""


@dataclass(frozen=True, slots=True)
class _Earlier:
    """What a scan is held against."""

    whole: StoredScan | None
    """The last scan of everything; None if there was none, or somebody has deleted it."""
    lately: Mapping[Spot, Sight]
    """What was looked at again since."""


@dataclass(frozen=True, slots=True)
class Judge:
    """Says what follows; nothing here writes."""

    database: Database
    settings: WatchSettings
    clock: Clock
    randomness: Randomness

    def new_id(self) -> str:
        """A ULID."""
        return scan_id(self.clock.posix(), self.randomness)

    def channels(self, alert: Alert) -> Sequence[str]:
        """Where an alert goes."""
        return [one.name for one in self.settings.channels if alert.severity.rank <= one.severity.rank]

    def of_scan(self, order: Order, scan: StoredScan) -> News:
        """What ``scan``, which ``order`` became, tells."""
        frame, facts = self._frame(order, scan)
        still = alerts.open_alerts(self.database, order.schedule)
        earlier = self._earlier(order)
        said = ruling.answered(
            still,
            watch_looks.sights(self.database, scan, _spots(still)),
            self._sights(earlier, _spots(still)),
            frame,
            is_second_look=order.why is Why.RETEST,
        )
        raised = [
            *self._capped(ruling.opened(self._shifts(order, earlier, scan, frame.fail_on), frame), frame),
            *self._capped(ruling.expiring(self._shown(scan), frame, self.settings.certificate_days), frame),
        ]
        closed = list(said.closed)
        if not order.ports:
            closed += [*self._seen_again(still, frame), *self._renewed(still, raised, frame)]
        if self.settings.register_alerts and not order.ports:
            claims = list(facts.strangers(self.database, scan))
            raised += self._capped(ruling.claimed(claims, frame), frame)
            keys = [claim.key for claim in claims]
            closed += ruling.without_claim(still, {AlertKind.UNDECLARED}, keys, frame)
        again = [self.look_again(order, said.look_again)] if said.look_again else []
        return News(scan.plan.ulid, raised, closed, again, self.channels)

    def of_absence(self, order: Order, why: str, part: StoredScan | None = None) -> News:
        """What it tells that ``order`` was not carried out, or came to no end after ``part`` was seen."""
        frame, _ = self._frame(order, part)
        raised = [ruling.unseen(order, why, frame)]
        if part is not None:
            shifts = self._shifts(order, self._earlier(order), part, frame.fail_on)
            raised += self._capped(ruling.opened(shifts, frame), frame)
        return News(order.id, raised, channels=self.channels)

    def of_register(self) -> Iterator[News]:
        """What is overdue; each thing is told once, in news of its own."""
        frame, facts = self._framed("", self.settings.name, None, dt.UTC, Severity.LOW)
        claims = list(facts.overdue())
        for claim in claims:
            raised = list(ruling.claimed([claim], frame))
            yield News(f"claim {claim.key}"[:64], raised, channels=self.channels)
        still = alerts.open_alerts(self.database, "")
        over = ruling.without_claim(
            still, {AlertKind.ENDED, AlertKind.REVIEW}, [claim.key for claim in claims], frame
        )
        yield News("", closed=list(over), channels=self.channels)

    def look_again(self, order: Order, ports: Sequence[tuple[str, int]]) -> Order:
        """An order for a second look at what has fallen silent."""
        due = int(self.clock.posix()) + _LOOK_AGAIN
        return replace(
            order,
            id=self.new_id(),
            why=Why.RETEST,
            due_at=due,
            until=due + _WITHIN,
            ports=tuple(ports),
            moment=None,
            asked_by="",
            state=OrderState.WAITING,
            scan=None,
            began_at=None,
            ended_at=None,
            trouble="",
        )

    # ---- parts

    def _frame(self, order: Order, scan: StoredScan | None) -> tuple[Frame, Known]:
        schedule = self.settings.schedule(order.schedule)
        zone = dt.UTC if schedule is None else schedule.zone
        scope = order.scope_file if scan is None else scan.plan.scope_name
        return self._framed(order.schedule, scope, scan, zone, _least(schedule))

    def _framed(
        self, schedule: str, scope: str, scan: StoredScan | None, zone: dt.tzinfo, least: Severity
    ) -> tuple[Frame, Known]:
        now = self.clock.posix()
        today = dt.datetime.fromtimestamp(now, zone).date()
        facts = known(self.database, today)
        frame = Frame(
            schedule=schedule,
            scope=scope,
            scan=None if scan is None else scan.plan.ulid,
            now=int(now),
            today=today,
            fail_on=least,
            head=facts.head,
            silences=facts.silences,
            new_id=self.new_id,
            system_at=facts.system_at,
        )
        return frame, facts

    def _earlier(self, order: Order) -> _Earlier:
        last = orders.last(self.database, order.schedule, order.scope_file)
        if last is None or last.scan == order.scan:
            return _Earlier(None, {})
        lately: dict[Spot, Sight] = {}
        for one in orders.narrow_since(self.database, last):
            scan = self._kept(one)
            if scan is not None and one.id != order.id:
                seen = watch_looks.sights(self.database, scan, one.ports).items()
                lately |= {spot: sight for spot, sight in seen if sight.access is not Access.INCONCLUSIVE}
        return _Earlier(self._kept(last), lately)

    def _kept(self, order: Order) -> StoredScan | None:
        """The scan that an order became; None if it became none, or somebody has deleted it."""
        try:
            return None if order.scan is None else scans.find(self.database, order.scan)
        except UsageError:
            return None

    def _sights(self, earlier: _Earlier, spots: Sequence[Spot]) -> Mapping[Spot, Sight]:
        whole = {} if earlier.whole is None else watch_looks.sights(self.database, earlier.whole, spots)
        return {**whole, **earlier.lately}

    def _shifts(self, order: Order, earlier: _Earlier, scan: StoredScan, least: Severity) -> Iterator[Shift]:
        told = set(_spots(alerts.open_alerts(self.database, order.schedule)))
        lately = {spot: sight for spot, sight in earlier.lately.items() if spot not in told}
        for one in watch_looks.changed(self.database, earlier.whole, scan, least):
            if (one.endpoint.address, one.endpoint.port) not in lately:
                yield Shift(one.endpoint, one.before, one.after, one.was_known)
        names, now = names_of(scan.plan), watch_looks.sights(self.database, scan, lately)
        for (address, port), after in now.items():
            if after.severity.rank <= least.rank:
                before = lately[address, port]
                yield Shift(Endpoint(address, port, names.get(address)), before, after, was_known=True)

    def _shown(self, scan: StoredScan) -> Iterator[Certified]:
        for endpoint, ends, at in watch_looks.certificates(self.database, scan):
            yield Certified(endpoint, ends, at)

    def _capped(self, found: Iterable[Alert], frame: Frame) -> list[Alert]:
        """The first so many, and one that counts the rest."""
        kept = list(itertools.islice(stream := iter(found), _MOST))
        rest = sum(1 for _ in stream)
        if rest:
            last = kept[-1]
            said = f"{rest:,} more of the kind {last.kind}: see the scan"
            kept.append(
                replace(
                    last,
                    id=frame.new_id(),
                    key=f"{frame.schedule}:more:{last.kind}",
                    summary=said,
                    endpoint=None,
                )
            )
        return kept

    def _seen_again(self, still: Iterable[Alert], frame: Frame) -> Iterator[Closing]:
        """A scan has ended: nobody is in the dark any more."""
        for alert in still:
            if alert.kind is AlertKind.NOT_SCANNED:
                yield ruling.over(alert, f"scanned again: {frame.schedule or frame.scope}", frame)

    def _renewed(self, still: Iterable[Alert], raised: Iterable[Alert], frame: Frame) -> Iterator[Closing]:
        """Certificates that no scan of everything complains of any more."""
        keys = [alert.key for alert in raised]
        return ruling.without_claim(still, {AlertKind.CERTIFICATE}, keys, frame)


def _least(schedule: Schedule | None) -> Severity:
    return Severity.MEDIUM if schedule is None else schedule.fail_on


def _spots(found: Iterable[Alert]) -> list[tuple[str, int]]:
    return [(one.endpoint.address, one.endpoint.port) for one in found if one.endpoint is not None]
