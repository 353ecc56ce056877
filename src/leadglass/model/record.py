"""The scan record: the one line a scan publishes for one endpoint.

This module turns a verdict and its evidence into that line and reads it back, so that a record
can be shown, compared and judged again long after the scan. It must not judge, word or
prettify anything: what stands here is what the verdict said and what the wire said.

Readers ignore fields they do not know. New fields may be added under ``leadglass.scan-record/1``;
a field that changes its meaning makes ``/2``.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator

from leadglass.errors import ConfigError
from leadglass.model.endpoint import Endpoint
from leadglass.model.evidence import Evidence, Fact, TcpEvidence, TcpOutcome, facts_of, from_facts
from leadglass.model.rung import Rung
from leadglass.model.verdict import (
    Access,
    ClientCertificate,
    Data,
    Kind,
    Position,
    Reason,
    Severity,
    State,
    TlsSummary,
    Vantage,
    Verdict,
)

__all__ = [
    "SCHEMA",
    "CapabilityMap",
    "CertificateFacts",
    "EndpointFacts",
    "EvidenceFact",
    "RungWord",
    "ScanRecord",
    "ScopeNote",
    "SoftwareFacts",
    "TlsFacts",
    "TransportFacts",
    "VantageFacts",
    "read_record",
    "record",
]

SCHEMA: Final = "leadglass.scan-record/1"

RungWord: TypeAlias = Literal["passive", "connect", "associate", "negotiate", "blank-query", "sample"]
Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]

_REASON = re.compile(r"(?P<rule>[^\s:]+): (?P<text>.*?)(?: \[(?P<ids>[^\[\]]+)\])?", re.DOTALL)
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True)


class EndpointFacts(_Part):
    """The endpoint that was looked at."""

    address: str = Field(description="IPv4 or IPv6 literal in canonical form.")
    port: int = Field(ge=0, le=65535, description="TCP port.")
    name: str | None = Field(None, description="The DNS name that the address was resolved from.")

    @field_validator("address")
    @classmethod
    def _is_an_address(cls, address: str) -> str:
        ipaddress.ip_address(address)
        return address

    def __str__(self) -> str:
        return str(Endpoint(self.address, self.port))


class VantageFacts(_Part):
    """From where it was seen. What was seen from here may look different from elsewhere."""

    source: str | None = Field(None, description="Local address of the connection; null when none was made.")
    position: Position = Field(description="Side of the owner's network, as the scope declares it.")


class CertificateFacts(_Part):
    """The server's certificate."""

    subject: str = Field(description="RFC 4514 string.")
    issuer: str = Field(description="RFC 4514 string.")
    not_after: str = Field(description="End of validity, ISO 8601 UTC.")
    sans: tuple[str, ...] = Field((), description="Subject alternative names.")
    sha256: str = Field(description="SHA-256 fingerprint, hexadecimal.")


class TlsFacts(_Part):
    """What TLS answered."""

    version: str | None = Field(None, description="Negotiated version, e.g. TLSv1.3.")
    cipher: str | None = Field(None, description="IANA name of the negotiated suite.")
    client_certificate: ClientCertificate = Field(description="Whether the server asks who is calling.")
    acceptable_cas: tuple[str, ...] = Field((), description="Authorities the server would accept, RFC 4514.")
    certificate: CertificateFacts | None = Field(None, description="The server's own certificate.")
    retired: tuple[str, ...] = Field((), description="Retired versions and suites still accepted.")


class TransportFacts(_Part):
    """Below the application: TCP and TLS."""

    tcp: TcpOutcome | None = Field(description="Outcome of the connection; null when none was attempted.")
    tls: TlsFacts | None = Field(description="Null when TLS did not answer.")


class CapabilityMap(_Part):
    """How far each capability was established for a stranger."""

    associate: State = Field(description="A DICOM association (PS3.8 7.1).")
    verification: State = Field(description="C-ECHO (PS3.4 A).")
    query: State = Field(description="C-FIND on patients and studies (PS3.4 C).")
    retrieve: State = Field(description="C-MOVE or C-GET; never tried, at most granted.")
    storage: State = Field(description="C-STORE; never tried, at most granted.")
    worklist: State = Field(description="Modality worklist C-FIND; never tried, at most granted.")
    web_query: State = Field(alias="web-query", description="QIDO-RS (PS3.18 10.6).")
    web_api: State = Field(alias="web-api", description="A product's own REST interface, without login.")


class SoftwareFacts(_Part):
    """The product, as far as the evidence goes."""

    product: str | None = Field(None, description="Null when nothing tells.")
    version: str | None = Field(None, description="Null when nothing tells.")
    confidence: Share = Field(description="Between 0 and 1.")
    why: str = Field("", description="What told.")


class ScopeNote(_Part):
    """By whose leave the question was asked."""

    name: str = Field(description="Name of the scope.")
    basis: str = Field(description="Basis of the authorisation, e.g. owner, mandate, research.")
    granted_by: str | None = Field(None, description="Who said yes.")
    reference: str | None = Field(None, description="Where that is written down.")


