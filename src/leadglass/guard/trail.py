"""What the guard's doors tell the audit, as things that happened to one client.

What is written before something is done may raise ``ResourceError``: what cannot be written down is
not done. What is written afterwards never raises: it is counted as lost, and the next thing that
somebody wants to do will meet the same error.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from leadglass.access.admission import Peer
from leadglass.errors import ResourceError
from leadglass.guard.audit.events import (
    AuditedStudy,
    AuditEvent,
    Happening,
    Node,
    Outcome,
    Patient,
    Query,
    SopClass,
)
from leadglass.guard.client import Client
from leadglass.model.access import Action, Kind, Study

__all__ = ["Diary", "Trail", "Writer"]

_MOST_STORED = 256
"""Studies of one association whose objects are still being counted; the one begun first is written down for another."""


class Writer(Protocol):
    """Where events go."""

    def __call__(self, event: AuditEvent, *, reserved: bool) -> None:
        """Write it down; ``ResourceError`` if that is impossible. ``reserved``: space kept for care may be used."""
        ...


class Trail:
    """Makes events out of what happens."""

    def __init__(self, write: Writer, posix: Callable[[], float], lost: Callable[[], None]) -> None:
        self._write = write
        self._posix = posix
        self._lost = lost

    def now(self) -> dt.datetime:
        """The moment."""
        return dt.datetime.fromtimestamp(self._posix(), tz=dt.UTC)

    def before(self, event: AuditEvent, *, reserved: bool = False) -> None:
        """Write down what is going to be done; ``ResourceError`` if that is impossible."""
        self._write(event, reserved=reserved)

    def after(self, event: AuditEvent, *, reserved: bool = False) -> None:
        """Write down what was done."""
        try:
            self._write(event, reserved=reserved)
        except ResourceError:
            self._lost()

    def stranger(self, peer: Peer, why: str) -> None:
        """Somebody was not let in before it said anything: the handshake failed."""
        self.after(
            AuditEvent(
                Happening.ASSOCIATION,
                self.now(),
                Outcome.MINOR,
                address=peer.address,
                certificate=peer.certificate,
                reason=why,
            )
        )

    def turned_away(self, peer: Peer, calling: str, called: str, why: str, rule: str) -> None:
        """An association was rejected, or a web request refused for who sent it."""
        self.after(
            AuditEvent(
                Happening.ASSOCIATION,
                self.now(),
                Outcome.SERIOUS,
                claimed=calling or None,
                title=calling or None,
                called=called or None,
                address=peer.address,
                certificate=peer.certificate,
                reason=why,
                rules=(rule,),
            )
        )

    def disbelieved(
        self, peer: Peer, titles: tuple[str, str], why: str, rule: str, *, device: str, person: str | None
    ) -> None:
        """``device`` was let in, and the person was not who it said; ``titles`` are the calling and the called one."""
        self.after(
            AuditEvent(
                Happening.LOGIN,
                self.now(),
                Outcome.SERIOUS,
                claimed=person,
                device=device,
                title=titles[0] or None,
                called=titles[1],
                address=peer.address,
                certificate=peer.certificate,
                reason=why,
                rules=(rule,),
            )
        )


@dataclass(slots=True)
class _Stored:
    study: Study
    classes: dict[str, int] = field(default_factory=dict)
    octets: int = 0


class Diary:
    """The trail of one client."""

    def __init__(
        self,
        trail: Trail,
        client: Client,
        care: Callable[[Action], bool],
        emergency: Callable[[], str | None],
    ) -> None:
        """``care``: whether an action may use reserved space; ``emergency``: the reason of a break-glass."""
        self._trail = trail
        self._client = client
        self._care = care
        self._emergency = emergency
        self._stored: dict[str, _Stored] = {}

    def begun(self, offered: Iterable[Action]) -> None:
        """The association is accepted, for what is ``offered``: an echo alone is not worth the reserve."""
        any_care = any(self._care(action) for action in offered if action is not Action.ECHO)
        self._trail.before(self._event(Happening.ASSOCIATION), reserved=any_care)
        if self._client.principal.kind is Kind.PERSON:
            self._trail.before(self._event(Happening.LOGIN), reserved=any_care)

    def asked(self, action: Action) -> None:
        """A service is used that is about no study that could be named: commitment, procedure steps."""
        if action is not Action.ECHO:
            self._trail.before(self._event(Happening.ACCESSED, action), reserved=self._care(action))

    def queried(self, action: Action, sop_class: str, identifier: bytes, syntax: str | None) -> None:
        """A query is about to be asked."""
        event = self._event(Happening.QUERY, action, query=Query(sop_class, identifier, syntax))
        self._trail.before(event, reserved=self._care(action))

    def retrieving(self, action: Action, studies: Sequence[Study], destination: str | None) -> None:
        """Studies are about to be sent."""
        event = self._transfer(Happening.TRANSFER_BEGUN, action, studies, destination)
        self._trail.before(event, reserved=self._care(action))

    def retrieved(self, action: Action, studies: Sequence[Study], destination: str | None, why: str) -> None:
        """They were sent, or not all of them."""
        event = self._transfer(Happening.TRANSFERRED, action, studies, destination, why)
        self._trail.after(event, reserved=self._care(action))

    def storing(self, action: Action, study: Study) -> None:
        """An object of a study comes: the first one is written down."""
        if study.study_instance_uid in self._stored:
            return
        event = self._transfer(Happening.TRANSFER_BEGUN, action, [study], None)
        self._trail.before(event, reserved=self._care(action))
        if len(self._stored) >= _MOST_STORED:
            self._tell_stored(self._stored.pop(next(iter(self._stored))))
        self._stored[study.study_instance_uid] = _Stored(study)

    def stored(self, study: Study, sop_class: str, octets: int) -> None:
        """The archive has it."""
        stored = self._stored.setdefault(study.study_instance_uid, _Stored(study))
        stored.classes[sop_class] = stored.classes.get(sop_class, 0) + 1
        stored.octets += octets

    def refused(
        self, action: Action | None, why: str, rules: Sequence[str], studies: Sequence[Study] = ()
    ) -> None:
        """It asked for what it may not have."""
        self._trail.after(
            self._event(
                Happening.REFUSED,
                action,
                outcome=Outcome.SERIOUS,
                reason=why,
                rules=tuple(rules),
                studies=tuple(map(_audited, studies)),
            )
        )

    def failed(self, action: Action | None, why: str) -> None:
        """It asked for what could not be done."""
        self._trail.after(self._event(Happening.REFUSED, action, outcome=Outcome.MAJOR, reason=why))

    def ended(self, why: str) -> None:
        """The association is over: what was stored in it is written down."""
        for stored in self._stored.values():
            self._tell_stored(stored)
        self._stored.clear()
        if self._client.principal.kind is Kind.PERSON:
            self._trail.after(self._event(Happening.LOGOUT, reason=why or None))

    def _tell_stored(self, stored: _Stored) -> None:
        if stored.classes:
            self._trail.after(self._all_stored(stored), reserved=self._care(Action.STORE))

    def _all_stored(self, stored: _Stored) -> AuditEvent:
        classes = tuple(SopClass(uid, count) for uid, count in sorted(stored.classes.items()))
        event = self._transfer(Happening.TRANSFERRED, Action.STORE, [stored.study], None)
        return replace(event, studies=(replace(event.studies[0], sop_classes=classes),), octets=stored.octets)

    def _transfer(
        self,
        happening: Happening,
        action: Action,
        studies: Sequence[Study],
        destination: str | None,
        why: str = "",
    ) -> AuditEvent:
        return self._event(
            happening,
            action,
            outcome=Outcome.MINOR if why else Outcome.SUCCESS,
            reason=why or None,
            studies=tuple(map(_audited, studies)),
            destination=None if destination is None else Node(destination),
        )

    def _event(self, happening: Happening, action: Action | None = None, **more: Any) -> AuditEvent:
        client = self._client
        return AuditEvent(
            happening,
            self._trail.now(),
            action=action,
            who=client.principal,
            device=client.enrolled.name,
            title=client.calling or None,
            called=client.called,
            address=client.peer.address,
            certificate=client.peer.certificate,
            emergency=self._emergency(),
            **more,
        )


def _audited(study: Study) -> AuditedStudy:
    patient = None if study.patient_id is None else Patient(study.patient_id)
    return AuditedStudy(study.study_instance_uid, patient, study.accession_number)
