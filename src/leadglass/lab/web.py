"""Web servers of the lab: a few pages over HTTP/1.1, as products and their imitators answer.

Paths that would show patients do show them here, fictitious ones: a scanner that strays there is
found out. Bodies of requests are dropped, and whatever h11 calls a mistake ends the connection.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from typing import Any, NamedTuple, assert_never
from urllib.parse import parse_qsl

import h11

from leadglass.lab.archive import Archive
from leadglass.lab.dataset import VR, Tag
from leadglass.lab.fiction import Instance
from leadglass.lab.session import Act, End

__all__ = ["Page", "Site", "WebSession", "page"]

_PATIENCE = 15.0
_MOST_REQUESTS = 100
_MOST_KEYS = 50
_LARGEST_HEAD = 16 * 1024
_HTML = (("Content-Type", "text/html; charset=utf-8"),)
_JSON = (("Content-Type", "application/json; charset=utf-8"),)
_DICOM_JSON = (("Content-Type", "application/dicom+json"),)
_QIDO_ROOT = "/dicom-web"
_QIDO_KEYS: Mapping[str, Tag] = {
    "StudyInstanceUID": (0x0020, 0x000D),
    "0020000D": (0x0020, 0x000D),
    "PatientID": (0x0010, 0x0020),
    "00100020": (0x0010, 0x0020),
    "PatientName": (0x0010, 0x0010),
    "00100010": (0x0010, 0x0010),
    "StudyDate": (0x0008, 0x0020),
    "00080020": (0x0008, 0x0020),
}


class Site(enum.Enum):
    """What is served."""

    ORTHANC = "orthanc"
    """Orthanc's Explorer, REST interface and DICOMweb plugin, without login."""
    ORTHANC_LOGIN = "orthanc-login"
    """The same with login: 401 to everything."""
    DICOMWEB = "dicomweb"
    """QIDO-RS without login, and nothing else."""
    DICOMWEB_LOGIN = "dicomweb-login"
    """QIDO-RS that wants a bearer token (RFC 6750)."""
    YES_MAN = "yes-man"
    """A single-page application that answers 200 and the same HTML to every path."""


