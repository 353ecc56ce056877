"""Orthanc's files, understood: what is recognised, the facts of a file and of a folder, and variables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from leadglass.configs.catalogue import rules
from leadglass.configs.orthanc.options import core, owners, sections
from leadglass.configs.orthanc.readers import READERS, merge
from leadglass.configs.reading import Login, Reach, Reading, Service
from leadglass.configs.source import Source, edited
from leadglass.errors import ConfigError
from leadglass.model.verdict import Access

FIXTURES = Path(__file__).parents[3] / "fixtures" / "configs" / "orthanc"


def read(text: str | Mapping[str, Any], environment: Mapping[str, str | None] | None = None) -> Reading:
    text = text if isinstance(text, str) else json.dumps(text, indent=1)
    return merge([Source("orthanc.json", text)], environment or {})


def recognised(text: str) -> bool:
    return READERS[0].recognises(Source("x", text))


# ---- what is recognised


@pytest.mark.parametrize(
    "text",
    [
        '{"RemoteAccessAllowed": true}',
        '\ufeff  // hello\n/* { */ {"registeredusers": {}}',
        '{"DicomWeb": {"Enable": true}}',
        '{"Worklists": {"Enable": false}}',
        '{"DicomAet": "A", "HttpPort": 8042}',
        '{"DicomCheckCallingAet": true}',
        '{"RemoteAccessAllowed": tru',
    ],
)
def test_a_file_is_told_by_what_it_holds(text: str) -> None:
    assert recognised(text)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"name": "app", "version": "1"}', '{"DicomPort": 104}', "services:\n  RemoteAccessAllowed: {}\n",
     '["RemoteAccessAllowed"]', "#" * 1000],
)  # fmt: skip
def test_another_file_is_left_to_others(text: str) -> None:
    assert not recognised(text)


@pytest.mark.parametrize(
    "text", ["/*" * 100_000, "//\n" * 100_000, '{"a":' * 100_000, " " * 1_000_000, "{" + '"' * 99_999]
)
def test_a_hostile_text_is_told_at_once(text: str) -> None:
    assert not recognised(text)


# ---- what a file says


@pytest.mark.parametrize(
    ("options", "facts"),
    [
        (
            {"RemoteAccessAllowed": True, "AuthenticationEnabled": False, "RegisteredUsers": {"a": "b"}},
            {"verdict": "open-no-auth", "cred": "none", "exposed_http_if_public": "yes", "auth": False},
        ),
        (
            {"RemoteAccessAllowed": True, "RegisteredUsers": {"orthanc": "orthanc"}},
            {"verdict": "guessable-credentials", "cred": "default", "auth": "unset"},
        ),
        (
            {"RemoteAccessAllowed": True, "AuthenticationEnabled": True, "RegisteredUsers": {}},
            {"verdict": "guessable-credentials", "cred": "default"},
        ),
        (
            {"RemoteAccessAllowed": True},
            {"verdict": "guessable-credentials", "cred": "default", "tls_http": "unset", "tls_dicom": "unset"},
        ),
        (
            {"RemoteAccessAllowed": True, "AuthenticationEnabled": True},
            {"verdict": "auth-external-creds", "cred": "external"},
        ),
        (
            {"RemoteAccessAllowed": True, "RegisteredUsers": {"a": "kV9#mQ2x!rTz", "b": "b"}},
            {"verdict": "guessable-credentials", "cred": "weak"},
        ),
        (
            {"RemoteAccessAllowed": True, "RegisteredUsers": {"a": "your_password_here"}},
            {"verdict": "guessable-credentials", "cred": "placeholder"},
        ),
        (
            {"RemoteAccessAllowed": True, "RegisteredUsers": {"a": "kV9#mQ2x!rTz"}},
            {"verdict": "credentials-published", "exposed_http_if_public": "yes(credentials in public repo)"},
        ),
        (
            {"RemoteAccessAllowed": True, "RegisteredUsers": {"a": "${WORD}"}},
            {"verdict": "auth-external-creds", "exposed_http_if_public": "no(plaintext unless proxied)"},
        ),
        (
            {"RemoteAccessAllowed": False, "DicomAet": "A"},
            {"verdict": "closed-http(loopback)", "cred": None, "auth": "unset(=remote)", "remote_http": False,
             "exposed_http_if_public": None, "dicom_if_public": "anonymous C-ECHO + C-STORE"},
        ),
        (
            {"RemoteAccessAllowed": True, "DicomAlwaysAllowStore": False, "DicomAlwaysAllowEcho": False},
            {"store_any": False, "find_any": "unset(default false)", "dicom_if_public": "AE-title gate only"},
        ),
        (
            {"RemoteAccessAllowed": True, "DicomAlwaysAllowStore": False, "DicomAlwaysAllowFind": True},
            {"find_any": True, "dicom_if_public": "anonymous C-FIND"},
        ),
        (
            {"RemoteAccessAllowed": True, "DicomCheckCallingAet": True, "HttpCorsEnabled": True, "_comment": 1},
            {"unknown_keys": ("DicomCheckCallingAet", "HttpCorsEnabled"), "store_any": "unset(default true)"},
        ),
        (
            {"DicomServerEnabled": False, "RemoteAccessAllowed": True},
            {"dicom_if_public": "closed"},
        ),
        (
            {"DicomModalities": {"ct": ["CT", "10.0.0.5", 104], "ws": {"AET": "WS", "Host": "10.0.0.6", "Port": "105",
                                                                      "AllowStore": False}, "broken": ["X"]}},
            {"peers": ("CT@10.0.0.5:104", "WS@10.0.0.6:105 without Store")},
        ),
    ],
)  # fmt: skip
def test_each_thing_is_said_in_one_word(options: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    said = read(options).facts

    assert {name: said[name] for name in facts} == facts


def listeners(options: Mapping[str, Any]) -> Mapping[str, tuple[Access, Reach]]:
    return {one.name: (one.exposure, one.reach) for one in read(options).listeners}


@pytest.mark.parametrize(
    ("options", "web"),
    [
        ({"RemoteAccessAllowed": True, "AuthenticationEnabled": False}, (Access.ANSWERS_QUERY, Reach.UNKNOWN)),
        ({"RemoteAccessAllowed": True}, (Access.DEMANDS_LOGIN, Reach.UNKNOWN)),
        ({"RemoteAccessAllowed": False}, (Access.ANSWERS_QUERY, Reach.LOOPBACK)),
        ({}, (Access.ANSWERS_QUERY, Reach.LOOPBACK)),
        ({"AuthenticationEnabled": False}, (Access.ANSWERS_QUERY, Reach.UNKNOWN)),
        ({"RegisteredUsers": {"a": "b"}}, (Access.DEMANDS_LOGIN, Reach.UNKNOWN)),
        ({"RemoteAccessAllowed": True, "SslEnabled": True, "SslVerifyPeers": True}, (Access.DEMANDS_CERTIFICATE, Reach.UNKNOWN)),
        ({"RemoteAccessAllowed": True, "AuthenticationEnabled": False, "Authorization": {}}, (Access.DEMANDS_LOGIN, Reach.UNKNOWN)),
        ({"RemoteAccessAllowed": True, "AuthenticationEnabled": False, "Authorization": {"Enable": False}},
         (Access.ANSWERS_QUERY, Reach.UNKNOWN)),
    ],
)  # fmt: skip
def test_the_web_listener_is_as_open_as_it_is(options: Mapping[str, Any], web: tuple[Access, Reach]) -> None:
    assert listeners(options)["web"] == web


@pytest.mark.parametrize(
    ("options", "exposure"),
    [
        ({}, Access.OFFERS_STORAGE),
        ({"DicomAlwaysAllowStore": False}, Access.OFFERS_STORAGE),
        ({"DicomAlwaysAllowStore": False, "DicomAlwaysAllowEcho": False}, Access.WANTS_TITLE),
        ({"DicomAlwaysAllowFind": True}, Access.ANSWERS_QUERY),
        ({"DicomAlwaysAllowFindWorklist": True}, Access.OFFERS_STORAGE),
        ({"DicomAlwaysAllowFindWorklist": True, "Worklists": {"Enable": True}}, Access.OFFERS_QUERY),
        ({"DicomAlwaysAllowFind": True, "DicomCheckCalledAet": True}, Access.WANTS_TITLE),
        ({"DicomTlsEnabled": True, "DicomAlwaysAllowFind": True}, Access.DEMANDS_CERTIFICATE),
        ({"DicomTlsEnabled": True, "DicomTlsRemoteCertificateRequired": False}, Access.OFFERS_STORAGE),
    ],
)
def test_the_dicom_listener_is_as_open_as_it_is(options: Mapping[str, Any], exposure: Access) -> None:
    assert listeners(options)["dicom"] == (exposure, Reach.UNKNOWN)


def test_listeners_have_their_ports_and_their_login() -> None:
    web, dicom = read({"HttpPort": 80, "DicomPort": "${PORT:-104}", "RemoteAccessAllowed": True}).listeners

    assert (web.service, web.port, web.login, web.tls) == (Service.WEB, 80, Login.DEFAULT, False)
    assert (dicom.service, dicom.port, dicom.login) == (Service.DICOM, 104, None)


def test_what_does_not_listen_is_no_listener() -> None:
    reading = read({"HttpServerEnabled": False, "DicomServerEnabled": False, "AuthenticationEnabled": False})

    assert reading.listeners == ()
    assert reading.findings == ()


# ---- variables


@pytest.mark.parametrize(
    ("text", "environment", "remote"),
    [
        ('{"RemoteAccessAllowed": ${OPEN}}', {"OPEN": "true"}, True),
        ('{"RemoteAccessAllowed": ${OPEN:-true}}', {}, True),
        ('{"RemoteAccessAllowed": ${OPEN:-true}}', {"OPEN": "false"}, False),
        ('{"RemoteAccessAllowed": ${OPEN}}', {}, "unset"),
        ('{"RemoteAccessAllowed": ${OPEN}}', {"OPEN": None}, "unset"),
        ('{"RemoteAccessAllowed": ${OPEN}}', {"OPEN": "{broken"}, "unset"),
    ],
)
def test_a_variable_is_what_is_known_of_it(
    text: str, environment: Mapping[str, str | None], remote: bool | str
) -> None:
    assert read(text, environment).facts["remote_http"] == remote


@pytest.mark.parametrize(
    ("word", "environment", "cred"),
    [
        ("${W}", {}, "external"),
        ("${W}", {"W": None}, "external"),
        ("${W}", {"W": "orthanc123"}, "weak"),
        ("${W}", {"W": ""}, "weak"),
        ("${W:-orthanc}", {}, "weak"),
        ("${W:-orthanc}", {"W": "kV9#mQ2x!rTz"}, "published"),
        ("${A}${B}", {"A": "kV9#mQ2x", "B": None}, "external"),
        ("${A:b}x", {}, "published"),
    ],
)
def test_a_password_is_that_of_its_variable(
    word: str, environment: Mapping[str, str | None], cred: str
) -> None:
    options = {
        "RemoteAccessAllowed": True,
        "RegisteredUsers": {"admin": word + ("kV9#mQ2" if word[-1] == "x" else "")},
    }

    assert read(options, environment).facts["cred"] == cred


def test_variables_do_not_grow_without_an_end() -> None:
    options = {"RemoteAccessAllowed": True, "RegisteredUsers": {"a": "${X}" * 100_000}}

    assert read(options, {"X": "y" * 100_000}).facts["cred"] == "external"


def test_variables_that_do_not_end_cost_little() -> None:
    options = {"RemoteAccessAllowed": True, "RegisteredUsers": {"a": "${A" * 200_000}}

    assert read(options).facts["cred"] == "weak"


# ---- a folder


def test_a_folder_is_one_configuration() -> None:
    names = ("dicom.json", "main.json", "users.json")
    sources = [Source(f"folder/{name}", (FIXTURES / "folder" / name).read_text()) for name in names]
    reading = merge(sources[::-1], {})

    assert reading.source.path == "folder/dicom.json"
    assert reading.facts["cred"] == "weak"
    where = {found.rule: found.place.path for found in reading.findings}
    assert where["LG-ORTHANC-006"] == "folder/users.json"
    assert where["LG-ORTHANC-024"] == "folder/dicom.json"
    assert "LG-ORTHANC-004" not in where


def test_edits_of_a_folder_are_made_in_the_file_that_has_the_option() -> None:
    names = ("dicom.json", "main.json", "users.json")
    sources = [Source(f"folder/{name}", (FIXTURES / "folder" / name).read_text()) for name in names]
    edits = [edit for found in merge(sources, {}).findings for edit in found.edits]
    after = [Source(s.path, edited(s.text, [e for e in edits if e.path == s.path])) for s in sources]
    reading = merge(after, {})

    assert reading.facts["cred"] == "external"
    assert reading.facts["dicom_if_public"] == "AE-title gate only"


def test_an_option_in_two_files_of_a_folder_is_found() -> None:
    sources = [Source(f"{name}.json", '{"DicomWeb": {}, "_note": 1}') for name in "ab"]
    (found,) = [one for one in merge(sources, {}).findings if one.rule == "LG-ORTHANC-046"]

    assert (found.place.path, found.option) == ("b.json", "DicomWeb")


@pytest.mark.parametrize(
    "text", ["", "[1]", '"RemoteAccessAllowed"', '{"RemoteAccessAllowed": True}', '{"a": ']
)
def test_a_broken_file_is_one_line_with_its_place(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)

    assert str(caught.value).startswith("orthanc.json:1:")
    assert "\n" not in str(caught.value)


# ---- what is known


def test_every_option_of_the_core_has_a_type_and_a_default_of_it() -> None:
    kinds = {"bool": bool, "int": int, "string": str}
    assert {option.type for option in core().values()} <= {*kinds, "list", "object", "any"}
    for option in core().values():
        assert option.default is None or type(option.default) is kinds[option.type], option
        assert option.safe is None or option.type == "bool", option


def test_sections_and_options_of_the_core_are_apart() -> None:
    assert not sections().keys() & core().keys()
    assert "PostgreSQL" in owners()["EnableIndex"]


def test_every_rule_of_orthanc_is_told_with_the_words_of_its_makers() -> None:
    mine = [rule for rule in rules().values() if rule.id.startswith("LG-ORTHANC-")]

    assert len(mine) > 40
    assert all(rule.documentation.startswith("https://orthanc.uclouvain.be/book/") for rule in mine)
