"""The visit to one endpoint: which question next, in the light of the last answer.

A port has up to three *faces*: plain DICOM, TLS, and HTTP. The connection that opens carries the
first question of the likeliest face; another face is tried only if that one does not answer.
Once a face is known the visit climbs the ladder on it, as deep as the scope permits and within the
budget of connections. A reject that asks for a title ends it: nothing is guessed.

The plan is a generator: it yields a question and goes on when that has been answered. It is one file
because the order of all questions is one decision.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

from leadglass.judge.web import paths, qido_paths
from leadglass.model.endpoint import Endpoint
from leadglass.model.evidence import (
    AssociateEvidence,
    Evidence,
    Reply,
    TcpEvidence,
    TcpOutcome,
    TlsEvidence,
    TlsOutcome,
    WebEvidence,
)
from leadglass.model.rung import Rung
from leadglass.ports.conversation import Conversation, Loss
from leadglass.probe.answers import dicom_or, grants_find, is_tls, wants_tls
from leadglass.probe.associate import AssociateConversation
from leadglass.probe.blank_query import BlankQueryConversation
from leadglass.probe.dicom import DicomConversation
from leadglass.probe.faces import OTHERS_FIRST, faces_of, is_web
from leadglass.probe.http import Caller, HttpConversation
from leadglass.probe.mint import patient_id, uid
from leadglass.probe.negotiate import NegotiateConversation
from leadglass.probe.qido import QidoConversation
from leadglass.probe.questions import Questions
from leadglass.probe.remembered import RememberedConversation
from leadglass.probe.sample import SampleConversation, random_days
from leadglass.probe.sniff import DICOM, HTTP, TLS
from leadglass.probe.tls import HelloConversation, SecureConversation
from leadglass.probe.web import WebConversation

__all__ = ["EndpointVisit"]

_BUSY_PAUSES = (3.0, 12.0)
"""Seconds before an endpoint that was busy (A-ASSOCIATE-RJ, rejected-transient: temporary congestion or
local limit exceeded) is asked again, and again."""
_WEB_RESERVE = 2
"""Connections kept back for the DICOMweb question where the scope allows it."""
_ASSOCIATE = Rung.ASSOCIATE
_OPEN = TcpEvidence(TcpOutcome.OPEN)
_NO_CONNECTION: Mapping[Loss, tuple[Evidence, ...]] = {
    loss: (TcpEvidence(TcpOutcome.UNREACHABLE),) for loss in Loss
} | {
    Loss.REFUSED: (TcpEvidence(TcpOutcome.REFUSED),),
    Loss.UNANSWERED: (TcpEvidence(TcpOutcome.UNANSWERED),),
}
"""One tuple for each: most endpoints of a large scan share one of them."""

_Plan: TypeAlias = Generator[Conversation, None, str | None]
"""Questions out; at the end the protocol that answered, where one is known."""


class EndpointVisit:
    """Everything asked of one endpoint, one connection at a time (``ports.conversation.Visit``)."""

    __slots__ = (
        "_called_ae",
        "_first",
        "_notes",
        "_now",
        "_over",
        "_plan",
        "_questions",
        "connections",
        "denial",
        "endpoint",
        "evidence",
        "not_before",
        "rung",
        "seen_from",
    )

    def __init__(
        self, endpoint: Endpoint, rung: Rung, questions: Questions, called_ae: str = "ANY-SCP"
    ) -> None:
        self.endpoint = endpoint
        self.rung = rung
        self.evidence: tuple[Evidence, ...] = ()
        """What was seen, one piece for each probe, in the order of asking; there when the visit is complete.

        Visits that saw the same and asked nothing more share one tuple.
        """
        self.seen_from: str | None = None
        """The local address of the first connection that opened."""
        self.denial: str | None = None
        """Why the gate ended the visit early, if it did."""
        self.not_before = 0.0
        self.connections = 0
        self._questions = questions
        self._called_ae = called_ae
        self._notes: dict[str, Evidence] | None = None
        self._first: RememberedConversation | None = None
        self._plan: Iterator[Conversation] | None = None
        self._over = False
        self._now = 0.0

    # The contract with the engine.

    def next(self, now: float) -> Conversation | None:
        """The next question, or None when there is nothing left to ask or to spend."""
        if self._over:
            return None
        self._now = now
        if self._plan is None:
            first = self._first
            if first is not None:
                known = first.endings.get(self.rung)
                if known is not None:  # An earlier visit had nothing more to ask after the same first answer.
                    self._over, self.evidence = True, known
                    return None
            elif self.rung >= _ASSOCIATE and self.endpoint.port not in OTHERS_FIRST:
                first = self._first = self._questions.first(self._called_ae)
                self.connections = 1
                return first
            self._plan = self._climb()
            if first is not None:
                next(self._plan)  # The first question has been put.
        return self._further()

    def source(self, address: str) -> None:
        """A connection opened, from this local address."""
        if self.seen_from is None:
            self.seen_from = address

    def failed(self, loss: Loss) -> None:
        """No connection: nothing more can be learned here."""
        self._end(_NO_CONNECTION[loss] if self.seen_from is None else self._seen())

    def denied(self, why: str) -> None:
        """The scope says no, from now on."""
        self.denial = why
        self._end(self._seen())

    def _end(self, evidence: tuple[Evidence, ...]) -> None:
        self._over = True
        self.evidence = evidence

    def _further(self) -> Conversation | None:
        assert self._plan is not None
        question = next(self._plan, None)
        if question is not None and self._left():
            self.connections += 1
            return question
        self._end(self._seen())
        if question is None and self.connections == 1 and self._first is not None:
            self._first.endings[self.rung] = self.evidence
        return None

    # The plan.

    def _climb(self) -> Iterator[Conversation]:
        if self.rung < Rung.ASSOCIATE:
            yield from self._hello_only()
            return
        faces = {DICOM: self._dicom_face, TLS: self._tls_face, HTTP: self._web_face}
        order = list(faces_of(self.endpoint.port))
        while order:
            face = order.pop(0)
            spoken = yield from faces[face]()
            if spoken == face or (spoken is not None and spoken not in faces):
                return
            if spoken in order:
                order.remove(spoken)
                order.insert(0, spoken)

    def _hello_only(self) -> _Plan:
        seen = yield from self._handshake(None)
        if is_tls(seen):
            yield from self._hellos(seen)
        return None

    def _dicom_face(self) -> _Plan:
        spoken = yield from self._associate(over_tls=False)
        return spoken

    def _associate(self, *, over_tls: bool) -> _Plan:
        probe = self._questions.associate(self._called_ae, over_tls=over_tls)
        if self._first is not None and self.connections == 1:
            probe = self._first.conversation
        yield self._ask(probe)
        for pause in _BUSY_PAUSES:
            if _is_busy(probe):
                probe = self._questions.associate(self._called_ae, over_tls=over_tls)
                self.not_before = self._now + pause
                yield self._ask(probe)
                self.not_before = 0.0
        seen = probe.evidence
        self._note(seen)
        yield from self._deeper(seen)
        return dicom_or(seen)

    def _deeper(self, seen: AssociateEvidence) -> _Plan:
        if seen.reply is not Reply.ACCEPTED or self.rung < Rung.NEGOTIATE:
            return None
        offer = NegotiateConversation(
            self._called_ae,
            self._questions.calling_ae,
            self._questions.invented_sop_class,
            over_tls=seen.over_tls,
            patience=self._questions.patience,
        )
        yield self._ask(offer)
        self._note(offer.evidence)
        if self.rung >= Rung.BLANK_QUERY and grants_find(offer.evidence):
            yield from self._blank_query(over_tls=seen.over_tls)
        return None

    def _blank_query(self, *, over_tls: bool) -> _Plan:
        query = BlankQueryConversation(
            self._called_ae,
            self._questions.calling_ae,
            study_instance_uid=uid(self._questions.randomness),
            patient_id=patient_id(self._questions.randomness),
            over_tls=over_tls,
            patience=self._questions.patience,
        )
        yield self._ask(query)
        self._note(query.evidence)
        if self.rung >= Rung.SAMPLE and query.evidence.reply in (Reply.ANSWERED, Reply.RECORDS):
            yield from self._sample(over_tls=over_tls)
        return None

    def _sample(self, *, over_tls: bool) -> _Plan:
        today = self._questions.today
        if today is None:
            return None
        sample = SampleConversation(
            self._called_ae,
            self._questions.calling_ae,
            days=random_days(self._questions.randomness, today),
            today=today,
            over_tls=over_tls,
            patience=self._questions.patience,
        )
        yield self._ask(sample)
        self._note(sample.evidence)
        return None

    def _tls_face(self) -> _Plan:
        inner = self._inner_probe()
        seen = yield from self._handshake(inner)
        if not is_tls(seen):
            return None
        if seen.outcome is TlsOutcome.ESTABLISHED:
            yield from self._inside(inner, seen)
        yield from self._hellos(seen)
        return TLS

    def _handshake(self, inner: Conversation | None) -> Generator[Conversation, None, TlsEvidence]:
        secure = self._secure(inner)
        yield secure
        seen = secure.evidence
        self._note(seen)
        return seen

    def _inside(self, inner: AssociateConversation | WebConversation, tls: TlsEvidence) -> _Plan:
        """What stands behind TLS, after the first question went there."""
        if inner.reply is None:
            return None  # The server ended it before the question was put.
        if isinstance(inner, WebConversation):
            spoken = yield from self._web(inner)
        else:
            seen = inner.evidence
            self._note(seen)
            yield from self._deeper(seen)
            spoken = dicom_or(seen)
        refused = tls.certificate_requested and not tls.application_data
        misjudged = spoken in (DICOM, HTTP) and spoken != _protocol_of(inner)
        if misjudged or (spoken is None and not refused):
            yield from self._other_inside(inner)
        return None

    def _other_inside(self, inner: AssociateConversation | WebConversation) -> _Plan:
        if isinstance(inner, WebConversation):
            yield from self._associate(over_tls=True)
        else:
            yield from self._web(None, over_tls=True)
        return None

    def _hellos(self, seen: TlsEvidence) -> _Plan:
        """Hand-made hellos for what OpenSSL can no longer say, as far as the budget goes."""
        offers = ["retired-suites", "old-versions"]
        if seen.version != "TLSv1.2":
            offers.append("tls12")
        for offer in offers:
            hello = HelloConversation(
                offer,
                server_name=self.endpoint.name,
                random=self._questions.randomness.token(32),
                patience=self._questions.patience,
            )
            yield hello
            self._note(hello.evidence)
        return None

    def _web_face(self) -> _Plan:
        spoken = yield from self._web(None)
        return spoken

    def _web(self, first: WebConversation | None, *, over_tls: bool = False) -> _Plan:
        """All the known paths, over as many connections as the server insists on."""
        probe, over_tls = first, over_tls or first is not None
        todo = paths()
        reserve = _WEB_RESERVE if self.rung >= Rung.BLANK_QUERY else 0
        while todo and (probe is not None or self._left() > reserve):
            if probe is None:
                probe = self._web_probe(todo, over_tls=over_tls)
                yield self._ask(probe)
            answered = probe.evidence
            self._note_web(answered)
            if wants_tls(answered):
                return TLS
            todo = probe.remaining if answered.reply is Reply.ANSWERED else ()
            probe = None
        seen = self._noted().get("web")
        if not isinstance(seen, WebEvidence) or seen.reply is not Reply.ANSWERED:
            return seen.spoke if isinstance(seen, WebEvidence) else None
        if self.rung >= Rung.BLANK_QUERY:
            yield from self._qido(seen)
        return HTTP

    def _qido(self, seen: WebEvidence) -> _Plan:
        roots = qido_paths(tuple(f for answer in seen.answers for f in answer.fingerprints))
        while roots:
            probe = QidoConversation(
                self._caller(),
                roots,
                uid(self._questions.randomness),
                over_tls=seen.over_tls,
                patience=self._questions.patience,
            )
            yield self._ask(probe)
            seen = replace(seen, qido=(*seen.qido, *probe.answers))
            self._note(seen)
            roots = probe.remaining
            if not probe.answers:
                break
        return None

    # Making probes.

    def _web_probe(self, todo: tuple[str, ...], *, over_tls: bool) -> WebConversation:
        return WebConversation(self._caller(), todo, over_tls=over_tls, patience=self._questions.patience)

    def _inner_probe(self) -> AssociateConversation | WebConversation:
        if is_web(self.endpoint.port):
            return self._web_probe(paths(), over_tls=True)
        return self._questions.associate(self._called_ae, over_tls=True)

    def _caller(self) -> Caller:
        name = self.endpoint.name
        host = f"{name}:{self.endpoint.port}" if name else str(self.endpoint)
        return Caller(host, self._questions.user_agent)

    def _ask(self, probe: DicomConversation | HttpConversation) -> Conversation:
        return self._secure(probe) if probe.over_tls else probe

    def _secure(self, inner: Conversation | None) -> SecureConversation:
        alpn = ("http/1.1",) if isinstance(inner, HttpConversation) else ()
        return SecureConversation(
            inner, server_name=self.endpoint.name, alpn=alpn, patience=self._questions.patience
        )

    # Keeping evidence.

    def _left(self) -> int:
        return self._questions.connections - self.connections

    def _note(self, evidence: Evidence) -> None:
        self._noted()[evidence.probe] = evidence

    def _seen(self) -> tuple[Evidence, ...]:
        if self._notes is not None:
            return tuple(self._notes.values())
        return () if self.seen_from is None else (_OPEN,)

    def _noted(self) -> dict[str, Evidence]:
        """What was noted so far; whatever is noted was said over an open connection."""
        if self._notes is None:
            self._notes = {_OPEN.probe: _OPEN}
        return self._notes

    def _note_web(self, new: WebEvidence) -> None:
        old = self._noted().get("web")
        if isinstance(old, WebEvidence) and old.over_tls == new.over_tls and old.reply is Reply.ANSWERED:
            new = replace(
                old,
                answers=(*old.answers, *new.answers),
                server=old.server or new.server,
                software_version=old.software_version or new.software_version,
            )
        self._note(new)


def _is_busy(probe: AssociateConversation) -> bool:
    return probe.reject is not None and probe.reject[0] == 2


def _protocol_of(inner: AssociateConversation | WebConversation) -> str:
    return HTTP if isinstance(inner, WebConversation) else DICOM
