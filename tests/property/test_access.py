"""No counterexample to: budgets hold, totals add up in any order, decisions are those of Cedar, text is a policy or a mistake."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import json
import re
from collections.abc import Sequence
from typing import Any

import cedarpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadglass.access.admission import Peer, Refusal, admit
from leadglass.access.budgets import Budget, Limits, Measure, Totals, join, read_totals
from leadglass.access.clauses import schema
from leadglass.access.names import physician_key
from leadglass.access.policy import Policy, load
from leadglass.access.roles import ready
from leadglass.errors import ConfigError
from leadglass.model.access import Action, Circumstances, Kind, Node, Principal, Resource, Study
from leadglass.model.enrolment import Enrolled, Roll

pytestmark = pytest.mark.timeout(3600)  # `make deep` draws twenty thousand examples a test
slow = settings(max_examples=min(settings().max_examples, 3_000))
"""Of tests in which Cedar is asked several times for each example."""

# ---- budgets

WINDOW = 120.0
STEP = WINDOW / 60
NOW = 1_800_000_000.0
KEY = b"0" * 16

gaps = st.one_of(st.floats(0, 10), st.floats(0, 3 * WINDOW), st.sampled_from([0.0, WINDOW, STEP]))


@given(st.integers(0, 20), st.lists(st.tuples(gaps, st.integers(0, 9)), max_size=40))
def test_no_window_holds_more_than_the_limit_and_nothing_is_refused_without_need(
    limit: int, wishes: Sequence[tuple[float, int]]
) -> None:
    budget, now, taken = Budget(Limits(WINDOW, bytes=limit), KEY), NOW, list[tuple[float, int]]()
    for gap, amount in wishes:
        now += gap
        around = sum(had for at, had in taken if now - at < WINDOW + 2 * STEP)
        if budget.spend(Measure.BYTES, amount, now).allowed:
            taken.append((now, amount))
        else:
            assert around + amount > limit

    for end, _ in taken:
        assert sum(had for at, had in taken if 0 <= end - at < WINDOW) <= limit


@given(st.integers(0, 4), st.lists(st.tuples(gaps, st.sampled_from("abcdefg")), max_size=40))
def test_no_window_holds_more_distinct_patients_than_the_limit(
    limit: int, wishes: Sequence[tuple[float, str]]
) -> None:
    budget, now, taken = Budget(Limits(WINDOW, patients=limit), KEY), NOW, list[tuple[float, str]]()
    for gap, name in wishes:
        now += gap
        around = {who for at, who in taken if now - at < WINDOW + 2 * STEP}
        if budget.spend(Measure.PATIENTS, name, now).allowed:
            taken.append((now, name))
        else:
            assert len(around | {name}) > limit

    for end, _ in taken:
        assert len({who for at, who in taken if 0 <= end - at < WINDOW}) <= limit


@given(
    st.lists(st.tuples(gaps, st.integers(0, 2), st.sampled_from("abcdef"), st.integers(0, 4)), max_size=30)
)
def test_processes_that_tell_each_other_keep_one_limit(wishes: Sequence[tuple[float, int, str, int]]) -> None:
    limits = Limits(WINDOW, patients=3, bytes=10)
    processes, now, taken = [Budget(limits, KEY) for _ in range(3)], NOW, list[tuple[float, str, int]]()
    for gap, who, name, amount in wishes:
        now += gap
        name_fits = processes[who].spend(Measure.PATIENTS, name, now).allowed
        amount_fits = processes[who].spend(Measure.BYTES, amount, now).allowed
        taken.append((now, name if name_fits else "", amount if amount_fits else 0))
        told = [process.snapshot() for process in processes]
        for me, process in enumerate(processes):
            others = [snapshot for n, snapshot in enumerate(told) if n != me]
            steps = {step for snapshot in others for step in snapshot}
            process.merge({step: [s[step] for s in others if step in s] for step in steps}, now)

    for end, _, _ in taken:
        inside = [(name, amount) for at, name, amount in taken if 0 <= end - at < WINDOW]
        assert len({name for name, _ in inside} - {""}) <= 3
        assert sum(amount for _, amount in inside) <= 10


counted = st.sampled_from([m for m in Measure if m not in {Measure.PATIENTS, Measure.STUDIES}])
distinct = st.sampled_from([Measure.PATIENTS, Measure.STUDIES])
totals = st.builds(
    Totals,
    st.dictionaries(counted, st.integers(1, 1 << 40)),
    st.dictionaries(distinct, st.frozensets(st.integers(0, (1 << 64) - 1), min_size=1, max_size=5)),
)


@given(totals, totals, totals)
def test_totals_add_up_in_any_order(one: Totals, two: Totals, three: Totals) -> None:
    assert join([one, two]) == join([two, one])
    assert join([join([one, two]), three]) == join([one, join([two, three])])
    assert join([one, Totals()]) == one


@given(totals)
def test_totals_are_read_as_they_were_written(one: Totals) -> None:
    assert read_totals(one.as_json()) == one


@given(st.text())
def test_any_text_is_totals_or_a_mistake(text: str) -> None:
    with contextlib.suppress(ValueError):
        read_totals(text)


# ---- names and titles


@given(st.text())
def test_the_normal_form_of_a_name_is_its_own_normal_form(name: str) -> None:
    assert physician_key(physician_key(name)) == physician_key(name)


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20), st.booleans())
def test_no_title_but_the_enrolled_one_is_let_in(calling: str, called: str, address: str, tls: bool) -> None:
    device = Enrolled(
        "d", Kind.DEVICE, ("CT1",), ("192.0.2.0/24",), certificates=frozenset({"c"}), plain=True
    )
    roll = Roll(1, {"d": device}, {})
    peer = Peer(address, "c" if tls else None, tls=tls)
    answer = admit(calling, called, peer, roll, frozenset({"ARCHIVE"}), 0)

    # A title of chance is not ours, nor is an address.
    assert isinstance(answer, Refusal)
    assert answer.reason.isascii()
    assert answer.reason.isprintable()


# ---- decisions

TEXTS = (
    'permit(principal, action == Action::"find", resource);',
    "permit(principal is Person, action, resource is Study) when { resource has institution && principal.institutions.contains(resource.institution) };",
    'permit(principal, action in [Action::"get", Action::"find"], resource is Study) unless { resource has labels && resource.labels.contains("a") };',
    'permit(principal, action, resource is Study) when { principal.roles.contains("x") } when { resource has labels && resource.labels.containsAny(principal.labels) };',
    'permit(principal, action, resource) when { principal.roles.contains("y") && context has emergency };',
    'permit(principal, action, resource) when { context has emergency && context.emergency like "*a*" };',
    'permit(principal, action, resource == Study::"1.2");',
    'permit(principal, action, resource is Study) when { [resource].contains(Study::"1.2") || principal.roles.contains("x") };',
    "permit(principal, action, resource is Node) when { principal.titles.contains(resource.title) };",
    "permit(principal, action, resource is Study) when { resource has study_date && resource.study_date == context.today };",
    "permit(principal, action, resource is Study) when { resource has referring_physician && principal.physician_names.contains(resource.referring_physician) };",
    'permit(principal, action, resource is Study) when { (principal.roles.contains("x") || principal.roles.contains("y")) && resource has modalities && principal.modalities.containsAll(resource.modalities) };',
    'permit(principal == Person::"p", action, resource) when { context.address.isInRange(ip("10.0.0.0/8")) };',
    "permit(principal, action, resource) when { context.hour + 9223372036854775800 > 0 };",
    'forbid(principal, action, resource) when { principal.roles.contains("z") };',
    'forbid(principal, action == Action::"get", resource is Study) unless { resource has labels && resource.labels.contains("b") };',
    'forbid(principal, action, resource is Study) when { resource has institution && resource.institution == "S" && !principal.roles.contains("x") };',
    "forbid(principal, action, resource) when { context.hour + 9223372036854775790 > 0 };",
    "forbid(principal, action, resource) when { context has device && context.weekday == 7 };",
)
WRITTEN = {f"p{n}": f'@id("p{n}") {text}' for n, text in enumerate(TEXTS)}
NEEDS = {
    name: frozenset(re.findall(r"resource(?: has |\.)(\w+)", text)) - {"title"}
    for name, text in WRITTEN.items()
}


@functools.lru_cache(maxsize=256)
def policy_of(names: tuple[str, ...]) -> Policy:
    return load({name: WRITTEN[name] for name in names}, 1)


words = st.frozensets(st.sampled_from(["a", "b", "N", "S", ""]), max_size=2)
principals = st.builds(
    Principal,
    st.sampled_from(Kind),
    st.sampled_from(["p", "q"]),
    roles=st.frozensets(st.sampled_from("xyz"), max_size=2),
    physician_names=st.frozensets(st.sampled_from(["Doe^J", "", "poe"]), max_size=2),
    titles=words,
    institutions=words,
    modalities=words,
    labels=words,
)
studies = st.builds(
    Study,
    st.sampled_from(["1.2", "1.3"]),
    study_date=st.sampled_from([None, "20261121", "20261120", "x"]),
    modalities=words,
    institution=st.sampled_from([None, "N", "S", ""]),
    referring_physician=st.sampled_from([None, "doe^j^", "poe", ""]),
    labels=words,
)
circumstances = st.builds(
    Circumstances,
    st.sampled_from(["10.0.0.1", "::ffff:10.0.0.1", "192.0.2.1"]),
    st.sampled_from(
        [dt.datetime(2026, 11, 21, 3, 0, tzinfo=dt.UTC), dt.datetime(2026, 11, 22, 23, 0, tzinfo=dt.UTC)]
    ),
    device=st.sampled_from([None, "d"]),
    emergency=st.sampled_from([None, "a", "b"]),
)
resources = st.one_of(studies, st.builds(Node, st.sampled_from(["a", "b"])))
chosen = st.lists(st.sampled_from(sorted(WRITTEN)), min_size=1, max_size=8, unique=True).map(
    lambda names: tuple(sorted(names))
)


def told(value: Any) -> Any:
    return sorted(filter(None, value)) if isinstance(value, frozenset) else value


def study_in_full(study: Study) -> dict[str, Any]:
    """All that Cedar could be shown of a study, written without the code under test."""
    found: dict[str, Any] = {
        "modalities": sorted(study.modalities),
        "labels": sorted(study.labels),
        "institution": study.institution,
        "referring_physician": {"doe^j^": "doe^j"}.get(
            study.referring_physician or "", study.referring_physician
        ),
    }
    if study.study_date in {"20261121", "20261120"}:
        day = f"2026-11-{study.study_date[6:]}"
        found["study_date"] = {"__extn": {"fn": "datetime", "arg": day}}
    return {name: value for name, value in found.items() if value}


def context_in_full(asked: Circumstances) -> dict[str, Any]:
    parts = {
        "address": {"__extn": {"fn": "ip", "arg": asked.address.removeprefix("::ffff:")}},
        "moment": {"__extn": {"fn": "datetime", "arg": asked.moment.strftime("%Y-%m-%dT%H:%M:%SZ")}},
        "today": {"__extn": {"fn": "datetime", "arg": asked.moment.strftime("%Y-%m-%d")}},
        "hour": asked.moment.hour,
        "weekday": asked.moment.isoweekday(),
        "device": asked.device,
        "emergency": asked.emergency,
    }
    return {name: value for name, value in parts.items() if value is not None}


def by_the_book(
    names: tuple[str, ...], who: Principal, action: Action, what: Resource, asked: Circumstances
) -> tuple[bool, set[str]]:
    """The answer by Cedar itself, shown everything, with the schema, and nothing remembered."""
    kind, name = ("Study", what.study_instance_uid) if isinstance(what, Study) else ("Node", what.title)
    attributes = study_in_full(what) if isinstance(what, Study) else {"title": what.title}
    sets = ("roles", "titles", "institutions", "modalities", "labels")
    physicians = sorted({"Doe^J": "doe^j"}.get(each, each) for each in who.physician_names if each)
    principal = {"name": who.name, "physician_names": physicians} | {s: told(getattr(who, s)) for s in sets}
    ids = {"type": who.kind.value, "id": who.name}, {"type": kind, "id": name}
    entities: list[Any] = [
        {"uid": uid, "attrs": attrs, "parents": []}
        for uid, attrs in zip(ids, (principal, attributes), strict=True)
    ]
    request = {
        "principal": ids[0],
        "action": {"type": "Action", "id": action.value},
        "resource": ids[1],
        "context": context_in_full(asked),
    }
    result = cedarpy.is_authorized(
        request, "\n".join(WRITTEN[n] for n in names), json.dumps(entities), schema()
    )
    assert result.decision is not cedarpy.Decision.NoDecision, result.diagnostics.errors
    rules = set(result.diagnostics.id_annotations_by_reason.values())
    broken = {
        names[int(n)]
        for error in result.diagnostics.errors
        for n in re.findall(r"policy `policy(\d+)`", error)
    }
    forbidding = {n for n in broken if WRITTEN[n].partition(") ")[2].startswith("forbid")}
    if forbidding or not result.allowed:
        return False, forbidding or rules
    standing = {n for n in rules if not isinstance(what, Study) or NEEDS[n] <= attributes.keys()}
    return bool(standing), standing


@slow
@given(
    chosen,
    principals,
    st.sampled_from([Action.FIND, Action.GET]),
    st.lists(st.tuples(resources, circumstances), min_size=1, max_size=6),
)
def test_what_is_remembered_and_half_shown_is_what_cedar_says_when_shown_everything(
    names: tuple[str, ...], who: Principal, action: Action, asked: Sequence[tuple[Resource, Circumstances]]
) -> None:
    policy = policy_of(names)
    for what, circumstances_ in [*asked, *asked]:
        decision = policy.decide(who, action, what, circumstances_)

        assert (decision.allowed, set(decision.rules)) == by_the_book(
            names, who, action, what, circumstances_
        )


@slow
@given(chosen, principals, st.sampled_from([Action.FIND, Action.GET]), studies, circumstances)
def test_what_is_not_needed_of_a_study_decides_nothing(
    names: tuple[str, ...], who: Principal, action: Action, study: Study, asked: Circumstances
) -> None:
    policy = policy_of(names)
    needed = policy.needed(who, action)
    bare = Study(study.study_instance_uid, **{name: getattr(study, name) for name in needed})

    assert needed <= policy.attributes_read
    assert policy.decide(who, action, bare, asked) == policy.decide(who, action, study, asked)


READY = load(ready(), 1)


@given(principals, st.sampled_from(Action), resources, circumstances)
def test_nobody_without_a_role_may_do_anything_by_the_ready_roles(
    who: Principal, action: Action, what: Resource, asked: Circumstances
) -> None:
    assert not READY.decide(who, action, what, asked).allowed


# ---- text

FRAGMENTS = (
    *TEXTS,
    *re.findall(r"\w+|\W", " ".join(TEXTS)),
    '@id("a")',
    "@id",
    "//",
    '"',
    "\\",
    "\n",
    ";",
    "?principal",
    "\udc80",
    "\0",
    "é",
)


def mistake_in(text: str) -> str | None:
    try:
        load({"x.cedar": text}, 1)
    except ConfigError as error:
        return str(error)
    return None


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=30).map("".join) | st.text())
def test_any_text_is_policies_or_a_mistake_that_says_where(text: str) -> None:
    mistake = mistake_in(text)

    assert mistake is None or mistake.startswith("x.cedar")
    assert "\n" not in (mistake or "")
