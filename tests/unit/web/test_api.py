"""What programs get: pages with links, entity tags, refusals, and every change in the register's chain."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.peers import practice
from tests.peers.dashboard import Browser, Dashboard

from leadglass.model.account import Permission, Role
from leadglass.model.record import read_record
from leadglass.store.reading import lines
from leadglass.store.scans import find
from leadglass.web.api.document import document
from leadglass.web.api.table import table_of
from leadglass.web.doors import Door

V1 = "/api/v1"
REFERENCE = Path(__file__).parents[3] / "docs/reference/api.md"


@pytest.fixture
def program(dashboard: Dashboard) -> Browser:
    """One that may do everything, before a practice."""
    practice.fill(dashboard.database)
    return dashboard.program(list(Permission))


def test_lists_are_paged_by_links(program: Browser) -> None:
    whole = program.get(f"{V1}/servers").json()["rows"]
    found, path = [], f"{V1}/servers?limit=2&severity=none"
    while path:
        answer = program.get(path)
        found += answer.json()["rows"]
        path = answer.links.get("next", {}).get("url", "")

    assert len(whole) > 2
    assert found == whole


def test_what_has_not_changed_is_not_sent_again(program: Browser) -> None:
    address = program.get(f"{V1}/servers").json()["rows"][0]["address"]
    for path in (f"{V1}/servers", f"{V1}/servers/{address}", f"{V1}/overview", f"{V1}/scans"):
        tag = program.get(path).headers["etag"]
        again = program.get(path, headers={"If-None-Match": f'"x", {tag}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert program.get(path, headers={"If-None-Match": '"x"'}).status_code == 200


def test_records_are_the_published_ones(program: Browser, dashboard: Dashboard) -> None:
    scan = program.get(f"{V1}/scans").json()["rows"][0]["ulid"]
    expected = list(lines(dashboard.database, find(dashboard.database, scan)))

    assert program.get(f"{V1}/scans/{scan}/records").text.splitlines() == expected
    server = program.get(f"{V1}/servers/{read_record(expected[0]).endpoint.address}").json()
    assert json.loads(expected[0]) in [each["record"] for each in server["endpoints"]]


def test_changes_between_scans_are_told_line_by_line(program: Browser) -> None:
    scans = [row["ulid"] for row in program.get(f"{V1}/scans").json()["rows"]]
    told = program.get(f"{V1}/scans/{scans[0]}/changes?since={scans[-1]}")

    assert told.headers["content-type"] == "application/jsonl"
    assert {json.loads(line)["kind"] for line in told.text.splitlines()} & {"appeared", "changed", "gone"}
    assert program.get(f"{V1}/scans/{scans[0][:-4]}AAAA/changes").status_code == 404


def test_nobody_undoes_a_change_that_he_has_not_seen(program: Browser) -> None:
    path = f"{V1}/register/systems/ct-9"
    made = program.request("PUT", path, json={"kind": "modality", "addresses": ["2001:DB8::9"]})
    assert (made.status_code, made.json()["addresses"]) == (201, ["2001:db8::9"])
    tag = made.headers["etag"]
    assert program.get(path).headers["etag"] == tag

    change = {"kind": "modality", "owner": "Radiology"}
    assert program.request("PUT", path, json=change).status_code == 428
    changed = program.request("PUT", path, json=change, headers={"If-Match": tag})
    assert changed.status_code == 200
    assert program.request("PUT", path, json=change, headers={"If-Match": tag}).status_code == 412
    assert program.request("DELETE", path, headers={"If-Match": tag}).status_code == 412
    assert program.request("DELETE", path, headers={"If-Match": changed.headers["etag"]}).status_code == 204
    assert program.get(path).status_code == 404
    assert program.get(f"{V1}/register/verify").json()["is_whole"]


def test_findings_of_the_register_tell_since_when_they_stand(program: Browser) -> None:
    rows = program.get(f"{V1}/register/disagreements?profile=hipaa").json()["rows"]

    assert rows
    assert all(row["since"] == rows[0]["since"] and row["since_entry"] > 0 for row in rows)
    stands = program.get(f"{V1}/register/standings?profile=hipaa").json()["rows"]
    assert all(one in rows for stand in stands for one in stand["against"])
    assert {(stand["status"] == "not-met") for stand in stands if stand["against"]} == {True}
    assert all(stand["evidence"] or stand["missing"] for stand in stands if not stand["against"])


def test_nobody_has_reviewed_on_a_day_to_come(program: Browser) -> None:
    said = {"reviewer": "Ada", "outcome": "passed"}
    path = f"{V1}/register/systems/VNA/reviews"
    wrong = ({"on": "2999-01-01"}, {"on": "2026-11-01", "next": "2026-10-31"})

    assert [program.request("POST", path, json={**said, **days}).status_code for days in wrong] == [400, 400]
    assert program.request("POST", path, json={**said, "on": "2026-11-01"}).status_code == 201


WRONG = {
    "servers?cursor=abcdefgh": 400,
    "servers?network=no.such": 400,
    "servers?limit=0": 422,
    "servers?prot=104": 422,
    "servers?text=%00": 422,
    "servers/192.0.2.250": 404,
    "servers/192.000.2.1": 404,
    "servers/..%2F..%2Fetc": 404,
    "scans/01JD5Y0000000000000000000Z": 404,
    "orders/01JD5Y0000000000000000000Z": 404,
    "alerts/01JD5Y0000000000000000000Z": 404,
    "register/standings?profile=none": 400,
}


def test_what_is_wrong_is_a_problem_in_json(program: Browser) -> None:
    for path, status in WRONG.items():
        answer = program.get(f"{V1}/{path}")
        assert (path, answer.status_code) == (path, status)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status


def test_what_is_said_twice_is_refused_unless_it_is_a_list(program: Browser) -> None:
    refused = program.get(f"{V1}/servers?scope=one&access=offers-query&scope=two")

    assert refused.status_code == 422
    assert refused.json()["errors"] == [{"where": "query.scope", "what": "stands there more than once"}]
    assert program.get(f"{V1}/servers?access=offers-query&access=answers-query").status_code == 200
    assert program.get(f"{V1}/about?x=1&x=2").status_code == 422


def test_alerts_are_acknowledged_and_closed(program: Browser) -> None:
    (alert, *_) = program.get(f"{V1}/alerts?state=open").json()["rows"]
    path = f"{V1}/alerts/{alert['id']}"

    assert program.request("POST", f"{path}/acknowledge").json()["state"] == "acknowledged"
    assert program.request("POST", f"{path}/close").json()["state"] == "closed"


def test_an_order_is_refused_for_a_scope_that_nobody_configured(program: Browser) -> None:
    refused = program.request("POST", f"{V1}/orders", json={"scope": "elsewhere", "ports": []})

    assert refused.status_code == 400


def test_notes_are_taken_away_by_their_author_only(dashboard: Dashboard) -> None:
    ada, eve = (dashboard.program(list(Permission), name=name) for name in ("ada", "eve"))
    body = {"kind": "server", "about": "192.0.2.1", "text": "<b>asked</b> the vendor"}
    note = ada.request("POST", f"{V1}/notes", json=body).json()

    assert (note["author"], note["text"]) == ("ada", body["text"])
    assert eve.request("DELETE", f"{V1}/notes/{note['id']}").status_code == 404
    assert ada.request("DELETE", f"{V1}/notes/{note['id']}").status_code == 204


def test_a_token_can_end_itself_and_no_other_account(dashboard: Dashboard) -> None:
    ada, eve = (dashboard.program([Permission.READ], name=name) for name in ("ada", "eve"))
    (mine,) = ada.get(f"{V1}/tokens").json()["rows"]

    assert eve.request("DELETE", f"{V1}/tokens/{mine['id']}").status_code == 404
    assert ada.request("DELETE", f"{V1}/tokens/{mine['id']}").status_code == 204
    assert ada.get(f"{V1}/tokens").status_code == 401


def test_a_token_does_what_it_carries_and_no_more(dashboard: Dashboard) -> None:
    reader = dashboard.program([Permission.READ], Role.OPERATOR)

    assert reader.get(f"{V1}/servers").status_code == 200
    for method, path in (
        ("POST", "orders"),
        ("POST", "silences"),
        ("PUT", "register/systems/x"),
        ("POST", "notes"),
    ):
        assert reader.request(method, f"{V1}/{path}", json={}).status_code == 403
    assert dashboard.stranger().get(f"{V1}/servers").status_code == 401


def test_every_operation_says_who_may_and_what_goes_wrong(dashboard: Dashboard) -> None:
    told = document(dashboard.app.routes)

    for path, operations in told["paths"].items():
        for method, operation in operations.items():
            assert operation["x-permission"], path
            assert operation["responses"]["default"], path
            assert operation["summary"], (method, path)
    assert told["openapi"].startswith("3.1")
    assert dashboard.stranger().get(f"{V1}/openapi.json").json() == json.loads(json.dumps(told))


def test_the_reference_has_every_route_of_the_api(dashboard: Dashboard) -> None:
    routes = [route for route in dashboard.app.routes if isinstance(route, Door)]

    assert table_of(routes) in REFERENCE.read_text()
