"""The seven PDUs of the DICOM Upper Layer (PS3.8 9.3): values, ``encode`` and ``decode``.

This is the place to import PDUs from. Reserved fields are sent as zeros and not tested, as the
standard asks. ``decode`` raises ``RemoteProtocolError`` and nothing else, ``encode``
``LocalProtocolError`` for a value that does not fit its field; ``decode(encode(pdu)) == pdu``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from struct import Struct
from typing import Any, TypeAlias

from leadglass.errors import RemoteProtocolError
from leadglass.wire.associate import (
    AAssociateAC,
    AAssociateRQ,
    PresentationContextAC,
    PresentationContextRQ,
    decode_ac,
    decode_rq,
    encode_ac,
    encode_rq,
)
from leadglass.wire.fields import malformed, number
from leadglass.wire.limits import DEFAULT, Limits
from leadglass.wire.user_information import (
    AsynchronousOperationsWindow,
    CommonExtendedNegotiation,
    ExtendedNegotiation,
    RoleSelection,
    UserIdentityAC,
    UserIdentityRQ,
    UserInformation,
)

__all__ = [
    "AAbort",
    "AAssociateAC",
    "AAssociateRJ",
    "AAssociateRQ",
    "AReleaseRP",
    "AReleaseRQ",
    "AsynchronousOperationsWindow",
    "CommonExtendedNegotiation",
    "ExtendedNegotiation",
    "PDataTF",
    "Pdu",
    "PresentationContextAC",
    "PresentationContextRQ",
    "PresentationDataValue",
    "RoleSelection",
    "UserIdentityAC",
    "UserIdentityRQ",
    "UserInformation",
    "decode",
    "encode",
]

_PDV_HEADER = Struct(">LBB")
_UNRECOGNISED_PDU = 1  # PS3.8 table 9-26


@dataclass(frozen=True, slots=True)
class AAssociateRJ:
    """A-ASSOCIATE-RJ (PS3.8 9.3.4); the meaning of the three numbers is in table 9-21."""

    result: int
    """1 permanent, 2 transient."""
    source: int
    """1 service user, 2 provider (ACSE), 3 provider (presentation)."""
    reason: int


@dataclass(frozen=True, slots=True)
class PresentationDataValue:
    """One fragment of a command or data set (PS3.8 9.3.5.1 and annex E.2)."""

    context_id: int
    is_command: bool
    is_last: bool
    data: bytes | memoryview = field(repr=False)
    """Command fragments are decoded as bytes and data set fragments as a read-only view of the PDU's
    body, so that one that is dropped or passed on is never copied. Never printed: it may be a patient's."""


@dataclass(frozen=True, slots=True)
class PDataTF:
    """P-DATA-TF (PS3.8 9.3.5): at least one presentation data value."""

    pdvs: tuple[PresentationDataValue, ...]


@dataclass(frozen=True, slots=True)
class AReleaseRQ:
    """A-RELEASE-RQ (PS3.8 9.3.6)."""


@dataclass(frozen=True, slots=True)
class AReleaseRP:
    """A-RELEASE-RP (PS3.8 9.3.7)."""


@dataclass(frozen=True, slots=True)
class AAbort:
    """A-ABORT (PS3.8 9.3.8, table 9-26)."""

    source: int
    """0 service user, 2 service provider."""
    reason: int
    """Not significant unless the source is 2."""


Pdu: TypeAlias = AAssociateRQ | AAssociateAC | AAssociateRJ | PDataTF | AReleaseRQ | AReleaseRP | AAbort


def decode(pdu_type: int, body: bytes, limits: Limits = DEFAULT) -> Pdu:
    """The PDU of this type with this body (everything after the 6-byte header)."""
    decoder = _DECODERS.get(pdu_type)
    if decoder is None:
        raise RemoteProtocolError(f"PDU type {pdu_type:02X}H is unknown", abort_reason=_UNRECOGNISED_PDU)
    return decoder(body, limits)


def encode(pdu: Pdu) -> bytes:
    """The whole PDU, header included."""
    return _ENCODERS[type(pdu)](pdu)


