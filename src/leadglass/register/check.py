"""Declared and observed side by side: what does not agree, what is overdue, what requirements ask and is missing."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from leadglass.model.register import (
    SILENT,
    Management,
    Outcome,
    Register,
    Review,
    Risk,
    Seen,
    System,
    Treatment,
)
from leadglass.model.verdict import Access, Position, Severity
from leadglass.register.matching import identified, seen_of, systems_at
from leadglass.register.requirements import Profile

__all__ = [
    "ADVICE",
    "Asked",
    "Disagreement",
    "Key",
    "Rule",
    "asked_by",
    "check",
    "check_risk",
    "check_scans",
    "check_seen",
    "check_system",
    "last_review",
    "risk_days",
    "scans_days",
    "system_days",
]

_EPOCH = dt.date(1970, 1, 1)
_NO_SERVER = SILENT | {Access.NOT_DICOM}


class Rule(enum.StrEnum):
    """What can be wrong, by names that stay."""

    UNKNOWN_SERVER = "unknown-server"
    MOVED = "moved"
    GONE = "gone"
    NEVER_LOOKED_AT = "never-looked-at"
    PORT_NOT_ALLOWED = "port-not-allowed"
    RETIRED_ANSWERS = "retired-answers"
    NO_OWNER = "no-owner"
    NO_MANAGER = "no-manager"
    NO_AGREEMENT = "no-agreement"
    AGREEMENT_EXPIRED = "agreement-expired"
    NEVER_REVIEWED = "never-reviewed"
    REVIEW_OVERDUE = "review-overdue"
    REVIEW_FAILED = "review-failed"
    NO_RISK_ANALYSIS = "no-risk-analysis"
    RISK_UNTREATED = "risk-untreated"
    TREATMENT_OVERDUE = "treatment-overdue"
    ACCEPTANCE_EXPIRED = "acceptance-expired"
    CONTROL_MISSING = "control-missing"
    INVENTORY_OLD = "inventory-old"
    SCAN_OLD = "scan-old"


ADVICE: Mapping[Rule, str] = {
    Rule.UNKNOWN_SERVER: "find out who runs it: declare it, or close it",
    Rule.MOVED: "declare its new address, or find out why its certificate is there",
    Rule.GONE: "declare where it is now, or that it is retired",
    Rule.NEVER_LOOKED_AT: "take its address into a scope and scan it",
    Rule.PORT_NOT_ALLOWED: "close the port, or declare it",
    Rule.RETIRED_ANSWERS: "switch it off, or find out what is in its place",
    Rule.NO_OWNER: "name the owner",
    Rule.NO_MANAGER: "name who manages it",
    Rule.NO_AGREEMENT: "name the agreement",
    Rule.AGREEMENT_EXPIRED: "renew the agreement, or end the manager's access",
    Rule.NEVER_REVIEWED: "review its controls",
    Rule.REVIEW_OVERDUE: "review its controls",
    Rule.REVIEW_FAILED: "close the gaps and review it again",
    Rule.NO_RISK_ANALYSIS: "write down what threatens it; leadglass register risk --draft begins with what was seen",
    Rule.RISK_UNTREATED: "mitigate, accept or transfer it",
    Rule.TREATMENT_OVERDUE: "do it, or set another day",
    Rule.ACCEPTANCE_EXPIRED: "accept it anew, or mitigate it",
    Rule.CONTROL_MISSING: "put it in place, and declare it",
    Rule.INVENTORY_OLD: "review the entry and write the review down",
    Rule.SCAN_OLD: "scan, and fill the register from that",
}


Key: TypeAlias = tuple[Rule, str, str]
"""What makes a finding the same on another day, however it is worded then."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One thing that is not as the register, or a requirement, has it."""

    rule: Rule
    about: str
    """A system by its name, or an address; "" for the register as a whole."""
    says: str
    """In one line."""
    severity: Severity
    control: str = ""
    """The control that is missing, if that is what it is about."""
    which: str = ""
    """What else tells it from others of its rule about the same: a side, an address with its port, a risk."""

    @property
    def key(self) -> Key:
        """The same for as long as it stands."""
        return self.rule, self.about, self.control or self.which


@dataclass(frozen=True, slots=True)
class Asked:
    """What profiles ask of a register beside its own rules, together."""

    is_anything: bool
    controls: tuple[str, ...]
    """Of each system."""
    review_days: int | None
    """At most so many between two reviews of a system."""
    scan_days: int | None
    """At most so many between two finished scans."""


