"""What strangers and colleagues try at the dashboard: each attack by its name."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.peers.dashboard import Browser, Dashboard
from tests.peers.dashboard import dashboard as made

from leadglass.model.account import Permission, Role
from leadglass.settings.serve import ServeSettings
from leadglass.store import notes, web_sessions
from leadglass.store.actions import Question, actions_done
from leadglass.store.notes import Beside, Note
from leadglass.web import signin
from leadglass.web.front import host_of

MARKUP = "<img src=x onerror=alert(1)>{{ 7*7 }}{% raw %}'\";--"


def everywhere(browser: Browser, **options: object) -> int:
    return browser.request("POST", "/account/sign-out-everywhere", **options).status_code


# ---- CSRF


def test_csrf_a_form_without_a_token_is_refused(dashboard: Dashboard) -> None:
    browser = dashboard.signed_in(Role.VIEWER)

    assert everywhere(browser, headers={"Sec-Fetch-Site": "same-origin"}) == 403
    assert browser.get("/account").status_code == 200


@pytest.mark.parametrize("token", ["", "0" * 64, "é" * 10, "a" * 100_000])
def test_csrf_a_form_with_a_wrong_token_is_refused(dashboard: Dashboard, token: str) -> None:
    browser = dashboard.signed_in(Role.VIEWER)

    assert everywhere(browser, data={"csrf": token}) == 403
    assert everywhere(browser, headers={"X-CSRF-Token": token.encode()}) == 403


def test_csrf_the_token_of_another_session_is_refused(dashboard: Dashboard) -> None:
    mine, other = dashboard.signed_in(Role.VIEWER, "ada"), dashboard.signed_in(Role.VIEWER, "ada")

    assert everywhere(mine, data={"csrf": other.csrf}) == 403
    assert mine.csrf != other.csrf


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://localhost:8105"},
    ],
)
def test_csrf_a_form_of_another_site_is_refused_even_with_the_token(
    dashboard: Dashboard, headers: dict[str, str]
) -> None:
    browser = dashboard.signed_in(Role.VIEWER)

    assert everywhere(browser, data={"csrf": browser.csrf}, headers=headers) == 403


@pytest.mark.parametrize("headers", [{}, {"Origin": "null"}, {"Origin": "http://localhost"}])
def test_csrf_a_form_of_our_own_is_taken_from_older_browsers_too(
    dashboard: Dashboard, headers: dict[str, str]
) -> None:
    browser = dashboard.signed_in(Role.VIEWER)

    assert everywhere(browser, data={"csrf": browser.csrf}, headers=headers) == 303


def test_csrf_nobody_is_signed_in_by_a_form_of_another_browser(dashboard: Dashboard) -> None:
    dashboard.account("ada", Role.VIEWER)
    attacker, victim = dashboard.stranger(), dashboard.stranger()
    attacker.open("/sign-in")

    answer = victim.post("/sign-in", {"csrf": attacker.csrf, "name": "ada", "password": "x"})

    assert answer.status_code == 403


# ---- IDOR


def test_idor_tokens_of_others_cannot_be_revoked(dashboard: Dashboard) -> None:
    dashboard.program({Permission.READ}, name="ben")
    (token,) = web_sessions.tokens(dashboard.database, "ben")
    browser = dashboard.signed_in(Role.OPERATOR, "ada")

    assert browser.post(f"/account/tokens/{token.id}/revoke").status_code == 404
    assert browser.post(f"/settings/tokens/{token.id}/revoke").status_code == 403
    assert dashboard.program({Permission.READ}, name="ada").request(
        "DELETE", f"/api/v1/tokens/{token.id}"
    ).status_code in {403, 404}
    assert web_sessions.tokens(dashboard.database, "ben") == [token]


def test_idor_sessions_of_others_cannot_be_ended_and_are_not_shown(dashboard: Dashboard) -> None:
    other = dashboard.signed_in(Role.VIEWER, "ben")
    (session,) = web_sessions.sessions(dashboard.database, "ben")
    browser = dashboard.signed_in(Role.ADMINISTRATOR, "ada")

    assert browser.post(f"/account/sessions/{session.id}/end").status_code == 404
    assert session.id not in browser.get("/account").text
    assert other.get("/account").status_code == 200


def test_idor_notes_of_others_cannot_be_removed(dashboard: Dashboard) -> None:
    note = Note("01JD5Y0000000000000000000A", Beside.SERVER, "192.0.2.1", "ben", 5, "x")
    notes.add_note(dashboard.database, note)
    program = dashboard.program({Permission.REGISTER}, Role.OPERATOR, "ada")

    assert program.request("DELETE", f"/api/v1/notes/{note.id}").status_code in {403, 404}
    assert notes.notes_beside(dashboard.database, Beside.SERVER, "192.0.2.1") == [note]


# ---- injection


@pytest.mark.parametrize("said", [MARKUP, "' OR 1=1 --", "x'); DROP TABLE actions; --", "%", "\\", "日本"])
def test_sql_injection_what_is_searched_for_is_a_value(dashboard: Dashboard, said: str) -> None:
    browser = dashboard.signed_in(Role.ADMINISTRATOR)
    browser.post("/account/sessions/none/end")

    answer = browser.get("/settings/actions", params={"who": said, "what": said})

    assert answer.status_code == 200
    assert "Nothing of that kind was done." in answer.text
    assert len(actions_done(dashboard.database, Question())) == 1


def test_template_injection_and_markup_what_people_write_is_text(dashboard: Dashboard) -> None:
    browser = dashboard.signed_in(Role.ADMINISTRATOR)
    browser.client.headers["User-Agent"] = MARKUP.encode("ascii").decode()
    browser.post("/account/tokens", {"label": MARKUP, "days": "5", "scope": "read"})
    browser.post("/settings/accounts", {"name": "ben", "full_name": MARKUP, "role": "viewer"})
    shown = [browser.get(path).text for path in ("/account", "/settings/accounts", "/settings/actions")]

    assert all("<img src=x" not in page and "49" not in page.partition("{{ 7*7 }}")[0][-9:] for page in shown)
    assert "&lt;img src=x onerror=alert(1)&gt;{{ 7*7 }}{% raw %}" in shown[0]
    assert "&lt;img src=x onerror=alert(1)&gt;{{ 7*7 }}{% raw %}" in shown[1]


def test_problems_of_the_api_are_ascii_json(dashboard: Dashboard) -> None:
    answer = dashboard.program({Permission.READ}).get("/api/v1/servers/%3Cscript%3E%E2%80%AE")

    assert answer.status_code in {404, 422}
    assert answer.text.isascii()
    assert json.loads(answer.text)["status"] == answer.status_code


# ---- paths and redirects


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e/app.py",
        "/static/....//app.py",
        "/static//etc/passwd",
        "/static/%00leadglass.css",
        "/static/leadglass.css/..",
        "/register/dossier.%2e%2e%2fpdf",
        "/charts/..%2f..%2fapp.svg",
    ],
)
def test_path_traversal_names_are_looked_up_and_never_opened(dashboard: Dashboard, path: str) -> None:
    answer = dashboard.signed_in(Role.ADMINISTRATOR).get(path)

    assert answer.status_code in {404, 422}
    assert "def create" not in answer.text


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/x\r\nSet-Cookie: a=b",
        "",
        "evil",
        "/" + "a" * 5000,
        "///evil",
        "/é",
    ],
)
def test_open_redirect_signing_in_leads_only_to_paths_of_ours(target: str) -> None:
    assert signin.local_path(target) == "/"


def test_open_redirect_the_form_does_not_carry_another_host(dashboard: Dashboard) -> None:
    shown = dashboard.stranger().get("/sign-in", params={"next": "//evil.example/x"}).text
    signed_in = dashboard.signed_in(Role.VIEWER).get("/sign-in", params={"next": "//evil.example"})

    assert "evil.example" not in shown
    assert signed_in.headers["location"] == "/"


def test_header_injection_a_line_end_in_a_path_makes_no_header(dashboard: Dashboard) -> None:
    answer = dashboard.stranger().get("/servers?x=%0d%0aSet-Cookie:%20a=b")

    assert "set-cookie" not in answer.headers
    assert "\r" not in answer.headers["location"]


# ---- hosts and proxies


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "[::1", "a@localhost"]
)
def test_host_header_a_name_that_nobody_told_us_is_refused(dashboard: Dashboard, host: str) -> None:
    answer = dashboard.stranger().get("/health", headers={"Host": host})

    assert answer.status_code == 421
    assert "content-security-policy" in answer.headers


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("localhost", "localhost"),
        ("LOCALHOST.:8104", "localhost"),
        ("[::1]:8104", "::1"),
        ("[::1]", "::1"),
        ("[::1]x", ""),
        ("localhost:x", ""),
        ("localhost:1:2", ""),
    ],
)
def test_host_header_is_read_strictly(text: str, host: str) -> None:
    assert host_of(text) == host


@pytest.fixture
def behind(tmp_path: Path) -> Iterator[Dashboard]:
    """One behind a proxy that is believed, which speaks TLS to browsers."""
    with made(tmp_path, ServeSettings(trusted_proxy=("192.0.2.0/28",), hosts=("pacs.example.org",))) as one:
        yield one


def seen_from(dashboard: Dashboard, address: str, forwarded: str) -> str:
    browser = dashboard.stranger(address=address, headers={"X-Forwarded-For": forwarded})
    browser.open("/sign-in")
    browser.post("/sign-in", {"name": "eve", "password": "x"})
    return actions_done(dashboard.database, Question())[0].action.address


def test_spoofed_addresses_only_a_trusted_proxy_is_believed(behind: Dashboard) -> None:
    assert seen_from(behind, "198.51.100.9", "203.0.113.1") == "198.51.100.9"
    assert seen_from(behind, "192.0.2.1", "203.0.113.1") == "203.0.113.1"
    # What the client wrote itself stands before what the proxy added.
    assert seen_from(behind, "192.0.2.1", "10.0.0.1, 203.0.113.7, 192.0.2.2") == "203.0.113.7"
    assert seen_from(behind, "192.0.2.1", "nonsense") == "192.0.2.1"


def test_cookie_flags_with_tls_bind_the_cookie_to_this_host(behind: Dashboard) -> None:
    answer = behind.stranger(address="192.0.2.1", headers={"X-Forwarded-Proto": "https"}).get("/sign-in")
    cookie = answer.headers["set-cookie"]

    assert cookie.startswith("__Host-leadglass-form=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_cookie_flags_without_tls_hide_it_from_scripts_and_other_sites(dashboard: Dashboard) -> None:
    answer = dashboard.stranger().get("/sign-in")

    assert {"HttpOnly", "SameSite=lax"} <= set(answer.headers["set-cookie"].split("; "))
    assert "strict-transport-security" not in answer.headers


# ---- sizes


def test_oversized_a_body_that_is_announced_too_long_is_not_read(dashboard: Dashboard) -> None:
    largest = dashboard.site.settings.largest_body

    answer = dashboard.stranger().request("POST", "/sign-in", content=b"a" * (largest + 1))

    assert answer.status_code == 413


def test_oversized_a_body_that_comes_in_pieces_is_cut_off(dashboard: Dashboard) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        for taken in range(1, 65):  # noqa: B007 - told outside
            yield b"a" * 65536

    headers = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
    answer = dashboard.stranger().request("POST", "/sign-in", content=endless(), headers=headers)

    assert answer.status_code in {400, 413}
    assert taken <= dashboard.site.settings.largest_body // 65536 + 1


@pytest.mark.parametrize("length", ["-1", "x", "9" * 5000, "1, 2"])
def test_oversized_a_length_that_is_no_number_is_refused(dashboard: Dashboard, length: str) -> None:
    answer = dashboard.stranger().request("POST", "/sign-in", headers={"Content-Length": length})

    assert answer.status_code in {400, 413}


def test_slow_a_body_that_does_not_come_is_waited_for_no_longer_than_said(tmp_path: Path) -> None:
    with made(tmp_path, dataclasses.replace(ServeSettings(), slowest_request=0)) as one:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
        answer = one.stranger().request("POST", "/sign-in", content=b"name=x", headers=headers)

    assert answer.status_code in {408, 403}


# ---- what is kept


def test_secrets_are_nowhere_in_the_database(dashboard: Dashboard) -> None:
    browser = dashboard.signed_in(Role.ADMINISTRATOR, "ada")
    shown = browser.post("/account/tokens", {"label": "x", "days": "5", "scope": "read"}).text
    token = shown.partition("lgt_")[2].partition("<")[0]
    cookie = browser.client.cookies["leadglass"]
    with dashboard.database.read() as connection:
        tables = (
            connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars().all()
        )
        kept = "".join(str(connection.exec_driver_sql(f"SELECT * FROM {name}").all()) for name in tables)

    assert len(token) == 43
    assert token not in kept
    assert cookie not in kept
    assert browser.csrf not in kept


@pytest.mark.parametrize(
    "form",
    [
        {"label": "x", "days": "366", "scope": "read"},
        {"label": "x", "days": "0", "scope": "read"},
        {"label": "", "days": "5", "scope": "read"},
        {"label": "x", "days": "5"},
        {"label": "x", "days": "5", "scope": "administer"},
        {"label": "x", "days": "5", "scope": "everything"},
        {"label": "x", "days": "many", "scope": "read"},
    ],
)
def test_privileges_no_token_lasts_for_ever_or_carries_more_than_its_owner(
    dashboard: Dashboard, form: dict[str, str]
) -> None:
    browser = dashboard.signed_in(Role.VIEWER, "ada")

    assert browser.post("/account/tokens", form).status_code == 422
    assert web_sessions.tokens(dashboard.database, "ada") == []


def test_refusals_are_written_down_too(dashboard: Dashboard) -> None:
    dashboard.signed_in(Role.VIEWER, "ada").post("/settings/accounts/ben/role", {"role": "viewer"})
    dashboard.stranger().post("/sign-out")
    found = [
        (one.action.who, one.action.what, one.action.on, one.action.outcome)
        for one in actions_done(dashboard.database, Question())
    ]

    assert found == [
        ("", "sign out", "", "refused"),
        ("ada", "change the role of an account", "ben", "refused"),
    ]
