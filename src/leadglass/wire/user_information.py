"""The User Information item, 50H, and its sub-items (PS3.7 annex D.3.3, PS3.8 annex D.1).

An association answer says here who it is: implementation, sizes, and in which order it lists them,
which is kept (``item_order``) because it tells products apart when their UIDs lie. A missing 52H is
tolerated and shown as None: at least one honeypot forgets it. Twice the same single item is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from leadglass.errors import RemoteProtocolError
from leadglass.wire.fields import Fields, item, malformed, number, padded_text, prefixed, split_items, text
from leadglass.wire.limits import Limits

__all__ = [
    "USER_INFORMATION",
    "AsynchronousOperationsWindow",
    "CommonExtendedNegotiation",
    "ExtendedNegotiation",
    "RoleSelection",
    "UserIdentityAC",
    "UserIdentityRQ",
    "UserInformation",
    "decode_user_information",
    "encode_user_information",
]

T = TypeVar("T")

USER_INFORMATION = 0x50
MAXIMUM_LENGTH = 0x51
IMPLEMENTATION_CLASS_UID = 0x52
ASYNCHRONOUS_OPERATIONS = 0x53
ROLE_SELECTION = 0x54
IMPLEMENTATION_VERSION_NAME = 0x55
EXTENDED_NEGOTIATION = 0x56
COMMON_EXTENDED_NEGOTIATION = 0x57
USER_IDENTITY_RQ = 0x58
USER_IDENTITY_AC = 0x59

_REPEATABLE = frozenset({ROLE_SELECTION, EXTENDED_NEGOTIATION, COMMON_EXTENDED_NEGOTIATION})
_KNOWN = range(MAXIMUM_LENGTH, USER_IDENTITY_AC + 1)
_UNEXPECTED_PARAMETER = 5  # PS3.8 table 9-26


@dataclass(frozen=True, slots=True)
class AsynchronousOperationsWindow:
    """Sub-item 53H (PS3.7 D.3.3.3); 0 is unlimited."""

    maximum_number_operations_invoked: int
    maximum_number_operations_performed: int


@dataclass(frozen=True, slots=True)
class RoleSelection:
    """Sub-item 54H, SCP/SCU role selection (PS3.7 D.3.3.4)."""

    sop_class_uid: str
    scu_role: bool
    scp_role: bool


@dataclass(frozen=True, slots=True)
class ExtendedNegotiation:
    """Sub-item 56H, SOP class extended negotiation (PS3.7 D.3.3.5)."""

    sop_class_uid: str
    service_class_application_information: bytes


@dataclass(frozen=True, slots=True)
class CommonExtendedNegotiation:
    """Sub-item 57H, SOP class common extended negotiation (PS3.7 D.3.3.6)."""

    sop_class_uid: str
    service_class_uid: str
    related_general_sop_class_uids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UserIdentityRQ:
    """Sub-item 58H (PS3.7 D.3.3.7): 1 username, 2 and passcode, 3 Kerberos, 4 SAML, 5 JSON Web Token.

    Other types are kept too: refusing one is the acceptor's decision. The fields are credentials and
    therefore absent from ``repr``.
    """

    user_identity_type: int
    positive_response_requested: bool
    primary_field: bytes = field(repr=False)
    secondary_field: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class UserIdentityAC:
    """Sub-item 59H (PS3.7 D.3.3.7.2); empty for types 1 and 2."""

    server_response: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class UserInformation:
    """What one side says of itself; None where it says nothing."""

    maximum_length: int | None = None
    """The longest P-DATA-TF body it takes, in bytes; 0 is no limit (PS3.8 D.1)."""
    implementation_class_uid: str | None = None
    implementation_version_name: str | None = None
    asynchronous_operations: AsynchronousOperationsWindow | None = None
    role_selections: tuple[RoleSelection, ...] = ()
    extended_negotiations: tuple[ExtendedNegotiation, ...] = ()
    common_extended_negotiations: tuple[CommonExtendedNegotiation, ...] = ()
    user_identity: UserIdentityRQ | UserIdentityAC | None = None
    unknown: tuple[tuple[int, bytes], ...] = ()
    """Items that the standard does not name, as (type, payload)."""
    item_order: tuple[int, ...] = field(default=(), compare=False)
    """The types in the order received. Encoding keeps it; without it, the known come ascending and before the rest."""


def decode_user_information(payload: bytes, limits: Limits, *, request: bool) -> UserInformation:
    """The payload of a 50H item; ``RemoteProtocolError`` if it does not add up."""
    items = split_items(payload, limits.user_items, "the user information")
    found: dict[int, list[bytes]] = {}
    for kind, data in items:
        found.setdefault(kind, []).append(data)
    _check_kinds(found, request=request)
    return UserInformation(
        maximum_length=_single(found, MAXIMUM_LENGTH, limits, _maximum_length),
        implementation_class_uid=_single(found, IMPLEMENTATION_CLASS_UID, limits, _class_uid),
        implementation_version_name=_single(found, IMPLEMENTATION_VERSION_NAME, limits, _version_name),
        asynchronous_operations=_single(found, ASYNCHRONOUS_OPERATIONS, limits, _window),
        role_selections=_each(found, ROLE_SELECTION, limits, _role_selection),
        extended_negotiations=_each(found, EXTENDED_NEGOTIATION, limits, _extended),
        common_extended_negotiations=_each(found, COMMON_EXTENDED_NEGOTIATION, limits, _common_extended),
        user_identity=_single(found, USER_IDENTITY_RQ, limits, _identity_rq)
        or _single(found, USER_IDENTITY_AC, limits, _identity_ac),
        unknown=tuple((kind, data) for kind, data in items if kind not in _KNOWN),
        item_order=tuple(kind for kind, _ in items),
    )


def _check_kinds(found: dict[int, list[bytes]], *, request: bool) -> None:
    strange = USER_IDENTITY_AC if request else USER_IDENTITY_RQ
    if strange in found:
        raise RemoteProtocolError(
            f"user information item {strange:02X}H in the wrong direction", abort_reason=_UNEXPECTED_PARAMETER
        )
    for kind, data in found.items():
        if len(data) > 1 and kind in _KNOWN and kind not in _REPEATABLE:
            raise malformed(f"user information item {kind:02X}H occurs {len(data)} times")


def _single(
    found: dict[int, list[bytes]], kind: int, limits: Limits, decode: Callable[[bytes, Limits], T]
) -> T | None:
    data = found.get(kind)
    return decode(data[0], limits) if data else None


def _each(
    found: dict[int, list[bytes]], kind: int, limits: Limits, decode: Callable[[bytes, Limits], T]
) -> tuple[T, ...]:
    return tuple(decode(data, limits) for data in found.get(kind, ()))


def _maximum_length(data: bytes, _: Limits) -> int:
    fields = Fields(data, "the maximum length item")
    value = fields.number(4)
    fields.end()
    return value


def _class_uid(data: bytes, limits: Limits) -> str:
    return padded_text(data, limits.text, "the implementation class UID")


def _version_name(data: bytes, limits: Limits) -> str:
    # At most 16 characters by PS3.7 D.3.3.2.4; longer ones are read all the same, they identify.
    return padded_text(data, limits.text, "the implementation version name")


def _window(data: bytes, _: Limits) -> AsynchronousOperationsWindow:
    fields = Fields(data, "the asynchronous operations window")
    window = AsynchronousOperationsWindow(fields.number(2), fields.number(2))
    fields.end()
    return window


def _role_selection(data: bytes, limits: Limits) -> RoleSelection:
    fields = Fields(data, "a role selection")
    uid = padded_text(fields.prefixed(), limits.text, "the SOP class UID of a role selection")
    selection = RoleSelection(uid, fields.number(1) != 0, fields.number(1) != 0)
    fields.end()
    return selection


def _extended(data: bytes, limits: Limits) -> ExtendedNegotiation:
    fields = Fields(data, "an extended negotiation")
    uid = padded_text(fields.prefixed(), limits.text, "the SOP class UID of an extended negotiation")
    return ExtendedNegotiation(uid, fields.rest())


def _common_extended(data: bytes, limits: Limits) -> CommonExtendedNegotiation:
    where = "a common extended negotiation"
    fields = Fields(data, where)
    sop_class = padded_text(fields.prefixed(), limits.text, f"the SOP class UID of {where}")
    service_class = padded_text(fields.prefixed(), limits.text, f"the service class UID of {where}")
    related = Fields(fields.prefixed(), f"the related classes of {where}")
    uids: list[str] = []
    while related.left:
        uids.append(padded_text(related.prefixed(), limits.text, f"a related class UID of {where}"))
    # What follows is reserved, of any length, and not tested (PS3.7 D.3.3.6.1).
    return CommonExtendedNegotiation(sop_class, service_class, tuple(uids))


def _identity_rq(data: bytes, limits: Limits) -> UserIdentityRQ:
    fields = Fields(data, "the user identity")
    kind, positive = fields.number(1), fields.number(1) != 0
    primary, secondary = fields.prefixed(), fields.prefixed()
    fields.end()
    if len(primary) + len(secondary) > limits.user_identity:
        raise malformed(f"the user identity has more than {limits.user_identity} bytes")
    return UserIdentityRQ(kind, positive, primary, secondary)


def _identity_ac(data: bytes, limits: Limits) -> UserIdentityAC:
    fields = Fields(data, "the user identity response")
    response = fields.prefixed()
    fields.end()
    if len(response) > limits.user_identity:
        raise malformed(f"the user identity response has more than {limits.user_identity} bytes")
    return UserIdentityAC(response)


def encode_user_information(information: UserInformation) -> bytes:
    """The whole 50H item; ``LocalProtocolError`` for a value that does not fit its field."""
    encoded = [(kind, item(kind, payload)) for kind, payload in _payloads(information)]
    if information.item_order:
        encoded = _in_order(encoded, information.item_order)
    return item(USER_INFORMATION, b"".join(data for _, data in encoded))


def _in_order(encoded: list[tuple[int, bytes]], order: tuple[int, ...]) -> list[tuple[int, bytes]]:
    """``encoded`` with its kinds as in ``order``; what ``order`` does not name comes last, as it was."""
    places: dict[int, list[int]] = {}
    for place, kind in enumerate(order):
        places.setdefault(kind, []).append(place)
    queues = {kind: iter(found) for kind, found in places.items()}
    end = len(order)
    keyed = [(next(queues[kind], end) if kind in queues else end, kind, data) for kind, data in encoded]
    return [(kind, data) for _, kind, data in sorted(keyed, key=lambda entry: entry[0])]


def _payloads(information: UserInformation) -> Iterator[tuple[int, bytes]]:
    if information.maximum_length is not None:
        yield MAXIMUM_LENGTH, number(information.maximum_length, 4, "the maximum length")
    if information.implementation_class_uid is not None:
        yield IMPLEMENTATION_CLASS_UID, text(information.implementation_class_uid, "a UID")
    if information.implementation_version_name is not None:
        yield IMPLEMENTATION_VERSION_NAME, text(information.implementation_version_name, "a version name")
    window = information.asynchronous_operations
    if window is not None:
        yield ASYNCHRONOUS_OPERATIONS, _encode_window(window)
    yield from ((ROLE_SELECTION, _encode_role(role)) for role in information.role_selections)
    yield from ((EXTENDED_NEGOTIATION, _encode_extended(e)) for e in information.extended_negotiations)
    for common in information.common_extended_negotiations:
        yield COMMON_EXTENDED_NEGOTIATION, _encode_common(common)
    identity = information.user_identity
    if isinstance(identity, UserIdentityRQ):
        yield USER_IDENTITY_RQ, _encode_identity(identity)
    elif identity is not None:
        yield USER_IDENTITY_AC, prefixed(identity.server_response, "the user identity response")
    yield from information.unknown


def _encode_window(window: AsynchronousOperationsWindow) -> bytes:
    return number(window.maximum_number_operations_invoked, 2, "the operations invoked") + number(
        window.maximum_number_operations_performed, 2, "the operations performed"
    )


def _encode_role(role: RoleSelection) -> bytes:
    return prefixed(text(role.sop_class_uid, "a UID"), "a UID") + bytes((role.scu_role, role.scp_role))


def _encode_extended(negotiation: ExtendedNegotiation) -> bytes:
    uid = prefixed(text(negotiation.sop_class_uid, "a UID"), "a UID")
    return uid + negotiation.service_class_application_information


def _encode_common(negotiation: CommonExtendedNegotiation) -> bytes:
    related = b"".join(
        prefixed(text(uid, "a UID"), "a UID") for uid in negotiation.related_general_sop_class_uids
    )
    return (
        prefixed(text(negotiation.sop_class_uid, "a UID"), "a UID")
        + prefixed(text(negotiation.service_class_uid, "a UID"), "a UID")
        + prefixed(related, "the related classes")
    )


def _encode_identity(identity: UserIdentityRQ) -> bytes:
    return (
        number(identity.user_identity_type, 1, "the user identity type")
        + bytes((identity.positive_response_requested,))
        + prefixed(identity.primary_field, "the primary field")
        + prefixed(identity.secondary_field, "the secondary field")
    )