class EvidenceFact(_Part):
    """One observed fact."""

    id: str = Field(description="probe/fact, unique within a record; reasons cite it.")
    probe: str = Field(description="Which question; numbered from the second time it was asked.")
    fact: str = Field(description="Which part of the answer.")
    value: JsonValue = Field(description="What was seen.")
    sha256: str = Field(description="Digest of the canonical JSON of [probe, fact, value], hexadecimal.")


class ScanRecord(_Part):
    """What a stranger can do at one endpoint, with the evidence for it."""

    schema_id: Literal["leadglass.scan-record/1"] = Field(
        SCHEMA, alias="schema", description="Names this format."
    )
    scan: str = Field(description="Identifies the scan; all its records share it.")
    observed_at: AwareDatetime = Field(description="When the look at this endpoint ended, UTC, in seconds.")
    endpoint: EndpointFacts = Field(description="What was looked at.")
    vantage: VantageFacts = Field(description="From where.")
    rung: RungWord = Field(description="The deepest rung of the ladder that was asked.")
    scope: ScopeNote | None = Field(None, description="By whose leave; null on loopback without a scope.")
    transport: TransportFacts = Field(description="TCP and TLS.")
    protocols: tuple[str, ...] = Field(description="What the endpoint speaks, e.g. dicom, http, tls.")
    capabilities: CapabilityMap = Field(description="How far each capability was established.")
    access: Access = Field(description="What a stranger can do, in one word.")
    software: SoftwareFacts = Field(description="The product.")
    nature: dict[Kind, Share] = Field(description="What stands behind it: shares over six kinds, none zero.")
    nature_prior: dict[Kind, Share] = Field(description="The shares before any evidence.")
    nature_settled: bool = Field(description="Whether the nature may be taken as known.")
    nature_settles: tuple[str, ...] = Field((), description="What would settle the nature.")
    data: Data = Field(description="Whose data it holds, apart from who runs it.")
    severity: Severity = Field(description="How soon somebody should act.")
    reasons: tuple[str, ...] = Field(description="rule: text [ids of the evidence it stands on].")
    evidence: tuple[EvidenceFact, ...] = Field(description="Everything observed, in the order of asking.")
    advice: tuple[str, ...] = Field(description="What to do next, most useful first.")
    settles: tuple[str, ...] = Field((), description="What would settle what is open in access.")

    def line(self) -> str:
        """The record as one line of ASCII JSON without a line end, fields always in the same order.

        Only ASCII, so that a peer's text cannot become a control sequence where the line is printed.
        """
        text = self.model_dump_json(by_alias=True)
        return text if text.isascii() and "\x7f" not in text else _UNPRINTABLE.sub(_escaped, text)

    def observed(self) -> tuple[Evidence, ...]:
        """The evidence as it was, to be judged again; ``ValueError`` if it was altered or does not fit."""
        return from_facts(_unaltered(self.evidence))

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
) -> ScanRecord:
    """The record of one endpoint.

    ``observed_at`` is an aware datetime or POSIX seconds; ``rung`` is the deepest that was asked;
    ``scope`` holds name, basis, granted_by and reference, or is None. ``ValueError`` on a naive datetime.
    """
    return ScanRecord(
        schema=SCHEMA,
        scan=scan,
        observed_at=_utc(observed_at),
        endpoint=EndpointFacts(address=endpoint.address, port=endpoint.port, name=endpoint.name),
        vantage=VantageFacts(source=vantage.source, position=vantage.position),
        rung=_RUNG_WORDS[rung],
        scope=None if scope is None else ScopeNote.model_validate(dict(scope)),
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


_RUNG_WORDS: Mapping[Rung, RungWord] = {
    Rung.PASSIVE: "passive",
    Rung.CONNECT: "connect",
    Rung.ASSOCIATE: "associate",
    Rung.NEGOTIATE: "negotiate",
    Rung.BLANK_QUERY: "blank-query",
    Rung.SAMPLE: "sample",
}


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


@functools.lru_cache(maxsize=4096)
def _flat(item: Evidence, times: int) -> tuple[EvidenceFact, ...]:
    """Most endpoints of a scan look like another one; digests are computed once for each look."""
    probe = item.probe if times == 1 else f"{item.probe}.{times}"
    facts = (Fact(probe, fact.fact, fact.value) for fact in facts_of(item))
    return tuple(
        EvidenceFact(id=fact.id, probe=probe, fact=fact.fact, value=fact.value, sha256=fact.sha256)
        for fact in facts
    )


def _unaltered(evidence: Iterable[EvidenceFact]) -> Iterator[Fact]:
    for item in evidence:
        fact = Fact(item.probe, item.fact, item.value)
        if (fact.id, fact.sha256) != (item.id, item.sha256):
            raise ValueError(f"the evidence {item.id!r} does not match its digest")
        yield fact


def _reason(text: str) -> Reason:
    match = _REASON.fullmatch(text)
    if match is None:
        return Reason(rule="", text=text)
    ids = match["ids"]
    return Reason(match["rule"], match["text"], tuple(ids.split(", ")) if ids else ())


def _escaped(match: re.Match[str]) -> str:
    """A character of a JSON string as RFC 8259 section 7 escapes it, in UTF-16 code units."""
    units = match[0].encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
