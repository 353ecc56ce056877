"""A made-up scan: every access word, five hosts, both address families, TLS, and text that means harm."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from leadglass.model.endpoint import Endpoint
from leadglass.model.evidence import (
    AssociateEvidence,
    BlankQueryEvidence,
    ContextResult,
    Evidence,
    NegotiateEvidence,
    QidoAnswer,
    Reply,
    TcpEvidence,
    TcpOutcome,
    TlsEvidence,
    TlsHelloEvidence,
    TlsOutcome,
    WebAnswer,
    WebEvidence,
)
from leadglass.model.record import ScanRecord, ScopeNote, Tlp, record
from leadglass.model.rung import Rung
from leadglass.model.verdict import (
    Access,
    Capabilities,
    ClientCertificate,
    Data,
    Kind,
    Nature,
    Position,
    Reason,
    Severity,
    Software,
    State,
    TlsSummary,
    Vantage,
    Verdict,
)
from leadglass.report.contract import Meta, Summary, Tally

PRIOR: Mapping[Kind, float] = {
    Kind.CLINICAL: 0.35,
    Kind.DEMO: 0.15,
    Kind.TEACHING: 0.15,
    Kind.EXPERIMENTAL: 0.2,
    Kind.NON_HUMAN: 0.05,
    Kind.HONEYPOT: 0.1,
}
TRAP: Mapping[Kind, float] = {
    Kind.CLINICAL: 0.02,
    Kind.DEMO: 0.01,
    Kind.TEACHING: 0.01,
    Kind.EXPERIMENTAL: 0.0197,
    Kind.NON_HUMAN: 0.0003,
    Kind.HONEYPOT: 0.94,
}
OPEN = TcpEvidence(TcpOutcome.OPEN)
ECHO = AssociateEvidence(
    Reply.ACCEPTED,
    implementation_class_uid="1.2.276.0.7230010.3.0.3.6.7",
    implementation_version_name="OFFIS_DCMTK_367",
    maximum_length=16384,
    user_items=("51H", "52H", "55H"),
    verification=0,
    echo=Reply.ANSWERED,
    echo_status=0,
)
GRANTED = NegotiateEvidence(
    Reply.ACCEPTED,
    contexts=(
        ContextResult("1.2.840.10008.5.1.4.1.2.2.1", 0, "1.2.840.10008.1.2.1"),
        ContextResult("1.2.840.10008.5.1.4.1.1.7", 0, "1.2.840.10008.1.2.1"),
        ContextResult("1.2.840.10008.5.1.4.31", 3),
    ),
    invented=3,
)
CERTIFICATE = {
    "subject": "CN=pacs.example.org,O=Example Radiology",
    "issuer": "CN=Example Root",
    "not_after": "2027-01-31T12:00:00Z",
    "sans": ("pacs.example.org",),
    "sha256": "ab" * 32,
}
UNSETTLED = Nature(PRIOR, PRIOR, settles=("a sample, with the owner's authorisation",))
ORTHANC = Software("Orthanc", "1.10.1", 0.95, "its web interface says so")
NOTHING = Software(None, None, 0.0)
SCOPE = {
    "name": "Example Radiology, external addresses",
    "basis": "owner",
    "granted_by": "Dr. Müller, head of practice",
    "reference": "change 4711",
}
ESCAPE = "\x1b[31mred\x1b]0;title\x07"
BIDI = "\u202egnp.exe"
PACS = ("192.0.2.10", "pacs.example.org")
SEARCHED = Capabilities(
    associate=State.PROVED,
    verification=State.PROVED,
    query=State.PROVED,
    retrieve=State.UNTESTED,
    storage=State.GRANTED,
    worklist=State.ABSENT,
    web_query=State.ABSENT,
    web_api=State.ABSENT,
)
OFFERS = Capabilities(
    associate=State.PROVED,
    verification=State.PROVED,
    query=State.GRANTED,
    retrieve=State.GRANTED,
    storage=State.GRANTED,
    worklist=State.GRANTED,
)
STORES = Capabilities(
    associate=State.PROVED,
    verification=State.PROVED,
    query=State.REFUSED,
    retrieve=State.UNDETERMINED,
    storage=State.GRANTED,
    worklist=State.ABSENT,
)


def verdict(
    access: Access,
    severity: Severity,
    capabilities: Capabilities,
    *,
    protocols: tuple[str, ...] = ("dicom",),
    software: Software = NOTHING,
    nature: Nature = UNSETTLED,
    data: Data = Data.UNKNOWN,
    tls: TlsSummary | None = None,
    reasons: tuple[Reason, ...] = (),
    advice: tuple[str, ...] = (),
    settles: tuple[str, ...] = (),
) -> Verdict:
    return Verdict(
        access, capabilities, protocols, software, nature, data, severity, tls, reasons, advice, settles
    )


def seen(
    address: str,
    port: int,
    evidence: tuple[Evidence, ...],
    judged: Verdict,
    *,
    name: str | None = None,
    rung: Rung = Rung.BLANK_QUERY,
    minute: int = 0,
    place: str | None = "Berlin",
    tlp: Tlp | None = Tlp.AMBER,
) -> ScanRecord:
    return record(
        scan="01JEXAMPLE",
        observed_at=datetime(2026, 11, 21, 5, minute, 0, tzinfo=UTC),
        endpoint=Endpoint(address, port, name),
        vantage=Vantage("198.51.100.7" if "." in address else "2001:db8::7", Position.OUTSIDE),
        rung=rung,
        evidence=evidence,
        verdict=judged,
        scope=SCOPE,
        place=place,
        tlp=tlp,
    )


def archive_dicom() -> ScanRecord:
    """Its DICOM port answers anybody."""
    return seen(
        PACS[0],
        11112,
        (OPEN, ECHO, GRANTED, BlankQueryEvidence(Reply.ANSWERED, model="study-root", status=0)),
        verdict(
            Access.ANSWERS_QUERY,
            Severity.CRITICAL,
            SEARCHED,
            software=ORTHANC,
            reasons=(
                Reason(
                    "access.answers-query",
                    "a query for a key that nobody has was processed",
                    ("blank-query/reply", "blank-query/status"),
                ),
                Reason(
                    "severity.table",
                    "a clinical server cannot be ruled out",
                    ("blank-query/status", "associate/reply"),
                ),
            ),
            advice=(
                "Orthanc: set DicomAlwaysAllowFind to false, and list the modalities that may ask.",
                "Let only the known devices reach port 11112.",
            ),
        ),
        name=PACS[1],
    )


def archive_web() -> ScanRecord:
    """Its web port answers anybody."""
    return seen(
        PACS[0],
        8042,
        (
            OPEN,
            WebEvidence(
                Reply.ANSWERED,
                answers=(WebAnswer("/system", 200, "json-object", ("orthanc-system",)),),
                qido=(QidoAnswer("/dicom-web/studies", 200, empty=True),),
                software_version="1.10.1",
            ),
        ),
        verdict(
            Access.ANSWERS_QUERY,
            Severity.CRITICAL,
            Capabilities(web_query=State.PROVED, web_api=State.PROVED),
            protocols=("http",),
            software=ORTHANC,
            reasons=(Reason("access.answers-query", "QIDO-RS answered with a list", ("web/qido",)),),
            advice=("Orthanc: set AuthenticationEnabled to true and declare RegisteredUsers.",),
        ),
        name=PACS[1],
        minute=1,
    )


def archive_tls() -> ScanRecord:
    """Its TLS port asks for a certificate, and still takes what is retired."""
    return seen(
        PACS[0],
        2762,
        (
            OPEN,
            TlsHelloEvidence(
                "retired-suites", TlsOutcome.SERVER_HELLO, "TLSv1.2", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"
            ),
            TlsEvidence(
                TlsOutcome.ALERT, "TLSv1.2", certificate_requested=True, alert="handshake_failure(40)"
            ),
        ),
        verdict(
            Access.DEMANDS_CERTIFICATE,
            Severity.NONE,
            Capabilities(associate=State.REFUSED),
            protocols=("tls",),
            tls=TlsSummary(
                "TLSv1.2",
                "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
                ClientCertificate.REQUIRED,
                ("CN=Example Root",),
                CERTIFICATE,
                ("TLS_RSA_WITH_3DES_EDE_CBC_SHA",),
            ),
            reasons=(
                Reason("access.demands-certificate", "the handshake ended for want of one", ("tls/alert",)),
            ),
            advice=("Turn off the suites of TLS_RSA_WITH_3DES_EDE_CBC_SHA's kind.",),
            settles=("A DICOM association with a certificate that the server accepts.",),
        ),
        name=PACS[1],
        minute=2,
    )


def archive() -> tuple[ScanRecord, ...]:
    """An open archive: DICOM and REST answer anybody, and a mutual TLS port stands beside them."""
    return (archive_dicom(), archive_web(), archive_tls())


def granting() -> tuple[ScanRecord, ...]:
    """Services granted, refused in part, and a web interface with a login."""
    host = "192.0.2.11"
    return (
        seen(
            host,
            104,
            (OPEN, ECHO, GRANTED),
            verdict(
                Access.OFFERS_QUERY,
                Severity.HIGH,
                OFFERS,
                software=Software("dcm4chee-arc", None, 0.6),
                reasons=(
                    Reason("access.offers-query", "query contexts were granted", ("negotiate/contexts",)),
                ),
                advice=("Restrict calling AE titles and addresses.",),
                settles=("A blank query, with basis owner or mandate.",),
            ),
            rung=Rung.NEGOTIATE,
            minute=3,
        ),
        seen(
            host,
            4242,
            (OPEN, ECHO, GRANTED, BlankQueryEvidence(Reply.ABORTED, model="study-root", abort=(2, 0))),
            verdict(
                Access.OFFERS_STORAGE,
                Severity.HIGH,
                STORES,
                software=Software("DCMTK-based", "3.6.7", 0.5, "implementation class UID"),
                reasons=(
                    Reason(
                        "access.offers-storage",
                        "storage contexts were granted, and the query was aborted",
                        ("negotiate/contexts", "blank-query/abort"),
                    ),
                ),
            ),
            minute=4,
        ),
        seen(
            host,
            8080,
            (OPEN, WebEvidence(Reply.ANSWERED, answers=(WebAnswer("/", 401, "html", login="basic"),))),
            verdict(
                Access.DEMANDS_LOGIN,
                Severity.LOW,
                Capabilities(web_api=State.REFUSED),
                protocols=("http",),
                reasons=(Reason("access.demands-login", "401 with a challenge", ("web/answers",)),),
            ),
            minute=5,
        ),
    )


def guarded() -> tuple[ScanRecord, ...]:
    """IPv6: a title, a certificate, and something that is not DICOM."""
    host, name = "2001:db8:85a3:8d3:1319:8a2e:370:7348", "viewer.example.org"
    return (
        seen(
            host,
            11112,
            (OPEN, AssociateEvidence(Reply.REJECTED, reject=(1, 1, 7))),
            verdict(
                Access.WANTS_TITLE,
                Severity.MEDIUM,
                Capabilities(associate=State.REFUSED),
                reasons=(Reason("access.wants-title", "called title not recognised", ("associate/reject",)),),
                advice=("An AE title is no protection: put mutual TLS in front of it.",),
            ),
            name=name,
            minute=6,
        ),
        seen(
            host,
            2762,
            (
                OPEN,
                TlsEvidence(
                    TlsOutcome.ESTABLISHED,
                    "TLSv1.3",
                    "TLS_AES_256_GCM_SHA384",
                    alert="certificate_required(116)",
                ),
            ),
            verdict(
                Access.DEMANDS_CERTIFICATE,
                Severity.NONE,
                Capabilities(associate=State.REFUSED),
                protocols=("tls",),
                tls=TlsSummary("TLSv1.3", "TLS_AES_256_GCM_SHA384", ClientCertificate.REQUIRED),
                reasons=(Reason("access.demands-certificate", "certificate_required(116)", ("tls/alert",)),),
            ),
            name=name,
            minute=7,
        ),
        seen(
            host,
            443,
            (OPEN, AssociateEvidence(Reply.OTHER_PROTOCOL, spoke="http")),
            verdict(
                Access.NOT_DICOM,
                Severity.NONE,
                Capabilities(associate=State.ABSENT),
                protocols=("http",),
                software=Software("nginx", None, 0.9),
                reasons=(Reason("access.not-dicom", "it spoke HTTP", ("associate/spoke",)),),
            ),
            name=name,
            minute=8,
        ),
    )


def mixed() -> tuple[ScanRecord, ...]:
    """A shallow look, a harmless one, a busy one, a trap."""
    host = "192.0.2.12"
    return (
        seen(
            host,
            104,
            (OPEN, ECHO),
            verdict(
                Access.ASSOCIATES,
                Severity.MEDIUM,
                Capabilities(associate=State.PROVED, verification=State.PROVED),
                nature=Nature(TRAP, PRIOR, settled=True),
                data=Data.SYNTHETIC,
                reasons=(Reason("access.associates", "C-ECHO succeeded", ("associate/echo-status",)),),
                settles=("The negotiate rung, with basis owner, mandate or research.",),
            ),
            rung=Rung.ASSOCIATE,
            minute=9,
        ),
        seen(
            host,
            11112,
            (OPEN, ECHO, NegotiateEvidence(Reply.ACCEPTED, invented=3)),
            verdict(
                Access.VERIFICATION_ONLY,
                Severity.LOW,
                Capabilities(
                    State.PROVED, State.PROVED, State.REFUSED, State.REFUSED, State.REFUSED, State.REFUSED
                ),
                software=Software("pynetdicom", "3.0.4", 0.9),
                reasons=(
                    Reason("access.verification-only", "everything else was refused", ("negotiate/reply",)),
                ),
            ),
            minute=10,
        ),
        seen(
            host,
            4242,
            (OPEN, AssociateEvidence(Reply.REJECTED, reject=(2, 3, 1))),
            verdict(
                Access.INCONCLUSIVE,
                Severity.LOW,
                Capabilities(associate=State.UNDETERMINED),
                reasons=(Reason("inconclusive.busy", "too busy, three times", ("associate/reject",)),),
                settles=("Another look when it is less busy.",),
            ),
            minute=11,
        ),
    )


def hostile() -> ScanRecord:
    """Everything that a peer, a page or a file could hold against us."""
    return seen(
        "192.0.2.13",
        11112,
        (
            OPEN,
            AssociateEvidence(
                Reply.MALFORMED,
                implementation_version_name=f"<script>{ESCAPE}",
                detail=f"{BIDI}\r\nforged row",
            ),
        ),
        verdict(
            Access.OFFERS_STORAGE,
            Severity.HIGH,
            Capabilities(State.PROVED, State.PROVED, storage=State.GRANTED),
            protocols=("dicom", "<img src=x onerror=alert(1)>"),
            software=Software('=HYPERLINK("http://evil.example")', "+1\u2028", 0.3, "@SUM(A1)\t\x9b31m"),
            reasons=(
                Reason(
                    "access.offers-storage",
                    f"</script><b>{ESCAPE}{BIDI}\nforged: line",
                    ("associate/detail",),
                ),
            ),
            advice=('-2+3"; rm', "</style><script>alert(1)</script>"),
            settles=("{{ 7 * 7 }} {% raw %}",),
        ),
        name=f'<script>alert("{ESCAPE}")</script>{BIDI}',
        minute=12,
    )


def silent() -> tuple[ScanRecord, ...]:
    """Ports where nobody answers."""
    nothing = Capabilities()
    refused = (TcpEvidence(TcpOutcome.REFUSED),)
    unanswered = (TcpEvidence(TcpOutcome.UNANSWERED),)
    closed = verdict(
        Access.CLOSED, Severity.NONE, nothing, protocols=(), reasons=(Reason("access.closed", "RST"),)
    )
    filtered = verdict(Access.FILTERED, Severity.NONE, nothing, protocols=())
    return (
        seen("192.0.2.13", 104, refused, closed, minute=13),
        *(seen("192.0.2.14", 104 + i, unanswered, filtered, minute=14) for i in range(5)),
    )


def whole_scan() -> tuple[ScanRecord, ...]:
    return (*archive(), *granting(), *guarded(), *mixed(), hostile(), *silent())


def meta_of_scan() -> Meta:
    return Meta(
        scan="01JEXAMPLE",
        started=datetime(2026, 11, 21, 5, 0, 0, tzinfo=UTC),
        tool_version="0.1.0",
        command="leadglass scan --scope scope.toml",
        position=Position.OUTSIDE,
        scope=ScopeNote.model_validate(SCOPE),
        tlp=Tlp.AMBER,
    )


def summary_of(records: tuple[ScanRecord, ...], *, finished: bool = True) -> Summary:
    tally = Tally()
    for item in records:
        tally.add(item)
    tally.skipped("excluded by the scope (life support network)", 2)
    tally.denied("192.0.2.11 may be asked no deeper than negotiate")
    return tally.summary(finished=finished, ended=datetime(2026, 11, 21, 5, 20, 0, tzinfo=UTC))
