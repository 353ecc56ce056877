"""The main ways through the dashboard, walked once in a real browser against the command, which scans a real server."""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from tests.acceptance.test_command import command, leadglass
from tests.peers.walking import PHONE, Practice, Visitor, archive, visiting

pytestmark = pytest.mark.peer("chromium")

PASSWORD = "a lantern above seven quiet harbours"
SERVER = "/servers/127.0.0.1"
DEEDS = {
    f"{SERVER}/assign": {"owner": "Eve"},
    f"{SERVER}/review": {"outcome": "passed"},
    f"{SERVER}/rescan": {"scope": "Example Practice"},
    f"{SERVER}/notes": {"text": "by a guest"},
    "/scans": {"scope": "Example Practice"},
    "/silences": {"kind": "", "owner": "Eve", "reason": "none", "until": "2099-01-01"},
    "/register/systems": {"name": "Archive", "owner": "Eve"},
    "/settings/accounts": {"name": "eve", "role": "administrator"},
}
"""What a viewer may not do, and an operator or an administrator may."""


@dataclass
class Walk:
    """What was seen on the way, by where that was."""

    practice: Practice
    said: dict[str, str] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    buttons: dict[str, set[str]] = field(default_factory=dict)
    visitors: list[Visitor] = field(default_factory=list)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def walk(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Walk:
    """Walked to the end; the tests look at what was seen."""
    practice = Practice(command(), tmp_path_factory.mktemp("walk"))
    walk = Walk(practice)
    with contextlib.ExitStack() as staying, contextlib.ExitStack() as archiving:
        archiving.enter_context(archive(practice.archive))
        link = staying.enter_context(practice.serving())
        ada, phone, guest = walk.visitors = [
            staying.enter_context(visiting(chromium, practice.url, **how))
            for how in ({}, {"java_script_enabled": False, "viewport": PHONE}, {})
        ]
        enter(walk, ada, guest, link)
        look(walk, ada)
        answer_for_it(walk, ada)
        archiving.close()
        look_again(walk, ada)
        without_a_script(walk, phone)
        see_it_closed(walk, ada)
        hand_over(walk, ada)
        invite(walk, ada, guest)
        leave(walk, ada)
    return walk


def enter(walk: Walk, ada: Visitor, guest: Visitor, link: str) -> None:
    """By the link of the terminal; somebody finds it later."""
    walk.said["link"] = ada.opens(link)
    ada.fills(Name_to_sign_in_with="ada", Full_name="Ada Example")
    walk.said["entered"] = chosen(ada)
    walk.said["link again"] = guest.opens(link)
    guest.complaints.clear()  # a browser says that there was no such page


def chosen(visitor: Visitor) -> str:
    """Choose the password that a link asks for."""
    visitor.fills(Password=PASSWORD, The_same_once_more=PASSWORD)
    return visitor.presses("Go on")


def look(walk: Walk, ada: Visitor) -> None:
    """Order a scan, and keep hands off until it has ended."""
    ada.follows("Scans")
    walk.said["ordered"] = ada.presses("Order a scan")
    walk.said["under way"] = ada.awaits(" of 17 endpoints asked")
    walk.said["scanned"] = ada.awaits("17 endpoints: 1 high")
    walk.said["overview"] = ada.follows("Overview")
    ada.follows("Read why, and how to close it for good")
    ada.unfolds("observations")
    walk.said["why"] = ada.reads()


def answer_for_it(walk: Walk, ada: Visitor) -> None:
    """Assign it, mark it reviewed, write a note."""
    ada.fills(Name_of_the_system="Archive", Owner="Dr. Example")
    ada.presses("Assign")
    ada.unfolds("Mark it reviewed")
    ada.page.get_by_label("The review came to").select_option("gaps")
    ada.fills(What_was_found="Open to all of the house")
    ada.presses("Write the review down")
    ada.fills(Add_a_note="Ordered from the vendor:\na rule for the firewall")
    walk.said["answered for"] = ada.presses("Add the note")
    walk.buttons["ada"] = ada.buttons()


def look_again(walk: Walk, ada: Visitor) -> None:
    """Order another look from the server's page, and keep hands off."""
    walk.said["ordered again"] = ada.presses("Look again now")
    walk.said["silent"] = ada.awaits("It is looked at once more")
    walk.said["alert still"] = ada.opens("/alerts")


def without_a_script(walk: Walk, phone: Visitor) -> None:
    """The second look is ordered on a phone whose browser runs no scripts; so is something for the register."""
    walk.said["phone outside"] = phone.opens(SERVER)
    phone.fills(Name="ada", Password=PASSWORD)
    walk.said["phone server"] = phone.presses("Sign in")
    walk.said["phone ordered"] = phone.presses("Look again now")
    phone.unfolds("Assign it to somebody else")
    phone.fills(Owner="Dr. Example and heirs")
    walk.said["phone assigned"] = phone.presses("Assign")
    walk.said["phone overview"] = phone.opens("/")


def see_it_closed(walk: Walk, ada: Visitor) -> None:
    """That somebody else orders it is seen, and what came of it."""
    ada.opens(SERVER)
    ada.page.locator("[data-live]").wait_for(state="detached")
    walk.said["closed"] = ada.reads()
    walk.said["alerts"] = ada.opens("/alerts?state=all")
    walk.said["overview closed"] = ada.follows("Overview")
    walk.said["scans"] = ada.follows("Scans")


def hand_over(walk: Walk, ada: Visitor) -> None:
    """The dossier, as pages and with the data; what the audit holds of all this."""
    ada.follows("Register")
    walk.files["pdf"] = ada.downloads("Dossier as PDF", walk.practice.folder / "dossier.pdf")
    walk.files["zip"] = ada.downloads("With the data, as ZIP", walk.practice.folder / "dossier.zip")
    walk.said["audit"] = ada.opens("/settings/actions")


def invite(walk: Walk, ada: Visitor, guest: Visitor) -> None:
    """Let in somebody who may only look."""
    ada.opens("/settings/accounts")
    ada.fills(Name_to_sign_in_with="eve", Full_name="Eve Example")
    ada.page.get_by_label("Role", exact=True).select_option("viewer")
    ada.presses("Add it")
    guest.opens(ada.page.locator("[role=status] code").inner_text())
    chosen(guest)
    walk.said["guest"] = guest.opens(SERVER)
    walk.buttons["guest"] = guest.buttons()
    walk.statuses |= {path: guest.posts(path, **form) for path, form in DEEDS.items()}
    guest.complaints[:] = [one for one in guest.complaints if "status of 403" not in one]
    walk.said["untouched"] = ada.opens(SERVER)


def leave(walk: Walk, ada: Visitor) -> None:
    """Sign out, and go back in the browser."""
    walk.said["left"] = ada.presses("Sign out")
    walk.said["closed to her"] = ada.opens(SERVER)
    ada.page.go_back()
    ada.page.go_back()
    walk.said["back"] = ada.reads()


# ---- what was seen


def test_the_link_of_the_terminal_makes_the_administrator_once(walk: Walk) -> None:
    assert "The first administrator" in walk.said["link"]
    assert "administrator" in walk.said["entered"]
    assert "Nobody knows yet." in walk.said["entered"]
    assert "this link does not work" in walk.said["link again"]


def test_a_scan_tells_how_far_it_is_and_that_it_has_ended_while_nobody_touches_anything(walk: Walk) -> None:
    assert "The look is ordered." in walk.said["ordered"]
    assert "Running now" in walk.said["under way"]
    assert "Running now" not in walk.said["scanned"]
    assert "The look is ordered." not in walk.said["scanned"]


def test_the_first_screen_says_that_it_is_exposed_and_leads_to_why(walk: Walk) -> None:
    overview, why, port = walk.said["overview"], walk.said["why"], walk.practice.archive

    assert "Yes: a stranger can search the server." in overview
    assert f"a server answers at 127.0.0.1:{port}" in overview
    assert "Nothing to compare yet." in overview
    assert f"Port {port}: answers-query" in why
    assert "rule access.answers-query" in why
    assert "blank-query/status" in why


def test_it_is_assigned_reviewed_and_written_about(walk: Walk) -> None:
    said = walk.said["answered for"]

    assert "Dr. Example" in said
    assert "by Ada Example" in said
    assert "Ordered from the vendor:" in said
    assert "a rule for the firewall" in said


def test_it_is_closed_after_a_second_look_and_the_alert_is_answered(walk: Walk) -> None:
    port = walk.practice.archive

    assert "The look is ordered." in walk.said["ordered again"]
    assert f"Port {port}: closed" in walk.said["silent"]
    assert "New server" in walk.said["alert still"]
    assert "Closed by the watch" in walk.said["alerts"]
    assert "Fixed" in walk.said["alerts"]
    assert "No open alert." in walk.said["overview closed"]
    assert "No: nothing exposed was seen." in walk.said["overview closed"]


def test_the_history_has_both(walk: Walk) -> None:
    history = walk.said["closed"].partition("History")[2]

    assert f"Port {walk.practice.archive}: closed" in history
    assert "Before: answers-query, high." in history
    assert f"Port {walk.practice.archive}: answers-query" in history


def test_a_phone_without_scripts_goes_the_same_ways(walk: Walk) -> None:
    assert "Sign in" in walk.said["phone outside"]
    assert f"Port {walk.practice.archive}: closed" in walk.said["phone server"]
    assert "The look is ordered." in walk.said["phone ordered"]
    assert "Show the page anew" in walk.said["phone ordered"]
    assert "it is assigned" in walk.said["phone assigned"]
    assert "Dr. Example and heirs" in walk.said["phone assigned"]


def test_the_dossier_is_whole_and_can_be_verified_elsewhere(walk: Walk, tmp_path: Path) -> None:
    done = leadglass("register", "verify", "--zip", str(walk.files["zip"]), cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert walk.files["pdf"].read_bytes().startswith(b"%PDF-")
    assert zipfile.ZipFile(walk.files["zip"]).testzip() is None


def test_what_was_done_is_in_the_audit(walk: Walk) -> None:
    deeds = ("assign a server", "mark a server reviewed", "write a note", "order a look at a server")

    assert [deed for deed in deeds if deed not in walk.said["audit"]] == []


def test_who_may_only_look_finds_no_button_and_is_refused_whatever_is_sent(walk: Walk) -> None:
    assert {"Assign", "Look again now", "Add the note"} <= walk.buttons["ada"]
    assert walk.buttons["guest"] == set()
    assert walk.statuses == dict.fromkeys(DEEDS, 403)
    assert "Ordered from the vendor:" in walk.said["guest"]
    assert "by a guest" not in walk.said["untouched"]


def test_nothing_is_shown_to_whoever_has_signed_out(walk: Walk) -> None:
    for place in ("left", "closed to her", "back"):
        assert "Sign in" in walk.said[place]
        assert str(walk.practice.archive) not in walk.said[place]


def test_no_request_leaves_the_machine_and_no_browser_complains_or_scrolls_sideways(walk: Walk) -> None:
    for visitor in walk.visitors:
        assert visitor.asked == {walk.practice.url}
        assert visitor.complaints == []
        assert visitor.too_wide == []


def test_the_process_says_nothing_that_it_should_not(walk: Walk) -> None:
    log = walk.practice.log.read_text()

    assert log.startswith(f"leadglass: serving at {walk.practice.url}")
    assert "Traceback" not in log
    assert "link=" not in log
