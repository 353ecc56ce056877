"""Events as the chain keeps them: JSON without what is not known, and back again.

Texts are cut at a length, and cleaned of what UTF-8 cannot hold; nothing else is done to what a peer
chose. Every body fits into an entry, whatever is in the event (``ledger.chain.LONGEST_LINE``).
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import functools
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from operator import attrgetter
from typing import Any

from leadglass.errors import RemoteProtocolError
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
from leadglass.guard.audit.portions import packed
from leadglass.ledger.canonical import Json
from leadglass.ledger.chain import stamp
from leadglass.model.access import Action, Kind, Principal

__all__ = ["LONGEST_IDENTIFIER", "event_of", "to_bodies"]

LONGEST_IDENTIFIER = 1 << 16
"""Octets of a query's identifier; of a longer one the beginning is kept, and its length."""

_TEXT = 512
_WORD = 128
_UID = 64
_PERSON_NAME = 324
"""Characters. A person's name has three groups of five components in 64 characters (PS3.5 6.2.1)."""
_MOST = 100
"""Studies with their classes and instances, and patients, in one body. More make several bodies."""
_MOST_WORDS = 32
"""Roles, and rules."""

_TEXTS = ("claimed", "device", "title", "called", "address", "certificate", "reason", "emergency", "resource")
_COUNTS = ("matches", "octets")
_texts_of, _counts_of = attrgetter(*_TEXTS), attrgetter(*_COUNTS)


def to_bodies(event: AuditEvent) -> tuple[dict[str, Json], ...]:
    """``event`` as the bodies of entries: one, or several if it names many studies, instances or patients."""
    common = _common(event)
    if not event.studies and not event.patients:
        return (common,)
    studies = tuple(packed(event.studies, _MOST, _weight))
    patients = tuple(event.patients[at : at + _MOST] for at in range(0, len(event.patients), _MOST))
    return tuple(
        common | _listed("studies", map(_study, some)) | _listed("patients", map(_patient, others))
        for some, others in zip_longest(studies, patients, fillvalue=())
    )


def event_of(body: Mapping[str, Any]) -> AuditEvent:
    """The event that ``body`` tells; ``RemoteProtocolError`` if that is none."""
    try:
        return _read_event(body)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, binascii.Error) as error:
        raise RemoteProtocolError("this entry of the audit trail tells no event") from error


# ---- writing


def _common(event: AuditEvent) -> dict[str, Json]:
    body: dict[str, Json] = {
        "happening": event.happening.value,
        "outcome": int(event.outcome),
        "time": stamp(event.at),
    }
    for name, text in zip(_TEXTS, _texts_of(event), strict=True):
        if text is not None:
            body[name] = text if len(text) <= _TEXT and text.isascii() else _text(text)
    body |= {name: count for name, count in zip(_COUNTS, _counts_of(event), strict=True) if count is not None}
    if event.action is not None:
        body["action"] = event.action.value
    if event.who is not None:
        body["who"] = _principal(event.who)
    if event.rules:
        body["rules"] = _words(event.rules)
    if event.query is not None:
        body["query"] = _query(event.query)
    if event.destination is not None:
        body["destination"] = _known(title=event.destination.title, address=event.destination.address)
    return body


def _listed(name: str, items: Iterable[Json]) -> dict[str, Json]:
    listed = list(items)
    return {name: listed} if listed else {}


def _text(value: str, most: int = _TEXT) -> str:
    cut = value if len(value) <= most else f"{value[: most - 3]}..."
    return cut if cut.isascii() else cut.encode(errors="replace").decode()


def _words(values: Sequence[str]) -> list[Json]:
    return [_text(value, _WORD) for value in values[:_MOST_WORDS]]


def _known(most: int = _WORD, **values: str | None) -> dict[str, Json]:
    return {name: _text(value, most) for name, value in values.items() if value is not None}


def _principal(who: Principal) -> Mapping[str, Json]:
    return _named(who.kind, who.name, who.roles)


