"""How much one principal may have in a window of time, and how much of it is gone.

A window slides in steps of a sixtieth: whatever lies in it, at whatever moment, is never more than
the limit. Patients and studies are counted as distinct, by a keyed hash of eight bytes, so that
nothing here and nothing that is shared can name one.

Several processes share a budget by telling each other what they have counted (``snapshot``,
``merge``). What each lets through before it hears of the others may come on top, so the limit holds
up to what is spent between two exchanges.

Pure: time is POSIX seconds from the caller. A clock that is set back forgives nothing; one that was
in the future by more than a window and comes back, counts what was spent there as spent now.
"""

from __future__ import annotations

import enum
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from leadglass.errors import ConfigError

__all__ = ["MOST_DISTINCT", "STEPS", "Budget", "Limits", "Measure", "Spent", "Totals", "join", "read_totals"]

STEPS = 60
"""Into which a window is divided."""
MOST_DISTINCT = 100_000
"""The highest limit for patients and studies: each takes memory."""
_KEPT = 2 * MOST_DISTINCT
"""Identities remembered at most; more than a limit only by emergencies and by what others counted."""
_MICROSECONDS = 1_000_000
_HASH = re.compile(r"[0-9a-f]{16}")
_MOST_AMOUNT = 1 << 62

Identity: TypeAlias = int
"""A keyed hash of eight bytes."""


class Measure(enum.Enum):
    """What is counted; the value is the key under ``[budgets]``."""

    # Members are what they are: the name need not be hashed again for each match of a query.
    __hash__ = object.__hash__

    ASSOCIATIONS = "associations"
    QUERIES = "queries"
    MATCHES = "matches"
    PATIENTS = "patients"
    """Distinct, by Patient ID."""
    STUDIES = "studies"
    """Distinct, by Study Instance UID."""
    BYTES = "bytes"


_DISTINCT = (Measure.PATIENTS, Measure.STUDIES)
_COUNTED = tuple(measure for measure in Measure if measure not in _DISTINCT)


class Spent(enum.Enum):
    """What became of it."""

    WITHIN = "within"
    NEARLY = "nearly"
    """Let through; with it, four fifths of the limit are used. Said once, when they are reached."""
    EXCUSED = "excused"
    """Let through and counted although it is over the limit: an emergency."""
    REFUSED = "refused"
    """Not let through, and not counted."""

    @property
    def allowed(self) -> bool:
        """Whether it was let through."""
        return self is not Spent.REFUSED


@dataclass(frozen=True, slots=True)
class Limits:
    """The most of each in a window of so many seconds; None is no limit."""

    window: float
    associations: int | None = None
    queries: int | None = None
    matches: int | None = None
    patients: int | None = None
    studies: int | None = None
    bytes: int | None = None

    def __post_init__(self) -> None:
        """``ConfigError`` for a limit that cannot be kept."""
        if not self.window >= 1:
            raise ConfigError("a window is one second at least", where="[budgets] window")
        for measure in _DISTINCT:
            limit = self.of(measure)
            if limit is not None and limit > MOST_DISTINCT:
                where, most = f"[budgets] {measure.value}", f"{MOST_DISTINCT} at most"
                raise ConfigError(
                    f"may be {most}", where=where, then="or leave it out: then there is no limit"
                )

    def of(self, measure: Measure) -> int | None:
        """The limit of one measure."""
        limit: int | None = getattr(self, measure.value)
        return limit


@dataclass(frozen=True, slots=True)
class Totals:
    """What was counted in one step of time."""

    amounts: Mapping[Measure, int] = field(default_factory=dict)
    seen: Mapping[Measure, frozenset[Identity]] = field(default_factory=dict)

    def as_json(self) -> str:
        """One line, the same for the same totals."""
        seen = {m.value: sorted(f"{identity:016x}" for identity in known) for m, known in self.seen.items()}
        amounts = {measure.value: amount for measure, amount in self.amounts.items()}
        return json.dumps({"amounts": amounts, "seen": seen}, sort_keys=True, separators=(",", ":"))


