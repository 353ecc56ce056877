"""The rules by name. Every reason in a verdict names one of them, and names never change their meaning.

``docs/reference/verdicts.md`` says what each means; a test holds this list and that page together.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

from leadglass.model.verdict import Reason

__all__ = ["Rule", "because"]


class Rule(enum.StrEnum):
    """Stable ids: what is decided, then what decided it."""

    ANSWERS_QUERY = "access.answers-query"
    OFFERS_QUERY = "access.offers-query"
    OFFERS_STORAGE = "access.offers-storage"
    ASSOCIATES = "access.associates"
    VERIFICATION_ONLY = "access.verification-only"
    WANTS_TITLE = "access.wants-title"
    DEMANDS_LOGIN = "access.demands-login"
    DEMANDS_CERTIFICATE = "access.demands-certificate"
    NOT_DICOM = "access.not-dicom"
    FILTERED = "access.filtered"
    CLOSED = "access.closed"

    BUSY = "inconclusive.busy"
    REJECTED = "inconclusive.rejected"
    ABORTED = "inconclusive.aborted"
    MALFORMED = "inconclusive.malformed"
    UNKNOWN_PROTOCOL = "inconclusive.unknown-protocol"
    PRODUCT_UNDECIDED = "inconclusive.product-undecided"
    NOT_PURSUED = "inconclusive.not-pursued"
    NO_ANSWER = "inconclusive.no-answer"
    NOT_ASKED = "inconclusive.not-asked"
    SEEN_BY_OTHERS = "inconclusive.seen-by-others"
    NOTHING_SEEN = "inconclusive.nothing-seen"

    ASSOCIATION_ACCEPTED = "associate.accepted"
    ASSOCIATION_REFUSED = "associate.refused"
    ECHO_ANSWERED = "verification.answered"
    ECHO_REFUSED = "verification.refused"
    ECHO_UNDETERMINED = "verification.undetermined"

    GRANTED = "negotiation.granted"
    NOT_GRANTED = "negotiation.refused"
    ABSENT = "negotiation.absent"
    OTHER_SYNTAX = "negotiation.transfer-syntax"
    ACCEPTS_ANYTHING = "negotiation.accepts-anything"

    QUERY_PROCESSED = "query.processed"
    QUERY_RETURNED_RECORDS = "query.returned-records"
    QUERY_REFUSED = "query.refused"
    QUERY_ABORTED_BY_PRODUCT = "query.aborted-by-product"
    QUERY_ABORTED = "query.aborted"
    QUERY_FAILED = "query.failed"
    QUERY_UNANSWERED = "query.unanswered"
    QUERY_NOT_OFFERED = "query.not-offered"
    RETRIEVE_GATED = "retrieve.gated"

    WEB_QUERY_PROCESSED = "web-query.processed"
    WEB_QUERY_RETURNED_RECORDS = "web-query.returned-records"
    WEB_QUERY_REFUSED = "web-query.refused"
    WEB_QUERY_NO_ANSWER = "web-query.no-answer"
    WEB_QUERY_ABSENT = "web-query.absent"
    WEB_API_OPEN = "web-api.open"
    WEB_API_REFUSED = "web-api.refused"

    CERTIFICATE_REQUIRED = "tls.certificate-required"
    CERTIFICATE_PROBABLY_REQUIRED = "tls.certificate-probably-required"
    CERTIFICATE_REQUESTED = "tls.certificate-requested"
    CERTIFICATE_NOT_REQUESTED = "tls.certificate-not-requested"
    CERTIFICATE_UNDETERMINED = "tls.certificate-undetermined"
    RETIRED = "tls.retired"

    SOFTWARE_WEB = "software.web"
    SOFTWARE_PATTERN = "software.pattern"
    SOFTWARE_IMPLEMENTATION = "software.implementation"
    SOFTWARE_LENGTH = "software.maximum-length"
    SOFTWARE_REPORTED = "software.reported"
    SOFTWARE_CONTRADICTION = "software.contradiction"

    NATURE_TELL = "nature.tell"
    NATURE_SIGN = "nature.sign"
    NATURE_SAMPLE = "nature.sample"
    DATA_SAMPLE = "data.sample"
    STATED = "owner.stated"
    STATED_OTHERWISE = "owner.contradicted"
    SEVERITY = "severity.table"
    SEVERITY_LOWERED = "severity.lowered"

    HOST_WORST = "host.worst-endpoint"
    HOST_BESIDE = "host.beside-open"


def because(rule: Rule, text: str, *cited: Iterable[str]) -> Reason:
    """One reason; ``cited`` are the ids of the facts it stands on, without repetition."""
    return Reason(rule.value, text, tuple(dict.fromkeys(fact for facts in cited for fact in facts)))
