"""The dashboard in a real browser: everybody can use it, light and dark, on a phone, and it asks nobody else for anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from tests.peers import practice
from tests.peers.browsing import Served, served

from leadglass.model.account import Role
from leadglass.model.verdict import Position
from leadglass.store.current import refresh
from leadglass.store.work import Work

pytestmark = pytest.mark.peer("chromium")

SIGNED_OUT = ("/sign-in", "/no/such/page")
PAGES = (
    "/",
    "/servers",
    "/servers?at_least=critical&port=1&access=answers-query",
    "/servers/192.0.2.10",
    "/servers/198.51.100.40",
    "/network",
    "/trends",
    "/alerts",
    "/alerts?state=all",
    "/scans",
    "/scans/01JD5Y00000000000000000002",
    "/register",
    "/register/systems",
    "/register/systems/PACS%20archive",
    "/register/verify",
    "/register/requirements/hipaa",
    "/surveys",
    "/guard",
    "/settings",
    "/settings/accounts",
    "/settings/actions",
    "/account",
    "/confirm?next=/account",
    "/no/such/page",
)
BAD = {"serious", "critical"}


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("dashboard")) as made:
        yield made


@pytest.fixture(scope="module")
def chromium(dashboard: Served) -> Iterator[Browser]:  # closed before it
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


def entered(chromium: Browser, dashboard: Served, **how: Any) -> BrowserContext:
    """A browser of somebody who may see everything."""
    context = chromium.new_context(**how)
    context.add_cookies([dashboard.cookie(Role.ADMINISTRATOR)])
    return context


def violations(page: Page) -> list[str]:
    """What axe finds that keeps people out, with where it is: on the light page, then in the dark."""
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    light = Axe().run(page).response["violations"]
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate("axe.run({runOnly: ['color-contrast']}).then((found) => found.violations)")
    page.emulate_media(color_scheme="light")
    return [
        f"{page.url} {one['id']}: {one['nodes'][0]['html'][:200]}"
        for one in (*light, *dark)
        if one["impact"] in BAD
    ]


@pytest.mark.parametrize("role", ["administrator", "stranger"])
def test_nothing_keeps_anybody_out_in_the_light_or_in_the_dark(
    chromium: Browser, dashboard: Served, role: str
) -> None:
    is_known = role == "administrator"
    still: Any = {"reduced_motion": "reduce"}  # colours change at once
    context = entered(chromium, dashboard, **still) if is_known else chromium.new_context(**still)
    page, found = context.new_page(), list[str]()
    for path in PAGES if is_known else SIGNED_OUT:
        page.goto(dashboard.url + path)
        found += violations(page)
    context.close()

    assert found == []


def test_no_page_asks_anybody_else_or_complains_or_runs_over_the_edge_of_a_phone(
    chromium: Browser, dashboard: Served
) -> None:
    context = entered(chromium, dashboard, viewport={"width": 390, "height": 844})
    page, noticed = context.new_page(), list[str]()
    page.on("request", lambda one: noticed.append(one.url) if not one.url.startswith(dashboard.url) else None)
    page.on("pageerror", lambda error: noticed.append(str(error)))
    page.on("console", lambda one: noticed.append(one.text) if "Content Security" in one.text else None)
    for path in PAGES:
        page.goto(dashboard.url + path)
        over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        noticed += [f"{path} is {over} too wide"] if over > 0 else []
    context.close()

    assert noticed == []


def test_it_can_be_read_and_used_without_a_script(chromium: Browser, dashboard: Served) -> None:
    context = entered(chromium, dashboard, java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(dashboard.url + "/")
    page.get_by_role("link", name="Menu", exact=True).click()
    page.get_by_role("link", name="Servers", exact=True).click()
    page.get_by_label("Find").fill("192.0.2.")
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("link", name="192.0.2.10").click()
    page.get_by_label("Add a note").fill("Read without a script")
    page.get_by_role("button", name="Add the note").click()
    said = page.locator("main").inner_text()
    context.close()

    assert "The note stands below." in said
    assert "Read without a script" in said


def test_a_running_scan_is_seen_to_move_within_its_only_shard(chromium: Browser, dashboard: Served) -> None:
    database = dashboard.dashboard.database
    scan = practice.begin(database, at=int(dashboard.dashboard.world.now), number=8)
    work = Work(database, scan, "here", Position.INSIDE, worker="one", token=lambda: "t", lease=600.0)
    shard = work.take()
    assert shard is not None
    context = entered(chromium, dashboard)
    page = context.new_page()
    page.goto(f"{dashboard.url}/scans/{scan.plan.ulid}")
    bar = page.locator("progress")
    shown = [bar.evaluate("it => it.value")]
    for asked in (28, 84):
        work.note([(shard, asked)])
        page.get_by_text(f"{asked} of 112 endpoints asked").wait_for(timeout=20_000)
        shown.append(bar.evaluate("it => it.value"))
    context.close()
    work.leave()
    practice.ended(database, scan, practice.servers(2))
    refresh(database)

    assert shown == [0, 25, 75]


def test_a_running_scan_tells_by_itself_that_it_has_ended(chromium: Browser, dashboard: Served) -> None:
    database = dashboard.dashboard.database
    scan = practice.begin(database, at=int(dashboard.dashboard.world.now), number=7)
    context = entered(chromium, dashboard)
    page = context.new_page()
    page.goto(f"{dashboard.url}/scans/{scan.plan.ulid}")
    bar = page.locator("progress")
    before = bar.count()
    practice.ended(database, scan, practice.servers(2))
    refresh(database)
    bar.wait_for(state="detached", timeout=20_000)
    said = page.locator("main").inner_text()
    context.close()

    assert before == 1
    assert "Ended" in said


def test_a_keyboard_reaches_the_content_and_shows_where_it_is(chromium: Browser, dashboard: Served) -> None:
    context = entered(chromium, dashboard)
    page = context.new_page()
    page.goto(dashboard.url + "/servers")
    page.keyboard.press("Tab")
    first = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    inside = page.evaluate("document.querySelector('main').contains(document.activeElement)")
    context.close()

    assert first == "Skip to the content"
    assert (inside, outline) == (True, "solid")


def test_a_picture_by_itself_keeps_its_colours_under_its_own_policy(
    chromium: Browser, dashboard: Served
) -> None:
    context = entered(chromium, dashboard)
    page, noticed = context.new_page(), list[str]()
    page.on("console", lambda one: noticed.append(one.text))
    page.goto(f"{dashboard.url}/charts/severity.svg?look=dark")
    fill = page.evaluate("getComputedStyle(document.querySelector('.color-1 rect, .color-1')).fill")
    context.close()

    assert noticed == []
    assert fill == "rgb(224, 103, 63)"
