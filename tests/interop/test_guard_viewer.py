"""A viewer in a real browser, from an address of its own: it comes with a token, and reads what the guard lets it."""

from __future__ import annotations

import contextlib
import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright
from tests.peers import certificates, oidc
from tests.peers.clinic import ALPHA, STUDIES
from tests.peers.guarded_web import Web, open_web
from tests.peers.places import LOOPBACK, free_port

pytestmark = [
    pytest.mark.deep,  # an identity provider, an archive, a guard and a browser: 10 s
    pytest.mark.peer("orthanc"),
    pytest.mark.peer("oidc"),
    pytest.mark.peer("chromium"),
]

AUDIENCE = "https://guard.example/"
HEAD, KNEE = STUDIES["head"], STUDIES["knee"]
# The headers that OHIF sends (dicomweb-client of JavaScript).
ASK = """async ([url, token, accept]) => {
    const headers = {"Accept": accept, ...(token && {"Authorization": "Bearer " + token})};
    try {
        const answer = await fetch(url, {headers});
        return [answer.status, await answer.text()];
    } catch (error) {
        return [0, String(error)];
    }
}"""
JSON = "application/dicom+json"
FRAMES = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextlib.contextmanager
def site(folder: Path) -> Iterator[str]:
    """Where a viewer's page is."""
    folder.mkdir()
    (folder / "index.html").write_text("<!doctype html><title>viewer</title>")
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", free_port(LOOPBACK)), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def page(at: str) -> Iterator[Page]:
    """A browser at ``at``, which believes the guard's certificate."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        context = browser.new_context(ignore_https_errors=True)
        made = context.new_page()
        made.goto(at)
        yield made
        browser.close()


def ask(one: Page, web: Web, path: str, token: str, accept: str = JSON) -> tuple[int, str]:
    found: Any = one.evaluate(ASK, [f"{web.url}{path}", token, accept])
    return found[0], found[1]


def test_a_viewer_reads_from_its_own_address_and_from_no_other(tmp_path: Path) -> None:
    papers = certificates.certificates(tmp_path / "papers", "127.0.0.1")
    series = HEAD.series[0]
    frame = f"/studies/{HEAD.uid}/series/{series.uid}/instances/{series.instances[0]}/frames/1"
    with (
        oidc.oidc_provider(tmp_path / "oidc", papers) as issuer,
        site(tmp_path / "viewer") as viewer,
        site(tmp_path / "other") as other,
    ):
        identity = {"issuer": issuer.name, "audience": AUDIENCE, "ca": str(papers.authority)}
        token = issuer.person("ada", AUDIENCE, roles=["radiologist"], institutions=[ALPHA]).decode()
        settings: dict[str, dict[str, Any]] = {
            "identity": identity,
            "listen": {"web_origins": [viewer]},
        }
        with open_web(tmp_path, settings=settings) as web:
            with page(viewer) as one:
                status, studies = ask(one, web, "/studies?limit=101&offset=0&fuzzymatching=false", token)
                assert status == 200
                assert HEAD.uid in studies
                assert KNEE.uid not in studies
                assert ask(one, web, f"/studies/{HEAD.uid}/metadata", token)[0] == 200
                assert ask(one, web, frame, token, FRAMES)[0] == 200
                assert ask(one, web, f"/studies/{KNEE.uid}/metadata", token)[0] == 404
                assert ask(one, web, "/studies", "")[0] == 401

            with page(other) as one:
                assert ask(one, web, "/studies", token)[0] == 0
                assert ask(one, web, "/studies", "")[0] == 0
