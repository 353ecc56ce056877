"""The table of the lab: who is served, and the truth about each, by which every verdict can be judged.

A persona is a host of its own with one or more services. Its truth was written from what the server is
made to do, before any scanner looked; a test compares the two, and so does ``leadglass demo``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from leadglass.lab.broken import Breakage
from leadglass.lab.dicom import RETRIEVE, STORAGE, Manners, OnQuery, OnStore
from leadglass.lab.fiction import Cast
from leadglass.lab.secure import Lock
from leadglass.lab.web import Site
from leadglass.model.rung import Rung
from leadglass.model.verdict import Access, Kind, State
from leadglass.wire import uids
from leadglass.wire.pdu import UserInformation

__all__ = ["PERSONAS", "Behaviour", "Holding", "Persona", "Service", "Truth"]

Behaviour: TypeAlias = Manners | Site | Breakage


@dataclass(frozen=True, slots=True)
class Truth:
    """What an honest scanner must say of one service, at each rung that it may be asked at."""

    associate: Access
    negotiate: Access
    blank_query: Access
    capabilities: Mapping[str, State] = field(default_factory=dict)
    """At the deepest rung, by the names of ``model.verdict.Capabilities``; only those that matter."""

    def at(self, rung: Rung) -> Access:
        """The access word at ``associate`` or deeper."""
        words = {Rung.ASSOCIATE: self.associate, Rung.NEGOTIATE: self.negotiate}
        return words.get(rung, self.blank_query)

    def differences(self, rung: Rung, access: Access, states: Mapping[str, State]) -> tuple[str, ...]:
        """Where a verdict at ``rung`` differs from the truth, in words; empty if it does not.

        ``states`` are the capabilities by the names of ``model.verdict.Capabilities``. They are compared at
        ``blank-query`` only: before that, most of them are honestly untested.
        """
        found = [] if access is self.at(rung) else [f"the verdict is {access}, the truth is {self.at(rung)}"]
        if rung >= Rung.BLANK_QUERY:
            found.extend(
                f"{name} is said to be {states[name]}, the truth is {state}"
                for name, state in self.capabilities.items()
                if states[name] is not state
            )
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Service:
    """One port of a persona."""

    port: int
    """The usual one of such a product; none below 1024, which would need root."""
    behaviour: Behaviour
    truth: Truth
    lock: Lock | None = None
    """TLS around it."""
    delay: float = 0.0
    """Seconds by which everything it does comes late."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What an archive holds."""

    cast: Cast
    patients: int


@dataclass(frozen=True, slots=True)
class Persona:
    """One host."""

    name: str
    story: str
    """One sentence for people."""
    services: tuple[Service, ...]
    kind: Kind = Kind.CLINICAL
    """What it plays; below the ``sample`` rung hardly any of it can be seen."""
    holds: Holding | None = None


_QUERY = frozenset({uids.PATIENT_ROOT_FIND, uids.STUDY_ROOT_FIND})
_ARCHIVE = Manners(grants=_QUERY | RETRIEVE | STORAGE)
_DCMTK = UserInformation(
    maximum_length=16384,
    implementation_class_uid="1.2.276.0.7230010.3.0.3.6.7",
    implementation_version_name="OFFIS_DCMTK_367",
)
_PEOPLE = Holding(Cast.PEOPLE, 12)

_A = Access
_S = State


def _always(access: Access, **capabilities: State) -> Truth:
    return Truth(access, access, access, capabilities)


_OPEN = Truth(
    _A.ASSOCIATES,
    _A.OFFERS_QUERY,
    _A.ANSWERS_QUERY,
    {
        "associate": _S.PROVED,
        "verification": _S.PROVED,
        "query": _S.PROVED,
        "retrieve": _S.GRANTED,
        "storage": _S.GRANTED,
        "worklist": _S.ABSENT,
    },
)
_LOCKED = _always(_A.DEMANDS_CERTIFICATE)
_TITLE = _always(_A.WANTS_TITLE, associate=_S.REFUSED)
_UNCLEAR = _always(_A.INCONCLUSIVE)

