"""Orthanc, with the configuration that Debian ships and only the named options changed."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.peers.certificates import Certificates
from tests.peers.places import Place
from tests.peers.running import Peer, running, version_of

__all__ = [
    "FIND_ALLOWED",
    "REMOTE_WITHOUT_LOGIN",
    "TITLE_CHECKED",
    "WITHOUT_PLUGINS",
    "load",
    "mutual_tls",
    "orthanc",
    "remote_with_user",
]

_SHIPPED = Path("/etc/orthanc")
# A string, or a comment: the first alternative keeps "http://..." whole.
_TOKEN = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)

FIND_ALLOWED: Mapping[str, Any] = {"DicomAlwaysAllowFind": True}
TITLE_CHECKED: Mapping[str, Any] = {"DicomCheckCalledAet": True}
REMOTE_WITHOUT_LOGIN: Mapping[str, Any] = {"RemoteAccessAllowed": True, "AuthenticationEnabled": False}
WITHOUT_PLUGINS: Mapping[str, Any] = {"Plugins": []}


def remote_with_user(name: str, word: str) -> dict[str, Any]:
    """Open to other machines, with one registered user."""
    return {"RemoteAccessAllowed": True, "AuthenticationEnabled": True, "RegisteredUsers": {name: word}}


def mutual_tls(papers: Certificates) -> dict[str, Any]:
    """DICOM over TLS, with a certificate required of the caller."""
    return {
        "DicomTlsEnabled": True,
        "DicomTlsCertificate": str(papers.server),
        "DicomTlsPrivateKey": str(papers.server_key),
        "DicomTlsTrustedCertificates": str(papers.authority),
        "DicomTlsRemoteCertificateRequired": True,
    }


@contextlib.contextmanager
def orthanc(
    place: Place,
    home: Path,
    settings: Mapping[str, Any] | None = None,
    *,
    dicom: int = 4242,
    http: int = 8042,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Peer]:
    """Orthanc with Debian's files, ``settings`` laid over them, and storage in ``home``."""
    home.mkdir(parents=True, exist_ok=True)
    own = {"StorageDirectory": str(home / "db"), "IndexDirectory": str(home / "db")}
    ports = {"DicomPort": dicom, "HttpPort": http}
    _write_configuration(home / "etc", {**own, **ports, **(settings or {})})
    with running(
        place,
        ["Orthanc", home / "etc"],
        product="orthanc",
        version=version_of(["Orthanc", "--version"]),
        ports={"dicom": dicom, "http": http},
        home=home,
        environment=environment,
    ) as peer:
        yield peer


def load(peer: Peer, files: Iterable[bytes], *, user: tuple[str, str] | None = None) -> None:
    """Put DICOM files into the archive, from its own machine, over its REST interface."""
    headers = {"Content-Type": "application/dicom"}
    if user:
        headers["Authorization"] = "Basic " + base64.b64encode(":".join(user).encode()).decode()
    with peer.place.inside(), contextlib.closing(_local_http(peer)) as connection:
        for content in files:
            connection.request("POST", "/instances", content, headers)
            answer = connection.getresponse()
            told = answer.read()
            assert answer.status == 200, told


def _local_http(peer: Peer) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", peer.ports["http"], timeout=20)


def _write_configuration(folder: Path, settings: Mapping[str, Any]) -> None:
    """Copy Debian's files; an option is set in the file that has it, else in the main one.

    Orthanc refuses an option that two of its files define.
    """
    folder.mkdir()
    shipped = {path.name: json.loads(_strip(path.read_text())) for path in _SHIPPED.glob("*.json")}
    for option, value in settings.items():
        holder = next((content for content in shipped.values() if option in content), shipped["orthanc.json"])
        holder[option] = value
    for name, content in shipped.items():
        (folder / name).write_text(json.dumps(content, indent=2))


def _strip(text: str) -> str:
    return _TOKEN.sub(lambda match: match[1] or "", text)
