"""The C-services' messages (PS3.7 clause 9.3 and annex E): values, and the table of their elements.

Fields are named as PS3.7 names them. Status codes are numbers here; what they mean for an exposure
is the judge's business. ``error_comment`` is free text a peer chose: it may name anything, so it is
kept out of ``repr`` and whoever stores or prints a message drops it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple, TypeAlias

__all__ = [
    "DATA_SET",
    "MESSAGES",
    "NO_DATA_SET",
    "CCancelRQ",
    "CEchoRQ",
    "CEchoRSP",
    "CFindRQ",
    "CFindRSP",
    "CGetRQ",
    "CGetRSP",
    "CMoveRQ",
    "CMoveRSP",
    "CStoreRQ",
    "CStoreRSP",
    "Element",
    "Message",
    "Priority",
    "has_data_set",
]

NO_DATA_SET = 0x0101
"""Command Data Set Type: no data set follows; any other value says that one does (PS3.7 E.1)."""
DATA_SET = 0x0001


class Priority:
    """Values of the Priority field (PS3.7 E.1)."""

    MEDIUM = 0
    HIGH = 1
    LOW = 2


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


_SOP_CLASS = _required(0x0002, "UI", "affected_sop_class_uid")
_SOP_CLASS_BACK = _optional(0x0002, "UI", "affected_sop_class_uid")
_MESSAGE_ID = _required(0x0110, "US", "message_id")
_RESPONDED_TO = _required(0x0120, "US", "message_id_being_responded_to")
_DESTINATION = _required(0x0600, "AE", "move_destination")
_PRIORITY = _required(0x0700, "US", "priority")
_DATA_SET_TYPE = _required(0x0800, "US", "command_data_set_type")
_STATUS = _required(0x0900, "US", "status")
_OFFENDING = _optional(0x0901, "AT", "offending_element")
_COMMENT = _optional(0x0902, "LO", "error_comment")
_SOP_INSTANCE = _required(0x1000, "UI", "affected_sop_instance_uid")
_SOP_INSTANCE_BACK = _optional(0x1000, "UI", "affected_sop_instance_uid")
_REMAINING = _optional(0x1020, "US", "number_of_remaining_suboperations")
_COMPLETED = _optional(0x1021, "US", "number_of_completed_suboperations")
_FAILED = _optional(0x1022, "US", "number_of_failed_suboperations")
_WARNING = _optional(0x1023, "US", "number_of_warning_suboperations")
_ORIGINATOR = _optional(0x1030, "AE", "move_originator_application_entity_title")
_ORIGINATOR_ID = _optional(0x1031, "US", "move_originator_message_id")

_RESPONSE = (_SOP_CLASS_BACK, _RESPONDED_TO, _DATA_SET_TYPE, _STATUS, _OFFENDING, _COMMENT)
_SUBOPERATIONS = (_REMAINING, _COMPLETED, _FAILED, _WARNING)


@dataclass(frozen=True, slots=True)
class CEchoRQ:
    """C-ECHO-RQ (PS3.7 9.3.5.1)."""

    message_id: int
    affected_sop_class_uid: str = "1.2.840.10008.1.1"
    command_data_set_type: int = NO_DATA_SET

    COMMAND_FIELD: ClassVar[int] = 0x0030
    ELEMENTS: ClassVar[tuple[Element, ...]] = (_SOP_CLASS, _MESSAGE_ID, _DATA_SET_TYPE)


@dataclass(frozen=True, slots=True)
class CEchoRSP:
    """C-ECHO-RSP (PS3.7 9.3.5.2)."""

    message_id_being_responded_to: int
    status: int
    affected_sop_class_uid: str | None = None
    command_data_set_type: int = NO_DATA_SET
    offending_element: tuple[int, ...] | None = None
    error_comment: str | None = field(default=None, repr=False)

    COMMAND_FIELD: ClassVar[int] = 0x8030
    ELEMENTS: ClassVar[tuple[Element, ...]] = _RESPONSE


@dataclass(frozen=True, slots=True)
class CStoreRQ:
    """C-STORE-RQ (PS3.7 9.3.1.1). Leadglass never sends one of its own; the guard reads and relays them."""

    message_id: int
    affected_sop_class_uid: str
    affected_sop_instance_uid: str = field(repr=False)
    priority: int = Priority.MEDIUM
    move_originator_application_entity_title: str | None = None
    move_originator_message_id: int | None = None
    command_data_set_type: int = DATA_SET

    COMMAND_FIELD: ClassVar[int] = 0x0001
    ELEMENTS: ClassVar[tuple[Element, ...]] = (
        _SOP_CLASS,
        _MESSAGE_ID,
        _PRIORITY,
        _DATA_SET_TYPE,
        _SOP_INSTANCE,
        _ORIGINATOR,
        _ORIGINATOR_ID,
    )


@dataclass(frozen=True, slots=True)
class CStoreRSP:
    """C-STORE-RSP (PS3.7 9.3.1.2)."""

    message_id_being_responded_to: int
    status: int
    affected_sop_class_uid: str | None = None
    affected_sop_instance_uid: str | None = field(default=None, repr=False)
    command_data_set_type: int = NO_DATA_SET
    offending_element: tuple[int, ...] | None = None
    error_comment: str | None = field(default=None, repr=False)

    COMMAND_FIELD: ClassVar[int] = 0x8001
    ELEMENTS: ClassVar[tuple[Element, ...]] = (*_RESPONSE, _SOP_INSTANCE_BACK)


@dataclass(frozen=True, slots=True)
class CFindRQ:
    """C-FIND-RQ (PS3.7 9.3.2.1); the identifier is its data set."""

    message_id: int
    affected_sop_class_uid: str
    priority: int = Priority.MEDIUM
    command_data_set_type: int = DATA_SET

    COMMAND_FIELD: ClassVar[int] = 0x0020
    ELEMENTS: ClassVar[tuple[Element, ...]] = (_SOP_CLASS, _MESSAGE_ID, _PRIORITY, _DATA_SET_TYPE)


@dataclass(frozen=True, slots=True)
class CFindRSP:
    """C-FIND-RSP (PS3.7 9.3.2.2); with a data set if it is pending."""

    message_id_being_responded_to: int
    status: int
    affected_sop_class_uid: str | None = None
    command_data_set_type: int = NO_DATA_SET
    offending_element: tuple[int, ...] | None = None
    error_comment: str | None = field(default=None, repr=False)

    COMMAND_FIELD: ClassVar[int] = 0x8020
    ELEMENTS: ClassVar[tuple[Element, ...]] = _RESPONSE


@dataclass(frozen=True, slots=True)
class CCancelRQ:
    """C-CANCEL-RQ of a C-FIND, C-GET or C-MOVE (PS3.7 9.3.2.3)."""

    message_id_being_responded_to: int
    command_data_set_type: int = NO_DATA_SET

    COMMAND_FIELD: ClassVar[int] = 0x0FFF
    ELEMENTS: ClassVar[tuple[Element, ...]] = (_RESPONDED_TO, _DATA_SET_TYPE)


@dataclass(frozen=True, slots=True)
class CGetRQ:
    """C-GET-RQ (PS3.7 9.3.3.1). Never sent by Leadglass; the guard decides about other people's."""

    message_id: int
    affected_sop_class_uid: str
    priority: int = Priority.MEDIUM
    command_data_set_type: int = DATA_SET

    COMMAND_FIELD: ClassVar[int] = 0x0010
    ELEMENTS: ClassVar[tuple[Element, ...]] = (_SOP_CLASS, _MESSAGE_ID, _PRIORITY, _DATA_SET_TYPE)


