"""A baseline: what somebody answers for does not count, until its day is over."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.configs.linting import OTHER_RULE, RULE, found

from leadglass.configs.accepting import accepting, weighed
from leadglass.errors import ConfigError
from leadglass.settings.baseline_file import AcceptedTable, baseline_text, read_baseline

DAY = dt.date(2026, 11, 21)
TEXT = f"""
[[accepted]]
rule = "{RULE}"
path = "orthanc.json"
option = "AuthenticationEnabled"
owner = "A. Miller"
reason = "behind the VPN"
expires = 2026-11-21
"""


def same(path: str) -> str:
    return path


def risks(change: str = "") -> tuple[AcceptedTable, ...]:
    """The baseline after ``old -> new`` in its text."""
    old, _, new = change.partition(" -> ")
    assert old in TEXT
    return read_baseline(TEXT.replace(old, new) if change else TEXT, "baseline.toml")


def test_what_is_accepted_does_not_count_until_the_day_is_over() -> None:
    on_the_day = weighed([found()], risks(), DAY, same)
    after = weighed([found()], risks(), DAY + dt.timedelta(days=1), same)

    assert (on_the_day.open, len(on_the_day.accepted), on_the_day.expired) == ((), 1, ())
    assert (after.open, after.accepted, len(after.expired)) == ((found(),), (), 1)


def test_only_the_finding_that_was_named_is_accepted() -> None:
    others = [found("other.json"), found(rule=OTHER_RULE), found(option="RemoteAccessAllowed")]
    result = weighed([found(), *others], risks(), DAY, same)

    assert result.open == tuple(others)


def test_what_is_no_longer_found_is_told() -> None:
    assert weighed([], risks(), DAY, same).unused == risks()
    assert weighed([found()], risks(), DAY, same).unused == ()


def test_paths_are_those_of_the_baseline() -> None:
    result = weighed([found("deploy/orthanc.json")], risks(), DAY, lambda path: path.removeprefix("deploy/"))

    assert result.open == ()


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ('owner = "A. Miller" -> ', "owner is missing"),
        ("expires = 2026-11-21 -> ", "expires is missing"),
        ('reason = "behind the VPN" -> reason = " "', "reason: may not be empty"),
        (f'"{RULE}" -> "LG-1"', "rule: must be a rule such as LG-ORTHANC-012"),
        ("expires = 2026-11-21 -> expires = '2026-11-21'", "expires must be a date"),
        ("owner -> onwer", "unknown key 'onwer'; did you mean 'owner'?"),
        ("[[accepted]] -> [[acepted]]", "unknown key 'acepted'; did you mean 'accepted'?"),
        ("[[accepted]] -> [[accepted]", "not TOML"),
    ],
)
def test_a_baseline_that_is_wrong_is_refused_with_its_line(change: str, what: str) -> None:
    with pytest.raises(ConfigError) as caught:
        risks(change)

    assert what in str(caught.value)
    assert str(caught.value).startswith("baseline.toml, line ")


def test_a_baseline_that_is_written_accepts_what_it_was_made_of() -> None:
    findings = [found(), found(), found("b.json", rule=OTHER_RULE)]
    made = accepting(findings, "A. Miller", "why not", DAY, same)

    assert len(made) == 2
    assert weighed(findings, read_baseline(baseline_text(made), "b"), DAY, same).open == ()


@given(st.text(), st.text(min_size=1))
def test_whatever_an_option_and_a_path_hold_a_baseline_can_accept_it(option: str, path: str) -> None:
    finding = found(option=option)
    made = accepting([finding], "o", "r", DAY, same)
    written = baseline_text(made)

    assert weighed([finding], read_baseline(written, path), DAY, same).open == ()
