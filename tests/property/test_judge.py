"""Any evidence whatever gets a verdict, and the verdict keeps its promises."""

from __future__ import annotations

import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from leadglass.judge.judge import host, judge
from leadglass.judge.web import fingerprints, known
from leadglass.model.endpoint import Endpoint
from leadglass.model.evidence import (
    AssociateEvidence,
    BlankQueryEvidence,
    Certificate,
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
from leadglass.model.record import read_record, record
from leadglass.model.rung import Rung
from leadglass.model.verdict import Access, Kind, Position, Severity, State, Vantage, Verdict
from leadglass.probe.negotiate import OFFERED

NEEDS = {
    Access.ANSWERS_QUERY: Rung.ASSOCIATE,
    Access.OFFERS_QUERY: Rung.NEGOTIATE,
    Access.OFFERS_STORAGE: Rung.NEGOTIATE,
    Access.ASSOCIATES: Rung.ASSOCIATE,
    Access.VERIFICATION_ONLY: Rung.NEGOTIATE,
    Access.WANTS_TITLE: Rung.ASSOCIATE,
    Access.DEMANDS_LOGIN: Rung.ASSOCIATE,
    Access.DEMANDS_CERTIFICATE: Rung.CONNECT,
    Access.INCONCLUSIVE: Rung.PASSIVE,
    Access.NOT_DICOM: Rung.ASSOCIATE,
    Access.FILTERED: Rung.PASSIVE,
    Access.CLOSED: Rung.PASSIVE,
}

IDENTITIES = st.sampled_from(
    [
        (None, None, None),
        (None, None, 4194304),
        ("1.2.276.0.7230010.3.0.3.6.7", "OFFIS_DCMTK_367", 16384),
        ("1.2.826.0.1.3680043.9.3811.3.0.4", "PYNETDICOM_304", 16382),
        ("1.2.826.0.1.3680043.9.3811.2.0.1", "ORTHANC", 16382),
        ("1.2.40.0.13.1.3", "dcm4che-5.34.0", 16378),
        ("1.2.840.113619.6.96", "GE_PACS_REV_24", 65000),
        ("1.2.826.0.1.3680043.8.641.1", "ORTHANC", 0),
        ("not a uid", "?", 1),
    ]
)
NAMES = st.sampled_from(
    [
        "orthanc-system",
        "orthanc-realm",
        "dcm4chee-aets",
        "ohif",
        "synapse-sign-on",
        "dicomhawk-synapse",
        "gone",
    ]
)
FLAGS = st.booleans()
MAYBE = st.none() | FLAGS
SMALL = st.integers(0, 7)
TRIPLES = st.none() | st.tuples(SMALL, SMALL, SMALL)
PAIRS = st.none() | st.tuples(SMALL, SMALL)
STATUSES = st.none() | st.sampled_from([0, 0x0122, 0x0124, 0x0214, 0xA700, 0xA900, 0xC000, 0xFE00, 0xFFFF])
HTTP = st.none() | st.sampled_from([200, 204, 301, 302, 400, 401, 403, 404, 429, 500, 502])
SPOKE = st.sampled_from([None, "http", "tls", "ssh", "redis", "dicom"])
VERSIONS = st.sampled_from([None, "SSLv3", "TLSv1", "TLSv1.2", "TLSv1.3", "unknown(0x0305)"])
SUITES = st.sampled_from([None, "TLS_AES_256_GCM_SHA384", "TLS_RSA_WITH_RC4_128_SHA", "unknown(0xABCD)"])
ALERTS = st.sampled_from(
    [None, "certificate_required(116)", "handshake_failure(40)", "protocol_version(70)", "alert", "(1)", ""]
)
CERTIFICATES = st.none() | st.just(Certificate("CN=a", "CN=b", "", "", (), "00", ""))

TCP = st.builds(TcpEvidence, st.sampled_from(TcpOutcome))
TLS = st.builds(
    TlsEvidence,
    st.sampled_from(TlsOutcome),
    version=VERSIONS,
    cipher=SUITES,
    certificate_requested=MAYBE,
    acceptable_cas=st.just(()) | st.just(("CN=a",)),
    certificate=CERTIFICATES,
    alert=ALERTS,
    application_data=FLAGS,
    ended=st.sampled_from([None, "close-notify", "eof", "reset", "alert"]),
)
HELLO = st.builds(
    TlsHelloEvidence,
    st.sampled_from(["tls12", "retired-suites", "old-versions"]),
    st.sampled_from(TlsOutcome),
    version=VERSIONS,
    cipher=SUITES,
    certificate_requested=MAYBE,
    certificate=CERTIFICATES,
    alert=ALERTS,
)


@st.composite
def associations(draw: st.DrawFn) -> AssociateEvidence:
    """Any association, however contradictory."""
    uid, name, length = draw(IDENTITIES)
    return AssociateEvidence(
        draw(st.sampled_from(Reply)),
        over_tls=draw(FLAGS),
        reject=draw(TRIPLES),
        abort=draw(PAIRS),
        implementation_class_uid=uid,
        implementation_version_name=name,
        maximum_length=length,
        user_items=draw(st.sampled_from([(), ("51H",), ("51H", "52H", "55H")])),
        verification=draw(st.none() | SMALL),
        echo=draw(st.none() | st.sampled_from(Reply)),
        echo_status=draw(STATUSES),
        spoke=draw(SPOKE),
        detail=draw(st.none() | st.just("something")),
    )


CONTEXTS = st.builds(ContextResult, st.sampled_from([*OFFERED, "1.2.3"]), SMALL)
NEGOTIATION = st.builds(
    NegotiateEvidence,
    st.sampled_from([Reply.ACCEPTED]) | st.sampled_from(Reply),
    over_tls=FLAGS,
    contexts=st.lists(CONTEXTS, max_size=20).map(tuple),
    invented=st.none() | SMALL,
    reject=TRIPLES,
)
QUERY = st.builds(
    BlankQueryEvidence,
    st.sampled_from(Reply),
    over_tls=FLAGS,
    model=st.sampled_from([None, "study-root", "patient-root"]),
    status=STATUSES,
    reject=TRIPLES,
    abort=PAIRS,
)
ANSWERS = st.builds(
    WebAnswer,
    st.sampled_from(["/", "/system"]),
    HTTP,
    fingerprints=st.lists(NAMES, max_size=2).map(tuple),
    login=st.sampled_from([None, None, "basic", "form"]),
)
QIDO = st.builds(QidoAnswer, st.just("/dicom-web/studies"), HTTP, MAYBE)
WEB = st.builds(
    WebEvidence,
    st.sampled_from(Reply),
    over_tls=FLAGS,
    answers=st.lists(ANSWERS, max_size=3).map(tuple),
    qido=st.lists(QIDO, max_size=2).map(tuple),
    software_version=st.none() | st.just("1.10.1"),
    spoke=SPOKE,
)
PIECES: st.SearchStrategy[Evidence] = TCP | TLS | HELLO | associations() | NEGOTIATION | QUERY | WEB
EVIDENCE = st.lists(PIECES, max_size=8).map(tuple)
RUNGS = st.sampled_from(Rung)
POSITIONS = st.sampled_from(Position)


def judged(evidence: tuple[Evidence, ...], rung: Rung, position: Position = Position.UNKNOWN) -> Verdict:
    """The verdict, whatever the port."""
    return judge(evidence, rung=rung, position=position, port=4242)


@given(evidence=EVIDENCE, rung=RUNGS, position=POSITIONS, port=st.integers(0, 65535))
def test_any_evidence_gets_a_verdict_with_a_reason(
    evidence: tuple[Evidence, ...], rung: Rung, position: Position, port: int
) -> None:
    seen = judge(evidence, rung=rung, position=position, port=port)

    assert seen.reasons[0].rule.startswith(
        "inconclusive." if seen.access is Access.INCONCLUSIVE else "access."
    )
    assert 0 <= seen.software.confidence < 1
    assert all(text.strip() for text in (*seen.advice, *seen.settles))


@given(evidence=EVIDENCE, rung=RUNGS)
def test_no_word_is_used_above_its_rung(evidence: tuple[Evidence, ...], rung: Rung) -> None:
    seen = judged(evidence, rung)

    assert rung >= NEEDS[seen.access]
    if seen.access is Access.ANSWERS_QUERY and seen.capabilities.web_api is not State.PROVED:
        assert rung >= Rung.BLANK_QUERY


@given(evidence=EVIDENCE, rung=st.sampled_from([Rung.ASSOCIATE, Rung.NEGOTIATE]))
def test_nothing_but_an_answer_concludes_that_queries_are_answered(
    evidence: tuple[Evidence, ...], rung: Rung
) -> None:
    capabilities = judged(evidence, rung).capabilities

    assert capabilities.query is not State.PROVED
    assert capabilities.web_query is not State.PROVED


@given(evidence=EVIDENCE, rung=RUNGS)
def test_what_is_never_tried_is_never_proved(evidence: tuple[Evidence, ...], rung: Rung) -> None:
    capabilities = judged(evidence, rung).capabilities

    assert State.PROVED not in (capabilities.retrieve, capabilities.storage, capabilities.worklist)


@given(evidence=EVIDENCE, rung=RUNGS)
def test_deeper_evidence_changes_nothing_at_a_rung(evidence: tuple[Evidence, ...], rung: Rung) -> None:
    shallow = tuple(e for e in evidence if not isinstance(e, NegotiateEvidence | BlankQueryEvidence))

    if rung < Rung.NEGOTIATE:
        assert judged(evidence, rung) == judged(shallow, rung)


@given(evidence=EVIDENCE, rung=RUNGS)
def test_the_nature_is_a_distribution_without_zeros_and_settled_by_counts_alone(
    evidence: tuple[Evidence, ...], rung: Rung
) -> None:
    nature = judged(evidence, rung).nature

    assert set(nature.shares) == set(Kind)
    assert math.isclose(sum(nature.shares.values()), 1)
    assert min(nature.shares.values()) > 0
    if nature.settled:
        assert rung is Rung.SAMPLE
        assert max(nature.shares, key=lambda kind: nature.shares[kind]) is not Kind.HONEYPOT


@given(evidence=EVIDENCE, rung=RUNGS)
def test_dicom_is_said_only_where_a_peer_spoke_it(evidence: tuple[Evidence, ...], rung: Rung) -> None:
    spoken = {Reply.ACCEPTED, Reply.REJECTED, Reply.ABORTED, Reply.ANSWERED, Reply.RECORDS, Reply.NOT_OFFERED}
    dicom = [e for e in evidence if isinstance(e, AssociateEvidence | NegotiateEvidence | BlankQueryEvidence)]

    if "dicom" in judged(evidence, rung).protocols:
        assert any(e.reply in spoken for e in dicom)


@given(evidence=EVIDENCE, position=POSITIONS)
def test_the_same_evidence_gets_the_same_verdict(evidence: tuple[Evidence, ...], position: Position) -> None:
    assert judged(evidence, Rung.BLANK_QUERY, position) == judged(evidence, Rung.BLANK_QUERY, position)


@given(evidence=EVIDENCE, rung=RUNGS, position=POSITIONS)
def test_a_verdict_survives_publication(
    evidence: tuple[Evidence, ...], rung: Rung, position: Position
) -> None:
    seen = judged(evidence, rung, position)
    line = record(
        scan="x",
        observed_at=0,
        endpoint=Endpoint("192.0.2.1", 4242),
        vantage=Vantage(None, position),
        rung=rung,
        evidence=evidence,
        verdict=seen,
    ).line()
    back = read_record(line)

    assert back.why() == seen.reasons
    assert {id_ for why in back.why() for id_ in why.evidence} <= {fact.id for fact in back.evidence}
    assert judged(back.observed(), rung, position).access is seen.access


@given(evidence=st.lists(EVIDENCE, min_size=1, max_size=4), rung=RUNGS)
def test_a_host_is_its_worst_endpoint(evidence: list[tuple[Evidence, ...]], rung: Rung) -> None:
    verdicts = {port: judged(pieces, rung) for port, pieces in enumerate(evidence, start=1)}

    worst = host(verdicts)

    assert worst.verdict.access.rank == min(verdict.access.rank for verdict in verdicts.values())
    assert verdicts[worst.port].access is worst.verdict.access


@given(
    path=st.sampled_from(["/", "/system", "/dcm4chee-arc/aets", "/x"]),
    status=st.integers(100, 599),
    headers=st.dictionaries(
        st.sampled_from(["www-authenticate", "location", "content-type", "server", "x-backendserver"]),
        st.text(max_size=40),
    ),
    body=st.binary(max_size=200) | st.text(max_size=200).map(str.encode),
)
def test_any_http_answer_matches_known_fingerprints_or_none(
    path: str, status: int, headers: dict[str, str], body: bytes
) -> None:
    assert all(known(name) is not None for name in fingerprints(path, status, headers, body))


@given(left=EVIDENCE, rung=RUNGS)
def test_severity_does_not_fall_from_inside_to_outside(left: tuple[Evidence, ...], rung: Rung) -> None:
    inside, outside = (judged(left, rung, position) for position in (Position.INSIDE, Position.OUTSIDE))

    assert inside.access is outside.access
    assert inside.severity.rank >= outside.severity.rank


def test_severities_are_ranked_as_they_are_listed() -> None:
    assert all(worse.rank < milder.rank for worse, milder in pairwise(Severity))
