"""What can be wrong with a file of policies, and how it is said."""

from __future__ import annotations

import pytest

from leadglass.access.clauses import clauses
from leadglass.access.memo import Memo
from leadglass.access.policy import load
from leadglass.access.roles import ready
from leadglass.access.statements import statements
from leadglass.errors import ConfigError

GOOD = '@id("a") permit(principal, action, resource);\n'

WRONG = {
    "unexpected token": ('@id("x")\npermit(principal, action resource);', 3, "unexpected token `resource`"),
    "no end": ('@id("x") permit(principal, action, resource)', 3, "cannot be read"),
    "an open string": ('@id("x") permit(principal == Person::"a, action, resource);', 3, "cannot be read"),
    "not a policy": ("allow everything;", 3, "cannot be read"),
    "a lone semicolon": (";", 3, "cannot be read"),
    "no id": ("\n\npermit(principal, action, resource);", 5, "no @id"),
    "an empty id": ('@id("") permit(principal, action, resource);', 3, "no @id"),
    "an id that no log should hold": ('@id("a b") permit(principal, action, resource);', 3, "the @id 'a b'"),
    "two ids": ('@id("x") @id("y") permit(principal, action, resource);', 3, "duplicate annotation"),
    "the same id": ('@id("a") forbid(principal, action, resource);', 3, "at x.cedar:1"),
    "a template": ('@id("x") permit(principal == ?principal, action, resource);', 3, "template"),
    "an unknown action": (
        '@id("x") permit(principal, action == Action::"delete", resource);',
        3,
        'unrecognized action `Action::"delete"`',
    ),
    "an unknown type": ('@id("x") permit(principal is Doctor, action, resource);', 3, "Doctor"),
    "an unknown attribute": (
        '@id("x")\npermit(principal, action, resource is Study)\nwhen { resource.instituton == "N" };',
        3,
        "attribute `instituton` on entity type `Study` not found",
    ),
    "an attribute that may be absent": (
        '@id("x") permit(principal, action, resource is Study) when { resource.institution == "N" };',
        3,
        "optional attribute `institution`",
    ),
    "a comparison of unlike things": (
        '@id("x") permit(principal, action, resource is Study) when { resource has study_date && resource.study_date == "20261121" };',
        3,
        "does not fit the schema",
    ),
    "too deep": (
        '@id("x") permit(principal, action, resource) when { ' + "(" * 5000 + "true" + ")" * 5000 + " };",
        3,
        "brackets within each other",
    ),
    "deep without brackets": (
        '@id("x") permit(principal, action, resource) when { ' + "true && " * 1000 + "true };",
        3,
        "too many terms",
    ),
    "a path without end": (
        '@id("x") permit(principal, action, resource) when { context has a' + ".a" * 7000 + " };",
        3,
        "400 dots",
    ),
    "endless": (
        '@id("x") permit(principal, action, resource) when { ' + "true && " * 50_000 + "true };",
        3,
        "more than 16384 characters",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_told_with_its_file_its_line_and_what_to_do(name: str) -> None:
    text, line, what = WRONG[name]
    with pytest.raises(ConfigError) as caught:
        load({"x.cedar": f"{GOOD}// a comment; with a semicolon\n{text}\n"}, 1)

    message = str(caught.value)
    assert message.startswith(f"x.cedar:{line}: ")
    assert what in message
    assert caught.value.then
    assert "\n" not in message
    assert len(message) < 1000


@pytest.mark.parametrize("text", ["", "\n\n", "// nothing; at all"])
def test_no_policy_at_all_is_a_mistake(text: str) -> None:
    with pytest.raises(ConfigError, match="there is no policy"):
        load({"x.cedar": text}, 1)


def test_a_file_without_end_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match="split the file"):
        load({"x.cedar": GOOD + " " * (1 << 20)}, 1)


def test_an_id_may_not_stand_in_two_files() -> None:
    with pytest.raises(ConfigError, match=r"y\.cedar:1: .* at x\.cedar:1"):
        load({"x.cedar": GOOD, "y.cedar": GOOD}, 1)


def test_policies_are_cut_where_they_end_and_not_in_strings_and_comments() -> None:
    text = (
        "// first; second\n"
        '@id("a") permit(principal == Person::"x;\\"; y", action, resource); // after; it\n'
        "\n"
        '@id("b")\n'
        "forbid(principal, action, resource) // why;\n"
        'when { context has device && context.device like "//*;" };'
    )

    assert [(each.line, each.text[:8]) for each in statements("x", text)] == [
        (2, '@id("a")'),
        (4, '@id("b")'),
    ]
    assert [(each.id, each.place, each.permits) for each in clauses({"x": text})] == [
        ("a", "x:2", True),
        ("b", "x:4", False),
    ]


def test_the_ready_roles_hold_together() -> None:
    assert len(load(ready(), 1).clauses) >= 15


def test_a_memo_keeps_the_latest_and_no_more_than_its_most() -> None:
    memo: Memo[int, str] = Memo(10)
    for n in range(1000):
        memo.put(n, str(n))
        assert memo.get(0) == "0"  # asked for all the time, so never forgotten
        assert len(memo) <= 10

    assert memo.get(999) == "999"
    assert memo.get(500) is None
