"""A guard with a DICOMweb door before a real Orthanc, and ways to talk to it: curl, requests, dicomweb-client."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from dicomweb_client import DICOMwebClient
from tests.peers import clinic, orthanc
from tests.peers.guarded import Guard, guard
from tests.peers.guarded_clinic import TITLE
from tests.peers.places import LOOPBACK, free_port
from tests.peers.running import Peer

from leadglass.guard.audit.events import AuditEvent, Happening
from leadglass.model.enrolment import Enrolled
from leadglass.settings.guard import Address

__all__ = ["Web", "open_web"]


@dataclass(slots=True)
class Web:
    """A guard with a DICOMweb door, and what is behind it."""

    guard: Guard
    archive: Peer
    sessions: dict[str, requests.Session] = field(default_factory=dict)

    @property
    def port(self) -> int:
        """Of the door."""
        return self.guard.ports["web"]

    @property
    def url(self) -> str:
        """Of DICOMweb at the guard."""
        return f"https://127.0.0.1:{self.port}/dicom-web"

    @property
    def behind(self) -> str:
        """Orthanc's own root."""
        return f"http://127.0.0.1:{self.archive.ports['http']}/dicom-web"

    def session(self, name: str) -> requests.Session:
        """A session with the certificate of an entry."""
        certificate, key, authority = map(str, self.guard.papers(name))
        made = requests.Session()
        made.cert, made.verify = (certificate, key), authority
        made.trust_env = False  # the environment of whoever runs the tests may name other authorities
        return made

    def client(self, name: str) -> DICOMwebClient:
        """The same session each time, kept until the end."""
        if name not in self.sessions:
            self.sessions[name] = self.session(name)
        made = DICOMwebClient(self.url, session=self.sessions[name])
        made.set_http_retry_params(retry=False)
        return made

    def curl(self, name: str | None, path: str, *options: str) -> tuple[bytes, bytes]:
        """Head and body of an answer, byte by byte."""
        certificate, key, authority = map(str, self.guard.papers(name or "work"))
        papers = [] if name is None else ["--cert", certificate, "--key", key]
        argv = [
            "curl",
            "-sS",
            "-i",
            "--path-as-is",
            "--max-time",
            "20",
            "--cacert",
            authority,
            *papers,
            *options,
        ]
        done = subprocess.run(
            [*argv, f"https://127.0.0.1:{self.port}{path}"], capture_output=True, check=False
        )
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        if head.startswith(b"HTTP/1.1 100"):
            head, _, body = body.partition(b"\r\n\r\n")
        return head or done.stderr, body

    def status(self, name: str | None, path: str, *options: str) -> int:
        """The status of the same."""
        return int(self.curl(name, path, *options)[0].split(b" ")[1])

    def connect(self, name: str) -> ssl.SSLSocket:
        """A TLS connection with the certificate of an entry."""
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        return self.guard.context(name).wrap_socket(raw, server_hostname="127.0.0.1")

    def of(self, *happenings: Happening) -> list[AuditEvent]:
        """What was written down of these kinds."""
        return [event for event in self.guard.audit() if event.happening in happenings]

    def upstream(self) -> int:
        """Connections to the archive's web server."""
        port = f"{self.archive.ports['http']:04X}"
        rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return sum(row[2].endswith(":" + port) and row[3] == "01" for row in rows)


@contextlib.contextmanager
def open_web(
    home: Path,
    *entries: Enrolled,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    policies: Mapping[str, str] | None = None,
    user: tuple[str, str] | None = None,
) -> Iterator[Web]:
    """Orthanc with the clinic, and a guard before it; ``user``: who alone may use Orthanc over HTTP."""
    dicom, http = free_port(LOOPBACK), free_port(LOOPBACK)
    options = {"DicomAlwaysAllowFind": True, "DicomAet": TITLE, "AuthenticationEnabled": user is not None}
    if user is not None:
        options["RegisteredUsers"] = dict([user])
    with (
        orthanc.orthanc(LOOPBACK, home / "archive", options, dicom=dicom, http=http) as archive,
        guard(
            home,
            Address("127.0.0.1", dicom),
            *entries,
            title=TITLE,
            web=f"http://127.0.0.1:{http}/dicom-web",
            settings=settings,
            policies=policies,
        ) as one,
    ):
        orthanc.load(archive, clinic.files(), user=user)
        web = Web(one, archive)
        try:
            yield web
        finally:
            for session in web.sessions.values():
                session.close()
        assert b'"mistake"' not in one.log.read_bytes()
