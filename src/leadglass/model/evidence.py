"""What was seen, probe by probe, before anybody judges it.

Each evidence type is frozen, hashable and holds only what the wire said: never a patient's
data, never free text that a page or a query returned. Text that a peer chose (an
implementation version name, a certificate subject) is cut and cleaned of control characters
by ``clean`` before it gets in here.

Evidence flattens to facts, ``(probe, fact, value)``, for records, and is rebuilt from them
(``facts_of``, ``from_facts``), so that a record can be judged again later. All types stand in this one
file because each must flatten and come back like the others.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias, get_type_hints

__all__ = [
    "AssociateEvidence",
    "BlankQueryEvidence",
    "Certificate",
    "ContextResult",
    "Evidence",
    "Fact",
    "FeatureCount",
    "NegotiateEvidence",
    "PassiveEvidence",
    "QidoAnswer",
    "Reply",
    "SampleEvidence",
    "TcpEvidence",
    "TcpOutcome",
    "TlsEvidence",
    "TlsHelloEvidence",
    "TlsOutcome",
    "WebAnswer",
    "WebEvidence",
    "clean",
    "digest",
    "facts_of",
    "from_facts",
    "unaltered",
]

Json: TypeAlias = Any
"""A JSON value: str, int, bool, None, or lists and objects of them."""


def clean(text: str, limit: int = 64) -> str:
    """Peer-chosen text, safe to print: printable ASCII only, at most ``limit`` characters."""
    head = text[:limit]
    if head.isascii() and head.isprintable():
        return head
    return "".join(c if 32 <= ord(c) < 127 else "?" for c in head)


class TcpOutcome(enum.StrEnum):
    """What became of the TCP connection attempt."""

    OPEN = "open"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    """No SYN-ACK within the time limit, from this place."""
    UNREACHABLE = "unreachable"
    """An ICMP error or a missing route came back."""


class Reply(enum.StrEnum):
    """How a peer met a DICOM question, before any judgement."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    ABORTED = "aborted"
    ANSWERED = "answered"
    """A DIMSE response with a status."""
    RECORDS = "records"
    """Pending responses: records were returned. They were dropped unparsed."""
    CLOSED = "closed"
    RESET = "reset"
    SILENT = "silent"
    """The deadline passed."""
    MALFORMED = "malformed"
    """Bytes that break PS3.8."""
    OTHER_PROTOCOL = "other-protocol"
    """Bytes of another protocol; ``spoke`` names it where it is known."""
    NOT_OFFERED = "not-offered"
    """The peer granted no presentation context to ask in."""


class TlsOutcome(enum.StrEnum):
    """How far a TLS handshake went."""

    ESTABLISHED = "established"
    SERVER_HELLO = "server-hello"
    """A raw hello got its plain flight; such a handshake is never finished."""
    ALERT = "alert"
    CLOSED = "closed"
    RESET = "reset"
    SILENT = "silent"
    NOT_TLS = "not-tls"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class Certificate:
    """The facts of one X.509 certificate; names as RFC 4514 strings, times as ISO 8601 UTC."""

    subject: str
    issuer: str
    not_before: str
    not_after: str
    sans: tuple[str, ...]
    sha256: str
    key: str
    """Key type and size in bits, e.g. ``RSA 2048``."""


@dataclass(frozen=True, slots=True)
class TcpEvidence:
    """Whether the port opened."""

    outcome: TcpOutcome
    probe: ClassVar[str] = "tcp"


@dataclass(frozen=True, slots=True)
class TlsEvidence:
    """A real handshake, without a client certificate, and what came after it."""

    outcome: TlsOutcome
    version: str | None = None
    """E.g. ``TLSv1.3``."""
    cipher: str | None = None
    """The IANA name of the suite."""
    alpn: str | None = None
    certificate_requested: bool | None = None
    """A CertificateRequest was received; None when the handshake did not get that far."""
    acceptable_cas: tuple[str, ...] = ()
    certificate: Certificate | None = None
    alert: str | None = None
    """The peer's fatal alert, during or after the handshake, e.g. ``certificate_required(116)``."""
    application_data: bool = False
    """The peer sent at least one byte of application data."""
    ended: str | None = None
    """How the peer ended it, if it did: ``close-notify``, ``eof``, ``reset``, ``alert``."""
    probe: ClassVar[str] = "tls"


@dataclass(frozen=True, slots=True)
class TlsHelloEvidence:
    """The plain flight that answered one hand-made ClientHello; nothing was completed."""

    offer: str
    """What was offered: ``tls12``, ``retired-suites`` or ``old-versions``."""
    outcome: TlsOutcome
    version: str | None = None
    cipher: str | None = None
    alpn: str | None = None
    certificate_requested: bool | None = None
    acceptable_cas: tuple[str, ...] = ()
    certificate: Certificate | None = None
    alert: str | None = None

    @property
    def probe(self) -> str:
        """One probe name per offer, so that a record can hold them all."""
        return f"tls-hello.{self.offer}"


