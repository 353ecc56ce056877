"""What TLS says of a server: version, certificate, retired habits, and whether it asks who is calling.

A TLS 1.3 handshake succeeds before the server has looked at the missing certificate, so success proves
nothing; what proves is an answer of the protocol inside. An alert after a CertificateRequest proves the
demand; a connection that just ends makes it probable (RFC 8446 4.3.2 and 6.2, RFC 5246 7.4.4).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import NamedTuple

from leadglass.judge.rules import Rule, because
from leadglass.judge.seen import Piece, Seen
from leadglass.judge.services import SPOKEN
from leadglass.model.evidence import TlsEvidence, TlsHelloEvidence, TlsOutcome, WebEvidence
from leadglass.model.verdict import ClientCertificate, Reason, TlsSummary
from leadglass.wire.tls.suites import Standing, standing

__all__ = ["NO_TLS", "Tls", "tls"]

_RETIRED_VERSIONS = frozenset({"SSLv2", "SSLv3", "TLSv1", "TLSv1.1"})
"""RFC 8996, RFC 7568 and RFC 6176, to which PS3.15 B.12 refers."""

_FOR_WANT_OF_ONE = frozenset({40, 41, 42, 46, 49, 116})
"""Alerts by which servers refuse a caller without certificate: handshake_failure, no_certificate,
bad_certificate, certificate_unknown, access_denied, certificate_required."""
_CERTIFICATE_REQUIRED = 116
_NUMBER = re.compile(r"\((\d{1,3})\)$")
_ENDED = frozenset({TlsOutcome.CLOSED, TlsOutcome.RESET})


class Tls(NamedTuple):
    """What is said of TLS; ``summary`` is None where no TLS was spoken."""

    summary: TlsSummary | None
    reasons: tuple[Reason, ...] = ()

    @property
    def demand(self) -> ClientCertificate | None:
        """Whether the server asks who is calling; None where no TLS was spoken."""
        return self.summary.client_certificate if self.summary else None


NO_TLS = Tls(None)
_Hello = Piece[TlsEvidence] | Piece[TlsHelloEvidence]


def tls(seen: Seen) -> Tls:
    """Sum up the handshakes and the hellos."""
    pieces: tuple[_Hello, ...] = (*seen.tls, *seen.hellos)
    spoken = [piece for piece in pieces if _speaks(piece)]
    if not spoken:
        return NO_TLS
    demand, reason = _demand(seen)
    retired = tuple(dict.fromkeys(habit for piece in spoken for habit in _retired(piece)))
    best = min(spoken, key=lambda piece: (piece.evidence.version is None, piece.evidence.certificate is None))
    certificate = next((p.evidence.certificate for p in spoken if p.evidence.certificate is not None), None)
    summary = TlsSummary(
        version=best.evidence.version,
        cipher=best.evidence.cipher,
        client_certificate=demand,
        acceptable_cas=next((p.evidence.acceptable_cas for p in spoken if p.evidence.acceptable_cas), ()),
        certificate=dataclasses.asdict(certificate) if certificate is not None else None,
        retired=retired,
    )
    return Tls(summary, (reason, *_about_retired(spoken, retired)))


def _speaks(piece: _Hello) -> bool:
    """A choice, an alert or a handshake is TLS; an end without a word is not."""
    evidence = piece.evidence
    return evidence.version is not None or evidence.outcome in (
        TlsOutcome.ESTABLISHED,
        TlsOutcome.SERVER_HELLO,
        TlsOutcome.ALERT,
    )


def _demand(seen: Seen) -> tuple[ClientCertificate, Reason]:
    """Required, requested, not asked for, or not known."""
    pieces: tuple[_Hello, ...] = (*seen.tls, *seen.hellos)
    requests = [
        fact for p in pieces if p.evidence.certificate_requested for fact in p.cite("certificate-requested")
    ]
    if cited := [
        fact for p in seen.tls if _alert(p.evidence) == _CERTIFICATE_REQUIRED for fact in p.cite("alert")
    ]:
        text = "a client certificate is required: the server said so in an alert"
        return ClientCertificate.REQUIRED, because(Rule.CERTIFICATE_REQUIRED, text, cited, requests)
    return _requested(seen, requests) if requests else _not_requested(pieces)


def _not_requested(pieces: tuple[_Hello, ...]) -> tuple[ClientCertificate, Reason]:
    done = [p for p in pieces if p.evidence.outcome in (TlsOutcome.ESTABLISHED, TlsOutcome.SERVER_HELLO)]
    cited = [fact for p in done if p.evidence.certificate_requested is False for fact in _flight(p)]
    if cited:
        text = "no client certificate is asked for: TLS says who the server is, and lets anybody in"
        return ClientCertificate.NONE, because(Rule.CERTIFICATE_NOT_REQUESTED, text, cited)
    text = "no handshake went far enough to tell whether a client certificate is asked for"
    cited = [fact for p in pieces for fact in p.cite("outcome", "alert")]
    return ClientCertificate.UNKNOWN, because(Rule.CERTIFICATE_UNDETERMINED, text, cited)


def _requested(seen: Seen, requests: list[str]) -> tuple[ClientCertificate, Reason]:
    """The server asked for a certificate; what it did without one decides."""
    if cited := list(_answers(seen)):
        text = "a client certificate is asked for, and the caller without one is answered all the same"
        return ClientCertificate.REQUESTED, because(Rule.CERTIFICATE_REQUESTED, text, cited, requests)
    if cited := list(_refusals(seen)):
        text = "a client certificate is required: the caller without one was refused"
        return ClientCertificate.REQUIRED, because(Rule.CERTIFICATE_REQUIRED, text, cited, requests)
    if cited := list(_ends(seen)):
        text = (
            "a client certificate is probably required: one was asked for, and the connection ended without "
            "an alert and without an answer"
        )
        return ClientCertificate.REQUIRED, because(Rule.CERTIFICATE_PROBABLY_REQUIRED, text, cited, requests)
    text = "a client certificate is asked for; whether it is required is not known"
    return ClientCertificate.UNKNOWN, because(Rule.CERTIFICATE_UNDETERMINED, text, requests)


def _answers(seen: Seen) -> Iterator[str]:
    """What the protocol inside TLS answered. An HTTP 400 is how some servers refuse, so it is no answer."""
    for piece in seen.dicom:
        if piece.evidence.over_tls and piece.evidence.reply in SPOKEN:
            yield from piece.cite("reply", "over-tls")
    for web in seen.webs:
        if web.evidence.over_tls and any(status != 400 for status in _statuses(web)):
            yield from web.cite("answers", "over-tls")
    for handshake in seen.tls:
        if handshake.evidence.application_data and not _spoke_http(seen):
            yield from handshake.cite("application-data")


def _refusals(seen: Seen) -> Iterator[str]:
    for handshake in seen.tls:
        evidence = handshake.evidence
        if evidence.certificate_requested and _alert(evidence) in _FOR_WANT_OF_ONE:
            yield from handshake.cite("alert")
    for web in seen.webs:
        statuses = _statuses(web)
        if web.evidence.over_tls and statuses and set(statuses) == {400}:
            yield from web.cite("answers", "over-tls")


def _ends(seen: Seen) -> Iterator[str]:
    for handshake in seen.tls:
        evidence = handshake.evidence
        if not evidence.certificate_requested or evidence.application_data:
            continue
        if evidence.ended in ("close-notify", "eof", "reset") or evidence.outcome in _ENDED:
            yield from handshake.cite("ended", "outcome")


def _spoke_http(seen: Seen) -> bool:
    """Inside TLS there is HTTP; then its statuses tell, and not the mere bytes."""
    inside = [piece.evidence.spoke for piece in seen.associations if piece.evidence.over_tls]
    return "http" in inside or any(web.evidence.over_tls for web in seen.webs)


def _statuses(web: Piece[WebEvidence]) -> list[int]:
    return [answer.status for answer in web.evidence.answers if answer.status is not None]


def _alert(evidence: TlsEvidence) -> int | None:
    """The number in ``certificate_required(116)``."""
    found = _NUMBER.search(evidence.alert or "")
    return int(found[1]) if found else None


def _flight(piece: _Hello) -> tuple[str, ...]:
    return piece.cite("certificate-requested", "outcome")


def _retired(piece: _Hello) -> Iterator[str]:
    version, cipher = piece.evidence.version, piece.evidence.cipher
    if version in _RETIRED_VERSIONS:
        yield version
    if cipher is not None and standing(cipher)[0] is Standing.RETIRED:
        yield cipher


def _about_retired(pieces: list[_Hello], retired: tuple[str, ...]) -> Iterator[Reason]:
    if retired:
        cited = [fact for piece in pieces if any(_retired(piece)) for fact in piece.cite("version", "cipher")]
        text = f"it still accepts what PS3.15 B.12 (BCP 195) has retired: {', '.join(retired)}"
        yield because(Rule.RETIRED, text, cited)