@dataclass(frozen=True, slots=True)
class CGetRSP:
    """C-GET-RSP (PS3.7 9.3.3.2)."""

    message_id_being_responded_to: int
    status: int
    affected_sop_class_uid: str | None = None
    number_of_remaining_suboperations: int | None = None
    number_of_completed_suboperations: int | None = None
    number_of_failed_suboperations: int | None = None
    number_of_warning_suboperations: int | None = None
    command_data_set_type: int = NO_DATA_SET
    offending_element: tuple[int, ...] | None = None
    error_comment: str | None = field(default=None, repr=False)

    COMMAND_FIELD: ClassVar[int] = 0x8010
    ELEMENTS: ClassVar[tuple[Element, ...]] = (*_RESPONSE, *_SUBOPERATIONS)


@dataclass(frozen=True, slots=True)
class CMoveRQ:
    """C-MOVE-RQ (PS3.7 9.3.4.1). Never sent by Leadglass; the guard decides about other people's."""

    message_id: int
    affected_sop_class_uid: str
    move_destination: str
    priority: int = Priority.MEDIUM
    command_data_set_type: int = DATA_SET

    COMMAND_FIELD: ClassVar[int] = 0x0021
    ELEMENTS: ClassVar[tuple[Element, ...]] = (
        _SOP_CLASS,
        _MESSAGE_ID,
        _DESTINATION,
        _PRIORITY,
        _DATA_SET_TYPE,
    )


@dataclass(frozen=True, slots=True)
class CMoveRSP:
    """C-MOVE-RSP (PS3.7 9.3.4.2)."""

    message_id_being_responded_to: int
    status: int
    affected_sop_class_uid: str | None = None
    number_of_remaining_suboperations: int | None = None
    number_of_completed_suboperations: int | None = None
    number_of_failed_suboperations: int | None = None
    number_of_warning_suboperations: int | None = None
    command_data_set_type: int = NO_DATA_SET
    offending_element: tuple[int, ...] | None = None
    error_comment: str | None = field(default=None, repr=False)

    COMMAND_FIELD: ClassVar[int] = 0x8021
    ELEMENTS: ClassVar[tuple[Element, ...]] = (*_RESPONSE, *_SUBOPERATIONS)


Message: TypeAlias = (
    CEchoRQ
    | CEchoRSP
    | CStoreRQ
    | CStoreRSP
    | CFindRQ
    | CFindRSP
    | CCancelRQ
    | CGetRQ
    | CGetRSP
    | CMoveRQ
    | CMoveRSP
)

_ALL: tuple[type[Message], ...] = (
    CEchoRQ,
    CEchoRSP,
    CStoreRQ,
    CStoreRSP,
    CFindRQ,
    CFindRSP,
    CCancelRQ,
    CGetRQ,
    CGetRSP,
    CMoveRQ,
    CMoveRSP,
)

MESSAGES: Mapping[int, type[Message]] = {message.COMMAND_FIELD: message for message in _ALL}
"""Command Field (0000,0100) -> message."""


def has_data_set(message: Message) -> bool:
    """Whether a data set follows the message."""
    return message.command_data_set_type != NO_DATA_SET
