"""How many may be inside: in all, and from one address."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from leadglass.guard.doors import Crowd


def test_one_address_has_its_share_and_all_together_theirs() -> None:
    crowd = Crowd(3, 2)

    assert [crowd.enter("a"), crowd.enter("a"), crowd.enter("a")] == [True, True, False]
    assert [crowd.enter("b"), crowd.enter("c")] == [True, False]
    assert (crowd.total, crowd.turned_away) == (3, 2)
    crowd.leave("a")
    assert crowd.enter("c")


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=60))
def test_whoever_comes_and_goes_the_count_is_right(steps: list[tuple[str, bool]]) -> None:
    crowd, inside = Crowd(5, 3), Counter[str]()
    for address, comes in steps:
        if comes:
            assert crowd.enter(address) is (inside.total() < 5 and inside[address] < 3)
            inside[address] += inside.total() < 5 and inside[address] < 3
        elif inside[address]:
            crowd.leave(address)
            inside[address] -= 1
        assert crowd.total == inside.total()
