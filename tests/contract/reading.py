"""Scans that were made, stored and are read again."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tests.contract.samples import BEGAN, plan, ulid

from leadglass.model.endpoint import Endpoint
from leadglass.model.evidence import (
    AssociateEvidence,
    Certificate,
    Evidence,
    Reply,
    TcpEvidence,
    TcpOutcome,
    TlsEvidence,
    TlsOutcome,
)
from leadglass.model.key import pack
from leadglass.model.look import Look, Sighting, look_of
from leadglass.model.record import ScanRecord, record
from leadglass.model.rung import Rung
from leadglass.model.verdict import (
    Access,
    Capabilities,
    Data,
    Kind,
    Nature,
    Position,
    Severity,
    Software,
    Vantage,
    Verdict,
)
from leadglass.store import scans
from leadglass.store.database import Database
from leadglass.store.work import Work

__all__ = ["NOTE", "PINS", "Sight", "judged", "secured", "store", "stored_records", "told"]

NOTE = {"name": "Praxis Müller", "basis": "owner", "granted_by": "Dr. Müller", "reference": None}
PINS = {"pacs.example.org": ["192.0.2.10", "2001:db8::7"], "alias.example.org": ["192.0.2.10"]}
_NAMES = {"192.0.2.10": "pacs.example.org", "2001:db8::7": "pacs.example.org"}
_EVEN = dict.fromkeys(Kind, 1 / 6)
_numbers = itertools.count(1)


@dataclasses.dataclass(frozen=True)
class Sight:
    """What one endpoint is made to show."""

    address: str
    port: int
    evidence: tuple[Evidence, ...]
    verdict: Verdict
    rung: Rung = Rung.BLANK_QUERY
    observed_at: int = BEGAN
    source: str | None = "198.51.100.7"
    judged_by: str = "0.3.0"

    def look(self) -> Look:
        return look_of(self.evidence, self.verdict, self.rung, self.judged_by)


def judged(access: Access, severity: Severity = Severity.NONE, advice: str = "") -> Verdict:
    return Verdict(
        access,
        Capabilities(),
        ("dicom",),
        Software("Orthanc", "1.10.1", 0.9),
        Nature(_EVEN, _EVEN),
        Data.UNKNOWN,
        severity,
        advice=(advice,) if advice else (),
    )


def told(
    address: str,
    access: Access = Access.ASSOCIATES,
    severity: Severity = Severity.HIGH,
    *,
    port: int = 104,
    version: str = "ONE",
    advice: str = "",
) -> Sight:
    """A server that says which version it is; or, if nobody answers, a closed port."""
    heard: tuple[Evidence, ...] = (AssociateEvidence(Reply.ACCEPTED, implementation_version_name=version),)
    if access in {Access.CLOSED, Access.FILTERED}:
        outcome = TcpOutcome.REFUSED if access is Access.CLOSED else TcpOutcome.UNANSWERED
        heard, severity = (TcpEvidence(outcome),), Severity.NONE
    return Sight(address, port, heard, judged(access, severity, advice))


def secured(address: str, which: str, *, port: int = 2762, access: Access = Access.ASSOCIATES) -> Sight:
    """A server whose certificate and implementation tell it from any other."""
    certificate = Certificate(
        "CN=pacs", "CN=ca", "2026-01-31T12:00:00Z", "2027-01-31T12:00:00Z", (), which * 64, "RSA 2048"
    )
    heard: tuple[Evidence, ...] = (
        TlsEvidence(TlsOutcome.ESTABLISHED, certificate=certificate),
        AssociateEvidence(Reply.ACCEPTED, implementation_class_uid="1.2.3", over_tls=True),
    )
    return Sight(address, port, heard, judged(access, Severity.HIGH))


def store(
    database: Database,
    sights: Iterable[Sight],
    *,
    place: str = "berlin",
    position: Position = Position.OUTSIDE,
    scan: scans.StoredScan | None = None,
    note: Mapping[str, str | None] | None = NOTE,
    at: int = 0,
    is_listed: bool = False,
) -> scans.StoredScan:
    """A scan (a new one, if none is given) with ``sights``, ``at`` seconds later, seen from ``place``."""
    number = next(_numbers)
    if scan is None:
        planned = plan(
            ulid=ulid(number),
            began=BEGAN + at,
            hosts=1,
            position=position,
            scope_note=None if note is None else json.dumps(note),
            pins=json.dumps(PINS),
            wanted=(place,),
            is_listed=is_listed,
        )
        scan = scans.begin(database, planned)
    if is_listed:
        scans.add_listed(database, scan, [(sight.address, sight.port) for sight in sights])
    work = Work(database, scan, place, position, worker=f"w{number}", token=lambda: f"t{number}")
    shard = work.take()
    assert shard is not None
    assert work.finish(shard, [_sighting(sight, at) for sight in sights])
    scans.complete(database, scan)
    return scan


def stored_records(
    scan: scans.StoredScan,
    sights: Sequence[Sight],
    *,
    place: str | None = "berlin",
    position: Position = Position.OUTSIDE,
    note: Mapping[str, str | None] | None = NOTE,
) -> list[ScanRecord]:
    """The records of ``sights`` as they were made when they were seen, in the order of their endpoints."""
    return [_record(scan, sight, place, position, note) for sight in _in_order(sights)]


def _in_order(sights: Iterable[Sight]) -> Iterator[Sight]:
    yield from sorted(sights, key=lambda sight: pack(sight.address, sight.port))


def _record(
    scan: scans.StoredScan,
    sight: Sight,
    place: str | None,
    position: Position,
    note: Mapping[str, str | None] | None,
) -> ScanRecord:
    return record(
        scan=scan.plan.ulid,
        observed_at=sight.observed_at,
        endpoint=Endpoint(sight.address, sight.port, _NAMES.get(sight.address)),
        vantage=Vantage(sight.source, position),
        place=place,
        rung=sight.rung,
        evidence=sight.evidence,
        verdict=sight.verdict,
        scope=note,
    )


def _sighting(sight: Sight, at: int) -> Sighting:
    return Sighting(pack(sight.address, sight.port), sight.observed_at + at, sight.source, sight.look())
