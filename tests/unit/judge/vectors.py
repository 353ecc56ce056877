"""What real servers answered a stranger, as evidence. Measured once, written down as the probes report it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from leadglass.judge.judge import judge
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
    TlsOutcome,
    WebAnswer,
    WebEvidence,
)
from leadglass.model.rung import Rung
from leadglass.model.verdict import Position, Verdict
from leadglass.probe.negotiate import OFFERED
from leadglass.wire import uids

DCMTK = ("1.2.276.0.7230010.3.0.3.6.7", "OFFIS_DCMTK_367", 16384)
PYNETDICOM = ("1.2.826.0.1.3680043.9.3811.3.0.4", "PYNETDICOM_304", 16382)

STORAGE = (uids.CT_IMAGE_STORAGE, uids.MR_IMAGE_STORAGE, uids.CR, uids.DX, uids.US, uids.SECONDARY_CAPTURE)
FIND = (uids.STUDY_ROOT_FIND, uids.PATIENT_ROOT_FIND)
RETRIEVE = (uids.STUDY_ROOT_MOVE, uids.STUDY_ROOT_GET, uids.PATIENT_ROOT_MOVE, uids.PATIENT_ROOT_GET)

OPEN = TcpEvidence(TcpOutcome.OPEN)
CERTIFICATE = Certificate(
    subject="CN=pacs.example.org",
    issuer="CN=Example CA",
    not_before="2026-01-01T00:00:00Z",
    not_after="2027-01-01T00:00:00Z",
    sans=("pacs.example.org",),
    sha256="00" * 32,
    key="RSA 2048",
)


def accepted(identity: tuple[str, str, int] = DCMTK, **changes: object) -> AssociateEvidence:
    """An association with Verification granted and the C-ECHO answered."""
    uid, name, length = identity
    evidence = AssociateEvidence(
        Reply.ACCEPTED,
        implementation_class_uid=uid,
        implementation_version_name=name,
        maximum_length=length,
        user_items=("51H", "52H", "55H"),
        verification=0,
        echo=Reply.ANSWERED,
        echo_status=0,
    )
    return replace(evidence, **changes)  # type: ignore[arg-type]


def rejected(*reject: int) -> AssociateEvidence:
    """A rejected association."""
    return AssociateEvidence(Reply.REJECTED, reject=(reject[0], reject[1], reject[2]))


def granted(
    *sop_classes: str, invented: int = 3, others: int = 3, storage_first: bool = False, **results: int
) -> NegotiateEvidence:
    """A negotiation in which ``sop_classes`` got 0, those in ``results`` their own, and the rest ``others``."""
    order = (*STORAGE, *OFFERED) if storage_first else OFFERED
    own = {getattr(uids, name): result for name, result in results.items()}
    contexts = tuple(
        ContextResult(uid, result, uids.IMPLICIT_VR_LE if result == 0 else None)
        for uid in dict.fromkeys(order)
        for result in [0 if uid in sop_classes else own.get(uid, others)]
    )
    return NegotiateEvidence(Reply.ACCEPTED, contexts=contexts, invented=invented)


def asked(status: int | None = 0, reply: Reply = Reply.ANSWERED, **changes: object) -> BlankQueryEvidence:
    """A blank query that got an answer."""
    evidence = BlankQueryEvidence(reply, model="study-root", status=status)
    return replace(evidence, **changes)  # type: ignore[arg-type]


ABORTED = asked(None, Reply.ABORTED, abort=(0, 0))
ORTHANC_GRANTS = granted(uids.VERIFICATION, *FIND, *RETRIEVE, uids.STORAGE_COMMITMENT, *STORAGE)
DCMQRSCP_GRANTS = granted(
    uids.VERIFICATION, *FIND, *RETRIEVE, uids.PATIENT_STUDY_ONLY_FIND, *STORAGE, storage_first=True
)
STORAGE_GRANTS = granted(uids.VERIFICATION, *STORAGE)

SERVERS: Mapping[str, Sequence[Evidence]] = {
    "orthanc": (OPEN, accepted(), ORTHANC_GRANTS, ABORTED),
    "orthanc-find-allowed": (OPEN, accepted(), ORTHANC_GRANTS, asked()),
    "orthanc-titles-checked": (OPEN, rejected(1, 1, 7)),
    "orthanc-strangers-refused": (OPEN, rejected(1, 1, 3)),
    "dcmqrscp-any": (OPEN, accepted(called_ae="COMMON"), DCMQRSCP_GRANTS, asked()),
    "dcmqrscp-unknown-title": (OPEN, rejected(1, 1, 7)),
    "dcmqrscp-readonly": (
        OPEN,
        accepted(called_ae="COMMON"),
        granted(
            uids.VERIFICATION,
            *FIND,
            *RETRIEVE,
            uids.PATIENT_STUDY_ONLY_FIND,
            storage_first=True,
            CT_IMAGE_STORAGE=1,
            MR_IMAGE_STORAGE=1,
        ),
        asked(),
    ),
    "storescp": (OPEN, accepted(), STORAGE_GRANTS),
    "pynetdicom-echoscp": (OPEN, accepted(PYNETDICOM), granted(uids.VERIFICATION)),
    "pynetdicom-storescp": (OPEN, accepted(PYNETDICOM), STORAGE_GRANTS),
    "pynetdicom-qrscp": (
        OPEN,
        accepted(PYNETDICOM),
        granted(uids.VERIFICATION, *FIND, *RETRIEVE, *STORAGE, uids.MODALITY_WORKLIST_FIND),
        asked(),
    ),
    "dicompot": (
        OPEN,
        accepted(
            implementation_class_uid=None,
            implementation_version_name=None,
            maximum_length=4194304,
            user_items=("51H",),
        ),
        granted(*OFFERED, invented=0),
        asked(),
    ),
}


def handshake(**changes: object) -> TlsEvidence:
    """An established TLS 1.3 handshake in which no certificate was asked for."""
    evidence = TlsEvidence(
        TlsOutcome.ESTABLISHED,
        "TLSv1.3",
        "TLS_AES_256_GCM_SHA384",
        certificate_requested=False,
        certificate=CERTIFICATE,
    )
    return replace(evidence, **changes)  # type: ignore[arg-type]


def page(path: str = "/", status: int | None = 200, *fingerprints: str, **changes: object) -> WebAnswer:
    """One HTTP answer."""
    answer = WebAnswer(path, status, "html" if status == 200 else "empty", fingerprints)
    return replace(answer, **changes)  # type: ignore[arg-type]


def web(*answers: WebAnswer, qido: tuple[QidoAnswer, ...] = (), over_tls: bool = False) -> WebEvidence:
    """A web interface."""
    return WebEvidence(Reply.ANSWERED, over_tls=over_tls, answers=answers, qido=qido)


def verdict(
    *evidence: Evidence,
    rung: Rung = Rung.BLANK_QUERY,
    position: Position = Position.UNKNOWN,
    port: int = 11112,
) -> Verdict:
    """Judge ``evidence``."""
    return judge(evidence, rung=rung, position=position, port=port)
