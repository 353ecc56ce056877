"""The HTML report in a real browser: offline, quiet, light and dark, and on paper."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from tests.acceptance.test_command import leadglass, open_archive, server

pytestmark = pytest.mark.peer("chromium")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of one archive that answers, one silent server and one closed port."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    with server(open_archive) as archive, server() as silent:
        leadglass("check", f"127.0.0.1:9,{archive},{silent}", "--format", "html", "--output", str(path))
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield chromium
        chromium.close()


def opened(browser: Browser, report: Path, **how: Any) -> tuple[Page, list[str]]:
    """The page, and what it asked for or complained of beside itself."""
    page = browser.new_page(**how)
    noticed: list[str] = []
    page.on("request", lambda request: noticed.append(request.url))
    page.on("console", lambda message: noticed.append(message.text))
    page.on("pageerror", lambda error: noticed.append(str(error)))
    page.goto(report.as_uri())
    return page, [what for what in noticed if what != report.as_uri()]


def background(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def test_the_report_asks_nobody_for_anything_and_complains_of_nothing(browser: Browser, report: Path) -> None:
    page, noticed = opened(browser, report)

    assert noticed == []
    assert page.title()
    assert "answers-query" in page.inner_text("body")


def test_it_follows_the_reader_s_light_or_dark(browser: Browser, report: Path) -> None:
    light, _ = opened(browser, report, color_scheme="light")
    dark, _ = opened(browser, report, color_scheme="dark")

    assert background(light) != background(dark)


@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_runs_over_the_edge(browser: Browser, report: Path, width: int) -> None:
    page, _ = opened(browser, report, viewport={"width": width, "height": 800})

    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_evidence_unfolds(browser: Browser, report: Path) -> None:
    page, _ = opened(browser, report)
    fold = page.locator("details").first
    hidden = fold.inner_text()
    fold.locator("summary").click()

    assert len(fold.inner_text()) > len(hidden)


def test_it_can_be_printed_with_its_evidence(browser: Browser, report: Path, tmp_path: Path) -> None:
    page, _ = opened(browser, report)
    paper = tmp_path / "report.pdf"
    page.pdf(path=str(paper), format="A4")

    assert paper.read_bytes().startswith(b"%PDF")
    assert paper.stat().st_size > 10_000
