"""The servers are the real ones: each answers an ordinary client as it was measured (DCMTK 3.6.7)."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from tests.peers import (
    canary,
    dcmtk,
    netns,
    nginx,
    ordinary,
    orthanc,
    places,
    planted,
    reference,
    running,
    strangers,
)

REJECTED = "Called AE Title Not Recognized"
ANSWERED = "Received Final Find Response (Success)"
NO_CONTEXT = "No Acceptable Presentation Contexts"
ABORTED = "Peer Aborted Association"
ECHOED = "Received Echo Response (Success)"

Start = Callable[[places.Place, Path], AbstractContextManager[running.Peer]]


DICOM: dict[str, tuple[Start, str, str, str]] = {
    "orthanc-default": (orthanc.orthanc, "ANY-SCP", ECHOED, ABORTED),
    "orthanc-find": (lambda p, h: orthanc.orthanc(p, h, orthanc.FIND_ALLOWED), "ANY-SCP", ECHOED, ANSWERED),
    "orthanc-title": (
        lambda p, h: orthanc.orthanc(p, h, orthanc.TITLE_CHECKED),
        "ANY-SCP",
        REJECTED,
        REJECTED,
    ),
    "dcmtk-storescp": (dcmtk.storescp, "ANY-SCP", ECHOED, NO_CONTEXT),
    "dcmtk-dcmqrscp-stranger": (dcmtk.dcmqrscp, "ANY-SCP", REJECTED, REJECTED),
    "dcmtk-dcmqrscp-titled": (dcmtk.dcmqrscp, dcmtk.TITLE, ECHOED, ANSWERED),
    "dcmtk-dcmqrscp-peers": (
        lambda p, h: dcmtk.dcmqrscp(p, h, peers="scanners"),
        dcmtk.TITLE,
        REJECTED,
        REJECTED,
    ),
    "pynetdicom-echoscp": (reference.echoscp, "ANY-SCP", ECHOED, NO_CONTEXT),
    "pynetdicom-storescp": (reference.storescp, "ANY-SCP", ECHOED, NO_CONTEXT),
    "pynetdicom-qrscp": (reference.qrscp, "ANY-SCP", ECHOED, ANSWERED),
}


@pytest.mark.root
@pytest.mark.parametrize(
    "server",
    [
        pytest.param(name, marks=[pytest.mark.peer("dcmtk"), pytest.mark.peer(name.partition("-")[0])])
        for name in DICOM
    ],
)
def test_a_dicom_server_answers_a_stranger_as_it_was_measured(
    pair: netns.Pair, tmp_path: Path, server: str
) -> None:
    start, called, echoed, found = DICOM[server]
    with start(pair.server, tmp_path / "server") as peer:
        assert echoed in ordinary.echo(pair.scanner, peer, called)
        assert found in ordinary.query(pair.scanner, peer, called)


@pytest.mark.root
@pytest.mark.parametrize(
    "archive",
    [
        pytest.param(name, marks=[pytest.mark.peer("dcmtk"), pytest.mark.peer(name)])
        for name in planted.ARCHIVES
    ],
)
def test_the_planted_patients_are_there_to_be_found(
    pair: netns.Pair, tmp_path: Path, canaries: canary.Canaries, archive: str
) -> None:
    with planted.ARCHIVES[archive](pair.server, tmp_path / "archive", canaries) as peer:
        told = ordinary.everything(pair.scanner, peer, dcmtk.TITLE)

    assert all(patient.name in told for patient in canaries.patients)
    assert canaries.find(("findscu", told.encode()))


@pytest.mark.root
@pytest.mark.peer("orthanc")
@pytest.mark.parametrize(
    ("settings", "status"),
    [
        ({}, 401),
        (orthanc.WITHOUT_PLUGINS, 401),
        (orthanc.REMOTE_WITHOUT_LOGIN, 200),
        (orthanc.remote_with_user("alice", "a word"), 401),
    ],
    ids=["default", "no-plugins", "no-login", "user"],
)
def test_orthancs_web_port_answers_a_stranger_as_it_was_measured(
    pair: netns.Pair, tmp_path: Path, settings: dict[str, Any], status: int
) -> None:
    with orthanc.orthanc(pair.server, tmp_path / "server", settings) as peer:
        assert _get(pair.scanner, peer, "http", "/system")[0] == status


@pytest.mark.root
@pytest.mark.peer("orthanc")
@pytest.mark.parametrize(
    ("plugins", "status"), [({}, 200), (orthanc.WITHOUT_PLUGINS, 404)], ids=["with", "without"]
)
def test_orthanc_has_dicomweb_only_with_its_plugin(
    pair: netns.Pair, tmp_path: Path, canaries: canary.Canaries, plugins: dict[str, Any], status: int
) -> None:
    settings = {**orthanc.REMOTE_WITHOUT_LOGIN, **plugins}
    with planted.orthanc_archive(pair.server, tmp_path / "server", canaries, settings) as peer:
        told = _get(pair.scanner, peer, "http", "/dicom-web/studies")

    assert told[0] == status
    assert bool(canaries.find(("answer", told[1]))) == (status == 200)


@pytest.mark.root
@pytest.mark.peer("nginx")
def test_nginx_serves_its_page(pair: netns.Pair, tmp_path: Path) -> None:
    with nginx.web(pair.server, tmp_path / "web") as peer:
        status, body = _get(pair.scanner, peer, "http", "/")

    assert (status, b"Example Hospital" in body) == (200, True)


def _get(place: places.Place, peer: running.Peer, kind: str, path: str) -> tuple[int, bytes]:
    with place.inside(), closing(HTTPConnection(peer.host, peer.ports[kind], timeout=10)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()


# ---- servers that do not speak DICOM

STRANGERS: dict[str, tuple[Start, bytes]] = {
    "sshd": (strangers.sshd, b"SSH-2.0-OpenSSH"),
    "redis": (strangers.redis, b""),
    "postgresql": (strangers.postgresql, b""),
}


@pytest.mark.root
@pytest.mark.parametrize("server", [pytest.param(name, marks=pytest.mark.peer(name)) for name in STRANGERS])
def test_a_stranger_to_dicom_says_what_it_says_by_itself(
    pair: netns.Pair, tmp_path: Path, server: str
) -> None:
    start, greeting = STRANGERS[server]
    with (
        start(pair.server, tmp_path / "server") as peer,
        pair.scanner.inside(),
        socket.create_connection((peer.host, peer.port), timeout=0.5) as connection,
    ):
        try:
            said = connection.recv(100)
        except TimeoutError:
            said = b""

    assert said.startswith(greeting)
    assert bool(said) == bool(greeting)
