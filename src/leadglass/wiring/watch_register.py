"""What the register says to the watch: what is wrong, which risks are accepted, which system is where."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from leadglass.model.alert import AlertKind, Silence
from leadglass.model.endpoint import Endpoint
from leadglass.model.register import Register, Risk, ScanTaken
from leadglass.model.verdict import Severity
from leadglass.register.check import Disagreement, Rule, check
from leadglass.register.codec import register_of
from leadglass.register.fill import filled
from leadglass.store import silences
from leadglass.store.database import Database
from leadglass.store.register import head_of, read_state
from leadglass.store.register_looks import looks
from leadglass.store.scans import StoredScan
from leadglass.watch.facts import Claim
from leadglass.watch.silencing import bound_to, following

__all__ = ["Known", "known"]

_UNDECLARED = frozenset({Rule.UNKNOWN_SERVER, Rule.MOVED, Rule.PORT_NOT_ALLOWED, Rule.RETIRED_ANSWERS})
_KINDS: Mapping[Rule, AlertKind] = {
    **dict.fromkeys(_UNDECLARED, AlertKind.UNDECLARED),
    Rule.ACCEPTANCE_EXPIRED: AlertKind.ENDED,
    Rule.REVIEW_OVERDUE: AlertKind.REVIEW,
}


@dataclass(frozen=True, slots=True)
class Known:
    """The register at one moment, and the silences in force."""

    register: Register
    head: str
    """The hash of its last entry; "" while there is none."""
    entered: Sequence[Silence]
    """As people entered them, ended ones too."""
    today: dt.date

    @property
    def silences(self) -> Sequence[Silence]:
        """All that may cover an alert."""
        risks: Sequence[Risk] = list(self.register.risks.values())
        return [*bound_to(self.entered, risks), *following(risks)]

    def system_at(self, endpoint: Endpoint) -> str | None:
        """The system that is declared there."""
        for place in (endpoint.address, endpoint.name):
            found = self.register.systems_at.get(place or "", ())
            if found:
                return found[0].name
        return None

    def strangers(self, database: Database, scan: StoredScan) -> Iterator[Claim]:
        """What ``scan`` saw and the register does not know or allow; nothing while it holds no system."""
        if not self.register.systems:
            return
        plan = scan.plan
        taken = ScanTaken(plan.ulid, plan.began, plan.position, plan.scope_name, is_complete=True)
        seen = {
            f"{one.address} {one.position}": one
            for one in filled(self.register, taken, looks(database, scan))
        }
        register = replace(self.register, seen={**self.register.seen, **seen})
        yield from self._claims(register, _UNDECLARED)

    def overdue(self) -> Iterator[Claim]:
        """Reviews that are overdue, acceptances and silences that have ended."""
        yield from self._claims(self.register, frozenset({Rule.ACCEPTANCE_EXPIRED, Rule.REVIEW_OVERDUE}))
        for silence in self.entered:
            if silence.until < self.today:
                says = f"the silence of {silence.owner} ended on {silence.until}: {silence.reason}"
                yield Claim(
                    f"silence-ended:{silence.id}", AlertKind.ENDED, Severity.HIGH, says, silence.system
                )

    def _claims(self, register: Register, rules: frozenset[Rule]) -> Iterator[Claim]:
        for one in check(register, self.today):
            if one.rule in rules:
                system = one.about if one.about in register.systems else None
                yield Claim(_key(one), _KINDS[one.rule], one.severity, _said(one), system)


def known(database: Database, today: dt.date) -> Known:
    """What the register says now; ``ConfigError`` if somebody put something else into it."""
    register = register_of(read_state(database), database.where)
    head = head_of(database)
    return Known(register, head.digest if head.n else "", silences.read(database), today)


def _said(one: Disagreement) -> str:
    return f"{one.about}: {one.says}" if one.about else one.says


def _key(one: Disagreement) -> str:
    """An unknown server is the same whichever of its ports answer; the rest is as it is worded."""
    if one.rule in {Rule.UNKNOWN_SERVER, Rule.MOVED}:
        return f"register:{one.rule}:{one.about}"
    digest = hashlib.sha256(one.says.encode()).hexdigest()[:16]
    return f"register:{one.rule}:{one.about[:80]}:{digest}"
