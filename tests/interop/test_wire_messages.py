"""Our messages against pynetdicom's: the same command sets, and each assembles what the other cuts up."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from hypothesis import given
from pydicom.dataset import Dataset
from pynetdicom import dimse_messages, dimse_primitives, dsutils
from pynetdicom import pdu as their_pdu
from tests.property import wire_strategies as some

from leadglass.wire import command, dataset, dimse, pdata, pdu, uids

pytestmark = pytest.mark.peer("pynetdicom")


def ours(encoded: bytes) -> pdu.Pdu:
    return pdu.decode(encoded[0], encoded[6:])


NAMES = {
    "affected_sop_class_uid": "AffectedSOPClassUID",
    "affected_sop_instance_uid": "AffectedSOPInstanceUID",
    "message_id": "MessageID",
    "message_id_being_responded_to": "MessageIDBeingRespondedTo",
    "priority": "Priority",
    "status": "Status",
    "move_destination": "MoveDestination",
    "command_data_set_type": "CommandDataSetType",
    "error_comment": "ErrorComment",
    "offending_element": "OffendingElement",
    "move_originator_application_entity_title": "MoveOriginatorApplicationEntityTitle",
    "move_originator_message_id": "MoveOriginatorMessageID",
    "requested_sop_class_uid": "RequestedSOPClassUID",
    "requested_sop_instance_uid": "RequestedSOPInstanceUID",
    "event_type_id": "EventTypeID",
    "action_type_id": "ActionTypeID",
    "attribute_identifier_list": "AttributeIdentifierList",
    "error_id": "ErrorID",
    "number_of_remaining_suboperations": "NumberOfRemainingSuboperations",
    "number_of_completed_suboperations": "NumberOfCompletedSuboperations",
    "number_of_failed_suboperations": "NumberOfFailedSuboperations",
    "number_of_warning_suboperations": "NumberOfWarningSuboperations",
}


def as_data_set(message: dimse.Message) -> Dataset:
    """The command set as pydicom holds it, without the group length."""
    made = Dataset()
    made.CommandField = message.COMMAND_FIELD
    for element in message.ELEMENTS:
        value = getattr(message, element.name)
        if value is not None:
            setattr(made, NAMES[element.name], list(value) if isinstance(value, tuple) else value)
    return made


@given(some.messages)
def test_pydicom_reads_the_command_sets_that_we_write(message: dimse.Message) -> None:
    read = dsutils.decode(
        io.BytesIO(command.encode_command(message)), is_implicit_vr=True, is_little_endian=True
    )
    written = as_data_set(message)
    del read[0x00000000]

    assert {e.keyword: str(e.value) for e in read} == {e.keyword: str(e.value) for e in written}


@given(some.messages)
def test_we_read_the_command_sets_that_pydicom_writes(message: dimse.Message) -> None:
    written = dsutils.encode(as_data_set(message), is_implicit_vr=True, is_little_endian=True)
    assert written is not None

    decoded = command.decode_command(written)

    assert as_data_set(decoded) == as_data_set(message)


def their_service(message: dimse.Message) -> str:
    """``NEventReportRQ`` as pynetdicom says it: ``N_EVENT_REPORT``."""
    words = re.findall("[A-Z][a-z]*", type(message).__name__.removesuffix("RQ").removesuffix("RSP"))
    return "_".join(words).upper()


def as_their_message(message: dimse.Message) -> Any:
    """Pynetdicom's message from its own primitive with the same parameters.

    Its data set, where ours says that there is one, is of no account.
    """
    service = their_service(message)
    primitive = getattr(dimse_primitives, service)()
    for element in message.ELEMENTS:
        value = getattr(message, element.name)
        if value is not None and element.name != "command_data_set_type":
            setattr(primitive, NAMES[element.name], list(value) if isinstance(value, tuple) else value)
    side = "RQ" if type(message).__name__.endswith("RQ") else "RSP"
    made = getattr(dimse_messages, f"{service}_{side}")()
    made.primitive_to_message(primitive)
    # PS3.7 E.1 leaves the value open; pynetdicom's follows from the data set that was not given.
    made.command_set.CommandDataSetType = message.command_data_set_type
    return made


def they_can_say(message: dimse.Message) -> bool:
    """Pynetdicom's N-CREATE-RSP has no list of attributes, which PS3.7 annex C asks for with a failure."""
    return not (isinstance(message, dimse.NCreateRSP) and message.attribute_identifier_list)