def _decode_rj(body: bytes, _: Limits) -> AAssociateRJ:
    _check_fixed(body, "A-ASSOCIATE-RJ")
    return AAssociateRJ(body[1], body[2], body[3])


def _decode_p_data(body: bytes, limits: Limits) -> PDataTF:
    pdvs: list[PresentationDataValue] = []
    at, end = 0, len(body)
    while at < end:
        if len(pdvs) == limits.pdvs:
            raise malformed(f"a P-DATA-TF with more than {limits.pdvs} values")
        if end - at < 6:
            raise malformed("the last value of a P-DATA-TF is cut short")
        length, context_id, control = _PDV_HEADER.unpack_from(body, at)
        stop = at + 4 + length
        if length < 2 or stop > end:
            raise malformed("the length of a presentation data value does not fit its P-DATA-TF")
        if context_id % 2 == 0:
            raise malformed(f"presentation context id {context_id} is not odd")
        data = body[at + 6 : stop] if control & 1 else memoryview(body)[at + 6 : stop]
        pdvs.append(PresentationDataValue(context_id, control & 1 == 1, control & 2 == 2, data))
        at = stop
    if not pdvs:
        raise malformed("a P-DATA-TF without a value")
    return PDataTF(tuple(pdvs))


def _decode_release_rq(body: bytes, _: Limits) -> AReleaseRQ:
    _check_fixed(body, "A-RELEASE-RQ")
    return _RELEASE_RQ


def _decode_release_rp(body: bytes, _: Limits) -> AReleaseRP:
    _check_fixed(body, "A-RELEASE-RP")
    return _RELEASE_RP


def _decode_abort(body: bytes, _: Limits) -> AAbort:
    _check_fixed(body, "A-ABORT")
    return AAbort(body[2], body[3])


def _check_fixed(body: bytes, where: str) -> None:
    if len(body) != 4:
        raise malformed(f"an {where} with {len(body)} bytes instead of 4")


def _encode_rj(rj: AAssociateRJ) -> bytes:
    return b"\x03\0\0\0\0\x04\0" + _three(rj.result, rj.source, rj.reason)


def _three(*values: int) -> bytes:
    return b"".join(number(value, 1, "a reason field") for value in values)


def _encode_p_data(pdu: PDataTF) -> bytes:
    parts: list[bytes | memoryview] = []
    for pdv in pdu.pdvs:
        control = pdv.is_command | pdv.is_last << 1
        parts.append(number(len(pdv.data) + 2, 4, "the length of a value"))
        parts.append(number(pdv.context_id, 1, "the context id") + bytes((control,)))
        parts.append(pdv.data)
    body = b"".join(parts)
    return b"\x04\0" + number(len(body), 4, "the length of a P-DATA-TF") + body


def _encode_abort(abort: AAbort) -> bytes:
    return b"\x07\0\0\0\0\x04\0\0" + _three(abort.source, abort.reason)


def _encode_release_rq(_: AReleaseRQ) -> bytes:
    return b"\x05\0\0\0\0\x04\0\0\0\0"


def _encode_release_rp(_: AReleaseRP) -> bytes:
    return b"\x06\0\0\0\0\x04\0\0\0\0"


_RELEASE_RQ = AReleaseRQ()
_RELEASE_RP = AReleaseRP()

_DECODERS: Mapping[int, Callable[[bytes, Limits], Pdu]] = {
    0x01: decode_rq,
    0x02: decode_ac,
    0x03: _decode_rj,
    0x04: _decode_p_data,
    0x05: _decode_release_rq,
    0x06: _decode_release_rp,
    0x07: _decode_abort,
}

_ENCODERS: Mapping[type[Pdu], Callable[[Any], bytes]] = {
    AAssociateRQ: encode_rq,
    AAssociateAC: encode_ac,
    AAssociateRJ: _encode_rj,
    PDataTF: _encode_p_data,
    AReleaseRQ: _encode_release_rq,
    AReleaseRP: _encode_release_rp,
    AAbort: _encode_abort,
}
