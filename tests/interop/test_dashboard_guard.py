"""The page about a guard, over one that runs: what it does now, who used how much, and its trail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydicom import Dataset
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind
from tests.peers import ward
from tests.peers.dashboard import Dashboard, dashboard
from tests.peers.guarded import Guard, guard
from tests.peers.guarded_clinic import TITLE, eventually

from leadglass.model.account import Role
from leadglass.ports.dashboard import AuditQuestion
from leadglass.settings.guard import Address
from leadglass.settings.serve import ServeSettings
from leadglass.wiring.desk_guard import guard_desk

pytestmark = [pytest.mark.peer("orthanc"), pytest.mark.peer("pynetdicom")]

FIND = StudyRootQueryRetrieveInformationModelFind
QUERIES = 2


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guard]:
    with (
        ward.archive(tmp_path_factory.mktemp("ward"), {}) as archive,
        guard(
            tmp_path_factory.mktemp("guard"),
            Address("127.0.0.1", archive.ports["dicom"]),
            *ward.ENTRIES,
            title=TITLE,
            settings={"budgets": {"queries": QUERIES}},
        ) as one,
    ):
        yield one


@pytest.fixture(scope="module")
def site(running: Guard, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    with dashboard(tmp_path_factory.mktemp("site"), ServeSettings(guard=str(running.site.file))) as one:
        yield one


def asked(association: Any) -> int:
    wanted = Dataset()
    wanted.QueryRetrieveLevel, wanted.StudyInstanceUID = "STUDY", "2.25.404"
    return [int(status.Status) for status, _ in association.send_c_find(wanted, FIND)][-1]


def test_what_happens_at_the_guard_is_seen_at_the_dashboard(running: Guard, site: Dashboard) -> None:
    desk = guard_desk(running.site.file)
    auditor, viewer = site.signed_in(Role.AUDITOR), site.signed_in(Role.VIEWER)
    with ward.associated(running, "work", FIND) as association:
        assert [asked(association) for _ in range(QUERIES + 1)] == [0] * QUERIES + [0xA700]
        assert eventually(lambda: desk.state().numbers.get("over_budget") == 1)
        assert eventually(lambda: [one.numbers for one in desk.budgets()] == [{"queries": QUERIES}])
        live = auditor.get("/guard").text

    assert desk.state().state == "ok"
    assert "<dt>associations</dt><dd>1</dd>" in live
    assert f"Device:work</strong></p><p><small>queries {QUERIES}<" in live
    assert eventually(lambda: desk.state().numbers["associations"] == 0)
    assert "over its budget of queries" in live
    assert "over its budget" not in viewer.get("/guard").text


@pytest.mark.parametrize(
    ("asks", "finds"),
    [
        ("outcome=failure", {"serious", "minor"}),
        ("outcome=success&who=work", {"success"}),
        ("who=nobody", set()),
        ("until=2001-01-01", set()),
        ("outcome=%3Cb%3E", set()),
    ],
)
def test_the_trail_is_searched(running: Guard, site: Dashboard, asks: str, finds: set[str]) -> None:
    assert running.metrics()["over_budget_total"] == 1
    page = site.signed_in(Role.AUDITOR).get(f"/guard?{asks}")

    assert page.status_code == 200
    assert "<b>" not in page.text
    assert set(re.findall(r"<td>(success|minor|serious|major)</td>", page.text)) == finds


def test_every_outcome_that_the_page_offers_can_be_searched(running: Guard, site: Dashboard) -> None:
    page = site.signed_in(Role.AUDITOR).get("/guard").text
    offered = re.findall(r'<option value="([a-z ]+)"', page)

    assert offered
    for outcome in offered:
        guard_desk(running.site.file).audit(AuditQuestion(outcome=outcome))


def test_a_guard_that_is_away_is_told_and_its_trail_goes_on_to_be_read(
    running: Guard, site: Dashboard
) -> None:
    running.process.terminate()
    running.process.wait(20)

    page = site.signed_in(Role.AUDITOR).get("/guard").text

    assert "unreachable" in page
    assert "over its budget of queries" in page
