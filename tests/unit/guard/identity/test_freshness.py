"""When keys are fetched and how long they serve."""

from __future__ import annotations

import pytest

from leadglass.guard.identity.freshness import LAST_GOOD, Freshness


def answered(max_age: float | None, last_good: float = LAST_GOOD) -> Freshness:
    freshness = Freshness(last_good)
    freshness.asked(0.0)
    freshness.fetched(0.0, max_age)
    return freshness


def test_keys_are_wanted_at_once_and_usable_once_they_came() -> None:
    freshness = Freshness()

    assert (freshness.due(0.0), freshness.may_ask(0.0)) == (True, True)
    assert (freshness.fresh(0.0), freshness.usable(0.0)) == (False, False)
    assert (answered(None).fresh(0.0), answered(None).usable(0.0)) == (True, True)


@pytest.mark.parametrize(
    ("max_age", "due"),
    [(None, 225.0), (0.0, 45.0), (1.0, 45.0), (60.0, 45.0), (600.0, 450.0), (3600.0, 2700.0), (1e9, 2700.0)],
)
def test_keys_are_fetched_anew_before_their_lifetime_ends_which_is_bounded(
    max_age: float | None, due: float
) -> None:
    freshness = answered(max_age)

    assert freshness.due_at(1.0) == due
    assert not freshness.due(due - 0.1)
    assert freshness.due(due)


def test_the_last_good_keys_serve_for_a_bounded_time() -> None:
    freshness = answered(60.0, last_good=1000.0)

    assert freshness.fresh(59.9)
    assert not freshness.fresh(60.0)
    assert freshness.usable(999.9)
    assert not freshness.usable(1000.0)


def test_keys_serve_for_their_lifetime_even_where_none_outlive_it() -> None:
    freshness = answered(3600.0, last_good=0.0)

    assert freshness.usable(3599.9)
    assert not freshness.usable(3600.0)


def test_questions_keep_a_distance_whether_they_are_answered_or_not() -> None:
    freshness = Freshness()
    freshness.asked(100.0)

    assert not freshness.may_ask(109.9)
    assert freshness.may_ask(110.0)
    assert freshness.due_at(101.0) == 110.0
    assert not freshness.due(109.9)


def test_a_failure_is_tried_again_and_leaves_the_keys_as_old_as_they_are() -> None:
    freshness = answered(60.0, last_good=1000.0)
    freshness.asked(45.0)

    assert freshness.due_at(46.0) == 55.0
    assert freshness.usable(999.9)
    assert not freshness.usable(1000.0)


def test_the_age_of_keys_is_told() -> None:
    assert Freshness().age(5.0) is None
    assert answered(None).age(5.0) == 5.0