def read_totals(text: str) -> Totals:
    """What ``as_json`` wrote; ``ValueError`` for anything else."""
    try:
        whole = json.loads(text)
        amounts = {Measure(name): amount for name, amount in whole["amounts"].items()}
        seen = {Measure(name): frozenset(map(_identity, known)) for name, known in whole["seen"].items()}
    except (KeyError, TypeError, AttributeError, RecursionError) as exc:
        raise ValueError("these are no totals") from exc
    if not all(type(amount) is int and 0 <= amount <= _MOST_AMOUNT for amount in amounts.values()):
        raise ValueError("these are no totals")
    return Totals(amounts, seen)


def _identity(text: str) -> Identity:
    if not _HASH.fullmatch(text):
        raise ValueError("these are no totals")
    return int(text, 16)


def join(several: Iterable[Totals]) -> Totals:
    """What several processes counted in the same step, together."""
    told = tuple(several)
    amounts = {m: sum(totals.amounts.get(m, 0) for totals in told) for m in _COUNTED}
    seen = {m: frozenset[Identity]().union(*(totals.seen.get(m, ()) for totals in told)) for m in _DISTINCT}
    return Totals({m: n for m, n in amounts.items() if n}, {m: known for m, known in seen.items() if known})


class Budget:
    """What one principal has left. Memory is bounded by ``MOST_DISTINCT`` for each process that shares it."""

    def __init__(self, limits: Limits, key: bytes) -> None:
        """``key`` hides identities (16 to 64 bytes); processes that share totals share it."""
        self.limits = limits
        self._key = key
        self._limit = {measure: limits.of(measure) for measure in Measure}
        # A little wider than a sixtieth, so that no rounding of a moment takes it out of its window.
        self._width = int(limits.window * _MICROSECONDS) // STEPS + 1
        self._step = 0
        self._own = _Counts()
        self._others: dict[int, Totals] = {}
        self._seen: dict[Measure, set[Identity]] = {measure: set() for measure in _DISTINCT}
        self._used = dict.fromkeys(Measure, 0)

    def spend(self, measure: Measure, what: int | str, now: float, *, emergency: bool = False) -> Spent:
        """Take an amount, or the identity of a patient or study, which counts once in a window.

        An emergency is never refused; what it takes is counted.
        """
        limit = self._limit[measure]
        if limit is None:
            return Spent.WITHIN
        self._turn(now)
        before = self._used[measure]
        if isinstance(what, str):
            identity = self._hidden(measure, what)
            grows = int(identity not in self._seen[measure])
        else:
            identity, grows = None, _amount(measure, what)
        if grows and before + grows > limit and not emergency:
            return Spent.REFUSED
        self._take(measure, grows, identity)
        return _told(before, before + grows, limit)

    def left(self, measure: Measure, now: float) -> int | None:
        """How much of it may still be had; None without a limit."""
        limit = self._limit[measure]
        self._turn(now)
        return None if limit is None else max(0, limit - self._used[measure])

    def idle(self, now: float) -> bool:
        """Whether nothing is counted any more, so that the budget may be forgotten."""
        self._turn(now)
        return not any(self._used.values())

    def step(self, now: float) -> int:
        """The number of the step of time that ``now`` lies in; processes with the same window agree on it."""
        return int(now * _MICROSECONDS) // self._width

    def snapshot(self, since: int = 0) -> Mapping[int, Totals]:
        """What this process has counted, by step, from the step ``since`` on: for the others."""
        return self._own.totals(since)

    def merge(self, others: Mapping[int, Iterable[Totals]], now: float) -> None:
        """All that the other processes have counted, by step; it replaces what was merged before."""
        self._others = {step: join(totals) for step, totals in others.items()}
        self._step = self.step(now)
        self._settle()

    def _turn(self, now: float) -> None:
        step = int(now * _MICROSECONDS) // self._width
        if step != self._step:
            self._step = step
            self._settle()

    def _settle(self) -> None:
        """Forget what has left the window, and count anew what is in it."""
        self._own.settle(self._step)
        live = range(self._step - STEPS, self._step + STEPS + 1)
        self._others = {step: totals for step, totals in self._others.items() if step in live}
        others = join(self._others.values())
        for measure in _COUNTED:
            own = sum(self._own.amounts[measure].values())
            self._used[measure] = own + others.amounts.get(measure, 0)
        for measure in _DISTINCT:
            self._seen[measure] = set(self._own.seen[measure]).union(others.seen.get(measure, ()))
            self._used[measure] = len(self._seen[measure])

    def _hidden(self, measure: Measure, identity: str) -> Identity:
        if measure not in _DISTINCT:
            raise ValueError(f"{measure.value} are counted by amount")
        text = identity.encode("utf-8", "surrogatepass")
        return int.from_bytes(hashlib.blake2b(text, digest_size=8, key=self._key).digest())

    def _take(self, measure: Measure, grows: int, identity: Identity | None) -> None:
        if identity is None:
            self._own.add(measure, grows, self._step)
        elif self._own.see(measure, identity, self._step):
            self._seen[measure].add(identity)
        else:
            return
        self._used[measure] += grows


