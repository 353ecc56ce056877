"""From what is otherwise to what somebody has to hear: alerts, the end of alerts, and where to look again."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from leadglass.model.alert import OPENINGS, Alert, AlertKind
from leadglass.model.endpoint import Endpoint
from leadglass.model.order import Order
from leadglass.model.verdict import Access, Severity
from leadglass.store.alerts import Closing
from leadglass.store.watch_looks import Sight, Spot
from leadglass.watch.facts import Certified, Claim, Frame, Shift
from leadglass.watch.silencing import silenced

__all__ = ["Answered", "answered", "claimed", "expiring", "opened", "over", "unseen", "without_claim"]

_SILENT = frozenset({Access.CLOSED, Access.FILTERED})
_NO_SERVER = _SILENT | {Access.NOT_DICOM}
_SOON = 7
"""Days: a certificate that ends so soon is no small matter any more."""
_SAYS: Mapping[Access, str] = {
    Access.ANSWERS_QUERY: "a stranger's query is processed",
    Access.OFFERS_QUERY: "a stranger is offered queries",
    Access.OFFERS_STORAGE: "a stranger may send objects",
    Access.ASSOCIATES: "a stranger may associate",
    Access.VERIFICATION_ONLY: "a stranger may ask whether it is there",
    Access.WANTS_TITLE: "a title is asked for, and no proof",
    Access.DEMANDS_LOGIN: "a login is asked for",
    Access.DEMANDS_CERTIFICATE: "a certificate is asked for",
    Access.INCONCLUSIVE: "what a stranger may do is not certain",
    Access.NOT_DICOM: "it speaks no DICOM",
    Access.FILTERED: "nothing answers",
    Access.CLOSED: "the port is closed",
}


# ---- what has opened


def opened(shifts: Iterable[Shift], frame: Frame) -> Iterator[Alert]:
    """Servers that are new, ports that have opened, controls that are lost."""
    for shift in shifts:
        kind = _kind(shift)
        if kind is None or shift.after.severity.rank > frame.fail_on.rank:
            continue
        spot, after, before = shift.endpoint, shift.after, shift.before
        key = f"{frame.schedule}:{kind}:{spot}" + (
            f":{after.access}" if kind is AlertKind.CONTROL_LOST else ""
        )
        alert = Alert(
            id=frame.new_id(),
            key=key,
            kind=kind,
            severity=after.severity,
            schedule=frame.schedule,
            scope=frame.scope,
            summary=_summary(kind, shift),
            first_at=after.at,
            last_at=after.at,
            endpoint=spot,
            system=frame.system_at(spot),
            before=None if before is None else before.access,
            after=after.access,
            scan=frame.scan,
            not_before=None if before is None else before.at,
            head=frame.head,
        )
        yield silenced(alert, frame.silences, frame.today)


def _kind(shift: Shift) -> AlertKind | None:
    before, after = shift.before, shift.after
    if before is None or before.access in _NO_SERVER:
        return AlertKind.NEWLY_OPEN if shift.was_known else AlertKind.NEW_SERVER
    if before.access is Access.INCONCLUSIVE:
        return AlertKind.NEWLY_OPEN
    is_worse = after.severity.rank < before.severity.rank or after.access.rank < before.access.rank
    return AlertKind.CONTROL_LOST if is_worse else None


def _summary(kind: AlertKind, shift: Shift) -> str:
    now = _SAYS[shift.after.access]
    if kind is AlertKind.CONTROL_LOST and shift.before is not None:
        return f"{shift.endpoint} lets a stranger do more than before: {now}; before, {_SAYS[shift.before.access]}"
    if kind is AlertKind.NEWLY_OPEN:
        return f"{shift.endpoint} answers, at a server that was known: {now}"
    first = " (the first look at it)" if shift.before is None else ""
    return f"a server answers at {shift.endpoint}{first}: {now}"


# ---- what is over


@dataclass(frozen=True, slots=True)
class Answered:
    """What a look says of alerts that are open."""

    closed: Sequence[Closing]
    look_again: Sequence[Spot]
    """Nothing answers there, for the first time: a server that is restarted is not fixed."""


def answered(
    alerts: Iterable[Alert],
    now: Mapping[Spot, Sight],
    earlier: Mapping[Spot, Sight],
    frame: Frame,
    *,
    is_second_look: bool,
) -> Answered:
    """Which of ``alerts`` are over, by how their endpoints are seen ``now`` and were seen ``earlier``."""
    closed, again = [], []
    for alert in alerts:
        if alert.kind not in OPENINGS or alert.endpoint is None:
            continue
        spot = (alert.endpoint.address, alert.endpoint.port)
        sight = now.get(spot)
        if sight is None or sight.access is Access.INCONCLUSIVE or not _is_better(alert, sight, frame):
            continue
        was = earlier.get(spot)
        if sight.access in _SILENT and not is_second_look and (was is None or was.access not in _SILENT):
            again.append(spot)
        else:
            closed.append(over(alert, f"{alert.endpoint}: {_SAYS[sight.access]}", frame, sight))
    return Answered(closed, tuple(dict.fromkeys(again)))


def _is_better(alert: Alert, sight: Sight, frame: Frame) -> bool:
    if alert.kind is AlertKind.CONTROL_LOST and alert.after is not None:
        return sight.access.rank > alert.after.rank
    return sight.severity.rank > frame.fail_on.rank


def over(alert: Alert, summary: str, frame: Frame, sight: Sight | None = None) -> Closing:
    """The end of ``alert``, and the good news."""
    at = frame.now if sight is None else sight.at
    fixed = Alert(
        id=frame.new_id(),
        key=f"fixed:{alert.id}",
        kind=AlertKind.FIXED,
        severity=Severity.NONE,
        schedule=alert.schedule,
        scope=alert.scope,
        summary=summary,
        first_at=at,
        last_at=at,
        endpoint=alert.endpoint,
        system=alert.system,
        before=alert.after,
        after=None if sight is None else sight.access,
        scan=frame.scan,
        not_before=alert.last_at,
        head=frame.head,
    )
    return Closing(alert.id, fixed)


# ---- certificates


def expiring(shown: Iterable[Certified], frame: Frame, days: int) -> Iterator[Alert]:
    """Certificates that end within ``days``, or have ended."""
    for one in shown:
        left = math.floor((one.not_after.timestamp() - frame.now) / 86_400)
        if left > days:
            continue
        ends = one.not_after.date()
        said = f"ended on {ends}" if left < 0 else f"ends on {ends}, in {left} days"
        severity = Severity.HIGH if left <= _SOON else Severity.MEDIUM
        alert = _about(
            frame,
            AlertKind.CERTIFICATE,
            f"{frame.schedule}:certificate:{one.endpoint}:{ends}",
            severity,
            f"the certificate of {one.endpoint} {said}",
            endpoint=one.endpoint,
        )
        yield silenced(alert, frame.silences, frame.today)


# ---- the register


def claimed(claims: Iterable[Claim], frame: Frame) -> Iterator[Alert]:
    """What is not as the register has it."""
    for claim in claims:
        alert = _about(frame, claim.kind, claim.key, claim.severity, claim.summary, system=claim.system)
        yield silenced(alert, frame.silences, frame.today)


def without_claim(
    alerts: Iterable[Alert], kinds: Iterable[AlertKind], keys: Iterable[str], frame: Frame
) -> Iterator[Closing]:
    """The end of those of ``alerts`` of one of ``kinds`` that nothing speaks for any more."""
    still, wanted = set(keys), set(kinds)
    for alert in alerts:
        if alert.kind in wanted and alert.key not in still:
            yield over(alert, f"no longer so: {alert.summary}", frame)


# ---- nobody looked


def unseen(order: Order, why: str, frame: Frame) -> Alert:
    """A scan was due and could not run, or did not end."""
    due = dt.datetime.fromtimestamp(order.due_at, dt.UTC)
    name = order.schedule or order.scope_file
    alert = _about(
        frame,
        AlertKind.NOT_SCANNED,
        f"not-scanned:{name}",
        Severity.HIGH,
        f"the scan {name!r} that was due at {due:%Y-%m-%d %H:%M} UTC was not finished: {why}",
    )
    return silenced(alert, frame.silences, frame.today)


def _about(
    frame: Frame,
    kind: AlertKind,
    key: str,
    severity: Severity,
    summary: str,
    *,
    endpoint: Endpoint | None = None,
    system: str | None = None,
) -> Alert:
    return Alert(
        id=frame.new_id(),
        key=key[:200],
        kind=kind,
        severity=severity,
        schedule=frame.schedule,
        scope=frame.scope,
        summary=summary,
        first_at=frame.now,
        last_at=frame.now,
        endpoint=endpoint,
        system=system if system is not None or endpoint is None else frame.system_at(endpoint),
        scan=frame.scan,
        head=frame.head,
    )