_OPEN_ONES = (
    Persona(
        "open-archive",
        "Answers the query of anybody who asks, as archives do that were meant for the inside.",
        (Service(11112, _ARCHIVE, _OPEN),),
        holds=_PEOPLE,
    ),
    Persona(
        "empty-archive",
        "As open as the first, but holds nothing yet: an answered query proves no patients.",
        (Service(11112, _ARCHIVE, _OPEN),),
        kind=Kind.EXPERIMENTAL,
    ),
    Persona(
        "orthanc-like",
        "Grants query services to a stranger and aborts when one is used; takes images from anybody.",
        (
            Service(
                4242,
                Manners(
                    grants=_QUERY | RETRIEVE | STORAGE | {uids.STORAGE_COMMITMENT},
                    on_query=OnQuery.ABORT,
                    information=_DCMTK,
                    title="ORTHANC",
                ),
                Truth(
                    _A.ASSOCIATES,
                    _A.OFFERS_QUERY,
                    _A.OFFERS_STORAGE,
                    {"query": _S.REFUSED, "storage": _S.GRANTED, "worklist": _S.ABSENT},
                ),
            ),
            Service(8042, Site.ORTHANC_LOGIN, _always(_A.DEMANDS_LOGIN, web_api=_S.REFUSED)),
        ),
        holds=_PEOPLE,
    ),
    Persona(
        "orthanc-web-open",
        "An Orthanc whose login was switched off for a viewer: its REST interface tells everything.",
        (
            Service(
                8042,
                Site.ORTHANC,
                _always(_A.ANSWERS_QUERY, web_api=_S.PROVED, web_query=_S.PROVED),
            ),
        ),
        holds=_PEOPLE,
    ),
    Persona(
        "dicomweb-open",
        "A DICOMweb server without login; only a search shows that it is one.",
        (
            Service(
                8080,
                Site.DICOMWEB,
                Truth(_A.NOT_DICOM, _A.NOT_DICOM, _A.ANSWERS_QUERY, {"web_query": _S.PROVED}),
            ),
        ),
        holds=_PEOPLE,
    ),
    Persona(
        "ignores-keys",
        "Returns every record whatever is asked, and does not stop when told to.",
        (
            Service(
                11112,
                Manners(grants=_QUERY, on_query=OnQuery.STREAM),
                Truth(_A.ASSOCIATES, _A.OFFERS_QUERY, _A.ANSWERS_QUERY, {"query": _S.PROVED}),
            ),
        ),
        holds=_PEOPLE,
    ),
    Persona(
        "slow",
        "An open archive that takes two seconds for everything.",
        (Service(11112, _ARCHIVE, _OPEN, delay=2.0),),
        holds=_PEOPLE,
    ),
    Persona(
        "lock-beside-open-door",
        "Mutual TLS on one port, and the same archive without it on another.",
        (
            Service(2762, _ARCHIVE, _LOCKED, lock=Lock.MUTUAL_13),
            Service(11112, _ARCHIVE, _OPEN),
        ),
        holds=_PEOPLE,
    ),
    Persona(
        "retired-tls",
        "Encrypts, but as it was done in 1999, and asks nobody for a certificate.",
        (Service(2762, _ARCHIVE, _OPEN, lock=Lock.RETIRED),),
        holds=_PEOPLE,
    ),
)

_NOT_PATIENTS = (
    Persona(
        "veterinary",
        "An open archive of an animal clinic; the owners' names are in it.",
        (Service(11112, _ARCHIVE, _OPEN),),
        kind=Kind.NON_HUMAN,
        holds=Holding(Cast.ANIMALS, 12),
    ),
    Persona(
        "demonstration",
        "An open archive that a sales department shows to customers.",
        (Service(11112, _ARCHIVE, _OPEN),),
        kind=Kind.DEMO,
        holds=Holding(Cast.DEMONSTRATION, 12),
    ),
    Persona(
        "honeypot",
        "A trap: says nothing of its software and grants everything, even a service nobody invented.",
        (
            Service(
                11112,
                Manners(
                    grants_everything=True,
                    on_store=OnStore.REFUSE,
                    information=UserInformation(maximum_length=16384),
                    title="RADIANT",
                ),
                Truth(_A.ASSOCIATES, _A.OFFERS_QUERY, _A.ANSWERS_QUERY, {"query": _S.PROVED}),
            ),
        ),
        kind=Kind.HONEYPOT,
        holds=_PEOPLE,
    ),
)

