"""An Orthanc in a container: what its image lays under and over the files that it is given counts with them."""

from __future__ import annotations

import json

import pytest

from leadglass.configs.fixing import fixed
from leadglass.configs.lint import Linted, lint
from leadglass.configs.reading import Listener, Reach
from leadglass.configs.source import Source
from leadglass.model.finding import Finding
from leadglass.model.verdict import Access, Severity

GOOD = "gT7-vq2_Lmw9zQ"
OWN: dict[str, object] = {
    "Name": "archive",
    "DicomAet": "ARCHIVE",
    "DicomModalities": {"ct": ["CT", "192.0.2.7", 104]},
}


def project(
    options: dict[str, object], variables: str = "", image: str = "orthancteam/orthanc:24.5.1"
) -> list[Source]:
    compose = f"""\
services:
  archive:
    image: {image}
    ports: ["8042:8042", "4242:4242"]
    volumes: ["./orthanc.json:/etc/orthanc/orthanc.json:ro"]
    environment: {{{variables}}}
"""
    return [Source("compose.yaml", compose), Source("orthanc.json", json.dumps(OWN | options, indent=2))]


def seen(sources: list[Source]) -> dict[str, Finding]:
    return {f"{found.rule} {found.place.path}": found for found in lint(sources).findings}


def web(sources: list[Source]) -> Listener:
    readings = lint(sources).readings
    return next(one for reading in readings for one in reading.listeners if one.name == "web")


def test_a_file_that_says_nothing_of_access_is_open_in_the_image_to_the_factory_s_user() -> None:
    found = seen(project({}))
    assert found["LG-ORTHANC-003 orthanc.json"].severity is Severity.CRITICAL
    assert found["LG-COMPOSE-002 compose.yaml"].severity is Severity.CRITICAL
    assert web(project({})).reach is Reach.EVERYWHERE


def test_the_same_file_by_itself_is_closed_to_other_machines() -> None:
    alone = project({})[1:]
    assert web(alone).reach is Reach.LOOPBACK
    assert "LG-ORTHANC-003 orthanc.json" not in seen(alone)


def test_jodogne_s_image_lays_nothing_under_the_file_that_takes_the_place_of_its_own() -> None:
    found = seen(project({}, image="jodogne/orthanc-plugins"))
    assert "LG-ORTHANC-003 orthanc.json" not in found


def test_users_in_the_file_are_those_of_a_login_that_the_image_asks_for() -> None:
    found = seen(
        project(
            {"RegisteredUsers": {"ann": "${PASSWORD:-" + GOOD + "}"}},
            "ORTHANC__REMOTE_ACCESS_ALLOWED: 'true'",
        )
    )
    assert not any(name.startswith(("LG-ORTHANC-003", "LG-ORTHANC-004", "LG-COMPOSE-002")) for name in found)
    assert found["LG-COMPOSE-003 compose.yaml"].exposure is Access.DEMANDS_LOGIN


def test_a_variable_that_takes_the_login_away_counts_whatever_the_file_says_and_is_found_where_it_stands() -> (
    None
):
    sources = project(
        {"AuthenticationEnabled": True, "RegisteredUsers": {"ann": GOOD}},
        "ORTHANC__AUTHENTICATION_ENABLED: 'false'",
    )
    found = seen(sources)
    assert found["LG-ORTHANC-001 compose.yaml"].place.line == 6
    assert "LG-ORTHANC-001 orthanc.json" not in found
    assert web(sources).exposure is Access.ANSWERS_QUERY
    assert found["LG-COMPOSE-002 compose.yaml"].exposure is Access.ANSWERS_QUERY


def test_a_variable_that_closes_the_web_leaves_nothing_to_say_of_it() -> None:
    found = seen(project({"AuthenticationEnabled": False}, "ORTHANC__REMOTE_ACCESS_ALLOWED: 'false'"))
    assert not [one for one in found.values() if one.listener == "web"]
    assert "LG-COMPOSE-002 compose.yaml" not in found
    assert "LG-COMPOSE-003 compose.yaml" not in found


def test_peers_from_a_variable_are_peers_and_strangers_can_be_shut_out_in_the_file() -> None:
    sources = project(
        {"DicomModalities": {}}, 'ORTHANC__DICOM_MODALITIES: \'{"mr": ["MR", "192.0.2.8", 104]}\''
    )
    found = seen(sources)["LG-ORTHANC-020 orthanc.json"]
    assert found.says == "any caller may store"
    assert {edit.path for edit in found.edits} == {"orthanc.json"}


def test_a_password_of_a_variable_and_a_password_of_the_file_both_let_in() -> None:
    sources = project(
        {"RegisteredUsers": {"ann": "${FROM_ELSEWHERE:-" + GOOD + "}"}},
        'ORTHANC__REGISTERED_USERS: \'{"bob": "bob"}\'',
    )
    assert "LG-COMPOSE-002 compose.yaml" in seen(sources)