def _amount(measure: Measure, what: int) -> int:
    if measure in _DISTINCT or what < 0:
        raise ValueError(f"{what} is no amount of {measure.value}")
    return what


def _told(before: int, after: int, limit: int) -> Spent:
    if after > limit and after > before:
        return Spent.EXCUSED
    return Spent.NEARLY if before * 5 < limit * 4 <= after * 5 else Spent.WITHIN


class _Counts:
    """Amounts by step; identities by the step in which they were seen last."""

    __slots__ = ("amounts", "seen")

    def __init__(self) -> None:
        self.amounts: dict[Measure, dict[int, int]] = {measure: {} for measure in _COUNTED}
        self.seen: dict[Measure, dict[Identity, int]] = {measure: {} for measure in _DISTINCT}

    def add(self, measure: Measure, amount: int, step: int) -> None:
        by_step = self.amounts[measure]
        by_step[step] = by_step.get(step, 0) + amount

    def see(self, measure: Measure, identity: Identity, step: int) -> bool:
        """Whether there was room for it."""
        known = self.seen[measure]
        if identity not in known and len(known) >= _KEPT:
            return False
        known[identity] = max(step, known.get(identity, step))
        return True

    def settle(self, now: int) -> None:
        """Keep the window that ends with the step ``now``; what a clock put far ahead of it counts as now."""
        first, last = now - STEPS, now + STEPS
        for measure, by_step in self.amounts.items():
            ahead = sum(amount for step, amount in by_step.items() if step > last)
            self.amounts[measure] = {step: n for step, n in by_step.items() if first <= step <= last}
            if ahead:
                self.add(measure, ahead, now)
        for measure, known in self.seen.items():
            self.seen[measure] = {
                i: step if step <= last else now for i, step in known.items() if step >= first
            }

    def totals(self, since: int) -> dict[int, Totals]:
        amounts: dict[int, dict[Measure, int]] = {}
        seen: dict[int, dict[Measure, set[Identity]]] = {}
        for measure, by_step in self.amounts.items():
            for step, amount in by_step.items():
                amounts.setdefault(step, {})[measure] = amount
        for measure, known in self.seen.items():
            for identity, step in known.items():
                seen.setdefault(step, {}).setdefault(measure, set()).add(identity)
        return {
            step: Totals(
                amounts.get(step, {}), {m: frozenset(known) for m, known in seen.get(step, {}).items()}
            )
            for step in sorted(amounts.keys() | seen.keys())
            if step >= since
        }
