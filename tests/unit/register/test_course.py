"""The course of findings: what followed entry by entry is what judging the whole register each day comes to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.register.samples import port, review, seen, system

from leadglass.errors import ConfigError
from leadglass.ledger.chain import Chain, Entry, read_entry
from leadglass.model.register import (
    Level,
    Management,
    Manager,
    Outcome,
    Risk,
    ScanTaken,
    Seen,
    System,
    Treatment,
)
from leadglass.model.verdict import Access, Position, Severity
from leadglass.register.check import Key, Rule, check
from leadglass.register.codec import Thing, as_change, gone, register_of
from leadglass.register.course import Following, Stood, course, standing_since
from leadglass.register.requirements import Profile, profile
from leadglass.store.register import Change, fold

FIRST = dt.date(2026, 1, 1)
Told: TypeAlias = tuple[Key, dt.date, int | None, dt.date | None, int | None]


def after(days: int) -> dt.date:
    return FIRST + dt.timedelta(days=days)


def lines(*written: tuple[int, Change]) -> list[bytes]:
    """Entries: after how many days, what."""
    chain = Chain()
    midnight = dt.datetime.combine(FIRST, dt.time(), dt.UTC)
    return [
        chain.append(
            {"by": "ada", "name": change.name, "now": change.now, "what": change.what, "why": ""},
            midnight + dt.timedelta(days=days, seconds=number),
        )
        for number, (days, change) in enumerate(written)
    ]


def entries(kept: Sequence[bytes]) -> list[Entry]:
    return [entry for entry in map(read_entry, kept) if entry is not None]


def told(stood: Stood) -> Told:
    return stood.found.key, stood.began, stood.began_by, stood.ended, stood.ended_by


def followed(today: int, *written: tuple[int, Thing | Change], rule: Rule | None = None) -> list[Told]:
    made = [(days, one if isinstance(one, Change) else as_change(one)) for days, one in written]
    found = course(entries(lines(*made)), after(today))
    return [told(one) for one in found if rule is None or one.found.rule is rule]


# ---- one finding


def test_a_finding_stands_from_the_entry_that_it_came_with_to_the_one_that_it_went_with() -> None:
    owned = system(owner="Radiology")

    found = followed(9, (0, owned), (2, system(owner="")), (5, owned), rule=Rule.NO_OWNER)

    assert found == [((Rule.NO_OWNER, "archive", ""), after(2), 2, after(5), 3)]


def test_a_finding_that_ends_and_comes_again_is_two() -> None:
    owned, orphan = system(owner="Radiology"), system(owner="")

    found = followed(9, (0, orphan), (2, owned), (5, orphan), rule=Rule.NO_OWNER)

    key = (Rule.NO_OWNER, "archive", "")
    assert found == [(key, after(5), 3, None, None), (key, after(0), 1, after(2), 2)]


def test_what_came_and_went_on_one_day_did_not_stand() -> None:
    owned, orphan = system(owner="Radiology"), system(owner="")

    assert followed(9, (0, owned), (1, orphan), (1, owned), rule=Rule.NO_OWNER) == []
    assert followed(9, (0, orphan), (1, owned), (1, orphan), rule=Rule.NO_OWNER) == [
        ((Rule.NO_OWNER, "archive", ""), after(0), 1, None, None)
    ]


def test_what_falls_due_comes_with_its_day_and_goes_with_an_entry() -> None:
    looked = review(on=after(0), next=after(10))

    found = followed(30, (0, system()), (0, looked), (14, review(on=after(14))), rule=Rule.REVIEW_OVERDUE)

    assert found == [((Rule.REVIEW_OVERDUE, "archive", ""), after(11), None, after(14), 3)]


def test_a_day_that_never_ends_falls_due_never() -> None:
    forever = Manager(Management.VENDOR, "Example", "V-1", dt.date.max)

    assert followed(400, (0, system(manager=forever)), rule=Rule.AGREEMENT_EXPIRED) == []
    assert course(entries(lines((0, as_change(system(manager=forever))))), dt.date.max)


def test_another_wording_is_the_same_finding_and_another_port_another() -> None:
    quiet, loud = port(8042), port(8042, Access.ANSWERS_QUERY, severity=Severity.CRITICAL)

    found = course(
        entries(
            lines(
                (0, as_change(system())),
                (1, as_change(seen("192.0.2.10", port(), quiet))),
                (2, as_change(seen("192.0.2.10", port(), loud, port(9000)))),
            )
        ),
        after(3),
    )

    ports = {one.found.which: one for one in found if one.found.rule is Rule.PORT_NOT_ALLOWED}
    assert {which: (one.began, one.began_by) for which, one in ports.items()} == {
        "192.0.2.10 inside 8042": (after(1), 2),
        "192.0.2.10 inside 9000": (after(2), 3),
    }
    assert ports["192.0.2.10 inside 8042"].found.severity is Severity.CRITICAL


def test_days_do_not_go_back_with_the_clock_nor_past_today() -> None:
    owned, orphan = system(owner="Radiology"), system(owner="")

    found = followed(9, (4, orphan), (2, owned), (20, orphan), rule=Rule.NO_OWNER)

    assert found == [((Rule.NO_OWNER, "archive", ""), after(9), 3, None, None)]


def test_a_kind_that_a_later_version_keeps_is_passed_over() -> None:
    later = Change("vendor", "Example", {"a": 1})

    assert len(followed(1, (0, later), (0, system()), rule=Rule.NEVER_REVIEWED)) == 1
    assert course([], after(1), [profile("hipaa-2025")]) == []


def test_an_entry_that_cannot_be_read_is_named() -> None:
    with pytest.raises(ConfigError, match="entry 1"):
        followed(1, (0, Change("system", "archive", {"kind": "toaster"})))


# ---- all of them


def _systems() -> st.SearchStrategy[System]:
    places = st.lists(st.sampled_from(["192.0.2.1", "192.0.2.2", "pacs.example"]), max_size=2, unique=True)
    until = st.none() | st.integers(0, 40).map(after) | st.just(dt.date.max)
    managers = st.none() | st.builds(
        Manager, st.sampled_from(Management), st.just("Example"), st.sampled_from(["", "BA-7"]), until
    )
    return st.builds(
        System,
        st.sampled_from(["a", "b"]),
        owner=st.sampled_from(["", "Ada"]),
        manager=managers,
        addresses=places.map(tuple),
        ports=st.sampled_from([(), (104,)]),
        controls=st.sampled_from([(), ("mfa",)]),
        retired=st.none() | st.integers(0, 40).map(after),
    )


def _seen() -> st.SearchStrategy[Seen]:
    ports = st.sampled_from([(), (port(),), (port(severity=Severity.HIGH), port(8042))])
    return st.builds(
        lambda address, shown, **said: seen(address, *shown, **said),
        st.sampled_from(["192.0.2.1", "192.0.2.2", "192.0.2.3"]),
        ports,
        position=st.sampled_from([Position.INSIDE, Position.OUTSIDE]),
        identity=st.sampled_from([None, "aa", "bb"]),
        name=st.sampled_from([None, "pacs.example"]),
        answered=st.sampled_from([None, 1]),
    )


_RISKS = st.builds(
    lambda name, of, treatment, until: Risk(
        name, of, "threat", "vulnerability", Level.LOW, Level.LOW, treatment, "Ada", until
    ),
    st.sampled_from(["r", "s"]), st.sampled_from(["a", "b"]), st.none() | st.sampled_from(Treatment),
    st.none() | st.integers(0, 40).map(after),
)  # fmt: skip
_REVIEWS = st.builds(
    lambda name, on, outcome, following: review(name, on, outcome=outcome, next=following),
    st.sampled_from(["a", "b"]), st.integers(-400, 40).map(after), st.sampled_from(Outcome),
    st.none() | st.integers(0, 40).map(after),
)  # fmt: skip
_SCANS = st.builds(
    lambda name, days, is_complete: ScanTaken(
        name, 86_400 * ((FIRST - dt.date(1970, 1, 1)).days + days), Position.INSIDE, "practice", is_complete
    ),
    st.sampled_from(["A", "B"]), st.integers(-200, 20), st.booleans(),
)  # fmt: skip
_THINGS: st.SearchStrategy[Thing] = st.one_of(_systems(), _seen(), _RISKS, _REVIEWS, _SCANS)
_CHANGES = st.builds(
    lambda thing, is_gone: gone(thing) if is_gone else as_change(thing), _THINGS, st.sampled_from([False] * 4 + [True])
)  # fmt: skip
_CHAINS = st.lists(st.tuples(st.integers(0, 8), _CHANGES), min_size=1, max_size=12)


def _wrong(kept: Sequence[bytes], day: dt.date, profiles: Sequence[Profile]) -> set[Key]:
    return {one.key for one in check(register_of(fold(kept), "here"), day, profiles)}


def _each_day(kept: Sequence[bytes], today: dt.date, profiles: Sequence[Profile]) -> Iterator[Told]:
    """The same by judging the whole register after every entry, and on every day."""
    moments = [entry.moment.date() for entry in entries(kept)]
    began: dict[Key, tuple[dt.date, int | None]] = {}
    for ordinal in range(moments[0].toordinal(), today.toordinal() + 1):
        day = dt.date.fromordinal(ordinal)
        start, end = (sum(one < limit for one in moments) for limit in (day, day + dt.timedelta(days=1)))
        states = [_wrong(kept[:n], day, profiles) for n in range(start, end + 1)]
        numbers = [None, *range(start + 1, end + 1)]
        before = set(began)
        for key in before | states[-1]:
            present = [key in before, *(key in state for state in states)]
            turned = [n for n, was, now in zip(numbers, present, present[1:], strict=False) if was is not now]
            if key not in before:
                began[key] = day, turned[-1]
            elif key not in states[-1]:
                yield key, *began.pop(key), day, turned[-1]
    for key, since in began.items():
        yield key, *since, None, None


@given(_CHAINS, st.integers(0, 60), st.sampled_from([(), ("hipaa-2025",)]))
@settings(max_examples=60)
def test_what_is_followed_is_what_judging_the_whole_register_each_day_comes_to(
    written: list[tuple[int, Change]], more: int, names: tuple[str, ...]
) -> None:
    days = [sum(gap for gap, _ in written[: n + 1]) for n in range(len(written))]
    kept = lines(*((day, change) for day, (_, change) in zip(days, written, strict=True)))
    today, profiles = after(days[-1] + more), [profile(name) for name in names]

    found = course(entries(kept), today, profiles)

    assert sorted(map(told, found), key=repr) == sorted(_each_day(kept, today, profiles), key=repr)
    now = check(register_of(fold(kept), "here"), today, profiles)
    assert {one.found for one in found if one.ended is None} == set(now)
    assert standing_since(found).keys() == {one.key for one in now}


@given(_CHAINS, st.integers(0, 60))
@settings(max_examples=60)
def test_what_is_followed_in_pieces_is_what_is_followed_at_once(
    written: list[tuple[int, Change]], more: int
) -> None:
    days = [sum(gap for gap, _ in written[: n + 1]) for n in range(len(written))]
    kept = entries(lines(*((day, change) for day, (_, change) in zip(days, written, strict=True))))
    following = Following()

    for n, day in enumerate(days, 1):
        following.follow(kept[n - 1 : n], after(day))
        begun = standing_since(course(kept[:n], after(day)))
        assert following.begun() == {key: (one.began, one.began_by) for key, one in begun.items()}
    following.follow([], after(days[-1] + more))

    begun = standing_since(course(kept, after(days[-1] + more)))
    assert following.begun() == {key: (one.began, one.began_by) for key, one in begun.items()}
    assert following.head == kept[-1].head
