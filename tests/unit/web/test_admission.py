"""Who passes a door: sessions at pages, tokens at the API, and nobody else."""

from __future__ import annotations

import pytest
from tests.peers.dashboard import Dashboard

from leadglass.model.account import Permission, Role


def test_a_program_with_a_token_is_told_what_it_may_do(dashboard: Dashboard) -> None:
    answer = dashboard.program({Permission.READ, Permission.SCAN}, Role.OPERATOR, "ada").get("/api/v1/about")

    assert answer.status_code == 200
    assert answer.json()["account"] == "ada"
    assert answer.json()["permissions"] == ["read", "scan"]


def test_a_token_carries_no_more_than_its_owner_has_now(dashboard: Dashboard) -> None:
    answer = dashboard.program(set(Permission), Role.VIEWER).get("/api/v1/about")

    assert answer.json()["permissions"] == ["read"]


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer lgt_",
        "Bearer lgt_" + "A" * 43,
        "Basic YTpi",
        "Bearer " + "A" * 5000,
        "bearer \x7f",
    ],
)
def test_no_other_word_opens_the_api(dashboard: Dashboard, authorization: str) -> None:
    answer = dashboard.stranger(headers={"Authorization": authorization}).get("/api/v1/about")

    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_session_opens_pages_and_not_the_api(dashboard: Dashboard) -> None:
    browser = dashboard.signed_in(Role.ADMINISTRATOR)

    assert browser.get("/").status_code == 200
    assert browser.get("/api/v1/about").status_code == 401


def test_a_token_opens_no_page(dashboard: Dashboard) -> None:
    answer = dashboard.program(set(Permission)).get("/")

    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2F")
