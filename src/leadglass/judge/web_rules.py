"""What a stranger is given over HTTP: the product's own interface, DICOMweb, or a demand for credentials.

A page is no answer, however friendly its status: a query counts as processed only with 204 or a JSON
array (PS3.18 8.3.4), an interface as open only where a product's own answer was recognised.
"""

from __future__ import annotations

from collections.abc import Iterator

from leadglass.judge.rules import Rule, because
from leadglass.judge.seen import Piece, Seen
from leadglass.judge.services import UNSEEN, Finding
from leadglass.judge.web import Fingerprint, Says, known
from leadglass.model.evidence import QidoAnswer, Reply, WebAnswer, WebEvidence
from leadglass.model.verdict import State

__all__ = ["answered", "login", "products", "tells", "web_api", "web_query"]

_QIDO_ORDER = (State.PROVED, State.REFUSED, State.UNDETERMINED, State.ABSENT)
_FORBIDDEN = frozenset({401, 403, 407})
_MISSING = frozenset({404, 405, 410, 501})


def answered(seen: Seen) -> tuple[Piece[WebEvidence], ...]:
    """Where HTTP was spoken."""
    return tuple(piece for piece in seen.webs if piece.evidence.reply is Reply.ANSWERED)


def tells(web: WebEvidence) -> bool:
    """Whether some answer tells what is there: not a bad request, not too many, not the server's own failure.

    A web server that expects TLS answers 400 to everything in the plain.
    """
    asked = [*(answer.status for answer in web.answers), *(answer.status for answer in web.qido)]
    statuses = [status for status in asked if status is not None]
    return bool(statuses) and all(s < 500 for s in statuses) and not set(statuses) <= {400, 429}


def products(seen: Seen) -> tuple[Fingerprint, ...]:
    """The fingerprints that were recognised, imitations left out."""
    found = (
        known(fingerprint)
        for piece in seen.webs
        for answer in piece.evidence.answers
        for fingerprint in answer.fingerprints
    )
    return tuple(row for row in found if row is not None and row.says is not Says.TRAP)


def login(seen: Seen) -> tuple[str, ...]:
    """The facts by which credentials are asked for; empty if they are not."""
    return tuple(
        fact
        for piece in seen.webs
        for fact in (
            *(piece.cite("answers") if any(map(_asks, piece.evidence.answers)) else ()),
            *(piece.cite("qido") if any(a.status in _FORBIDDEN for a in piece.evidence.qido) else ()),
        )
    )


def web_api(seen: Seen) -> Finding:
    """Whether a product's own REST interface answers a stranger."""
    pieces = [piece for piece in answered(seen) if piece.evidence.answers]
    for piece in pieces:
        if rows := [row for row in _recognised(piece) if row.says is Says.OPEN_API]:
            text = f"the REST interface of {rows[0].product} answered without login, at a path without patient data"
            return Finding(
                State.PROVED, (because(Rule.WEB_API_OPEN, text, piece.cite("answers", "over-tls")),)
            )
    for piece in pieces:
        if any(map(_asks, piece.evidence.answers)):
            text = "the web interface asks for credentials, and none were offered"
            return Finding(State.REFUSED, (because(Rule.WEB_API_REFUSED, text, piece.cite("answers")),))
    return Finding(State.ABSENT) if pieces else UNSEEN


def web_query(seen: Seen) -> Finding:
    """Whether a stranger's QIDO-RS query is processed."""
    found = [_qido(piece, answer) for piece in seen.webs for answer in piece.evidence.qido]
    return min(found, key=lambda finding: _QIDO_ORDER.index(finding.state), default=UNSEEN)


def _asks(answer: WebAnswer) -> bool:
    rows = [row for f in answer.fingerprints if (row := known(f)) is not None]
    asks = answer.login is not None or answer.status == 401 or any(row.says is Says.LOGIN for row in rows)
    # A product that was recognised and forbids is not absent, even if it does not say how to log in.
    return asks or (answer.status == 403 and bool(rows))


def _recognised(piece: Piece[WebEvidence]) -> Iterator[Fingerprint]:
    for answer in piece.evidence.answers:
        for fingerprint in answer.fingerprints:
            if (row := known(fingerprint)) is not None:
                yield row


def _qido(piece: Piece[WebEvidence], answer: QidoAnswer) -> Finding:
    cited = piece.cite("qido", "over-tls")
    if answer.empty is True:
        text = (
            f"a DICOMweb query at {answer.path} that can match nothing was processed; "
            "whether records lie behind it is not proved"
        )
        return Finding(State.PROVED, (because(Rule.WEB_QUERY_PROCESSED, text, cited),))
    if answer.empty is False:
        text = f"a DICOMweb query at {answer.path} that can match nothing returned records, which were dropped unread"
        return Finding(State.PROVED, (because(Rule.WEB_QUERY_RETURNED_RECORDS, text, cited),))
    if answer.status in _FORBIDDEN:
        text = f"a DICOMweb query was refused with {answer.status}"
        return Finding(State.REFUSED, (because(Rule.WEB_QUERY_REFUSED, text, cited),))
    if answer.status in _MISSING:
        text = "no DICOMweb at the paths that were asked"
        return Finding(State.ABSENT, (because(Rule.WEB_QUERY_ABSENT, text, cited),))
    got = f"status {answer.status}" if answer.status is not None else "no response"
    text = f"a DICOMweb query got {got}, and nothing that a DICOMweb server answers"
    return Finding(State.UNDETERMINED, (because(Rule.WEB_QUERY_NO_ANSWER, text, cited),))
