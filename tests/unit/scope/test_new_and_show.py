"""A new scope file is valid as it stands; what is shown is what the scope says."""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest
from tests.unit.scope.building import MOMENT, at, scope

from leadglass.model.rung import Rung
from leadglass.model.verdict import Position
from leadglass.scope.parse import parse
from leadglass.scope.ports import DEFAULT_PORTS
from leadglass.scope.rules import Basis
from leadglass.scope.summary import as_json, as_text
from leadglass.scope.template import Draft, scope_text

DRAFT = Draft(
    name="Example Radiology",
    basis=Basis.OWNER,
    granted_by="the head of IT",
    contact="security@example.org",
    valid_until=dt.date(2027, 1, 31),
    targets=("192.0.2.0/28", "pacs.example.org"),
)


def test_a_new_file_says_what_it_was_made_from() -> None:
    made = parse(scope_text(DRAFT), filename="scope.toml", moment=MOMENT)

    assert made.name == DRAFT.name
    assert made.authorisation.valid_until == DRAFT.valid_until
    assert made.authorisation.reference is None
    assert made.position is Position.OUTSIDE
    assert made.limits.deepest is Rung.ASSOCIATE
    assert [str(rule.range) for rule in made.rules] == ["192.0.2.0/28", "pacs.example.org"]
    assert {rule.ports for rule in made.rules} == {DEFAULT_PORTS}


@pytest.mark.parametrize(
    "text",
    [
        'a "quoted" name',
        "back\\slash",
        "ümläut",
        "x # no comment",
        "'''",
        '"""',
        "{name}",
        "%s",
    ],
)
def test_any_text_survives_being_written_and_read(text: str) -> None:
    draft = Draft(text, Basis.MANDATE, text, text, dt.date(2027, 1, 31), ("192.0.2.1",), reference=text)
    made = parse(scope_text(draft), filename="scope.toml", moment=MOMENT)

    assert (made.name, made.authorisation.granted_by, made.authorisation.contact) == (text, text, text)
    assert (made.authorisation.reference, made.authorisation.basis) == (text, Basis.MANDATE)


def test_the_examples_in_comments_are_valid_when_they_are_taken_in() -> None:
    head, _, exclusion = scope_text(DRAFT).partition("# [[exclude]]")
    taken_in = re.sub(r"(?m)^# (?=\w+ = )", "", head) + re.sub(r"(?m)^# ", "", f"# [[exclude]]{exclusion}")
    made = parse(taken_in, filename="scope.toml", moment=MOMENT)

    assert made.limits.hours_text == "20:00-05:00 Europe/Berlin"
    assert made.exclusions[0].reason == "life support network"
    assert made.rules[0].called_ae == "ARCHIVE"
    assert made.rules[0].deepest is Rung.CONNECT
    assert made.identity.url == "https://example.org/scanning"
    assert made.authorisation.reference == "where that is written"


BODY = """\
[[targets]]
range = "192.0.2.0/28"
ports = [104, "11112-11114"]
[[targets]]
range = "pacs.example.org"
ports = [104]
deepest = "connect"
called_ae = "ARCHIVE"
[[exclude]]
range = "192.0.2.8/30"
reason = "life support network"
"""
HOURS = 'hours = "20:00-05:00"\ntimezone = "Europe/Berlin"'
NIGHT = at("2026-11-21T22:00:00+01:00")


def test_people_are_told_what_how_deep_how_many_and_when() -> None:
    shown = as_text(scope(BODY, limits=HOURS), NIGHT)

    for words in (
        "Example Radiology\n",
        "the head of IT (owner, change 4711), until the end of 2027-01-31",
        "security@example.org",
        "20:00-05:00 Europe/Berlin; open now, until 2026-11-22 05:00 (CET)",
        "192.0.2.0/28      104,11112-11114  blank-query  ANY-SCP",
        "pacs.example.org  104              connect      ARCHIVE",
        "192.0.2.8/30: life support network",
        "48 endpoints: 48 to blank-query",
        "not counted, because not resolved: pacs.example.org",
    ):
        assert words in shown


def test_people_are_told_when_it_is_closed_and_what_is_left_out() -> None:
    pinned = scope(BODY, limits=HOURS).with_names({"pacs.example.org": ("127.0.0.1",)})
    shown = as_text(pinned, at("2026-11-21T12:00:00+01:00"))

    assert "closed now, until 2026-11-21 20:00 (CET)" in shown
    assert "left out\n  pacs.example.org = 127.0.0.1: a name may not lead" in shown
    assert "not resolved" not in shown


def test_programs_are_told_the_same() -> None:
    pinned = scope(BODY, limits=HOURS).with_names({"pacs.example.org": ("127.0.0.1", "203.0.113.9")})
    told = json.loads(json.dumps(as_json(pinned, NIGHT)))

    assert told["endpoints"] == 49
    assert told["endpoints_by_depth"] == {"connect": 1, "blank-query": 48}
    assert told["targets"][1] == {
        "range": "pacs.example.org",
        "ports": "104",
        "deepest": "connect",
        "called_ae": "ARCHIVE",
    }
    assert told["names"] == {"pacs.example.org": ["127.0.0.1", "203.0.113.9"]}
    assert [refusal["address"] for refusal in told["refused"]] == ["127.0.0.1"]
    assert (told["open"], told["changes_at"]) == (True, "2026-11-22T04:00:00Z")
    assert told["authorisation"]["valid_until"] == "2027-01-31"


def test_a_scope_without_end_says_so() -> None:
    text = scope_text(DRAFT).replace("valid_until = 2027-01-31", "")
    endless = parse(text, filename="scope.toml", moment=MOMENT)

    assert "without end" in as_text(endless, MOMENT)
    assert as_json(endless, MOMENT)["changes_at"] is None
    assert as_json(endless, MOMENT)["names"] == {"pacs.example.org": None}
