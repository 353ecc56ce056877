"""Audit messages as syslog carries them: RFC 5424, and over a stream RFC 5425.

The header is the one of PS3.15 A.6. Made of the same entry it is the same to the last octet, so that a
collector can tell a message that it got once more.
"""

from __future__ import annotations

import re

from leadglass.guard.audit.events import AuditEvent, Happening, Outcome

__all__ = ["framed", "severity"]

_FACILITY = 10
"""Security and authorisation messages."""
_NOTICE, _WARNING = 5, 4
_LOUD = frozenset({Happening.EMERGENCY_STARTED, Happening.EMERGENCY_STOPPED, Happening.AUDIT_REPAIRED})
_BOM = b"\xef\xbb\xbf"
_NOT_PRINTABLE = re.compile(r"[^\x21-\x7e]")
"""What RFC 5424 does not have in a header (PRINTUSASCII)."""


def severity(event: AuditEvent) -> int:
    """Warning for what somebody should look at, notice for the rest."""
    is_loud = event.outcome is not Outcome.SUCCESS or event.happening in _LOUD
    return _WARNING if is_loud else _NOTICE


def framed(xml: bytes, *, level: int, at: str, host: str, process: str) -> bytes:
    """A message with its header, and in front of that its length in octets (RFC 5425 4.3).

    ``at`` is when its entry was written, ``process`` the writer whose chain it is in: that is what stays
    the same when the guard is started anew, and RFC 5424 6.2.6 wants no process number.
    """
    header = (
        f"<{_FACILITY * 8 + level}>1 {at} {_word(host, 255)} leadglass {_word(process, 128)} DICOM+RFC3881 - "
    )
    message = header.encode() + _BOM + xml
    return b"%d %b" % (len(message), message)


def _word(value: str, most: int) -> str:
    return _NOT_PRINTABLE.sub("", value)[:most] or "-"
