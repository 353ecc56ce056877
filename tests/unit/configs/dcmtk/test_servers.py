"""Command lines of DCMTK's servers in units and scripts: what they open."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadglass.configs.dcmtk.readers import READERS
from leadglass.configs.reading import Reach, Reading
from leadglass.configs.source import Source, edited
from leadglass.model.verdict import Access

FIXTURES = Path(__file__).parents[3] / "fixtures" / "configs" / "dcmtk"
PASSWORD = "a-very-particular-word-81"


def kind(text: str, path: str = "file") -> str | None:
    source = Source(path, text)
    return next((reader.kind for reader in READERS if reader.recognises(source)), None)


def read(text: str, path: str = "file") -> Reading:
    source = Source(path, text)
    (reader,) = [reader for reader in READERS if reader.recognises(source)]
    return reader.read(source, {})


def unit(*lines: str) -> str:
    return "\n".join(
        ("[Unit]", "Description=x", "[Service]", *lines, "[Install]", "WantedBy=multi-user.target", "")
    )


def command(line: str) -> Reading:
    return read(unit(f"ExecStart=/usr/bin/{line}"), "a.service")


def rules(reading: Reading) -> list[str]:
    return [found.rule for found in reading.findings]


def exposure(reading: Reading) -> Access:
    return reading.listeners[0].exposure


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        (unit("ExecStart=/usr/bin/storescp 104"), "a.service", "unit"),
        (unit("ExecStart=/usr/bin/nginx"), "a.service", None),
        (unit("ExecStart=/usr/bin/storescp.py 104"), "a.service", None),
        ("#!/bin/sh\nstorescp 104\n", "start", "script"),
        ("#!/usr/bin/env bash\ndcmqrscp\n", "start", "script"),
        ("#!/usr/bin/python3\nstorescp = 1\n", "start.py", None),
        ("storescp 104\n", "start.sh", "script"),
        ("storescp 104\n", "notes.txt", None),
        ("[Service]\n", "a.service", None),
    ],
)
def test_files_are_told_by_what_they_hold(text: str, path: str, expected: str | None) -> None:
    assert kind(text, path) == expected


@pytest.mark.parametrize("program", ["storescp", "dcmrecv"])
def test_a_receiver_takes_objects_from_anybody(program: str) -> None:
    reading = command(f"{program} -od /in -aet CLINIC 11112")

    assert rules(reading) == ["LG-DCMTK-020"]
    assert exposure(reading) is Access.OFFERS_STORAGE
    assert reading.facts["ports"] == "11112"
    assert reading.facts["dicom_if_public"] == "any AE store"
    assert reading.facts["titles"] == ("CLINIC",)
    assert "refuses nobody" in reading.findings[0].says


def test_the_value_of_an_option_is_not_taken_for_the_port() -> None:
    assert command("storescp --fork -ta 30 --max-pdu 16384 -od 9999 11112").listeners[0].port == 11112


def test_movescu_listens_only_when_it_is_given_a_port() -> None:
    assert command("movescu archive 104 q.dcm").listeners == ()
    assert command("movescu +P 11113 archive 104 q.dcm").listeners[0].port == 11113


def test_the_worklist_answers_anybody() -> None:
    reading = command("wlmscpfs -dfp /wl 11112")

    assert rules(reading) == ["LG-DCMTK-021"]
    assert exposure(reading) is Access.OFFERS_QUERY
    assert reading.facts["dicom_if_public"] == "any AE worklist query"


TLS = "+tls /k.pem /c.pem +cf /ca.pem"


@pytest.mark.parametrize("line", [f"storescp {TLS} 104", f"storescp -ic {TLS} -rc 104", f"dcmrecv {TLS} 104"])
def test_tls_demands_a_certificate_unless_it_is_told_otherwise(line: str) -> None:
    reading = command(line)

    assert reading.findings == ()
    assert exposure(reading) is Access.DEMANDS_CERTIFICATE
    assert (reading.listeners[0].tls, reading.listeners[0].client_certificate) == (True, True)


@pytest.mark.parametrize(
    ("word", "instead"),
    [
        ("-ic", "-rc"),
        ("-vc", "-rc"),
        ("--ignore-peer-cert", "--require-peer-cert"),
        ("--verify-peer-cert", "--require-peer-cert"),
    ],
)
def test_a_certificate_that_is_not_required_is_required_by_the_fix(word: str, instead: str) -> None:
    reading = command(f"storescp {TLS} {word} 104")
    (found,) = reading.findings
    fixed = edited(reading.source.text, found.edits)

    assert found.rule == "LG-DCMTK-023"
    assert exposure(reading) is Access.OFFERS_STORAGE
    assert fixed == reading.source.text.replace(word, instead)
    assert read(fixed).findings == ()


def test_certificates_are_not_required_where_none_could_be_verified() -> None:
    (found,) = command("storescp +tls /k.pem /c.pem -ic 104").findings

    assert found.edits == ()


def test_tls_that_is_turned_off_again_is_none() -> None:
    assert rules(command(f"storescp {TLS} -tls 104")) == ["LG-DCMTK-020"]


@pytest.mark.parametrize("word", ["+pa", "+pn", "+pb", "--profile-null", "+cs TLS_RSA_WITH_NULL_SHA"])
def test_retired_profiles_and_suites_are_told(word: str) -> None:
    assert rules(command(f"storescp {TLS} {word} 104")) == ["LG-DCMTK-024"]


def test_a_current_suite_is_no_finding() -> None:
    assert rules(command(f"storescp {TLS} +cs TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 104")) == []


def test_the_password_of_the_key_is_told_and_never_shown() -> None:
    reading = command(f"storescp {TLS} +pw {PASSWORD} 104")

    assert rules(reading) == ["LG-DCMTK-026"]
    assert PASSWORD not in repr((reading.findings, reading.facts, reading.listeners))


def test_a_password_from_the_environment_is_not_in_the_file() -> None:
    assert rules(command(f"storescp {TLS} +pw ${{KEY_WORD}} 104")) == []


def test_the_tcp_wrapper_lets_in_named_hosts_as_far_as_is_known() -> None:
    reading = command("storescp +ac 104")

    assert rules(reading) == ["LG-DCMTK-020", "LG-DCMTK-027"]
    assert reading.listeners[0].reach is Reach.NAMED
    assert command("storescp +ac -ac 104").listeners[0].reach is Reach.UNKNOWN


def test_a_command_made_of_the_callers_words_is_told() -> None:
    assert "LG-DCMTK-025" in rules(command('storescp -xcr "/opt/in #p/#f #a" 104'))
    assert "LG-DCMTK-025" not in rules(command('storescp -xcr "/opt/in #p/#f" 104'))


def test_whoever_may_shut_it_down_is_told_and_the_word_is_taken_out() -> None:
    reading = command("dcmqrscp --allow-shutdown --config /etc/a.cfg")
    fixed = edited(reading.source.text, [edit for found in reading.findings for edit in found.edits])

    assert rules(reading) == ["LG-DCMTK-022", "LG-DCMTK-028"]
    assert "ExecStart=/usr/bin/dcmqrscp --config /etc/a.cfg\n" in fixed
    assert reading.includes == ("/etc/a.cfg",)


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ('O="-c a.cfg --allow-shutdown"\ndcmqrscp $O', 'O="-c a.cfg"\ndcmqrscp $O'),
        ("dcmqrscp \\\n  --allow-shutdown \\\n  -c a.cfg", "dcmqrscp \\\n  \\\n  -c a.cfg"),
        ("dcmqrscp --allow-shutdown\n# --allow-shutdown is for tests", None),
    ],
)
def test_a_word_is_taken_out_where_it_is_written(text: str, fixed: str | None) -> None:
    reading = read(f"#!/bin/sh\n{text}\n")

    edits = [edit for found in reading.findings for edit in found.edits]
    assert "LG-DCMTK-022" in rules(reading)
    assert edited(reading.source.text, edits) == f"#!/bin/sh\n{text if fixed is None else fixed}\n"


def test_whom_dcmqrscp_answers_stands_in_another_file() -> None:
    reading = command(f"dcmqrscp {TLS.replace('+cf /ca.pem', '')} -ic -c a.cfg 104")

    assert exposure(reading) is Access.INCONCLUSIVE
    assert rules(reading) == []


def test_dcm4ches_receiver_is_told_from_dcmtks() -> None:
    reading = read(
        "#!/bin/sh\nnohup ./storescp --accept-unknown --directory /in -b CLINIC@192.0.2.1:4243 &\n"
    )

    assert (reading.listeners[0].product, reading.listeners[0].port) == ("dcm4che storescp", 4243)
    assert rules(read("#!/bin/sh\nstorescp -b X:1 --tls-noauth\n")) == ["LG-DCMTK-023"]


# ---- units


def test_a_units_variables_and_continued_lines_are_followed() -> None:
    text = unit(
        "Environment=PORT=11112 'TITLE=MY CLINIC'",
        "EnvironmentFile=-/etc/default/receiver",
        "ExecStartPre=-/bin/mkdir -p /in",
        "ExecStart=@/usr/bin/storescp storescp \\",
        "  -aet ${TITLE} \\",
        "  $PORT",
    )
    reading = read(text)

    assert reading.kind == "unit"
    assert reading.facts["titles"] == ("MY CLINIC",)
    assert reading.listeners[0].port == 11112
    assert reading.includes == ("/etc/default/receiver",)
    assert reading.findings[0].place.line == 7


@pytest.mark.parametrize(
    ("lines", "reach"),
    [
        (("IPAddressDeny=any", "IPAddressAllow=192.0.2.0/24"), Reach.NAMED),
        (("IPAddressDeny=any", "IPAddressAllow=localhost"), Reach.LOOPBACK),
        (("IPAddressAllow=localhost",), Reach.UNKNOWN),
        (("PrivateNetwork=yes",), Reach.LOOPBACK),
    ],
)
def test_what_systemd_lets_through_is_the_reach(lines: tuple[str, ...], reach: Reach) -> None:
    assert read(unit(*lines, "ExecStart=/usr/bin/storescp 104")).listeners[0].reach is reach


def test_a_shell_in_a_unit_is_followed() -> None:
    reading = read(unit("ExecStart=/bin/sh -c 'cd /in && exec storescp -aet X 104'"))

    assert reading.listeners[0].port == 104
    assert reading.findings[0].option == "storescp"


# ---- scripts


def test_an_init_script_names_its_servers_once() -> None:
    reading = read((FIXTURES / "archive.init").read_text(), "archive")

    assert [(one.name, one.port) for one in reading.listeners] == [
        ("dcmqrscp/dicom", 11112),
        ("storescp/dicom", 11113),
        ("wlmscpfs/dicom", 11114),
    ]
    assert reading.includes == ("/etc/default/archive", "/srv/archive/dcmqrscp.cfg")
    assert rules(reading) == ["LG-DCMTK-022", "LG-DCMTK-028", "LG-DCMTK-020", "LG-DCMTK-021"]


@pytest.mark.parametrize(
    "line",
    [
        "echo storescp 104",
        "killall storescp",
        "pidof storescp && exit",
        "start-stop-daemon --stop --exec /usr/bin/storescp",
        "which storescp",
        "PROGRAM=/usr/bin/storescp",
        "# storescp 104",
        "apt-get install storescp",
    ],
)
def test_a_line_that_starts_nothing_opens_nothing(line: str) -> None:
    assert read(f"#!/bin/sh\n{line}\n").listeners == ()


@pytest.mark.parametrize(
    "line",
    [
        "storescp 104 &",
        "sudo -u dicom nohup /opt/bin/storescp 104 >log 2>&1",
        "exec env X=1 storescp 104",
        "if ! storescp 104; then exit; fi",
        "while true; do storescp 104; done",
        "start-stop-daemon --start -b --exec /usr/bin/storescp -- 104",
        "daemon --user dicom storescp 104",
        "bash -c 'storescp 104'",
        "timeout 60 storescp 104",
        "export P=104; storescp $P",
        "D=storescp; $D 104",
    ],
)
def test_a_line_that_starts_a_server_is_found(line: str) -> None:
    (listener,) = read(f"#!/bin/sh\n{line}\n").listeners

    assert (listener.name, listener.port) == ("dicom", 104)


def test_a_port_that_is_not_known_is_none() -> None:
    reading = read('#!/bin/sh\nstorescp "$1" >/dev/null 2>&1\n')

    assert reading.listeners[0].port is None
    assert "its port" in reading.findings[0].says


def test_the_same_line_twice_is_one_server() -> None:
    assert len(read("#!/bin/sh\nstorescp 104\nstorescp 104\n").listeners) == 1
    assert [one.name for one in read("#!/bin/sh\nstorescp 104\nstorescp 105\n").listeners] == [
        "storescp/dicom",
        "storescp-2/dicom",
    ]
