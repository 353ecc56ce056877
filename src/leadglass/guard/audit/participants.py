"""Who took part in an event: the person, the device, the guard and the archive (PS3.15 A.5.3).

A proxy tells both sides: who asked is the requestor, the guard is the application between, the archive
answers. Security alerts are different: the standard has nobody but the reporter, the guard, request
anything there (A.5.3.11).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from leadglass.guard.audit.codes import APPLICATION, CODES, DESTINATION, SOURCE, Code
from leadglass.guard.audit.events import AuditEvent, Happening, Node
from leadglass.model.access import Action, Kind

__all__ = ["GuardIdentity", "Participant", "participants"]

_WITHOUT_ARCHIVE = frozenset(
    {Happening.STARTED, Happening.STOPPED, Happening.LOGIN, Happening.LOGOUT, Happening.CONFIGURATION}
    | {Happening.AUDIT_USED, Happening.AUDIT_REPAIRED}
)
_INWARD = frozenset({Action.STORE, Action.STOW, Action.MPPS})
"""What brings something to the archive."""
_MOST_ROLES = 8


@dataclass(frozen=True, slots=True)
class GuardIdentity:
    """How this guard is called in messages, and the archive behind it."""

    name: str
    """AuditSourceID, and how its log names it."""
    host: str
    """Its fully qualified name, for the syslog header; its address if it has none."""
    titles: tuple[str, ...]
    """The AE titles that it answers to."""
    archive: Node
    address: str | None = None
    """One address of its machine, the same in all messages (A.5.2.4)."""
    site: str | None = None
    """AuditEnterpriseSiteID."""


@dataclass(frozen=True, slots=True)
class Participant:
    """One ActiveParticipant."""

    user_id: str
    titles: tuple[str, ...] = ()
    name: str | None = None
    is_requestor: bool = False
    roles: tuple[Code, ...] = ()
    address: str | None = None


def participants(event: AuditEvent, guard: GuardIdentity) -> tuple[Participant, ...]:
    """Everybody who took part; at most one of them is the requestor."""
    asking = tuple(_asking(event))
    is_alert = CODES[event.happening].is_alert
    if asking and not is_alert:
        asking = (replace(asking[0], is_requestor=True), *asking[1:])
    process = Participant(
        guard.name, guard.titles, "Leadglass guard", is_alert, (APPLICATION,), guard.address or guard.host
    )
    if event.happening in _WITHOUT_ARCHIVE:
        return (*asking, process)
    return (*_with_role(asking, event), process, *_answering(event, guard))


def _asking(event: AuditEvent) -> Iterator[Participant]:
    """The person first, then the device: whoever is first has asked."""
    who = event.who
    person = who.name if who is not None and who.kind is Kind.PERSON else event.claimed
    if person is not None and person != event.title:  # a title that was claimed is no person
        roles = sorted(who.roles)[:_MOST_ROLES] if who is not None else []
        held = tuple(Code(role, role, "99LEADGLASS") for role in roles)
        yield Participant(person, roles=held, address=event.address)
    device = event.device or (who.name if who is not None and who.kind is not Kind.PERSON else None)
    known_as = device or event.title or (event.address if person is None else None)
    if known_as is not None:
        titles = () if event.title is None else (event.title,)
        yield Participant(known_as, titles, device, address=event.address)


def _with_role(asking: tuple[Participant, ...], event: AuditEvent) -> tuple[Participant, ...]:
    """The device, or the person where no device is known, is one end of what happened."""
    if not asking or (event.destination is not None and _is_outward(event)):
        return asking
    last = asking[-1]
    role = DESTINATION if _is_outward(event) else SOURCE
    return (*asking[:-1], replace(last, roles=(role, *last.roles)))


def _answering(event: AuditEvent, guard: GuardIdentity) -> Iterator[Participant]:
    yield _node(guard.archive, SOURCE if _is_outward(event) else DESTINATION)
    if event.destination is not None and _is_outward(event):
        yield _node(event.destination, DESTINATION)


def _is_outward(event: AuditEvent) -> bool:
    """Whether instances leave the archive. A query goes there, whatever comes back."""
    is_transfer = event.happening in {Happening.TRANSFER_BEGUN, Happening.TRANSFERRED}
    return is_transfer and event.action not in _INWARD


def _node(node: Node, role: Code) -> Participant:
    return Participant(node.title, (node.title,), roles=(role,), address=node.address)
