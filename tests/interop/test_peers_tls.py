"""What becomes of a caller without a certificate at real TLS servers; the enrolled one is always served."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from http.client import HTTPSConnection
from pathlib import Path

import pytest
from pynetdicom.pdu import A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import (
    A_ASSOCIATE,
    ImplementationClassUIDNotification,
    MaximumLengthNotification,
)
from pynetdicom.presentation import build_context
from tests.peers import (
    dcmtk,
    netns,
    nginx,
    orthanc,
    places,
    running,
    strangers,
)
from tests.peers.certificates import Certificates


@contextmanager
def _behind(
    front: Callable[..., AbstractContextManager[running.Peer]],
    place: places.Place,
    home: Path,
    papers: Certificates,
    **options: str,
) -> Iterator[running.Peer]:
    with (
        dcmtk.storescp(place, home / "behind") as archive,
        front(place, home / "front", papers, archive, **options) as peer,
    ):
        yield peer


TLS: dict[
    str, tuple[Callable[[places.Place, Path, Certificates], AbstractContextManager[running.Peer]], str, str]
] = {
    "orthanc": (
        lambda p, h, c: orthanc.orthanc(p, h, orthanc.mutual_tls(c)),
        "handshake failure",
        "certificate required",
    ),
    "dcmtk-required": (dcmtk.storescp_tls, "handshake failure", "certificate required"),
    "dcmtk-verified": (lambda p, h, c: dcmtk.storescp_tls(p, h, c, dcmtk.VERIFIED), "served", "served"),
    "dcmtk-ignored": (lambda p, h, c: dcmtk.storescp_tls(p, h, c, dcmtk.IGNORED), "served", "served"),
    "dcmtk-old-profile": (
        lambda p, h, c: dcmtk.storescp_tls(p, h, c, dcmtk.REQUIRED, "+pa"),
        "handshake failure",
        "protocol version",
    ),
    "nginx-on": (lambda p, h, c: _behind(nginx.front, p, h, c), "closed", "closed"),
    "nginx-on-1.2": (
        lambda p, h, c: _behind(nginx.front, p, h, c, version="TLSv1.2"),
        "closed",
        "protocol version",
    ),
    "nginx-on-1.3": (
        lambda p, h, c: _behind(nginx.front, p, h, c, version="TLSv1.3"),
        "protocol version",
        "closed",
    ),
    "nginx-optional": (lambda p, h, c: _behind(nginx.front, p, h, c, verify="optional"), "served", "served"),
    "haproxy-required": (
        lambda p, h, c: _behind(strangers.haproxy, p, h, c),
        "handshake failure",
        "certificate required",
    ),
}


@pytest.mark.root
@pytest.mark.peer("dcmtk")
@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize(
    "server", [pytest.param(name, marks=pytest.mark.peer(name.partition("-")[0])) for name in TLS]
)
def test_a_tls_server_treats_a_caller_without_a_certificate_as_it_was_measured(
    pair: netns.Pair, tmp_path: Path, papers: Certificates, server: str, version: str
) -> None:
    start, old, new = TLS[server]
    with start(pair.server, tmp_path / "server", papers) as peer:
        told = _associate(pair.scanner, peer, _only(papers.stranger(), version))

    assert told == (old if version == "1.2" else new)


@pytest.mark.root
@pytest.mark.peer("dcmtk")
@pytest.mark.parametrize(
    "server", [pytest.param(name, marks=pytest.mark.peer(name.partition("-")[0])) for name in TLS]
)
def test_a_tls_server_serves_an_enrolled_caller(
    pair: netns.Pair, tmp_path: Path, papers: Certificates, server: str
) -> None:
    with TLS[server][0](pair.server, tmp_path / "server", papers) as peer:
        assert _associate(pair.scanner, peer, papers.enrolled()) == "served"


@pytest.mark.root
@pytest.mark.peer("nginx")
@pytest.mark.parametrize(("verify", "status"), [("on", 400), ("optional", 200), ("off", 200)])
def test_nginx_over_https_asks_for_a_certificate_in_http(
    pair: netns.Pair, tmp_path: Path, papers: Certificates, verify: str, status: int
) -> None:
    with nginx.web_tls(pair.server, tmp_path / "web", papers, verify) as peer, pair.scanner.inside():
        connection = HTTPSConnection(peer.host, peer.port, timeout=10, context=papers.stranger())
        connection.request("GET", "/")
        answer = connection.getresponse()
        connection.close()

    assert answer.status == status


def _only(context: ssl.SSLContext, version: str) -> ssl.SSLContext:
    number = ssl.TLSVersion.TLSv1_2 if version == "1.2" else ssl.TLSVersion.TLSv1_3
    context.minimum_version = context.maximum_version = number
    return context


def _associate(place: places.Place, peer: running.Peer, context: ssl.SSLContext) -> str:
    """What comes of an association over TLS: "served", "closed", or the alert in OpenSSL's words."""
    with place.inside(), socket.create_connection((peer.host, peer.port), timeout=10) as plain:
        try:
            with context.wrap_socket(plain, server_hostname="archive.example") as secured:
                return _served(secured)
        except ssl.SSLEOFError:
            return "closed"
        except ssl.SSLError as error:
            return str(error.reason).partition("_ALERT_")[2].replace("_", " ").lower()


def _served(secured: ssl.SSLSocket) -> str:
    # An alert of TLS 1.3 is lost if the first write crosses it: read first.
    secured.settimeout(0.3)
    with suppress(TimeoutError):
        return "greeted" if secured.recv(1) else "closed"
    secured.settimeout(10)
    secured.sendall(_associate_request())
    # PS3.8 table 9-17: an A-ASSOCIATE-AC begins with 2.
    return "served" if secured.recv(1) == b"\x02" else "closed"


def _associate_request() -> bytes:
    """An A-ASSOCIATE-RQ for Verification, by pynetdicom's encoder."""
    primitive = A_ASSOCIATE()
    primitive.application_context_name = "1.2.840.10008.3.1.1.1"
    primitive.calling_ae_title, primitive.called_ae_title = "HARNESS", "ANY-SCP"
    length, implementation = MaximumLengthNotification(), ImplementationClassUIDNotification()
    length.maximum_length_received = 16384
    implementation.implementation_class_uid = "2.25.1"
    primitive.user_information = [length, implementation]
    context = build_context("1.2.840.10008.1.1")
    context.context_id = 1
    primitive.presentation_context_definition_list = [context]
    request = A_ASSOCIATE_RQ()
    request.from_primitive(primitive)
    encoded: bytes = request.encode()
    return encoded
