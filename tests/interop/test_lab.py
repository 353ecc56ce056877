"""The lab as real clients meet it, and as our own scanner does: both must find what its table says."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pynetdicom
import pytest

from leadglass.errors import LocalProtocolError, ResourceError
from leadglass.lab.personas import PERSONAS
from leadglass.lab.places import Place, claim, listen, places
from leadglass.lab.serve import Lab, Running
from leadglass.wiring.lab import running_lab

dcmtk = pytest.mark.peer("dcmtk")
openssl = pytest.mark.peer("openssl")

ALL_STUDIES = ["-k", "0008,0052=STUDY", "-k", "0010,0010", "-k", "0010,0030", "-k", "0020,000D"]
BROKEN = ["half-pdu", "endless-pdu", "garbage", "wrong-length", "reset"]
OPEN = ["open-archive", "veterinary", "demonstration", "honeypot", "slow"]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with running_lab() as made:
        yield made


def server(lab: Lab, name: str) -> Running:
    return next(running for running in lab.servers if running.persona.name == name)


def dcmtk_client(program: str, lab: Lab, name: str, *options: str | Path, port: int = 0) -> str:
    """Everything a DCMTK client says when it meets the persona."""
    there = server(lab, name)
    patience = ["-to", "4", "-ta", "8", "-td", "8"]
    address = [there.address, str(there.ports[port])]
    done = subprocess.run(
        [program, "-v", *patience, *options, *address],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=60,
        check=False,
        env={**os.environ, "TCP_NODELAY": "1"},
    )
    return done.stdout + done.stderr


# ---- real clients find what the table says


@dcmtk
@pytest.mark.parametrize(
    "name",
    [
        *OPEN,
        "empty-archive",
        "orthanc-like",
        "storage-only",
        "worklist-only",
        "verification-only",
        "ignores-keys",
    ],
)
def test_echoscu_is_answered(lab: Lab, name: str) -> None:
    assert "Received Echo Response (Success)" in dcmtk_client("echoscu", lab, name)


@dcmtk
@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("caller-refused", "Calling AE Title Not Recognized"),
        ("called-title-refused", "Called AE Title Not Recognized"),
        ("busy", "Temporary Congestion"),
    ],
)
def test_echoscu_is_rejected_for_the_reason_in_the_table(lab: Lab, name: str, why: str) -> None:
    assert why in dcmtk_client("echoscu", lab, name)


@dcmtk
@pytest.mark.parametrize("name", BROKEN)
def test_echoscu_gets_nowhere_with_the_broken_ones(lab: Lab, name: str) -> None:
    said = dcmtk_client("echoscu", lab, name)

    assert "Association Accepted" not in said
    assert "Association Request Failed" in said


@dcmtk
@pytest.mark.parametrize(
    ("name", "titles"),
    [("caller-refused", ("-aet", "CT-ROOM-1")), ("called-title-refused", ("-aec", "ARCHIVE-WEST"))],
)
def test_findscu_with_the_right_title_gets_in(lab: Lab, name: str, titles: tuple[str, str]) -> None:
    said = dcmtk_client("findscu", lab, name, "-S", *titles, *ALL_STUDIES)

    assert said.count(lab.canaries.stems.word.upper()) == 12


@dcmtk
@pytest.mark.parametrize("name", OPEN)
def test_findscu_reads_every_patient_of_the_open_ones(lab: Lab, name: str) -> None:
    said = dcmtk_client("findscu", lab, name, "-S", *ALL_STUDIES)

    assert said.count(lab.canaries.stems.word.upper()) == 12
    assert "Final Find Response (Success)" in said


@dcmtk
@pytest.mark.parametrize("model", ["-S", "-P", "-O"])
def test_findscu_finds_nothing_by_a_key_that_nobody_has(lab: Lab, model: str) -> None:
    level = "STUDY" if model == "-S" else "PATIENT"
    keys = ["-k", f"0008,0052={level}", "-k", "0010,0020=NOT-THERE"]
    said = dcmtk_client("findscu", lab, "open-archive", model, *keys)

    expected = "No Acceptable Presentation Contexts" if model == "-O" else "Final Find Response (Success)"
    assert expected in said
    assert "Pending" not in said


@dcmtk
def test_findscu_finds_nothing_in_the_empty_archive(lab: Lab) -> None:
    said = dcmtk_client("findscu", lab, "empty-archive", "-S", *ALL_STUDIES)

    assert "Final Find Response (Success)" in said
    assert "Pending" not in said


@dcmtk
def test_findscu_is_granted_the_query_by_the_orthanc_like_server_and_then_aborted(lab: Lab) -> None:
    said = dcmtk_client("findscu", lab, "orthanc-like", "-S", *ALL_STUDIES)

    assert "Association Accepted" in said
    assert "Peer Aborted Association" in said
    assert lab.canaries.stems.word.upper() not in said


@dcmtk
def test_findscu_reads_the_worklist(lab: Lab) -> None:
    step = ["-k", "0040,0100[0].0008,0060", "-k", "0040,0100[0].0040,0001"]
    said = dcmtk_client("findscu", lab, "worklist-only", "-W", "-k", "0010,0010", *step)

    assert said.count(lab.canaries.stems.word.upper()) == 12
    assert said.count("ScheduledProcedureStepSequence") == 13  # the question's and twelve answers'
    assert said.count("[RIS ]") == 12


@dcmtk
@pytest.mark.parametrize("name", ["storage-only", "verification-only"])
def test_findscu_is_offered_no_query_by_the_limited_ones(lab: Lab, name: str) -> None:
    said = dcmtk_client("findscu", lab, name, "-S", *ALL_STUDIES)

    assert "No Acceptable Presentation Contexts" in said


@dcmtk
def test_findscu_cannot_stop_the_one_that_ignores_keys_and_cancel(lab: Lab) -> None:
    nobody = ["-k", "0008,0052=STUDY", "-k", "0010,0010", "-k", "0020,000D=2.25.1"]
    there = server(lab, "ignores-keys")
    with subprocess.Popen(
        ["findscu", "-v", "-S", "--cancel", "5", *nobody, there.address, str(there.ports[0])],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as client:
        assert client.stdout is not None
        names = 0
        for line in client.stdout:
            names += lab.canaries.stems.word.upper() in line
            if names == 500:
                break
        client.kill()

    assert names == 500


def image() -> pydicom.Dataset:
    made = pydicom.Dataset()
    made.file_meta = pydicom.dataset.FileMetaDataset()
    made.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID = pydicom.uid.CTImageStorage
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID = "2.25.3"
    made.PatientName = "TEST^IMAGE"
    made.PixelData = bytes(200_000)
    made["PixelData"].VR = "OW"
    return made


@dcmtk
@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("open-archive", "Received Store Response (Success)"),
        ("storage-only", "Received Store Response (Success)"),
        ("orthanc-like", "Received Store Response (Success)"),
        ("verification-only", "No Acceptable Presentation Contexts"),
        ("worklist-only", "No Acceptable Presentation Contexts"),
        ("honeypot", "Received Store Response (Unknown Status: 0x124)"),
    ],
)
def test_storescu_is_met_as_the_table_says(lab: Lab, name: str, status: str, tmp_path: Path) -> None:
    image().save_as(tmp_path / "image.dcm", enforce_file_format=True)
    there = server(lab, name)
    done = subprocess.run(
        ["storescu", "-v", "-R", there.address, str(there.ports[0]), tmp_path / "image.dcm"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert status in done.stdout + done.stderr


def test_the_slow_one_takes_two_seconds_for_each_answer(lab: Lab) -> None:
    there = server(lab, "slow")
    entity = pynetdicom.AE()
    entity.add_requested_context(pynetdicom.sop_class.Verification)
    began = time.monotonic()
    association = entity.associate(there.address, there.ports[0])
    status = association.send_c_echo()
    association.abort()

    assert status.Status == 0x0000
    assert 4.0 <= time.monotonic() - began < 8.0


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1"], ids=["implicit", "explicit"])
def test_pynetdicom_reads_the_patients_in_either_encoding(lab: Lab, syntax: str) -> None:
    there = server(lab, "open-archive")
    entity = pynetdicom.AE()
    entity.add_requested_context("1.2.840.10008.5.1.4.1.2.1.1", syntax)
    keys = pydicom.Dataset()
    keys.QueryRetrieveLevel, keys.PatientName, keys.PatientBirthDate = "PATIENT", "FICTITIOUS*", ""
    association = entity.associate(there.address, there.ports[0])
    answers = list(association.send_c_find(keys, "1.2.840.10008.5.1.4.1.2.1.1"))
    association.release()

    found = [identifier for _, identifier in answers if identifier]
    assert len(found) == 12
    assert {str(f.PatientBirthDate) for f in found} <= set(lab.canaries.dates)
    assert all(lab.canaries.stems.word in str(f.PatientName).lower() for f in found)


def test_the_honeypot_grants_what_nobody_has(lab: Lab) -> None:
    there = server(lab, "honeypot")
    entity = pynetdicom.AE()
    for syntax in ("2.25.12345", "1.2.840.10008.5.1.4.1.2.2.1"):
        entity.add_requested_context(syntax, ["1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2"])
    association = entity.associate(there.address, there.ports[0])
    granted = {str(c.abstract_syntax): c.transfer_syntax for c in association.accepted_contexts}
    association.abort()

    assert granted == {
        "2.25.12345": ["1.2.840.10008.1.2.4.70"],
        "1.2.840.10008.5.1.4.1.2.2.1": ["1.2.840.10008.1.2.4.70"],
    }


# ---- TLS, with OpenSSL's own client


def s_client(lab: Lab, name: str, *options: str) -> str:
    there = server(lab, name)
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"{there.address}:{there.ports[0]}", *options],
        input="",
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.stdout + done.stderr


@openssl
@pytest.mark.parametrize(
    ("name", "version", "alert"),
    [
        ("mutual-tls-1.2", "TLSv1.2", "alert handshake failure"),
        ("mutual-tls-1.3", "TLSv1.3", "alert certificate required"),
        ("lock-beside-open-door", "TLSv1.3", "alert certificate required"),
    ],
)
def test_mutual_tls_tells_who_has_no_certificate_and_lets_in_who_has(
    lab: Lab, name: str, version: str, alert: str
) -> None:
    stranger = s_client(lab, name, "-ign_eof")
    pair = lab.papers.client
    known = s_client(lab, name, "-CAfile", lab.papers.authority, "-cert", pair.certificate, "-key", pair.key)

    assert alert in stranger
    assert "alert" not in known
    assert "Verification: OK" in known
    assert version in known


@openssl
@pytest.mark.parametrize("name", ["mutual-tls-1.2", "mutual-tls-1.3"])
def test_each_mutual_tls_speaks_one_version_only(lab: Lab, name: str) -> None:
    other = {"mutual-tls-1.2": "-tls1_3", "mutual-tls-1.3": "-tls1_2"}[name]

    assert "alert protocol version" in s_client(lab, name, other)


@openssl
@pytest.mark.parametrize(
    ("options", "suite"),
    [
        (["-tls1", "-cipher", "AES128-SHA:@SECLEVEL=0"], "TLSv1, Cipher is"),
        (["-tls1_1", "-cipher", "AES128-SHA:@SECLEVEL=0"], "AES128-SHA"),
        (["-tls1_2", "-cipher", "NULL-SHA:@SECLEVEL=0"], "NULL-SHA"),
        (["-tls1_2", "-cipher", "AECDH-AES128-SHA:@SECLEVEL=0"], "AECDH-AES128-SHA"),
    ],
    ids=["1.0", "1.1", "no encryption", "no identity"],
)
def test_the_retired_server_speaks_what_is_retired(lab: Lab, options: list[str], suite: str) -> None:
    said = s_client(lab, "retired-tls", *options)

    assert suite in said or suite.partition(",")[0] in said
    assert "Cipher is (NONE)" not in said


def test_behind_mutual_tls_stands_the_archive(lab: Lab) -> None:
    there = server(lab, "mutual-tls-1.3")
    settings = ssl.create_default_context(cafile=lab.papers.authority)
    settings.load_cert_chain(*lab.papers.client)
    entity = pynetdicom.AE()
    entity.add_requested_context("1.2.840.10008.1.1")
    association = entity.associate(there.address, there.ports[0], tls_args=(settings, there.address))

    assert association.send_c_echo().Status == 0x0000
    association.release()


# ---- HTTP, with curl


@pytest.mark.parametrize(
    ("name", "path", "status", "shows"),
    [
        ("orthanc-web-open", "/", 301, "location: app/explorer.html"),
        ("orthanc-web-open", "/system", 200, '"Version": "1.10.1"'),
        ("orthanc-web-open", "/dicom-web/studies?StudyInstanceUID=2.25.1&limit=1", 200, "[]"),
        ("dicomweb-open", "/", 404, "not found"),
        ("dicomweb-open", "/dicom-web/studies?StudyInstanceUID=2.25.1", 200, "application/dicom+json"),
        ("dicomweb-login", "/dicom-web/studies", 401, "bearer realm"),
        ("yes-man-web", "/dicom-web/studies", 200, "<!doctype html>"),
        ("yes-man-web", "/any/path", 200, "<!doctype html>"),
    ],
)
def test_curl_is_answered_as_the_table_says(lab: Lab, name: str, path: str, status: int, shows: str) -> None:
    said = curl(server(lab, name), path)

    assert said.startswith(f"HTTP/1.1 {status}")
    assert shows.lower() in said.lower()


def test_curl_is_asked_to_log_in_at_the_orthanc_like_server(lab: Lab) -> None:
    said = curl(server(lab, "orthanc-like"), "/system", port=1)

    assert said.startswith("HTTP/1.1 401")
    assert 'Basic realm="Orthanc Secure Area"' in said


def test_curl_reads_the_patients_of_the_open_ones(lab: Lab) -> None:
    for name in ("orthanc-web-open", "dicomweb-open"):
        assert lab.canaries.stems.word.upper() in curl(server(lab, name), "/dicom-web/studies?limit=3")


def curl(there: Running, path: str, port: int = 0) -> str:
    return subprocess.run(
        ["curl", "-sS", "-i", "--max-time", "10", f"http://{there.address}:{there.ports[port]}{path}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout


# ---- the broken ones, byte for byte


def first_bytes(there: Running, size: int) -> bytes:
    """What comes in answer to one byte, up to ``size`` bytes or the end."""
    got = b""
    with socket.create_connection((there.address, there.ports[0]), timeout=2) as connection:
        connection.sendall(b"\x01")
        with contextlib.suppress(TimeoutError):
            while len(got) < size and (piece := connection.recv(65536)):
                got += piece
    return got


def test_the_half_pdu_ends_before_its_length_says(lab: Lab) -> None:
    got = first_bytes(server(lab, "half-pdu"), 1000)

    assert got[:2] == b"\x02\x00"
    assert 6 < len(got) < 6 + int.from_bytes(got[2:6], "big")


def test_the_endless_pdu_does_not_end_soon(lab: Lab) -> None:
    got = first_bytes(server(lab, "endless-pdu"), 5_000_000)

    assert got[:6] == b"\x02\x00\xff\xff\xff\xff"
    assert len(got) >= 5_000_000


def test_the_wrong_length_fits_on_the_outside_only(lab: Lab) -> None:
    got = first_bytes(server(lab, "wrong-length"), 1000)

    assert len(got) == 6 + int.from_bytes(got[2:6], "big")
    assert int.from_bytes(got[76:78], "big") > len(got) - 78


def test_the_reset_is_one(lab: Lab) -> None:
    with pytest.raises(ConnectionResetError):
        first_bytes(server(lab, "reset"), 1)


def test_the_garbage_is_another_each_time_and_speaks_no_protocol(lab: Lab) -> None:
    got = first_bytes(server(lab, "garbage"), 4000)

    assert got[:1] == b"\xff"
    assert len(set(got)) > 200


# ---- where and how it listens


def test_it_listens_on_loopback_only(lab: Lab) -> None:
    assert all(running.address.startswith("127.") for running in lab.servers)
    with pytest.raises(LocalProtocolError, match="loopback"):
        listen("0.0.0.0", 20999)


def test_two_labs_stand_side_by_side_with_different_patients(lab: Lab) -> None:
    with running_lab() as other:
        mine = {(r.address, port) for r in lab.servers for port in r.ports}
        theirs = {(r.address, port) for r in other.servers for port in r.ports}

        assert not mine & theirs
        assert lab.canaries.stems != other.canaries.stems
        assert not set(lab.canaries.stems) & set(other.canaries.stems)


def test_a_taken_port_is_named_in_one_line() -> None:
    with listen("127.77.9.9", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ResourceError) as error:
            claim([(Place("127.77.9.9", (port,)),)])

    assert str(error.value).startswith(f"127.77.9.9:{port}: this port is taken; ")


def test_a_server_on_all_addresses_drives_the_lab_to_other_ports() -> None:
    with socket.socket() as everywhere:
        everywhere.bind(("0.0.0.0", 0))
        everywhere.listen()
        port = everywhere.getsockname()[1]
        way, sockets = claim([(Place("127.77.9.9", (port,)),), (Place("127.77.9.9", (0,)),)])
        for sock in sockets[0]:
            sock.close()

    assert way == (Place("127.77.9.9", (0,)),)


def test_where_there_is_only_one_address_all_share_it() -> None:
    *_, last = places(PERSONAS)
    way, sockets = claim([last])
    for sock in (s for listening in sockets for s in listening):
        sock.close()

    assert {place.address for place in way} == {"127.0.0.1"}
    assert all(20000 <= port < 21000 for place in way for port in place.ports)


def test_the_keys_are_private_and_gone_afterwards() -> None:
    with running_lab() as lab:
        key = Path(lab.papers.server.key)

        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    assert not key.parent.exists()


def test_nothing_listens_afterwards() -> None:
    with running_lab() as lab:
        there = server(lab, "open-archive")
        held = socket.create_connection((there.address, there.ports[0]), timeout=2)
    with held:
        held.settimeout(2)
        with contextlib.suppress(ConnectionResetError):
            assert held.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((there.address, there.ports[0]), timeout=2)


def test_a_mistake_of_ours_in_a_session_is_told_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def mistaken(self: object, now: float) -> None:
        raise ValueError("a mistake")

    monkeypatch.setattr("leadglass.lab.broken.BrokenSession.connected", mistaken)
    only = [persona for persona in PERSONAS if persona.name == "garbage"]
    with pytest.raises(LocalProtocolError, match="a mistake"), running_lab(only) as lab:
        assert first_bytes_or_reset(lab.servers[0]) == b""


def first_bytes_or_reset(there: Running) -> bytes:
    try:
        return first_bytes(there, 1)
    except ConnectionResetError:
        return b""


def test_one_connection_too_many_is_sent_away(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab._limits, "most", len(lab._limits.open))

    assert first_bytes_or_reset(server(lab, "half-pdu")) == b""


def test_a_connection_has_a_lifetime(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab._limits, "lifetime", 0.3)
    there = server(lab, "open-archive")
    with socket.create_connection((there.address, there.ports[0]), timeout=5) as connection:
        began = time.monotonic()
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(1) == b""

    assert time.monotonic() - began < 3


def test_who_does_not_read_is_not_read_from(lab: Lab) -> None:
    """A client that asks for ever and reads nothing: the lab's memory stands still."""
    there = server(lab, "yes-man-web")
    request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 50
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(1)
        connection.connect((there.address, there.ports[0]))
        with contextlib.suppress(TimeoutError, ConnectionError):
            for _ in range(100):
                connection.sendall(request)

    assert curl(there, "/").startswith("HTTP/1.1 200")
