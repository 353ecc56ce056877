"""Annotated byte vectors: ``annotated/`` from the standard's layouts, ``captured/`` from real peers.

A line holds bytes in hexadecimal and text in quotes, then ``#`` and what they are. Beside each vector
stands the value it must decode to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from leadglass.wire import pdu

_TOKEN = re.compile(r'"([^"]*)"|([0-9a-f]{2})\b|(#.*)')


def read(path: Path) -> bytes:
    """The bytes of one annotated file."""
    found = bytearray()
    for line in path.read_text().splitlines():
        for quoted, pair, comment in _TOKEN.findall(line):
            found += b"" if comment else bytes.fromhex(pair) if pair else quoted.encode()
    return bytes(found)


def folder(name: str) -> Mapping[str, bytes]:
    """All vectors of one folder, by their name."""
    return {path.stem: read(path) for path in sorted((Path(__file__).parent / name).glob("*.hex"))}


ANNOTATED = folder("annotated")
CAPTURED = folder("captured")

_VERIFICATION, _FIND = "1.2.840.10008.1.1", "1.2.840.10008.5.1.4.1.2.2.1"
_CT, _MR = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4"
_IMPLICIT, _EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
_CALLED, _CALLING = "ANY-SCP", "LEADGLASS"

ANNOTATED_VALUES: Mapping[str, pdu.Pdu] = {
    "associate-rq-every-item": pdu.AAssociateRQ(
        _CALLED,
        _CALLING,
        (
            pdu.PresentationContextRQ(1, _VERIFICATION, (_IMPLICIT,)),
            pdu.PresentationContextRQ(255, _FIND, (_EXPLICIT, _IMPLICIT)),
        ),
        pdu.UserInformation(
            16384,
            "2.25.1",
            "LEADGLASS_0_1",
            pdu.AsynchronousOperationsWindow(2, 3),
            (pdu.RoleSelection(_CT, scu_role=True, scp_role=False),),
            (pdu.ExtendedNegotiation(_FIND, b"\1\1\1\0\0"),),
            (pdu.CommonExtendedNegotiation(_CT, "1.2.840.10008.4.2", (_MR,)),),
            pdu.UserIdentityRQ(
                2, positive_response_requested=True, primary_field=b"user", secondary_field=b"pass"
            ),
            ((0x5A, b"\7\x08"),),
        ),
    ),
    "associate-ac-every-item": pdu.AAssociateAC(
        _CALLED,
        _CALLING,
        (pdu.PresentationContextAC(1, 0, _IMPLICIT), pdu.PresentationContextAC(255, 3, None)),
        pdu.UserInformation(0, "2.25.1", "LEADGLASS_0_1", user_identity=pdu.UserIdentityAC(b"ticket")),
    ),
    "associate-ac-without-52h": pdu.AAssociateAC(
        _CALLED, _CALLING, (pdu.PresentationContextAC(1, 0, _IMPLICIT),), pdu.UserInformation(65536)
    ),
    "associate-ac-padded": pdu.AAssociateAC(
        _CALLED,
        _CALLING,
        (pdu.PresentationContextAC(1, 0, _IMPLICIT),),
        pdu.UserInformation(16384, "2.25.1", "LEADGLASS_0_1"),
    ),
    "associate-rj": pdu.AAssociateRJ(2, 3, 1),
    "p-data-tf": pdu.PDataTF(
        (
            pdu.PresentationDataValue(1, is_command=True, is_last=True, data=b"\xaa\xbb"),
            pdu.PresentationDataValue(1, is_command=False, is_last=False, data=b"\xcc"),
            pdu.PresentationDataValue(1, is_command=False, is_last=True, data=b"\xdd\xee"),
        )
    ),
    "release-rq": pdu.AReleaseRQ(),
    "release-rp": pdu.AReleaseRP(),
    "abort": pdu.AAbort(2, 6),
}


def item_ends(encoded: bytes) -> Iterator[int]:
    """Where the outermost items of an A-ASSOCIATE PDU end, counted by hand and not by our decoder."""
    at = 6 + 68
    while at < len(encoded):
        yield at
        at += 4 + encoded[at + 2] * 256 + encoded[at + 3]
    yield at
