"""Everything a client's gateway needs to know and may do, in one place that is made once a process.

Gateways hold no policy, no roll and no clock of their own: when one of these is replaced, the next
message of every association is decided by the new one.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from leadglass.access.budgets import Measure
from leadglass.access.policy import Policy
from leadglass.guard.budgets import Budgets
from leadglass.guard.client import Client
from leadglass.guard.dimse.archive import Archive
from leadglass.guard.dimse.leg import Leg
from leadglass.guard.identity.people import People
from leadglass.guard.moves import Moves
from leadglass.guard.studies import Studies
from leadglass.guard.trail import Diary, Trail
from leadglass.model.access import (
    Action,
    Circumstances,
    Decision,
    Kind,
    Node,
    Resource,
    Study,
)
from leadglass.model.enrolment import Enrolled, Roll

__all__ = ["LEFT_ALONE", "Inside", "World"]

_CARE = frozenset({Action.ECHO, Action.STORE, Action.STOW, Action.WORKLIST, Action.COMMIT, Action.MPPS})
"""What enrolled devices go on doing while the guard's own services are away."""
_EXPIRED = Decision(allowed=False, rules=(), reason="what proved who asks has expired")
LEFT_ALONE = Decision(
    allowed=False, rules=(), reason="the state of the guard is out of date: only care goes on"
)
"""What is denied because of the guard's own trouble, and not by a policy."""


class Inside(Protocol):
    """A client that is inside."""

    client: Leg
    who: Client | None

    @property
    def idle(self) -> bool:
        """Whether nothing of it is under way."""
        ...

    def still_welcome(self) -> bool:
        """Whether the roll still lets it in as it came."""
        ...


@dataclass(slots=True)
class World:
    """The guard, to one association."""

    policy: Policy
    roll: Roll
    titles: frozenset[str]
    """What the archive may be called."""
    archive: Archive
    studies: Studies
    trail: Trail
    moves: Moves
    people: People
    budgets: Budgets
    posix: Callable[[], float]
    monotonic: Callable[[], float]
    mint: Callable[[], str]
    """A new UID that names nothing (2.25., PS3.5 B.2)."""
    mistake: Callable[[BaseException], None]
    """Told of every exception that should not have been."""
    line_to: Callable[[Enrolled], Archive]
    """How a destination is reached; the same object each time."""
    archive_networks: tuple[str, ...] = ()
    """CIDR: where associations come from that the archive opens."""
    answers_queries: bool = True
    """Whether the archive can be asked about studies."""
    stale_since: float | None = None
    """Since when roll or policy can be out of date, monotonic seconds: whoever sets the clock neither
    prolongs nor ends the grace. None: they are not."""
    grace: float = 8 * 3600.0
    """Seconds that care goes on under the last good state."""
    silence: float = 60.0
    """Seconds that a client may ask for nothing."""
    gateways: set[Inside] = field(default_factory=set)
    """The clients of the DIMSE door that are inside."""
    counts: Counter[str] = field(default_factory=Counter)
    """For the metrics."""
    _around: tuple[Client, int, str | None, Circumstances] | None = None

    def now(self) -> float:
        """POSIX seconds."""
        return self.posix()

    def decide(self, client: Client, action: Action, resource: Resource) -> Decision:
        """What the policy says, if the guard may rely on itself."""
        if client.until is not None and client.until <= self.posix():
            return _EXPIRED
        if self.stale_since is not None and not self._care_goes_on(client, action):
            return LEFT_ALONE
        decision = self.policy.decide(client.principal, action, resource, self.circumstances(client))
        self.counts["allowed" if decision.allowed else "denied"] += 1
        return decision

    def offers(self, client: Client, action: Action) -> bool:
        """Whether the service itself is open to ``client``, whatever it then asks for."""
        node = Node(client.called)
        return self.decide(client, action, node).allowed

    def diary(self, client: Client) -> Diary:
        """The trail of one client."""
        return Diary(
            self.trail, client, lambda action: self.care(client, action), lambda: self.emergency(client)
        )

    def spend(self, client: Client, measure: Measure, what: int | str) -> bool:
        """Take from the budget; break-glass is counted and never stopped."""
        if self.budgets.unlimited:
            return True
        emergency = self.emergency(client) is not None
        enough = self.budgets.spend(client.principal, measure, what, emergency=emergency)
        self.counts["over_budget"] += not enough
        return enough

    def spent(self, client: Client, measure: Measure, amount: int) -> None:
        """Count what has been had already."""
        if not self.budgets.unlimited:
            self.budgets.spend(client.principal, measure, amount, emergency=True)

    def left(self, client: Client, measure: Measure) -> bool:
        """Whether anything is left, or it does not matter."""
        if self.budgets.unlimited:
            return True
        return self.emergency(client) is not None or self.budgets.left(client.principal, measure)

    def spend_studies(self, client: Client, studies: Iterable[Study]) -> bool:
        """Take every study, and its patient."""
        return all(
            self.spend(client, Measure.STUDIES, study.study_instance_uid)
            and (study.patient_id is None or self.spend(client, Measure.PATIENTS, study.patient_id))
            for study in studies
        )

    def destination(self, title: str) -> Enrolled | None:
        """Who is enrolled with this title and an address where it listens."""
        for enrolled in self.roll.enrolled.values():
            present = enrolled.until is None or self.posix() < enrolled.until
            if present and title in enrolled.titles and enrolled.address is not None:
                return enrolled
        return None

    def circumstances(self, client: Client) -> Circumstances:
        """Those of this minute."""
        minute, emergency = int(self.posix() // 60), self.emergency(client)
        known = self._around
        # The matches of one query come one after the other.
        if known is None or known[0] is not client or known[1:3] != (minute, emergency):
            moment = dt.datetime.fromtimestamp(minute * 60, tz=dt.UTC)
            device = client.enrolled.name if client.enrolled.kind is Kind.DEVICE else None
            made = Circumstances(client.peer.address, moment, client.peer.certificate, device, emergency)
            known = self._around = (client, minute, emergency, made)
        return known[3]

    def emergency(self, client: Client) -> str | None:
        """The reason of a break-glass in force for ``client``; a service has no emergencies."""
        principal, roll = client.principal, self.roll
        if principal.kind is Kind.SERVICE:
            return None
        entry = roll.enrolled.get(principal.name)
        if principal.kind is Kind.PERSON and entry is not None and principal.name not in roll.users:
            return None  # it was begun for that entry, and not for a token's subject of the same name
        found = roll.emergencies.get(principal.name)
        return found[0] if found is not None and found[1] > self.posix() else None

    def care(self, client: Client, action: Action) -> bool:
        """Whether this is what must go on when everything else stops."""
        device = client.principal.kind is Kind.DEVICE and action in _CARE
        return device or self.emergency(client) is not None

    def _care_goes_on(self, client: Client, action: Action) -> bool:
        assert self.stale_since is not None
        return self.monotonic() - self.stale_since < self.grace and self.care(client, action)
