"""Servers on loopback that pose as the identity provider of a dashboard, or are a broken one: nobody is let in."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from tests.peers.dashboard import Browser, Dashboard, dashboard
from tests.unit.access.minting import ABSENT, encode, hmac_token, key, mint, public

from leadglass.model.account import Role
from leadglass.settings.serve import OidcSettings, ServeSettings
from leadglass.store import accounts
from leadglass.web import oidc

CLIENT = "dashboard"


@dataclass
class Posing:
    """What the provider says; a test replaces what it lies about."""

    documents: dict[str, Any] = field(default_factory=dict)
    status: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    token: Callable[[str], bytes] = lambda nonce: nonce.encode()
    nonce: str = ""
    issuer: str = ""

    def answer(self, path: str) -> tuple[int, bytes]:
        self.asked.append(path)
        if path == "/token" and path not in self.documents:
            told: Any = {"token_type": "Bearer", "id_token": self.token(self.nonce).decode()}
        else:
            told = self.documents.get(path, {})
        return self.status.get(path, 200), told if isinstance(told, bytes) else json.dumps(told).encode()


@pytest.fixture
def posing() -> Iterator[Posing]:
    posed = Posing()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = posed.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Location", f"{posed.issuer}/elsewhere")
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                self.close_connection = True

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library calls it so
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    posed.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    posed.documents = {
        "/.well-known/openid-configuration": {
            "issuer": posed.issuer,
            "authorization_endpoint": f"{posed.issuer}/auth",
            "token_endpoint": f"{posed.issuer}/token",
            "jwks_uri": f"{posed.issuer}/keys",
            "authorization_response_iss_parameter_supported": True,
        },
        "/keys": public(key()),
    }
    yield posed
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def site(tmp_path: Path, posing: Posing) -> Iterator[Dashboard]:
    told = OidcSettings(posing.issuer, CLIENT, "secret", {"chief": Role.ADMINISTRATOR, "staff": Role.VIEWER})
    with dashboard(tmp_path, ServeSettings(oidc=told), secret_of_oidc="s") as one:
        posing.token = lambda nonce: token(one, posing, nonce=nonce)
        yield one


def token(site: Dashboard, posing: Posing, **claims: Any) -> bytes:
    """An ID token that holds, but for what ``claims`` replace."""
    now, header = site.world.now, {"typ": "JWT", **claims.pop("header", {})}
    good = {"iss": posing.issuer, "aud": CLIENT, "sub": "ada", "iat": now, "exp": now + 300, "roles": "staff"}
    return mint(header=header, **{**good, **claims})


def begun(browser: Browser, posing: Posing, next: str = "/") -> dict[str, str]:  # noqa: A002 - as the query calls it
    """What a provider that means well would send the browser back with."""
    answer = browser.get("/sign-in/provider", params={"next": next})
    assert answer.status_code == 303, answer.text
    asked = parse_qs(urlsplit(answer.headers["location"]).query)
    posing.nonce = asked["nonce"][0]
    return {"state": asked["state"][0], "code": "c0de", "iss": posing.issuer}


def back(browser: Browser, told: dict[str, Any]) -> httpx.Response:
    return browser.get("/sign-in/return", params=told)


def is_in(browser: Browser) -> bool:
    return browser.get("/account").status_code == 200


def test_the_stand_lets_somebody_in_whose_token_holds(site: Dashboard, posing: Posing) -> None:
    browser = site.stranger()

    answer = back(browser, begun(browser, posing, "/servers?page=2"))

    assert (answer.status_code, answer.headers["location"]) == (303, "/servers?page=2")
    assert is_in(browser)
    kept = accounts.account_of_subject(site.database, f"{posing.issuer}|ada")
    assert kept is not None
    assert (kept.name, kept.role) == ("ada", Role.VIEWER)


LIES: dict[str, dict[str, Any]] = {
    "another question's nonce": {"nonce": "other"},
    "no nonce": {"nonce": ABSENT},
    "a nonce that is no text": {"nonce": ["x"]},
    "another audience": {"aud": "guard"},
    "one audience more": {"aud": [CLIENT, "guard"]},
    "no audience": {"aud": ABSENT},
    "another party": {"azp": "guard"},
    "another issuer": {"iss": "https://id.example"},
    "an issuer that is no text": {"iss": ["x"]},
    "expired": {"exp": 1_795_237_200 - 61},
    "issued an hour ago": {"iat": 1_795_237_200 - 3600},
    "issued in an hour": {"iat": 1_795_237_200 + 3600},
    "moments that are none": {"exp": "tomorrow"},
    "no subject": {"sub": ABSENT},
    "a subject that is no text": {"sub": {"a": 1}},
    "a subject without end": {"sub": "a" * 5000},
    "roles that are none": {"roles": {"chief": True}},
    "roles of numbers": {"roles": [1, 2]},
    "no roles": {"roles": ABSENT},
    "other roles": {"roles": ["CHIEF", "chief "]},
    "an access token": {"header": {"typ": "at+jwt"}},
    "a key of its own": {"header": {"jwk": {}}},
    "an unknown key": {"header": {"kid": "second"}},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_token_that_does_not_hold_lets_nobody_in(site: Dashboard, posing: Posing, lie: str) -> None:
    posing.token = lambda nonce: token(site, posing, **{"nonce": nonce, **LIES[lie]})
    browser = site.stranger()

    answer = back(browser, begun(browser, posing))

    assert answer.status_code in {403, 502}
    assert 'role="alert"' in answer.text
    assert not is_in(browser)
    assert accounts.every_account(site.database) == []


def test_no_signature_and_one_with_the_public_key_let_nobody_in(site: Dashboard, posing: Posing) -> None:
    def none(nonce: str) -> bytes:
        payload = token(site, posing, nonce=nonce).split(b".")[1]
        return encode(b'{"alg":"none","typ":"JWT"}') + b"." + payload + b"."

    for forged in (none, lambda _: hmac_token(json.dumps(public(key())).encode(), typ="JWT")):
        posing.token = forged
        browser = site.stranger()

        assert "an algorithm that is not accepted" in back(browser, begun(browser, posing)).text
        assert not is_in(browser)


@pytest.mark.parametrize(
    "change",
    [
        {"state": "other"},
        {"state": ""},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"code": None},
        {"code": ["a", "b"]},
        {"code": "c" * 3000},
    ],
)
def test_a_way_back_that_is_not_the_provider_s_is_refused_and_nothing_is_asked(
    site: Dashboard, posing: Posing, change: dict[str, Any]
) -> None:
    browser = site.stranger()
    told = {name: value for name, value in (begun(browser, posing) | change).items() if value is not None}

    assert back(browser, told).status_code == 403
    assert "/token" not in posing.asked
    assert not is_in(browser)


def test_another_browser_s_way_back_signs_nobody_in(site: Dashboard, posing: Posing) -> None:
    attacker, victim = site.stranger(), site.stranger()
    begun(victim, posing)
    told = begun(attacker, posing)

    assert back(victim, told).status_code == 403
    assert not is_in(victim)


def test_a_way_back_after_its_time_is_refused(site: Dashboard, posing: Posing) -> None:
    browser = site.stranger()
    told = begun(browser, posing)
    site.world.now += 601

    assert back(browser, told).status_code == 403


@pytest.mark.parametrize(
    "next", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:x"]
)
def test_nobody_is_led_elsewhere_afterwards(site: Dashboard, posing: Posing, next: str) -> None:  # noqa: A002
    browser = site.stranger()

    assert back(browser, begun(browser, posing, next)).headers["location"] == "/"


METADATA = "/.well-known/openid-configuration"


@pytest.mark.parametrize(
    ("path", "status", "document"),
    [
        (METADATA, 302, {}),
        (METADATA, 500, {}),
        (METADATA, 200, b"x" * (300 << 10)),
        (METADATA, 200, b"[" * 100_000),
        (METADATA, 200, b"[]"),
        (METADATA, 200, {"issuer": "https://evil.example"}),
        (METADATA, 200, {"token_endpoint": "https://evil.example/token"}),
        (METADATA, 200, {"jwks_uri": "http://169.254.169.254/"}),
        (METADATA, 200, {"authorization_endpoint": "javascript:alert(1)"}),
        (METADATA, 200, {"authorization_endpoint": "http://127.0.0.1@evil.example/"}),
        (METADATA, 200, {"authorization_endpoint": 7}),
        ("/keys", 200, {"keys": []}),
        ("/keys", 302, {}),
    ],
)
def test_a_discovery_that_lies_leads_nowhere(
    site: Dashboard, posing: Posing, path: str, status: int, document: Any
) -> None:
    if isinstance(document, dict) and path == METADATA and status == 200:
        document = posing.documents[METADATA] | document
    posing.documents[path], posing.status[path] = document, status
    browser = site.stranger()

    answers = [browser.get("/sign-in/provider") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [502] * 3
    assert "location" not in answers[0].headers
    # What failed is not asked for again at once, and no redirection is followed.
    assert posing.asked.count(METADATA) == 1
    assert "/elsewhere" not in posing.asked
    assert browser.get("/sign-in").status_code == 200


@pytest.mark.parametrize(
    ("status", "document"),
    [
        (400, {"error": "invalid_grant"}),
        (400, {"error": "<b>" * 50}),
        (200, {}),
        (200, {"id_token": 7}),
        (200, {"id_token": "é.é.é"}),
        (200, b"\xff"),
        (302, {}),
    ],
)
def test_an_answer_without_a_token_is_one_plain_line(
    site: Dashboard, posing: Posing, status: int, document: Any
) -> None:
    browser = site.stranger()
    told = begun(browser, posing)
    posing.documents["/token"], posing.status["/token"] = document, status

    answer = back(browser, told)

    assert answer.status_code == 502
    assert "<b>" not in answer.text
    assert not is_in(browser)


def test_a_key_that_nobody_knows_is_asked_for_once(site: Dashboard, posing: Posing) -> None:
    browser = site.stranger()
    begun(browser, posing)
    site.world.now += 20
    posing.documents["/keys"] = public(key("second"))
    posing.token = lambda nonce: mint(
        key("second"),
        header={"typ": "JWT"},
        iss=posing.issuer,
        aud=CLIENT,
        iat=site.world.now,
        exp=site.world.now + 9,
        nonce=nonce,
        roles="staff",
    )
    assert back(browser, begun(browser, posing)).status_code == 303

    posing.token = lambda nonce: token(site, posing, nonce=nonce, header={"kid": "third"})
    for _ in range(3):
        assert back(browser, begun(browser, posing)).status_code == 502
    assert posing.asked.count("/keys") == 2


def test_a_provider_that_says_nothing_is_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc, "_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        told = OidcSettings(
            f"http://127.0.0.1:{silent.getsockname()[1]}", CLIENT, "secret", {"a": Role.VIEWER}
        )
        with dashboard(tmp_path, ServeSettings(oidc=told), secret_of_oidc="s") as site:
            began = time.monotonic()

            assert site.stranger().get("/sign-in/provider").status_code == 502
            assert time.monotonic() - began < 5


def test_who_begins_without_end_is_stopped(site: Dashboard, posing: Posing) -> None:
    browser = site.stranger()

    answers = [browser.get("/sign-in/provider").status_code for _ in range(31)]

    assert answers == [303] * 30 + [429]
    assert browser.get("/sign-in").status_code == 200


def test_without_a_provider_there_is_no_way_to_one(tmp_path: Path) -> None:
    with dashboard(tmp_path) as site:
        browser = site.stranger()

        assert browser.get("/sign-in/provider").status_code == 404
        assert browser.get("/sign-in/return?state=x&code=y").status_code == 404
        assert "/sign-in/provider" not in browser.get("/sign-in").text
