"""Conquest's ``dicom.ini`` and ``acrnema.map``."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadglass.configs.conquest.readers import READERS
from leadglass.configs.reading import Login, Reading, Service
from leadglass.configs.source import Source, edited
from leadglass.errors import ConfigError
from leadglass.model.finding import Cause, Certainty
from leadglass.model.verdict import Access

FIXTURES = Path(__file__).parents[3] / "fixtures" / "configs" / "conquest"
PLAIN = "[sscscp]\nMyACRNema = CONQUESTSRV1\nTCPPort = 5678\n"


def kind(text: str, path: str = "file") -> str | None:
    source = Source(path, text)
    return next((reader.kind for reader in READERS if reader.recognises(source)), None)


def read(text: str, path: str = "file") -> Reading:
    source = Source(path, text)
    reader = next(reader for reader in READERS if reader.recognises(source))
    return reader.read(source, {})


def rules(reading: Reading) -> list[str]:
    return [found.rule for found in reading.findings]


def shown(name: str) -> Reading:
    return read((FIXTURES / name).read_text(), name)


# ---- dicom.ini


def test_any_ae_may_store_and_query() -> None:
    reading = read(PLAIN)
    found = reading.findings[0]

    assert rules(reading) == ["LG-CONQUEST-001", "LG-CONQUEST-003"]
    assert (found.cause, found.certainty) == (Cause.FACTORY_DEFAULT, Certainty.LIKELY)
    assert (found.place.line, found.option) == (3, "TCPPort")
    assert reading.listeners[0].exposure is Access.ANSWERS_QUERY
    assert (reading.facts["ports"], reading.facts["verdict"]) == ("5678", "dicom-open")
    assert reading.facts["dicom_if_public"] == "any AE store/query"


def test_a_name_of_ones_own_shuts_nobody_out() -> None:
    assert read(PLAIN.replace("CONQUESTSRV1", "CLINIC")).findings[0].cause is Cause.MISREAD_OPTION


def test_a_whole_file_is_read() -> None:
    reading = shown("dicom.ini")

    assert rules(reading) == [f"LG-CONQUEST-00{number}" for number in (1, 3, 4, 8)]
    assert reading.facts["title"] == "PETSCANS"
    assert reading.facts["database"] == "postgresql"
    assert reading.includes == ("acrnema.map",)
    assert "petscans2019" not in repr((reading.findings, reading.facts))


def test_names_are_read_without_regard_to_case_and_spaces() -> None:
    assert read("[SSCSCP]\nmyacrnema=X\ntcpPORT=104\n").listeners[0].port == 104


def test_the_section_may_have_another_name() -> None:
    assert (
        read("[other]\nMicroPACS = other\nTCPPort = 104\n[sscscp]\nTCPPort = 5678\n").listeners[0].port == 104
    )


def test_a_script_that_rejects_decides() -> None:
    text = f"{PLAIN}[lua]\nassociation = if Association.Calling ~= 'CT' then reject() end\n"
    reading = read(text)

    assert rules(reading) == ["LG-CONQUEST-009", "LG-CONQUEST-003"]
    assert reading.findings[0].certainty is Certainty.DEPENDS
    assert reading.listeners[0].exposure is Access.WANTS_TITLE
    assert reading.facts["verdict"] == "script-decides"


@pytest.mark.parametrize(
    ("script", "certainty"),
    [
        ("package.path=package.path..';'..Global.basedir..'lua/?.lua'", Certainty.LIKELY),
        ("dofile('lua/who.lua')", Certainty.DEPENDS),
        ("who.lua", Certainty.DEPENDS),
        ("print('hello')", Certainty.LIKELY),
    ],
)
def test_a_script_elsewhere_leaves_it_open(script: str, certainty: Certainty) -> None:
    reading = read(f"{PLAIN}[lua]\nassociation = {script}\n")

    assert (reading.findings[0].rule, reading.findings[0].certainty) == ("LG-CONQUEST-001", certainty)


@pytest.mark.parametrize(
    ("lines", "rule"),
    [
        ("PostGres = 1\nUsername = postgres\nPassword = postgres\n", "LG-CONQUEST-004"),
        ("MySQL = 1\nUsername = conquest\nPassword = conquest\n", "LG-CONQUEST-004"),
        ("MySQL = 1\nUsername = root\nPassword = k3!vWq-09pLmX_zz\n", "LG-CONQUEST-005"),
        ("MySQL = 1\nPassword = ${DB_PASSWORD}\n", None),
        ("MySQL = 0\nSQLite = 1\nPassword = dontcare\n", None),
        ("Password = conquest\n", None),
        ("MySQL = 1\nPassword =\n", None),
    ],
)
def test_the_password_of_a_database_that_is_used_is_judged(lines: str, rule: str | None) -> None:
    assert rules(read(PLAIN + lines))[2:] == ([rule] if rule else [])


def test_web_pages_have_no_login_and_visitors_may_be_kept_from_changing() -> None:
    text = f"{PLAIN}WebServerFor = 127.0.0.1\nWebReadonly = 0\nWebPush  =  1\n"
    reading = read(text)
    fixed = edited(text, [edit for found in reading.findings for edit in found.edits])

    assert rules(reading) == ["LG-CONQUEST-006", "LG-CONQUEST-007", "LG-CONQUEST-007"]
    assert fixed == text.replace("WebReadonly = 0", "WebReadonly = 1").replace(
        "WebPush  =  1", "WebPush  =  0"
    )
    assert rules(read(fixed)) == ["LG-CONQUEST-006"]
    assert [(one.service, one.login) for one in reading.listeners] == [(Service.WEB, Login.NONE)]
    assert reading.facts["ports"] is None


def test_a_port_that_cannot_be_is_refused_at_its_place() -> None:
    with pytest.raises(ConfigError, match="file:3:1: TCPPort is not between 1 and 65535"):
        read(PLAIN.replace("5678", "66000"))


def test_of_a_setting_that_comes_twice_the_first_counts() -> None:
    assert read(f"{PLAIN}TCPPort = 104\n").listeners[0].port == 5678


# ---- acrnema.map


def test_wildcards_are_removed_and_devices_stay() -> None:
    reading = shown("acrnema.map")
    fixed = edited(reading.source.text, [edit for found in reading.findings for edit in found.edits])

    assert [(found.rule, found.option, found.place.line) for found in reading.findings] == [
        ("LG-CONQUEST-002", "V*", 9),
        ("LG-CONQUEST-002", "S*", 10),
    ]
    assert (reading.facts["ports"], reading.facts["verdict"]) == ("5678", "dicom-open")
    assert reading.facts["dicom_if_public"] == "any AE store/query"
    assert [line for line in reading.source.text.splitlines() if line not in fixed.splitlines()] == [
        "V*           *                1234   un",
        "S*           *                5678   un",
    ]
    assert read(fixed).findings == ()
    assert read(fixed).facts["destinations"] == ("PETSCANS", "READER", "HOME", "BACKUP*")
    assert read(fixed).facts["verdict"] == "destinations-named"


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("A 127.0.0.1 5678 un\n", "x", "conquest-map"),
        ("A 127.0.0.1 5678\n", "x", None),
        ("A 127.0.0.1 5678\n", "conf/acrnema.map", "conquest-map"),
        ("/* ACR-NEMA map */\nA 127.0.0.1 5678\n", "x", "conquest-map"),
        ("127.0.0.1 localhost\n", "hosts", None),
        ("/dev/sda1 / ext4 defaults 0 1\n", "fstab", None),
        ("/* A b 1 un", "x", None),
        ("", "acrnema.map", None),
        ("TCPPort = 5678\n", "x.ini", None),
        ("MyACRNema = X\n", "x.ini", "conquest"),
    ],
)
def test_files_are_told_by_what_they_hold(text: str, path: str, expected: str | None) -> None:
    assert kind(text, path) == expected


def test_lines_of_another_form_are_passed_over() -> None:
    assert read("A 127.0.0.1 5678 un\nwhat is this\nB * 1 un").facts["wildcards"] == ("B",)


def test_the_last_line_needs_no_end() -> None:
    text = "A 127.0.0.1 5678 un\nB * 1 un"
    (found,) = read(text).findings

    assert edited(text, found.edits) == "A 127.0.0.1 5678 un\n"