@dataclass(frozen=True, slots=True)
class AssociateEvidence:
    """One association offering Verification, and its C-ECHO."""

    reply: Reply
    over_tls: bool = False
    called_ae: str = "ANY-SCP"
    reject: tuple[int, int, int] | None = None
    """Result, source, reason (PS3.8 table 9-21)."""
    abort: tuple[int, int] | None = None
    """Source, reason (PS3.8 table 9-26)."""
    implementation_class_uid: str | None = None
    implementation_version_name: str | None = None
    maximum_length: int | None = None
    """Maximum Length Received in bytes; 0 is no limit (PS3.8 D.1)."""
    user_items: tuple[str, ...] = ()
    """Types of the user information sub-items in the order received, e.g. ``51H``."""
    verification: int | None = None
    """Presentation context result for Verification, 0 is acceptance (PS3.8 table 9-18)."""
    echo: Reply | None = None
    echo_status: int | None = None
    spoke: str | None = None
    """The protocol of the first bytes, where they tell and no whole answer came: ``http``, ``tls``, ``dicom`` ..."""
    detail: str | None = None
    """What was malformed, in our words."""
    probe: ClassVar[str] = "associate"


@dataclass(frozen=True, slots=True)
class ContextResult:
    """What became of one offered presentation context (PS3.8 table 9-18)."""

    abstract_syntax: str
    result: int
    """0 acceptance, 1 user rejection, 2 no reason, 3 abstract syntax, 4 transfer syntaxes."""
    transfer_syntax: str | None = None


@dataclass(frozen=True, slots=True)
class NegotiateEvidence:
    """An association that offers many services and uses none."""

    reply: Reply
    over_tls: bool = False
    contexts: tuple[ContextResult, ...] = ()
    """In the order of the peer's answer, which is a fingerprint of its own."""
    invented: int | None = None
    """The result for a SOP class that nobody has; 0 means that anything is accepted."""
    reject: tuple[int, int, int] | None = None
    abort: tuple[int, int] | None = None
    detail: str | None = None
    probe: ClassVar[str] = "negotiate"


@dataclass(frozen=True, slots=True)
class BlankQueryEvidence:
    """One C-FIND for a key minted a moment ago that can match nothing."""

    reply: Reply
    over_tls: bool = False
    model: str | None = None
    """``study-root`` or ``patient-root``."""
    status: int | None = None
    """The DIMSE status (PS3.7 Annex C), e.g. 0x0000 or 0x0122."""
    reject: tuple[int, int, int] | None = None
    abort: tuple[int, int] | None = None
    detail: str | None = None
    probe: ClassVar[str] = "blank-query"


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """One HTTP answer, reduced to what identifies a product; its body is not kept."""

    path: str
    status: int | None
    """None: the connection ended or the deadline passed without a response."""
    content: str | None = None
    """``json-object``, ``json-array``, ``html``, ``empty``, ``other``."""
    fingerprints: tuple[str, ...] = ()
    """Ids of the web fingerprints that matched."""
    login: str | None = None
    """``basic``, ``bearer``, ``digest``, ``form`` or ``redirect``: credentials are asked for."""
    redirect: str | None = None
    """``same-host`` or ``other-host``; the latter is never followed."""


@dataclass(frozen=True, slots=True)
class QidoAnswer:
    """One QIDO-RS search for a minted Study Instance UID, body read no further than empty or not."""

    path: str
    status: int | None
    empty: bool | None = None
    """True: 204 or ``[]``; False: records were returned and dropped; None: not a QIDO answer."""


@dataclass(frozen=True, slots=True)
class WebEvidence:
    """What the web interface said to ``GET /`` and to known paths without patient data."""

    reply: Reply
    over_tls: bool = False
    answers: tuple[WebAnswer, ...] = ()
    server: str | None = None
    """The product token of the Server header, cleaned."""
    qido: tuple[QidoAnswer, ...] = ()
    software_version: str | None = None
    """A version the product itself publishes without login, e.g. Orthanc's /system."""
    spoke: str | None = None
    detail: str | None = None
    probe: ClassVar[str] = "web"


@dataclass(frozen=True, slots=True)
class PassiveEvidence:
    """What somebody else's scan says of the endpoint; nothing was asked of it.

    Of their record only this is taken, and never a banner or a page: those may hold a patient's data.
    """

    source: str
    """Whose scan: ``shodan`` or ``censys``."""
    seen_at: str | None = None
    """When they saw it, ISO 8601 in UTC, in whole seconds."""
    speaks: str | None = None
    """``dicom``, ``http`` or ``tls``; the last where what is inside was not told."""
    over_tls: bool = False
    implementation_class_uid: str | None = None
    implementation_version_name: str | None = None
    product: str | None = None
    """A product that Leadglass knows by this name; other words are not taken."""
    certificate_sha256: str | None = None
    """In lower-case hexadecimal."""
    probe: ClassVar[str] = "passive"


@dataclass(frozen=True, slots=True)
class FeatureCount:
    """How many of the studies of a sample show a feature."""

    feature: str
    """Its name in ``judge/knowledge/features.toml``."""
    studies: int