@pytest.mark.parametrize(
    "options",
    [{"DicomServerEnabled": False}, {"DicomTlsEnabled": True, "DicomTlsRemoteCertificateRequired": True}],
)
def test_a_published_port_is_no_finding_where_the_file_closes_what_listens_there(
    options: dict[str, object],
) -> None:
    assert "LG-COMPOSE-001 compose.yaml" in seen(project({}))
    assert "LG-COMPOSE-001 compose.yaml" not in seen(project(options))


def test_a_port_behind_which_nothing_listens_is_no_finding() -> None:
    found = seen(project({"DicomPort": 11112}))
    assert "LG-COMPOSE-001 compose.yaml" not in found
    assert found["LG-ORTHANC-020 orthanc.json"].severity is Severity.LOW


def test_an_authorization_plugin_that_a_variable_turns_on_is_asked() -> None:
    found = seen(project({"AuthenticationEnabled": False}, 'AUTHZ_WEBSERVICE: "http://auth:8000/check"'))
    assert "LG-ORTHANC-001 orthanc.json" not in found


@pytest.mark.parametrize(
    ("options", "variables"),
    [
        ({}, ""),
        ({"AuthenticationEnabled": False}, ""),
        ({"RegisteredUsers": {"ann": "ann"}}, "ORTHANC__AUTHENTICATION_ENABLED: 'false'"),
        ({"DicomAlwaysAllowFind": True}, "ORTHANC__DICOM_ALWAYS_ALLOW_STORE: 'true'"),
    ],
)
def test_after_a_fix_nobody_gets_in_without_a_good_password(
    options: dict[str, object], variables: str
) -> None:
    sources = project(options, variables)

    def again(texts: object) -> Linted:
        assert isinstance(texts, dict)
        return lint([Source(one.path, texts.get(one.path, one.text)) for one in sources])

    texts = fixed(lint(sources), lambda linted: linted.findings, again)
    after = [Source(one.path, texts.get(one.path, one.text)) for one in sources]
    assert web(after).exposure is Access.DEMANDS_LOGIN
    assert not [one.rule for one in lint(after).findings if one.severity is Severity.CRITICAL]
    assert not [one.rule for one in lint(after).findings if one.edits]


def test_variables_that_let_everybody_in_do_so_whatever_a_file_says_that_was_not_read() -> None:
    compose, _ = project({}, "ORTHANC__AUTHENTICATION_ENABLED: 'false'")
    assert seen([compose])["LG-COMPOSE-002 compose.yaml"].exposure is Access.ANSWERS_QUERY


DATABASE: dict[str, object] = {"PostgreSQL": {"Host": "db", "Username": "keeper", "Password": GOOD}}


def test_a_password_that_the_file_sets_takes_the_place_of_the_image_s() -> None:
    found = seen(project(DATABASE, "POSTGRESQL_PLUGIN_ENABLED: 'true'"))
    assert "LG-ORTHANC-050 compose.yaml" not in found
    assert found["LG-ORTHANC-051 orthanc.json"].option == "PostgreSQL.Password"


def test_a_password_that_a_variable_sets_takes_the_place_of_the_file_s() -> None:
    found = seen(project(DATABASE, "ORTHANC__POSTGRESQL__PASSWORD: postgres"))
    assert found["LG-ORTHANC-050 compose.yaml"].option == "PostgreSQL.Password"
    assert "LG-ORTHANC-051 orthanc.json" not in found


BASE = """\
services:
  archive:
    image: orthancteam/orthanc:24.5.1
    volumes: ["./orthanc.json:/etc/orthanc/orthanc.json:ro"]
"""
OVERRIDE = 'services:\n  archive:\n    ports: ["8042:8042"]\n'


def test_ports_that_an_override_publishes_are_those_of_the_service_that_it_overrides() -> None:
    file = Source("x/orthanc.json", json.dumps(OWN | {"AuthenticationEnabled": False}))
    found = seen([Source("x/compose.yaml", BASE), Source("x/compose.override.yaml", OVERRIDE), file])
    alone = seen([Source("x/compose.yaml", BASE), Source("y/compose.override.yaml", OVERRIDE), file])

    assert found["LG-ORTHANC-001 x/orthanc.json"].severity is Severity.CRITICAL
    assert found["LG-ORTHANC-001 x/orthanc.json"].reached.startswith("x/compose.override.yaml, line 3,")
    assert found["LG-COMPOSE-002 x/compose.override.yaml"].severity is Severity.CRITICAL
    assert found["LG-ORTHANC-020 x/orthanc.json"].severity is Severity.LOW
    assert alone["LG-ORTHANC-001 x/orthanc.json"].severity is Severity.LOW


def test_an_override_opens_an_orthanc_that_no_file_configures_too() -> None:
    base = 'services:\n  archive:\n    image: orthancteam/orthanc\n    environment: {ORTHANC__AUTHENTICATION_ENABLED: "false"}\n'
    found = seen([Source("compose.yaml", base), Source("compose.override.yaml", OVERRIDE)])

    assert seen([Source("compose.yaml", base)])["LG-ORTHANC-001 compose.yaml"].severity is Severity.LOW
    assert found["LG-ORTHANC-001 compose.yaml"].severity is Severity.CRITICAL
    assert found["LG-ORTHANC-020 compose.yaml"].severity is Severity.LOW
