"""``leadglass register list``, ``show`` and ``check``: what it holds, and where that does not agree."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer

from leadglass.cli.codes import EXPOSED
from leadglass.cli.database import DatabaseOption
from leadglass.cli.register_options import (
    Shape,
    ShapeOption,
    chosen,
    held,
    known_system,
    shown,
    table,
    today,
    write_csv,
    write_json,
)
from leadglass.cli.terminal import complain, write
from leadglass.ledger.chain import Entry
from leadglass.model.register import Register, Review, Risk, Seen, System
from leadglass.register.assessment import Assessment, assessed
from leadglass.register.case import readable
from leadglass.register.check import ADVICE, Disagreement, Key, last_review
from leadglass.register.check import check as disagreements
from leadglass.register.codec import as_json, key_of
from leadglass.register.course import Stood, course, standing_since
from leadglass.register.evidence import since, system_row
from leadglass.register.fields import COLUMNS
from leadglass.register.matching import seen_of
from leadglass.register.requirements import PROFILES, profile
from leadglass.register.risks import level, residual
from leadglass.report.safe import visible
from leadglass.report.say import count
from leadglass.store import register as entries

__all__ = ["check", "list_", "show"]

_BROKEN = 1
_ANCHOR = re.compile(r"(?P<n>[1-9][0-9]{0,14}):(?P<digest>[0-9a-f]{64})")
_COLUMNS = ("name", *COLUMNS)
_FINDING = ("severity", "rule", "about", "says", "advice", "requirements", "since", "since_entry")


# ---- list


def list_(shape: ShapeOption = Shape.TEXT, database: DatabaseOption = None) -> None:
    """Show every system with who manages it, what may be open there, what was seen and when it was reviewed.

    Example: leadglass register list --format csv
    """
    with held(database) as (store, register, _):
        where = store.where
    if shape is Shape.JSON:
        write_json([_system_json(register, system) for system in register.systems.values()])
    elif shape is Shape.CSV:
        write_csv(_COLUMNS, map(system_row, register.systems.values()))
    elif not register.systems:
        complain(f"{where}: no system is in the register; leadglass register add or import puts one in")
    else:
        head = ("NAME", "KIND", "OWNER", "MANAGER", "DECLARED", "SEEN OPEN", "REVIEWED")
        write(table(head, [_listed(register, system) for system in register.systems.values()]))


def _listed(register: Register, system: System) -> Sequence[str]:
    looks = seen_of(register, system)
    review = last_review(register, system.name)
    return (
        system.name,
        system.kind if system.retired is None else f"{system.kind}, retired",
        system.owner or "-",
        _manager(system),
        shown(system.ports),
        shown(sorted({port.port for look in looks for port in look.ports})) if looks else "not looked at",
        f"{review.on} {review.outcome}" if review else "never",
    )


def _manager(system: System) -> str:
    return "-" if system.manager is None else system.manager.name or system.manager.kind


def _system_json(register: Register, system: System) -> dict[str, Any]:
    review = last_review(register, system.name)
    return {
        **as_json(system),
        "observed": [as_json(seen) for seen in seen_of(register, system)],
        "last_review": None if review is None else as_json(review),
    }


# ---- show


def show(
    name: Annotated[str, typer.Argument(help="The system.", show_default=False)],
    shape: ShapeOption = Shape.TEXT,
    database: DatabaseOption = None,
) -> None:
    """Show one system: what is declared beside what was seen, its reviews, its risks, and who changed what when.

    Example: leadglass register show archive
    """
    with held(database) as (store, register, _):
        system = known_system(register, name)
        keys = [key_of(thing) for thing in _about(register, system)]
        history = list(entries.history(store, *keys))
    found = [one for one in disagreements(register, today()) if one.about == name]
    if shape is Shape.JSON:
        write_json(_shown_json(register, system, found, history))
    elif shape is Shape.CSV:
        write_csv(_COLUMNS, [system_row(system)])
    else:
        write("".join(f"{visible(said)}\n" for said in _shown(register, system, found, history)))


def _about(register: Register, system: System) -> Iterator[Any]:
    yield system
    yield from register.reviews_of.get(system.name, ())
    yield from register.risks_of.get(system.name, ())
    yield from seen_of(register, system)


def _shown_json(
    register: Register, system: System, found: Sequence[Disagreement], history: Sequence[Entry]
) -> dict[str, Any]:
    return {
        **_system_json(register, system),
        "reviews": [as_json(one) for one in register.reviews_of.get(system.name, ())],
        "risks": [as_json(one) for one in register.risks_of.get(system.name, ())],
        "findings": [_finding_json(one) for one in found],
        "history": [{"n": one.n, "at": one.at, **one.body} for one in history],
    }


def _shown(
    register: Register, system: System, found: Sequence[Disagreement], history: Sequence[Entry]
) -> Iterator[str]:
    yield f"{system.name}, {system.kind}"
    for label, value in system_row(system).items():
        if value and label not in {"name", "kind"}:
            yield f"  {label.replace('_', ' '):<16} {shown(value) if isinstance(value, list) else value}"
    parts = {
        "Seen": map(_seen, seen_of(register, system)),
        "Reviews": map(_review, register.reviews_of.get(system.name, ())),
        "Risks": map(_risk, register.risks_of.get(system.name, ())),
        "To do": (f"{one.severity} {one.rule}: {one.says}; {ADVICE[one.rule]}" for one in found),
        "History": map(_entry, history),
    }
    for title, lines in parts.items():
        yield title
        yield from [f"  {line}" for line in lines] or ["  none"]


def _review(review: Review) -> str:
    following = f", next on {review.next}" if review.next else ""
    return f"{review.on} {review.outcome} by {review.reviewer}{following}{_note(review.note)}"


def _risk(risk: Risk) -> str:
    treated = f"{risk.treatment} by {risk.owner or '-'}" if risk.treatment else "undecided"
    until = f" until {risk.until}" if risk.until else ""
    return f"{risk.name}: {level(risk.likelihood, risk.impact)}; {treated}{until}; left: {residual(risk)}"


def _entry(entry: Entry) -> str:
    body = entry.body
    gone = " taken out" if body["now"] is None else ""
    return f"{entry.n} {entry.at[:19]}Z {body['by']}: {body['what']} {body['name']}{gone}{_note(body['why'])}"


def _note(text: str) -> str:
    return f" ({text})" if text else ""


def _seen(seen: Seen) -> str:
    ports = shown(f"{port.port} {port.access}" for port in seen.ports) if seen.ports else "nothing answers"
    return f"{seen.address} from {seen.position}: {ports} (scan {seen.scan})"


# ---- check


def check(
    profiles: Annotated[
        list[str] | None,
        typer.Option(
            "--profile",
            metavar="PROFILE",
            help=f"Ask what this asks, too: {', '.join(PROFILES)}; may be repeated.",
        ),
    ] = None,
    shape: ShapeOption = Shape.TEXT,
    database: DatabaseOption = None,
) -> None:
    """Say where the register and what was seen do not agree, and what is overdue, each since when. Exit 1 if anything is.

    Example: leadglass register check --profile hipaa
    """
    asked = [profile(name) for name in chosen(profiles)]
    with held(database) as (store, register, _), readable(store.where):
        found = disagreements(register, today(), asked)
        stands = assessed(register, asked, found, today())
        begun = standing_since(course(entries.history(store), today(), asked) if found else ())
    if shape is Shape.JSON:
        told = [{**_finding_json(one), **since(begun.get(one.key))} for one in found]
        write_json({"findings": told, "requirements": list(map(_assessment_json, stands))})
    elif shape is Shape.CSV:
        write_csv(_FINDING, _csv_findings(found, stands, begun))
    else:
        _write_findings(found, stands, begun)
    if found:
        raise typer.Exit(EXPOSED)


def _write_findings(
    found: Sequence[Disagreement], stands: Sequence[Assessment], begun: Mapping[Key, Stood]
) -> None:
    for one in found:
        about = f" {one.about}" if one.about else ""
        write(
            f"{one.severity:<9}{one.rule}{visible(about)}{_since(begun.get(one.key))}\n"
            f"         {visible(one.says)}; {ADVICE[one.rule]}\n"
        )
    if not found:
        write("What is declared and what was seen agree, and nothing is overdue.\n")
    for each in stands:
        write(visible(_assessment(each)) + "\n")
    if stands:
        write("That the register holds nothing against a requirement does not prove that it is met.\n")


def _since(stood: Stood | None) -> str:
    if stood is None:
        return ""
    by = "" if stood.began_by is None else f" (entry {stood.began_by})"
    return f", since {stood.began}{by}"


def _assessment(one: Assessment) -> str:
    against = one.standing.against
    said = (
        f"{count(len(against), 'finding')} against it" if against else " ".join(one.missing or one.evidence)
    )
    row = one.standing.requirement
    return f"{one.standing.profile}  {row.clause}  {row.title}: {one.status}, {said[:1].lower()}{said[1:]}"


def _finding_json(one: Disagreement) -> dict[str, Any]:
    return {
        "rule": one.rule,
        "about": one.about,
        "says": one.says,
        "severity": one.severity,
        "control": one.control or None,
        "advice": ADVICE[one.rule],
    }


def _assessment_json(one: Assessment) -> dict[str, Any]:
    row, against = one.standing.requirement, one.standing.against
    return {
        "profile": one.standing.profile,
        "clause": row.clause,
        "title": row.title,
        "asks": row.asks,
        "source": row.source,
        "status": one.status,
        "for": list(one.evidence),
        "missing": list(one.missing),
        "against": [{"rule": each.rule, "about": each.about, "says": each.says} for each in against],
    }


def _csv_findings(
    found: Sequence[Disagreement], stands: Sequence[Assessment], begun: Mapping[Key, Stood]
) -> Iterator[dict[str, Any]]:
    for one in found:
        asking = [each.standing for each in stands if one in each.standing.against]
        clauses = [f"{each.profile} {each.requirement.clause}" for each in asking]
        yield {**_finding_json(one), "requirements": clauses, **since(begun.get(one.key))}
