"""What the blank query proves, and what it does not.

A query that was processed is proved; one that was refused by a status is refused; nearly everything else is
``undetermined``. An A-ABORT refuses only where the product is known to refuse that way.
"""

from __future__ import annotations

from leadglass.judge.rules import Rule, because
from leadglass.judge.seen import Piece, Seen
from leadglass.judge.services import Finding, Negotiated, Service, refused
from leadglass.judge.software import Identified
from leadglass.model.evidence import BlankQueryEvidence, Reply
from leadglass.model.verdict import State

__all__ = ["find_granted", "query", "retrieve", "worklist"]

_ORDER = (State.PROVED, State.REFUSED, State.UNDETERMINED)
_EMPTY = (
    "a query that can match nothing was processed and answered with 0000H; "
    "whether records lie behind it is not proved"
)
_ENDINGS = {
    Reply.CLOSED: "the connection was closed",
    Reply.RESET: "the connection was reset",
    Reply.SILENT: "no answer came in time",
    Reply.MALFORMED: "the answer breaks the standard",
}


def query(seen: Seen, services: Negotiated, software: Identified) -> Finding:
    """Whether a stranger's C-FIND is processed."""
    found = [finding for piece in seen.queries if (finding := _asked(piece, services, software)) is not None]
    asked = [finding for finding in found if finding.state in _ORDER]
    return min(
        asked,
        key=lambda finding: _ORDER.index(finding.state),
        default=found[0] if found else Finding(services.state(Service.QUERY)),
    )


def retrieve(services: Negotiated, asked: Finding, software: Identified) -> Finding:
    """Whether a stranger may retrieve; it is never tried.

    A product that grants these contexts to everybody and decides at the command has granted nothing once it
    refused the stranger's C-FIND: then retrieval is untested. Elsewhere a grant stands, whatever C-FIND got.
    """
    state = services.state(Service.RETRIEVE)
    if software.aborts_strangers and asked.state is State.REFUSED and state is State.GRANTED:
        text = (
            f"{software.product} grants retrieval to everybody and decides at the command, which is never sent; "
            "it refused the query"
        )
        return Finding(
            State.UNTESTED, (because(Rule.RETRIEVE_GATED, text, *(r.evidence for r in asked.reasons)),)
        )
    return Finding(state)


def worklist(services: Negotiated) -> Finding:
    """Whether worklists are granted; they are never queried, because their UID key is optional (PS3.4 K.6)."""
    return Finding(services.state(Service.WORKLIST))


def find_granted(seen: Seen, services: Negotiated) -> bool:
    """Whether a context to query in was granted."""
    asked = any(piece.evidence.model is not None for piece in seen.queries)
    return asked or services.state(Service.QUERY) is State.GRANTED


def _asked(piece: Piece[BlankQueryEvidence], services: Negotiated, software: Identified) -> Finding | None:
    """None: the query was not put at all."""
    evidence = piece.evidence
    cited = piece.cite("reply", "status", "abort", "model", "over-tls")
    match evidence.reply:
        case Reply.RECORDS:
            text = "a query that can match nothing returned records, which were dropped unread"
            return Finding(State.PROVED, (because(Rule.QUERY_RETURNED_RECORDS, text, cited),))
        case Reply.ANSWERED:
            return _answered(evidence.status, cited)
        case Reply.NOT_OFFERED:
            return _not_offered(cited, services)
        case _ if evidence.model is None:
            return None
        case Reply.ABORTED:
            return _aborted(cited, software)
        case _:
            text = f"the query got no answer: {_ENDINGS.get(evidence.reply, evidence.reply.value)}"
            return Finding(State.UNDETERMINED, (because(Rule.QUERY_UNANSWERED, text, cited),))


def _answered(status: int | None, cited: tuple[str, ...]) -> Finding:
    if status == 0:
        return Finding(State.PROVED, (because(Rule.QUERY_PROCESSED, _EMPTY, cited),))
    if refusal := refused(status):
        text = f"the query was refused with {status:04X}H: {refusal}"
        return Finding(State.REFUSED, (because(Rule.QUERY_REFUSED, text, cited),))
    said = f"{status:04X}H" if status is not None else "no status"
    text = f"the query was answered with {said}, which neither refuses a stranger nor serves one"
    return Finding(State.UNDETERMINED, (because(Rule.QUERY_FAILED, text, cited),))


def _not_offered(cited: tuple[str, ...], services: Negotiated) -> Finding:
    """No context to ask in. If an earlier association was granted one, the two contradict each other."""
    before = services.state(Service.QUERY)
    if before in (State.GRANTED, State.UNDETERMINED):
        text = "a query context was granted in one association and not in the next"
        return Finding(State.UNDETERMINED, (because(Rule.QUERY_NOT_OFFERED, text, cited),))
    state = before if before is State.ABSENT else State.REFUSED
    return Finding(state, (because(Rule.QUERY_NOT_OFFERED, "no query context was granted", cited),))


def _aborted(cited: tuple[str, ...], software: Identified) -> Finding:
    if software.aborts_strangers:
        text = f"the query was aborted, which is how {software.product} refuses a stranger"
        reason = because(Rule.QUERY_ABORTED_BY_PRODUCT, text, cited, software.evidence)
        return Finding(State.REFUSED, (reason,))
    text = "the query was aborted, and whether that refuses a stranger is not known of this product"
    return Finding(State.UNDETERMINED, (because(Rule.QUERY_ABORTED, text, cited),))
