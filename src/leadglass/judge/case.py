"""Everything established about one endpoint before a word is chosen for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from leadglass.judge import queries, services, web_rules
from leadglass.judge.seen import Seen
from leadglass.judge.services import SPOKEN, Finding, Negotiated, Service
from leadglass.judge.software import Identified, identify
from leadglass.judge.tls import Tls, tls
from leadglass.model.verdict import Capabilities, Reason, State

__all__ = ["Case", "assemble"]

_OVER_DICOM = ("associate", "verification", "query", "retrieve", "storage", "worklist")
_OVER_HTTP = ("web_query", "web_api")


@dataclass(frozen=True, slots=True)
class Case:
    """The findings that the access rules choose from."""

    seen: Seen
    software: Identified
    tls: Tls
    services: Negotiated
    findings: dict[str, Finding]
    """By the field names of ``Capabilities``."""
    protocols: tuple[str, ...]

    def state(self, capability: str) -> State:
        """How far a capability was established."""
        return self.findings[capability].state

    def why(self, *capabilities: str) -> tuple[str, ...]:
        """The facts that the findings of these capabilities stand on."""
        return tuple(
            fact
            for name in capabilities
            for reason in self.findings[name].reasons
            for fact in reason.evidence
        )

    @property
    def capabilities(self) -> Capabilities:
        """The capability map."""
        return Capabilities(**{name: finding.state for name, finding in self.findings.items()})

    @property
    def reasons(self) -> Iterator[Reason]:
        """The reasons of all findings, in the order of the capability map."""
        for name, finding in self.findings.items():
            yield from finding.reasons
            if name == "verification":
                yield from self.services.reasons


def assemble(seen: Seen, port: int) -> Case:
    """Establish everything but the word."""
    software = identify(seen, port)
    granted = services.negotiated(seen)
    secured = tls(seen)
    query = queries.query(seen, granted, software)
    findings = {
        "associate": services.associate(seen),
        "verification": services.verification(seen, granted),
        "query": query,
        "retrieve": queries.retrieve(granted, query, software),
        "storage": Finding(granted.state(Service.STORAGE)),
        "worklist": queries.worklist(granted),
        "web_query": web_rules.web_query(seen),
        "web_api": web_rules.web_api(seen),
    }
    protocols = tuple(_told(seen) if seen.secondhand else _protocols(seen, secured))
    for name in () if seen.secondhand else _impossible(protocols):
        if findings[name].state in (State.UNTESTED, State.UNDETERMINED):
            findings[name] = Finding(State.ABSENT)
    return Case(seen, software, secured, granted, findings, protocols)


def _protocols(seen: Seen, secured: Tls) -> Iterator[str]:
    """``dicom`` only where well-formed PDUs came; a port number says nothing."""
    others = {piece.evidence.spoke for piece in seen.associations} - {None, "dicom"}
    others |= {piece.evidence.spoke for piece in seen.webs} - {None, "dicom"}
    if any(piece.evidence.reply in SPOKEN for piece in seen.dicom):
        yield "dicom"
    if secured.summary is not None or "tls" in others:
        yield "tls"
    if web_rules.answered(seen) or "http" in others:
        yield "http"
    yield from sorted(other for other in others if other not in ("tls", "http", None))


def _told(seen: Seen) -> Iterator[str]:
    """What others say that it speaks. It proves no other protocol absent."""
    spoken = {piece.evidence.speaks for piece in seen.passive}
    if any(piece.evidence.over_tls for piece in seen.passive):
        spoken.add("tls")
    yield from (protocol for protocol in ("dicom", "tls", "http") if protocol in spoken)


def _impossible(protocols: tuple[str, ...]) -> tuple[str, ...]:
    """What an endpoint cannot do because it speaks another protocol: one port, one protocol inside."""
    inside = [protocol for protocol in protocols if protocol != "tls"]
    if not inside:
        return ()
    dicom = () if "dicom" in inside else _OVER_DICOM
    return dicom if "http" in inside else (*dicom, *_OVER_HTTP)
