"""One word for what a stranger can do: the rules, worst first, and the first that applies stands.

A word is used only where its rung was reached, because evidence from deeper rungs never gets here and no rule
takes silence for an answer. ``inconclusive`` is the last resort (``inconclusive.py`` says why).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from leadglass.judge import queries, web_rules
from leadglass.judge.case import Case
from leadglass.judge.inconclusive import inconclusive
from leadglass.judge.rules import Rule, because
from leadglass.judge.seen import Piece
from leadglass.judge.services import Service, rejection, service_of
from leadglass.model.evidence import Evidence, TcpOutcome
from leadglass.model.verdict import Access, ClientCertificate, Reason, State

__all__ = ["TITLES", "Decided", "access"]

TITLES = frozenset({(1, 1, 3), (1, 1, 7)})
"""A-ASSOCIATE-RJ for want of a calling or called AE title that the server knows (PS3.8 table 9-21)."""

_OPEN = {"query": "C-FIND", "web_query": "QIDO-RS", "web_api": "the product's own REST interface"}
_UNAVAILABLE = frozenset({State.REFUSED, State.ABSENT})
_OTHERS = ("query", "retrieve", "storage", "worklist")


class Decided(NamedTuple):
    """The word and the reason for it."""

    access: Access
    reason: Reason


def access(case: Case) -> Decided:
    """The worst thing that was established."""
    for word, rule in _RULES:
        reason = rule(case)
        if reason is not None:
            return Decided(word, reason)
    return Decided(Access.INCONCLUSIVE, inconclusive(case))


def _answers_query(case: Case) -> Reason | None:
    ways = [name for name in _OPEN if case.state(name) is State.PROVED]
    if not ways:
        return None
    text = f"a stranger is answered by {' and '.join(_OPEN[way] for way in ways)}"
    return because(Rule.ANSWERS_QUERY, text, case.why(*ways))


def _offers_query(case: Case) -> Reason | None:
    offered = [name for name in ("retrieve", "worklist") if case.state(name) is State.GRANTED]
    if queries.find_granted(case.seen, case.services) and case.state("query") not in _UNAVAILABLE:
        offered.insert(0, "query")
    if not offered:
        return None
    text = f"granted to a stranger: {', '.join(offered)}; whether they answer is not established"
    return because(Rule.OFFERS_QUERY, text, _contexts(case), case.why("query"))


def _offers_storage(case: Case) -> Reason | None:
    if case.state("storage") is not State.GRANTED:
        return None
    text = "granted to a stranger: storage; whether it would take an object is never tried"
    return because(Rule.OFFERS_STORAGE, text, _contexts(case), case.why("query"))


def _verification_only(case: Case) -> Reason | None:
    others = {case.state(name) for name in _OTHERS}
    if case.state("verification") not in (State.PROVED, State.GRANTED) or not others <= _UNAVAILABLE:
        return None
    # A query context may stand granted where the query itself was then refused.
    harmless = (Service.VERIFICATION, Service.QUERY)
    granted = [c for p in case.seen.negotiations for c in p.evidence.contexts if c.result == 0]
    if any(service_of(context.abstract_syntax) not in harmless for context in granted):
        return None
    text = "Verification is available to a stranger, and no other service that was asked for"
    return because(Rule.VERIFICATION_ONLY, text, _contexts(case), case.why("verification", "query"))


def _associates(case: Case) -> Reason | None:
    if case.state("associate") is not State.PROVED:
        return None
    if case.services.states:
        text = "a stranger associates; none of the services that were asked for is known to be available"
    else:
        text = "a stranger associates; which services are available was not asked"
    return because(Rule.ASSOCIATES, text, case.why("associate"), _contexts(case))


def _wants_title(case: Case) -> Reason | None:
    for piece in case.seen.dicom:
        reject = piece.evidence.reject
        if reject in TITLES:
            text = (
                f"the association was rejected with {rejection(reject)}: a name, which is no authentication"
            )
            return because(Rule.WANTS_TITLE, text, piece.cite("reject", "called-ae"))
    return None


def _demands_login(case: Case) -> Reason | None:
    cited = web_rules.login(case.seen)
    if not cited or "dicom" in case.protocols:
        return None
    known = (
        ""
        if web_rules.products(case.seen)
        else "; no imaging product was recognised, and what is behind it is not known"
    )
    return because(
        Rule.DEMANDS_LOGIN, f"the web interface refuses a stranger without credentials{known}", cited
    )


def _demands_certificate(case: Case) -> Reason | None:
    if case.tls.demand is not ClientCertificate.REQUIRED:
        return None
    why = case.tls.reasons[0]
    lets = "probably lets" if why.rule == Rule.CERTIFICATE_PROBABLY_REQUIRED else "lets"
    text = f"TLS {lets} nobody in without a client certificate; what is behind it, DICOM or not, is not known"
    return because(Rule.DEMANDS_CERTIFICATE, text, why.evidence)


def _not_dicom(case: Case) -> Reason | None:
    if "dicom" in case.protocols:
        return None
    others = [name for name in case.protocols if name not in ("tls", "http")]
    if others:
        spoke: tuple[Piece[Evidence], ...] = (*case.seen.associations, *case.seen.webs)
        cited = (piece.cite("reply", "spoke") for piece in spoke)
        return because(Rule.NOT_DICOM, f"it speaks {', '.join(others)}", *cited)
    told = [piece for piece in web_rules.answered(case.seen) if web_rules.tells(piece.evidence)]
    if not told or web_rules.products(case.seen):
        return None
    searched = any(piece.evidence.qido for piece in told)
    nothing = "nothing of DICOMweb or" if searched else "nothing (DICOMweb was not asked for)"
    text = f"a web server answered, and {nothing} of a known imaging product"
    return because(Rule.NOT_DICOM, text, *(piece.cite("answers", "qido") for piece in told))


def _filtered(case: Case) -> Reason | None:
    says = {
        TcpOutcome.UNANSWERED: "no answer to the connection attempt, from this place",
        TcpOutcome.UNREACHABLE: "no way to the port from this place: an ICMP error or a missing route",
    }
    return _unopened(case, Rule.FILTERED, says)


def _closed(case: Case) -> Reason | None:
    return _unopened(case, Rule.CLOSED, {TcpOutcome.REFUSED: "the connection was refused: nothing listens"})


def _unopened(case: Case, rule: Rule, says: dict[TcpOutcome, str]) -> Reason | None:
    """Only where the port never opened."""
    outcomes = [piece.evidence.outcome for piece in case.seen.tcp]
    if TcpOutcome.OPEN in outcomes or case.seen.beyond_tcp:
        return None
    for piece in case.seen.tcp:
        if piece.evidence.outcome in says:
            return because(rule, says[piece.evidence.outcome], piece.cite("outcome"))
    return None


def _contexts(case: Case) -> tuple[str, ...]:
    return tuple(fact for piece in case.seen.negotiations for fact in piece.cite("contexts"))


_RULES: tuple[tuple[Access, Callable[[Case], Reason | None]], ...] = (
    (Access.ANSWERS_QUERY, _answers_query),
    (Access.OFFERS_QUERY, _offers_query),
    (Access.OFFERS_STORAGE, _offers_storage),
    (Access.VERIFICATION_ONLY, _verification_only),
    (Access.ASSOCIATES, _associates),
    (Access.WANTS_TITLE, _wants_title),
    (Access.DEMANDS_LOGIN, _demands_login),
    (Access.DEMANDS_CERTIFICATE, _demands_certificate),
    (Access.NOT_DICOM, _not_dicom),
    (Access.FILTERED, _filtered),
    (Access.CLOSED, _closed),
)
"""Worst first, but that ``verification-only`` is asked before ``associates``, of which it is the milder case."""
