"""What the DICOMweb door needs from the rest of the guard, and what it is told about itself.

A ``Ports`` object is made for one connection, so that it knows from where and with which certificate
the client came. Nothing here waits but the methods that say so.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from leadglass.access.identity import IdentityRefusal
from leadglass.guard.dicomweb.paths import Request, Roots
from leadglass.guard.studies import Unknown
from leadglass.model.access import Action, Decision, Principal, Resource, Study

__all__ = ["Door", "Ports"]


@dataclass(frozen=True, slots=True)
class Door:
    """The door as it was configured."""

    public: str
    """The URL of DICOMweb as clients know it, without a slash at the end: ``https://guard.example/dicom-web``."""
    authorities: frozenset[str]
    """What clients may call us, in lower case, with port where it is not the scheme's own."""
    host: str
    """The archive's name and port, as its own Host header has it."""
    title: str
    """The archive's AE title: policies know its services by it."""
    own: Roots
    """Where clients find the services."""
    archive: Roots
    """Where they are at the archive."""
    largest_body: int = 4 * 1024 * 1024 * 1024
    """Bytes in one STOW-RS request."""
    workitems: bool = False
    """Whether UPS-RS is carried at all, where a policy permits it."""


class Ports(Protocol):
    """The rest of the guard, to one connection.

    Any method may raise a ``LeadglassError``: what cannot be known, counted or written down is refused.
    """

    async def person(self, authorization: str | None) -> Principal | IdentityRefusal:
        """Who asks, by the Authorization header and the connection's certificate."""
        ...

    def decide(self, principal: Principal, action: Action, resource: Resource) -> Decision:
        """What the policy says, here and now."""
        ...

    def needed(self, principal: Principal, action: Action) -> frozenset[str]:
        """The attributes of ``Study`` that can decide."""
        ...

    def known(self, uid: str) -> Study | Unknown | None:
        """What is remembered of a study; None: that there is none."""
        ...

    async def study(self, uid: str) -> Study | None:
        """What the archive knows of a study; None: there is none."""
        ...

    async def contains(self, study: str, series: str, instance: str) -> bool:
        """Whether the series (and, unless empty, the instance) is one of the study's."""
        ...

    def stored(self, study: Study) -> None:
        """The archive took an object: what was remembered of its study may be out of date."""
        ...

    def spend(self, principal: Principal, kind: str, what: int | str) -> bool:
        """Take from a budget; False: there is not enough left. ``what`` is an amount, a patient or a study."""
        ...

    def mint(self) -> str:
        """A new UID that names nothing (2.25., PS3.5 B.2)."""
        ...

    def posix(self) -> float:
        """POSIX seconds."""
        ...

    # What is written down.

    def unknown(self, request: Request | None, refusal: IdentityRefusal) -> None:
        """Somebody asked who is not believed."""
        ...

    def refused(
        self, principal: Principal | None, request: Request | None, status: int, why: str, rule: str
    ) -> None:
        """A request was refused with an HTTP status."""
        ...

    def searching(self, principal: Principal, request: Request) -> None:
        """A permitted search is about to be put to the archive."""
        ...

    def retrieving(self, principal: Principal, request: Request, study: Study) -> None:
        """A permitted retrieval is about to be put to the archive."""
        ...

    def retrieved(self, principal: Principal, request: Request, study: Study, size: int, why: str) -> None:
        """It is over, after ``size`` bytes; ``why`` is empty when it is complete."""
        ...

    def storing(self, principal: Principal, request: Request, study: Study) -> None:
        """A permitted object is about to be put to the archive."""
        ...

    def kept(self, principal: Principal, request: Request, studies: Collection[Study], why: str) -> None:
        """The archive has answered for all objects of one request; ``why`` is empty when it took them."""
        ...

    def managing(self, principal: Principal, request: Request) -> None:
        """A permitted UPS-RS request is about to be put to the archive."""
        ...