class Page(NamedTuple):
    """One answer."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


def page(site: Site, target: str, archive: Archive) -> Page:
    """What ``site`` answers to ``GET target``."""
    path, _, query = target.partition("?")
    match site:
        case Site.ORTHANC:
            return _orthanc(path, query, archive)
        case Site.ORTHANC_LOGIN:
            return Page(401, (("WWW-Authenticate", 'Basic realm="Orthanc Secure Area"'),))
        case Site.DICOMWEB:
            return _dicomweb(path, query, archive)
        case Site.DICOMWEB_LOGIN:
            return Page(
                401, (*_JSON, ("WWW-Authenticate", 'Bearer realm="imaging"')), b'{"error":"unauthorized"}'
            )
        case Site.YES_MAN:
            return _html("Fictitious Portal")
        case _:
            assert_never(site)


def _orthanc(path: str, query: str, archive: Archive) -> Page:
    if path == "/":
        return Page(301, (("Location", "app/explorer.html"),))
    if path == "/app/explorer.html":
        return _html("Orthanc Explorer")
    if path == "/system":
        return _json(_SYSTEM)
    native: Mapping[str, Tag] = {
        "/patients": (0x0010, 0x0020),
        "/studies": (0x0020, 0x000D),
        "/series": (0x0020, 0x000E),
        "/instances": (0x0008, 0x0018),
    }
    if path in native:
        return _json([image[native[path]] for image in archive.select("IMAGE", {})])
    return _dicomweb(path, query, archive)


_SYSTEM: Mapping[str, Any] = {
    "ApiVersion": 17,
    "DatabaseVersion": 6,
    "DicomAet": "ORTHANC",
    "DicomPort": 4242,
    "HttpPort": 8042,
    "IsHttpServerSecure": False,
    "Name": "Fictitious Orthanc",
    "PluginsEnabled": True,
    "StorageAreaPlugin": None,
    "Version": "1.10.1",
}


def _dicomweb(path: str, query: str, archive: Archive) -> Page:
    if path != f"{_QIDO_ROOT}/studies":
        return Page(404, _JSON, b'{"error":"not found"}')
    try:
        asked = dict(parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_KEYS))
    except ValueError:
        return Page(400, _JSON, b'{"error":"too many keys"}')
    keys = {_QIDO_KEYS[name]: value for name, value in asked.items() if name in _QIDO_KEYS}
    limit = int(asked["limit"]) if asked.get("limit", "").isdecimal() else 1000
    found = [_dicom_json(study) for study in archive.select("STUDY", keys)]
    return Page(200, _DICOM_JSON, json.dumps(found[:limit]).encode())


def _dicom_json(study: Instance) -> Mapping[str, Any]:
    """PS3.18 F.2."""
    return {
        f"{tag[0]:04X}{tag[1]:04X}": {
            "vr": VR[tag],
            "Value": [{"Alphabetic": value} if VR[tag] == "PN" else value],
        }
        for tag, value in study.items()
    }


def _html(title: str) -> Page:
    text = f"<!DOCTYPE html><html><head><title>{title}</title></head><body><div id=root></div></body></html>"
    return Page(200, _HTML, text.encode())


def _json(content: Any) -> Page:
    return Page(200, _JSON, json.dumps(content).encode())


class WebSession:
    """One HTTP/1.1 connection (``session.Session``)."""

    def __init__(self, site: Site, archive: Archive) -> None:
        self._site = site
        self._archive = archive
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_LARGEST_HEAD)
        self._requests = 0

    def connected(self, now: float) -> Act:
        """Wait for a request, not for ever."""
        return Act(wake_at=now + _PATIENCE)

    def received(self, data: bytes, now: float) -> Act:
        """Answer every request that is complete."""
        self._http.receive_data(data)
        send = b""
        try:
            while (answer := self._next()) is not None:
                send += answer
        except h11.RemoteProtocolError as error:
            return Act(send + self._refusal(error.error_status_hint), end=End.CLOSE)
        over = self._http.our_state in (h11.MUST_CLOSE, h11.CLOSED)
        return Act(send, now + _PATIENCE, End.CLOSE if over else End.OPEN)

    def woken(self, now: float) -> Act:  # noqa: ARG002 - the contract's signature
        """Nothing was asked for a while."""
        return Act(end=End.CLOSE)

    def _next(self) -> bytes | None:
        """The bytes for the next event; None: more is needed."""
        event = self._http.next_event()
        if isinstance(event, h11.Request):
            self._target = event.target.decode("latin-1")
            self._head = event.method == b"HEAD"
        if isinstance(event, h11.EndOfMessage):
            return self._respond()
        return (
            None if event in (h11.NEED_DATA, h11.PAUSED) or isinstance(event, h11.ConnectionClosed) else b""
        )

    def _respond(self) -> bytes:
        self._requests += 1
        status, headers, body = page(self._site, self._target, self._archive)
        fixed = [("Content-Length", str(len(body)))]
        if self._requests >= _MOST_REQUESTS:
            fixed.append(("Connection", "close"))
        send = self._send(status, [*headers, *fixed], b"" if self._head else body)
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
        return send

    def _refusal(self, status: int) -> bytes:
        if self._http.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return b""
        return self._send(status, [("Content-Length", "0"), ("Connection", "close")], b"")

    def _send(self, status: int, headers: list[tuple[str, str]], body: bytes) -> bytes:
        head = self._http.send(h11.Response(status_code=status, headers=headers)) or b""
        content = (self._http.send(h11.Data(data=body)) or b"") if body else b""
        return head + content + (self._http.send(h11.EndOfMessage()) or b"")
