from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from statsmodels.genmod.families import Poisson
from statsmodels.genmod.generalized_linear_model import GLM

from leadglass.errors import UsageError
from leadglass.survey.loglinear import fit
from leadglass.survey.recapture import chapman, recaptured
from leadglass.survey.texts import for_recaptured


def histories(counts: Mapping[str, int]) -> dict[frozenset[str], int]:
    """``{"AB": 3}``: three servers are on A and B, and on nothing else."""
    return {frozenset(letters): number for letters, number in counts.items()}


THREE = {"A": 247, "B": 4, "C": 142, "AB": 60, "AC": 112, "BC": 12, "ABC": 49}


def design(names: str, pairs: Sequence[str] = ()) -> tuple[list[str], list[tuple[float, ...]]]:
    cells = ["".join(c) for n in range(1, len(names) + 1) for c in itertools.combinations(names, n)]
    rows = [
        (1.0, *(float(name in cell) for name in names), *(float(set(pair) <= set(cell)) for pair in pairs))
        for cell in cells
    ]
    return cells, rows


@pytest.mark.parametrize("pairs", [(), ("AB",), ("AB", "BC")])
def test_a_fit_is_that_of_statsmodels(pairs: Sequence[str]) -> None:
    cells, rows = design("ABC", pairs)
    counts = [float(THREE[cell]) for cell in cells]
    ours = fit(rows, counts)
    theirs = GLM(np.array(counts), np.array(rows), family=Poisson()).fit(tol=1e-12, maxiter=200)

    assert ours is not None
    assert ours.coefficients == pytest.approx(tuple(theirs.params), abs=1e-5)
    assert ours.deviance == pytest.approx(float(theirs.deviance), abs=1e-6)


def test_the_interval_of_two_lists_is_the_published_one() -> None:
    # 10 and 15 caught, 5 of them both times: 22 to 65 by the transformed logit (Sadinle, 2009).
    found = chapman(10, 15, 5)

    assert found.estimate == pytest.approx(28.33, abs=0.01)
    assert (math.floor(found.interval.low), math.ceil(found.interval.high)) == (21, 65)


@pytest.mark.parametrize(("alone", "both"), [((0, 0), 30), ((1, 1), 300), ((0, 5), 100), ((3, 3), 1000)])
def test_two_lists_of_nearly_the_same_servers_leave_few_unseen(alone: tuple[int, int], both: int) -> None:
    # The transformed logit alone says up to 29 million unseen for the first, 58 million for the second.
    found = chapman(both + alone[0], both + alone[1], both)

    assert found.interval.low == found.seen
    assert found.seen < found.interval.high <= found.seen + 3


def test_two_lists_are_counted_from_their_histories() -> None:
    found = recaptured(histories({"A": 5, "B": 10, "AB": 5}))

    assert found == chapman(10, 15, 5)
    assert found.seen == 20


def test_lists_that_copy_are_found_to_depend_and_raise_the_estimate() -> None:
    independent = {"A": 180, "B": 120, "C": 118, "AB": 80, "AC": 77, "BC": 52, "ABC": 33}
    copied = {**independent, "A": 100, "AB": 160, "AC": 44, "ABC": 66}
    alone, together = recaptured(histories(independent)), recaptured(histories(copied))

    assert alone.dependences == ()
    assert together.dependences == (("A", "B"),)
    assert together.estimate == pytest.approx(alone.estimate, rel=0.1)
    assert together.models[()] < together.estimate


def test_a_model_that_the_counts_do_not_fit_is_told_of() -> None:
    # Three lists whose servers are on two of them or on one, and never on all: no pair of dependences makes that.
    apart = {"A": 310, "B": 120, "C": 95, "AB": 640, "AC": 210, "BC": 180, "ABC": 0}
    found = recaptured(histories(apart))

    assert found.fits is False
    assert "The counts do not fit this model" in " ".join(map(str, for_recaptured(found, 0.95)))


def test_a_model_without_freedom_has_nothing_to_fit() -> None:
    assert recaptured(histories({"A": 5, "B": 10, "AB": 5})).fits is None
    assert recaptured(histories(THREE)).fits is not False


def test_every_model_that_was_tried_is_told() -> None:
    found = recaptured(histories(THREE))

    assert () in found.models
    assert len(found.models) > len(found.dependences)
    assert found.seen == sum(THREE.values())
    assert found.estimate in found.interval


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        ({"A": 5}, "one list alone"),
        ({"A": 5, "B": 5}, "no server is on two lists"),
        ({"A": 5, "B": 5, "AB": -1}, "not negative"),
        ({"A": 5, "B": 5, "AB": 1, "": 3}, "on no list"),
        (dict.fromkeys("ABCDEFG", 3) | {"AB": 1}, "more than 6 lists"),
        ({"A": 5, "B": 5, "C": 0, "AB": 1}, "overlap too little"),
    ],
)
def test_what_tells_nothing_is_refused(counts: dict[str, int], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        recaptured(histories(counts))
