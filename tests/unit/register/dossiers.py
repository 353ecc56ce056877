"""A practice over four weeks: what was entered when, for dossiers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from leadglass.ledger.chain import Chain
from leadglass.model.dossier import DossierOptions
from leadglass.model.register import (
    Level,
    Management,
    Manager,
    Outcome,
    Review,
    Risk,
    ScanTaken,
    Seen,
    SeenPort,
    Stamp,
    System,
    SystemKind,
    Treatment,
)
from leadglass.model.verdict import Access, Position, Severity
from leadglass.register.case import Case, ScanNote, case_of
from leadglass.register.codec import Thing, as_change

SCANS = ("01JD5Y0000000000000000000A", "01JDQY0000000000000000000B", "01JE9Y0000000000000000000C")
FIRST = dt.datetime(2026, 10, 24, 5, tzinfo=dt.UTC)
TODAY = dt.date(2026, 11, 21)
LATER = dt.date(2027, 11, 30)
AUTHORITY = "http://tsa.example/tsr"


def lines(*written: tuple[int, str, Thing | None]) -> list[bytes]:
    """Entries: after how many days, by whom, what. None stands for a system ``archive`` that is taken out."""
    chain = Chain()
    made: list[bytes] = []
    for days, by, thing in written:
        what, name, now = ("system", "archive", None) if thing is None else _parts(thing)
        body = {"by": by, "name": name, "now": now, "what": what, "why": ""}
        made.append(chain.append(body, FIRST + dt.timedelta(days=days, minutes=len(made))))
    return made


def _parts(thing: Thing) -> tuple[str, str, Any]:
    change = as_change(thing)
    return change.what, change.name, change.now


def at(days: int) -> int:
    """POSIX seconds, so many days after the first entry."""
    return int((FIRST + dt.timedelta(days=days)).timestamp())


def seen(days: int, scan: int, address: str, *ports: SeenPort, **different: Any) -> Seen:
    """What a scan saw, on which day."""
    said: dict[str, Any] = {
        "position": Position.INSIDE,
        "since": at(days),
        "ports": ports,
        "answered": at(days),
    }
    return Seen(address, scan=SCANS[scan], **{**said, **different})


def port(number: int, access: Access, severity: Severity, product: str | None = None) -> SeenPort:
    """A port that answered."""
    return SeenPort(number, access, severity, product)


def taken(days: int, scan: int, position: Position = Position.INSIDE) -> ScanTaken:
    """A scan that the register was filled from."""
    return ScanTaken(SCANS[scan], at(days), position, "practice", is_complete=True)


def note(days: int) -> ScanNote:
    """What the store keeps of a scan."""
    return ScanNote(
        "scan", at(days) + 60, "owner", "Dr Ada Example", "minutes of 2026-10-20", "blank-query", 512
    )


SYSTEMS: Sequence[System] = (
    System(
        "archive", SystemKind.ARCHIVE, "Radiology",
        Manager(Management.BUSINESS_ASSOCIATE, "Example Service", "BA-7", dt.date(2027, 1, 31)),
        "cellar, rack 2", ("192.0.2.10",), (104, 8042), ("ARCHIVE",), ("imaging",), ("CT1", "MR1"),
        ("CT and MR studies since 2011",), ("access-control", "audit", "encryption-in-transit"),
    ),
    System(
        "CT 1", SystemKind.MODALITY, "Radiology", Manager(Management.VENDOR, "Example Scanners"), "room 1",
        ("192.0.2.20",), (104,), ("CT1",), ("imaging",), ("ARCHIVE",), ("studies of the last week",), ("audit",),
    ),
    System("viewer", SystemKind.WORKSTATION, addresses=("192.0.2.30",), note="bought 2019"),
)  # fmt: skip

RISK = Risk(
    "archive 104 answers-query", "archive", "An outsider without an account reads patients' data",
    "answers-query on 192.0.2.10, port 104, seen from inside", Level.HIGH, Level.HIGH, Treatment.MITIGATE,
    "Ada Example, head of IT", dt.date(2026, 12, 31), "a guard before it; peers named in the firewall", Level.LOW,
)  # fmt: skip
OTHER = Risk(
    "viewer lost", "viewer", "Somebody carries it away", "it stands at the entrance", Level.LOW, Level.MODERATE,
    Treatment.ACCEPT, "Ada Example, head of IT", dt.date(2026, 11, 1),
)  # fmt: skip

OPEN = port(104, Access.ANSWERS_QUERY, Severity.CRITICAL, "Orthanc")
TITLED = port(104, Access.WANTS_TITLE, Severity.LOW, "Orthanc")
WEB = port(8042, Access.DEMANDS_LOGIN, Severity.NONE, "Orthanc")

ENTRIES: Sequence[tuple[int, str, Thing]] = (
    *((0, "ada", system) for system in SYSTEMS),
    (0, "nightly", taken(0, 0)),
    (0, "nightly", seen(0, 0, "192.0.2.10", OPEN, WEB)),
    (0, "nightly", seen(0, 0, "192.0.2.20", port(104, Access.ASSOCIATES, Severity.MEDIUM))),
    (1, "ada", RISK),
    (1, "ada", OTHER),
    (3, "bob", Review("archive", dt.date(2026, 10, 27), "Bob Example", Outcome.GAPS, dt.date(2026, 11, 10), "no lock on port 104")),
    (14, "nightly", taken(14, 1)),
    (14, "nightly", seen(14, 1, "192.0.2.10", TITLED, WEB)),
    (14, "nightly", seen(14, 1, "192.0.2.20")),
    (14, "nightly", seen(14, 1, "192.0.2.99", port(11112, Access.OFFERS_STORAGE, Severity.HIGH, "dcm4chee-arc"))),
    (15, "bob", Review("CT 1", dt.date(2026, 11, 8), "Bob Example", Outcome.PASSED, LATER)),
    (28, "nightly", taken(28, 2, Position.OUTSIDE)),
    (28, "nightly", seen(28, 2, "192.0.2.10", position=Position.OUTSIDE, answered=None)),
)  # fmt: skip


def practice(
    options: DossierOptions | None = None,
    more: Iterable[tuple[int, str, Thing | None]] = (),
    today: dt.date = TODAY,
) -> Case:
    """The case of this practice, with ``more`` entries at the end."""
    kept = lines(*ENTRIES, *more)
    notes = {SCANS[0]: note(0), SCANS[1]: note(14), SCANS[2]: note(28)}
    return case_of(kept, today, options or DossierOptions(profiles=("hipaa", "nis2")), notes, "here")


STAMPED: Sequence[tuple[int, str, Thing]] = ((28, "ada", Stamp(16, "ab" * 32, at(28), AUTHORITY, "AAAA")),)
