"""The tables of a dossier, row by row: what is in its ZIP, and what its pages are set from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from leadglass.ledger.chain import Entry
from leadglass.model.register import Seen, SeenPort, System, Treatment
from leadglass.model.verdict import Access
from leadglass.register.assessment import Assessment
from leadglass.register.case import Case, day_of
from leadglass.register.check import ADVICE, Disagreement
from leadglass.register.codec import as_json
from leadglass.register.course import Stood
from leadglass.register.fields import COLUMNS
from leadglass.register.history import Exposure
from leadglass.register.matching import seen_of, systems_at
from leadglass.register.risks import level, residual
from leadglass.register.stamped import stamp_file
from leadglass.register.tables import Row

__all__ = ["TABLES", "Table", "moment", "rows_of", "since", "system_row"]


class Table(NamedTuple):
    """One table of a dossier."""

    name: str
    """Of its files, without an ending."""
    columns: tuple[str, ...]
    rows: Callable[[Case], Iterator[Row]]


def rows_of(case: Case) -> Mapping[str, Sequence[Row]]:
    """By name, the rows of every table."""
    return {table.name: list(table.rows(case)) for table in TABLES}


def moment(posix: int | None) -> str | None:
    """A moment as 2026-11-21T05:00:00Z."""
    return None if posix is None else f"{dt.datetime.fromtimestamp(posix, dt.UTC):%Y-%m-%dT%H:%M:%SZ}"


def system_row(system: System) -> Row:
    """One system in the columns that ``register import`` reads."""
    manager = system.manager
    said: dict[str, Any] = as_json(system)
    if manager is None:
        return said | {"manager": None}
    until = manager.until
    return said | {
        "manager": manager.kind.value,
        "manager_name": manager.name,
        "agreement": manager.agreement,
        "agreement_until": None if until is None else until.isoformat(),
    }


def _inventory(case: Case) -> Iterator[Row]:
    for system in case.register.systems.values():
        row = system_row(system)
        yield {column: row.get(column) for column in _INVENTORY}


# ---- network access


def _access(case: Case) -> Iterator[Row]:
    for system in case.register.systems.values():
        looks = seen_of(case.register, system)
        opened = {port.port for look in looks for port in look.ports}
        for look in looks:
            yield from (_observed(look, port, system) for port in look.ports)
        for number in system.ports:
            if number not in opened:
                yield _silent(system, number, is_seen=bool(looks))
    for look in case.register.seen.values():
        if not systems_at(case.register, look):
            yield from (_observed(look, port, None) for port in look.ports)


def _observed(look: Seen, port: SeenPort, system: System | None) -> Row:
    return {
        "system": None if system is None else system.name,
        "address": look.address,
        "name": look.name,
        "port": port.port,
        "declared": system is not None and port.port in system.ports,
        "seen_from": look.position.value,
        "access": port.access.value,
        "severity": port.severity.value,
        "product": port.product,
        "version": port.version,
        "since": moment(look.since),
        "scan": look.scan,
        "agrees": port.access is Access.NOT_DICOM
        if system is None
        else system.retired is None and port.port in system.ports,
    }


def _silent(system: System, number: int, *, is_seen: bool) -> Row:
    access = "not-seen-open" if is_seen else "not-looked-at"
    return {"system": system.name, "port": number, "declared": True, "access": access, "agrees": None}


# ---- over time


def _exposures(case: Case) -> Iterator[Row]:
    for one in case.exposures:
        yield {
            "severity": one.steps[-1].severity.value,
            "address": one.address,
            "port": one.port,
            "name": one.name,
            "systems": _systems(case, one),
            "seen_from": one.position.value,
            "access": one.steps[-1].access.value,
            "worst": one.worst.severity.value,
            "first_seen": moment(one.opened),
            "first_scan": one.steps[0].scan,
            "history": [f"{moment(step.at)} {step.access} {step.severity} {step.scan}" for step in one.steps],
            "closed": moment(one.closed),
            "closed_by": one.closed_by or None,
            "days": (_end(case, one) - day_of(one.opened)).days,
        }


def _end(case: Case, one: Exposure) -> dt.date:
    return case.today if one.closed is None else day_of(one.closed)


def _systems(case: Case, one: Exposure) -> list[str]:
    places = dict.fromkeys((one.address, one.name or one.address))
    return sorted({system.name for place in places for system in case.register.systems_at.get(place, ())})


def _findings(case: Case) -> Iterator[Row]:
    asking: dict[Disagreement, list[str]] = {}
    for each in case.assessments:
        for one in each.standing.against:
            clause = f"{each.standing.profile} {each.standing.requirement.clause}"
            asking.setdefault(one, []).append(clause)
    for one in case.findings:
        yield {
            "severity": one.severity.value,
            "rule": one.rule.value,
            "about": one.about or None,
            "says": one.says,
            "advice": ADVICE[one.rule],
            "requirements": asking.get(one, []),
            **since(case.since.get(one.key)),
        }


def since(stood: Stood | None) -> Row:
    """From when a finding stands; nothing of one that no entry tells of."""
    return {
        "since": None if stood is None else stood.began.isoformat(),
        "since_entry": None if stood is None else stood.began_by,
    }


def _course(case: Case) -> Iterator[Row]:
    for one in case.course:
        yield {
            "severity": one.found.severity.value,
            "rule": one.found.rule.value,
            "about": one.found.about or None,
            "which": one.found.control or one.found.which or None,
            "says": one.found.says,
            **since(one),
            "ended": None if one.ended is None else one.ended.isoformat(),
            "ended_entry": one.ended_by,
            "days": ((one.ended or case.today) - one.began).days,
        }


def _reviews(case: Case) -> Iterator[Row]:
    latest = {
        review.system: review.on for review in sorted(case.register.reviews.values(), key=lambda it: it.on)
    }
    serving = {system.name for system in case.systems}
    for review in sorted(case.register.reviews.values(), key=lambda it: (it.on, it.system), reverse=True):
        is_latest = review.on == latest[review.system]
        is_due = (
            is_latest and review.next is not None and review.next < case.today and review.system in serving
        )
        if is_latest or case.is_told(review.on):
            yield {**as_json(review), "latest": is_latest, "overdue": is_due}


def _risks(case: Case) -> Iterator[Row]:
    for one in case.register.risks.values():
        is_late = one.until is not None and one.until < case.today
        yield {
            **as_json(one),
            "level": level(one.likelihood, one.impact).value,
            "residual": residual(one).value,
            "expired": is_late and one.treatment is Treatment.ACCEPT,
            "overdue": is_late and one.treatment is not Treatment.ACCEPT,
        }


def _requirements(case: Case) -> Iterator[Row]:
    for one in case.assessments:
        row = one.standing.requirement
        yield {
            "profile": one.standing.profile,
            "clause": row.clause,
            "title": row.title,
            "asks": row.asks,
            "source": row.source,
            "status": one.status.value,
            "for": list(one.evidence),
            "against": _against(one),
            "missing": list(one.missing),
        }


def _against(one: Assessment) -> list[str]:
    return [
        f"{each.about + ': ' if each.about else ''}{each.says} ({each.rule})" for each in one.standing.against
    ]


def _scans(case: Case) -> Iterator[Row]:
    for taken in sorted(case.register.scans.values(), key=lambda scan: (-scan.began, scan.scan)):
        note = case.notes.get(taken.scan)
        if case.is_told(day_of(taken.began)):
            yield {
                "scan": taken.scan,
                "kind": note and note.kind,
                "began": moment(taken.began),
                "ended": note and moment(note.ended),
                "seen_from": taken.position.value,
                "scope": taken.scope,
                "basis": note and note.basis,
                "granted_by": note and note.granted_by,
                "reference": note and note.reference,
                "deepest": note and note.deepest,
                "endpoints": note and note.endpoints,
                "finished": taken.is_complete,
                "kept": note is not None,
            }


def _stamps(case: Case) -> Iterator[Row]:
    for one in case.stamps:
        file = stamp_file(one)
        yield {
            "n": one.n,
            "digest": one.digest,
            "at": moment(one.at),
            "authority": one.authority,
            "file": file,
        }


def _changes(case: Case) -> Iterator[Row]:
    for entry in case.entries:
        if case.is_told(entry.moment.date()):
            yield _change(entry)


def _change(entry: Entry) -> Row:
    body = entry.body
    said = "taken out" if body["now"] is None else "written down"
    return {"n": entry.n, "at": entry.at, "by": body["by"], "what": body["what"], "name": body["name"],
            "change": said, "why": body["why"] or None}  # fmt: skip


_INVENTORY = ("name", *COLUMNS)
_SEEN = ("severity", "address", "port", "name", "systems", "seen_from", "access", "worst")

TABLES: Sequence[Table] = (
    Table("inventory", _INVENTORY, _inventory),
    Table(
        "network-access",
        ("system", "address", "name", "port", "declared", "seen_from", "access", "severity", "product", "version",
         "since", "scan", "agrees"),
        _access,
    ),
    Table(
        "exposures", (*_SEEN, "first_seen", "first_scan", "history", "closed", "closed_by", "days"), _exposures
    ),
    Table(
        "findings",
        ("severity", "rule", "about", "says", "advice", "requirements", "since", "since_entry"),
        _findings,
    ),
    Table(
        "findings-history",
        ("severity", "rule", "about", "which", "says", "since", "since_entry", "ended", "ended_entry", "days"),
        _course,
    ),
    Table("reviews", ("system", "on", "reviewer", "outcome", "next", "note", "latest", "overdue"), _reviews),
    Table(
        "risks",
        ("name", "system", "threat", "vulnerability", "likelihood", "impact", "level", "treatment", "owner", "until",
         "measure", "residual_likelihood", "residual_impact", "residual", "expired", "overdue"),
        _risks,
    ),
    Table(
        "requirements",
        ("profile", "clause", "title", "asks", "source", "status", "for", "against", "missing"),
        _requirements,
    ),
    Table(
        "scans",
        ("scan", "kind", "began", "ended", "seen_from", "scope", "basis", "granted_by", "reference", "deepest",
         "endpoints", "finished", "kept"),
        _scans,
    ),
    Table("stamps", ("n", "digest", "at", "authority", "file"), _stamps),
    Table("changes", ("n", "at", "by", "what", "name", "change", "why"), _changes),
)  # fmt: skip
"""In the order of the dossier."""
