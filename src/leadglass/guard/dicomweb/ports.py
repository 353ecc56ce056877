"""What the DICOMweb door needs from the rest of the guard, and what it is told about itself.

A ``Ports`` object is made for one connection, so that it knows from where and with which certificate
the client came. Nothing here waits but the methods that say so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from leadglass.access.budgets import Measure
from leadglass.access.identity import IdentityRefusal
from leadglass.guard.client import Client
from leadglass.guard.dicomweb.paths import Request, Roots
from leadglass.guard.studies import Unknown
from leadglass.model.access import Action, Decision, Resource, Study

__all__ = ["Door", "Ports"]


@dataclass(frozen=True, slots=True)
class Door:
    """The door as it was configured."""

    public: str
    """The URL of DICOMweb as clients know it, without a slash at the end: ``https://guard.example/dicom-web``."""
    authorities: frozenset[str]
    """What clients may call us in Host headers, in lower case."""
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
    silence: float = 60.0
    """Seconds that a connection may last without a request."""
    origins: frozenset[str] = frozenset()
    """Whose pages may read answers in a browser, as Origin names them."""
    login: str | None = field(default=None, repr=False)
    """The Authorization header that the archive wants of the guard itself; None: it wants none."""
    workitems: bool = False
    """Whether UPS-RS is carried at all, where a policy permits it."""


class Ports(Protocol):
    """The rest of the guard, to one connection.

    Any method may raise a ``LeadglassError``: what cannot be known, counted or written down is refused.
    """

    def remembered(self, authorization: str | None) -> Client | None:
        """Who asked last, if the same header is still good for the same answer."""
        ...

    async def person(self, authorization: str | None) -> Client | IdentityRefusal:
        """Who asks, by the Authorization header and the connection's certificate."""
        ...

    def decide(self, client: Client, action: Action, resource: Resource) -> Decision:
        """What the policy says, here and now."""
        ...

    def needed(self, client: Client, action: Action) -> frozenset[str]:
        """The attributes of ``Study`` that can decide."""
        ...

    def known(self, uid: str) -> Study | Unknown | None:
        """What is remembered of a study; None: that there is none."""
        ...

    async def study(self, uid: str) -> Study | None:
        """What the archive knows of a study; None: there is none."""
        ...

    def member(self, study: str, series: str, instance: str) -> bool:
        """Whether ``contains`` has said so a short while ago."""
        ...

    async def contains(self, study: str, series: str, instance: str) -> bool:
        """Whether the series (and, unless empty, the instance) is one of the study's."""
        ...

    def spend(self, client: Client, measure: Measure, what: int | str) -> bool:
        """Take from a budget; False: there is not enough left. ``what`` is an amount, a patient or a study."""
        ...

    def left(self, client: Client, measure: Measure) -> bool:
        """Whether anything is left of a budget."""
        ...

    def spent(self, client: Client, measure: Measure, amount: int) -> None:
        """Count what has been had already."""
        ...

    def mint(self) -> str:
        """A new UID that names nothing (2.25., PS3.5 B.2)."""
        ...

    def posix(self) -> float:
        """POSIX seconds."""
        ...

    # What is written down. What is told before something is done may raise; then it is not done.

    def unknown(self, refusal: IdentityRefusal) -> None:
        """Somebody asked who is not believed."""
        ...

    def refused(self, client: Client | None, request: Request | None, why: str, rule: str) -> None:
        """Something was refused, or could not be done."""
        ...

    def searching(self, client: Client, request: Request, target: str) -> None:
        """A search is about to be put to the archive; ``target`` is what the client asked for."""
        ...

    def retrieving(self, client: Client, study: Study) -> None:
        """A permitted retrieval is about to be put to the archive."""
        ...

    def retrieved(self, client: Client, study: Study, size: int, why: str) -> None:
        """It is over, after ``size`` bytes; ``why`` is empty when it is complete."""
        ...

    def storing(self, client: Client, study: Study) -> None:
        """A permitted object is about to be put to the archive."""
        ...

    def stored(self, client: Client, study: Study, sop_class: str, size: int) -> None:
        """The archive has it."""
        ...

    def managing(self, client: Client, request: Request) -> None:
        """A permitted UPS-RS request is about to be put to the archive."""
        ...
