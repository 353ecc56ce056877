"""The little of PS3.5 that a C-FIND identifier needs: text keys in implicit VR little endian.

There is no decoder here on purpose: a data set that a peer sends may be a patient's, and the probes
must not be able to read one. ``elements`` walks data sets, for the guard and for the ``sample`` rung alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from struct import Struct

from leadglass.errors import LocalProtocolError
from leadglass.wire.fields import text

__all__ = ["PATIENT_ID", "QUERY_RETRIEVE_LEVEL", "STUDY_INSTANCE_UID", "identifier"]

QUERY_RETRIEVE_LEVEL = (0x0008, 0x0052)
PATIENT_ID = (0x0010, 0x0020)
STUDY_INSTANCE_UID = (0x0020, 0x000D)

_HEADER = Struct("<HHL")
_UIDS = frozenset({STUDY_INSTANCE_UID, (0x0020, 0x000E), (0x0008, 0x0018), (0x0008, 0x0016)})
"""Elements of VR UI, which are padded with a NUL; all other text with a space (PS3.5 6.2)."""


def identifier(elements: Mapping[tuple[int, int], str]) -> bytes:
    """Text elements by (group, element) as a data set, in ascending order, each of even length."""
    return b"".join(_encode(tag, elements[tag]) for tag in sorted(elements))


def _encode(tag: tuple[int, int], value: str) -> bytes:
    if not all(0 <= number <= 0xFFFF for number in tag):
        raise LocalProtocolError(f"{tag} is not a tag")
    encoded = text(value, f"element ({tag[0]:04X},{tag[1]:04X})")
    if len(encoded) % 2:
        encoded += b"\0" if tag in _UIDS else b" "
    return _HEADER.pack(*tag, len(encoded)) + encoded
