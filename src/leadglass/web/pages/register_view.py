"""The register as it is shown: what is declared beside what was seen, what does not agree, what is at risk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from leadglass.model.register import Level, Register, Review, Risk, Seen, System
from leadglass.model.verdict import Severity
from leadglass.ports.dashboard import Entry, Head, RegisterDesk, ReviewDue
from leadglass.ports.findings import Disagreement, Since, Standing
from leadglass.web.pages.declared_view import Wrong, managed_by, wrongs
from leadglass.web.pages.telling import Link, named, server_path, shortened, system_path

__all__ = [
    "LEVELS",
    "TONES",
    "Cell",
    "Clause",
    "EntryLine",
    "RegisterView",
    "RiskLine",
    "SystemLine",
    "clauses",
    "entry_lines",
    "matrix",
    "risk_lines",
    "system_line",
    "view",
]

LEVELS = tuple(Level)
"""The levels of SP 800-30, least first."""

TONES: Mapping[Level, Severity] = {
    Level.VERY_LOW: Severity.NONE,
    Level.LOW: Severity.LOW,
    Level.MODERATE: Severity.MEDIUM,
    Level.HIGH: Severity.HIGH,
    Level.VERY_HIGH: Severity.CRITICAL,
}
"""The colour and the shape that a level of risk has."""

_NAME = 80
_MOST = 200
"""Systems, disagreements and risks that one page shows."""


@dataclass(frozen=True, slots=True)
class SystemLine:
    """One system, declared and observed."""

    name: str
    href: str
    kind: str
    owner: str
    manager: str
    location: str
    places: tuple[Link, ...]
    declared_ports: str
    seen_ports: str
    agrees: bool
    reviewed: str


@dataclass(frozen=True, slots=True)
class RiskLine:
    """One risk."""

    name: str
    system: Link
    threat: str
    vulnerability: str
    level: Level
    tone: Severity
    residual: Level
    treatment: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the matrix: a likelihood and an impact."""

    likelihood: Level
    impact: Level
    level: Level
    tone: Severity
    number: int
    names: str


