"""Somebody at a browser before a dashboard that serves as a process of its own, and the open archive that it looks at."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page
from pynetdicom import AE, evt
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind, Verification
from tests.peers.places import LOOPBACK, free_port

__all__ = ["PHONE", "Practice", "Visitor", "archive", "visiting"]

PHONE = {"width": 390, "height": 844}
_DESK = {"width": 1280, "height": 900}
_PATIENCE = 30_000
"""Milliseconds for whatever ought to happen soon."""

_SCOPE = """
name = "Example Practice"
[authorisation]
basis = "owner"
granted_by = "Dr. Example"
contact = "it@example.org"
valid_until = 2099-12-31
[limits]
deepest = "blank-query"
rate = 12  # a look takes long enough to be seen
[vantage]
position = "inside"
[[targets]]
range = "127.0.0.1"
ports = [{port}]
[[targets]]
range = "127.0.0.16/28"
ports = [{port}]
"""
_WATCH = """
name = "Example Practice"
[[schedule]]
name = "nightly"
scope = "scope.toml"
cron = "0 0 29 2 *"
"""
_SERVE = """
watch = "watch.toml"
organisation = "Example Practice"
"""


@contextlib.contextmanager
def archive(port: int) -> Iterator[None]:
    """A server whose queries anybody may ask; it holds nothing."""
    entity = AE(ae_title="ARCHIVE")
    entity.add_supported_context(Verification)
    entity.add_supported_context(StudyRootQueryRetrieveInformationModelFind)
    handlers = [(evt.EVT_C_FIND, lambda _: iter(()))]
    server = entity.start_server((LOOPBACK.address, port), block=False, evt_handlers=handlers)
    try:
        yield
    finally:
        assert server is not None
        server.shutdown()


@dataclass
class Practice:
    """A folder with all that ``leadglass serve`` is told; ``program`` is the command."""

    program: Sequence[str]
    folder: Path
    archive: int = field(default_factory=lambda: free_port(LOOPBACK))
    port: int = field(default_factory=lambda: free_port(LOOPBACK))

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"http://{LOOPBACK.address}:{self.port}"

    @property
    def log(self) -> Path:
        """What it said beside the link."""
        return self.folder / "serve.log"

    @contextlib.contextmanager
    def serving(self) -> Iterator[str]:
        """The command while it runs; the link that it prints."""
        files = {"scope.toml": _SCOPE.format(port=self.archive), "watch.toml": _WATCH, "serve.toml": _SERVE}
        for name, text in files.items():
            (self.folder / name).write_text(text)
        words = ["serve", "--config", "serve.toml", "--bind", f"{LOOPBACK.address}:{self.port}"]
        environment = {**os.environ, "LEADGLASS_DATABASE": str(self.folder / "scans.sqlite")}
        with (
            self.log.open("w") as log,
            subprocess.Popen(
                [*self.program, *words],
                cwd=self.folder,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            ) as process,
        ):
            assert process.stdout is not None
            link = next((line.strip() for line in process.stdout if "/welcome?link=" in line), None)
            try:
                if link is None:
                    raise RuntimeError(self.log.read_text())
                yield link
            finally:
                process.terminate()


@dataclass
class Visitor:
    """A person at a browser. What it shows is read as a person reads it."""

    page: Page
    url: str
    asked: set[str] = field(default_factory=set)
    """The origin of every request."""
    complaints: list[str] = field(default_factory=list)
    """What the browser's console said, and scripts that failed."""
    too_wide: list[str] = field(default_factory=list)
    """Pages that run over the edge."""

    def opens(self, path: str) -> str:
        """Go there; what it says."""
        self.page.goto(path if path.startswith("http") else self.url + path)
        return self.reads()

    def reads(self) -> str:
        """What the page says, whether it is wider than a desk's or a phone's screen being noticed."""
        for size in (PHONE, _DESK):
            self.page.set_viewport_size(size)
            if self.page.locator("html").evaluate("it => it.scrollWidth > innerWidth"):
                self.too_wide.append(f"{self.page.url} at {size['width']}")
        return str(self.page.locator("body").inner_text())

    def fills(self, **fields: str) -> None:
        """Type into the fields of these labels."""
        for label, text in fields.items():
            self.page.get_by_label(label.replace("_", " "), exact=True).fill(text)

    def presses(self, button: str) -> str:
        """Press it, and read what comes."""
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=button, exact=True).click()
        return self.reads()

    def follows(self, link: str) -> str:
        """Click on it, and read what comes."""
        with self.page.expect_navigation():
            self.page.get_by_role("link", name=link, exact=True).first.click()
        return self.reads()

    def unfolds(self, summary: str) -> None:
        """Open what can be folded, if it is not open."""
        fold = self.page.locator("details", has=self.page.locator("summary", has_text=summary))
        if fold.get_attribute("open") is None:
            fold.locator("summary").click()

    def awaits(self, text: str) -> str:
        """Wait, without touching anything, until the page says it."""
        self.page.get_by_text(text).first.wait_for(timeout=_PATIENCE)
        return self.reads()

    def buttons(self) -> set[str]:
        """Those that can be pressed, in folds too."""
        return set(self.page.locator("main button").all_text_contents())

    def downloads(self, link: str, to: Path) -> Path:
        """Keep the file that a link leads to."""
        with self.page.expect_download() as coming:
            self.page.get_by_role("link", name=link, exact=True).click()
        coming.value.save_as(to)
        return to

    def posts(self, path: str, **form: str) -> int:
        """Send a form that the page does not have, with this session's own token; the status."""
        token = self.page.locator('input[name="csrf"]').first.get_attribute("value")
        send = "([to, form]) => fetch(to, {method: 'POST', body: new URLSearchParams(form)}).then((it) => it.status)"
        return int(self.page.evaluate(send, [path, {"csrf": token, **form}]))


@contextlib.contextmanager
def visiting(browser: Browser, url: str, **how: Any) -> Iterator[Visitor]:
    """Somebody who has never been there, at a browser of his own."""
    context: BrowserContext = browser.new_context(**{"viewport": _DESK, **how})
    page = context.new_page()
    visitor = Visitor(page, url)
    context.on("request", lambda one: visitor.asked.add("/".join(one.url.split("/", 3)[:3])))
    page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
    page.on("console", lambda one: visitor.complaints.append(one.text))
    try:
        yield visitor
    finally:
        context.close()