def asked_by(profiles: Iterable[Profile]) -> Asked:
    """The strictest of each."""
    rows = [row for profile in profiles for row in profile.rows]
    return Asked(
        is_anything=bool(rows),
        controls=tuple(dict.fromkeys(control for row in rows for control in row.controls)),
        review_days=_shortest(row.inventory_days for row in rows),
        scan_days=_shortest(row.scan_days for row in rows),
    )


def check(register: Register, today: dt.date, profiles: Iterable[Profile] = ()) -> list[Disagreement]:
    """All that is wrong on that day, worst first. Requirements with a period of their own count if in ``profiles``."""
    asked = asked_by(profiles)
    found = [one for seen in register.seen.values() for one in check_seen(register, seen)]
    for system in register.systems.values():
        found += check_system(register, system, asked, today)
    for risk in register.risks.values():
        found += check_risk(risk, today)
    found += check_scans(register, asked, today)
    return sorted(found, key=lambda one: (one.severity.rank, one.rule, one.about, one.says))


def check_system(register: Register, system: System, asked: Asked, today: dt.date) -> Iterator[Disagreement]:
    """What is wrong with one system, but for its risks."""
    if system.retired is not None and system.retired <= today:
        yield from _retired(register, system)
    else:
        yield from _observed(register, system)
        yield from _declared(system, today)
        yield from _reviewed(register, system, today)
        yield from _asked(register, system, asked, today)


def last_review(register: Register, system: str) -> Review | None:
    """The latest review of the system called so."""
    return max(register.reviews_of.get(system, ()), key=lambda review: review.on, default=None)


# ---- observed


def check_seen(register: Register, seen: Seen) -> Iterator[Disagreement]:
    """Whether what was seen there is a server that nobody declared."""
    ports = [port for port in seen.ports if port.access not in _NO_SERVER]
    if not ports or systems_at(register, seen):
        return
    worst = _least(min((port.severity for port in ports), key=lambda severity: severity.rank))
    said = ", ".join(f"{port.port} {port.access}" for port in ports)
    names = ", ".join(system.name for system in identified(register, seen))
    rule = Rule.MOVED if names else Rule.UNKNOWN_SERVER
    says = f"what only {names} showed is seen here: {said}" if names else f"seen and not declared: {said}"
    yield Disagreement(rule, seen.address, says, worst, which=seen.position)


def _least(severity: Severity) -> Severity:
    """A server that nobody knows of is no small matter, however well it is shut."""
    return min(severity, Severity.MEDIUM, key=lambda one: one.rank)


def _retired(register: Register, system: System) -> Iterator[Disagreement]:
    for seen in seen_of(register, system):
        if seen.ports:
            ports = ", ".join(str(port.port) for port in seen.ports)
            says = f"retired on {system.retired}, and {seen.address} answers on {ports}"
            side = f"{seen.address} {seen.position}"
            yield Disagreement(Rule.RETIRED_ANSWERS, system.name, says, Severity.HIGH, which=side)


def _observed(register: Register, system: System) -> Iterator[Disagreement]:
    looks = seen_of(register, system)
    if not looks and system.addresses:
        says = "no scan that the register was filled from has looked at it"
        yield Disagreement(Rule.NEVER_LOOKED_AT, system.name, says, Severity.LOW)
    if looks and not any(look.ports for look in looks) and any(map(_tells, looks)):
        says = f"nothing answers at {', '.join(sorted({look.address for look in looks}))}"
        yield Disagreement(Rule.GONE, system.name, says, Severity.MEDIUM)
    for look in looks:
        for port in look.ports:
            if port.port not in system.ports:
                allowed = ", ".join(map(str, system.ports)) or "none"
                says = f"{look.address} answers on {port.port} ({port.access}); declared: {allowed}"
                where = f"{look.address} {look.position} {port.port}"
                yield Disagreement(
                    Rule.PORT_NOT_ALLOWED, system.name, says, _least(port.severity), which=where
                )


def _tells(look: Seen) -> bool:
    """Whether silence tells that a system is gone: that the outside does not reach it is as it should be."""
    return look.answered is not None or look.position is not Position.OUTSIDE


# ---- declared


def _declared(system: System, today: dt.date) -> Iterator[Disagreement]:
    if not system.owner:
        yield Disagreement(Rule.NO_OWNER, system.name, "nobody owns it", Severity.MEDIUM)
    manager = system.manager
    if manager is None:
        yield Disagreement(Rule.NO_MANAGER, system.name, "nobody is said to manage it", Severity.MEDIUM)
    elif manager.until is not None and manager.until < today:
        says = f"the agreement with {manager.name or manager.kind} ended on {manager.until}"
        yield Disagreement(Rule.AGREEMENT_EXPIRED, system.name, says, Severity.HIGH)
    elif manager.kind is Management.BUSINESS_ASSOCIATE and not manager.agreement:
        says = f"{manager.name or 'its manager'} is a business associate without an agreement"
        yield Disagreement(Rule.NO_AGREEMENT, system.name, says, Severity.HIGH)


