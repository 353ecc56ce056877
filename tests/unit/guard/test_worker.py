"""A process of the guard keeps up to date while its doors are open, and says what does not work."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.unit.guard.elapsing import turn
from tests.unit.guard.somebody import Paper

from leadglass.errors import ConfigError, LeadglassError, ResourceError
from leadglass.guard import worker as module
from leadglass.guard.audit.events import Happening, Outcome
from leadglass.guard.budgets import Budgets
from leadglass.guard.worker import Keeping, Worker
from leadglass.guard.world import World
from leadglass.model.enrolment import Roll


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again at once, and wait for nobody."""
    for name in ("_LOOK", "_SYNC", "_RESTING"):
        monkeypatch.setattr(module, name, 0.0)
    monkeypatch.setattr(module, "_DRAIN", 0.2)


@dataclass
class Leg:
    """The client's end of an association."""

    gateways: set[Any]
    owner: Any = None
    aborted: bool = False

    def abort(self) -> None:
        self.aborted = True
        self.gateways.discard(self.owner)


class Inside:
    """A client that is inside."""

    def __init__(self, gateways: set[Any], *, welcome: bool = True, who: object = "somebody") -> None:
        self.client = Leg(gateways, self)
        self.who = who
        self.welcome = welcome
        self.idle = False
        gateways.add(self)

    def still_welcome(self) -> bool:
        return self.welcome