@given(some.n_messages.filter(they_can_say))
def test_we_write_the_bytes_that_pynetdicom_writes_for_every_n_service(message: dimse.Message) -> None:
    theirs = as_their_message(message)
    pieces = [value[1:] for data in theirs.encode_msg(1, 0) for _, value in data.presentation_data_value_list]

    assert command.encode_command(message) == pieces[0]
    assert command.decode_command(pieces[0]) == message


def their_request(kind: str, **fields: object) -> bytes:
    """One of pynetdicom's messages as P-DATA-TF, in fragments of 64 bytes."""
    primitive = getattr(dimse_primitives, kind.rpartition("_")[0])()
    for name, value in fields.items():
        setattr(primitive, name, value)
    message = getattr(dimse_messages, kind)()
    message.primitive_to_message(primitive)
    stream = b""
    for p_data in message.encode_msg(3, 64):
        encoded = their_pdu.P_DATA_TF()
        encoded.from_primitive(p_data)
        stream += encoded.encode()
    return stream


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        ("C_ECHO_RQ", {"MessageID": 7}, dimse.CEchoRQ(7)),
        (
            "C_FIND_RQ",
            {"MessageID": 7, "Priority": 2, "Identifier": io.BytesIO(bytes(100))},
            dimse.CFindRQ(7, uids.VERIFICATION, 2),
        ),
        (
            "C_FIND_RSP",
            {"MessageIDBeingRespondedTo": 7, "Status": 0xFF00, "Identifier": io.BytesIO(bytes(100))},
            dimse.CFindRSP(7, 0xFF00, uids.VERIFICATION, dimse.DATA_SET),
        ),
        (
            "C_MOVE_RQ",
            {"MessageID": 7, "MoveDestination": "THERE", "Priority": 0, "Identifier": io.BytesIO(bytes(100))},
            dimse.CMoveRQ(7, uids.VERIFICATION, "THERE"),
        ),
    ],
)
def test_we_assemble_the_messages_that_pynetdicom_cuts_up(
    kind: str, fields: dict[str, object], expected: dimse.Message
) -> None:
    stream = their_request(kind, AffectedSOPClassUID=uids.VERIFICATION, **fields)
    receiver = pdata.MessageAssembler()
    told = []
    while stream:
        stop = 6 + int.from_bytes(stream[2:6], "big")
        decoded = ours(stream[:stop])
        assert isinstance(decoded, pdu.PDataTF)
        told += [receiver.feed(value) for value in decoded.pdvs]
        stream = stream[stop:]

    (completed,) = [one for one in told if one is not None]
    assert told[-1] is completed
    assert (completed.context_id, completed.data_set) == (
        3,
        bytes(100) if dimse.has_data_set(expected) else None,
    )
    assert with_their_data_set_type(completed.command) == with_their_data_set_type(expected)


def with_their_data_set_type(message: dimse.Message) -> tuple[object, ...]:
    """A message with "some data set" in place of the number each side likes for that."""
    named = {e.name: getattr(message, e.name) for e in message.ELEMENTS}
    named["command_data_set_type"] = dimse.has_data_set(message)
    return type(message), named


@pytest.mark.parametrize("maximum_length", [16, 64, 16384, 0])
def test_pynetdicom_assembles_the_messages_that_we_cut_up(maximum_length: int) -> None:
    identifier = dataset.identifier(
        {dataset.QUERY_RETRIEVE_LEVEL: "STUDY", dataset.STUDY_INSTANCE_UID: "2.25.7"}
    )
    encoded = command.encode_command(dimse.CFindRQ(9, uids.STUDY_ROOT_FIND))
    stream = pdata.fragment(5, encoded, identifier, maximum_length)
    message = dimse_messages.DIMSEMessage()
    done = []
    while stream:
        stop = 6 + int.from_bytes(stream[2:6], "big")
        decoded = their_pdu.P_DATA_TF()
        decoded.decode(stream[:stop])
        done.append(message.decode_msg(decoded.to_primitive()))
        stream = stream[stop:]

    primitive: Any = message.message_to_primitive()
    assert done == [*[False] * (len(done) - 1), True]
    assert (primitive.MessageID, primitive.AffectedSOPClassUID) == (9, uids.STUDY_ROOT_FIND)
    assert primitive.Identifier.getvalue() == identifier
