"""Risk by the table of SP 800-30, drafts, filling from looks, matching, and entries that hold nouns whole."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from tests.unit.register.samples import AT, SCAN, TODAY, port, register, review, seen, system, taken

from leadglass.errors import ConfigError
from leadglass.model.register import Level, Management, Manager, Risk, Treatment
from leadglass.model.verdict import Access, Position, Severity
from leadglass.register.codec import Thing, as_change, as_json, gone, key_of, register_of
from leadglass.register.fill import declared_from, filled
from leadglass.register.matching import identified, seen_of, systems_at
from leadglass.register.risks import drafts, level, residual
from leadglass.store.register_looks import Look

TABLE_I_2 = """
very-high very-low low      moderate high     very-high
high      very-low low      moderate high     very-high
moderate  very-low low      moderate moderate high
low       very-low low      low      low      moderate
very-low  very-low very-low very-low low      low
"""
RISK = Risk("r", "archive", "t", "v", Level.HIGH, Level.VERY_HIGH, Treatment.ACCEPT, "Ada", TODAY)


# ---- risk


@pytest.mark.parametrize("row", TABLE_I_2.strip().splitlines())
def test_the_level_of_risk_is_that_of_the_table(row: str) -> None:
    likelihood, *levels = map(Level, row.split())

    assert [level(likelihood, impact) for impact in Level] == levels


def test_what_is_left_after_treatment_goes_by_what_treatment_changed() -> None:
    assert residual(RISK) is Level.VERY_HIGH
    assert residual(replace(RISK, residual_likelihood=Level.LOW)) is Level.MODERATE
    assert residual(replace(RISK, residual_impact=Level.VERY_LOW)) is Level.VERY_LOW


def test_a_risk_is_drafted_for_each_exposure_of_a_declared_system() -> None:
    open_ = port(104, Access.ANSWERS_QUERY)
    things = register(
        [
            system(),
            seen("192.0.2.10", open_, port(11112, Access.DEMANDS_CERTIFICATE), position=Position.OUTSIDE),
            seen("192.0.2.99", open_),
        ]
    )

    (risk,) = drafts(things)

    assert (risk.name, risk.system) == ("archive 104 answers-query", "archive")
    assert (risk.likelihood, risk.impact, risk.treatment) == (Level.VERY_HIGH, Level.HIGH, None)
    assert SCAN in risk.vulnerability


def test_from_inside_it_is_less_likely_and_what_is_written_down_stays() -> None:
    things = register([system(), seen("192.0.2.10", port(104, Access.OFFERS_STORAGE))])
    (risk,) = drafts(things)

    assert risk.likelihood is Level.MODERATE
    assert list(drafts(replace(things, risks={risk.name: risk}))) == []


# ---- matching


def test_a_system_is_found_by_address_by_name_and_by_what_only_it_shows() -> None:
    here, moved = seen("192.0.2.10", identity="aa"), seen("192.0.2.11", port(), identity="aa")
    other = seen("192.0.2.12", port(), name="pacs.example", identity="bb")
    things = register([system(), system("other", addresses=("pacs.example",)), here, moved, other])

    assert [one.name for one in systems_at(things, here)] == ["archive"]
    assert systems_at(things, moved) == []
    assert [one.name for one in identified(things, moved)] == ["archive"]
    assert identified(things, other) == []
    assert seen_of(things, things.systems["other"]) == [other]


# ---- filling


def look(address: str = "192.0.2.10", *numbers: int, at: int = AT, identity: str | None = None) -> Look:
    return Look(address, None, at, tuple(map(port, numbers)), identity)


def test_kept_are_servers_and_what_is_declared() -> None:
    web = Look("192.0.2.50", None, AT, (port(80, Access.NOT_DICOM),), None)

    found = list(
        filled(register([system()]), taken(), [look(), look("192.0.2.11", 104), look("192.0.2.12"), web])
    )

    assert [(one.address, len(one.ports), one.answered) for one in found] == [
        ("192.0.2.10", 0, None),
        ("192.0.2.11", 1, AT),
    ]


def test_what_is_as_before_makes_no_entry() -> None:
    before = seen("192.0.2.10", port(104), answered=AT)

    assert list(filled(register([before]), taken(scan="B"), [look("192.0.2.10", 104, at=AT + 9)])) == []


def test_a_server_that_falls_silent_keeps_what_only_it_showed() -> None:
    before = seen("192.0.2.10", port(104), answered=AT, identity="aa")

    (now,) = filled(register([before]), taken(scan="B"), [look(at=AT + 9)])

    assert (now.scan, now.since, now.ports, now.identity, now.answered) == ("B", AT + 9, (), "aa", AT)


def test_an_older_scan_hides_nothing() -> None:
    before = seen("192.0.2.10", port(104))

    assert list(filled(register([before]), taken(scan="0"), [look(at=AT - 9)])) == []


def test_each_side_of_the_network_is_kept_by_itself() -> None:
    before = seen("192.0.2.10", port(104))

    (now,) = filled(register([before]), taken(position=Position.OUTSIDE), [look("192.0.2.10", 104)])

    assert key_of(now) != key_of(before)


def test_servers_that_nobody_declared_can_be_declared_as_seen() -> None:
    found = [seen("192.0.2.11", port(104), port(80, Access.NOT_DICOM)), seen("192.0.2.10", port())]

    (made,) = declared_from(register([system()]), [*found, seen("192.0.2.12", port(80, Access.NOT_DICOM))])

    assert (made.name, made.addresses, made.ports) == ("192.0.2.11", ("192.0.2.11",), (104, 80))
    assert SCAN in made.note


# ---- entries

THINGS: list[Thing] = [
    system(manager=Manager(Management.VENDOR, "Zoë", "A-1", TODAY), retired=TODAY, titles=("A", "B")),
    review(next=TODAY),
    RISK,
    seen("2001:db8::1", port(severity=Severity.HIGH, product="x"), identity="aa", answered=1),
    taken(),
]


def test_entries_hold_the_nouns_whole() -> None:
    state = {change.key: change.now for change in map(as_change, THINGS) if change.now is not None}

    assert register_of(state, "here") == register(THINGS)
    assert as_json(THINGS[0])["retired"] == "2026-11-21"


def test_who_takes_something_out_names_the_same_thing() -> None:
    assert [gone(thing).key for thing in THINGS] == [as_change(thing).key for thing in THINGS]


def test_what_a_later_version_keeps_is_left_alone() -> None:
    assert register_of({("mood", "x"): {}}, "here") == register()


def test_a_state_that_somebody_broke_is_one_line() -> None:
    broken = {**as_json(system()), "ports": ["a\nb"]}

    with pytest.raises(
        ConfigError, match=r"here: the system 'archive' in the register cannot be read"
    ) as error:
        register_of({("system", "archive"): broken}, "here")

    assert "\n" not in str(error.value)


def test_days_are_days() -> None:
    assert as_json(review(on=dt.date(2026, 1, 2)))["on"] == "2026-01-02"
