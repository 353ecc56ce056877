from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadglass.errors import UsageError
from leadglass.survey.sampling import Lot, Stratum, allocate

SERVERS = [f"192.0.2.{number}" for number in range(200)]


def drawn(servers: list[str], size: int, seed: str) -> tuple[str, ...]:
    lot = Lot(size, seed)
    for server in servers:
        lot.show(server)
    return lot.drawn()


def test_the_same_seed_draws_the_same_whatever_the_order_and_however_often_a_server_is_listed() -> None:
    shuffled = SERVERS * 2
    random.Random(1).shuffle(shuffled)

    assert drawn(shuffled, 30, "a") == drawn(SERVERS, 30, "a")
    assert len(set(drawn(SERVERS, 30, "a"))) == 30


def test_another_seed_draws_others() -> None:
    assert drawn(SERVERS, 30, "a") != drawn(SERVERS, 30, "b")


def test_of_a_smaller_sample_the_servers_are_the_first_of_a_larger_one() -> None:
    assert drawn(SERVERS, 50, "a")[:10] == drawn(SERVERS, 10, "a")


def test_every_server_is_as_likely_as_any_other() -> None:
    counts = Counter(server for seed in range(400) for server in drawn(SERVERS[:20], 5, str(seed)))
    # 100 expected each, with a standard deviation of 8.7.
    spread = sum((counts[server] - 100) ** 2 for server in SERVERS[:20]) / 75

    assert 6 < spread < 40  # chi-square with 19 degrees of freedom


@given(
    st.lists(st.tuples(st.integers(1, 500), st.floats(0, 1)), min_size=1, max_size=6), st.integers(12, 300)
)
def test_an_allocation_fits_and_leaves_nothing_out(parts: list[tuple[int, float]], size: int) -> None:
    strata = tuple(Stratum(str(i), number, share) for i, (number, share) in enumerate(parts))
    taken = allocate(strata, size)

    assert sum(taken.values()) == min(size, sum(number for number, _ in parts))
    assert all(min(2, stratum.size) <= taken[stratum.name] <= stratum.size for stratum in strata)


def test_more_is_taken_where_there_is_more_to_learn() -> None:
    taken = allocate((Stratum("even", 1000, 0.5), Stratum("clear", 1000, 0.01)), 100)

    # By Neyman: number times spread, 0.5 against 0.0995.
    assert taken["even"] == pytest.approx(83, abs=1)


def test_a_sample_that_cannot_reach_every_stratum_is_refused() -> None:
    with pytest.raises(UsageError, match="too small"):
        allocate((Stratum("a", 10), Stratum("b", 10)), 3)
