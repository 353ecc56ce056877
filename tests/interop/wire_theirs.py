"""Our values in pynetdicom's words and back, so that its encoder and decoder can be oracles for ours."""

from __future__ import annotations

from typing import Any

from pynetdicom import pdu as their_pdu
from pynetdicom import pdu_primitives as primitives
from pynetdicom.presentation import PresentationContext

from leadglass.wire import pdu

__all__ = ["from_their_associate", "their_ac", "their_rq"]


def their_rq(value: pdu.AAssociateRQ) -> Any:
    """Pynetdicom's A-ASSOCIATE-RQ that says the same."""
    primitive = _associate(value)
    primitive.presentation_context_definition_list = [
        _context(c.context_id, c.abstract_syntax, *c.transfer_syntaxes) for c in value.presentation_contexts
    ]
    encoded = their_pdu.A_ASSOCIATE_RQ()
    encoded.from_primitive(primitive)
    return encoded


def their_ac(value: pdu.AAssociateAC) -> Any:
    """Pynetdicom's A-ASSOCIATE-AC that says the same."""
    primitive = _associate(value)
    primitive.result = 0
    primitive.result_source = 1
    results = []
    for answered in value.presentation_contexts:
        context = _context(answered.context_id, "1.2.840.10008.1.1", answered.transfer_syntax)
        context.result = answered.result
        results.append(context)
    primitive.presentation_context_definition_results_list = results
    encoded = their_pdu.A_ASSOCIATE_AC()
    encoded.from_primitive(primitive)
    return encoded


def from_their_associate(decoded: Any) -> tuple[object, ...]:
    """What pynetdicom read in an association PDU: titles, contexts, user information as ours."""
    primitive = decoded.to_primitive()
    return (
        str(primitive.application_context_name),
        primitive.called_ae_title.strip(),
        primitive.calling_ae_title.strip(),
        _information(primitive.user_information),
    )


def _associate(value: pdu.AAssociateRQ | pdu.AAssociateAC) -> Any:
    primitive = primitives.A_ASSOCIATE()
    primitive.application_context_name = value.application_context_name
    primitive.called_ae_title = value.called_ae_title
    primitive.calling_ae_title = value.calling_ae_title
    primitive.user_information = _parameters(value.user_information)
    return primitive


def _context(context_id: int, abstract_syntax: str, *transfer_syntaxes: str | None) -> Any:
    context = PresentationContext()
    context.context_id = context_id
    context.abstract_syntax = abstract_syntax
    context.transfer_syntax = list(transfer_syntaxes)
    return context


def _made(kind: Any, **fields: object) -> Any:
    made = kind()
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def _parameters(information: pdu.UserInformation) -> list[Any]:
    made = [
        _made(primitives.MaximumLengthNotification, maximum_length_received=information.maximum_length),
        _made(
            primitives.ImplementationClassUIDNotification,
            implementation_class_uid=information.implementation_class_uid,
        ),
    ]
    if information.implementation_version_name:
        name = information.implementation_version_name
        made.append(_made(primitives.ImplementationVersionNameNotification, implementation_version_name=name))
    window = information.asynchronous_operations
    if window:
        invoked, performed = (
            window.maximum_number_operations_invoked,
            window.maximum_number_operations_performed,
        )
        made.append(
            _made(
                primitives.AsynchronousOperationsWindowNegotiation,
                maximum_number_operations_invoked=invoked,
                maximum_number_operations_performed=performed,
            )
        )
    made += [
        _made(
            primitives.SCP_SCU_RoleSelectionNegotiation,
            sop_class_uid=role.sop_class_uid,
            scu_role=role.scu_role,
            scp_role=role.scp_role,
        )
        for role in information.role_selections
    ]
    return made + _negotiations(information) + _identities(information.user_identity)


def _negotiations(information: pdu.UserInformation) -> list[Any]:
    extended = [
        _made(
            primitives.SOPClassExtendedNegotiation,
            sop_class_uid=negotiation.sop_class_uid,
            service_class_application_information=negotiation.service_class_application_information,
        )
        for negotiation in information.extended_negotiations
    ]
    common = [
        _made(
            primitives.SOPClassCommonExtendedNegotiation,
            sop_class_uid=negotiation.sop_class_uid,
            service_class_uid=negotiation.service_class_uid,
            related_general_sop_class_identification=list(negotiation.related_general_sop_class_uids),
        )
        for negotiation in information.common_extended_negotiations
    ]
    return extended + common


def _identities(identity: pdu.UserIdentityRQ | pdu.UserIdentityAC | None) -> list[Any]:
    if identity is None:
        return []
    if isinstance(identity, pdu.UserIdentityAC):
        return [_made(primitives.UserIdentityNegotiation, server_response=identity.server_response)]
    fields: dict[str, object] = {
        "user_identity_type": identity.user_identity_type,
        "positive_response_requested": identity.positive_response_requested,
        "primary_field": identity.primary_field,
    }
    if identity.user_identity_type == 2:
        fields["secondary_field"] = identity.secondary_field
    return [_made(primitives.UserIdentityNegotiation, **fields)]


def _information(parameters: list[Any]) -> pdu.UserInformation:
    by_kind: dict[str, list[Any]] = {}
    for parameter in parameters:
        by_kind.setdefault(type(parameter).__name__, []).append(parameter)

    def one(kind: str, field: str) -> Any:
        return getattr(by_kind[kind][0], field) if kind in by_kind else None

    uid = one("ImplementationClassUIDNotification", "implementation_class_uid")
    windows = by_kind.get("AsynchronousOperationsWindowNegotiation", [])
    identities = by_kind.get("UserIdentityNegotiation", [])
    return pdu.UserInformation(
        one("MaximumLengthNotification", "maximum_length_received"),
        None if uid is None else str(uid),
        one("ImplementationVersionNameNotification", "implementation_version_name"),
        _window(windows[0]) if windows else None,
        tuple(_role(role) for role in by_kind.get("SCP_SCU_RoleSelectionNegotiation", [])),
        tuple(_extended(e) for e in by_kind.get("SOPClassExtendedNegotiation", [])),
        tuple(_common(c) for c in by_kind.get("SOPClassCommonExtendedNegotiation", [])),
        _identity(identities[0]) if identities else None,
    )


def _window(theirs: Any) -> pdu.AsynchronousOperationsWindow:
    return pdu.AsynchronousOperationsWindow(
        theirs.maximum_number_operations_invoked, theirs.maximum_number_operations_performed
    )


def _role(theirs: Any) -> pdu.RoleSelection:
    return pdu.RoleSelection(str(theirs.sop_class_uid), bool(theirs.scu_role), bool(theirs.scp_role))


def _extended(theirs: Any) -> pdu.ExtendedNegotiation:
    return pdu.ExtendedNegotiation(str(theirs.sop_class_uid), theirs.service_class_application_information)


def _common(theirs: Any) -> pdu.CommonExtendedNegotiation:
    related = tuple(map(str, theirs.related_general_sop_class_identification))
    return pdu.CommonExtendedNegotiation(str(theirs.sop_class_uid), str(theirs.service_class_uid), related)


def _identity(theirs: Any) -> pdu.UserIdentityRQ | pdu.UserIdentityAC:
    if theirs.server_response is not None:
        return pdu.UserIdentityAC(theirs.server_response)
    return pdu.UserIdentityRQ(
        theirs.user_identity_type,
        theirs.positive_response_requested,
        theirs.primary_field,
        theirs.secondary_field or b"",
    )