@dataclass(frozen=True, slots=True)
class SampleEvidence:
    """Queries over random days, reduced to counts as each match came; no value of any match is kept."""

    reply: Reply
    over_tls: bool = False
    windows: int = 0
    """Days that were asked about."""
    studies: int = 0
    """Matches that were counted, of all days together."""
    patients: int = 0
    """How many different Patient IDs were among them."""
    features: tuple[FeatureCount, ...] = ()
    cut: bool = False
    """The limit was reached and the association ended before the archive had done."""
    status: int | None = None
    """The last DIMSE status (PS3.7 Annex C)."""
    detail: str | None = None
    probe: ClassVar[str] = "sample"


Evidence: TypeAlias = (
    TcpEvidence
    | TlsEvidence
    | TlsHelloEvidence
    | AssociateEvidence
    | NegotiateEvidence
    | BlankQueryEvidence
    | WebEvidence
    | PassiveEvidence
    | SampleEvidence
)

_TYPES: Mapping[str, type[Evidence]] = {
    "tcp": TcpEvidence,
    "tls": TlsEvidence,
    "tls-hello": TlsHelloEvidence,
    "associate": AssociateEvidence,
    "negotiate": NegotiateEvidence,
    "blank-query": BlankQueryEvidence,
    "web": WebEvidence,
    "passive": PassiveEvidence,
    "sample": SampleEvidence,
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One observed fact; ``id`` is ``probe/fact`` and unique within a record."""

    probe: str
    fact: str
    value: Json

    @property
    def id(self) -> str:
        """What reasons cite, e.g. ``associate/echo-status``."""
        return f"{self.probe}/{self.fact}"

    @property
    def sha256(self) -> str:
        """Digest of the canonical JSON of probe, fact and value, in hexadecimal."""
        return hashlib.sha256(_canonical([self.probe, self.fact, self.value])).hexdigest()


def facts_of(evidence: Evidence) -> Iterator[Fact]:
    """The facts of one piece of evidence, without the fields that say nothing."""
    for field in dataclasses.fields(evidence):
        value = getattr(evidence, field.name)
        if value != field.default:
            yield Fact(evidence.probe, field.name.replace("_", "-"), _plain(value))


def from_facts(facts: Iterable[Fact]) -> tuple[Evidence, ...]:
    """Evidence rebuilt from the facts of a record; ``ValueError`` if they do not fit."""
    by_probe: dict[str, dict[str, Json]] = {}
    for fact in facts:
        by_probe.setdefault(fact.probe, {})[fact.fact.replace("-", "_")] = fact.value
    return tuple(_rebuild(probe, values) for probe, values in by_probe.items())


def unaltered(fact: Fact, written: str, sha256: str) -> Fact:
    """``fact``, which was written with that id and digest; ``ValueError`` if it does not match them."""
    if (fact.id, fact.sha256) != (written, sha256):
        raise ValueError(f"the evidence {written!r} does not match its digest")
    return fact


def digest(evidence: Iterable[Evidence]) -> str:
    """SHA-256 over all facts, in hexadecimal: identical observations share one digest."""
    facts = [[f.probe, f.fact, f.value] for e in evidence for f in facts_of(e)]
    return hashlib.sha256(_canonical(facts)).hexdigest()


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def _canonical(value: Json) -> bytes:
    return _ENCODER.encode(value).encode()


def _plain(value: Json) -> Json:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    if isinstance(value, enum.StrEnum):
        return value.value
    return value


def _rebuild(probe: str, values: Mapping[str, Json]) -> Evidence:
    kind = _TYPES.get(probe.partition(".")[0])
    if kind is None:
        raise ValueError(f"no probe is called {probe!r}")
    try:
        return kind(**_typed(kind, values))
    except (TypeError, KeyError, AttributeError) as exc:
        raise ValueError(f"the facts of probe {probe!r} do not fit together") from exc


_NESTED: Mapping[str, type[Any]] = {
    "certificate": Certificate,
    "contexts": ContextResult,
    "features": FeatureCount,
    "answers": WebAnswer,
    "qido": QidoAnswer,
}


def _typed(kind: type[Any], values: Mapping[str, Json]) -> dict[str, Json]:
    words = _words()[kind]
    return {name: _coerce(name, words.get(name), value) for name, value in values.items()}


@functools.cache
def _words() -> Mapping[type[Any], Mapping[str, type[enum.StrEnum]]]:
    """The fields that hold one of a few words. Made once: to look at annotations takes longer than to judge."""
    return {
        kind: {
            name: word
            for name, hint in get_type_hints(kind).items()
            for word in (Reply, TlsOutcome, TcpOutcome)
            if hint in (word, word | None)
        }
        for kind in (*_TYPES.values(), *_NESTED.values())
    }


def _coerce(name: str, word: type[enum.StrEnum] | None, value: Json) -> Json:
    if isinstance(value, list):
        return tuple(_coerce(name, None, v) for v in value)
    if isinstance(value, dict) and name in _NESTED:
        nested = _NESTED[name]
        return nested(**_typed(nested, value))
    return word(value) if word is not None and isinstance(value, str) else value
