"""The scan record: the one line a scan publishes for one endpoint.

This module turns a verdict and its evidence into that line and reads it back, so that a record
can be shown, compared and judged again long after the scan. It must not judge, word or
prettify anything: what stands here is what the verdict said and what the wire said.

Readers ignore fields they do not know. New fields may be added under ``leadglass.scan-record/1``;
a field that changes its meaning makes ``/2``.
"""

from __future__ import annotations

import functools
import json
import operator
import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from pydantic import AwareDatetime, Field, ValidationError

from leadglass.errors import ConfigError
from leadglass.model.endpoint import Endpoint
from leadglass.model.evidence import Evidence, Fact, TcpEvidence, TcpOutcome, facts_of, from_facts, unaltered
from leadglass.model.record_line import ascii_json
from leadglass.model.record_parts import (
    SCHEMA,
    CapabilityMap,
    CertificateFacts,
    EndpointFacts,
    EvidenceFact,
    Part,
    ScopeNote,
    Share,
    SoftwareFacts,
    StatedFacts,
    Tlp,
    TlsFacts,
    TransportFacts,
    VantageFacts,
)
from leadglass.model.rung import Rung
from leadglass.model.verdict import (
    Access,
    Data,
    Kind,
    Reason,
    Severity,
    TlsSummary,
    Vantage,
    Verdict,
)

__all__ = [
    "SCHEMA",
    "CertificateFacts",
    "EvidenceFact",
    "RungWord",
    "ScanRecord",
    "ScopeNote",
    "StatedFacts",
    "Tlp",
    "TlsFacts",
    "body_of",
    "placed",
    "read_body",
    "read_record",
    "record",
]

RungWord: TypeAlias = Literal["passive", "connect", "associate", "negotiate", "blank-query", "sample"]

_LOOKS = 512
"""Different looks remembered, about 35 kB each."""
_REASON = re.compile(r"(?P<rule>[^\s:]+): (?P<text>.*?)(?: \[(?P<ids>[^\[\]]+)\])?", re.DOTALL)


class ScanRecord(Part):
    """What a stranger can do at one endpoint, with the evidence for it."""

    schema_id: Literal["leadglass.scan-record/1"] = Field(
        SCHEMA, alias="schema", description="Names this format."
    )
    scan: str = Field(description="Identifies the scan; all its records share it.")
    observed_at: AwareDatetime = Field(description="When the look at this endpoint ended, UTC, in seconds.")
    endpoint: EndpointFacts = Field(description="What was looked at.")
    vantage: VantageFacts = Field(description="From where.")
    rung: RungWord = Field(description="The deepest rung of the ladder that was asked.")
    scope: ScopeNote | None = Field(
        default=None, description="By whose leave; null on loopback without a scope."
    )
    tlp: Tlp | None = Field(
        default=None, description="How far it may be passed on: FIRST TLP 2.0; null when nobody marked it."
    )
    transport: TransportFacts = Field(description="TCP and TLS.")
    protocols: tuple[str, ...] = Field(description="What the endpoint speaks, e.g. dicom, http, tls.")
    capabilities: CapabilityMap = Field(description="How far each capability was established.")
    access: Access = Field(description="What a stranger can do, in one word.")
    software: SoftwareFacts = Field(description="The product.")
    nature: dict[Kind, Share] = Field(
        min_length=6, description="What stands behind it: shares over six kinds, none zero."
    )
    nature_prior: dict[Kind, Share] = Field(min_length=6, description="The shares before any evidence.")
    nature_settled: bool = Field(description="Whether the nature may be taken as known.")
    nature_settles: tuple[str, ...] = Field(default=(), description="What would settle the nature.")
    data: Data = Field(description="Whose data it holds, apart from who runs it.")
    severity: Severity = Field(description="How soon somebody should act.")
    reasons: tuple[str, ...] = Field(description="rule: text [ids of the evidence it stands on].")
    evidence: tuple[EvidenceFact, ...] = Field(description="Everything observed, in the order of asking.")
    advice: tuple[str, ...] = Field(description="What to do next, most useful first.")
    settles: tuple[str, ...] = Field(default=(), description="What would settle what is open in access.")
    stated: StatedFacts | None = Field(
        None, exclude_if=operator.not_, description="The owner's word, if any."
    )

    def line(self) -> str:
        """The record as one line of ASCII JSON without a line end, fields always in the same order.

        Only ASCII, so that a peer's text cannot become a control sequence where the line is printed.
        """
        head = ascii_json(self.model_dump_json(by_alias=True, include=_HEAD))
        return f"{head[:-1]},{self.body()[1:]}"

    def observed(self) -> tuple[Evidence, ...]:
        """The evidence as it was, to be judged again; ``ValueError`` if it was altered or does not fit."""
        return from_facts(
            unaltered(Fact(one.probe, one.fact, one.value), one.id, one.sha256) for one in self.evidence
        )

    def body(self) -> str:
        """The shared fields, as ``body_of`` writes them."""
        return _body(_Same(_BODY(self)))

    def look(self) -> Hashable:
        """A key: equal for records that hold the very same look, for what is made of a look only once."""
        return _Same(_BODY(self))

    def why(self) -> tuple[Reason, ...]:
        """The reasons, taken apart into rule, text and cited evidence."""
        return tuple(_reason(text) for text in self.reasons)


