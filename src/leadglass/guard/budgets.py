"""What every principal has had, in this process and, with some delay, in all that share its state."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from leadglass.access.budgets import Budget, Limits, Measure, Spent, Totals
from leadglass.model.access import Principal

__all__ = ["Budgets"]

_MOST = 10_000
"""Principals kept; more than that are all idle but those that were let in."""
_AGAIN = 60.0
"""Seconds for which the same is not told again: every match of a query may be over a limit."""


class Budgets:
    """A budget for each principal, made when it first spends."""

    def __init__(
        self,
        limits: Limits | None,
        key: bytes,
        now: Callable[[], float],
        tell: Callable[[Principal, Measure, Spent], None],
    ) -> None:
        """``tell`` hears of every budget that is nearly used up, overrun in an emergency, or refused."""
        self._limits = limits
        self._key = key
        self._now = now
        self._tell = tell
        self._budgets: dict[str, Budget] = {}
        self._told: dict[tuple[Principal, Measure, Spent], float] = {}

    @property
    def unlimited(self) -> bool:
        """Whether nothing is counted at all."""
        return self._limits is None

    def spend(self, principal: Principal, measure: Measure, what: int | str, *, emergency: bool) -> bool:
        """Take an amount, or the identity of a patient or study; False: there is not enough left."""
        if self._limits is None:
            return True
        budget = self._of(principal)
        if budget is None:
            return True
        spent = budget.spend(measure, what, self._now(), emergency=emergency)
        if spent is not Spent.WITHIN:
            self._tell_once((principal, measure, spent))
        return spent.allowed

    def _tell_once(self, what: tuple[Principal, Measure, Spent]) -> None:
        now = self._now()
        if abs(now - self._told.get(what, -_AGAIN)) < _AGAIN:
            return
        if len(self._told) >= _MOST:
            self._told.clear()
        self._told[what] = now
        self._tell(*what)

    def left(self, principal: Principal, measure: Measure) -> bool:
        """Whether anything is left."""
        budget = None if self._limits is None else self._of(principal)
        return budget is None or budget.left(measure, self._now()) != 0

    def snapshot(self, since: int) -> dict[tuple[str, int], Totals]:
        """What was counted here, by principal and step."""
        return {
            (name, step): totals
            for name, budget in self._budgets.items()
            for step, totals in budget.snapshot(since).items()
        }

    def merge(self, others: Mapping[str, Mapping[int, list[Totals]]]) -> None:
        """What was counted elsewhere, all of it."""
        now = self._now()
        for name in others.keys() | self._budgets.keys():
            budget = self._made(name)
            if budget is not None:
                budget.merge(others.get(name, {}), now)

    def step(self) -> int:
        """The number of this step of time."""
        return 0 if self._limits is None else Budget(self._limits, self._key).step(self._now())

    def _of(self, principal: Principal) -> Budget | None:
        return self._made(f"{principal.kind.value}:{principal.name}")

    def _made(self, name: str) -> Budget | None:
        if self._limits is None:
            return None
        budget = self._budgets.get(name)
        if budget is None:
            if len(self._budgets) >= _MOST:
                now = self._now()
                self._budgets = {n: b for n, b in self._budgets.items() if not b.idle(now)}
            budget = self._budgets[name] = Budget(self._limits, self._key)
        return budget
