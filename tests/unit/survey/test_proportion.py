from __future__ import annotations

import itertools
import math

import pytest
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from leadglass.errors import UsageError
from leadglass.survey.proportion import (
    clopper_pearson,
    difference,
    effective_size,
    hypergeometric,
    proportion,
    wilson,
)
from leadglass.survey.sampling import halving_size, sample_size

SIZES = (1, 2, 3, 5, 8, 13, 20, 25, 30, 40, 50, 60)
SHARES = [number / 400 for number in range(1, 400)]


def binomial(n: int, share: float) -> list[float]:
    return [math.comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(n + 1)]


def urn(n: int, count: int, population: int) -> list[float]:
    ways = math.comb(population, n)
    return [math.comb(count, k) * math.comb(population - count, n - k) / ways for k in range(n + 1)]


# ---- coverage by enumeration


def test_clopper_pearson_holds_the_truth_in_95_of_100_everywhere() -> None:
    least = 1.0
    for n in SIZES:
        intervals = [clopper_pearson(k, n) for k in range(n + 1)]
        for share in SHARES:
            held = sum(p for p, i in zip(binomial(n, share), intervals, strict=True) if share in i)
            least = min(least, held)
    print(f"Clopper-Pearson: least coverage {least:.4f}")

    assert least >= 0.95


def test_wilson_holds_it_in_94_to_96_of_100_on_average() -> None:
    averages = {}
    least = 1.0
    for n in range(10, 61, 5):
        intervals = [wilson(k / n, n) for k in range(n + 1)]
        held = [
            sum(p for p, i in zip(binomial(n, share), intervals, strict=True) if share in i)
            for share in SHARES
        ]
        averages[n] = sum(held) / len(held)
        least = min(least, *held)
    print(f"Wilson: averages {averages}, least {least:.4f}")

    assert all(0.94 <= average <= 0.96 for average in averages.values())
    assert least < 0.95  # which is why the exact interval stands beside it


@pytest.mark.parametrize(("population", "n"), [(30, 5), (40, 12), (60, 25), (60, 59)])
def test_the_exact_finite_interval_holds_every_truth_in_95_of_100(population: int, n: int) -> None:
    intervals = [hypergeometric(k, n, population) for k in range(n + 1)]
    least = 1.0
    for count in range(population + 1):
        held = sum(
            p
            for k, p in enumerate(urn(n, count, population))
            if k <= count and n - k <= population - count and count in intervals[k]
        )
        least = min(least, held)
    print(f"hypergeometric {n} of {population}: least coverage {least:.4f}")

    assert least >= 0.95 - 1e-12


def test_the_exact_finite_interval_is_not_wider_than_it_must_be() -> None:
    population, n = 60, 25
    for k in range(n + 1):
        found = hypergeometric(k, n, population)
        low, high = int(found.low), int(found.high)
        if low > k:
            assert sum(urn(n, low - 1, population)[k:]) <= 0.025
        if high < population - n + k:
            assert sum(urn(n, high + 1, population)[: k + 1]) <= 0.025


# ---- against another's, and against what was published


@pytest.mark.parametrize(
    ("k", "n"), [(0, 10), (2, 25), (10, 10), (49, 88), (719, 2774), (1159, 3806), (5, 3627)]
)
def test_both_intervals_are_those_of_statsmodels(k: int, n: int) -> None:
    near, exact = wilson(k / n, n), clopper_pearson(k, n)

    assert (near.low, near.high) == pytest.approx(proportion_confint(k, n, method="wilson"), abs=1e-9)
    assert (exact.low, exact.high) == pytest.approx(proportion_confint(k, n, method="beta"), abs=1e-9)


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [(719, 2774, 24.3, 27.6), (590, 2300, 23.9, 27.5), (1159, 3806, 29.0, 31.9), (49, 88, 45.3, 65.6)],
)
def test_published_surveys_get_the_intervals_they_did_not_give(
    k: int, n: int, low: float, high: float
) -> None:
    found = wilson(k / n, n)

    assert (round(found.low * 100, 1), round(found.high * 100, 1)) == (low, high)


