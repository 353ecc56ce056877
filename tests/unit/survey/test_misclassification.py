from __future__ import annotations

import pytest

from leadglass.errors import UsageError
from leadglass.survey.interval import Interval
from leadglass.survey.misclassification import (
    Confusion,
    Validation,
    bounds,
    by_class,
    is_like_the_rest,
    ranges,
    rogan_gladen,
)
from leadglass.survey.stratified import StratumCount, by_call, stratified
from leadglass.survey.texts import for_validated

KNOWN = Validation(45, 5, 10, 90)


def test_a_published_herd_has_the_prevalence_that_was_published() -> None:
    # 23 of 150 cows positive, sensitivity 96 %, specificity 89 %: 5.1 of 100 (epiR, epi.prev).
    found = rogan_gladen(23, 150, Validation(960, 40, 110, 890))

    assert found.raw == pytest.approx(0.051, abs=0.0005)


def test_the_interval_is_that_of_lang_and_reiczigel() -> None:
    # Their equations worked out by hand for 40 of 200, 45 of 50 and 90 of 100.
    found = rogan_gladen(40, 200, KNOWN)

    assert found.raw == pytest.approx(0.125)
    assert (found.interval.low, found.interval.high) == pytest.approx((0.0220, 0.2209), abs=1e-4)


def test_fewer_calls_than_errors_is_none_and_not_less_than_none() -> None:
    found = rogan_gladen(3, 200, KNOWN)

    assert found.raw < 0
    assert found.share == 0
    assert found.interval.low == 0


def test_two_classes_by_matrix_are_rogan_and_gladens() -> None:
    found = by_class({"private": 40, "not": 160}, Confusion(("private", "not"), ((45, 5), (10, 90))))

    assert found["private"].raw == pytest.approx(rogan_gladen(40, 200, KNOWN).raw)
    assert found["private"].raw + found["not"].raw == pytest.approx(1)


def test_a_classifier_without_errors_changes_nothing() -> None:
    found = by_class(
        {"a": 30, "b": 50, "c": 20}, Confusion(("a", "b", "c"), ((9, 0, 0), (0, 9, 0), (0, 0, 9)))
    )

    assert [found[name].share for name in "abc"] == pytest.approx([0.3, 0.5, 0.2])


def test_shares_by_what_was_called_are_weighed() -> None:
    found = by_call(100, 1000, Validation(40, 2, 10, 98))

    assert found.share == pytest.approx(0.1 * 40 / 50 + 0.9 * 2 / 100)


def test_bounds_are_wider_than_any_point_and_hold_every_error_in_range() -> None:
    found = bounds(40, 200, Interval(0.8, 1.0), Interval(0.85, 0.95))
    for sensitivity in (0.8, 0.9, 1.0):
        for specificity in (0.85, 0.9, 0.95):
            share = (0.2 + specificity - 1) / (sensitivity + specificity - 1)
            assert share in found.share


def test_errors_that_may_be_anything_bound_nothing() -> None:
    assert bounds(40, 200, Interval(0.3, 1), Interval(0.5, 1)).share == Interval(0, 1)


@pytest.mark.parametrize(("positive", "says"), [(0, "fewer were called"), (2000, "more were called")])
def test_calls_that_go_with_no_share_have_no_bounds(positive: int, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        bounds(positive, 2000, Interval(0.7, 0.9), Interval(0.8, 0.9))


def test_the_validated_are_a_part_of_those_who_were_called() -> None:
    with pytest.raises(UsageError, match="34 of the validated were called private, of all only 0"):
        by_call(0, 2000, Validation(28, 4, 6, 112))


def test_validated_servers_that_were_chosen_by_what_they_were_called_are_told() -> None:
    # All 60 that were called so and 90 of the others: the share by what was called is right, the inverse is not.
    known = Validation(40, 1, 20, 89)
    found, direct = rogan_gladen(60, 2000, known), by_call(60, 2000, known)
    words = " ".join(map(str, for_validated(found, direct, known, 0.95)))

    assert "40 % were called private, of all 3.0 %" in words
    assert "only the second row holds" in words
    assert "Fewer were called private than these errors alone would make" in words


def test_a_random_part_is_like_the_rest() -> None:
    assert is_like_the_rest(0.206, 2000, Validation(28, 4, 6, 112))
    assert not is_like_the_rest(0.03, 2000, Validation(28, 4, 6, 112))


def test_ranges_come_from_what_was_counted_elsewhere() -> None:
    sensitivity, specificity = ranges(KNOWN)

    assert 0.9 in sensitivity
    assert 0.9 in specificity


@pytest.mark.parametrize("known", [Validation(0, 0, 1, 9), Validation(5, 5, 0, 0), Validation(5, 5, 50, 50)])
def test_a_validation_that_tells_nothing_is_refused(known: Validation) -> None:
    with pytest.raises(UsageError):
        rogan_gladen(10, 100, known)


@pytest.mark.parametrize(
    ("called", "matrix", "says"),
    [
        ({"a": 5, "x": 5}, ((5, 1), (1, 5)), "nothing of x"),
        ({"a": 5, "b": 5}, ((5, 1), (0, 0)), "no validated server is b"),
        ({"a": 5, "b": 5}, ((5, 5), (3, 3)), "cannot tell two classes apart"),
        ({"a": 0, "b": 0}, ((5, 1), (1, 5)), "nothing was classified"),
    ],
)
def test_a_matrix_that_tells_nothing_is_refused(
    called: dict[str, int], matrix: tuple[tuple[int, ...], ...], says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        by_class(called, Confusion(("a", "b"), matrix))


def test_one_stratum_is_a_simple_sample() -> None:
    found = stratified([StratumCount("all", 2, 25, 3806)])

    assert found.share == pytest.approx(0.08)
    assert found.interval.low > 0


def test_strata_that_were_looked_at_whole_leave_no_doubt() -> None:
    found = stratified([StratumCount("a", 2, 10, 10), StratumCount("b", 7, 20, 20)])

    assert found.share == pytest.approx(0.3)
    assert found.interval.width == 0


@pytest.mark.parametrize(
    "stratum", [StratumCount("a", 0, 0, 10), StratumCount("a", 2, 1, 10), StratumCount("a", 0, 0, 0)]
)
def test_a_stratum_that_cannot_be_is_refused(stratum: StratumCount) -> None:
    with pytest.raises(UsageError):
        stratified([stratum])