def record(
    *,
    scan: str,
    observed_at: datetime | float,
    endpoint: Endpoint,
    vantage: Vantage,
    rung: Rung,
    evidence: Sequence[Evidence],
    verdict: Verdict,
    scope: Mapping[str, str | None] | None = None,
    place: str | None = None,
    tlp: Tlp | None = None,
) -> ScanRecord:
    """The record of one endpoint.

    ``observed_at`` is an aware datetime or POSIX seconds; ``rung`` is the deepest that was asked;
    ``scope`` holds name, basis, granted_by and reference, or is None; ``place`` is what people call the
    vantage point. ``ValueError`` on a naive datetime.
    """
    return placed(
        _look(_Same((verdict,)), tuple(evidence)),
        scan=scan,
        observed_at=observed_at,
        endpoint=endpoint,
        vantage=_vantage(vantage, place),
        rung=rung,
        scope=None if scope is None else _scope_note(tuple(scope.items())),
        tlp=tlp,
    )


def placed(
    look: ScanRecord,
    *,
    scan: str,
    observed_at: datetime | float,
    endpoint: Endpoint,
    vantage: VantageFacts,
    rung: Rung,
    scope: ScopeNote | None,
    tlp: Tlp | None,
) -> ScanRecord:
    """``look`` with another head: the record of another endpoint that answered alike. Arguments as ``record``."""
    return look.model_copy(
        update={
            "scan": scan,
            "observed_at": _utc(observed_at),
            "endpoint": _endpoint(endpoint),
            "vantage": vantage,
            "rung": _RUNG_WORDS[rung],
            "scope": scope,
            "tlp": tlp,
        }
    )


def body_of(evidence: Sequence[Evidence], verdict: Verdict) -> str:
    """The fields of a record that say what was seen and what it means, as one ASCII JSON object."""
    return _body(_Same(_BODY(_look(_Same((verdict,)), tuple(evidence)))))


def read_body(body: str, *, where: str = "") -> ScanRecord:
    """What ``body_of`` wrote, as the record of no endpoint: for ``placed``. ``ConfigError`` as ``read_record``."""
    return read_record(f"{_NOWHERE_LINE[:-1]},{body[1:]}", where=where)


def read_record(line: str, *, where: str = "") -> ScanRecord:
    """The record that ``line`` holds; ``ConfigError`` names ``where`` and the first field that is wrong."""
    try:
        return ScanRecord.model_validate_json(line)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(step) for step in first["loc"]) or "the line"
        raise ConfigError(
            f"not a scan record: {field}: {first['msg']}",
            where=where,
            then="`leadglass schema scan-record` prints the format",
        ) from exc


_HEAD = {"schema_id", "scan", "observed_at", "endpoint", "vantage", "rung", "scope", "tlp"}
"""What differs from one record to the next."""
_SHARED = [name for name in ScanRecord.model_fields if name not in _HEAD]
_BODY = operator.attrgetter(*_SHARED)

_NOWHERE: Mapping[str, Any] = {
    "schema": SCHEMA,
    "scan": "",
    "observed_at": "1970-01-01T00:00:00Z",
    "endpoint": {"address": "0.0.0.0", "port": 0},  # noqa: S104 - nowhere; nothing is bound
    "vantage": {"position": "unknown"},
    "rung": "passive",
}
"""The head of a record that says only what was seen, not where."""
_NOWHERE_LINE = json.dumps(_NOWHERE)

_RUNG_WORDS: Mapping[Rung, RungWord] = {
    Rung.PASSIVE: "passive",
    Rung.CONNECT: "connect",
    Rung.ASSOCIATE: "associate",
    Rung.NEGOTIATE: "negotiate",
    Rung.BLANK_QUERY: "blank-query",
    Rung.SAMPLE: "sample",
}