_LIMITED = (
    Persona(
        "storage-only",
        "Takes images from anybody and answers no queries.",
        (
            Service(
                11112,
                Manners(grants=STORAGE, information=_DCMTK),
                Truth(
                    _A.ASSOCIATES,
                    _A.OFFERS_STORAGE,
                    _A.OFFERS_STORAGE,
                    {"storage": _S.GRANTED, "query": _S.ABSENT, "retrieve": _S.ABSENT},
                ),
            ),
        ),
    ),
    Persona(
        "worklist-only",
        "Tells scanners whom to examine next: patients' names, if it were asked, which it is not.",
        (
            Service(
                11112,
                Manners(grants=frozenset({uids.MODALITY_WORKLIST_FIND}), title="RIS"),
                Truth(
                    _A.ASSOCIATES,
                    _A.OFFERS_QUERY,
                    _A.OFFERS_QUERY,
                    {"worklist": _S.GRANTED, "query": _S.ABSENT, "storage": _S.ABSENT},
                ),
            ),
        ),
        holds=_PEOPLE,
    ),
    Persona(
        "verification-only",
        "Says that it is alive, and nothing else.",
        (
            Service(
                11112,
                Manners(),
                Truth(
                    _A.ASSOCIATES,
                    _A.VERIFICATION_ONLY,
                    _A.VERIFICATION_ONLY,
                    {"verification": _S.PROVED, "query": _S.ABSENT, "storage": _S.ABSENT},
                ),
            ),
        ),
    ),
)

_GUARDED = (
    Persona(
        "caller-refused",
        "Talks only to callers whose title it knows; a title is a name, not a proof.",
        (Service(11112, Manners(grants=_QUERY | STORAGE, wants_calling="CT-ROOM-1"), _TITLE),),
        holds=_PEOPLE,
    ),
    Persona(
        "called-title-refused",
        "Answers only to its own title; whoever learns it is in.",
        (Service(11112, Manners(grants=_QUERY | STORAGE, wants_called="ARCHIVE-WEST"), _TITLE),),
        holds=_PEOPLE,
    ),
    Persona(
        "dicomweb-login",
        "A DICOMweb server that wants a token.",
        (Service(8080, Site.DICOMWEB_LOGIN, _always(_A.DEMANDS_LOGIN)),),
        holds=_PEOPLE,
    ),
    Persona(
        "mutual-tls-1.2",
        "Lets nobody in without a client certificate, and says so within the handshake.",
        (Service(2762, _ARCHIVE, _LOCKED, lock=Lock.MUTUAL_12),),
        holds=_PEOPLE,
    ),
    Persona(
        "mutual-tls-1.3",
        "The same with TLS 1.3, where the refusal comes only after the handshake.",
        (Service(2762, _ARCHIVE, _LOCKED, lock=Lock.MUTUAL_13),),
        holds=_PEOPLE,
    ),
)

_OTHERS = (
    Persona(
        "yes-man-web",
        "A web application that answers 200 and the same page to every path, DICOM's too.",
        (Service(8080, Site.YES_MAN, _always(_A.NOT_DICOM)),),
    ),
    Persona(
        "busy",
        "Has no association to spare, today or ever.",
        (Service(11112, Manners(reject=(2, 3, 1)), _UNCLEAR),),
    ),
    Persona(
        "half-pdu",
        "Begins an answer and falls silent.",
        (Service(11112, Breakage.HALF_PDU, _UNCLEAR),),
        kind=Kind.EXPERIMENTAL,
    ),
    Persona(
        "endless-pdu",
        "Announces an answer of four gigabytes and keeps sending.",
        (Service(11112, Breakage.ENDLESS_PDU, _UNCLEAR),),
        kind=Kind.EXPERIMENTAL,
    ),
    Persona(
        "garbage",
        "Answers with bytes of no protocol.",
        (Service(11112, Breakage.GARBAGE, _UNCLEAR),),
        kind=Kind.EXPERIMENTAL,
    ),
    Persona(
        "wrong-length",
        "Answers with an item that claims to be longer than its message.",
        (Service(11112, Breakage.WRONG_LENGTH, _UNCLEAR),),
        kind=Kind.EXPERIMENTAL,
    ),
    Persona(
        "reset",
        "Slams the door at the first word.",
        (Service(11112, Breakage.RESET, _UNCLEAR),),
        kind=Kind.EXPERIMENTAL,
    ),
)

PERSONAS: tuple[Persona, ...] = (*_OPEN_ONES, *_NOT_PATIENTS, *_LIMITED, *_GUARDED, *_OTHERS)
"""In the order of their addresses."""
