"""The pages about policies are true: every word of the schema is there, and the examples do what they say."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace

import pytest
from tests.source import ROOT
from tests.unit.access.cast import HERE, RESOURCES, somebody

from leadglass.access.clauses import schema
from leadglass.access.facts import CONTEXT, STUDY
from leadglass.access.policy import load
from leadglass.access.roles import ROLES, ready
from leadglass.model.access import Action, Kind, Node, Principal, Study

PAGE = (ROOT / "docs" / "reference" / "policy.md").read_text()
SECTIONS = dict(zip(*[iter(re.split(r"^## (.+)$", PAGE, flags=re.MULTILINE)[1:])] * 2, strict=True))
EXAMPLES = re.findall(r"```cedar\n(.*?)```", PAGE, re.DOTALL)
OFFICE = replace(HERE, address="192.0.2.7", moment=dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.UTC))
"""A Friday morning in the trial office."""


def rows(section: str) -> set[str]:
    """What stands first in the rows of a section's tables."""
    return set(re.findall(r"^\| `([\w-]+)` \|", SECTIONS[section], re.MULTILINE))


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("Principals", {"name", *(n for n in Principal.__dataclass_fields__ if n not in {"kind", "name"})}),
        ("Resources", set(STUDY)),
        ("Actions", {action.value for action in Action}),
        ("Context", set(CONTEXT)),
        ("Ready roles", {*ROLES, "clinician"} - {"break-glass"}),
    ],
)
def test_the_tables_have_every_word_and_no_other(section: str, words: set[str]) -> None:
    assert rows(section) == words
    assert all(re.search(rf"\b{word}\b", schema()) for word in words if section != "Ready roles")


def test_every_policy_of_the_ready_roles_is_named() -> None:
    named = set(re.findall(r"`([a-z-]+)`", "".join(re.findall(r"\|[^|\n]*\|\n", SECTIONS["Ready roles"]))))

    assert set(load(ready(), 1).clauses) <= named


def test_there_are_two_examples_and_they_stand_beside_the_ready_roles() -> None:
    assert len(EXAMPLES) == 2

    found = load({**ready(), **{f"own-{n}.cedar": text for n, text in enumerate(EXAMPLES)}}, 1)

    assert {"trial-services", "trial-studies", "no-images-to-others", "confidential"} <= set(found.clauses)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, True),
        ({"address": "198.51.100.1"}, False),
        ({"moment": dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC)}, False),
        ({"moment": dt.datetime(2026, 11, 20, 6, 59, tzinfo=dt.UTC)}, False),
        ({"moment": dt.datetime(2026, 11, 20, 19, 0, tzinfo=dt.UTC)}, False),
    ],
)
def test_the_trial_readers_see_their_trial_then_and_there(changed: dict[str, str], expected: bool) -> None:
    reader = Principal(Kind.PERSON, "r", roles=frozenset({"trial-reader"}), labels=frozenset({"trial-7"}))
    found, asked = load({"own": EXAMPLES[0]}, 1), replace(OFFICE, **changed)  # type: ignore[arg-type]

    assert (
        found.decide(reader, Action.FIND, Study("1", labels=frozenset({"trial-7"})), asked).allowed
        is expected
    )
    assert not found.decide(reader, Action.FIND, Study("1", labels=frozenset({"trial-8"})), asked).allowed
    assert not found.decide(reader, Action.FIND, Study("1"), asked).allowed
    assert found.decide(reader, Action.MOVE, Node("ARCHIVE"), OFFICE).allowed


def test_the_second_example_narrows_what_the_roles_permit() -> None:
    found = load({**ready(), "own": EXAMPLES[1]}, 1)
    radiologist = somebody("radiologist", "clinician")
    own = RESOURCES["o"]
    assert isinstance(own, Study)
    secret = replace(own, labels=frozenset({"confidential"}))

    for title, expected in [("ARCHIVE", True), ("CT1", True), ("MR9", False)]:
        assert found.decide(radiologist, Action.MOVE, Node(title), HERE).allowed is expected
    assert not found.decide(radiologist, Action.FIND, secret, HERE).allowed
    assert found.decide(radiologist, Action.FIND, own, HERE).allowed
    assert found.decide(radiologist, Action.FIND, secret, replace(HERE, emergency="x")).allowed
    assert found.decide(replace(radiologist, name="ada"), Action.FIND, secret, HERE).allowed
