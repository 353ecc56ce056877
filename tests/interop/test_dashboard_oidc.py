"""Signing in at ``leadglass serve``, over TLS, by a real identity provider: npm's oidc-provider."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pytest
from tests.peers.certificates import Certificates, certificates
from tests.peers.oidc import SECRET, Issuer, oidc_provider
from tests.peers.places import LOOPBACK, free_port

from leadglass.model.account import Account, Role
from leadglass.store import accounts
from leadglass.store.actions import Question, actions_done
from leadglass.store.database import open_database

pytest.importorskip("uvicorn")
pytestmark = pytest.mark.peer("oidc")

CONFIGURATION = """
bind = "127.0.0.1:{port}"

[tls]
certificate = "{papers.server}"
key = "{papers.server_key}"

[oidc]
issuer = "{issuer.name}"
client_id = "dashboard"
client_secret_file = "secret"
ca = "{papers.authority}"
roles = {{ "imaging admins" = "administrator", imaging = "operator" }}
"""


@dataclass
class Stand:
    """A dashboard that runs, and its provider."""

    issuer: Issuer
    papers: Certificates
    here: str
    folder: Path

    def browser(self) -> httpx.Client:
        return httpx.Client(verify=self.papers.stranger(), timeout=20)

    def audited(self) -> list[tuple[str, str, str]]:
        with open_database(str(self.folder / "store.sqlite"), lambda: 0.0) as database:
            return [
                (one.action.who, one.action.outcome, one.action.detail)
                for one in actions_done(database, Question())
                if one.action.what == "sign in by the identity provider"
            ]


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    folder = tmp_path_factory.mktemp("dashboard")
    papers, port = certificates(folder / "papers", "127.0.0.1"), free_port(LOOPBACK)
    here = f"https://127.0.0.1:{port}"
    with oidc_provider(folder / "provider", papers, back=f"{here}/sign-in/return") as issuer:
        (folder / "secret").write_text(SECRET + "\n")
        (folder / "serve.toml").write_text(CONFIGURATION.format(port=port, papers=papers, issuer=issuer))
        with open_database(str(folder / "store.sqlite"), lambda: 0.0) as database:
            accounts.add_account(database, Account("grace", Role.ADMINISTRATOR), "$unusable")
        words = ["serve", "--config", "serve.toml", "--database", "store.sqlite"]
        process = subprocess.Popen(
            [sys.executable, "-m", "leadglass", *words], stderr=subprocess.PIPE, text=True, cwd=folder
        )
        assert process.stderr is not None
        assert here in process.stderr.readline()
        yield Stand(issuer, papers, here, folder)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)


def walked(browser: httpx.Client, begin: str, person: str) -> str:
    """The address of the way back, after ``person`` signed in at the provider and agreed."""
    answer = browser.get(begin)
    for _ in range(12):
        if answer.is_redirect:
            there = urljoin(str(answer.url), answer.headers["location"])
            if "/sign-in/return" in there:
                return there
            answer = browser.get(there)
            continue
        form = re.search(r'action="([^"]+)"', answer.text)
        assert form is not None, answer.text
        hidden = dict(re.findall(r'name="(\w+)" value="(\w*)"', answer.text))
        answer = browser.post(form[1], data={**hidden, "login": person, "password": "any"})
    raise AssertionError(answer.text)


def signed_in(stand: Stand, browser: httpx.Client, person: str, more: str = "") -> httpx.Response:
    return browser.get(walked(browser, f"{stand.here}/sign-in/provider?next=/account{more}", person))


def test_somebody_with_a_role_there_is_let_in_with_the_role_of_the_file(stand: Stand) -> None:
    stand.issuer.make("ada", "imaging")
    with stand.browser() as browser:
        assert "Sign in with 127.0.0.1" in browser.get(f"{stand.here}/sign-in").text
        answer = signed_in(stand, browser, "ada")

        assert (answer.status_code, answer.headers["location"]) == (303, "/account")
        assert "__Host-leadglass=" in str(answer.headers.get_list("set-cookie"))
        assert "ada" in browser.get(f"{stand.here}/account").text
        assert browser.get(f"{stand.here}/settings/accounts").status_code == 403
    assert stand.audited()[0] == ("ada", "done", "made, as operator")


def test_what_leads_there_has_its_state_and_nonce_and_a_challenge(stand: Stand) -> None:
    with stand.browser() as browser:
        asked = [
            parse_qs(urlsplit(browser.get(f"{stand.here}/sign-in/provider").headers["location"]).query)
            for _ in range(2)
        ]

    assert asked[0]["code_challenge_method"] == ["S256"]
    assert asked[0]["response_type"] == ["code"]
    for word in ("state", "nonce", "code_challenge"):
        assert asked[0][word] != asked[1][word]


def test_a_way_back_works_once_and_in_the_browser_that_went(stand: Stand) -> None:
    stand.issuer.make("ida", "imaging")
    with stand.browser() as browser, stand.browser() as other:
        back = walked(browser, f"{stand.here}/sign-in/provider", "ida")
        other.get(f"{stand.here}/sign-in/provider")

        assert other.get(back).status_code == 403  # login CSRF: somebody else's way back
        assert browser.get(back).status_code == 303
        replayed = browser.get(back)
        assert (replayed.status_code, "Begin again" in replayed.text) == (403, True)


def test_a_role_that_is_taken_away_ends_the_sessions_at_the_next_sign_in(stand: Stand) -> None:
    stand.issuer.make("eve", "imaging")
    with stand.browser() as first, stand.browser() as second:
        signed_in(stand, first, "eve")
        assert first.get(f"{stand.here}/account").status_code == 200
        stand.issuer.make("eve", "porter")

        refused = signed_in(stand, second, "eve")

        assert refused.status_code == 403
        assert "nothing that you are there is a role here" in refused.text
        assert first.get(f"{stand.here}/account").status_code == 303
    assert stand.audited()[0][1:] == ("refused", "signed out everywhere, tokens revoked")


def test_a_local_account_is_not_taken_over_by_its_name(stand: Stand) -> None:
    stand.issuer.make("grace", "imaging")
    with stand.browser() as browser:
        signed_in(stand, browser, "grace")

        assert re.search(r"grace\.[0-9a-f]{12}", browser.get(f"{stand.here}/account").text)


def test_what_wants_a_fresh_proof_sends_to_the_provider_and_believes_its_time(stand: Stand) -> None:
    stand.issuer.make("root", "imaging admins")
    with stand.browser() as browser:
        signed_in(stand, browser, "root")
        assert "/sign-in/provider?anew=1" in browser.get(f"{stand.here}/confirm?next=/account").text
        answer = signed_in(stand, browser, "root", "&anew=1")
        assert answer.status_code == 303
        page = browser.get(f"{stand.here}/account").text
        csrf = re.search(r'name="csrf" value="(\w+)"', page)
        assert csrf is not None
        form = {"csrf": csrf[1], "label": "nightly", "days": "1", "scope": "read"}

        made = browser.post(f"{stand.here}/account/tokens", data=form)

        assert "lgt_" in made.text


def test_somebody_who_says_no_there_reads_one_plain_line(stand: Stand) -> None:
    with stand.browser() as browser:
        there = browser.get(f"{stand.here}/sign-in/provider").headers["location"]
        state = parse_qs(urlsplit(there).query)["state"][0]
        told = {
            "state": state,
            "iss": stand.issuer.name,
            "error": "access_denied",
            "error_description": "<script>alert(1)</script>\x1b[31m",
        }

        answer = browser.get(f"{stand.here}/sign-in/return", params=told)

        assert answer.status_code == 403
        assert "&lt;script&gt;" in answer.text
        assert "<script>alert" not in answer.text
        assert "\x1b" not in answer.text
