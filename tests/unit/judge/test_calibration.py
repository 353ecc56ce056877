"""What the shares are worth on servers that were made up with other tables than ours."""

from __future__ import annotations

import pytest
from bench.nature import population, scores

from leadglass.judge.nature import prior


@pytest.mark.parametrize("wrong", [0.0, 0.7])
def test_shares_are_about_as_often_right_as_they_say_and_better_than_the_prior(wrong: float) -> None:
    servers = list(population(800, wrong, seed=2026))
    truth = [server.kind for server in servers]

    brier, ece, right = scores(truth, [server.sampled for server in servers])
    before, _, _ = scores(truth, [prior()] * len(truth))

    assert ece < 0.1
    assert brier < before / 2
    assert right > 0.65
