"""What the dashboard and the API need of the register, the watch, the surveys and the guard.

Each is a *desk*: questions and orders in nouns of ``model``. What has no noun there is described by what is read of
it, so that those who answer may hand over their own. All of it is synchronous and raises nothing but our errors.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from leadglass.model.alert import Alert, AlertState, Silence
from leadglass.model.order import Order
from leadglass.model.register import Level, Register, Review, Risk, System
from leadglass.ports.findings import Disagreement, Since, Standing

__all__ = [
    "AuditQuestion",
    "Connection",
    "Desks",
    "Document",
    "Entry",
    "Figure",
    "GuardDesk",
    "GuardEvent",
    "GuardState",
    "Head",
    "NextRun",
    "RegisterDesk",
    "ReviewDue",
    "SurveyDesk",
    "Thing",
    "WatchDesk",
]

Thing: TypeAlias = System | Review | Risk
"""What people enter into the register."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where the register's chain stands."""

    n: int
    digest: str
    """SHA-256 in hexadecimal."""


@dataclass(frozen=True, slots=True)
class ReviewDue:
    """A system whose controls somebody has to look at."""

    system: str
    due: dt.date | None
    """None: it was never reviewed."""
    last: Review | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the register's chain."""

    n: int
    at: str
    """RFC 3339, UTC, microseconds."""
    by: str
    what: str
    """The kind of thing: ``system``, ``review``, ``risk`` ..."""
    name: str
    why: str
    is_removal: bool


@dataclass(frozen=True, slots=True)
class Document:
    """Something to download."""

    name: str
    """A file name of our own making: letters, digits, dots and hyphens."""
    media_type: str
    content: bytes


class RegisterDesk(Protocol):
    """The register: what is declared, what was seen, and where both disagree."""

    def register(self) -> Register:
        """All of it, as it stands."""
        ...

    def head(self) -> Head:
        """Where its chain stands."""
        ...

    def disagreements(self, profiles: Sequence[str] = ()) -> Sequence[Disagreement]:
        """What is not as it should be, worst first; ``profiles`` are requirements to ask for as well."""
        ...

    def since(self, profiles: Sequence[str] = ()) -> Since:
        """Since when each of ``disagreements(profiles)`` stands."""
        ...

    def advice(self, rule: str) -> str:
        """What to do about one, in a few words."""
        ...

    def profiles(self) -> Mapping[str, str]:
        """The laws and standards there are: by short name, the title."""
        ...

    def standings(self, profiles: Sequence[str]) -> Sequence[Standing]:
        """How each requirement of ``profiles`` stands; ``UsageError`` for a profile that there is not."""
        ...

    def reviews_due(self, until: dt.date) -> Sequence[ReviewDue]:
        """Systems whose review is due by ``until``, longest due first."""
        ...

    def levels(self, risk: Risk) -> tuple[Level, Level]:
        """How great a risk is, before and after its treatment (NIST SP 800-30, table I-2)."""
        ...

    def enter(self, by: str, things: Sequence[Thing], why: str, after: Head | None = None) -> Head:
        """Write down that ``things`` are so from now on, all or none; where the chain stands then.

        ``ResourceError`` if ``after`` is given and somebody has written since; ``UsageError`` for what
        cannot be entered.
        """
        ...

    def remove(self, by: str, things: Sequence[Thing], why: str, after: Head | None = None) -> Head:
        """Write down that they are gone."""
        ...

    def history(self, system: str, most: int) -> Sequence[Entry]:
        """The entries about a system and its reviews and risks, latest first."""
        ...

    def verify(self) -> str | None:
        """None: the chain is whole; else one line about what was done to it."""
        ...

    def dossier(self, form: str, profiles: Sequence[str] = ()) -> Document:
        """What an auditor asks for: ``form`` is ``pdf`` or ``zip``. The same data make the same bytes."""
        ...


@dataclass(frozen=True, slots=True)
class NextRun:
    """A schedule and when it comes next. Times are POSIX seconds."""

    schedule: str
    scope: str
    """The name of its scope."""
    when: str
    """As it is written in ``watch.toml``."""
    next_at: int | None
    last: Order | None = None


