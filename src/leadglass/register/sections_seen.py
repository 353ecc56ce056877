"""The sections of a dossier about what there is and what was seen, each made of the rows of its table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from leadglass.model.verdict import Access
from leadglass.register.blocks import (
    Block,
    Cell,
    bar,
    heading,
    mono,
    paragraph,
    small,
    stack,
    strong,
    table,
    tag,
)
from leadglass.register.case import Case
from leadglass.register.history import Exposure
from leadglass.register.phrases import Sheet, brief, day, named, sentence
from leadglass.register.tables import Row
from leadglass.report.words import ACCESS, count

__all__ = ["exposures", "findings", "inventory", "network", "scans"]


# ---- inventory and network


def inventory(sheet: Sheet) -> Iterator[Block]:
    """The declared systems."""
    yield heading("Inventory")
    yield paragraph(
        "Every imaging system that is declared: who owns it, who looks after it and under which agreement, where it"
        " stands, what it holds, and the safeguards that are declared for it."
    )
    head = (
        ("System", 2.2),
        ("Owner and manager", 2.2),
        ("Location and data", 2.0),
        ("Declared controls", 2.0),
    )
    yield from table(
        head, [_system(row) for row in sheet.rows["inventory"]], "No system is declared.", "inventory"
    )


def _system(row: Row) -> list[Cell]:
    retired = f"retired on {row['retired']}" if row["retired"] else ""
    manager = " ".join(filter(None, (row["manager_name"], f"({row['manager']})" if row["manager"] else "")))
    until = f" until {row['agreement_until']}" if row["agreement_until"] else ""
    agreement = f"agreement {row['agreement']}{until}" if row["agreement"] else ""
    return [
        stack(strong(row["name"]), small(row["kind"]), small(retired)),
        stack(row["owner"] or "no owner", small(manager or "no manager"), small(agreement)),
        stack(row["location"] or "-", small(named(row["data"]))),
        stack(named(row["controls"]) or "none", small(row["note"])),
    ]


def network(sheet: Sheet) -> Iterator[Block]:
    """Declared beside observed."""
    yield heading("Network access")
    yield paragraph(
        "What is declared beside what was observed. A port that answers and is not declared, and an address that"
        " answers where nothing is declared, do not agree; a declared port that was not seen open does."
    )
    head = (
        ("System", 1.7),
        ("Address", 2.1),
        ("Port", 0.7),
        ("Declared", 0.9),
        ("Observed", 2.7),
        ("Severity", 1.1),
    )
    yield from table(head, [_port(row) for row in sheet.rows["network-access"]], "Nothing.", "network-access")
    yield from _reach(sheet.case)


def _port(row: Row) -> list[Cell]:
    software = " ".join(filter(None, (row.get("product"), row.get("version"))))
    seen = f"from {row['seen_from']} since {day(row['since'])}" if row.get("since") else ""
    return [
        strong(row["system"]) if row["system"] else small("not declared"),
        stack(mono(row["address"]), small(row["name"] or "")) if row.get("address") else "-",
        str(row["port"]),
        "yes" if row["declared"] else "no",
        stack(row["access"].replace("-", " "), small(seen), small(software)),
        tag(row["severity"]) if row.get("severity") else "-",
    ]


def _reach(case: Case) -> Iterator[Block]:
    declared = [one for one in case.register.systems.values() if one.zones or one.peers or one.titles]
    if declared:
        yield heading("Zones and peers as declared", 2)
        head = (("System", 1.7), ("AE titles", 1.6), ("Zones", 1.6), ("May talk to it", 3.0))
        made: list[list[Cell]] = [
            [strong(one.name), named(one.titles), named(one.zones), named(one.peers)] for one in declared
        ]
        yield from table(head, made, "", "inventory")


# ---- over time


def findings(sheet: Sheet) -> Iterator[Block]:
    """What does not agree and what is missing, and what was and is no more."""
    yield heading("Findings and their history")
    yield paragraph(
        "What is declared and was not seen so, what nobody declared, what is overdue, and what requirements ask and is"
        " missing. Each stands from the end of the day on which an entry made it so, or on which something fell due."
        " The past is judged by the same rules as the day of this dossier."
    )
    yield heading("Open", 2)
    yield from table(
        (("Severity", 1.1), ("About", 2.2), ("Finding", 4.2), ("Since", 1.3)),
        [_finding(row, sheet.case.today) for row in sheet.rows["findings"]],
        "Nothing: what is declared and what was seen agree, and nothing is overdue.",
        "findings",
    )
    yield heading("Resolved", 2)
    yield paragraph(
        "What stood at the end of one day and no more at the end of a later one. The entry tells by what: a change, a"
        " review, a scan, or that what it was about was taken out of the register."
    )
    yield from table(
        (("Severity", 1.1), ("About", 2.2), ("Finding", 3.2), ("From", 1.3), ("Until", 1.3)),
        [_resolved(row) for row in sheet.rows["findings-history"] if row["ended"]],
        "No finding that stood at the end of a day was resolved.",
        "findings-history",
    )


def _finding(row: Row, today: dt.date) -> list[Cell]:
    asked = f"asked for by {named(row['requirements'])}" if row["requirements"] else ""
    days = (today - dt.date.fromisoformat(row["since"])).days if row["since"] else 0
    return [
        tag(row["severity"]),
        _about(row),
        stack(sentence(row["says"]), small(sentence(row["advice"])), small(asked)),
        stack(row["since"] or "-", small(_entry(row["since_entry"])), small(count(days, "day"))),
    ]


def _resolved(row: Row) -> list[Cell]:
    return [
        tag(row["severity"]),
        _about(row),
        sentence(row["says"]),
        stack(row["since"], small(_entry(row["since_entry"]))),
        stack(row["ended"], small(_entry(row["ended_entry"])), small(count(row["days"], "day"))),
    ]


def _about(row: Row) -> Cell:
    return stack(strong(row["about"]) if row["about"] else "the register", small(row["rule"]))


def _entry(number: int | None) -> str:
    """What made it so; nothing where a day did."""
    return "" if number is None else f"entry {number:,}"


def exposures(sheet: Sheet) -> Iterator[Block]:
    """When each exposure was first seen, and which scan shows that it is closed."""
    yield heading("Exposures and their history")
    yield paragraph(
        "Each port that gave a stranger more than nothing, from the scan that saw it first to the scan that looked"
        " again and saw it no more. The bar shows it in time, from the first exposure to the day of this dossier."
    )
    starts = [one.opened for one in sheet.case.exposures]
    midnight = dt.datetime.combine(sheet.case.today, dt.time(), dt.UTC)
    last = int(midnight.timestamp()) + 86_400
    first = min(starts, default=last - 86_400)
    made = [
        _exposure(row, bar([*_parts(one, first, last)]))
        for row, one in zip(sheet.rows["exposures"], sheet.case.exposures, strict=True)
    ]
    head = (
        ("Severity", 1.1),
        ("Where", 2.2),
        ("What a stranger could do", 2.4),
        ("From", 1.7),
        ("Until", 1.7),
    )
    yield from table(head, made, "No exposure was seen.", "exposures")


def _step(told: str) -> Cell:
    """One line of a history: on which day it became what."""
    at, access, severity, _ = told.split()
    return small(f"{day(at)}: {access.replace('-', ' ')}, {severity}")


def _parts(one: Exposure, first: int, last: int) -> Iterator[tuple[float, float, str]]:
    """When it was how severe."""
    ends = [*(step.at for step in one.steps[1:]), one.closed or last]
    for step, end in zip(one.steps, ends, strict=True):
        yield _share(step.at, first, last), _share(end, first, last), step.severity


def _share(at: int, first: int, last: int) -> float:
    return round(min(max((at - first) / (last - first), 0.0), 1.0), 4)


def _exposure(row: Row, time: Cell) -> list[Cell]:
    closed = stack(day(row["closed"]), small(f"scan {brief(row['closed_by'])}")) if row["closed"] else "open"
    days = f"{row['days']:,} days" if row["days"] != 1 else "1 day"
    history = row["history"] if len(row["history"]) > 1 else []
    return [
        stack(tag(row["severity"]), time),
        stack(mono(f"{row['address']} {row['port']}"), small(named(row["systems"]) or "not declared")),
        stack(
            f"A stranger {ACCESS[Access(row['access'])].brief}.",
            small(f"seen from {row['seen_from']}"),
            *map(_step, history),
        ),
        stack(day(row["first_seen"]), small(f"scan {brief(row['first_scan'])}")),
        stack(closed, small(days)),
    ]


def scans(sheet: Sheet) -> Iterator[Block]:
    """The scans that the register was filled from."""
    yield heading("Scans")
    yield paragraph(
        "The scans that the register was filled from: whose leave they had, from which side they looked, how deep"
        " they might go, and whether they finished."
    )
    head = (
        ("Scan", 3.1),
        ("Began", 1.4),
        ("Side", 1.0),
        ("Scope and authorisation", 3.2),
        ("Deepest", 1.4),
    )
    yield from table(
        head, [_scan(row) for row in sheet.rows["scans"]], "The register was filled from no scan.", "scans"
    )


def _scan(row: Row) -> list[Cell]:
    leave = ", ".join(filter(None, (row["basis"], row["granted_by"], row["reference"])))
    said = leave or ("no scope was needed (loopback)" if row["kept"] else "the scan itself is no longer kept")
    asked = f"{row['endpoints']:,} endpoints" if row["endpoints"] is not None else ""
    return [
        stack(mono(row["scan"]), small("" if row["finished"] else "not finished")),
        stack(day(row["began"]), small(f"{row['began'][11:16]} UTC")),
        row["seen_from"],
        stack(row["scope"], small(said)),
        stack(row["deepest"] or "-", small(asked)),
    ]
