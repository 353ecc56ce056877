"""The register as the dashboard asks for it: entries with who and when, reviews due, a chain that shows."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import text

from leadglass.errors import ConfigError, ResourceError, UsageError
from leadglass.ledger.chain import Chain
from leadglass.model.register import Level, Outcome, Review, Risk, System
from leadglass.store.database import Database
from leadglass.wiring.desk_register import RegisterKept

CT = System("ct-1", owner="Radiology", addresses=("192.0.2.1",))
DAY = dt.date(2026, 11, 21)
RISK = Risk("r", "ct-1", "strangers", "open port", Level.HIGH, Level.HIGH)


@pytest.fixture
def desk(database: Database) -> RegisterKept:
    return RegisterKept(database)


def test_what_is_entered_stands_with_who_and_why(desk: RegisterKept) -> None:
    head = desk.enter("ada", [CT, Review("ct-1", DAY, "ada", Outcome.PASSED)], "at the dashboard")

    assert head == desk.head()
    assert desk.register().systems == {"ct-1": CT}
    assert [(one.by, one.what, one.why, one.is_removal) for one in desk.history("ct-1", 9)] == [
        ("ada", "review", "at the dashboard", False),
        ("ada", "system", "at the dashboard", False),
    ]
    assert len(desk.history("ct-1", 1)) == 1
    assert desk.history("nobody", 5) == []
    assert desk.verify() is None


def test_nobody_undoes_what_he_has_not_seen(desk: RegisterKept) -> None:
    before = desk.head()
    desk.enter("ada", [CT], "")

    with pytest.raises(ResourceError, match="somebody else"):
        desk.enter("ben", [CT], "", before)
    desk.remove("ada", [CT], "", desk.head())
    assert desk.register().systems == {}


def test_nothing_is_entered_about_a_system_that_there_is_not(desk: RegisterKept) -> None:
    with pytest.raises(UsageError, match="no system"):
        desk.enter("ada", [RISK], "")
    desk.enter("ada", [RISK, CT], "")

    assert desk.levels(RISK) == (Level.HIGH, Level.HIGH)


def test_reviews_are_due_from_their_day_on_and_first_those_that_never_were(desk: RegisterKept) -> None:
    other = System("mr-1")
    desk.enter("ada", [CT, other, Review("ct-1", DAY, "ada", Outcome.PASSED, next=DAY)], "")

    assert [(one.system, one.due) for one in desk.reviews_due(DAY)] == [("mr-1", None), ("ct-1", DAY)]
    assert [one.system for one in desk.reviews_due(DAY - dt.timedelta(1))] == ["mr-1"]


def test_a_line_that_was_altered_shows(desk: RegisterKept, database: Database) -> None:
    desk.enter("ada", [CT], "")
    with database.write() as connection:
        connection.execute(text("UPDATE register_entries SET line = replace(line, 'ada', 'eve')"))

    assert (desk.verify() or "").startswith("entry 1 edited")


def test_a_profile_that_there_is_not_and_a_dossier_without_what_it_needs_are_told(desk: RegisterKept) -> None:
    with pytest.raises(UsageError, match="no profile 'gdrp'"):
        desk.standings(["gdrp"])
    with pytest.raises(ConfigError, match="not installed"):
        desk.dossier("pdf")
    assert {one.profile for one in desk.standings(["gdpr", "gdpr"])} == {"gdpr"}
    assert "hipaa" in desk.profiles()


def since(desk: RegisterKept, *profiles: str) -> dict[tuple[str, str], int | None]:
    """By what entry each finding came; whoever asks is told of every finding that there is."""
    begun = desk.since(profiles)
    told = {(one.rule.value, one.about): begun(one) for one in desk.disagreements(profiles)}
    assert all(one is not None and one.on <= dt.datetime.now(dt.UTC).date() for one in told.values())
    return {key: one.by for key, one in told.items() if one is not None}


def test_findings_tell_by_which_entry_they_came_and_new_entries_are_added_to_the_old(
    desk: RegisterKept,
) -> None:
    assert since(desk) == {}
    desk.enter("ada", [CT], "")
    assert since(desk) == {
        ("never-looked-at", "ct-1"): 1,
        ("never-reviewed", "ct-1"): 1,
        ("no-manager", "ct-1"): 1,
    }
    desk.enter("ada", [Review("ct-1", DAY, "ada", Outcome.GAPS), RISK], "")

    assert since(desk) == {
        ("never-looked-at", "ct-1"): 1,
        ("no-manager", "ct-1"): 1,
        ("review-failed", "ct-1"): 2,
        ("risk-untreated", "ct-1"): 3,
    }
    assert since(desk, "hipaa")["control-missing", "ct-1"] == 1


def test_another_chain_in_its_place_is_followed_from_its_beginning(
    desk: RegisterKept, database: Database
) -> None:
    desk.enter("ada", [CT, System("ct-2")], "")
    assert ("no-owner", "ct-2") in since(desk)
    with database.write() as connection:
        for table in ("register_entries", "register_state", "register_head"):
            connection.execute(text(f"DELETE FROM {table}"))
    desk.enter("eve", [System("mr-1"), System("mr-2"), System("mr-3")], "")

    assert {about for _, about in since(desk)} == {"mr-1", "mr-2", "mr-3"}


def test_a_chain_that_cannot_be_read_tells_no_day_and_hinders_no_page(
    desk: RegisterKept, database: Database
) -> None:
    desk.enter("ada", [System("ct-2")], "")
    forged = Chain().append({"by": "eve", "what": "system", "why": ""}, dt.datetime.now(dt.UTC))
    with database.write() as connection:
        connection.execute(
            text("UPDATE register_entries SET line = :line"), {"line": forged.decode().strip()}
        )

    begun = desk.since()

    assert [begun(one) for one in desk.disagreements()] == [None, None, None]
