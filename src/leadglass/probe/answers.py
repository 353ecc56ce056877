"""What an answer says of the next question."""

from __future__ import annotations

from leadglass.model.evidence import AssociateEvidence, NegotiateEvidence, Reply, TlsEvidence, WebEvidence
from leadglass.probe.sniff import DICOM
from leadglass.wire.uids import PATIENT_ROOT_FIND, STUDY_ROOT_FIND

__all__ = ["dicom_or", "grants_find", "is_tls", "wants_tls"]


def dicom_or(seen: AssociateEvidence) -> str | None:
    """``dicom`` if DICOM was spoken, another protocol if its first bytes told, else None."""
    well_formed = seen.reply in (Reply.ACCEPTED, Reply.REJECTED, Reply.ABORTED)
    return DICOM if well_formed else seen.spoke


def is_tls(seen: TlsEvidence) -> bool:
    """TLS was spoken: a version was chosen, or an alert sent, however it ended."""
    return seen.version is not None or seen.alert is not None


def wants_tls(seen: WebEvidence) -> bool:
    """nginx, Apache and Go answer a plain ``GET /`` on their TLS ports with 400."""
    return not seen.over_tls and bool(seen.answers) and seen.answers[0].status == 400


def grants_find(seen: NegotiateEvidence) -> bool:
    """Whether a query may be put: a query model that we use was accepted."""
    models = (STUDY_ROOT_FIND, PATIENT_ROOT_FIND)
    return any(c.result == 0 and c.abstract_syntax in models for c in seen.contexts)
