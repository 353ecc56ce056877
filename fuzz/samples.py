"""Valid messages of every kind, built in code: what the fuzz targets start from."""

from __future__ import annotations

from typing import Literal

from leadglass.wire import command, dataset, dimse, pdata, pdu, uids
from leadglass.wire.elements import Syntax, encode_element

_REQUEST_INFORMATION = pdu.UserInformation(
    maximum_length=16384,
    implementation_class_uid=uids.IMPLEMENTATION_CLASS_UID,
    implementation_version_name=uids.IMPLEMENTATION_VERSION_NAME,
    asynchronous_operations=pdu.AsynchronousOperationsWindow(1, 1),
    role_selections=(pdu.RoleSelection(uids.CT_IMAGE_STORAGE, scu_role=True, scp_role=True),),
    extended_negotiations=(pdu.ExtendedNegotiation(uids.STUDY_ROOT_FIND, b"\1\1\1\0\0"),),
    common_extended_negotiations=(
        pdu.CommonExtendedNegotiation(uids.CT_IMAGE_STORAGE, "1.2.840.10008.4.2", (uids.MR_IMAGE_STORAGE,)),
    ),
    user_identity=pdu.UserIdentityRQ(
        2, positive_response_requested=True, primary_field=b"u", secondary_field=b"p"
    ),
    unknown=((0x5A, b"\0\1"),),
)
_ANSWER_INFORMATION = pdu.UserInformation(
    maximum_length=16384,
    implementation_class_uid=uids.IMPLEMENTATION_CLASS_UID,
    user_identity=pdu.UserIdentityAC(b"ticket"),
)

REQUEST = pdu.AAssociateRQ(
    "ANY-SCP",
    "LEADGLASS",
    (
        pdu.PresentationContextRQ(1, uids.VERIFICATION, (uids.IMPLICIT_VR_LE,)),
        pdu.PresentationContextRQ(3, uids.STUDY_ROOT_FIND, (uids.EXPLICIT_VR_LE, uids.IMPLICIT_VR_LE)),
    ),
    _REQUEST_INFORMATION,
)
ANSWER = pdu.AAssociateAC(
    "ANY-SCP",
    "LEADGLASS",
    (
        pdu.PresentationContextAC(1, 0, uids.IMPLICIT_VR_LE),
        pdu.PresentationContextAC(3, 0, uids.EXPLICIT_VR_LE),
    ),
    _ANSWER_INFORMATION,
)
SHORT_REQUEST = pdu.AAssociateRQ(
    "ANY-SCP",
    "LEADGLASS",
    (pdu.PresentationContextRQ(1, uids.VERIFICATION, (uids.IMPLICIT_VR_LE,)),),
    pdu.UserInformation(maximum_length=16384),
)
SHORT_ANSWER = pdu.AAssociateAC(
    "ANY-SCP",
    "LEADGLASS",
    (pdu.PresentationContextAC(1, 0, uids.IMPLICIT_VR_LE),),
    pdu.UserInformation(maximum_length=16384),
)
REJECTION = pdu.AAssociateRJ(1, 1, 7)
ABORT = pdu.AAbort(2, 2)

