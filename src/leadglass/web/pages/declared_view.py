"""What the register says of one server, beside what was seen of it."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from leadglass.model.register import Management, Manager, Outcome, Review, System
from leadglass.model.verdict import Severity
from leadglass.ports.findings import Begun, Disagreement, Since
from leadglass.web.pages.server_view import ServerView
from leadglass.web.pages.telling import Option, named, options, server_path, system_path

__all__ = ["Declared", "Row", "Wrong", "declared", "managed_by", "thing_path", "wrongs"]


@dataclass(frozen=True, slots=True)
class Row:
    """One thing, declared and observed."""

    what: str
    declared: str
    observed: str
    agrees: bool


@dataclass(frozen=True, slots=True)
class Wrong:
    """One disagreement, and what to do about it."""

    about: str
    href: str
    """Its page; "" for the register as a whole."""
    rule: str
    says: str
    severity: Severity
    since: str
    """The day; "" if no entry tells."""
    entry: int | None
    """The entry that it came with; None: a day came."""
    advice: str


@dataclass(frozen=True, slots=True)
class Declared:
    """The register's side of a server's page."""

    name: str
    """The system; "" if none is declared at this address."""
    others: tuple[str, ...]
    """More systems that are declared there."""
    rows: tuple[Row, ...]
    reviewed: str
    wrong: tuple[Wrong, ...]
    owner: str
    manager: str
    agreement: str
    managements: tuple[Option, ...]
    outcomes: tuple[Option, ...]
    proposed: str
    """A name for the system, if there is none yet."""


def declared(
    server: ServerView, systems: Sequence[System], reviews: Sequence[Review], wrong: Iterable[Wrong]
) -> Declared:
    """What is declared of ``server``: ``systems`` are at its address, ``reviews`` are of the first of them."""
    system = systems[0] if systems else None
    manager = system.manager if system else None
    return Declared(
        name=system.name if system else "",
        others=tuple(one.name for one in systems[1:]),
        rows=tuple(_rows(system, server)) if system else (),
        reviewed=_reviewed(reviews),
        wrong=tuple(wrong),
        owner=system.owner if system else "",
        manager=manager.name if manager else "",
        agreement=manager.agreement if manager else "",
        managements=options(Management, manager.kind if manager else "", "nobody is named"),
        outcomes=options(Outcome, Outcome.PASSED),
        proposed=server.name or server.address,
    )


def wrongs(found: Iterable[Disagreement], since: Since, advice: Callable[[str], str]) -> tuple[Wrong, ...]:
    """Disagreements, since when each stands, and what to do about it."""
    return tuple(_wrong(one, since(one), advice(one.rule)) for one in found)


def thing_path(about: str) -> str:
    """The page of what a disagreement is about: a server or a system."""
    try:
        return server_path(str(ipaddress.ip_address(about)))
    except ValueError:
        return system_path(about) if about else ""


def managed_by(manager: Manager | None) -> str:
    """Who looks after it, in one line."""
    if manager is None:
        return ""
    parts = [manager.name or named(manager.kind), f"({named(manager.kind)})" if manager.name else ""]
    if manager.agreement:
        parts.append(f"under {manager.agreement}")
    if manager.until:
        parts.append(f"until {manager.until}")
    return " ".join(part for part in parts if part)


def _wrong(one: Disagreement, begun: Begun | None, advice: str) -> Wrong:
    return Wrong(
        one.about,
        thing_path(one.about),
        one.rule,
        one.says,
        one.severity,
        since=str(begun.on) if begun else "",
        entry=begun.by if begun else None,
        advice=advice,
    )


def _rows(system: System, server: ServerView) -> Iterable[Row]:
    declared_ports, seen = set(system.ports), set(server.ports)
    yield Row("Open ports", _ports(declared_ports), _ports(seen), declared_ports >= seen)
    yield Row("Address", ", ".join(system.addresses), server.address, server.address in system.addresses)
    yield Row("Owner", system.owner, "", bool(system.owner))
    yield Row("Managed by", managed_by(system.manager), "", system.manager is not None)
    yield Row("Location", system.location, "", True)
    yield Row("Holds", ", ".join(system.data), "", True)
    yield Row("Controls", ", ".join(system.controls), "", True)


def _ports(numbers: set[int]) -> str:
    return ", ".join(map(str, sorted(numbers))) or "none"


def _reviewed(reviews: Sequence[Review]) -> str:
    last = max(reviews, key=lambda review: review.on, default=None)
    if last is None:
        return "Never reviewed."
    following = f" Next by {last.next}." if last.next else ""
    return f"Reviewed on {last.on} by {last.reviewer}: {named(last.outcome)}.{following}"