class WatchDesk(Protocol):
    """Schedules, orders and alerts."""

    def schedules(self) -> Sequence[NextRun]:
        """Every schedule, soonest first; none if nothing is watched."""
        ...

    def scopes(self) -> Mapping[str, str]:
        """By name, the scope files that orders may be given for."""
        ...

    def order(self, scope: str, ports: Sequence[tuple[str, int]], by: str) -> Order:
        """Ask for a look at ``ports`` of a scope (none: at all of it), now.

        ``UsageError`` if there is no such scope; ``ScopeError`` or ``ScopeDenied`` if it does not permit that.
        """
        ...

    def orders(self, most: int) -> Sequence[Order]:
        """The latest ones first."""
        ...

    def order_of(self, order: str) -> Order:
        """One of them; ``UsageError`` if there is none."""
        ...

    def alerts(self, states: Sequence[AlertState], most: int, before: str | None = None) -> Sequence[Alert]:
        """The latest first, those after (older than) the one whose identifier is ``before``."""
        ...

    def alert(self, alert: str) -> Alert:
        """One of them; ``UsageError`` if there is none."""
        ...

    def acknowledge(self, alert: str, by: str) -> Alert:
        """Somebody has seen it."""
        ...

    def close(self, alert: str, by: str) -> Alert:
        """Somebody says that it is over."""
        ...

    def silences(self) -> Sequence[Silence]:
        """Those in force."""
        ...

    def silence(self, silence: Silence, by: str) -> Silence:
        """Let one be in force; its ``id`` is given anew."""
        ...

    def end_silence(self, silence: str, by: str) -> None:
        """End one before its day."""
        ...

    def is_running(self) -> bool:
        """Whether somebody takes orders now."""
        ...


@dataclass(frozen=True, slots=True)
class Figure:
    """How many are of one kind, and how sure that is."""

    label: str
    count: int
    """For how many it is the likeliest: the naive count."""
    of: int
    share: float
    """To be expected, if the prior is right."""
    low: float
    high: float
    """Bounds of the share that hold whatever the prior: from those settled so to all not settled otherwise."""


class SurveyDesk(Protocol):
    """Estimates over what is stored."""

    def estimate(self, scan: str) -> Sequence[Figure]:
        """How many servers of each kind a scan saw; ``UsageError`` if there is no such scan."""
        ...


@dataclass(frozen=True, slots=True)
class GuardState:
    """How a guard is now."""

    state: str
    """``ok``, ``degraded``, ``failing`` or ``unreachable``."""
    problems: Sequence[str]
    numbers: Mapping[str, float]
    """As its metrics call them: ``associations``, ``allowed``, ``denied``, ``over_budget`` ..."""


@dataclass(frozen=True, slots=True)
class Connection:
    """Who used how much of the budget."""

    principal: str
    numbers: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class AuditQuestion:
    """What is looked for in the guard's trail; None: anything. Moments are aware."""

    who: str | None = None
    what: str | None = None
    outcome: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    most: int = 100


@dataclass(frozen=True, slots=True)
class GuardEvent:
    """One event of the guard's trail, without anything that names a patient or a study."""

    at: dt.datetime
    who: str
    what: str
    outcome: str
    address: str
    why: str


class GuardDesk(Protocol):
    """The gateway, where there is one."""

    def state(self) -> GuardState:
        """How it is now; never raises because it does not answer."""
        ...

    def budgets(self) -> Sequence[Connection]:
        """Who used how much lately."""
        ...

    def audit(self, question: AuditQuestion) -> Sequence[GuardEvent]:
        """What happened, latest first; ``ConfigError`` if the trail cannot be read."""
        ...


@dataclass(frozen=True, slots=True)
class Desks:
    """All of them; None: not configured."""

    register: RegisterDesk
    survey: SurveyDesk
    watch: WatchDesk
    guard: GuardDesk | None = None
