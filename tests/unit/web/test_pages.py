"""Every page: whole markup, nothing from elsewhere, links that answer, and text of peers that stays text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, quote, urljoin, urlsplit

import pytest
from tests.peers import practice
from tests.peers.dashboard import Browser, Dashboard
from tests.peers.dashboard import dashboard as made
from tests.unit.web.markup import Markup, read

from leadglass.model.account import Role
from leadglass.model.alert import AlertState
from leadglass.model.order import Order, Why
from leadglass.model.register import System
from leadglass.model.verdict import Severity
from leadglass.settings.serve import ServeSettings
from leadglass.store import notes, orders
from leadglass.store.current import refresh

HOSTILE = practice.HOSTILE
LONG = "A" * 10_000
_DOCUMENTS = ("/register/dossier.",)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    with made(tmp_path_factory.mktemp("pages")) as one:
        practice.fill(one.database, int(one.world.now))
        yield one


@pytest.fixture(scope="module")
def crawled(filled: Dashboard) -> dict[str, Markup]:
    """Every page that links of pages lead to, from the first screen on."""
    browser, found, waiting = filled.signed_in(Role.ADMINISTRATOR), dict[str, Markup](), ["/"]
    known = {shape("/")}
    while waiting:
        path = waiting.pop()
        answer = browser.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        found[path] = read(answer.text)
        for link in found[path].links:
            wanted = urljoin(path, link).partition("#")[0] or path
            if shape(wanted) not in known and not wanted.startswith(_DOCUMENTS):
                known.add(shape(wanted))
                waiting.append(wanted)
    return found


def shape(link: str) -> tuple[str, frozenset[str]]:
    """Links that ask the same page for the same things are followed once."""
    parts = urlsplit(link)
    return parts.path, frozenset(parse_qs(parts.query))


def test_links_lead_to_every_kind_of_page(crawled: dict[str, Markup]) -> None:
    ways = {urlsplit(path).path for path in crawled}

    assert {"/servers", "/network", "/trends", "/alerts", "/scans", "/register", "/surveys", "/guard"} <= ways
    assert {"/settings", "/account", "/settings/accounts", "/settings/actions", "/register/verify"} <= ways
    assert "/servers/2001:db8:7::5" in ways
    assert "/register/systems/PACS%20archive" in ways


def test_titles_tell_pages_apart(crawled: dict[str, Markup]) -> None:
    by_path = {urlsplit(path).path: page.title for path, page in crawled.items()}
    titles = Counter(by_path.values())

    assert [title for title, number in titles.items() if number > 1] == []
    assert all(title.endswith(" - Leadglass") and len(title) > len(" - Leadglass") for title in titles)


def test_whatever_pages_load_is_there(filled: Dashboard, crawled: dict[str, Markup]) -> None:
    browser = filled.signed_in(Role.VIEWER)
    loaded = {source.partition("#")[0] for page in crawled.values() for source in page.sources}
    posted = {source for source in loaded if not source.startswith(("/static/", "/charts/"))}
    answers = {source: browser.get(source).status_code for source in loaded - posted}

    assert set(answers.values()) == {200}
    assert any(source.startswith("/charts/") for source in answers)


@pytest.mark.parametrize("role", list(Role))
def test_each_role_is_shown_only_forms_that_it_may_send(filled: Dashboard, role: Role) -> None:
    page = filled.signed_in(role).get("/servers/192.0.2.10").text
    forms = {what for what in ("/assign", "/review", "/notes") if f'/servers/192.0.2.10{what}"' in page}

    assert bool(forms) is (role in {Role.OPERATOR, Role.ADMINISTRATOR})


def test_a_new_store_says_on_each_page_what_to_do_next(dashboard: Dashboard) -> None:
    browser = dashboard.signed_in(Role.ADMINISTRATOR)
    said = {
        path: " ".join(read(browser.get(path).text).text) for path in ("/", "/servers", "/network", "/trends")
    }

    assert "Nobody knows yet." in said["/"]
    assert all("Order a scan" in text or "second scan" in text for text in said.values())
    for path in ("/alerts", "/scans", "/register", "/surveys", "/guard", "/settings"):
        assert browser.get(path).status_code == 200


def test_pages_tell_since_when_each_finding_stands_by_the_profiles_of_the_settings(tmp_path: Path) -> None:
    with made(tmp_path, ServeSettings(profiles=("hipaa",))) as one:
        practice.fill(one.database)
        browser = one.signed_in(Role.VIEWER)
        pages = [
            browser.get(path).text for path in ("/register", "/register/systems/VNA", "/servers/192.0.2.12")
        ]
        stored = browser.get("/register/dossier.zip").content
        asked = browser.get("/register/dossier.zip?profile=gdpr").content

    for page in pages:
        assert "no encryption-in-transit is among its controls" in page
        assert re.search(r'<time datetime="\d{4}-\d\d-\d\d">[^<]+</time>(, | <small>)entry 2\b', page)
    assert b"164.312(a)(1)" in stored
    assert b"164.312(a)(1)" not in asked


def test_a_register_that_holds_nothing_meets_no_requirement(dashboard: Dashboard) -> None:
    page = " ".join(
        read(dashboard.signed_in(Role.VIEWER).get("/register/requirements/hipaa").text).text
    ).split()

    assert page.count("unknown") == 11
    assert page.count("met") == 1  # in what the page says of itself
    assert "No system in service is declared." in " ".join(page)


# ---- what peers and people wrote


@pytest.fixture
def attacked(tmp_path: Path) -> Iterator[tuple[Dashboard, Browser]]:
    """One where every name is an attack."""
    with made(tmp_path) as one:
        for number, text in enumerate((HOSTILE, LONG, "\x1b]0;owned\x07", "\u202e\u2066gnp"), 1):
            server = practice.Server(f"203.0.113.{number}", 104, practice.searched(text))
            practice.scanned(one.database, [server], at=int(one.world.now) - 100 + number, number=number)
            note = notes.Note(f"N{number}", notes.Beside.SERVER, server.address, text[:60], 1, text[:2000])
            notes.add_note(one.database, note)
        refresh(one.database)
        systems = [
            System(HOSTILE.replace("\x00", ""), owner=HOSTILE.replace("\x00", ""), addresses=("203.0.113.1",))
        ]
        one.site.desks.register.enter("somebody", systems, "<b>why</b>")
        yield one, one.signed_in(Role.ADMINISTRATOR)


def test_text_of_peers_and_people_is_never_markup(attacked: tuple[Dashboard, Browser]) -> None:
    _, browser = attacked
    system = f"/register/systems/{quote(HOSTILE.replace(chr(0), ''), safe='')}"
    numbered = [f"/servers/203.0.113.{number}" for number in (1, 2, 3, 4)]
    for path in ("/", "/servers", "/network", "/register", "/scans", system, *numbered):
        answer = browser.get(path)
        page = read(answer.text)

        assert answer.status_code == 200
        assert page.text
        assert not {"\x1b", "\x07", "\x00", "\u202e", "\u2066", "\u200b"} & set(answer.text)
        assert "<script>alert" not in answer.text
        assert LONG[:3000] not in answer.text
    assert "&lt;script&gt;alert" in browser.get("/servers/203.0.113.1").text
    assert "&lt;script&gt;alert" in browser.get("/register").text


def test_what_somebody_searches_for_comes_back_as_text(filled: Dashboard) -> None:
    browser = filled.signed_in(Role.VIEWER)
    for path in ("/servers", "/trends", "/alerts", "/guard"):
        for name in ("text", "product", "scope", "sort", "state", "who", "said", "port"):
            page = browser.get(path, params={name: HOSTILE})

            assert page.status_code == 200
            assert "<script>alert" not in page.text
            read(page.text)


@pytest.mark.parametrize(
    "path",
    [
        "/servers/nowhere",
        "/servers/192.0.2.10/../../etc",
        "/servers/203.0.113.99",
        "/servers/%00",
        "/scans/none",
        "/scans/%3Cscript%3E",
        "/register/systems/none",
        "/register/requirements/none",
        "/charts/none.svg",
        "/static/none.css",
    ],
)
def test_what_is_not_there_is_a_page_that_says_so(filled: Dashboard, path: str) -> None:
    answer = filled.signed_in(Role.VIEWER).get(path)

    assert answer.status_code in {404, 422}
    assert "Traceback" not in answer.text
    read(answer.text)


# ---- what people do


def test_a_server_is_assigned_reviewed_and_written_about(filled: Dashboard) -> None:
    browser, at = filled.signed_in(Role.OPERATOR), "/servers/192.0.2.33"
    browser.open(at)
    done = [
        browser.post(f"{at}/assign", {"system": "Conquest", "owner": "M. Weber", "management": "in-house"}),
        browser.post(f"{at}/review", {"outcome": "gaps", "next": "2027-01-31", "note": "port 4242"}),
        browser.post(f"{at}/notes", {"text": "Whose is it?"}),
    ]
    assert browser.post(f"{at}/review", {"outcome": "passed", "next": "2020-01-31"}).status_code == 422
    said = " ".join(read(browser.get(done[-1].headers["location"]).text).text)
    system = filled.site.desks.register.register().systems["Conquest"]

    assert [answer.status_code for answer in done] == [303, 303, 303]
    assert (system.owner, system.addresses) == ("M. Weber", ("192.0.2.33",))
    assert "Reviewed on 2026-11-21 by operator: gaps. Next by 2027-01-31." in said
    assert "Whose is it?" in said


def test_a_system_is_declared_and_its_risk_decided(filled: Dashboard) -> None:
    browser = filled.signed_in(Role.OPERATOR)
    browser.open("/register/systems")
    declared = browser.post(
        "/register/systems",
        {"name": "MR 1", "addresses": "192.0.2.77, MR1.example.org", "ports": "104 11112"},
    )
    decided = browser.post(
        "/register/decisions/VNA",
        {"risk": "VNA storage", "treatment": "accept", "owner": "Dr. Lindqvist", "until": "2027-02-01"},
    )
    register = filled.site.desks.register.register()

    assert (declared.status_code, decided.status_code) == (303, 303)
    assert register.systems["MR 1"].addresses == ("192.0.2.77", "mr1.example.org")
    assert register.systems["MR 1"].ports == (104, 11112)
    assert register.risks["VNA storage"].owner == "Dr. Lindqvist"


def test_an_alert_is_acknowledged_closed_and_its_like_silenced(filled: Dashboard) -> None:
    browser, watch = filled.signed_in(Role.OPERATOR), filled.site.desks.watch
    browser.open("/alerts")
    first, second = (alert.id for alert in watch.alerts([AlertState.OPEN], 2))
    done = [
        browser.post(f"/alerts/{first}/acknowledge"),
        browser.post(f"/alerts/{second}/close"),
        browser.post(
            "/silences", {"owner": "x", "reason": "y", "until": "2099-01-01", "address": "192.0.2.0/28"}
        ),
    ]

    assert [answer.status_code for answer in done] == [303, 303, 303]
    assert watch.alert(first).state is AlertState.ACKNOWLEDGED
    assert watch.alert(second).state is AlertState.CLOSED
    assert "192.0.2.0/28" in {one.address for one in watch.silences()}


def test_a_running_scan_tells_how_far_it_is_with_and_without_a_script(dashboard: Dashboard) -> None:
    scan = practice.begin(dashboard.database, at=int(dashboard.world.now), number=7)
    browser, path = dashboard.signed_in(Role.VIEWER), f"/scans/{scan.plan.ulid}"
    page, event = read(browser.get(path).text), browser.get(f"{path}/progress")

    assert "0 of 112 endpoints asked" in " ".join(page.text)
    assert event.headers["content-type"].startswith("text/event-stream")
    assert event.text.split("\n") == [
        "retry: 1000",
        "event: progress",
        'data: {"percent": 0, "says": "0 of 112 endpoints asked", "ended": false}',
        "",
        "",
    ]


def test_an_order_that_has_named_its_scan_and_not_begun_it_goes_on_telling(dashboard: Dashboard) -> None:
    now = int(dashboard.world.now)
    identifier = "01JD5Y0000000000000000000E"
    orders.give(dashboard.database, Order(identifier, "nightly", "scope.toml", "", Why.PERSON, now, now + 60))
    held = orders.take(dashboard.database, "watcher", now, "t", 60.0)
    assert held is not None
    orders.note_scan(dashboard.database, held, "01JD5Y00000000000000000009")
    browser, path = dashboard.signed_in(Role.VIEWER), f"/orders/{identifier}/progress"
    before = browser.get(path)
    practice.begin(dashboard.database, at=now, number=9)

    assert '"says": "running", "ended": false' in before.text
    assert '"says": "0 of 112 endpoints asked", "ended": false' in browser.get(path).text


def test_a_viewer_s_forms_are_refused(filled: Dashboard) -> None:
    browser = filled.signed_in(Role.VIEWER)
    answers = [
        browser.post(
            path, {"owner": "x", "scope": "x", "text": "x", "outcome": "passed", "name": "x"}
        ).status_code
        for path in ("/servers/192.0.2.10/assign", "/scans", "/register/systems", "/servers/192.0.2.10/notes")
    ]

    assert answers == [403] * 4


def test_severity_is_always_a_shape_and_a_word(filled: Dashboard) -> None:
    page = filled.signed_in(Role.VIEWER).get("/servers").text

    for severity in {line.value for line in Severity} - {"critical"}:
        assert f'#{severity}"></use></svg>{severity}</span>' in page
