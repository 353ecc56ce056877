"""An invented practice with a past: three scans of documentation addresses, a register, alerts and notes.

What its servers answered is made up; what that means is judged as it always is.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterable, Iterator

from leadglass.judge.judge import judge
from leadglass.model.alert import Alert, AlertKind, Silence
from leadglass.model.endpoint import Endpoint
from leadglass.model.evidence import (
    AssociateEvidence,
    BlankQueryEvidence,
    Certificate,
    ContextResult,
    Evidence,
    NegotiateEvidence,
    Reply,
    TcpEvidence,
    TcpOutcome,
    TlsEvidence,
    TlsOutcome,
    WebAnswer,
    WebEvidence,
)
from leadglass.model.key import pack
from leadglass.model.look import Look, Sighting, look_of
from leadglass.model.register import (
    Level,
    Management,
    Manager,
    Outcome,
    Review,
    Risk,
    ScanTaken,
    System,
    SystemKind,
    Treatment,
)
from leadglass.model.rung import Rung
from leadglass.model.verdict import Access, Position, Severity
from leadglass.register.codec import as_change, register_of
from leadglass.register.fill import filled as looked_at
from leadglass.store import alerts, notes, scans, silences
from leadglass.store import register as kept
from leadglass.store.current import refresh
from leadglass.store.database import Database
from leadglass.store.register_looks import looks
from leadglass.store.scans import Plan, StoredScan
from leadglass.store.work import Work

__all__ = ["HOSTILE", "NOW", "Server", "begin", "ended", "fill", "scanned"]

NOW = 1_795_237_200
"""2026-11-21T05:00:00Z."""
DAY = 86_400
HOSTILE = "<script>alert(1)</script>\"'>\u202egnp.exe\x1b[31m\x00\u200b"
"""What a peer may call itself."""

_CERTIFICATE = Certificate(
    "CN=pacs.example.org", "CN=Example Root", "2026-01-31T12:00:00Z", "2026-12-19T12:00:00Z",
    ("pacs.example.org",), "ab" * 32, "RSA 2048",
)  # fmt: skip
_QUERY = ("1.2.840.10008.5.1.4.1.2.2.1", "1.2.840.10008.5.1.4.1.2.2.2")
_STORAGE = ("1.2.840.10008.5.1.4.1.1.7", "1.2.840.10008.5.1.4.1.1.2")


@dataclasses.dataclass(frozen=True)
class Server:
    """One port of the practice and what it answers."""

    address: str
    port: int
    heard: tuple[Evidence, ...]

    def look(self, position: Position, rung: Rung = Rung.BLANK_QUERY) -> Look:
        """What was seen, judged."""
        verdict = judge(self.heard, rung=rung, position=position, port=self.port)
        return look_of(self.heard, verdict, rung, "0.7.0")


def associated(
    name: str, uid: str = "1.2.276.0.7230010.3.0.3.6.7", *, tls: bool = False
) -> tuple[Evidence, ...]:
    """Somebody who lets a stranger associate and answers C-ECHO."""
    return (
        TcpEvidence(TcpOutcome.OPEN),
        AssociateEvidence(
            Reply.ACCEPTED, tls, implementation_class_uid=uid, implementation_version_name=name,
            maximum_length=16384, user_items=("51H", "52H", "55H"), verification=0, echo=Reply.ANSWERED, echo_status=0,
        ),
    )  # fmt: skip


def granted(*abstract: str) -> NegotiateEvidence:
    """Services that are granted."""
    accepted = tuple(ContextResult(uid, 0, "1.2.840.10008.1.2.1") for uid in abstract)
    refused = tuple(ContextResult(uid, 3) for uid in (*_QUERY, *_STORAGE) if uid not in abstract)
    return NegotiateEvidence(Reply.ACCEPTED, contexts=accepted + refused, invented=3)


def searched(name: str, uid: str = "1.2.276.0.7230010.3.0.3.6.7") -> tuple[Evidence, ...]:
    """Somebody who lets a stranger search."""
    asked = BlankQueryEvidence(Reply.ANSWERED, model="study-root", status=0)
    return (*associated(name, uid), granted(*_QUERY, *_STORAGE), asked)


def stores(name: str, uid: str = "1.2.276.0.7230010.3.0.3.6.7") -> tuple[Evidence, ...]:
    """Somebody who grants storage and refuses the rest."""
    return (
        *associated(name, uid),
        granted(*_STORAGE),
        BlankQueryEvidence(Reply.ABORTED, model="study-root", abort=(0, 0)),
    )


def named(name: str) -> tuple[Evidence, ...]:
    """Somebody who asks for a title."""
    return (
        TcpEvidence(TcpOutcome.OPEN),
        AssociateEvidence(Reply.REJECTED, reject=(1, 1, 7), spoke=name or None),
    )


def mutual() -> tuple[Evidence, ...]:
    """Somebody who asks for a certificate."""
    return (
        TcpEvidence(TcpOutcome.OPEN),
        TlsEvidence(
            TlsOutcome.ESTABLISHED, "TLSv1.3", "TLS_AES_256_GCM_SHA384", certificate_requested=True,
            certificate=_CERTIFICATE, alert="certificate_required(116)", ended="alert",
        ),
    )  # fmt: skip


def website() -> tuple[Evidence, ...]:
    """A web start page that is something else."""
    return (
        TcpEvidence(TcpOutcome.OPEN),
        WebEvidence(Reply.ANSWERED, answers=(WebAnswer("/", 200, "html"),), server="nginx"),
    )


def closed() -> tuple[Evidence, ...]:
    """Nobody."""
    return (TcpEvidence(TcpOutcome.REFUSED),)


def servers(week: int) -> Iterator[Server]:
    """What the practice showed in ``week`` 0, 1 and 2."""
    yield Server("192.0.2.10", 104, searched("OFFIS_DCMTK_367") if week else associated("OFFIS_DCMTK_367"))
    yield Server("192.0.2.10", 2762, mutual())
    yield Server("192.0.2.12", 11112, stores("dcm4che-5.25.1", "1.2.40.0.13.1.3"))
    yield Server("192.0.2.12", 8080, website())
    yield Server("192.0.2.17", 104, named(""))
    yield Server("192.0.2.18", 104, associated("MODALITY_CT_2"))
    yield Server("192.0.2.23", 2762, mutual())
    yield Server("192.0.2.24", 104, closed() if week > 1 else searched("ORTHANC_1.9"))
    yield Server("192.0.2.33", 4242, searched("CONQUEST_150") if week > 1 else closed())
    yield Server("198.51.100.8", 104, associated("ULTRASOUND"))
    yield Server("198.51.100.9", 104, named(""))
    yield Server("198.51.100.40", 11112, searched(HOSTILE[:16]))
    yield Server("2001:db8:7::5", 11112, stores("ARCHIVE_V6"))
    yield Server("2001:db8:7::9", 443, website())


def fill(database: Database, now: int = NOW, position: Position = Position.INSIDE) -> list[StoredScan]:
    """The whole of it, as it is at ``now``."""
    made = [
        scanned(database, servers(week), at=now - before, number=week, position=position)
        for week, before in enumerate((21 * DAY, 7 * DAY, 2 * 3600))
    ]
    refresh(database)
    _register(database, made[-1], now)
    _alerts(database, made[-1], now)
    beside = notes.Note("01JD5Y0000000000000000N001", notes.Beside.SERVER, "192.0.2.10", "m.weber", now - DAY,
                        "Called the vendor: port 104 was opened for a migration.\nThey close it on Monday.")  # fmt: skip
    notes.add_note(database, beside)
    return made


def begin(
    database: Database, *, at: int, number: int, position: Position = Position.INSIDE, hosts: int = 14
) -> StoredScan:
    """A scan that has only begun."""
    scope = {
        "name": "Practice at the Lake",
        "basis": "owner",
        "granted_by": "Dr. Lindqvist",
        "reference": "change 4711",
    }
    plan = Plan(
        ulid=f"01JD5Y00000000000000000{number:03d}", began=at, tool_version="0.7.0",
        command="leadglass watch", position=position, deepest=Rung.BLANK_QUERY, rate=50.0,
        scope_name=str(scope["name"]), scope_note=json.dumps(scope), scope_digest=bytes(32), scope_text="",
        scope_file="practice.toml", pins=json.dumps({"pacs.example.org": ["192.0.2.10"]}), permutation_key=bytes(16),
        invented_sop_class="2.25.1", hosts=hosts, endpoints=8 * hosts, is_listed=False, wanted=(), shard_hosts=hosts,
    )  # fmt: skip
    return scans.begin(database, plan)


def scanned(
    database: Database, found: Iterable[Server], *, at: int, number: int, position: Position = Position.INSIDE
) -> StoredScan:
    """A scan that saw ``found``."""
    scan = begin(database, at=at, number=number, position=position)
    return ended(database, scan, found)


def ended(database: Database, scan: StoredScan, found: Iterable[Server]) -> StoredScan:
    """A scan that had begun, and has seen ``found`` now."""
    at, position = scan.plan.began, scan.plan.position
    work = Work(database, scan, "", position, worker="w", token=lambda: f"t{scan.id}")
    shard = work.take()
    assert shard is not None
    seen = [Sighting(pack(one.address, one.port), at + 60, "192.0.2.2", one.look(position)) for one in found]
    assert work.finish(shard, seen)
    scans.complete(database, scan)
    return scans.find(database, scan.plan.ulid)


def _register(database: Database, scan: StoredScan, now: int) -> None:
    today = dt.datetime.fromtimestamp(now, dt.UTC).date()
    vendor = Manager(
        Management.BUSINESS_ASSOCIATE, "Imaging Service GmbH", "AVV 2024-17", today + dt.timedelta(200)
    )
    things: list[System | Review | Risk] = [
        System("PACS archive", SystemKind.ARCHIVE, "Dr. Lindqvist", vendor, "server room, rack 2", ("192.0.2.10",),
               (2762,), ("ARCHIVE",), ("imaging",), ("CT 2",), ("images", "reports"), ("mfa", "audit-log")),
        System("VNA", SystemKind.ARCHIVE, "Dr. Lindqvist", vendor, "server room, rack 3", ("192.0.2.12",), (8080, 11112)),
        System("CT 2", SystemKind.MODALITY, "M. Weber", Manager(Management.VENDOR, "CT Vendor"), "room 4", ("192.0.2.18",), (104,)),
        System("Ultrasound 1", SystemKind.MODALITY, "", None, "room 7", ("198.51.100.8",), (104,)),
        System("Teaching archive", SystemKind.SERVER, "M. Weber", Manager(Management.IN_HOUSE), "", ("192.0.2.24",), (104,)),
        Review("PACS archive", today - dt.timedelta(400), "M. Weber", Outcome.GAPS, today - dt.timedelta(35)),
        Review("CT 2", today - dt.timedelta(90), "M. Weber", Outcome.PASSED, today + dt.timedelta(275)),
        Review("VNA", today - dt.timedelta(350), "Dr. Lindqvist", Outcome.PASSED, today + dt.timedelta(9)),
        Risk("PACS archive 104", "PACS archive", "An outsider without an account reads patients' data",
             "Port 104 answers queries from strangers", Level.VERY_HIGH, Level.HIGH, Treatment.MITIGATE, "M. Weber",
             today + dt.timedelta(14), "close the port, mutual TLS only", Level.VERY_LOW, Level.HIGH),
        Risk("VNA storage", "VNA", "An outsider puts in false objects", "Storage is granted to anybody", Level.HIGH, Level.HIGH),
        Risk("CT 2 echo", "CT 2", "A stranger on the same network talks to the modality", "No title is asked for",
             Level.MODERATE, Level.LOW, Treatment.ACCEPT, "Dr. Lindqvist", today + dt.timedelta(90)),
    ]  # fmt: skip
    kept.write_down(database, "m.weber", [as_change(thing, "first inventory") for thing in things])
    taken = ScanTaken(
        scan.plan.ulid, scan.plan.began, scan.plan.position, scan.plan.scope_name, is_complete=True
    )
    register = register_of(kept.read_state(database), database.where)
    seen = [as_change(one, "scan") for one in looked_at(register, taken, looks(database, scan))]
    kept.write_down(database, "leadglass", [as_change(taken, "scan"), *seen])


def _alerts(database: Database, scan: StoredScan, now: int) -> None:
    def alert(
        number: int, kind: AlertKind, severity: Severity, summary: str, address: str, port: int
    ) -> Alert:
        return Alert(
            id=f"01JD5Y0000000000000000A{number:03d}", key=f"{kind} {address} {port}", kind=kind, severity=severity,
            schedule="nightly", scope="Practice at the Lake", summary=summary, first_at=now - 2 * 3600 + 60,
            last_at=now - 2 * 3600 + 60, endpoint=Endpoint(address, port), after=Access.ANSWERS_QUERY,
            scan=scan.plan.ulid, not_before=now - 7 * DAY,
        )  # fmt: skip

    raised = [
        alert(1, AlertKind.NEW_SERVER, Severity.HIGH, "A DICOM server answers where none did, and a stranger can search it.", "192.0.2.33", 4242),
        alert(2, AlertKind.UNDECLARED, Severity.HIGH, "The register does not allow this port.", "192.0.2.10", 104),
        alert(3, AlertKind.CERTIFICATE, Severity.MEDIUM, "Its certificate is valid for 28 more days.", "192.0.2.10", 2762),
    ]  # fmt: skip
    alerts.raise_(database, alerts.News(source=scan.plan.ulid, raised=raised))
    today = dt.datetime.fromtimestamp(now, dt.UTC).date()
    quiet = Silence("01JD5Y0000000000000000S001", "Dr. Lindqvist", "Old modality behind its own firewall, replaced in spring",
                    today + dt.timedelta(90), (AlertKind.CONTROL_LOST,), "192.0.2.18")  # fmt: skip
    silences.add(database, quiet, now)
