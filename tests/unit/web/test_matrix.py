"""Who may what: every route, by its rule, for every role, every scope and a stranger. New routes are in by themselves."""

from __future__ import annotations

import re

import pytest
from fastapi import FastAPI
from tests.peers.dashboard import Dashboard

from leadglass.errors import LocalProtocolError
from leadglass.model.account import Permission, Role, may
from leadglass.web import app as application
from leadglass.web.admission import require
from leadglass.web.api.routes import API_DOORS
from leadglass.web.doors import Door, Doors
from leadglass.web.pages.routes import PAGE_DOORS
from leadglass.web.rules import API, Who
from leadglass.web.visit import Via, Visitor

ROUTES = [route for doors in (*API_DOORS, *PAGE_DOORS) for route in doors.routes()]
OPEN = {
    ("GET", "/static/{name}"),
    ("GET", "/health"),
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("GET", "/sign-in/provider"),
    ("GET", "/sign-in/return"),
    ("GET", "/welcome"),
    ("POST", "/welcome"),
}
"""All that a stranger may ask for. Whoever adds to it says why."""
REFUSED = 403


def method(route: Door) -> str:
    return route.declared.method


def path_of(route: Door) -> str:
    """An address that the route answers, of things that there are not."""
    return re.sub(r"\{[^}]+\}", "00000000000000000000000000", route.path)


def allowed(route: Door, permissions: frozenset[Permission]) -> bool:
    return isinstance(route.rule, Who) or route.rule in permissions


def named(route: Door) -> str:
    return f"{method(route)} {route.path}"


# ---- the table is whole


def test_every_route_of_the_application_is_a_door(dashboard: Dashboard) -> None:
    strays = [route for route in dashboard.app.routes if not isinstance(route, Door)]

    assert strays == []
    assert len(dashboard.app.routes) == len(ROUTES)


def test_a_route_that_was_declared_past_the_doors_is_refused(
    dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Past(Doors):
        def routes(self) -> list[Door]:
            app = FastAPI()
            app.get("/past")(lambda: None)
            return list(app.routes)  # type: ignore[arg-type]

    monkeypatch.setattr(application, "PAGE_DOORS", (Past(),))

    with pytest.raises(LocalProtocolError, match="without a rule"):
        application.create(dashboard.site)


def test_no_two_routes_have_one_address() -> None:
    names = [named(route) for route in ROUTES]

    assert sorted(names) == sorted(set(names))


def test_strangers_may_ask_for_nothing_but_what_is_listed() -> None:
    found = {(method(route), route.path) for route in ROUTES if route.rule is Who.ANYBODY}

    assert found <= OPEN | {("GET", "/api/v1/openapi.json")}


def test_whatever_changes_something_has_a_name_in_the_audit() -> None:
    silent = [named(route) for route in ROUTES if method(route) != "GET" and not route.declared.action]
    spoken = [named(route) for route in ROUTES if method(route) == "GET" and route.declared.action]

    # The way back from the identity provider comes as it comes: what it does is held by its own secrets.
    assert (silent, spoken) == ([], ["GET /sign-in/return"])


def test_whatever_changes_something_asks_for_more_than_reading() -> None:
    # A viewer and an auditor change nothing but what is their own.
    found = [named(r) for r in ROUTES if method(r) != "GET" and r.rule in {Permission.READ, Permission.AUDIT}]

    assert found == []


# ---- and holds: each role, scope and a stranger at each route


@pytest.mark.parametrize("role", list(Role))
def test_a_rule_lets_pass_whom_the_role_allows_and_nobody_else(role: Role) -> None:
    permissions = frozenset(one for one in Permission if may(role, one))
    somebody = Visitor("192.0.2.7", Via.SESSION, permissions=permissions)
    for rule in (*Permission, *Who):
        try:
            require(rule, somebody)
            passed = True
        except Exception:  # noqa: BLE001 - the answer is what counts
            passed = False
        assert passed == (isinstance(rule, Who) or may(role, rule)), rule


@pytest.mark.parametrize("role", list(Role))
def test_each_page_answers_each_role_by_its_rule(dashboard: Dashboard, role: Role) -> None:
    permissions = frozenset(one for one in Permission if may(role, one))
    dashboard.account("other", Role.ADMINISTRATOR)
    wrong, browser = [], dashboard.signed_in(role)
    for route in (route for route in ROUTES if not route.path.startswith(API)):
        answer = browser.request(
            method(route),
            path_of(route),
            data={"csrf": browser.csrf} if method(route) != "GET" else None,
            headers={"Sec-Fetch-Site": "same-origin"},
        )
        is_refused = answer.status_code == REFUSED and "permission" in answer.text
        if is_refused == allowed(route, permissions) or answer.status_code >= 500:
            wrong.append((named(route), answer.status_code))
        if "set-cookie" in answer.headers:
            browser = dashboard.signed_in(role)  # it signed out
    assert wrong == []


@pytest.mark.parametrize("scope", [None, *Permission])
def test_each_route_of_the_api_answers_each_scope_by_its_rule(
    dashboard: Dashboard, scope: Permission | None
) -> None:
    program = dashboard.program(set() if scope is None else {scope})
    permissions = frozenset() if scope is None else frozenset({scope})
    wrong = []
    for route in (route for route in ROUTES if route.path.startswith(API)):
        answer = program.request(method(route), path_of(route))
        is_refused = answer.status_code == REFUSED and "permission" in answer.text
        if is_refused == allowed(route, permissions) or answer.status_code >= 500:
            wrong.append((named(route), answer.status_code))
    assert wrong == []


def test_each_route_turns_strangers_away(dashboard: Dashboard) -> None:
    wrong = []
    for route in ROUTES:
        if route.rule is Who.ANYBODY:
            continue
        browser = dashboard.stranger()
        browser.open("/sign-in")  # with a form of a stranger, which is no session
        data = {"csrf": browser.csrf} if method(route) != "GET" else None
        answer = browser.request(
            method(route), path_of(route), data=data, headers={"Sec-Fetch-Site": "same-origin"}
        )
        if answer.status_code != 401 and not answer.headers.get("location", "").startswith("/sign-in?next="):
            wrong.append((named(route), answer.status_code))
    assert wrong == []


def test_each_page_that_changes_something_wants_the_token_of_the_session(dashboard: Dashboard) -> None:
    browser = dashboard.signed_in(Role.ADMINISTRATOR)
    wrong = []
    for route in (r for r in ROUTES if not r.path.startswith(API) and method(r) != "GET"):
        answer = browser.request(
            method(route), path_of(route), data={}, headers={"Sec-Fetch-Site": "same-origin"}
        )
        if answer.status_code != REFUSED or "present session" not in answer.text:
            wrong.append((named(route), answer.status_code))
    assert wrong == []


def test_each_answer_has_the_headers(dashboard: Dashboard) -> None:
    for path in (
        "/",
        "/sign-in",
        "/health",
        "/nothing",
        "/api/v1/nothing",
        "/static/leadglass.css",
        "/static/x",
    ):
        answer = dashboard.stranger().get(path)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
