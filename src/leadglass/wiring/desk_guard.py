"""A guard on this machine, as the dashboard and the API ask for it: its health, its budgets, its trail."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from leadglass.access.budgets import read_totals
from leadglass.errors import ConfigError, LeadglassError, UsageError
from leadglass.guard.audit.events import AuditEvent, Outcome
from leadglass.guard.audit.search import Wanted, search
from leadglass.net.fetching import Asked, fetch
from leadglass.ports.dashboard import AuditQuestion, Connection, GuardEvent, GuardState
from leadglass.store.guard_budgets import budgets_kept
from leadglass.wiring.guard_setup import Site, read_site, roll_of

__all__ = ["GuardHere", "guard_desk"]

_NUMBER = re.compile(r"leadglass_guard_([a-z_]+?)(?:_total)? ([0-9.e+-]{1,30})")
_OUTCOMES = {
    "success": frozenset({Outcome.SUCCESS}),
    "failure": frozenset(Outcome) - {Outcome.SUCCESS},
}


def guard_desk(path: Path) -> GuardHere:
    """The guard whose file is at ``path`` or in that folder; ``ConfigError`` names the line that is wrong."""
    return GuardHere(read_site(path))


@dataclass(frozen=True, slots=True)
class GuardHere:
    """``ports.dashboard.GuardDesk`` by the guard's own files and its health address."""

    site: Site

    def state(self) -> GuardState:
        """How it is now."""
        try:
            health = json.loads(self._asked("/health"))
            numbers = _NUMBER.findall(self._asked("/metrics").decode("ascii", "replace"))
            return GuardState(
                str(health["state"]),
                [str(problem) for problem in health["problems"]],
                {name: float(value) for name, value in numbers},
            )
        except (LeadglassError, ValueError, KeyError, TypeError, RecursionError):
            return GuardState("unreachable", [], {})

    def budgets(self) -> Sequence[Connection]:
        """Who used how much lately, as far as the guard remembers; without what tells patients or studies."""
        found: dict[str, Counter[str]] = {}
        with roll_of(self.site) as database:
            for principal, text in budgets_kept(database):
                found.setdefault(principal, Counter()).update(_numbers(text))
        return [Connection(principal, dict(numbers)) for principal, numbers in sorted(found.items())]

    def audit(self, question: AuditQuestion) -> Sequence[GuardEvent]:
        """What happened, latest first."""
        if question.outcome is not None and question.outcome not in _OUTCOMES:
            raise UsageError(f"no outcome is called {question.outcome!r}", then="success or failure")
        wanted = Wanted(
            who=question.who,
            what=question.what,
            outcomes=None if question.outcome is None else _OUTCOMES[question.outcome],
            since=question.since,
            until=question.until,
        )
        folder = Path(self.site.settings.audit.directory)
        try:
            last = deque((found.event for found in search([folder], wanted)), maxlen=question.most)
        except OSError as exc:
            raise ConfigError(f"the guard's trail cannot be read ({exc.strerror})") from exc
        return [_event(event) for event in reversed(last)]

    def _asked(self, path: str) -> bytes:
        place = self.site.settings.listen.health
        return fetch(Asked("guard", f"http://{place}{path}")).body


def _numbers(text: str) -> Mapping[str, int]:
    try:
        totals = read_totals(text)
    except ValueError:
        return {}
    distinct = {measure.value: len(seen) for measure, seen in totals.seen.items()}
    return {**{measure.value: amount for measure, amount in totals.amounts.items()}, **distinct}


def _event(event: AuditEvent) -> GuardEvent:
    who = event.who.name if event.who is not None else event.claimed or event.title or ""
    return GuardEvent(
        at=event.at.astimezone(dt.UTC),
        who=who,
        what=event.action.value if event.action else event.happening.value,
        outcome=event.outcome.name.lower(),
        address=event.address or "",
        why=event.reason or "",
    )
