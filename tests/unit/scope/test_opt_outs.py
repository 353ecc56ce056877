"""Who opted out is excluded, wherever the scope's text goes."""

from __future__ import annotations

import pytest

from leadglass.errors import ScopeError
from leadglass.scope.opt_outs import merged, named_in, opt_outs
from leadglass.scope.parse import parse
from leadglass.scope.scope import Scope

SCOPE = """name = "Example sweep"
opt_outs = "opt-outs.toml"
[authorisation]
basis = "mandate"
granted_by = "Example CERT"
contact = "abuse@example.org"
[[targets]]
range = "192.0.2.0/24"
ports = [104]
"""
LIST = """
[[opt_out]]
range = "192.0.2.16/28"
asked_by = "Example Clinic"
asked_on = 2026-11-01
verified = "letterhead"
[[opt_out]]
range = "192.0.2.7"
asked_by = "Somebody \\"else\\" \\\\"
asked_on = 2026-11-02
verified = "pending"
"""


def scope_of(text: str) -> Scope:
    return parse(text, filename="scope.toml", moment=0.0)


def test_who_opted_out_is_excluded_and_the_rest_is_not() -> None:
    scope = scope_of(merged(SCOPE, "scope.toml", opt_outs(LIST, "opt-outs.toml")))

    assert scope.count() == 256 - 16 - 1
    assert scope.depth("192.0.2.7", 104) is None
    assert scope.depth("192.0.2.16", 104) is None
    assert scope.depth("192.0.2.8", 104) is not None
    reasons = [exclusion.reason for exclusion in scope.exclusions]
    assert reasons[0] == "opted out: Example Clinic, 2026-11-01, verified by letterhead"
    assert reasons[1].endswith('Somebody "else" \\, 2026-11-02, not verified yet')


def test_they_are_added_to_the_exclusions_that_are_there() -> None:
    text = SCOPE + '[[exclude]]\nrange = "192.0.2.1"\nreason = "x"\n'

    assert scope_of(merged(text, "scope.toml", opt_outs(LIST, "x"))).count() == 256 - 16 - 2


def test_an_empty_list_leaves_the_scope_as_it_is() -> None:
    assert scope_of(merged(SCOPE, "scope.toml", opt_outs("", "x"))).count() == 256


def test_a_scope_whose_opt_outs_were_not_read_permits_nothing() -> None:
    assert named_in(SCOPE, "scope.toml") == "opt-outs.toml"
    with pytest.raises(ScopeError, match="line 2: the opt-outs were not read"):
        scope_of(SCOPE)


def test_exclusions_in_brackets_are_refused_and_not_lost() -> None:
    text = SCOPE.replace("[auth", 'exclude = [{range = "192.0.2.1", reason = "x"}]\n[auth', 1)

    with pytest.raises(ScopeError, match=r"write \[\[exclude\]\] tables"):
        merged(text, "scope.toml", opt_outs(LIST, "x"))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"192.0.2.7"', '"192.0.2.7/24"', "line 8: 192.0.2.7/24 has host bits set"),
        ('"192.0.2.7"', '"no name!"', "line 8"),
        ('"pending"', '"a friend said so"', "line 11"),
        ("verified", "verifed", "line 6"),
        ("[[opt_out]]", "[[opt_outs]]", "line 2"),
        ('"pending"', '"pending', "this is not TOML"),
    ],
)
def test_a_list_with_a_mistake_permits_nothing(old: str, new: str, says: str) -> None:
    with pytest.raises(ScopeError, match=says):
        opt_outs(LIST.replace(old, new), "opt-outs.toml")
