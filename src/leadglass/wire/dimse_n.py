"""The N-services' messages (PS3.7 clause 10.3 and annex E), as storage commitment and procedure steps use them.

Take the names from ``dimse``, which joins these with the C-services'. ``error_id`` and
``attribute_identifier_list`` of a response are those of annex C. Instances are kept out of ``repr``,
as free text is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from leadglass.wire.command_elements import (
    ACTION_TYPE,
    ACTION_TYPE_BACK,
    ATTRIBUTES,
    DATA_SET,
    DATA_SET_TYPE,
    EVENT_TYPE,
    EVENT_TYPE_BACK,
    MESSAGE_ID,
    N_RESPONSE,
    NO_DATA_SET,
    REQUESTED_CLASS,
    REQUESTED_INSTANCE,
    SOP_CLASS,
    SOP_INSTANCE,
    SOP_INSTANCE_BACK,
    Element,
)

__all__ = [
    "NActionRQ",
    "NActionRSP",
    "NCreateRQ",
    "NCreateRSP",
    "NDeleteRQ",
    "NDeleteRSP",
    "NEventReportRQ",
    "NEventReportRSP",
    "NGetRQ",
    "NGetRSP",
    "NSetRQ",
    "NSetRSP",
]


@dataclass(frozen=True, slots=True)
class NEventReportRQ:
    """N-EVENT-REPORT-RQ (PS3.7 10.3.1.1): what happened to an instance; the event information is its data set."""

    message_id: int
    affected_sop_class_uid: str
    affected_sop_instance_uid: str = field(repr=False)
    event_type_id: int
    command_data_set_type: int = DATA_SET

    COMMAND_FIELD: ClassVar[int] = 0x0100
    ELEMENTS: ClassVar[tuple[Element, ...]] = (SOP_CLASS, MESSAGE_ID, DATA_SET_TYPE, SOP_INSTANCE, EVENT_TYPE)


@dataclass(frozen=True, slots=True)
class NEventReportRSP:
    """N-EVENT-REPORT-RSP (PS3.7 10.3.1.2)."""

    message_id_being_responded_to: int
    status: int
    affected_sop_class_uid: str | None = None
    affected_sop_instance_uid: str | None = field(default=None, repr=False)
    event_type_id: int | None = None
    command_data_set_type: int = NO_DATA_SET
    error_id: int | None = None
    error_comment: str | None = field(default=None, repr=False)

    COMMAND_FIELD: ClassVar[int] = 0x8100
    ELEMENTS: ClassVar[tuple[Element, ...]] = (*N_RESPONSE, EVENT_TYPE_BACK)


@dataclass(frozen=True, slots=True)
class NGetRQ:
    """N-GET-RQ (PS3.7 10.3.2.1): the attributes asked for; all of them without a list."""

    message_id: int
    requested_sop_class_uid: str
    requested_sop_instance_uid: str = field(repr=False)
    attribute_identifier_list: tuple[int, ...] | None = None
    command_data_set_type: int = NO_DATA_SET

    COMMAND_FIELD: ClassVar[int] = 0x0110
    ELEMENTS: ClassVar[tuple[Element, ...]] = (
        REQUESTED_CLASS,
        MESSAGE_ID,
        DATA_SET_TYPE,
        REQUESTED_INSTANCE,
        ATTRIBUTES,
    )


@dataclass(frozen=True, slots=True)
class NGetRSP:
    """N-GET-RSP (PS3.7 10.3.2.2)."""

    message_id_being_responded_to: int
    status: int
    affected_sop_class_uid: str | None = None
    affected_sop_instance_uid: str | None = field(default=None, repr=False)
    command_data_set_type: int = NO_DATA_SET
    attribute_identifier_list: tuple[int, ...] | None = None
    error_id: int | None = None
    error_comment: str | None = field(default=None, repr=False)

    COMMAND_FIELD: ClassVar[int] = 0x8110
    ELEMENTS: ClassVar[tuple[Element, ...]] = (*N_RESPONSE, ATTRIBUTES)


@dataclass(frozen=True, slots=True)
class NSetRQ:
    """N-SET-RQ (PS3.7 10.3.3.1); the modification list is its data set."""

    message_id: int
    requested_sop_class_uid: str
    requested_sop_instance_uid: str = field(repr=False)
    command_data_set_type: int = DATA_SET

    COMMAND_FIELD: ClassVar[int] = 0x0120
    ELEMENTS: ClassVar[tuple[Element, ...]] = (REQUESTED_CLASS, MESSAGE_ID, DATA_SET_TYPE, REQUESTED_INSTANCE)


@dataclass(frozen=True, slots=True)
class NSetRSP:
    """N-SET-RSP (PS3.7 10.3.3.2)."""

    message_id_being_responded_to: int
    status: int
    affected_sop_class_uid: str | None = None
    affected_sop_instance_uid: str | None = field(default=None, repr=False)
    command_data_set_type: int = NO_DATA_SET
    attribute_identifier_list: tuple[int, ...] | None = None
    error_id: int | None = None
    error_comment: str | None = field(default=None, repr=False)

    COMMAND_FIELD: ClassVar[int] = 0x8120
    ELEMENTS: ClassVar[tuple[Element, ...]] = (*N_RESPONSE, ATTRIBUTES)


@dataclass(frozen=True, slots=True)
class NActionRQ:
    """N-ACTION-RQ (PS3.7 10.3.4.1); the action information is its data set."""

    message_id: int
    requested_sop_class_uid: str
    requested_sop_instance_uid: str = field(repr=False)
    action_type_id: int
    command_data_set_type: int = DATA_SET

    COMMAND_FIELD: ClassVar[int] = 0x0130
    ELEMENTS: ClassVar[tuple[Element, ...]] = (
        REQUESTED_CLASS,
        MESSAGE_ID,
        DATA_SET_TYPE,
        REQUESTED_INSTANCE,
        ACTION_TYPE,
    )


@dataclass(frozen=True, slots=True)
class NActionRSP:
    """N-ACTION-RSP (PS3.7 10.3.4.2)."""

    message_id_being_responded_to: int
    status: int
    affected_sop_class_uid: str | None = None
    affected_sop_instance_uid: str | None = field(default=None, repr=False)
    action_type_id: int | None = None
    command_data_set_type: int = NO_DATA_SET
    error_id: int | None = None
    error_comment: str | None = field(default=None, repr=False)

    COMMAND_FIELD: ClassVar[int] = 0x8130
    ELEMENTS: ClassVar[tuple[Element, ...]] = (*N_RESPONSE, ACTION_TYPE_BACK)


@dataclass(frozen=True, slots=True)
class NCreateRQ:
    """N-CREATE-RQ (PS3.7 10.3.5.1); the attribute list is its data set."""

    message_id: int
    affected_sop_class_uid: str
    affected_sop_instance_uid: str | None = field(default=None, repr=False)
    """None: the performer of the service names the new instance."""
    command_data_set_type: int = DATA_SET

    COMMAND_FIELD: ClassVar[int] = 0x0140
    ELEMENTS: ClassVar[tuple[Element, ...]] = (SOP_CLASS, MESSAGE_ID, DATA_SET_TYPE, SOP_INSTANCE_BACK)


@dataclass(frozen=True, slots=True)
class NCreateRSP:
    """N-CREATE-RSP (PS3.7 10.3.5.2)."""

    message_id_being_responded_to: int
    status: int
    affected_sop_class_uid: str | None = None
    affected_sop_instance_uid: str | None = field(default=None, repr=False)
    command_data_set_type: int = NO_DATA_SET
    attribute_identifier_list: tuple[int, ...] | None = None
    error_id: int | None = None
    error_comment: str | None = field(default=None, repr=False)

    COMMAND_FIELD: ClassVar[int] = 0x8140
    ELEMENTS: ClassVar[tuple[Element, ...]] = (*N_RESPONSE, ATTRIBUTES)


@dataclass(frozen=True, slots=True)
class NDeleteRQ:
    """N-DELETE-RQ (PS3.7 10.3.6.1)."""

    message_id: int
    requested_sop_class_uid: str
    requested_sop_instance_uid: str = field(repr=False)
    command_data_set_type: int = NO_DATA_SET

    COMMAND_FIELD: ClassVar[int] = 0x0150
    ELEMENTS: ClassVar[tuple[Element, ...]] = (REQUESTED_CLASS, MESSAGE_ID, DATA_SET_TYPE, REQUESTED_INSTANCE)


@dataclass(frozen=True, slots=True)
class NDeleteRSP:
    """N-DELETE-RSP (PS3.7 10.3.6.2)."""

    message_id_being_responded_to: int
    status: int
    affected_sop_class_uid: str | None = None
    affected_sop_instance_uid: str | None = field(default=None, repr=False)
    command_data_set_type: int = NO_DATA_SET
    error_id: int | None = None
    error_comment: str | None = field(default=None, repr=False)

    COMMAND_FIELD: ClassVar[int] = 0x8150
    ELEMENTS: ClassVar[tuple[Element, ...]] = N_RESPONSE
