"""What the register's routes take and tell."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Annotated, Literal

from pydantic import Field

from leadglass.model.register import Level, Management, Outcome, SystemKind, Treatment
from leadglass.model.verdict import Severity
from leadglass.web.api.answering import Asked, Item, Line, Name

__all__ = [
    "DisagreementItem",
    "Disagreements",
    "DossierAsked",
    "Due",
    "DueAsked",
    "DueItem",
    "Form",
    "HeadItem",
    "ManagerItem",
    "Profiles",
    "ProfilesAsked",
    "RequirementItem",
    "ReviewBody",
    "ReviewItem",
    "Reviews",
    "RiskBody",
    "RiskItem",
    "Risks",
    "StandingItem",
    "Standings",
    "SystemBody",
    "SystemItem",
    "Systems",
    "SystemsAsked",
    "Verified",
    "WholeSystem",
    "WhyAsked",
]

Place = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,253}$")]
"""An address, or a name."""
_Lines = Annotated[list[Line], Field(max_length=200)]


class ManagerItem(Item, Asked):
    """Who looks after a system, and under which agreement."""

    kind: Management
    name: Line = ""
    agreement: Line = ""
    until: dt.date | None = None


class SystemBody(Item, Asked):
    """What is declared of a system."""

    kind: SystemKind = SystemKind.SERVER
    owner: Line = Field("", examples=["Radiology"])
    manager: ManagerItem | None = None
    location: Line = ""
    addresses: Annotated[list[Place], Field(max_length=200)] = Field([], examples=[["192.0.2.10"]])
    ports: list[Annotated[int, Field(ge=1, le=65535)]] = Field([], max_length=200, examples=[[11112]])
    titles: list[Annotated[str, Field(pattern=r"^[ -\[\]-~]{1,16}$")]] = Field([], max_length=50)
    zones: _Lines = Field([])
    peers: _Lines = Field([])
    data: _Lines = Field([])
    controls: _Lines = Field([])
    note: Line = ""
    retired: dt.date | None = None


class SystemItem(SystemBody):
    """One imaging system, as it is declared."""

    name: Name


class ReviewBody(Item, Asked):
    """Somebody looked at a system's controls."""

    on: dt.date
    reviewer: Line = Field(min_length=1)
    outcome: Outcome
    next: dt.date | None = None
    note: Line = ""


class ReviewItem(ReviewBody):
    """A review."""

    system: str


class Reviews(Item):
    """Of one system."""

    rows: list[ReviewItem]


class RiskBody(Item, Asked):
    """One risk, in the words of NIST SP 800-30."""

    system: Name
    threat: Line
    vulnerability: Line
    likelihood: Level
    impact: Level
    treatment: Treatment | None = None
    owner: Line = ""
    until: dt.date | None = None
    measure: Line = ""
    residual_likelihood: Level | None = None
    residual_impact: Level | None = None


class RiskItem(RiskBody):
    """A risk, and how great it is (table I-2)."""

    name: Name
    level: Level
    residual: Level = Field(description="After treatment.")


class HeadItem(Item):
    """Where the register's chain stands."""

    n: int
    digest: str


class Systems(Item):
    """By name."""

    rows: list[SystemItem]
    next: str | None


class WholeSystem(Item):
    """A system with its reviews and risks. ETag and If-Match are of what is declared: see GET without them."""

    system: SystemItem
    reviews: list[ReviewItem]
    risks: list[RiskItem]


class Risks(Item):
    """By name."""

    rows: list[RiskItem]


class DisagreementItem(Item):
    """One thing that is not as it should be."""

    rule: str
    about: str
    says: str
    severity: Severity
    since: dt.date | None = Field(description="The day since which it stands. Null: no entry tells.")
    since_entry: int | None = Field(description="The entry that it came with. Null: a day came.")


class Disagreements(Item):
    """The worst first."""

    rows: list[DisagreementItem]


class RequirementItem(Item):
    """A clause."""

    clause: str
    title: str
    asks: str
    source: str


class StandingItem(Item):
    """A requirement, and what the register holds for and against it. That it shows one as met proves no compliance."""

    profile: str
    requirement: RequirementItem
    status: Literal["met", "not-met", "unknown"]
    against: list[DisagreementItem]
    evidence: list[str] = Field(description="What speaks for it.")
    missing: list[str] = Field(description="Why nothing can be said.")


class Profiles(Item):
    """Laws and standards by short name."""

    titles: dict[str, str]


class Standings(Item):
    """In the order of the law."""

    rows: list[StandingItem]


class Verified(Item):
    """Whether the chain is whole."""

    is_whole: bool
    says: str | None = Field(description="What was done to it.")
    head: HeadItem


class DueItem(Item):
    """A system whose review is due."""

    system: str
    due: dt.date | None = Field(description="Null: it was never reviewed.")


class Due(Item):
    """The longest due first."""

    rows: list[DueItem]


class SystemsAsked(Asked):
    """Which page."""

    cursor: Name | None = Field(None, description="The name before those that are wanted.")
    limit: int = Field(100, ge=1, le=1000)


class WhyAsked(Asked):
    """Why it is so, for the entry."""

    why: Line = ""


class ProfilesAsked(Asked):
    """Which laws and standards."""

    profile: list[Line] = Field([], max_length=20)


class Form(enum.StrEnum):
    """Of a dossier."""

    PDF = "pdf"
    ZIP = "zip"


class DossierAsked(ProfilesAsked):
    """In which form."""

    form: Form = Form.PDF


class DueAsked(Asked):
    """Until when."""

    until: dt.date