@dataclass(frozen=True, slots=True)
class Clause:
    """One requirement, how it stands and why."""

    clause: str
    title: str
    asks: str
    source: str
    status: str
    against: tuple[Wrong, ...]
    says: tuple[str, ...]
    """Why it is met, or why nobody knows."""


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One entry of the chain."""

    n: int
    at: str
    by: str
    says: str
    why: str


@dataclass(frozen=True, slots=True)
class RegisterView:
    """The page."""

    lead: str
    wrong: tuple[Wrong, ...]
    more_wrong: int
    systems: tuple[SystemLine, ...]
    more_systems: int
    due: tuple[tuple[Link, str], ...]
    matrix: tuple[tuple[Level, tuple[Cell, ...]], ...]
    risks: tuple[RiskLine, ...]
    profiles: tuple[Link, ...]
    head: str


def view(desk: RegisterDesk, due: Sequence[ReviewDue], asked: Sequence[str] = ()) -> RegisterView:
    """The page of the register as ``desk`` has it; ``asked`` are the profiles that it is held against."""
    register, head = desk.register(), desk.head()
    found = desk.disagreements(asked)
    systems = sorted(register.systems.values(), key=lambda system: system.name.casefold())
    return RegisterView(
        lead=_lead(register, found, head),
        wrong=wrongs(found[:_MOST], desk.since(asked), desk.advice),
        more_wrong=max(0, len(found) - _MOST),
        systems=tuple(system_line(register, system) for system in systems[:_MOST]),
        more_systems=max(0, len(systems) - _MOST),
        due=tuple((Link(one.system, system_path(one.system)), _due(one)) for one in due),
        matrix=matrix(register.risks.values(), desk.levels),
        risks=risk_lines(list(register.risks.values())[:_MOST], desk.levels),
        profiles=tuple(
            Link(title, f"/register/requirements/{quote(name)}") for name, title in desk.profiles().items()
        ),
        head=f"{head.n:,} entries; the last one is {head.digest[:16]}..." if head.n else "no entry yet",
    )


def system_line(register: Register, system: System) -> SystemLine:
    """The line of one system."""
    seen = [look for place in system.addresses for look in register.seen_at.get(place, ())]
    open_ports = {port.port for look in seen for port in look.ports}
    return SystemLine(
        name=system.name,
        href=system_path(system.name),
        kind=named(system.kind),
        owner=system.owner,
        manager=managed_by(system.manager),
        location=system.location,
        places=tuple(_place(address, seen) for address in system.addresses),
        declared_ports=_ports(system.ports),
        seen_ports=_ports(open_ports) if seen else "not looked at",
        agrees=open_ports <= set(system.ports),
        reviewed=_reviewed(register.reviews_of.get(system.name, ())),
    )


def matrix(
    risks: Iterable[Risk], levels: Callable[[Risk], tuple[Level, Level]]
) -> tuple[tuple[Level, tuple[Cell, ...]], ...]:
    """The 5 x 5 of NIST SP 800-30, the likeliest above: each risk where it stands before its treatment."""
    standing = list(risks)
    return tuple(
        (likelihood, tuple(_cell(likelihood, impact, standing, levels) for impact in LEVELS))
        for likelihood in reversed(LEVELS)
    )


def risk_lines(risks: Iterable[Risk], levels: Callable[[Risk], tuple[Level, Level]]) -> tuple[RiskLine, ...]:
    """The risks, greatest first."""
    lines = [_risk(risk, *levels(risk)) for risk in risks]
    return tuple(sorted(lines, key=lambda line: (line.tone.rank, line.name)))


def clauses(standings: Iterable[Standing], since: Since, advice: Callable[[str], str]) -> tuple[Clause, ...]:
    """The requirements, in the order of the law."""
    return tuple(
        Clause(
            one.requirement.clause,
            one.requirement.title,
            one.requirement.asks,
            one.requirement.source,
            one.status,
            wrongs(one.against, since, advice),
            tuple(one.missing or one.evidence),
        )
        for one in standings
    )


def entry_lines(entries: Iterable[Entry]) -> tuple[EntryLine, ...]:
    """Entries of the chain, as they come."""
    return tuple(
        EntryLine(
            one.n,
            f"{one.at[:16].replace('T', ' ')} UTC",
            one.by,
            f"{named(one.what)} {shortened(one.name, _NAME)}{' removed' if one.is_removal else ''}",
            one.why,
        )
        for one in entries
    )


def _lead(register: Register, found: Sequence[Disagreement], head: Head) -> str:
    if not head.n:
        return "Nothing is declared yet."
    number = len(register.systems)
    systems = f"{number:,} system{'s are' if number != 1 else ' is'} declared"
    return f"{systems}; {_disagree(len(found))}."


def _disagree(number: int) -> str:
    if not number:
        return "nothing is missing, and nothing disagrees with what was seen"
    return f"{number:,} things are not as they should be" if number > 1 else "1 thing is not as it should be"


def _due(due: ReviewDue) -> str:
    last = f"; the last was on {due.last.on} by {due.last.reviewer}" if due.last else ""
    return f"due on {due.due}{last}" if due.due else "never reviewed"


def _reviewed(reviews: Sequence[Review]) -> str:
    last = max(reviews, key=lambda review: review.on, default=None)
    return f"{last.on}: {named(last.outcome)}" if last else "never"


def _place(address: str, seen: Iterable[Seen]) -> Link:
    """An address has a page once something answered there."""
    canonical = next(
        (look.address for look in seen if address in {look.address, look.name} and look.ports), ""
    )
    return Link(address, server_path(canonical) if canonical else "")


def _ports(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(numbers))) or "none"


def _risk(risk: Risk, level: Level, residual: Level) -> RiskLine:
    return RiskLine(
        name=risk.name,
        system=Link(risk.system, system_path(risk.system)),
        threat=risk.threat,
        vulnerability=risk.vulnerability,
        level=level,
        tone=TONES[level],
        residual=residual,
        treatment=_treatment(risk),
    )


def _treatment(risk: Risk) -> str:
    if risk.treatment is None:
        return "Nobody has decided"
    parts = [
        named(risk.treatment).capitalize(),
        f"by {risk.owner}" if risk.owner else "",
        f"until {risk.until}" if risk.until else "",
    ]
    return " ".join(part for part in parts if part)


def _cell(
    likelihood: Level, impact: Level, risks: Iterable[Risk], levels: Callable[[Risk], tuple[Level, Level]]
) -> Cell:
    here = [risk for risk in risks if (risk.likelihood, risk.impact) == (likelihood, impact)]
    level = levels(Risk("", "", "", "", likelihood, impact))[0]
    names = ", ".join(shortened(risk.name, _NAME) for risk in here[:5])
    return Cell(likelihood, impact, level, TONES[level], len(here), names)
