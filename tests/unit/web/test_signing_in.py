"""Signing in: by a link the first time, by a password later, and what is known of wrong ones."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from tests.peers.dashboard import PASSWORD, Browser, Dashboard
from tests.unit.web.markup import read

from leadglass import web
from leadglass.model.account import Role
from leadglass.store import accounts, web_sessions
from leadglass.store.actions import Question, actions_done
from leadglass.web import limits, passwords
from leadglass.web.secrets import digest_of

LINK = "a" * 43
TEMPLATES = Path(web.__file__).parent / "templates"


def sign_in(browser: Browser, name: str, password: str, **more: str) -> int:
    browser.open("/sign-in")
    return browser.post("/sign-in", {"name": name, "password": password, **more}).status_code


def audited(dashboard: Dashboard) -> list[tuple[str, str, str, str]]:
    return [
        (one.action.who, one.action.what, one.action.on, one.action.outcome)
        for one in actions_done(dashboard.database, Question())
    ]


# ---- the first time


def test_a_link_makes_the_first_administrator_once(dashboard: Dashboard) -> None:
    accounts.give_link(dashboard.database, digest_of(LINK), None, 60)
    browser = dashboard.stranger()
    browser.open(f"/welcome?link={LINK}")
    form = {"link": LINK, "name": "Ada", "full_name": "Ada E.", "password": PASSWORD, "again": PASSWORD}

    answer = browser.post("/welcome", form)

    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert browser.get("/account").status_code == 200
    kept = accounts.account_of(dashboard.database, "ada")
    assert kept is not None
    assert kept.account.role is Role.ADMINISTRATOR
    assert audited(dashboard) == [("ada", "set a password by a link", "ada", "done")]

    other = dashboard.stranger()
    other.open("/sign-in")
    assert other.post("/welcome", form | {"name": "eve"}).status_code == 404
    assert other.get(f"/welcome?link={LINK}").status_code == 404


def test_each_form_with_a_password_says_whose_it_is(dashboard: Dashboard) -> None:
    stranger, link = dashboard.stranger(), "b" * 43
    accounts.give_link(dashboard.database, digest_of(LINK), None, 60)
    first = stranger.get(f"/welcome?link={LINK}")
    ada = dashboard.signed_in(Role.ADMINISTRATOR, "ada")
    accounts.give_link(dashboard.database, digest_of(link), "ada", 60)
    wrong = ada.post("/confirm", {"password": "wrong", "name": "eve"})
    pages = {
        "sign-in.html": [("", stranger.get("/sign-in"))],
        "welcome.html": [("", first), ("ada", stranger.get(f"/welcome?link={link}"))],
        "confirm.html": [("ada", ada.get("/confirm?next=/account")), ("ada", wrong)],
        "account.html": [("ada", ada.get("/account"))],
    }

    assert pages.keys() == {file.name for file in TEMPLATES.glob("*.html") if "-password" in file.read_text()}
    for whose, answer in itertools.chain.from_iterable(pages.values()):
        (form,) = (form for form in read(answer.text).forms if passwords_of(form))
        (user,) = (field for field in form if field.get("autocomplete") == "username")
        assert (user["type"], user["name"], user["value"]) == ("text", "name", whose)
        assert ("hidden" in user, "readonly" in user) == (bool(whose),) * 2
        assert form.index(user) < form.index(passwords_of(form)[0])


def passwords_of(form: list[dict[str, str]]) -> list[dict[str, str]]:
    return [field for field in form if field.get("autocomplete", "").endswith("-password")]


def test_a_secret_of_a_link_is_not_written_down(dashboard: Dashboard) -> None:
    accounts.give_link(dashboard.database, digest_of(LINK), None, 60)
    browser = dashboard.stranger()
    browser.open(f"/welcome?link={LINK}")

    browser.post("/welcome", {"link": LINK, "name": "ada", "password": "short", "again": "short"})

    assert audited(dashboard) == [("", "set a password by a link", "", "refused")]
    with dashboard.database.read() as connection:
        assert LINK not in str(connection.exec_driver_sql("SELECT * FROM actions").all())


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("eleven char", "12 characters"),
        ("x" * 300, "at most"),
        ("passwordpassword", "everybody tries"),
        ("leadglass2026!", "everybody tries"),
        ("adaadaadaada", "everybody tries"),
        ("aaaaaaaaaaaaaaaa", "everybody tries"),
        ("123456789012345", "everybody tries"),
        (" a lantern above seven", "blank"),
    ],
)
def test_a_password_that_everybody_tries_cannot_be_chosen(password: str, why: str) -> None:
    assert why in (passwords.refusal_of(password, "ada") or "")


@pytest.mark.parametrize(
    "password",
    [
        PASSWORD,
        "correct horse battery staple",
        "Übergrößenträger im März",
        "72 915 5028 84613",
        "тихая гавань под фонарём",
    ],
)
def test_no_rule_says_what_a_password_is_made_of(password: str) -> None:
    assert passwords.refusal_of(password, "ada") is None


# ---- later


def test_a_password_is_asked_for_before_the_page_that_was_wanted(dashboard: Dashboard) -> None:
    dashboard.account("ada", Role.VIEWER)
    browser = dashboard.stranger()

    wanted = browser.get("/servers?product=x&page=2")
    assert wanted.headers["location"] == "/sign-in?next=%2Fservers%3Fproduct%3Dx%26page%3D2"
    browser.open(wanted.headers["location"])
    answer = browser.post(
        "/sign-in", {"name": "ADA ", "password": PASSWORD, "next": "/servers?product=x&page=2"}
    )

    assert answer.headers["location"] == "/servers?product=x&page=2"
    assert browser.get("/account").status_code == 200


def test_wrong_names_and_wrong_passwords_get_the_same_answer(dashboard: Dashboard) -> None:
    dashboard.account("ada", Role.VIEWER)
    answers = []
    for name in ("ada", "eve", "no name at all \x00", ""):
        browser = dashboard.stranger()
        browser.open("/sign-in")
        answer = browser.post("/sign-in", {"name": name, "password": "wrong"})
        answers.append((answer.status_code, answer.text.replace(browser.csrf, "")))

    assert answers[0][0] == 401
    assert set(answers) == {answers[0]}


def test_a_name_that_nobody_has_takes_the_same_work(
    dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Counted, not timed: each attempt derives one key, from the same parameters.
    dashboard.account("ada", Role.VIEWER)
    derived: list[str] = []
    real = Argon2id.verify_phc_encoded

    def counted(password: bytes, phc: str, secret: bytes | None = None) -> None:
        derived.append(phc.rpartition("$")[0].rpartition("$")[0])
        real(password, phc, secret)

    monkeypatch.setattr(Argon2id, "verify_phc_encoded", staticmethod(counted))
    for name in ("ada", "eve", "?"):
        sign_in(dashboard.stranger(), name, "wrong")
    sign_in(dashboard.stranger(), "ada", "x" * 900)

    assert len(derived) == 4
    assert len(set(derived)) == 1


def test_a_password_typed_as_a_name_is_not_written_down(dashboard: Dashboard) -> None:
    sign_in(dashboard.stranger(), "my secret lantern", "x")

    assert audited(dashboard) == [("", "sign in", "an unknown account", "refused")]


def test_signing_out_ends_the_session_in_the_store(dashboard: Dashboard) -> None:
    browser = dashboard.signed_in(Role.VIEWER, "ada")
    cookie = dict(browser.client.cookies)

    answer = browser.post("/sign-out")

    assert answer.headers["location"] == "/sign-in"
    thief = dashboard.stranger(cookies=cookie)
    assert thief.get("/account").status_code == 303
    assert audited(dashboard)[0] == ("ada", "sign out", "", "done")


def test_a_disabled_account_cannot_sign_in(dashboard: Dashboard) -> None:
    dashboard.account("root", Role.ADMINISTRATOR)
    account = dashboard.account("ada", Role.VIEWER)
    accounts.change_account(dashboard.database, account.__class__("ada", Role.VIEWER, disabled=True))

    assert sign_in(dashboard.stranger(), "ada", PASSWORD) == 401


# ---- brute force


def test_brute_force_at_one_account_is_locked_out(dashboard: Dashboard) -> None:
    dashboard.account("ada", Role.VIEWER)
    browser = dashboard.stranger()
    seen = [sign_in(browser, "ada", f"wrong {n}") for n in range(limits.PER_PAIR)]

    assert set(seen) == {401}
    locked = browser.post("/sign-in", {"name": "ada", "password": PASSWORD})
    assert (locked.status_code, locked.headers["retry-after"]) == (429, "900")
    # Elsewhere its owner comes in, and here after a while.
    assert sign_in(dashboard.stranger(address="192.0.2.9"), "ada", PASSWORD) == 303
    dashboard.world.now += limits.MEMORY + 1
    assert sign_in(browser, "ada", PASSWORD) == 303


def test_brute_force_over_many_names_locks_the_address(
    dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PER_ADDRESS", 6)
    dashboard.account("ada", Role.VIEWER)
    seen = [sign_in(dashboard.stranger(), f"name{n}", "wrong") for n in range(7)]

    assert seen == [401] * 6 + [429]
    assert sign_in(dashboard.stranger(), "ada", PASSWORD) == 429


def test_brute_force_from_one_network_of_ipv6_counts_as_one_place(
    dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PER_ADDRESS", 2)
    seen = [sign_in(dashboard.stranger(address=f"2001:db8::{n:x}"), f"n{n}", "wrong") for n in range(3)]

    assert seen == [401, 401, 429]


def test_brute_force_from_everywhere_is_locked_out_at_the_account(
    dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PER_ACCOUNT", 3)
    seen = [sign_in(dashboard.stranger(address=f"192.0.2.{n}"), "ada", "wrong") for n in range(4)]

    assert seen == [401, 401, 401, 429]


def test_a_right_password_does_not_buy_an_address_more_wrong_ones(
    dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PER_ADDRESS", 4)
    dashboard.account("ada", Role.VIEWER)
    assert [sign_in(dashboard.stranger(), f"n{n}", "wrong") for n in range(3)] == [401] * 3
    assert sign_in(dashboard.stranger(), "ada", PASSWORD) == 303

    assert [sign_in(dashboard.stranger(), f"m{n}", "wrong") for n in range(2)] == [401, 429]


# ---- sessions


def test_session_fixation_a_secret_that_somebody_planted_is_never_signed_in(dashboard: Dashboard) -> None:
    dashboard.account("ada", Role.VIEWER)
    browser = dashboard.stranger()
    browser.client.cookies.set("leadglass", "p" * 43, domain="localhost.local", path="/")
    before = dict(browser.client.cookies)

    assert sign_in(browser, "ada", PASSWORD) == 303

    assert browser.client.cookies["leadglass"] != before["leadglass"]
    assert dashboard.stranger(cookies=before).get("/account").status_code == 303


def test_session_fixation_signing_in_anew_ends_the_session_of_before(dashboard: Dashboard) -> None:
    browser = dashboard.signed_in(Role.VIEWER, "ada")
    before = dict(browser.client.cookies)
    browser.post("/sign-in", {"name": "ada", "password": PASSWORD})

    assert dict(browser.client.cookies) != before
    assert dashboard.stranger(cookies=before).get("/account").status_code == 303


def test_session_fixation_giving_the_password_once_more_changes_the_secret(dashboard: Dashboard) -> None:
    browser = dashboard.signed_in(Role.ADMINISTRATOR, "ada")
    before = dict(browser.client.cookies)
    dashboard.world.now += 1000

    wanted = browser.get("/settings/accounts")
    assert wanted.status_code == 200  # looking is no change
    refused = browser.post("/settings/accounts", {"name": "ben", "role": "viewer"})
    assert (refused.status_code, refused.headers["location"]) == (303, "/confirm?next=%2Fsettings%2Faccounts")
    answer = browser.post("/confirm", {"password": PASSWORD, "next": "/settings/accounts"})

    assert answer.headers["location"] == "/settings/accounts"
    assert dict(browser.client.cookies) != before
    assert dashboard.stranger(cookies=before).get("/account").status_code == 303
    browser.open("/settings/accounts")
    assert browser.post("/settings/accounts", {"name": "ben", "role": "viewer"}).status_code == 200


def test_a_session_ends_when_idle_and_at_its_end_in_any_case(dashboard: Dashboard) -> None:
    browser, settings = dashboard.signed_in(Role.VIEWER), dashboard.site.settings
    idle = dashboard.signed_in(Role.VIEWER)
    for _ in range(settings.absolute // (settings.idle - 60)):
        dashboard.world.now += settings.idle - 60
        assert browser.get("/account").status_code == 200
    dashboard.world.now += settings.idle - 60

    assert browser.get("/account").status_code == 303
    assert idle.get("/account").status_code == 303


def test_another_password_signs_out_everywhere_else(dashboard: Dashboard) -> None:
    here, there = dashboard.signed_in(Role.VIEWER, "ada"), dashboard.signed_in(Role.VIEWER, "ada")
    new = "the old mill turns no more"

    assert here.post("/account/password", {"password": new, "again": new}).status_code == 303

    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code == 303
    assert sign_in(dashboard.stranger(), "ada", PASSWORD) == 401
    assert sign_in(dashboard.stranger(), "ada", new) == 303


def test_signing_out_everywhere_is_everywhere(dashboard: Dashboard) -> None:
    here, there = dashboard.signed_in(Role.VIEWER, "ada"), dashboard.signed_in(Role.VIEWER, "ada")

    here.post("/account/sign-out-everywhere")

    assert here.get("/account").status_code == there.get("/account").status_code == 303
    assert web_sessions.sessions(dashboard.database, "ada") == []
