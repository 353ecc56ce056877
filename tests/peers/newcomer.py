"""Somebody who does what ``docs/tutorial/five-minutes.md`` says: its commands, its files, the pages it names."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

__all__ = ["PAGE", "Newcomer", "blocks"]

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "five-minutes.md"
_PASSWORD = "a lantern above seven quiet harbours"
_PATIENCE = 60.0
"""Seconds for whatever ought to happen soon."""


def blocks(kind: str) -> list[str]:
    """The blocks of the page that are of one kind, in order."""
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@dataclass
class Newcomer:
    """Works in ``folder`` with the command ``program``; the dashboard listens at ``port``."""

    program: Sequence[str]
    folder: Path
    port: int
    seconds: dict[str, float] = field(default_factory=dict)
    """What each step took, in order."""

    @property
    def _log(self) -> Path:
        return self.folder / "serve.log"

    @contextlib.contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Take the time of a step."""
        began = time.perf_counter()
        yield
        self.seconds[step] = time.perf_counter() - began

    def write_files(self) -> None:
        """The scope, by the page's command, and the two files that it shows."""
        (typed,) = (line for line in blocks("sh")[1].splitlines() if line)
        subprocess.run(
            [*self.program, *shlex.split(typed)[1:]], cwd=self.folder, check=True, capture_output=True
        )
        for name, text in zip(("watch.toml", "serve.toml"), blocks("toml"), strict=True):
            (self.folder / name).write_text(text, encoding="utf-8")

    @contextlib.contextmanager
    def serving(self) -> Iterator[str]:
        """The page's command while it runs, and the link that it prints; ``--bind`` is ours, and the database."""
        words = shlex.split(blocks("sh")[2])[1:]
        environment = {**os.environ, "LEADGLASS_DATABASE": str(self.folder / "scans.sqlite")}
        command = [*self.program, *words, "--bind", f"127.0.0.1:{self.port}"]
        with (
            self._log.open("wb") as log,
            subprocess.Popen(
                command, cwd=self.folder, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
            ) as process,
        ):
            assert process.stdout is not None
            link = next((line.strip() for line in process.stdout if "/welcome?link=" in line), None)
            try:
                if link is None:
                    raise RuntimeError(self._log.read_text("utf-8"))
                yield link
            finally:
                process.terminate()

    def sign_in(self, browser: httpx.Client, link: str) -> None:
        """Become the first administrator."""
        given = {"name": "ada", "full_name": "Ada", "password": _PASSWORD, "again": _PASSWORD}
        _send(browser, link, "/welcome", given)

    def look(self, browser: httpx.Client) -> str:
        """Order a scan, wait until the server's page says what was seen, and give that page."""
        page = browser.get("/scans").raise_for_status().text
        (scope,) = re.findall(r'<option value="([^"]+)"', page)
        _send(browser, "/scans", "/scans", {"scope": scope})
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            answer = browser.get("/servers/127.0.0.1")
            if answer.is_success:
                return answer.text
            time.sleep(0.2)
        raise TimeoutError("the server was not looked at")

    def hand_over(self, browser: httpx.Client) -> bytes:
        """Assign the server, and get the dossier."""
        at, given = (
            "/servers/127.0.0.1",
            {"system": "archive", "owner": "Dr. Example", "management": "in-house"},
        )
        _send(browser, at, f"{at}/assign", given)
        return browser.get("/register/dossier.pdf", timeout=_PATIENCE).raise_for_status().content

    def go(self) -> tuple[str, bytes]:
        """All of it but the installation; the server's page and the dossier."""
        with self.timed("say what may be looked at, and when"):
            self.write_files()
        with contextlib.ExitStack() as running:
            with self.timed("serve, until the link is printed"):
                link = running.enter_context(self.serving())
            browser = running.enter_context(
                httpx.Client(
                    base_url=f"http://127.0.0.1:{self.port}", follow_redirects=True, timeout=_PATIENCE
                )
            )
            with self.timed("sign in by the link"):
                self.sign_in(browser, link)
            with self.timed("order a scan, and see the server"):
                seen = self.look(browser)
            with self.timed("assign the server, and get the dossier"):
                dossier = self.hand_over(browser)
        return seen, dossier


def _send(browser: httpx.Client, shown: str, action: str, given: dict[str, str]) -> None:
    """Fill in the form for ``action`` on the page ``shown``, as a browser does."""
    page = browser.get(shown).raise_for_status().text
    form = re.search(rf'<form method="post" action="{re.escape(action)}">(.*?)</form>', page, re.DOTALL)
    if form is None:
        raise LookupError(f"{shown} has no form for {action}")
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form[1]))
    headers = {"Sec-Fetch-Site": "same-origin", "Origin": str(browser.base_url).rstrip("/")}
    browser.post(action, data={**hidden, **given}, headers=headers).raise_for_status()
