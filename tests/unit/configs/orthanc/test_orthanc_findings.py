"""What is wrong with Orthanc's files, where, and the edits that close it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from leadglass.configs.json_nodes import Json, parse_json, plain
from leadglass.configs.orthanc.readers import merge
from leadglass.configs.reading import Reading
from leadglass.configs.source import Source, edited
from leadglass.model.finding import Cause, Certainty, Finding
from leadglass.model.verdict import Access, Severity

REMOTE: Mapping[str, Any] = {"RemoteAccessAllowed": True, "WebDavEnabled": False, "SslEnabled": True}
QUIET: Mapping[str, Any] = {"DicomServerEnabled": False}
KNOWN: Mapping[str, Any] = {"ct": ["CT", "10.0.0.5", 104]}
GOOD = "kV9#mQ2x!rTz"


def read(options: Mapping[str, Any] | str, environment: Mapping[str, str | None] | None = None) -> Reading:
    text = options if isinstance(options, str) else json.dumps(options, indent=2)
    return merge([Source("o.json", text)], environment or {})


def rules(options: Mapping[str, Any] | str) -> Sequence[str]:
    return [found.rule.removeprefix("LG-ORTHANC-") for found in read(options).findings]


def one(options: Mapping[str, Any] | str, rule: str) -> Finding:
    (found,) = [found for found in read(options).findings if found.rule == f"LG-ORTHANC-{rule}"]
    return found


def closed(options: Mapping[str, Any] | str, rule: str) -> Json:
    """The options after the edits of one finding; the finding is gone."""
    text = options if isinstance(options, str) else json.dumps(options, indent=2)
    after = edited(text, one(text, rule).edits)
    assert rule not in rules(after)
    return plain(parse_json(Source("o.json", after)))


# ---- the web interface


def test_a_closed_web_interface_is_no_finding() -> None:
    assert rules({"RemoteAccessAllowed": False, "AuthenticationEnabled": False, **QUIET}) == []
    assert rules({"RemoteAccessAllowed": False, "RegisteredUsers": {"a": "a"}, **QUIET}) == []


def test_an_open_one_is_found_at_the_option_that_opens_it() -> None:
    found = one('{\n "RemoteAccessAllowed": true,\n "AuthenticationEnabled": false\n}', "001")

    assert (found.place.line, found.place.column, found.option) == (3, 2, "AuthenticationEnabled")
    assert (found.severity, found.exposure, found.listener) == (
        Severity.CRITICAL,
        Access.ANSWERS_QUERY,
        "web",
    )
    assert (found.cause, found.certainty) == (Cause.DELIBERATE, Certainty.LIKELY)


def test_closing_an_open_one_does_not_leave_the_factory_account() -> None:
    options = {**REMOTE, **QUIET, "AuthenticationEnabled": False}

    assert closed(options, "001") == {
        **options, "AuthenticationEnabled": True, "RegisteredUsers": {"admin": "${ORTHANC_ADMIN_PASSWORD}"},
    }  # fmt: skip


def test_closing_an_open_one_renews_passwords_that_others_know() -> None:
    users = {"orthanc": "orthanc", "kim": GOOD, "o'neil, jo": "${X}"}
    options = {**REMOTE, **QUIET, "AuthenticationEnabled": False, "RegisteredUsers": users}

    assert closed(options, "009") == {
        **options,
        "AuthenticationEnabled": True,
        "RegisteredUsers": {
            "orthanc": "${ORTHANC_PASSWORD}",
            "kim": "${ORTHANC_KIM_PASSWORD}",
            "o'neil, jo": "${X}",
        },
    }


@pytest.mark.parametrize(
    ("password", "rule", "severity"),
    [
        ("orthanc", "002", Severity.CRITICAL),
        ("change-me", "005", Severity.CRITICAL),
        ("123", "006", Severity.CRITICAL),
        (GOOD, "007", Severity.MEDIUM),
    ],
)
def test_a_password_is_found_and_never_told(password: str, rule: str, severity: Severity) -> None:
    options = {**REMOTE, **QUIET, "RegisteredUsers": {"orthanc": password}}
    reading = read(options)
    found = one(options, rule)

    assert (found.severity, found.option) == (severity, "RegisteredUsers.orthanc")
    assert closed(options, rule) == {**options, "RegisteredUsers": {"orthanc": "${ORTHANC_PASSWORD}"}}
    assert password == "orthanc" or password not in repr((reading.findings, reading.facts, reading.listeners))


def test_users_that_are_declared_nowhere_are_orthanc() -> None:
    options = {**REMOTE, **QUIET, "AuthenticationEnabled": True, "RegisteredUsers": {}}

    assert closed(options, "003") == {**options, "RegisteredUsers": {"admin": "${ORTHANC_ADMIN_PASSWORD}"}}
    assert one({**REMOTE, **QUIET, "AuthenticationEnabled": True}, "004").certainty is Certainty.DEPENDS
    assert "003" in rules({**REMOTE, **QUIET})


def test_users_under_a_misspelt_name_are_kept() -> None:
    options = {**REMOTE, **QUIET, "AuthenticationEnabled": True, "RegistredUsers": {"kim": GOOD}}

    assert closed(options, "004") == {
        **REMOTE, **QUIET, "AuthenticationEnabled": True, "RegisteredUsers": {"kim": GOOD},
    }  # fmt: skip


def test_a_password_that_is_empty_without_its_variable_is_told() -> None:
    options = {**REMOTE, **QUIET, "RegisteredUsers": {"a": "${WORD}"}}

    assert one(options, "008").edits == ()
    assert not read(options, {"WORD": None}).findings


def test_an_option_that_only_an_image_makes_dangerous_depends_on_it() -> None:
    found = one({"AuthenticationEnabled": False, **QUIET}, "010")

    assert found.certainty is Certainty.DEPENDS
    assert one({"RegisteredUsers": {"a": "a"}, **QUIET}, "006").certainty is Certainty.DEPENDS


@pytest.mark.parametrize(
    ("option", "value", "rule", "fixed"),
    [
        ("ExecuteLuaEnabled", True, "013", False),
        ("RestApiWriteToFileSystemEnabled", True, "014", False),
        ("WebDavEnabled", True, "015", False),
        ("SslMinimumProtocolVersion", 2, "012", 4),
        ("DeidentifyLogs", False, "055", True),
    ],
)
def test_a_power_is_found_and_closed(option: str, value: object, rule: str, fixed: object) -> None:
    options = {**REMOTE, **QUIET, "RegisteredUsers": {"a": "${X}"}, option: value}

    assert closed(options, rule) == {**options, option: fixed}


def test_a_comment_among_the_users_is_kept_when_one_is_declared() -> None:
    text = (
        '{\n "RemoteAccessAllowed": true,\n "RegisteredUsers" : {\n    // "alice" : "alicePassword"\n  }\n}'
    )
    after = edited(text, one(text, "003").edits)

    assert after == text.replace("// ", '"admin" : "${ORTHANC_ADMIN_PASSWORD}"\n    // ')


def test_the_web_without_tls_is_found() -> None:
    assert one({"RemoteAccessAllowed": True, **QUIET}, "011").edits == ()
    assert one({"HttpsVerifyPeers": False, **QUIET}, "054").edits == ()


def test_the_authorization_plugin_takes_the_place_of_a_login() -> None:
    options = {
        **REMOTE,
        **QUIET,
        "AuthenticationEnabled": False,
        "Authorization": {"WebServiceRootUrl": "http://a:1/"},
    }
    assert rules(options) == ["060"]

    leaking = {
        "UncheckedFolders": ["/ui/", "/dicom-web/"],
        "UncheckedResources": ["/system"],
        "UncheckedLevels": ["patients", "studies", "series", "instances"],
    }
    found = [
        f.option for f in read({**options, "Authorization": leaking}).findings if f.rule == "LG-ORTHANC-061"
    ]
    assert found == ["Authorization.UncheckedFolders", "Authorization.UncheckedLevels"]


def test_levels_that_are_not_checked_open_nothing_while_one_is() -> None:
    levels = {"CheckedLevel": "studies", "UncheckedLevels": ["patients", "series", "instances"]}
    options = {**REMOTE, **QUIET, "AuthenticationEnabled": False, "Authorization": levels}
    assert "061" not in rules(options)


def test_whoever_has_to_show_a_certificate_is_somebody() -> None:
    options = {**REMOTE, **QUIET, "AuthenticationEnabled": False, "SslVerifyPeers": True}
    assert rules(options) == []
    assert read(options).facts["verdict"] == "demands-certificate"


# ---- DICOM


def test_storing_by_anybody_is_closed_where_somebody_is_listed() -> None:
    options = {"DicomModalities": KNOWN}

    assert closed(options, "020") == {
        **options,
        "DicomAlwaysAllowStore": False,
        "DicomAlwaysAllowEcho": False,
    }
    assert one({"DicomAlwaysAllowStore": True, **options}, "020").cause is Cause.DELIBERATE
    assert one(options, "020").cause is Cause.FACTORY_DEFAULT


def test_storing_by_anybody_is_left_where_nobody_is_listed() -> None:
    assert one({}, "020").edits == ()
    assert one({"DicomModalities": {}}, "020").edits == ()
    in_database = {"DicomModalitiesInDatabase": True, "DicomModalities": KNOWN}
    assert one(in_database, "020").edits == ()
    assert one(in_database, "035").option == "DicomModalities"


@pytest.mark.parametrize(
    ("command", "rule"), [("Find", "021"), ("Get", "022"), ("Move", "023"), ("FindWorklist", "024")]
)
def test_reading_by_anybody_is_closed(command: str, rule: str) -> None:
    options = {f"DicomAlwaysAllow{command}": True}

    assert closed(options, rule) == {f"DicomAlwaysAllow{command}": False}


def test_an_echo_keeps_the_door_open() -> None:
    options = {"DicomAlwaysAllowStore": False, "DicomModalities": KNOWN}

    assert closed(options, "025") == {**options, "DicomAlwaysAllowEcho": False}


def test_a_title_is_no_lock() -> None:
    options = {"DicomCheckCalledAet": True, "DicomAlwaysAllowFind": True}

    assert one(options, "026").cause is Cause.MISREAD_OPTION
    assert (one(options, "021").severity, one(options, "021").exposure) == (Severity.HIGH, Access.WANTS_TITLE)
    assert "026" not in rules({**options, **dict.fromkeys(CLOSED, False), "DicomAlwaysAllowFind": False})


CLOSED = ("DicomAlwaysAllowStore", "DicomAlwaysAllowEcho")


def test_checks_that_do_not_concern_strangers_are_told() -> None:
    options = {"DicomCheckModalityHost": True, "StrictAetComparison": True}

    assert rules(options).count("027") == 2
    assert "027" not in rules({**options, **dict.fromkeys(CLOSED, False)})


def test_a_host_name_is_told_where_addresses_are_compared() -> None:
    peers = {
        "a": ["A", "scanner.local", 104],
        "b": ["B", "10.0.0.5", 104],
        "c": {"AET": "C", "Host": "::1", "Port": 1},
    }
    found = one({"DicomCheckModalityHost": True, "DicomModalities": peers}, "028")

    assert found.option == "DicomModalities.a"


def test_a_calling_title_is_no_identity() -> None:
    closed_ones = dict.fromkeys(CLOSED, False)

    assert "029" in rules(closed_ones)
    assert "029" not in rules({**closed_ones, "DicomCheckModalityHost": True})


def test_tls_of_dicom_is_looked_at() -> None:
    papers = dict.fromkeys(
        ("DicomTlsCertificate", "DicomTlsPrivateKey", "DicomTlsTrustedCertificates"), "x.pem"
    )

    assert "030" in rules({"DicomAet": "A"})
    assert rules({"DicomTlsEnabled": True, **papers}) == []
    assert rules({"DicomTlsEnabled": True}) == ["032"]
    assert "031" in rules({"DicomTlsEnabled": True, **papers, "DicomTlsRemoteCertificateRequired": False})
    old = {"DicomTlsEnabled": True, **papers, "DicomTlsMinimumProtocolVersion": 2}
    assert closed(old, "033") == {**old, "DicomTlsMinimumProtocolVersion": 0}


def test_answers_without_a_limit_are_told_where_anybody_asks() -> None:
    assert "034" in rules({"DicomAlwaysAllowFind": True})
    assert "034" not in rules({"DicomAlwaysAllowFind": True, "LimitFindResults": 100})
    assert "034" not in rules({})


# ---- spelling


def test_headers_that_orthanc_does_not_send_are_told_and_a_section_of_somebody_s_own_is_not() -> None:
    headers = {"Access-Control-Allow-Origin": "*"}
    assert "the front does" in one({**QUIET, "HttpHeaders": headers}, "040").says
    assert rules({**QUIET, "MyOwnPlugin": headers}) == []


@pytest.mark.parametrize(
    ("name", "rule", "words"),
    [
        ("DicomCheckCallingAet", "040", ("DicomCheckCalledAet", "DicomModalities")),
        ("RemoteAccessEnabled", "040", ("RemoteAccessAllowed",)),
        ("HttpCorsEnabled", "040", ("front",)),
        ("AllowCORS", "040", ("front",)),
        ("Whatever", "040", ("no option Whatever",)),
        ("DICOMAET", "041", ("DicomAet",)),
        ("EnableIndex", "042", ("PostgreSQL",)),
    ],
)
def test_an_option_that_does_not_exist_is_told_with_the_real_one(
    name: str, rule: str, words: Sequence[str]
) -> None:
    found = one({name: True, **QUIET}, rule)

    assert all(word in found.says for word in words)
    assert found.option == name


def test_a_lock_that_is_none_weighs_more_than_a_word_too_many() -> None:
    assert one({"DicomAllowedTitles": 1}, "040").severity is Severity.MEDIUM
    assert one({"Colour": 1}, "040").severity is Severity.LOW


def test_what_has_no_effect_is_taken_out_or_given_its_name() -> None:
    assert closed({**QUIET, "DicomCheckCallingAet": True}, "040") == QUIET
    assert closed({**QUIET, "dicomAlwaysAllowStore": False}, "041") == {
        **QUIET,
        "DicomAlwaysAllowStore": False,
    }
    # What would open something when it had its name is taken out.
    assert closed({**QUIET, "authenticationEnabled": False}, "041") == QUIET
    assert closed({**QUIET, "DicomAlwaysAlowFind": True}, "040") == QUIET
    # And what is more than a word is left to a person.
    assert one({**QUIET, "DicomModality": {"a": 1}}, "040").edits == ()


def test_a_misspelt_lock_is_put_right_and_not_doubled() -> None:
    options = {"dicomAlwaysAllowStore": False, "DicomModalities": KNOWN}

    assert closed(options, "020") == {
        "DicomAlwaysAllowStore": False, "DicomModalities": KNOWN, "DicomAlwaysAllowEcho": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    "name", ["_comment", "//", "#note", "comment", "Comments", "$schema", "---", "README"]
)
def test_a_note_is_no_option(name: str) -> None:
    assert rules({**QUIET, name: "who wrote this"}) == []


def test_the_section_of_a_plugin_that_is_not_known_is_left_alone() -> None:
    assert rules({**QUIET, "OurOwnPlugin": {"Enable": True}}) == []
    assert rules({**QUIET, "DicomWebs": {"Enable": True}}) == ["040"]


def test_an_option_that_the_plugin_does_not_have_is_told() -> None:
    found = one({**QUIET, "DicomWeb": {"Enable": True, "Roots": "/a", "_note": 1}}, "044")

    assert found.option == "DicomWeb.Roots"
    assert found.says.endswith("the nearest is Root")


@pytest.mark.parametrize(
    ("option", "value", "fixed"),
    [
        ("StableAge", "60", 60),
        ("StableAge", 60.0, 60),
        ("KeepAlive", "true", True),
        ("KeepAlive", "False", False),
    ],
)
def test_a_value_of_the_wrong_type_is_put_right(option: str, value: object, fixed: object) -> None:
    assert closed({**QUIET, option: value}, "043") == {**QUIET, option: fixed}


@pytest.mark.parametrize("value", ["yes", 1, [], {}, None])
def test_a_value_of_the_wrong_type_that_says_nothing_is_left_to_a_person(value: object) -> None:
    assert one({**QUIET, "KeepAlive": value}, "043").edits == ()


@pytest.mark.parametrize("value", ["4242", "04242", "${PORT}", "${PORT:-1}"])
def test_a_number_may_be_written_in_other_ways(value: str) -> None:
    assert rules(f'{{"DicomServerEnabled": false, "DicomPort": {value}}}') == []


@pytest.mark.parametrize("value", [-1, 4242.5])
def test_a_number_that_no_option_takes_is_told(value: float) -> None:
    assert one({**QUIET, "DicomPort": value}, "043").edits == ()


def test_an_option_that_is_set_twice_is_left_once() -> None:
    text = '{\n "DicomServerEnabled": false,\n "Name": "a", // first\n "Name": "b"\n}'

    assert one(text, "045").place.line == 4
    assert closed(text, "045") == {"DicomServerEnabled": False, "Name": "b"}


def test_a_file_of_nothing_but_strange_names_is_read_in_time() -> None:
    text = "{" + ",".join(f'"DicomCheckCallingAet{i}": 1' for i in range(20_000)) + "}"

    assert len(read(text).findings) < 500


# ---- secrets of other services


def test_a_file_of_nothing_but_secrets_is_read_in_time() -> None:
    text = '{"P": {' + ",".join('"password": "change-me"' for _ in range(20_000)) + "}}"

    assert len(read(text).findings) < 200


@pytest.mark.parametrize(
    ("options", "rule", "option"),
    [
        ({"PostgreSQL": {"Username": "postgres", "Password": "postgres"}}, "050", "PostgreSQL.Password"),
        ({"PostgreSQL": {"ConnectionUri": "postgresql://o:orthanc@db:5432/o"}}, "050", "PostgreSQL.ConnectionUri"),
        ({"MySQL": {"Username": "o", "Password": GOOD}}, "051", "MySQL.Password"),
        ({"Odbc": {"IndexConnectionString": "Driver=x;Uid=o;Pwd=kV9#mQ2x!rTz;"}}, "051", "Odbc.IndexConnectionString"),
        ({"OrthancPeers": {"b": ["http://b:8042/", "orthanc", "orthanc"]}}, "052", "OrthancPeers.b"),
        ({"OrthancPeers": {"b": {"Url": "http://b/", "Username": "a", "Password": GOOD}}}, "053", "OrthancPeers.b.Password"),
        ({"DicomWeb": {"Servers": {"c": ["https://c/", "u", "change-me"]}}}, "052", "DicomWeb.Servers.c"),
        ({"DicomWeb": {"Servers": {"c": {"HttpHeaders": {"Authorization": "Bearer kV9mQ2xrTz"}}}}}, "053",
         "DicomWeb.Servers.c.HttpHeaders.Authorization"),
        ({"AwsS3Storage": {"AccessKey": "minioadmin", "SecretKey": "minioadmin"}}, "052", "AwsS3Storage.SecretKey"),
        ({"AzureBlobStorage": {"ConnectionString": "AccountName=a;AccountKey=kV9#mQ2x!rTz;"}}, "053",
         "AzureBlobStorage.ConnectionString"),
        ({"OurOwnPlugin": {"Deep": [{"api_key": "change-me"}]}}, "052", "OurOwnPlugin.Deep.api_key"),
        ({"HttpProxy": "http://proxy:kV9#mQ2x!rTz@proxy:3128"}, "053", "HttpProxy"),
    ],
)  # fmt: skip
def test_a_secret_is_found_taken_out_and_never_told(
    options: Mapping[str, Any], rule: str, option: str
) -> None:
    found = one({**QUIET, **options}, rule)
    after = json.dumps(closed({**QUIET, **options}, rule))

    assert found.option == option
    assert "${ORTHANC_" in after
    assert GOOD not in after
    assert GOOD not in repr(found)


@pytest.mark.parametrize(
    "options",
    [
        {"PostgreSQL": {"Username": "o", "Password": "${PG_PASSWORD}"}},
        {"PostgreSQL": {"Username": "o", "Password": ""}},
        {"OrthancPeers": {"b": ["http://b:8042/"]}},
        {"DicomTlsPrivateKey": "/etc/ssl/key.pem"},
        {"Authorization": {"TokenHttpHeaders": ["token"]}, "AuthenticationEnabled": True},
    ],
)
def test_what_is_no_secret_is_left_alone(options: Mapping[str, Any]) -> None:
    assert not {"050", "051", "052", "053"} & set(rules({**QUIET, **options}))
