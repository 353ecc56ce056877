"""The sections of a dossier about what people decided, what is asked of them, and how all that is proved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from leadglass.model.register import Level
from leadglass.model.verdict import Position
from leadglass.register.blocks import (
    Block,
    Cell,
    digest,
    facts,
    heading,
    items,
    mono,
    note,
    paragraph,
    small,
    stack,
    status,
    strong,
    table,
    tag,
    typed,
)
from leadglass.register.case import Case
from leadglass.register.phrases import Sheet, moment, named
from leadglass.register.risks import level
from leadglass.register.tables import Row

__all__ = ["chain", "changes", "limits", "requirements", "reviews", "risks"]


# ---- people


def reviews(sheet: Sheet) -> Iterator[Block]:
    """Reviews with the days of the next ones."""
    yield heading("Reviews")
    never = [one.name for one in sheet.case.systems if one.name not in sheet.case.register.reviews_of]
    if never:
        yield note(f"Never reviewed: {named(never[:40])}{' and others' if len(never) > 40 else ''}.")
    head = (
        ("System", 2.0),
        ("Reviewed on", 1.4),
        ("By", 1.8),
        ("Outcome", 1.2),
        ("Next", 1.4),
        ("Note", 2.6),
    )
    yield from table(
        head, [_review(row) for row in sheet.rows["reviews"]], "No review is written down.", "reviews"
    )


def _review(row: Row) -> list[Cell]:
    due = row["next"] or ("-" if row["latest"] else "")
    return [
        strong(row["system"]),
        row["on"],
        row["reviewer"],
        status(row["outcome"]),
        stack(due, status("overdue")) if row["overdue"] else due,
        small(row["note"]),
    ]


def risks(sheet: Sheet) -> Iterator[Block]:
    """Risk analysis as NIST SP 800-30 has it."""
    yield heading("Risk analysis and decisions")
    yield paragraph(
        "Risk in the words of NIST SP 800-30 Rev. 1: asset, threat, vulnerability, likelihood and impact; what was"
        " decided; and the risk that is left. Levels of risk are those of its table I-2."
    )
    risks = sheet.rows["risks"]
    if risks:
        left = [
            (row["residual_likelihood"] or row["likelihood"], row["residual_impact"] or row["impact"])
            for row in risks
        ]
        yield {
            "kind": "matrices",
            "levels": [one.value for one in Level],
            "shades": [[level(likely, impact).value for impact in Level] for likely in reversed(Level)],
            "matrices": [
                {
                    "title": "Before treatment",
                    "counts": _counts([(r["likelihood"], r["impact"]) for r in risks]),
                },
                {"title": "After treatment", "counts": _counts(left)},
            ],
        }
    head = (
        ("Risk", 1.9),
        ("Threat and vulnerability", 3.2),
        ("Before", 1.4),
        ("Decision", 2.4),
        ("Left", 1.1),
    )
    order = [one.value for one in reversed(Level)]
    ranked = sorted(
        risks, key=lambda row: (order.index(row["residual"]), order.index(row["level"]), row["name"])
    )
    yield from table(head, [_risk(row) for row in ranked], "No risk is written down.", "risks")


def _counts(pairs: Sequence[tuple[str, str]]) -> list[list[int]]:
    """By likelihood from very high, then by impact from very low."""
    return [[pairs.count((likely, impact)) for impact in Level] for likely in reversed(Level)]


def _risk(row: Row) -> list[Cell]:
    return [
        stack(strong(row["name"]), small(row["system"])),
        stack(row["threat"], small(row["vulnerability"])),
        stack(tag(row["level"]), small(f"likelihood {row['likelihood']}"), small(f"impact {row['impact']}")),
        _decision(row),
        tag(row["residual"]),
    ]


def _decision(row: Row) -> Cell:
    if row["treatment"] is None:
        return stack(status("undecided"))
    verb = "until" if row["treatment"] == "accept" else "by"
    until = f"{verb} {row['until']}" if row["until"] else ""
    late = status("expired") if row["expired"] else status("overdue") if row["overdue"] else None
    return stack(row["treatment"], late, small(row["owner"]), small(until), small(row["measure"]))


# ---- requirements


def requirements(sheet: Sheet) -> Iterator[Block]:
    """How each clause stands."""
    yield heading("Requirements")
    if not sheet.case.profiles:
        yield paragraph("No law or standard was asked for.")
        return
    yield paragraph(
        "What laws and standards ask, as far as a register can show it. Met means that everything which the register"
        " can show of it is there; unknown, that it cannot tell. Neither is a legal opinion."
    )
    titles = {one.name: one for one in sheet.case.profiles}
    head = (("Clause", 1.9), ("What it asks", 2.8), ("Status", 1.25), ("Evidence", 3.2))
    for name, group in groupby(sheet.rows["requirements"], key=lambda row: row["profile"]):
        yield heading(titles[name].title, 2)
        yield paragraph(titles[name].standing)
        yield from table(head, [_requirement(row) for row in group], "", "requirements")


_SHOWN = 4
"""Findings that stand beside a requirement; the data have all."""


def _requirement(row: Row) -> list[Cell]:
    against = row["against"]
    more = f"and {len(against) - _SHOWN:,} more" if len(against) > _SHOWN else ""
    return [
        stack(strong(row["clause"]), small(row["title"])),
        row["asks"],
        status(row["status"]),
        stack(*row["missing"], *row["for"], *map(small, against[:_SHOWN]), small(more)),
    ]


# ---- the chain


def changes(sheet: Sheet) -> Iterator[Block]:
    """The entries that people made."""
    yield heading("Who decided what, and when")
    yield paragraph(
        "The entries that people made, the latest first: systems, reviews, risks and time stamps. Entries that"
        " scans made are in the archive. Names are those that whoever wrote the entry gave."
    )
    made = [row for row in reversed(sheet.rows["changes"]) if row["what"] not in {"seen", "scan"}]
    head = (("Entry", 0.8), ("When (UTC)", 1.9), ("Who", 1.6), ("What", 3.2), ("Why", 2.4))
    yield from table(head, [_change(row) for row in made], "There is no entry.", "changes")


def _change(row: Row) -> list[Cell]:
    gone = " taken out" if row["change"] == "taken out" else ""
    at = f"{row['at'][:10]} {row['at'][11:16]}"
    return [str(row["n"]), at, row["by"], f"{row['what']} {row['name']}{gone}", small(row["why"] or "")]


def chain(sheet: Sheet) -> Iterator[Block]:
    """The head, its time stamps, and how to verify them."""
    head = sheet.case.head
    yield heading("The chain of entries, and how to verify it")
    yield paragraph(
        "Every change to the register is one entry with who, when and what. Each entry holds the SHA-256 digest of the"
        " one before, so that nobody can change, take out or put in an entry without changing all that follow and the"
        " head. This dossier was made after the whole chain had been checked from its first entry."
    )
    yield facts((("Entries", f"{head.n:,}"), ("Head", digest(f"{head.n}:{head.digest}"))))
    yield heading("Time stamps", 2)
    yield from table(
        (("Entry", 0.8), ("Existed on (UTC)", 1.7), ("Authority, and the digest that it signed", 6.0)),
        [
            [str(row["n"]), moment(row["at"]), stack(mono(row["authority"]), digest(row["digest"]))]
            for row in sheet.rows["stamps"]
        ],
        "None: when entries were made is what the database's clock said. leadglass register stamp has an authority"
        " sign the head (RFC 3161).",
        "stamps",
    )
    yield heading("To verify", 2)
    yield typed(
        "The whole archive, with what is in it",
        "leadglass register verify --zip DOSSIER.zip --roots ROOTS.pem",
    )
    yield typed("The files of the archive", "sha256sum -c MANIFEST.sha256")
    yield typed(
        "The register itself against this page", f"leadglass register verify --head {head.n}:{head.digest}"
    )
    for row in sheet.rows["stamps"][-1:]:
        yield typed(
            "A time stamp, with OpenSSL alone",
            f"openssl ts -verify -digest {row['digest']} -in {row['file']} -CAfile ROOTS.pem",
        )
    yield paragraph(
        "Without any program: take a line of ledger/entries.jsonl, remove the member digest with its comma, and the"
        " SHA-256 of what is left is that digest; the member previous is the digest of the line before."
    )


# ---- limits


def limits(sheet: Sheet) -> Iterator[Block]:
    """What a dossier does not prove."""
    yield heading("What this does not prove")
    yield items(_limit(sheet.case))


def _limit(case: Case) -> Iterator[tuple[str, str]]:
    sides = {scan.position for scan in case.register.scans.values() if scan.is_complete}
    if Position.OUTSIDE in sides:
        yield (
            "Only what was looked at from outside",
            "tells what the internet reaches, and only for those addresses, ports and hours.",
        )
    else:
        yield (
            "Nothing about the internet.",
            "No finished scan looked from outside. What is seen from inside proves nothing about what the internet reaches, neither good nor bad.",
        )
    yield ("A scan sees a moment.", "Between two scans anything may have been open.")
    yield (
        "What nobody declared and nobody looked at is not in here.",
        "The scopes say which addresses were looked at.",
    )
    yield (
        "A control is a declaration.",
        "The register does not test that multi-factor authentication, encryption or backups work.",
    )
    yield (
        "A query that was answered proves that a stranger's query is processed.",
        "It was made so that it matches nothing; whether patients' records lie behind it was not looked at. No patient data was asked for, and none is in here.",
    )
    yield (
        "Names are claims.",
        "Whoever may write to the database may write any name; the chain shows that nothing was changed afterwards.",
    )
    if not case.stamps:
        yield (
            "Without a time stamp",
            "the whole chain might have been written anew later. A head that was noted elsewhere shows that it was not.",
        )
    yield ("Met is not compliant.", "Laws ask for more than a register can show. This is no legal opinion.")