@functools.lru_cache(maxsize=256)
def _named(kind: Kind, name: str, roles: frozenset[str]) -> Mapping[str, Json]:
    cut = sorted({_text(role, _WORD) for role in roles})
    return {"kind": kind.value, "name": _text(name), "roles": _words(cut)}


def _patient(patient: Patient) -> dict[str, Json]:
    return _known(id=patient.id) | _known(_PERSON_NAME, name=patient.name)


def _query(query: Query) -> dict[str, Json]:
    identifier = base64.b64encode(query.identifier[:LONGEST_IDENTIFIER]).decode()
    kept: dict[str, Json] = {"identifier": identifier, "sop_class": _text(query.sop_class, _WORD)}
    if query.transfer_syntax is not None:
        kept["transfer_syntax"] = _text(query.transfer_syntax, _WORD)
    length = query.length or len(query.identifier)
    return {**kept, "length": length} if length > LONGEST_IDENTIFIER else kept


def _weight(piece: AuditedStudy) -> int:
    return 1 + sum(1 + len(one.uids) for one in piece.sop_classes)


def _study(study: AuditedStudy) -> dict[str, Json]:
    kept = _known(_UID, uid=study.study_instance_uid, accession_number=study.accession_number)
    if study.patient is not None:
        kept["patient"] = _patient(study.patient)
    return kept | _listed("sop_classes", map(_sop_class, study.sop_classes))


def _sop_class(one: SopClass) -> dict[str, Json]:
    kept: dict[str, Json] = {"uid": _text(one.uid, _UID), "instances": one.instances}
    return kept | _listed("uids", (_text(uid, _UID) for uid in one.uids))


# ---- reading


def _read_event(body: Mapping[str, Any]) -> AuditEvent:
    who, query, destination = body.get("who"), body.get("query"), body.get("destination")
    counts: dict[str, Any] = {name: _count(body[name]) for name in _COUNTS if name in body}
    return AuditEvent(
        happening=Happening(body["happening"]),
        at=_moment(body["time"]),
        outcome=Outcome(body["outcome"]),
        action=Action(body["action"]) if "action" in body else None,
        who=None if who is None else _read_principal(who),
        studies=tuple(map(_read_study, body.get("studies", ()))),
        patients=tuple(map(_read_patient, body.get("patients", ()))),
        query=None if query is None else _read_query(query),
        destination=None if destination is None else Node(**_strings(destination)),
        rules=_string_tuple(body.get("rules", ())),
        **_strings({name: body[name] for name in _TEXTS if name in body}),
        **counts,
    )


def _read_principal(kept: Mapping[str, Any]) -> Principal:
    return Principal(Kind(kept["kind"]), _string(kept["name"]), frozenset(_string_tuple(kept["roles"])))


def _read_study(kept: Mapping[str, Any]) -> AuditedStudy:
    patient = kept.get("patient")
    return AuditedStudy(
        _string(kept["uid"]),
        None if patient is None else _read_patient(patient),
        _string(kept["accession_number"]) if "accession_number" in kept else None,
        tuple(
            SopClass(_string(one["uid"]), _count(one["instances"]), _string_tuple(one.get("uids", ())))
            for one in kept.get("sop_classes", ())
        ),
    )


def _read_patient(kept: Mapping[str, Any]) -> Patient:
    return Patient(**_strings(kept))


def _read_query(kept: Mapping[str, Any]) -> Query:
    syntax = kept.get("transfer_syntax")
    identifier = base64.b64decode(kept["identifier"], validate=True)
    length = _count(kept["length"]) if "length" in kept else None
    return Query(_string(kept["sop_class"]), identifier, None if syntax is None else _string(syntax), length)


def _moment(value: Any) -> dt.datetime:
    moment = dt.datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(value)
    return moment.astimezone(dt.UTC)


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(type(value))
    return value


def _strings(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _string(value) for name, value in values.items()}


def _string_tuple(values: Sequence[Any]) -> tuple[str, ...]:
    return tuple(map(_string, values))


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(value)
    return value