def _reviewed(register: Register, system: System, today: dt.date) -> Iterator[Disagreement]:
    review = last_review(register, system.name)
    if review is None:
        yield Disagreement(
            Rule.NEVER_REVIEWED, system.name, "its controls were never reviewed", Severity.MEDIUM
        )
        return
    if review.next is not None and review.next < today:
        says = f"the next review was due on {review.next}; the last was on {review.on}"
        yield Disagreement(Rule.REVIEW_OVERDUE, system.name, says, Severity.MEDIUM)
    if review.outcome is not Outcome.PASSED:
        says = f"the review of {review.on} by {review.reviewer} came to: {review.outcome}"
        severity = Severity.HIGH if review.outcome is Outcome.FAILED else Severity.MEDIUM
        yield Disagreement(Rule.REVIEW_FAILED, system.name, says, severity)


def check_risk(risk: Risk, today: dt.date) -> Iterator[Disagreement]:
    """Whether somebody has decided about it, and its day is to come."""
    if risk.treatment is None:
        says = f"nobody has decided about the risk {risk.name!r}"
        yield Disagreement(Rule.RISK_UNTREATED, risk.system, says, Severity.HIGH, which=risk.name)
    elif risk.until is not None and risk.until < today:
        is_accepted = risk.treatment is Treatment.ACCEPT
        rule = Rule.ACCEPTANCE_EXPIRED if is_accepted else Rule.TREATMENT_OVERDUE
        verb = "was accepted" if is_accepted else "was to be treated"
        says = f"the risk {risk.name!r} {verb} until {risk.until} by {risk.owner}"
        yield Disagreement(rule, risk.system, says, Severity.HIGH, which=risk.name)


# ---- asked by requirements


def _asked(register: Register, system: System, asked: Asked, today: dt.date) -> Iterator[Disagreement]:
    if asked.is_anything and system.name not in register.risks_of:
        yield Disagreement(Rule.NO_RISK_ANALYSIS, system.name, "no risk is written down", Severity.MEDIUM)
    for control in asked.controls:
        if control not in system.controls:
            says = f"no {control} is among its controls"
            yield Disagreement(Rule.CONTROL_MISSING, system.name, says, Severity.MEDIUM, control)
    if asked.review_days is not None:
        review = last_review(register, system.name)
        if review is None or (today - review.on).days > asked.review_days:
            says = f"no review in the last {asked.review_days} days"
            yield Disagreement(Rule.INVENTORY_OLD, system.name, says, Severity.MEDIUM)


def check_scans(register: Register, asked: Asked, today: dt.date) -> Iterator[Disagreement]:
    """Whether the last finished scan is longer ago than a profile lets it be."""
    days = asked.scan_days
    midnight = dt.datetime.combine(today, dt.time(), dt.UTC).timestamp()
    if days is not None and midnight - register.last_scan > days * 86_400:
        yield Disagreement(
            Rule.SCAN_OLD, "", f"no finished scan of the last {days} days is in it", Severity.MEDIUM
        )


def _shortest(periods: Iterable[int | None]) -> int | None:
    return min((period for period in periods if period is not None), default=None)


# ---- the days on which that changes though nobody writes anything


def system_days(register: Register, system: System, asked: Asked) -> Iterator[dt.date]:
    """The days on which ``check_system`` may find another thing than on the day before, of the same register."""
    if system.retired is not None:
        yield system.retired
    if system.manager is not None and system.manager.until is not None:
        yield _after(system.manager.until)
    review = last_review(register, system.name)
    if review is not None:
        if review.next is not None:
            yield _after(review.next)
        if asked.review_days is not None:
            yield _after(review.on, asked.review_days + 1)


def risk_days(risk: Risk) -> Iterator[dt.date]:
    """The same for ``check_risk``."""
    if risk.until is not None:
        yield _after(risk.until)


def scans_days(register: Register, asked: Asked) -> Iterator[dt.date]:
    """The same for ``check_scans``."""
    if asked.scan_days is not None:
        yield _after(_EPOCH, register.last_scan // 86_400 + asked.scan_days + 1)


def _after(day: dt.date, days: int = 1) -> dt.date:
    """So many days later; the last day that there is has none after it."""
    return dt.date.fromordinal(min(day.toordinal() + days, dt.date.max.toordinal()))