MESSAGES: tuple[dimse.Message, ...] = (
    dimse.CEchoRQ(1),
    dimse.CEchoRSP(1, 0x0000, uids.VERIFICATION),
    dimse.CFindRQ(2, uids.STUDY_ROOT_FIND),
    dimse.CFindRSP(2, 0xFF00, uids.STUDY_ROOT_FIND, dimse.DATA_SET),
    dimse.CFindRSP(2, 0xC000, error_comment="unable to process", offending_element=(0x00080052,)),
    dimse.CCancelRQ(2),
    dimse.CStoreRQ(3, uids.CT_IMAGE_STORAGE, "2.25.1", 0, "LEADGLASS", 7),
    dimse.CStoreRSP(3, 0x0124, uids.CT_IMAGE_STORAGE, "2.25.1"),
    dimse.CGetRQ(4, uids.STUDY_ROOT_GET),
    dimse.CGetRSP(4, 0xFF00, uids.STUDY_ROOT_GET, 3, 2, 1, 0),
    dimse.CMoveRQ(5, uids.STUDY_ROOT_MOVE, "ELSEWHERE"),
    dimse.CMoveRSP(5, 0xA801, uids.STUDY_ROOT_MOVE),
    dimse.NEventReportRQ(6, uids.STORAGE_COMMITMENT, "2.25.1", 1),
    dimse.NEventReportRSP(6, 0, uids.STORAGE_COMMITMENT, "2.25.1", 1),
    dimse.NGetRQ(7, uids.MPPS, "2.25.1", (0x00400252, 0x00080060)),
    dimse.NGetRSP(7, 0x0107, uids.MPPS, "2.25.1", dimse.DATA_SET, (0x00100010,)),
    dimse.NSetRQ(8, uids.MPPS, "2.25.1"),
    dimse.NSetRSP(8, 0x0110, uids.MPPS, "2.25.1", error_id=1, error_comment="unable to process"),
    dimse.NActionRQ(9, uids.STORAGE_COMMITMENT, "2.25.1", 1),
    dimse.NActionRSP(9, 0, uids.STORAGE_COMMITMENT, "2.25.1", 1),
    dimse.NCreateRQ(10, uids.MPPS, "2.25.1"),
    dimse.NCreateRSP(10, 0x0120, uids.MPPS, "2.25.1", attribute_identifier_list=(0x00400253,)),
    dimse.NDeleteRQ(11, uids.MPPS, "2.25.1"),
    dimse.NDeleteRSP(11, 0x0124, uids.MPPS, "2.25.1"),
)
IDENTIFIER = dataset.identifier({dataset.QUERY_RETRIEVE_LEVEL: "STUDY", dataset.STUDY_INSTANCE_UID: "2.25.1"})


def whole(message: dimse.Message, maximum_length: int = 0) -> bytes:
    """``message`` as P-DATA-TF PDUs, with a data set if it needs one."""
    data_set = IDENTIFIER if dimse.has_data_set(message) else None
    return pdata.fragment(1, command.encode_command(message), data_set, maximum_length)


_PLAIN: tuple[pdu.Pdu, ...] = (REQUEST, ANSWER, REJECTION, pdu.AReleaseRQ(), pdu.AReleaseRP(), ABORT)
PDUS = (*(pdu.encode(value) for value in _PLAIN), *(whole(message) for message in MESSAGES))
"""Whole PDUs: one of each kind, in the order of their types but for P-DATA, which comes last."""


def data_set(syntax: Syntax, *, undefined: bool) -> bytes:
    """A data set with sequences, elements of every kind of length, and pixels, encapsulated where that is possible."""
    order: Literal["little", "big"] = "little" if syntax.little else "big"
    opening, item_end, sequence_end = (
        (0xFFFE).to_bytes(2, order) + number.to_bytes(2, order) for number in (0xE000, 0xE00D, 0xE0DD)
    )

    def sequence(tag: int, vr: str, *contents: bytes) -> bytes:
        if undefined:
            items = [opening + b"\xff" * 4 + content + item_end + bytes(4) for content in contents]
            empty = encode_element(tag, vr, b"", syntax)
            return empty[:-4] + b"\xff" * 4 + b"".join(items) + sequence_end + bytes(4)
        items = [opening + len(content).to_bytes(4, order) + content for content in contents]
        return encode_element(tag, vr, b"".join(items), syntax)

    study = encode_element(0x0020_000D, "UI", b"2.25.7", syntax)
    frames = (
        opening + bytes(4) + opening + (4).to_bytes(4, order) + b"\xff\xd8\xff\xd9" + sequence_end + bytes(4)
    )
    pixels = encode_element(0x7FE0_0010, "OB", b"", syntax)
    encapsulated = pixels[:-4] + b"\xff" * 4 + frames
    return b"".join(
        (
            encode_element(0x0008_0018, "UI", b"2.25.9", syntax),
            sequence(0x0008_1115, "SQ", study, sequence(0x0008_1199, "SQ", study)),
            encode_element(0x0010_0020, "LO", b"4711", syntax),
            study,
            encode_element(0x0028_0010, "US", b"\2\0", syntax),
            sequence(0x0040_0275, "SQ", b""),
            encapsulated if undefined and syntax.explicit else pixels,
        )
    )
