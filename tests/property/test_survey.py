"""Whatever was counted: an interval holds what was found, more data never say less, and no file breaks a reader."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterator

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from leadglass.errors import ConfigError, UsageError
from leadglass.survey.breaches import decoded, distinct, read_breaches
from leadglass.survey.causes import count_findings
from leadglass.survey.hidden import Hint, hidden
from leadglass.survey.misclassification import Confusion, Validation, bounds, by_class, ranges, rogan_gladen
from leadglass.survey.proportion import Proportion, clopper_pearson, hypergeometric, proportion, wilson
from leadglass.survey.recapture import recaptured
from leadglass.survey.share import Period, share_of
from leadglass.survey.stratified import StratumCount, stratified
from leadglass.survey.tables import names_and_strata, read_answers, read_confusion

HEAD = (
    b"Name of Covered Entity,State,Individuals Affected,Breach Submission Date,Type of Breach,"
    b"Location of Breached Information,Web Description\n"
)
SLACK = 1e-9
slow = settings(max_examples=min(settings().max_examples, 1_000))


@st.composite
def samples(draw: st.DrawFn) -> tuple[int, int, int]:
    population = draw(st.integers(1, 1_000))
    sampled = draw(st.integers(1, population))
    return draw(st.integers(0, sampled)), sampled, population


counts = st.integers(0, 300)
validations = st.builds(Validation, counts, counts, counts, counts)


# ---- intervals


@slow
@given(samples())
def test_every_interval_holds_what_was_found_and_lies_within_what_can_be(
    sample: tuple[int, int, int],
) -> None:
    positive, sampled, population = sample
    found = proportion(positive, sampled, population)
    left = (population - sampled + positive) / population

    for interval in (found.wilson, found.clopper_pearson):
        assert 0 <= interval.low <= found.share + SLACK
        assert found.share - SLACK <= interval.high <= 1
    # 1 of 80 of 81 is a share that 81 servers cannot have: the exact interval holds the nearest that they can.
    assert found.exact.low - 1 / population <= found.share <= found.exact.high + 1 / population
    assert positive / population - SLACK <= found.exact.low
    assert found.exact.high <= left + SLACK
    for interval in (found.wilson, found.exact):
        counted = found.projected(interval)
        assert positive <= counted.low <= counted.high <= population - sampled + positive


@slow
@given(samples(), st.floats(0.5, 0.9), st.floats(0.91, 0.999))
def test_who_wants_to_be_surer_gets_a_wider_interval(
    sample: tuple[int, int, int], low: float, high: float
) -> None:
    narrow, wide = proportion(*sample, low), proportion(*sample, high)

    def widths(found: Proportion) -> Iterator[float]:
        yield from (found.wilson.width, found.clopper_pearson.width, found.exact.width)

    assert all(a <= b + SLACK for a, b in zip(widths(narrow), widths(wide), strict=True))


@slow
@given(samples())
def test_what_is_private_and_what_is_not_mirror_each_other(sample: tuple[int, int, int]) -> None:
    positive, sampled, population = sample
    mirrored = hypergeometric(sampled - positive, sampled, population)
    exact = hypergeometric(positive, sampled, population)

    assert (exact.low, exact.high) == (population - mirrored.high, population - mirrored.low)
    here, there = clopper_pearson(positive, sampled), clopper_pearson(sampled - positive, sampled)
    assert here.low == pytest.approx(1 - there.high, abs=1e-7)


@slow
@given(st.floats(0, 1), st.integers(1, 10**6))
def test_a_larger_sample_of_the_same_share_says_more(share: float, size: int) -> None:
    assert wilson(share, size * 2).width <= wilson(share, size).width + SLACK


@slow
@given(st.lists(samples(), min_size=1, max_size=5))
def test_a_stratified_share_lies_among_its_strata_and_in_its_interval(
    parts: list[tuple[int, int, int]],
) -> None:
    strata = [StratumCount(str(i), *part) for i, part in enumerate(parts)]
    found = stratified(strata)
    shares = [s.positive / s.sampled for s in strata]

    assert min(shares) - SLACK <= found.share <= max(shares) + SLACK
    assert found.interval.low <= found.share <= found.interval.high


# ---- errors of a classifier


@slow
@given(samples(), validations)
def test_a_corrected_share_is_a_share_or_refused(sample: tuple[int, int, int], known: Validation) -> None:
    positive, sampled, _ = sample
    try:
        found = rogan_gladen(positive, sampled, known)
    except UsageError:
        assume(False)
    assert 0 <= found.interval.low <= found.interval.high <= 1
    assert 0 <= found.share <= 1


@slow
@given(samples(), validations)
def test_bounds_hold_the_point_that_they_do_not_give(sample: tuple[int, int, int], known: Validation) -> None:
    positive, sampled, _ = sample
    try:
        point = rogan_gladen(positive, sampled, known)
        found = bounds(positive, sampled, *ranges(known)).share
    except UsageError:
        assume(False)

    assert found.low - SLACK <= point.share <= found.high + SLACK


@slow
@given(
    st.lists(st.lists(st.integers(0, 60), min_size=3, max_size=3), min_size=3, max_size=3),
    st.lists(counts, min_size=3, max_size=3),
)
def test_shares_of_all_kinds_add_up_or_are_refused(matrix: list[list[int]], called: list[int]) -> None:
    try:
        found = by_class(
            dict(zip("abc", called, strict=True)), Confusion(("a", "b", "c"), tuple(map(tuple, matrix)))
        )
    except UsageError:
        return
    assert math.isclose(sum(each.raw for each in found.values()), 1, abs_tol=1e-5)
    assert all(each.interval.low <= each.share <= each.interval.high for each in found.values())


# ---- lists, hidden ones


@slow
@given(
    st.dictionaries(
        st.frozensets(st.sampled_from("ABCD"), min_size=1), st.integers(0, 500), min_size=3, max_size=15
    )
)
def test_there_are_never_fewer_than_were_seen(histories: dict[frozenset[str], int]) -> None:
    try:
        found = recaptured(histories)
    except UsageError:
        return
    assert found.seen == sum(histories.values())
    assert found.seen - SLACK <= found.interval.low <= found.estimate <= found.interval.high


@slow
@given(st.dictionaries(st.sampled_from(Hint), st.integers(0, 10**6), min_size=1))
def test_bounds_of_hidden_servers_are_those_confirmed_and_all(demanding: dict[Hint, int]) -> None:
    assume(sum(demanding.values()))
    found = hidden(demanding)

    assert found.bounds.low == demanding.get(Hint.CONFIRMED, 0)
    assert found.bounds.high == sum(demanding.values())


# ---- files

anything = st.binary(max_size=400)


@slow
@given(st.lists(anything, max_size=6), st.booleans())
def test_no_bytes_break_the_reader_of_breaches(pieces: list[bytes], with_head: bool) -> None:
    data = (HEAD if with_head else b"") + b"".join(pieces)
    lines = decoded(data.splitlines(keepends=True), where="x")
    always = Period(dt.date(1900, 1, 1), dt.date(2100, 1, 1))

    assert "\n" not in said(lambda: share_of(distinct(read_breaches(lines, where="x")), always))


def said(read: Callable[[], object]) -> str:
    """What a user reads who is refused; "" if all went well. Anything else goes through."""
    try:
        read()
    except (ConfigError, UsageError) as exc:
        return str(exc)
    return ""


def _answers(text: str) -> object:
    return read_answers(text, where="x")


def _confusion(text: str) -> object:
    return read_confusion(text, where="x")


def _names(text: str) -> object:
    return list(names_and_strata(text.splitlines(), where="x"))


def _causes(text: str) -> object:
    return count_findings([("x", text)])


@pytest.mark.parametrize(
    ("read", "head"),
    [
        (_answers, "server,stratum,servers_in_stratum,truth\n"),
        (_confusion, "truth,a,b\n"),
        (_names, ""),
        (_causes, '{"cause": '),
    ],
)
@slow
@given(text=st.text(max_size=200), with_head=st.booleans())
def test_no_text_breaks_a_reader(
    read: Callable[[str], object], head: str, text: str, with_head: bool
) -> None:
    assert "\n" not in said(lambda: read(head * with_head + text))
