"""Do the intervals hold the truth as often as they say? 100 populations each; 2,000 under LEADGLASS_DEEP."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest
from tests.unit.survey.populations import TIMES, covered

from leadglass.survey.hidden import Calibration, Hint, Known, hidden
from leadglass.survey.interval import Interval
from leadglass.survey.misclassification import Confusion, Validation, bounds, by_class, ranges, rogan_gladen
from leadglass.survey.recapture import chapman, recaptured
from leadglass.survey.sampling import Stratum, allocate
from leadglass.survey.stratified import StratumCount, by_call, stratified
from leadglass.survey.tables import Answers, shares_by_truth

LEAST = 0.935 if TIMES >= 2000 else 0.88
"""95 of 100, less what chance may take from so few populations."""
SLOW = TIMES if TIMES >= 2000 else TIMES // 3
"""Looks in tests whose every look takes long."""

# ---- strata


@pytest.mark.parametrize(
    ("shares", "sampled"),
    [((0.02, 0.5, 0.1), (100, 60, 40)), ((0.0, 0.05, 0.9), (50, 30, 20)), ((0.3, 0.3, 0.3), (20, 20, 20))],
)
def test_a_stratified_share(shares: Sequence[float], sampled: Sequence[int]) -> None:
    sizes = (2000, 800, 300)
    counts = [round(size * share) for size, share in zip(sizes, shares, strict=True)]

    def look(chance: random.Random) -> Iterator[tuple[float, Interval]]:
        strata = [
            StratumCount(str(size), sum(i < count for i in chance.sample(range(size), n)), n, size)
            for size, count, n in zip(sizes, counts, sampled, strict=True)
        ]
        yield sum(counts) / sum(sizes), stratified(strata).interval

    assert covered(f"stratified {shares}", look).share >= LEAST


# ---- a classifier with errors, which are perturbed from one population to the next


def classified(
    chance: random.Random, share: float, right: float, wrong: float, size: int
) -> tuple[list[bool], list[bool]]:
    """Truth and call of ``size`` servers; half of the errors come in fleets of five that are called alike."""
    truth = [chance.random() < share for _ in range(size)]
    errors = (min(right * chance.uniform(0.95, 1.05), 1), wrong * chance.uniform(0.8, 1.2))
    called: list[bool] = []
    for number, is_so in enumerate(truth):
        alike = number % 10 in {1, 2, 3, 4} and truth[number - number % 5] == is_so
        called.append(called[number - number % 5] if alike else chance.random() < errors[0 if is_so else 1])
    return truth, called


def validated(chance: random.Random, truth: list[bool], called: list[bool], size: int) -> Validation:
    pairs = Counter((truth[i], called[i]) for i in chance.sample(range(len(truth)), size))
    return Validation(pairs[True, True], pairs[True, False], pairs[False, True], pairs[False, False])


CASES = [(0.1, 0.9, 0.1, 500, 200), (0.3, 0.8, 0.2, 400, 150), (0.05, 0.85, 0.04, 1000, 150)]


@pytest.mark.parametrize(("share", "right", "wrong", "size", "known"), CASES)
def test_rogan_gladen_and_the_count_by_call(
    share: float, right: float, wrong: float, size: int, known: int
) -> None:
    def inverse(chance: random.Random) -> Iterator[tuple[float, Interval]]:
        truth, called = classified(chance, share, right, wrong, size)
        found = rogan_gladen(sum(called), size, validated(chance, truth, called, known))
        yield sum(truth) / size, found.interval

    def direct(chance: random.Random) -> Iterator[tuple[float, Interval]]:
        truth, called = classified(chance, share, right, wrong, size)
        yield sum(truth) / size, by_call(sum(called), size, validated(chance, truth, called, known)).interval

    first = covered(f"Rogan-Gladen {share} {right} {wrong}", inverse)
    second = covered(f"by call {share} {right} {wrong}", direct)

    assert first.share >= LEAST
    assert second.share >= LEAST
    assert second.width < first.width


def test_bounds_hold_when_the_errors_were_counted_on_others() -> None:
    def look(chance: random.Random) -> Iterator[tuple[float, Interval]]:
        truth, called = classified(chance, 0.15, 0.85, 0.1, 600)
        elsewhere = classified(chance, 0.5, 0.85, 0.1, 300)  # as good a classifier, among others
        known = validated(chance, *elsewhere, 200)
        yield sum(truth) / 600, bounds(sum(called), 600, *ranges(known)).share

    assert covered("bounds", look).share >= LEAST


@pytest.mark.parametrize(
    ("shares", "right"), [((0.5, 0.3, 0.2), 0.8), ((0.8, 0.15, 0.05), 0.85), ((0.4, 0.3, 0.3), 0.6)]
)
def test_shares_of_several_kinds(shares: Sequence[float], right: float) -> None:
    names = ("clinical", "demo", "honeypot")

    def look(chance: random.Random) -> Iterator[tuple[float, Interval]]:
        truth = chance.choices(range(3), shares, k=800)
        as_good = right * chance.uniform(0.95, 1.05)
        called = [t if chance.random() < as_good else (t + chance.choice((1, 2))) % 3 for t in truth]
        matrix = [[0] * 3 for _ in names]
        for i in chance.sample(range(800), 200):
            matrix[truth[i]][called[i]] += 1
        counts = {name: called.count(i) for i, name in enumerate(names)}
        found = by_class(counts, Confusion(names, tuple(map(tuple, matrix))))
        for i, name in enumerate(names):
            yield truth.count(i) / 800, found[name].interval

    assert covered(f"matrix {shares} {right}", look).share >= LEAST


PRIOR = {"clinical": 0.5, "demo": 0.3, "honeypot": 0.2}
"""What a judge supposes before any evidence."""
TELLS = {"clinical": (0.7, 0.2), "demo": (0.15, 0.5), "honeypot": (0.25, 0.1)}
"""How often each kind shows two signs."""


def judged(chance: random.Random, truth: Sequence[str]) -> list[str]:
    """The likeliest kind of each server, by ratios that are off by up to a half or a double.

    Signs depend on each other: of servers that follow one another and are of one kind, four in five were made
    from one image and show the same.
    """
    off = {kind: [math.exp(chance.uniform(-0.7, 0.7)) for _ in range(4)] for kind in PRIOR}
    called: list[str] = []
    signs = [False, False]
    for number, kind in enumerate(truth):
        if number % 5 == 0 or truth[number - 1] != kind:
            signs = [chance.random() < share for share in TELLS[kind]]
        weights = dict(PRIOR)
        for which, shown in enumerate(signs):
            for each, shares in TELLS.items():
                ratio = shares[which] if shown else 1 - shares[which]
                weights[each] *= ratio * off[each][2 * which + shown]
        called.append(max(weights, key=lambda each: weights[each]))
    return called


def test_kinds_of_a_drawn_sample_hold_though_the_judge_is_wrong() -> None:
    naive: list[bool] = []

    def look(chance: random.Random) -> Iterator[tuple[float, Interval]]:
        truth = chance.choices(list(PRIOR), (0.15, 0.4, 0.45), k=2000)  # far from what is supposed
        parts: dict[str, list[str]] = {}
        for kind, called in zip(truth, judged(chance, truth), strict=True):
            parts.setdefault(called, []).append(kind)
        sizes = {name: len(part) for name, part in parts.items()}
        taken = allocate(tuple(Stratum(name, size) for name, size in sizes.items()), 200)
        counts = {name: Counter(chance.sample(parts[name], number)) for name, number in taken.items()}
        for kind, found in shares_by_truth(Answers(sizes, counts, 0)).items():
            yield truth.count(kind) / 2000, found.interval
            naive.append(sizes.get(kind, 0) / 2000 in found.interval)

    assert covered("drawn sample, perturbed ratios", look, times=SLOW).share >= LEAST
    print(f"the naive count lies in {sum(naive) / len(naive):.2f} of these intervals")
    assert sum(naive) < len(naive) / 2


# ---- overlapping lists


@pytest.mark.parametrize(
    ("size", "first", "second"),
    [(500, 0.5, 0.4), (2000, 0.2, 0.1), (300, 0.8, 0.7), (300, 0.98, 0.98), (100, 0.97, 0.97)],
)
def test_two_independent_lists(size: int, first: float, second: float) -> None:
    def look(chance: random.Random) -> Iterator[tuple[float, Interval]]:
        on = Counter((chance.random() < first, chance.random() < second) for _ in range(size))
        both = on[True, True]
        yield size, chapman(both + on[True, False], both + on[False, True], both).interval

    assert covered(f"Chapman {size} {first} {second}", look).share >= LEAST


def histories(
    chance: random.Random, size: int, shares: Sequence[float], copied: float
) -> Counter[frozenset[str]]:
    """Servers on lists; a ``copied`` part of the first list is taken over by the second."""
    found: Counter[frozenset[str]] = Counter()
    for _ in range(size):
        on = [chance.random() < share for share in shares]
        on[1] = on[1] or (on[0] and chance.random() < copied)
        found[frozenset("ABCD"[i] for i, is_on in enumerate(on) if is_on)] += 1
    del found[frozenset()]
    return found


@pytest.mark.parametrize(
    ("size", "shares", "copied"),
    [
        (800, (0.4, 0.3, 0.3), 0.0),
        (800, (0.4, 0.3, 0.3), 0.4),
        pytest.param(1000, (0.3, 0.3, 0.25, 0.2), 0.3, marks=pytest.mark.deep),
    ],
)
def test_three_or_more_lists_of_which_one_may_copy(size: int, shares: Sequence[float], copied: float) -> None:
    def look(chance: random.Random) -> Iterator[tuple[float, Interval]]:
        yield size, recaptured(histories(chance, size, shares, copied)).interval

    # The choice among models is not counted by the interval, and the words say so.
    found = covered(f"log-linear {shares} copied {copied}", look, times=SLOW)
    assert found.share >= LEAST - 0.03


def test_lists_that_copy_each_other_give_a_lower_bound() -> None:
    chance = random.Random(8)
    totals = []
    for _ in range(SLOW):
        on = histories(chance, 1000, (0.5, 0.3), 0.6)
        totals.append(recaptured(on).estimate)
    print(f"two lists, of which one copies: {sum(totals) / len(totals):.0f} of 1000 on average")

    assert max(totals) < 1000


def test_servers_that_every_list_finds_easily_give_a_lower_bound() -> None:
    chance = random.Random(9)
    totals = []
    for _ in range(SLOW // 3):
        on: Counter[frozenset[str]] = Counter()
        for number in range(1000):
            easy = 0.75 if number < 400 else 0.1  # the rest stands behind filters that all lists meet
            on[frozenset(name for name in "ABC" if chance.random() < easy)] += 1
        del on[frozenset()]
        totals.append(recaptured(on).estimate)
    average = sum(totals) / len(totals)
    print(f"three lists, servers of two sorts: {average:.0f} of 1000 on average")

    assert average < 1000


# ---- behind certificates


def test_calibrated_counts_of_hidden_servers() -> None:
    chances = {Hint.NAMED: 0.9, Hint.PORT: 0.6, Hint.OTHER: 0.02}
    counts = {Hint.CONFIRMED: 5, Hint.NAMED: 40, Hint.PORT: 120, Hint.OTHER: 800}

    def look(chance: random.Random) -> Iterator[tuple[float, Interval]]:
        truth = 5 + sum(
            sum(chance.random() < share for _ in range(counts[hint])) for hint, share in chances.items()
        )
        known = {
            hint: Known(sum(chance.random() < share for _ in range(60)), 60)
            for hint, share in chances.items()
        }
        found = hidden(counts, Calibration("two networks", known))
        assert found.interval is not None
        assert truth in found.bounds
        yield truth, found.interval

    assert covered("hidden", look).share >= LEAST
