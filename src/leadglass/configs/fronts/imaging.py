"""Does a front stand before an imaging server? By what is behind it, by names, and by paths."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["DICOM_PORTS", "Target", "is_dicom", "is_imaging", "native_paths", "target_of"]

DICOM_PORTS = frozenset({104, 2761, 2762, 4242, 4006, 5678, 11112, 11113})
"""Where DICOM is spoken: assigned by IANA, or the default of a product (Orthanc, OsiriX, Conquest, dcm4chee)."""

_WEB_PORTS = frozenset({8042})
"""Orthanc's. dcm4chee's 8080 is anybody's, and counts only with a name or a path."""

_NAMES = re.compile(
    r"orthanc|pacs\b|pacs[-_.\d]|(?<![a-z])pacs|dcm4che|dicom|dicoogle|conquest|dcmqrscp|storescp|clearcanvas|oviyam"
    r"|meddream|(?<![a-z])vna(?![a-z])|(?<![a-z])ris(?![a-z])",
    re.IGNORECASE,
)
_PATHS = re.compile(
    r"dicom-?web|(?<![a-z])dicom|wado|qido|stow-?rs|dcm4chee-arc|orthanc|(?<![a-z])pacs(?![a-z])|/aets/",
    re.IGNORECASE,
)
_SERVICES = re.compile(r"dicom-?web|wado|qido|stow-?rs|dcm4chee-arc", re.IGNORECASE)
_OTHERS = re.compile(
    r"auth|sso|keycloak|login|vouch|ohif|viewer|front-?end|grafana|prometheus|acme|certbot|static|portal",
    re.IGNORECASE,
)
"""Names of what stands beside an archive and holds none of its images."""
_NATIVE = re.compile(r"(?<![a-z])(studies|series|instances|patients)(?![a-z])", re.IGNORECASE)

_URL = re.compile(
    r"(?:(?P<scheme>[a-z][a-z0-9+]*)://)?(?P<host>\[[0-9a-f:.]*\]|unix:[^:]*|[^/:?\s]*)(?::(?P<port>\d{1,5})(?!\d))?(?P<path>[:/].*)?",
    re.IGNORECASE | re.DOTALL,
)
_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "h2": 443, "h2c": 80, "ajp": 8009}


@dataclass(frozen=True, slots=True)
class Target:
    """What a front passes requests on to."""

    host: str
    """A name or address, as the file writes it; a variable where that could not be followed."""
    port: int | None
    path: str = ""
    """What the front puts in the place of its own path; ``""`` when it leaves the path as it is."""
    name: str = ""
    """The group that the server belongs to (``upstream``, ``balancer``), if it does."""


def target_of(url: str, *, scheme: str = "") -> Target:
    """The target in a URL or in ``host:port``; ``scheme`` is understood where there is none."""
    found = _URL.match(url)
    if found is None:  # pragma: no cover -- every part of it is optional
        return Target(url, None)
    default = _DEFAULT_PORTS.get((found["scheme"] or scheme).lower())
    port = int(found["port"]) if found["port"] and int(found["port"]) < 65536 else default
    path = (found["path"] or "").partition("?")[0].removeprefix(":")
    return Target(found["host"].strip("[]"), port, path if path.startswith("/") else "")


def is_dicom(target: Target) -> bool:
    """Whether a plain stream to ``target`` carries DICOM."""
    return target.port in DICOM_PORTS or (_named(target) and target.port not in {*_WEB_PORTS, 80, 443})


def is_imaging(target: Target, path: str, names: Iterable[str] = ()) -> bool:
    """Whether a web request at ``path`` of a server called ``names`` reaches an imaging server.

    A server's own name tells only of what it passes on as a whole: its login service is no archive.
    """
    if target.port in _WEB_PORTS | DICOM_PORTS or _named(target):
        return True
    if _OTHERS.search(target.host) or _OTHERS.search(target.name):
        return _SERVICES.search(path) is not None
    if any(map(_PATHS.search, (path, target.path))):
        return True
    return path == "/" and any(map(_NAMES.search, names))


def native_paths(paths: Iterable[str]) -> frozenset[str]:
    """Which of the words that an imaging server's own interface is made of stand in ``paths``.

    Each alone is a word like any other; two of them together are not.
    """
    return frozenset(word.lower() for path in paths for word in _NATIVE.findall(path))


def _named(target: Target) -> bool:
    return any(map(_NAMES.search, (target.host, target.name)))
