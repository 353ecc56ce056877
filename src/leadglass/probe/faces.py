"""What a port is most likely to speak, by its number alone: the order of asking, never a verdict."""

from __future__ import annotations

from leadglass.probe.sniff import DICOM, HTTP, TLS

__all__ = ["OTHERS_FIRST", "faces_of", "is_web"]

_WEB = frozenset({80, 81, 3000, 3001, 5000, 8000, 8008, 8042, 8080, 8081, 8088, 8888, 9080})
_TLS_WEB = frozenset({443, 8443, 9443})
_TLS_DICOM = 2762
OTHERS_FIRST = _WEB | _TLS_WEB | {_TLS_DICOM}
"""Ports whose likeliest face is not plain DICOM."""

_DICOM_FIRST = (DICOM, TLS, HTTP)
_WEB_FIRST = (HTTP, DICOM, TLS)
_TLS_FIRST = (TLS, DICOM, HTTP)


def faces_of(port: int) -> tuple[str, str, str]:
    """The faces of a port, the likeliest first."""
    if port in _WEB:
        return _WEB_FIRST
    if port in _TLS_WEB or port == _TLS_DICOM:
        return _TLS_FIRST
    return _DICOM_FIRST


def is_web(port: int) -> bool:
    """Whether a web interface is expected, with TLS or without."""
    return port in _WEB or port in _TLS_WEB
