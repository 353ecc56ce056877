"""What pages are told: sentences, filters, networks, pictures; values in, values out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from leadglass.errors import UsageError
from leadglass.model.register import Level, Management, Risk, System
from leadglass.model.verdict import Access, Kind, Position, Severity
from leadglass.ports.dashboard import Figure
from leadglass.store.server_rows import Count, Overview, Page, ServerRow, Sort, Todo, Wanted
from leadglass.web.pages import network_view, overview_view, servers_view
from leadglass.web.pages.charts import Look, lines, policy, stacked
from leadglass.web.pages.guard import question
from leadglass.web.pages.register_view import matrix
from leadglass.web.pages.surveys import bar_of
from leadglass.web.pages.systems import Declaration, system_of
from leadglass.web.pages.telling import Pages, ago, lasting, moment, server_path, shortened, with_query

NOW = 1_795_237_200
HOUR, DAY = 3600, 86_400


def row(address: str = "192.0.2.10", severity: Severity = Severity.HIGH, **different: Any) -> ServerRow:
    told: dict[str, Any] = {
        "name": None,
        "access": Access.ANSWERS_QUERY,
        "port": 104,
        "product": "Orthanc",
        "nature": Kind.CLINICAL,
        "open_ports": 2,
        "since": NOW - 18 * DAY,
        "first_seen": NOW - 20 * DAY,
        "last_seen": NOW - HOUR,
        "changed_at": None,
    }
    return ServerRow(address=address, severity=severity, **(told | different))


def overview(**different: Any) -> Overview:
    told: dict[str, Any] = {
        "as_of": NOW - 60,
        "servers": 14,
        "severity": {Severity.HIGH: 3, Severity.NONE: 11},
        "access": {Access.ANSWERS_QUERY: 3, Access.CLOSED: 11},
        "exposed": 3,
        "since": NOW - 18 * DAY,
        "worst": (row(),),
        "todo": (Todo(row(), "Take it off the network."),),
        "last": None,
        "unfinished": (),
    }
    return Overview(**(told | different))


# ---- moments and addresses


@pytest.mark.parametrize(
    ("away", "says"),
    [
        (5, "just now"),
        (60, "1 minute ago"),
        (2 * HOUR, "2 hours ago"),
        (3 * DAY, "3 days ago"),
        (-7 * HOUR, "in 7 hours"),
    ],
)
def test_a_moment_is_told_by_its_distance(away: int, says: str) -> None:
    assert ago(NOW - away, NOW) == says


def test_what_was_long_ago_is_told_by_its_day() -> None:
    assert moment(NOW - 90 * DAY, NOW).says == "2026-08-23"
    assert moment(NOW, NOW).iso == "2026-11-21T05:00:00Z"
    assert lasting(59) == "less than a minute"


def test_addresses_of_pages_hold_nothing_that_leads_elsewhere() -> None:
    assert server_path("2001:db8::7") == "/servers/2001:db8::7"
    assert server_path("../x?y#z") == "/servers/..%2Fx%3Fy%23z"
    assert with_query("/servers", {"text": "a&b=<c>", "port": ""}) == "/servers?text=a%26b%3D%3Cc%3E"
    assert len(shortened("A" * 10_000, 80)) == 80


# ---- the first screen


def test_an_exposure_is_answered_in_one_sentence_each() -> None:
    answer = overview_view.answer(overview(), NOW)

    assert answer.exposed == "Yes: a stranger can search the server at 3 of 14 addresses."
    assert answer.since == "At least since 2026-11-03: for 18 days, as far as anybody looked."
    assert answer.first.startswith("Let nobody but known devices reach 192.0.2.10, port 104:")
    assert answer.href == "/servers/192.0.2.10"
    assert answer.severity is Severity.HIGH


def test_nobody_knows_before_the_first_scan_has_ended() -> None:
    answer = overview_view.answer(overview(exposed=0, servers=0, since=None, worst=(), todo=()), NOW)

    assert (answer.exposed, answer.severity) == ("Nobody knows yet.", Severity.NONE)


@pytest.mark.parametrize(
    ("positions", "seen", "is_honest"),
    [
        ({Position.INSIDE}, "Seen from inside only", True),
        ({Position.UNKNOWN}, "Nobody has said from where it was seen", True),
        (set(), "Not seen from anywhere yet", True),
        ({Position.INSIDE, Position.OUTSIDE}, "Seen from outside too", False),
    ],
)
def test_a_look_from_inside_never_speaks_of_the_internet(
    positions: set[Position], seen: str, is_honest: bool
) -> None:
    told = overview_view.vantage(positions)

    assert told.seen == seen
    assert told.says.startswith("This says nothing about the internet.") is is_honest


# ---- lists


def test_a_filter_is_read_from_the_address_of_the_page_and_written_back() -> None:
    query = {
        "at_least": "high",
        "port": "104",
        "text": " pacs ",
        "sort": "address",
        "changed_since": "2026-11-01",
    }
    asked = servers_view.asked(query)

    assert asked.wanted == Wanted(at_least=Severity.HIGH, port=104, text="pacs", changed_since=1_793_491_200)
    assert asked.sort is Sort.ADDRESS
    assert dict(asked.query) == {**query, "text": "pacs"}


@pytest.mark.parametrize(
    "query",
    [
        {"at_least": "<script>"},
        {"port": "0"},
        {"port": "99999"},
        {"port": "٣"},
        {"sort": "x"},
        {"changed_since": "x"},
        {"y": "z"},
    ],
)
def test_what_makes_no_sense_in_the_address_is_left_out(query: Mapping[str, str]) -> None:
    asked = servers_view.asked(query)

    assert (asked.wanted, asked.sort, dict(asked.query)) == (Wanted(), Sort.SEVERITY, {})


def test_pages_keep_what_was_asked_for() -> None:
    asked = servers_view.asked({"at_least": "low", "cursor": "before"})
    view = servers_view.view(
        asked, Page((row(),), Count(1000, is_exact=False), "next", None), ["Practice"], NOW
    )

    assert view.pages == Pages("more than 1,000 servers", "", "/servers?at_least=low&cursor=next")
    assert view.columns[1].href == "/servers?at_least=low&sort=address"
    assert view.lines[0].says == "A stranger can search the server (port 104, and 1 other port open)."


def test_servers_stand_in_the_network_that_they_are_in() -> None:
    rows = (row("192.0.2.9", Severity.NONE), row("192.0.2.10"), row("198.51.100.1"), row("2001:db8:7::5:1"))
    view = network_view.view(Page(rows, Count(4, is_exact=True), None, None), NOW)

    assert [one.name for one in view.networks] == ["192.0.2.0/24", "198.51.100.0/24", "2001:db8:7::/64"]
    assert [square.label for one in view.networks for square in one.squares] == [".9", ".10", ".1", ":5:1"]
    assert (view.networks[0].worst, view.networks[0].says) == (Severity.HIGH, "2 servers, 1 asks for action")


# ---- the register


def test_every_cell_of_the_matrix_has_its_level_and_its_risks() -> None:
    risk = Risk("r", "s", "t", "v", Level.VERY_HIGH, Level.HIGH)
    cells = matrix([risk], lambda one: (max(one.likelihood, one.impact, key=list(Level).index), Level.LOW))

    assert [level for level, _ in cells] == list(reversed(Level))
    assert [len(row) for _, row in cells] == [5] * 5
    assert {cell.names: cell.number for _, row in cells for cell in row if cell.number} == {"r": 1}


def test_a_declaration_is_read_word_by_word_and_keeps_what_has_no_field() -> None:
    before = System("CT", peers=("PACS",), retired=dt.date(2027, 1, 1))
    form = Declaration(
        name="CT", management=Management.VENDOR, addresses="2001:DB8::7, CT.example.org", ports="104;104 2762"
    )
    system = system_of(form, before)

    assert (system.addresses, system.ports) == (("2001:db8::7", "ct.example.org"), (104, 2762))
    assert (system.peers, system.retired) == (before.peers, before.retired)


@pytest.mark.parametrize("port", ["0", "65536", "x", "-1", "1e3", "٣"])
def test_what_is_no_port_is_not_declared(port: str) -> None:
    with pytest.raises(UsageError, match="is no port"):
        system_of(Declaration(name="CT", ports=port))


def test_a_day_of_the_trail_is_in_it_whole() -> None:
    asked = question({"since": "2026-11-20", "until": "2026-11-20", "who": "ct", "outcome": ""})

    assert asked.until is not None
    assert asked.since is not None
    assert asked.until - asked.since == dt.timedelta(days=1)
    assert (asked.who, asked.outcome) == ("ct", None)


# ---- pictures


def test_a_picture_has_no_script_and_is_the_same_for_the_same_counts() -> None:
    counts = [{Severity.HIGH: 3}, {Severity.LOW: 1, Severity.NONE: 2}]
    first, again = (stacked(["2026-11-01", "2026-11-08"], counts, Look.LIGHT) for _ in range(2))
    tags = {element.tag.rpartition("}")[2] for element in ET.fromstring(first).iter()}

    assert first == again
    assert not {"script", "foreignObject", "a", "image"} & tags
    assert b"http" not in first.replace(b'xmlns="http://www.w3.org/2000/svg"', b"")
    assert first != stacked(["2026-11-01", "2026-11-08"], counts, Look.DARK)


def test_text_in_a_picture_is_text() -> None:
    picture = lines(["<script>"], {'"><script>': [1]}, Look.LIGHT)

    assert b"<script" not in picture
    assert policy(picture).startswith("default-src 'none'; style-src 'sha256-")


def test_a_picture_of_nothing_can_be_drawn() -> None:
    assert ET.fromstring(stacked([], [], Look.LIGHT)).tag.endswith("svg")
    assert ET.fromstring(lines([], {"none": []}, Look.DARK)).tag.endswith("svg")


def test_an_estimate_is_a_sentence_and_an_interval() -> None:
    bar = bar_of(Figure("clinical", 9, 10, 0.5, 0.25, 0.75))

    assert (bar.x, bar.width, bar.dot) == (150.0, 300.0, 300.0)
    assert bar.says == "clinical: 50%, between 25% and 75%"
