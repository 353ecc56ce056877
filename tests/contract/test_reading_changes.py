"""What changed since the last look, and the difference of two scans, against what was really done to the servers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from tests.contract.reading import Sight, secured, store, told

from leadglass.errors import UsageError
from leadglass.model.endpoint import Endpoint
from leadglass.model.verdict import Access, Severity
from leadglass.store import diff, diff_rows, reading
from leadglass.store.database import Database
from leadglass.store.diff import Change, Kind

CLOSED, FILTERED = Access.CLOSED, Access.FILTERED


def said(changes: Iterable[Change]) -> list[str]:
    """One line a change."""
    return [
        f"{change.kind} {change.endpoint}"
        + (f" from {change.came_from}" if change.came_from else "")
        + f": {change.before.access if change.before else None}"
        + f" -> {change.after.access if change.after else None}"
        for change in changes
    ]


def compared(database: Database, before: Sequence[Sight], after: Sequence[Sight]) -> list[str]:
    """The difference of two scans, made one after the other."""
    one, other = store(database, before), store(database, after, at=86_400)
    return said(diff.difference(database, one, other))


# ---- two scans


def test_the_same_again_is_no_difference(database: Database) -> None:
    seen = [told("192.0.2.1"), told("192.0.2.2", CLOSED), secured("192.0.2.3", "a")]

    assert compared(database, seen, seen) == []


def test_what_opens_appears_and_what_closes_goes(database: Database) -> None:
    before = [told("192.0.2.1", CLOSED), told("192.0.2.2"), told("192.0.2.3", FILTERED)]
    after = [told("192.0.2.1"), told("192.0.2.2", FILTERED), told("192.0.2.3", CLOSED)]

    assert compared(database, before, after) == [
        "appeared 192.0.2.1:104: closed -> associates",
        "gone 192.0.2.2:104: associates -> filtered",
        "changed 192.0.2.3:104: filtered -> closed",
    ]


def test_what_one_scan_has_no_record_of_says_so(database: Database) -> None:
    assert compared(database, [told("192.0.2.1")], [told("192.0.2.2")]) == [
        "gone 192.0.2.1:104: associates -> None",
        "appeared 192.0.2.2:104: None -> associates",
    ]


def test_a_port_that_nobody_had_looked_at_and_that_is_silent_is_no_news(database: Database) -> None:
    assert compared(database, [told("192.0.2.1", CLOSED)], [told("192.0.2.2", FILTERED)]) == []


def test_another_access_is_a_change(database: Database) -> None:
    after = [told("192.0.2.1", Access.ANSWERS_QUERY)]

    assert compared(database, [told("192.0.2.1")], after) == [
        "changed 192.0.2.1:104: associates -> answers-query"
    ]


def test_other_evidence_is_a_change_and_is_named(database: Database) -> None:
    one = store(database, [told("192.0.2.1", version="ONE")])
    other = store(database, [told("192.0.2.1", version="TWO")], at=60)

    (change,) = diff.difference(database, one, other)

    assert (change.kind, change.facts) == (Kind.CHANGED, ("associate/implementation-version-name",))


def test_the_same_evidence_in_other_words_is_no_change(database: Database) -> None:
    assert compared(database, [told("192.0.2.1")], [told("192.0.2.1", advice="Do it.")]) == []


def test_both_directions_mirror_each_other(database: Database) -> None:
    one = store(database, [told("192.0.2.1"), told("192.0.2.2"), told("192.0.2.4", CLOSED)])
    other = store(database, [told("192.0.2.1", CLOSED), told("192.0.2.3"), told("192.0.2.4")], at=60)

    there = {(c.kind, c.endpoint, c.before, c.after) for c in diff.difference(database, one, other)}
    back = {(c.kind, c.endpoint, c.after, c.before) for c in diff.difference(database, other, one)}
    turned = {Kind.APPEARED: Kind.GONE, Kind.GONE: Kind.APPEARED, Kind.CHANGED: Kind.CHANGED}

    assert {(turned[kind], *rest) for kind, *rest in there} == back
    assert len(there) == 4


# ---- who moved


def test_a_server_that_shows_up_elsewhere_has_moved(database: Database) -> None:
    before = [secured("192.0.2.1", "a"), told("192.0.2.2", CLOSED, port=2762)]
    after = [told("192.0.2.1", CLOSED, port=2762), secured("192.0.2.2", "a")]

    assert compared(database, before, after) == [
        "moved 192.0.2.2:2762 from 192.0.2.1:2762: associates -> associates"
    ]


def test_a_server_moves_to_where_nobody_had_looked(database: Database) -> None:
    assert compared(database, [secured("192.0.2.1", "a")], [secured("2001:db8::1", "a", port=11112)]) == [
        "moved [2001:db8::1]:11112 from 192.0.2.1:2762: associates -> associates"
    ]


def test_all_ports_of_a_server_move_with_it(database: Database) -> None:
    before = [secured("192.0.2.1", "a"), secured("192.0.2.1", "a", port=2763)]
    after = [secured("192.0.2.2", "a"), secured("192.0.2.2", "a", port=2763)]

    assert compared(database, before, after) == [
        "moved 192.0.2.2:2762 from 192.0.2.1:2762: associates -> associates",
        "moved 192.0.2.2:2763 from 192.0.2.1:2763: associates -> associates",
    ]


def test_another_port_of_the_same_address_is_no_move(database: Database) -> None:
    assert compared(database, [secured("192.0.2.1", "a")], [secured("192.0.2.1", "a", port=2763)]) == [
        "gone 192.0.2.1:2762: associates -> None",
        "appeared 192.0.2.1:2763: None -> associates",
    ]


def test_a_server_that_is_still_there_too_has_not_moved(database: Database) -> None:
    before = [secured("192.0.2.1", "a"), secured("192.0.2.1", "a", port=2763)]
    after = [secured("192.0.2.1", "a"), secured("192.0.2.2", "a", port=2763)]

    assert compared(database, before, after) == [
        "gone 192.0.2.1:2763: associates -> None",
        "appeared 192.0.2.2:2763: None -> associates",
    ]


@pytest.mark.parametrize(("before", "after"), [("12", "3"), ("1", "23"), ("12", "34")])
def test_of_twins_nobody_can_tell_who_moved(database: Database, before: str, after: str) -> None:
    one = [secured(f"192.0.2.{host}", "a") for host in before]
    other = [secured(f"192.0.2.{host}", "a") for host in after]

    assert {line.split()[0] for line in compared(database, one, other)} == {"gone", "appeared"}


def test_a_server_without_an_identity_never_moves(database: Database) -> None:
    assert compared(database, [told("192.0.2.1")], [told("192.0.2.2")]) == [
        "gone 192.0.2.1:104: associates -> None",
        "appeared 192.0.2.2:104: None -> associates",
    ]


def test_who_takes_the_place_of_one_that_moved_is_told(database: Database) -> None:
    before = [secured("192.0.2.1", "a"), secured("192.0.2.2", "b")]
    after = [secured("192.0.2.1", "c"), secured("192.0.2.2", "a")]

    assert compared(database, before, after) == [
        "changed 192.0.2.1:2762: associates -> associates",
        "moved 192.0.2.2:2762 from 192.0.2.1:2762: associates -> associates",
        "changed 192.0.2.2:2762: associates -> associates",
    ]


def test_a_key_of_ipv6_that_begins_like_one_of_ipv4_is_another_address(database: Database) -> None:
    # 32.1.13.184 and 2001:db8:: begin with the same four bytes.
    before = [secured("32.1.13.184", "a")]
    after = [secured("2001:db8::1", "a")]

    assert compared(database, before, after) == [
        "moved [2001:db8::1]:2762 from 32.1.13.184:2762: associates -> associates"
    ]


# ---- places


def test_places_are_compared_each_with_itself(database: Database) -> None:
    one = store(database, [told("192.0.2.1")], place="berlin")
    other = store(database, [told("192.0.2.1", CLOSED)], place="köln", at=60)

    with pytest.raises(UsageError, match=r"no place has seen both scans: .* from 'berlin', .* from 'köln'"):
        list(diff.difference(database, one, other))
    assert said(diff.changes(database, other)) == []


# ---- since the last look


def test_what_changed_since_the_last_look(database: Database) -> None:
    store(database, [told("192.0.2.1"), told("192.0.2.2"), told("192.0.2.3", CLOSED)])
    now = store(
        database,
        [told("192.0.2.1"), told("192.0.2.2", Access.ANSWERS_QUERY), told("192.0.2.3"), told("192.0.2.4")],
        at=86_400,
    )

    assert said(diff.changes(database, now)) == [
        "changed 192.0.2.2:104: associates -> answers-query",
        "appeared 192.0.2.3:104: closed -> associates",
    ]


def test_what_another_tool_finds_open_for_the_first_time_appears(database: Database) -> None:
    found = [told("192.0.2.1"), told("192.0.2.9", Access.ANSWERS_QUERY)]
    first = store(database, found[:1], is_listed=True)
    now = store(database, [*found, told("192.0.2.3", CLOSED)], at=86_400, is_listed=True)
    again = store(database, found, at=2 * 86_400, is_listed=True)
    elsewhere = store(database, found, place="tokyo", at=3 * 86_400, is_listed=True)

    assert said(diff.changes(database, now)) == ["appeared 192.0.2.9:104: None -> answers-query"]
    for scan in (first, again, elsewhere):
        assert said(diff.changes(database, scan)) == []


def test_a_look_that_missed_an_endpoint_does_not_forget_it(database: Database) -> None:
    store(database, [told("192.0.2.1")])
    store(database, [told("192.0.2.2")], at=60)
    now = store(database, [told("192.0.2.1", CLOSED)], at=120)

    assert said(diff.changes(database, now)) == ["gone 192.0.2.1:104: associates -> closed"]


@pytest.mark.parametrize("page", [1, 2])
def test_pages_change_nothing(database: Database, monkeypatch: pytest.MonkeyPatch, page: int) -> None:
    before = [told(f"192.0.2.{n}", version=f"{n}") for n in range(9)]
    after = [told(f"192.0.2.{n}", Access.OFFERS_QUERY, version=f"{n}") for n in range(9)]
    one, other = store(database, before), store(database, after, at=60)
    whole = list(diff.difference(database, one, other)), list(diff.changes(database, other))
    monkeypatch.setattr(reading, "PAGE", page)
    monkeypatch.setattr(diff, "PAGE", page)

    assert (list(diff.difference(database, one, other)), list(diff.changes(database, other))) == whole
    assert len(whole[0]) == len(whole[1]) == 9


def test_changes_are_read_by_their_index(database: Database) -> None:
    """Or else a scan of ten million endpoints takes minutes. Measured by ``bench/store.py``."""
    now = store(database, [told(f"192.0.2.{n}", version=f"{n}") for n in range(250)])
    now = store(database, [told(f"192.0.2.{n}", version=f"{n or 'other'}") for n in range(250)], at=60)
    query = diff_rows.changed_rows(now.id, database.is_postgres)
    explain = "EXPLAIN (COSTS OFF) " if database.is_postgres else "EXPLAIN QUERY PLAN "
    with database.read() as connection:
        if database.is_postgres:  # it reads so small a table whole
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        said = connection.execute(text(f"{explain}{query}"), {"scan": now.id})
        plan = "\n".join(str(row) for row in said)

    assert "ix_observations_changed" in plan
    assert "TEMP B-TREE" not in plan
    assert len(list(diff.changes(database, now))) == 1


# ---- how bad


@pytest.mark.parametrize(
    ("before", "after", "least", "became"),
    [
        (Severity.NONE, Severity.HIGH, Severity.MEDIUM, True),
        (None, Severity.HIGH, Severity.MEDIUM, True),
        (Severity.HIGH, Severity.CRITICAL, Severity.MEDIUM, True),
        (Severity.HIGH, Severity.HIGH, Severity.MEDIUM, False),
        (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, False),
        (Severity.NONE, Severity.LOW, Severity.MEDIUM, False),
        (Severity.NONE, Severity.MEDIUM, Severity.MEDIUM, True),
        (Severity.HIGH, None, Severity.LOW, False),
    ],
)
def test_what_got_worse_and_is_bad_counts(
    before: Severity | None, after: Severity | None, least: Severity, became: bool
) -> None:
    def side(severity: Severity | None) -> diff.Seen | None:
        return None if severity is None else diff.Seen(Access.ASSOCIATES, severity, None, None)

    endpoint = Endpoint("192.0.2.1", 104)
    assert Change(Kind.CHANGED, endpoint, None, side(before), side(after)).became(least) is became


# ---- against a model that is too simple to be wrong

hosts = st.sampled_from([f"192.0.2.{n}" for n in range(4)])
servers = st.one_of(
    st.builds(secured, hosts, st.sampled_from("abc"), port=st.sampled_from([2762, 2763])),
    st.builds(
        told,
        hosts,
        st.sampled_from([Access.ASSOCIATES, Access.ANSWERS_QUERY, CLOSED, FILTERED]),
        port=st.sampled_from([2762, 2763]),
        version=st.sampled_from(["ONE", "TWO"]),
    ),
)
seen = st.lists(servers, max_size=8, unique_by=lambda sight: (sight.address, sight.port))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seen, seen)
def test_every_difference_is_told_once(
    database: Database, before: Sequence[Sight], after: Sequence[Sight]
) -> None:
    one, other = store(database, before), store(database, after, at=60)
    changes = list(diff.difference(database, one, other))
    then = {(sight.address, sight.port): sight for sight in before}
    now = {(sight.address, sight.port): sight for sight in after}
    moved = {(c.endpoint.address, c.endpoint.port) for c in changes if c.kind is Kind.MOVED}
    left = {(c.came_from.address, c.came_from.port) for c in changes if c.came_from}
    told_of = {(c.endpoint.address, c.endpoint.port) for c in changes} | left

    assert told_of == {spot for spot in then.keys() | now.keys() if differs(then.get(spot), now.get(spot))}
    for change in changes:
        if change.came_from is not None:
            origin = then[change.came_from.address, change.came_from.port]
            target = now[change.endpoint.address, change.endpoint.port]
            assert origin.look().identity == target.look().identity is not None
            assert change.came_from.address != change.endpoint.address
    ordinary = [c for c in changes if c.kind is not Kind.MOVED]
    assert len({c.endpoint for c in ordinary}) == len(ordinary)
    assert len(moved) == len(left)


def differs(before: Sight | None, after: Sight | None) -> bool:
    """Whether a person would say that something is otherwise here."""
    sides = [side for side in (before, after) if side is not None]
    if len(sides) == 1:
        return sides[0].verdict.access not in {CLOSED, FILTERED}
    one, other = (dataclasses.replace(side, observed_at=0) for side in sides)
    return (one.evidence, one.verdict.access) != (other.evidence, other.verdict.access)
