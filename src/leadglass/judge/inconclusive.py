"""Why nothing could be decided: the first of these that applies, the most telling first."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from leadglass.judge import web_rules
from leadglass.judge.case import Case
from leadglass.judge.rules import Rule, because
from leadglass.judge.seen import Piece
from leadglass.judge.services import is_busy, rejection
from leadglass.model.evidence import (
    AssociateEvidence,
    BlankQueryEvidence,
    Evidence,
    NegotiateEvidence,
    PassiveEvidence,
    Reply,
    TlsOutcome,
    WebEvidence,
)
from leadglass.model.rung import Rung
from leadglass.model.verdict import Reason

__all__ = ["inconclusive"]

_Conversed: TypeAlias = AssociateEvidence | NegotiateEvidence | BlankQueryEvidence | WebEvidence

_ENDINGS = {
    Reply.SILENT: "no answer in time",
    Reply.CLOSED: "closed without an answer",
    Reply.RESET: "reset without an answer",
}
_BROKEN_OFF = {
    Reply.SILENT: "the beginning of a DICOM answer and no more in time",
    Reply.CLOSED: "the beginning of a DICOM answer, then the end of the connection",
    Reply.RESET: "the beginning of a DICOM answer, then a reset",
}
_TLS_ENDINGS = {
    TlsOutcome.SILENT: "no answer in time",
    TlsOutcome.CLOSED: "closed without an answer",
    TlsOutcome.RESET: "reset without an answer",
    TlsOutcome.NOT_TLS: "an answer that is not TLS",
    TlsOutcome.MALFORMED: "a malformed answer",
}


def inconclusive(case: Case) -> Reason:
    """The reason; there always is one."""
    for why in _WHY:
        reason = why(case)
        if reason is not None:
            return reason
    return because(Rule.NOTHING_SEEN, "nothing was observed that tells anything")


def _seen_by_others(case: Case) -> Reason | None:
    if not case.seen.secondhand:
        return None
    told = ", ".join(_account(piece.evidence) for piece in case.seen.passive)
    text = f"only others have seen it open: {told}; Leadglass has asked it nothing"
    cited = (piece.cite("source", "seen-at", "speaks", "over-tls") for piece in case.seen.passive)
    return because(Rule.SEEN_BY_OTHERS, text, *cited)


def _account(evidence: PassiveEvidence) -> str:
    over = " over TLS" if evidence.over_tls and evidence.speaks != "tls" else ""
    speaking = f", speaking {evidence.speaks}{over}" if evidence.speaks else over
    when = f" at {evidence.seen_at}" if evidence.seen_at else ""
    return f"{evidence.source}{when}{speaking}"


def _busy(case: Case) -> Reason | None:
    for piece in case.seen.dicom:
        reject = piece.evidence.reject
        if reject is not None and is_busy(piece.evidence):
            text = f"the server was busy: the association was rejected with {rejection(reject)}"
            return because(Rule.BUSY, text, piece.cite("reject"))
    return None


def _rejected(case: Case) -> Reason | None:
    for piece in case.seen.dicom:
        if piece.evidence.reply is Reply.REJECTED:
            reject = piece.evidence.reject
            why = rejection(reject) if reject else "an answer that was not kept"
            text = f"the association was rejected with {why}, which does not tell what would be accepted"
            return because(Rule.REJECTED, text, piece.cite("reply", "reject"))
    return None


def _aborted(case: Case) -> Reason | None:
    for piece in case.seen.dicom:
        if piece.evidence.reply is Reply.ABORTED:
            text = "the association request was answered with A-ABORT"
            return because(Rule.ABORTED, text, piece.cite("reply", "abort"))
    return None


def _malformed(case: Case) -> Reason | None:
    for piece in (*case.seen.dicom, *case.seen.webs):
        if piece.evidence.reply is Reply.MALFORMED:
            detail = f": {piece.evidence.detail}" if piece.evidence.detail else ""
            text = f"the answer breaks the standard{detail}"
            return because(Rule.MALFORMED, text, piece.cite("reply", "detail"))
    return None


def _product_undecided(case: Case) -> Reason | None:
    """An imaging product was recognised, but neither an open interface nor a demand for credentials."""
    rows = web_rules.products(case.seen)
    if not rows:
        return None
    text = f"{rows[0].product} was recognised; whether its archive answers a stranger was not established"
    return because(Rule.PRODUCT_UNDECIDED, text, *(p.cite("answers", "qido") for p in case.seen.webs))


def _not_pursued(case: Case) -> Reason | None:
    """Another protocol was met, and what was asked in it told nothing."""
    met = [name for name in case.protocols if name in ("tls", "http")]
    if not met or case.seen.rung < Rung.ASSOCIATE:
        return None
    text = f"it speaks {' and '.join(met)}, and what was asked there told nothing of what is behind it"
    pieces: tuple[Piece[Evidence], ...] = (
        *case.seen.tls,
        *case.seen.hellos,
        *case.seen.associations,
        *case.seen.webs,
    )
    cited = (piece.cite("reply", "outcome", "spoke", "answers") for piece in pieces)
    return because(Rule.NOT_PURSUED, text, *cited)


def _unknown_protocol(case: Case) -> Reason | None:
    for piece in (*case.seen.dicom, *case.seen.webs):
        if piece.evidence.reply is Reply.OTHER_PROTOCOL:
            text = "the answer is neither DICOM nor anything else that was recognised"
            return because(Rule.UNKNOWN_PROTOCOL, text, piece.cite("reply", "spoke"))
    return None


def _not_asked(case: Case) -> Reason | None:
    if case.seen.rung >= Rung.ASSOCIATE and (case.seen.dicom or case.seen.webs):
        return None
    pieces: tuple[Piece[Evidence], ...] = (*case.seen.tcp, *case.seen.tls, *case.seen.hellos)
    if not pieces:
        return None
    text = f"at the rung {case.seen.rung.word} nothing was asked that tells what a stranger can do"
    return because(Rule.NOT_ASKED, text, *(piece.cite("outcome") for piece in pieces))


def _no_answer(case: Case) -> Reason | None:
    told = [
        (piece.probe, _ending(piece.evidence), piece.cite("reply", "spoke"))
        for piece in (*case.seen.dicom, *case.seen.webs)
        if piece.evidence.reply in _ENDINGS
    ]
    told += [
        (piece.probe, _TLS_ENDINGS[piece.evidence.outcome], piece.cite("outcome"))
        for piece in case.seen.tls
        if piece.evidence.outcome in _TLS_ENDINGS
    ]
    if not told:
        return None
    text = "the port is open, but " + ", ".join(f"{probe} got {ending}" for probe, ending, _ in told)
    return because(Rule.NO_ANSWER, text, *(cited for *_, cited in told))


def _ending(evidence: _Conversed) -> str:
    began = isinstance(evidence, AssociateEvidence) and evidence.spoke == "dicom"
    return (_BROKEN_OFF if began else _ENDINGS)[evidence.reply]


_WHY: tuple[Callable[[Case], Reason | None], ...] = (
    _seen_by_others,
    _busy,
    _rejected,
    _aborted,
    _malformed,
    _product_undecided,
    _not_pursued,
    _unknown_protocol,
    _not_asked,
    _no_answer,
)