@dataclass
class Setting:
    """A worker whose surroundings are the test's; each look is one number in ``reports``."""

    first: bool = True
    paper: Paper = field(default_factory=Paper)
    rolls: list[Roll | LeadglassError] = field(default_factory=list)
    policies: list[Any] = field(default_factory=list)
    certificates: list[LeadglassError] = field(default_factory=list)
    troubles: dict[str, str] = field(default_factory=dict)
    logged: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    reports: list[Mapping[str, float]] = field(default_factory=list)
    mistakes: list[BaseException] = field(default_factory=list)
    forgotten: int = 0
    unsynced: list[LeadglassError] = field(default_factory=list)
    monotonic: float = 50.0

    def __post_init__(self) -> None:
        unused: Any = None
        studies: Any = self
        budgets = Budgets(None, b"k" * 32, lambda: 0.0, lambda *_: None)
        self.world = World(
            policy=unused,
            roll=Roll(1, {}, {}),
            titles=frozenset(),
            archive=unused,
            studies=studies,
            trail=self.paper.trail(),
            moves=unused,
            people=unused,
            budgets=budgets,
            posix=lambda: 1_800_000_000.0,
            monotonic=lambda: self.monotonic,
            mint=unused,
            mistake=self.mistakes.append,
            line_to=unused,
        )
        keeping = Keeping(
            state=self,
            budgets=budgets,
            policies=self._policies,
            reload=functools.partial(_raise_next, self.certificates),
            sync=functools.partial(_raise_next, self.unsynced),
            dirty=lambda: True,
            first=self.first,
            report=self.reports.append,
            troubles=lambda: self.troubles,
            log=lambda word, about: self.logged.append((word, about)),
        )
        self.closed = 0
        self.worker = Worker(self.world, keeping, [self._close], [])

    def _close(self) -> None:
        self.closed += 1

    def forget(self) -> None:
        self.forgotten += 1

    def roll(self, known: int) -> Roll | None:
        found = self.rolls.pop(0) if self.rolls else None
        if isinstance(found, LeadglassError):
            raise found
        return None if found is None or found.version == known else found

    def exchange(self, _: object, __: int) -> Mapping[str, Any]:
        return {}

    def _policies(self) -> Any:
        found = self.policies.pop(0) if self.policies else None
        if isinstance(found, BaseException):
            raise found
        return found

    def run(self, looks: int, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Until so many looks have been reported."""
        asyncio.run(self._run(looks, meanwhile))

    async def _run(self, looks: int, meanwhile: Callable[[], None]) -> None:
        running = asyncio.create_task(self.worker.run())
        for _ in range(100_000):
            if len(self.reports) >= looks:
                break
            await turn()
        meanwhile()
        self.worker.stop()
        await asyncio.wait_for(running, 20)

    def told(self, happening: Happening) -> list[tuple[Outcome, str | None]]:
        """Outcome and reason of the events of one kind."""
        return [(event.outcome, event.reason) for event, _ in self.paper.told if event.happening is happening]


def _raise_next(errors: list[LeadglassError]) -> None:
    if errors:
        raise errors.pop(0)


# ---- beginning and end


@pytest.mark.parametrize("first", [True, False])
def test_the_first_process_tells_of_the_guards_beginning_and_end(first: bool) -> None:
    setting = Setting(first=first)
    setting.run(1)

    assert [event.happening for event, _ in setting.paper.told] == (
        [Happening.STARTED, Happening.STOPPED] if first else []
    )
    assert setting.closed == 1


def test_who_is_inside_at_the_end_may_finish_but_not_for_ever() -> None:
    setting = Setting()
    gateways: set[Any] = setting.world.gateways
    stranger, resting, busy = Inside(gateways, who=None), Inside(gateways), Inside(gateways)
    resting.idle = True
    setting.run(1)

    assert (stranger.client.aborted, resting.client.aborted, busy.client.aborted) == (True, True, True)
    assert gateways == set()


# ---- the roll


def test_whoever_a_new_roll_lets_in_no_more_is_sent_away_and_the_others_stay() -> None:
    setting = Setting(rolls=[Roll(2, {}, {})])
    gateways: set[Any] = setting.world.gateways
    revoked, other = Inside(gateways, welcome=False), Inside(gateways)
    stays: list[bool] = []
    setting.run(3, lambda: stays.append(not other.client.aborted))

    assert setting.world.roll.version == 2
    assert revoked.client.aborted
    assert stays == [True]


def test_from_the_first_look_that_fails_the_guard_is_out_of_date_until_one_succeeds() -> None:
    away = ResourceError("cannot be reached", where="the database")
    setting = Setting(rolls=[away, away, Roll(1, {}, {})])
    setting.run(3)

    assert [report["stale"] for report in setting.reports[:3]] == [0.0, 0.0, 0.0]
    assert ["problem_state" in report for report in setting.reports[:3]] == [True, True, False]
    assert setting.world.stale_since is None
    assert [word for word, _ in setting.logged] == ["problem", "well again"]
    assert setting.told(Happening.CONFIGURATION) == [(Outcome.MAJOR, str(away))]


def test_how_long_the_guard_has_been_out_of_date_is_counted_from_the_first_failure() -> None:
    away = ResourceError("cannot be reached")
    setting = Setting(rolls=[away] * 10_000)

    def later() -> None:
        setting.monotonic += 100

    setting.run(1, later)
    assert setting.world.stale_since == 50.0


def test_a_mistake_in_looking_is_told_and_leaves_only_care() -> None:
    setting = Setting(policies=[ValueError("a mistake")])
    setting.run(2)

    assert [str(each) for each in setting.mistakes] == ["a mistake"]
    assert "problem_state" in setting.reports[0]
    assert "problem_state" not in setting.reports[1]


def test_emergencies_are_told_when_they_begin_and_when_they_end() -> None:
    begun = Roll(2, {}, {}, emergencies={"ada": ("unconscious", 1e10)})
    setting = Setting(rolls=[begun, begun, Roll(3, {}, {})])
    setting.run(3)

    events = [event for event, _ in setting.paper.told if event.claimed == "ada"]
    assert [event.happening for event in events] == [Happening.EMERGENCY_STARTED, Happening.EMERGENCY_STOPPED]
    assert {event.emergency for event in events} == {"unconscious"}
    assert all(reserved for event, reserved in setting.paper.told if event.claimed == "ada")


# ---- policies, certificates, the audit, and what else can be in trouble


class Version:
    version = 5


def test_new_policies_are_taken_and_what_was_known_of_studies_is_forgotten() -> None:
    setting = Setting(policies=[None, Version()])
    setting.run(2)

    assert setting.world.policy.version == 5
    assert setting.forgotten == 1
    assert setting.told(Happening.CONFIGURATION) == [(Outcome.SUCCESS, "policies were replaced")]


def test_policies_that_cannot_be_used_change_nothing_and_are_told_once() -> None:
    wrong = ConfigError("no policy", where="policy/x.cedar:3")
    setting = Setting(policies=[Version(), wrong, wrong, wrong])
    setting.run(4)

    assert setting.world.policy.version == 5
    assert setting.told(Happening.CONFIGURATION)[1:] == [(Outcome.MAJOR, str(wrong))]
    assert "problem_policy" in setting.reports[3]


def test_certificates_that_cannot_be_used_are_a_problem_until_they_can() -> None:
    setting = Setting(certificates=[ConfigError("no key", where="guard.pem")])

    def reload() -> None:
        setting.worker.reload()
        setting.worker.reload()

    setting.run(1, reload)
    words = [(word, about["with"]) for word, about in setting.logged]
    assert words == [("problem", "certificates"), ("well again", "certificates")]


def test_an_audit_that_cannot_be_forced_to_the_disk_is_a_problem() -> None:
    setting = Setting(unsynced=[ResourceError("no space left")])
    setting.run(5)

    assert ("problem", {"with": "audit", "words": "no space left"}) in setting.logged


def test_other_troubles_come_and_go_in_their_own_words() -> None:
    setting = Setting(troubles={"forwarding": "the collector is away", "keys": ""})

    def mended() -> None:
        setting.troubles["forwarding"] = ""

    setting.run(2, mended)
    assert setting.reports[1]["problem_forwarding"] == 1.0
    assert "problem_keys" not in setting.reports[1]
