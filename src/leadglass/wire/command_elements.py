"""The elements of command sets (PS3.7 annex E): how each is coded, and which field of a message holds it.

Fields are named as PS3.7 names them. ``dimse`` and ``dimse_n`` make messages of these.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = [
    "ACTION_TYPE",
    "ACTION_TYPE_BACK",
    "ATTRIBUTES",
    "DATA_SET",
    "DATA_SET_TYPE",
    "DESTINATION",
    "ERROR_ID",
    "EVENT_TYPE",
    "EVENT_TYPE_BACK",
    "MESSAGE_ID",
    "NO_DATA_SET",
    "N_RESPONSE",
    "ORIGINATOR",
    "ORIGINATOR_ID",
    "PRIORITY",
    "REQUESTED_CLASS",
    "REQUESTED_INSTANCE",
    "RESPONDED_TO",
    "RESPONSE",
    "SOP_CLASS",
    "SOP_INSTANCE",
    "SOP_INSTANCE_BACK",
    "SUBOPERATIONS",
    "Element",
]

NO_DATA_SET = 0x0101
"""Command Data Set Type: no data set follows; any other value says that one does (PS3.7 E.1)."""
DATA_SET = 0x0001


class Element(NamedTuple):
    """One element of a command set: how it is coded and which field of a message holds it."""

    tag: int
    """The element number in group 0000."""
    vr: str
    name: str
    required: bool


def _required(tag: int, vr: str, name: str) -> Element:
    return Element(tag, vr, name, required=True)


def _optional(tag: int, vr: str, name: str) -> Element:
    return Element(tag, vr, name, required=False)


SOP_CLASS = _required(0x0002, "UI", "affected_sop_class_uid")
SOP_CLASS_BACK = _optional(0x0002, "UI", "affected_sop_class_uid")
REQUESTED_CLASS = _required(0x0003, "UI", "requested_sop_class_uid")
MESSAGE_ID = _required(0x0110, "US", "message_id")
RESPONDED_TO = _required(0x0120, "US", "message_id_being_responded_to")
DESTINATION = _required(0x0600, "AE", "move_destination")
PRIORITY = _required(0x0700, "US", "priority")
DATA_SET_TYPE = _required(0x0800, "US", "command_data_set_type")
STATUS = _required(0x0900, "US", "status")
OFFENDING = _optional(0x0901, "AT", "offending_element")
COMMENT = _optional(0x0902, "LO", "error_comment")
ERROR_ID = _optional(0x0903, "US", "error_id")
SOP_INSTANCE = _required(0x1000, "UI", "affected_sop_instance_uid")
SOP_INSTANCE_BACK = _optional(0x1000, "UI", "affected_sop_instance_uid")
REQUESTED_INSTANCE = _required(0x1001, "UI", "requested_sop_instance_uid")
EVENT_TYPE = _required(0x1002, "US", "event_type_id")
EVENT_TYPE_BACK = _optional(0x1002, "US", "event_type_id")
ATTRIBUTES = _optional(0x1005, "AT", "attribute_identifier_list")
ACTION_TYPE = _required(0x1008, "US", "action_type_id")
ACTION_TYPE_BACK = _optional(0x1008, "US", "action_type_id")
REMAINING = _optional(0x1020, "US", "number_of_remaining_suboperations")
COMPLETED = _optional(0x1021, "US", "number_of_completed_suboperations")
FAILED = _optional(0x1022, "US", "number_of_failed_suboperations")
WARNING = _optional(0x1023, "US", "number_of_warning_suboperations")
ORIGINATOR = _optional(0x1030, "AE", "move_originator_application_entity_title")
ORIGINATOR_ID = _optional(0x1031, "US", "move_originator_message_id")

RESPONSE = (SOP_CLASS_BACK, RESPONDED_TO, DATA_SET_TYPE, STATUS, OFFENDING, COMMENT)
"""What the responses of all C-services have (PS3.7 9.3 and annex C)."""
SUBOPERATIONS = (REMAINING, COMPLETED, FAILED, WARNING)
N_RESPONSE = (SOP_CLASS_BACK, RESPONDED_TO, DATA_SET_TYPE, STATUS, COMMENT, ERROR_ID, SOP_INSTANCE_BACK)
"""What the responses of all N-services have (PS3.7 10.3 and annex C)."""