def test_two_of_25_is_anything_from_1_to_26_percent() -> None:
    found = proportion(2, 25, 3806)

    assert found.projected(found.exact).low == 38
    assert found.projected(found.exact).high == 988
    assert (round(found.exact.low, 3), round(found.exact.high, 3)) == (0.01, 0.26)
    assert found.projected(found.wilson).low == 85


# ---- finite populations


def test_who_looks_at_all_of_them_knows() -> None:
    found = proportion(7, 40, 40)

    assert found.exact.width == found.wilson.width == 0
    assert math.isinf(effective_size(40, 40))


def test_an_endless_population_is_the_limit_of_large_ones() -> None:
    large, endless = proportion(30, 200, 10**9), proportion(30, 200)

    assert large.exact.low == pytest.approx(endless.exact.low, abs=1e-6)
    assert large.wilson.high == pytest.approx(endless.wilson.high, abs=1e-6)


def test_a_large_sample_of_a_thousand_million_takes_no_time() -> None:
    found = hypergeometric(30_000, 100_000, 10**9)

    assert found.low < 300_000_000 < found.high
    assert found.width < 6_000_000


# ---- sizes


@pytest.mark.parametrize(("share", "population"), [*itertools.product((0.05, 0.5), (None, 3806, 200))])
def test_a_sample_of_that_size_is_precise_enough_and_a_smaller_one_is_not(
    share: float, population: int | None
) -> None:
    size = sample_size(0.05, population, share)

    assert wilson(share, effective_size(size, population)).width <= 0.1
    assert wilson(share, effective_size(size - 1, population)).width > 0.1


def test_385_suffice_for_five_points_as_textbooks_say() -> None:
    assert 380 <= sample_size(0.05) <= 385


@pytest.mark.parametrize("population", [None, 3806])
def test_the_size_that_is_said_to_halve_the_interval_does(population: int | None) -> None:
    size = halving_size(2, 25, population)
    before = proportion(2, 25, population)
    after = (
        clopper_pearson(0.08 * size, size)
        if population is None
        else wilson(0.08, effective_size(size, population))
    )
    width = before.clopper_pearson.width if population is None else before.wilson.width

    assert after.width <= width / 2
    assert size > 75


# ---- what cannot be


@pytest.mark.parametrize(
    ("k", "n", "population"), [(0, 0, None), (3, 2, None), (-1, 5, None), (1, 5, 4), (1, 10**11, None)]
)
def test_counts_that_cannot_be_are_refused(k: int, n: int, population: int | None) -> None:
    with pytest.raises(UsageError):
        proportion(k, n, population)


@pytest.mark.parametrize("precision", [0.0, 0.5, -1.0, math.nan])
def test_a_precision_that_cannot_be_is_refused(precision: float) -> None:
    with pytest.raises(UsageError):
        sample_size(precision)


# ---- two shares


@pytest.mark.parametrize(
    ("first", "second"), [((56, 70), (48, 80)), ((9, 10), (3, 10)), ((6, 7), (2, 7)), ((10, 10), (0, 20))]
)
def test_a_difference_is_newcombes(first: tuple[int, int], second: tuple[int, int]) -> None:
    # The first three are of Newcombe's own table; the first: 0.0524 to 0.3339 by method 10.
    found = difference(first, second)
    theirs = confint_proportions_2indep(*first, *second, method="newcomb", compare="diff")

    assert (found.low, found.high) == pytest.approx(theirs, abs=1e-9)


def test_newcombes_first_example_is_as_printed() -> None:
    found = difference((56, 70), (48, 80))

    assert (found.low, found.high) == pytest.approx((0.0524, 0.3339), abs=1e-4)


def test_a_difference_turned_round_is_its_negative() -> None:
    there, back = difference((9, 10), (3, 10)), difference((3, 10), (9, 10))

    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))