class _Same:
    """Equal to another when it holds the very same objects: a key for what has no hash, or a dear one."""

    __slots__ = ("of",)

    def __init__(self, of: tuple[object, ...]) -> None:
        self.of = of

    def __hash__(self) -> int:
        return hash(tuple(map(id, self.of)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and all(map(operator.is_, self.of, other.of))


# Most endpoints of a scan look like another one: what they share is made, digested and written out once.


@functools.lru_cache(maxsize=_LOOKS)
def _look(same: _Same, evidence: tuple[Evidence, ...]) -> ScanRecord:
    """The record of some endpoint with this verdict and evidence; ``record`` says which one, when, by whom."""
    (verdict,) = same.of
    assert isinstance(verdict, Verdict)
    return ScanRecord(
        **_NOWHERE,
        transport=TransportFacts(tcp=_tcp(evidence), tls=_tls(verdict.tls)),
        protocols=verdict.protocols,
        capabilities=_capabilities(verdict),
        access=verdict.access,
        software=_software(verdict),
        nature=_shares(verdict.nature.shares),
        nature_prior=_shares(verdict.nature.prior),
        nature_settled=verdict.nature.settled,
        nature_settles=verdict.nature.settles,
        data=verdict.data,
        severity=verdict.severity,
        reasons=tuple(str(reason) for reason in verdict.reasons),
        evidence=tuple(_facts(evidence)),
        advice=verdict.advice,
        settles=verdict.settles,
    )


@functools.lru_cache(maxsize=_LOOKS)
def _body(same: _Same) -> str:
    """The fields that a look shares, as one JSON object."""
    return ascii_json(
        ScanRecord.model_construct(None, **dict(zip(_SHARED, same.of, strict=True))).model_dump_json(
            by_alias=True, exclude=_HEAD
        )
    )


@functools.lru_cache(maxsize=64)
def _vantage(vantage: Vantage, place: str | None) -> VantageFacts:
    return VantageFacts(source=vantage.source, position=vantage.position, name=place)


@functools.lru_cache(maxsize=64)
def _scope_note(items: tuple[tuple[str, str | None], ...]) -> ScopeNote:
    return ScopeNote.model_validate(dict(items))


def _endpoint(endpoint: Endpoint) -> EndpointFacts:
    """Not validated again: the address is canonical, and this happens once an endpoint."""
    return EndpointFacts.model_construct(address=endpoint.address, port=endpoint.port, name=endpoint.name)


def _utc(moment: datetime | float) -> datetime:
    if not isinstance(moment, datetime):
        return datetime.fromtimestamp(int(moment), UTC)
    if moment.tzinfo is None:
        raise ValueError("observed_at has no time zone")
    return moment.astimezone(UTC).replace(microsecond=0)


def _tcp(evidence: Sequence[Evidence]) -> TcpOutcome | None:
    """Whatever else was answered was answered over an open connection."""
    outcomes = [e.outcome for e in evidence if isinstance(e, TcpEvidence)]
    if outcomes:
        return outcomes[-1]
    return TcpOutcome.OPEN if evidence else None


def _tls(tls: TlsSummary | None) -> TlsFacts | None:
    if tls is None:
        return None
    certificate = None if tls.certificate is None else CertificateFacts.model_validate(dict(tls.certificate))
    return TlsFacts(
        version=tls.version,
        cipher=tls.cipher,
        client_certificate=tls.client_certificate,
        acceptable_cas=tls.acceptable_cas,
        certificate=certificate,
        retired=tls.retired,
    )


def _capabilities(verdict: Verdict) -> CapabilityMap:
    return CapabilityMap.model_validate(verdict.capabilities, from_attributes=True, by_name=True)


def _software(verdict: Verdict) -> SoftwareFacts:
    software = verdict.software
    return SoftwareFacts(
        product=software.product,
        version=software.version,
        confidence=_rounded(software.confidence),
        why=software.why,
    )


def _shares(shares: Mapping[Kind, float]) -> dict[Kind, float]:
    return {kind: _rounded(shares[kind]) for kind in Kind}


def _rounded(share: float) -> float:
    """Four significant digits: the same on every machine, and a small share never becomes none."""
    return float(f"{share:.4g}")


def _facts(evidence: Iterable[Evidence]) -> Iterator[EvidenceFact]:
    """A question asked twice (in the plain, then over TLS) is numbered, so that ids stay unique."""
    asked: dict[str, int] = {}
    for item in evidence:
        asked[item.probe] = asked.get(item.probe, 0) + 1
        yield from _flat(item, asked[item.probe])


def _flat(item: Evidence, times: int) -> Iterator[EvidenceFact]:
    probe = item.probe if times == 1 else f"{item.probe}.{times}"
    for fact in facts_of(item):
        numbered = Fact(probe, fact.fact, fact.value)
        yield EvidenceFact(
            id=numbered.id, probe=probe, fact=fact.fact, value=fact.value, sha256=numbered.sha256
        )


def _reason(text: str) -> Reason:
    match = _REASON.fullmatch(text)
    if match is None:
        return Reason(rule="", text=text)
    ids = match["ids"]
    return Reason(match["rule"], match["text"], tuple(ids.split(", ")) if ids else ())
