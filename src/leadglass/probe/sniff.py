"""Which protocol the first bytes of an answer belong to, as far as they tell."""

from __future__ import annotations

__all__ = ["DICOM", "HTTP", "TLS", "spoken"]

DICOM = "dicom"
HTTP = "http"
TLS = "tls"

_BANNERS = (
    (b"HTTP/", HTTP),
    (b"SSH-", "ssh"),
    (b"-ERR ", "redis"),
    (b"-NOAUTH", "redis"),
    (b"-DENIED", "redis"),
    (b"RFB ", "vnc"),
    (b"220 ", "smtp-or-ftp"),
    (b"220-", "smtp-or-ftp"),
    (b"+OK ", "pop3"),
    (b"* OK ", "imap"),
    (b"EFATAL", "postgresql"),
    (b"SFATAL", "postgresql"),
    (b"<?xml", "xml"),
    (b"<html", HTTP),
    (b"<!DOC", HTTP),
)
_TLS_RECORDS = frozenset({0x14, 0x15, 0x16, 0x17})
_PDU_TYPES = frozenset(range(1, 8))


def spoken(head: bytes) -> str | None:
    """The protocol that ``head``, the first bytes from a peer, belongs to; None if unknown.

    Two bytes are enough for DICOM (a PDU type 01H to 07H and a reserved zero byte, PS3.8 9.3)
    and TLS (a content type and major version 3, RFC 8446 5.1).
    """
    if len(head) >= 2:
        if head[0] in _PDU_TYPES and head[1] == 0:
            return DICOM
        if head[0] in _TLS_RECORDS and head[1] == 3:
            return TLS
    for banner, protocol in _BANNERS:
        if head.startswith(banner):
            return protocol
    return None
