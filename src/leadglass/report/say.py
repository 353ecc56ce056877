"""Sentences about one record or one host, for the reports that people read.

Everything is derived from the record; a sentence says no more than the capability map, the
reasons and the vantage do. Text that is returned here is not yet ``safe.visible``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from pydantic import JsonValue

from leadglass.model.evidence import Reply
from leadglass.model.record import EvidenceFact, ScanRecord, StatedFacts
from leadglass.model.verdict import Access, ClientCertificate, Kind, Position, Reason, Severity, State
from leadglass.report import words
from leadglass.report.contract import Summary
from leadglass.report.gather import Host
from leadglass.report.words import count

__all__ = [
    "Because",
    "because",
    "behind",
    "capabilities",
    "count",
    "deciding",
    "headline",
    "host_verdict",
    "likeliest",
    "promise",
    "software",
    "source",
    "sources",
    "stated",
    "stranger",
    "tls",
    "unknown",
    "urgent",
    "value",
]

_WAYS: Mapping[str, str] = {
    "query": "over DICOM (C-FIND)",
    "web-query": "over DICOMweb (QIDO-RS)",
    "web-api": "through the product's own web interface, which asks for no login",
}
_ASKS: Mapping[ClientCertificate, str] = {
    ClientCertificate.REQUIRED: "a client certificate is required",
    ClientCertificate.REQUESTED: "a client certificate is asked for, but not required",
    ClientCertificate.NONE: "no client certificate is asked for",
    ClientCertificate.UNKNOWN: "whether it asks for a client certificate is not known",
}
_IT_MATCHED_NOTHING = (
    "The question was made so that it can match nothing and no record was read: that patients stand behind "
    "it is not proved, because an archive may be empty or hide what it holds."
)
_IT_RETURNED_RECORDS = (
    "The question was made so that it can match nothing; the server ignored that and returned records, "
    "which were dropped unread."
)
_IN_PASSING = frozenset({"associate", "verification", "negotiation", "software"})
_NO_DICOM = frozenset({Access.NOT_DICOM, Access.CLOSED, Access.FILTERED})
_EMPTY: tuple[JsonValue, ...] = (None, [], "")
_EXPOSED = (Access.ANSWERS_QUERY, Access.OFFERS_QUERY, Access.OFFERS_STORAGE, Access.ASSOCIATES)


class Because(NamedTuple):
    """One reason and the observations it stands on."""

    rule: str
    text: str
    seen: tuple[EvidenceFact, ...]
    again: tuple[str, ...]
    """Ids of observations that an earlier reason has shown already."""


def stranger(record: ScanRecord) -> str:
    """What a stranger can do there, in sentences."""
    sentences = [words.ACCESS[record.access].full]
    if record.access is Access.ANSWERS_QUERY:
        sentences.append(_how_searched(record))
    return " ".join(sentences)


def unknown(record: ScanRecord) -> tuple[str, ...]:
    """What the record does not know of access, and what would settle it."""
    found = [] if record.access in _NO_DICOM else [*_undecided(record)]
    found.extend(record.settles)
    return tuple(found)


def because(record: ScanRecord) -> tuple[Because, ...]:
    """All reasons, with the values of the evidence that they cite, each value where it is cited first."""
    facts = {fact.id: fact for fact in record.evidence}
    return tuple(_cite(record.why(), facts))


def deciding(record: ScanRecord) -> tuple[Because, ...]:
    """The reasons that a short report gives: not how each capability and the product were found out."""
    facts = {fact.id: fact for fact in record.evidence}
    reasons = record.why()
    short = [why for why in reasons if why.rule.partition(".")[0] not in _IN_PASSING]
    return tuple(_cite(short or reasons, facts))


def value(fact: EvidenceFact) -> str:
    """The value of a fact as people read it; DIMSE statuses as PS3.7 Annex C prints them."""
    if isinstance(fact.value, int) and fact.probe != "web" and fact.fact.endswith("status"):
        return f"{fact.value:04X}H"
    return _plain(fact.value)


def capabilities(record: ScanRecord) -> dict[str, State]:
    """The capability map by the names that records use."""
    return {name: State(state) for name, state in record.capabilities.model_dump(by_alias=True).items()}


def software(record: ScanRecord) -> str:
    """Product and version, or nothing when the evidence tells nothing."""
    parts = (record.software.product, record.software.version)
    return " ".join(part for part in parts if part)


def tls(record: ScanRecord) -> str:
    """TLS in one sentence, empty when it did not answer."""
    facts = record.transport.tls
    if facts is None:
        return ""
    parts = [" with ".join(part for part in (facts.version or "TLS", facts.cipher) if part)]
    parts.append(_ASKS[facts.client_certificate])
    if facts.certificate is not None:
        parts.append(f"its own certificate is valid until {facts.certificate.not_after[:10]}")
    if facts.retired:
        parts.append(f"still accepts what is retired: {', '.join(facts.retired)}")
    return "; ".join(parts) + "."


def likeliest(record: ScanRecord) -> Kind:
    """The kind with the largest share."""
    return max(record.nature, key=lambda kind: record.nature[kind])


def behind(record: ScanRecord) -> str:
    """What stands behind it, how sure that is, and what would settle it; empty where there is no DICOM."""
    if record.access in _NO_DICOM:
        return ""
    if record.stated is None:
        return _by_evidence(record)
    return f"{stated(record.stated)} By the evidence: {_by_evidence(record)}"


def stated(by_owner: StatedFacts) -> str:
    """What the owner says, and what the evidence says otherwise."""
    told = (
        f"{by_owner.nature}, {words.KIND[by_owner.nature]}" if by_owner.nature else "",
        f"data: {words.DATA[by_owner.data]}" if by_owner.data else "",
        f"open by {by_owner.cause}" if by_owner.cause else "",
    )
    said = (
        f"Stated by {by_owner.by} on {by_owner.on} ({by_owner.reference}): {'; '.join(filter(None, told))}."
    )
    return " ".join((said, *(f"The evidence says otherwise: {text}." for text in by_owner.contradicts)))


def _by_evidence(record: ScanRecord) -> str:
    kind = likeliest(record)
    share = f"{kind}, {words.KIND[kind]} ({record.nature[kind]:.0%})"
    if record.nature_settled:
        return f"Most likely {share}. Data: {words.DATA[record.data]}."
    basis = (
        "nothing tells yet; before any evidence" if record.nature == record.nature_prior else "not settled;"
    )
    settling = "; ".join(sentence.rstrip(".") for sentence in record.nature_settles)
    settles = f" To settle it: {settling}." if settling else ""
    return f"{basis.capitalize()} the likeliest is {share}. Data: {words.DATA[record.data]}.{settles}"


def host_verdict(host: Host) -> str:
    """The worst endpoint in words, and what does not help against it."""
    worst = host.worst
    sentences = [f"A stranger {words.ACCESS[worst.access].brief} ({_ports(host, {worst.access})})."]
    if worst.access in _EXPOSED:
        sentences.extend(_no_help(host))
    if undecided := _ports(host, {Access.INCONCLUSIVE} - {worst.access}):
        sentences.append(f"Not decided: {undecided}.")
    return " ".join(sentences)


def headline(summary: Summary, hosts: Sequence[Host]) -> str:
    """The whole scan in a sentence or two."""
    if not summary.endpoints:
        return "Nothing was looked at."
    undecided = f" {count(summary.undecided, 'endpoint')} could not be decided." if summary.undecided else ""
    return f"{_worst([host.worst.access for host in hosts])}{undecided}"


def urgent(summary: Summary) -> str:
    """How many endpoints want something done, and when; empty when none does."""
    wanted = (
        severity for severity in Severity if severity is not Severity.NONE and summary.severity.get(severity)
    )
    parts = [f"{words.SEVERITY[severity].act}: {summary.severity[severity]:,}" for severity in wanted]
    return f"{', '.join(parts).capitalize()}." if parts else ""


def promise(rungs: Iterable[str]) -> str:
    """What was never done, for the rungs that occur."""
    kept = "Nothing of any patient record was kept or shown." if "sample" in set(rungs) else _NO_RECORDS
    return f"{kept} {words.NEVER}"


_NO_RECORDS = "No patient record was requested, kept or shown."


def sources(records: Iterable[ScanRecord], position: Position) -> str:
    """From where it was seen."""
    found = sorted({source(record) for record in records if record.vantage.source})
    shown = ", ".join(found[:4]) + (f" and {len(found) - 4} more" if len(found) > 4 else "")
    looked = f" Source of the connections: {shown}." if found else ""
    return (
        f"{words.VANTAGE[position]}{looked} Nothing here says that a server cannot be reached from elsewhere."
    )


def source(record: ScanRecord) -> str:
    """From where it was seen: the address, and the place if it has a name; empty if no connection opened."""
    vantage = record.vantage
    return " ".join(part for part in (vantage.source, vantage.name and f"({vantage.name})") if part)


def _worst(access: Sequence[Access]) -> str:
    for word in _EXPOSED:
        if access == [word]:
            return f"A stranger {words.ACCESS[word].brief}."
        if word in access:
            return f"On {access.count(word):,} of {count(len(access), 'host')}, a stranger {words.ACCESS[word].brief}."
    return "Nothing exposed was seen from this place."


def _how_searched(record: ScanRecord) -> str:
    states = capabilities(record)
    proved = [way for name, way in _WAYS.items() if states[name] is State.PROVED]
    way = f"It answered {' and '.join(proved)}. " if proved else ""
    return f"{way}{_IT_RETURNED_RECORDS if _returned_records(record) else _IT_MATCHED_NOTHING}"


def _returned_records(record: ScanRecord) -> bool:
    return any(
        fact.value == Reply.RECORDS
        if (fact.probe, fact.fact) == ("blank-query", "reply")
        else _holds_some(fact)
        for fact in record.evidence
    )


def _holds_some(fact: EvidenceFact) -> bool:
    """Whether this is a QIDO-RS answer that was not empty."""
    answers = fact.value if fact.fact == "qido" and isinstance(fact.value, list) else []
    return any(isinstance(answer, dict) and answer.get("empty") is False for answer in answers)


def _cite(reasons: Iterable[Reason], facts: Mapping[str, EvidenceFact]) -> Iterator[Because]:
    shown: set[str] = set()
    for why in reasons:
        known = [id_ for id_ in why.evidence if id_ in facts]
        seen = tuple(facts[id_] for id_ in known if id_ not in shown)
        yield Because(why.rule, why.text, seen, tuple(id_ for id_ in known if id_ in shown))
        shown.update(known)


def _plain(value: JsonValue) -> str:
    """JSON without its punctuation; what says nothing is left out."""
    match value:
        case bool():
            return "yes" if value else "no"
        case dict():
            return ", ".join(
                f"{key.replace('_', ' ')} {_plain(of)}" for key, of in value.items() if of not in _EMPTY
            )
        case [{"abstract_syntax": _, "result": _}, *_]:
            return _contexts(value)
        case list() if all(isinstance(of, int) for of in value):
            return "/".join(str(of) for of in value)
        case list():
            return "; ".join(_plain(of) for of in value)
        case _:
            return str(value)


def _contexts(contexts: Iterable[JsonValue]) -> str:
    """Presentation contexts by result (PS3.8 table 9-18), in the order of the answer."""
    by_result: dict[str, list[str]] = {}
    for context in contexts:
        assert isinstance(context, dict)
        result = "accepted" if context["result"] == 0 else f"rejected ({context['result']})"
        by_result.setdefault(result, []).append(str(context["abstract_syntax"]))
    return "; ".join(f"{result}: {', '.join(syntaxes)}" for result, syntaxes in by_result.items())


def _undecided(record: ScanRecord) -> Iterable[str]:
    states = capabilities(record)
    for state, says in ((State.UNDETERMINED, "Could not be determined"), (State.UNTESTED, "Not asked")):
        if names := [name for name, of in states.items() if of is state]:
            yield f"{says}: {', '.join(names)}."


def _no_help(host: Host) -> Iterable[str]:
    guarded = _ports(host, {Access.DEMANDS_CERTIFICATE, Access.DEMANDS_LOGIN, Access.WANTS_TITLE})
    if guarded:
        yield f"What is asked for at {guarded} does not protect it."


def _ports(host: Host, access: set[Access]) -> str:
    ports = [str(record.endpoint.port) for record in host.records if record.access in access]
    return f"port{'s' if len(ports) > 1 else ''} {', '.join(ports)}" if ports else ""
