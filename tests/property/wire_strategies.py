"""Strategies for every value the wire can carry, and for the damage that can happen to its bytes."""

from __future__ import annotations

import string

from hypothesis import strategies as st

from leadglass.wire import dimse, pdu

_DIGITS = st.integers(0, 10**9).map(str)
uids = st.lists(_DIGITS, min_size=2, max_size=5).map(".".join)
titles = st.text(string.ascii_uppercase + string.digits + "_-", min_size=1, max_size=16)
odd_ids = st.integers(0, 127).map(lambda number: 2 * number + 1)
payloads = st.binary(max_size=40)
u8, u16, u32 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32))
optional_u16 = st.none() | u16

windows = st.builds(pdu.AsynchronousOperationsWindow, u16, u16)
roles = st.builds(pdu.RoleSelection, uids, st.booleans(), st.booleans())
extended = st.builds(pdu.ExtendedNegotiation, uids, payloads)
common = st.builds(pdu.CommonExtendedNegotiation, uids, uids, st.lists(uids, max_size=3).map(tuple))
identities_rq = st.builds(pdu.UserIdentityRQ, st.integers(1, 5), st.booleans(), payloads, payloads)
identities_ac = st.builds(pdu.UserIdentityAC, payloads)
unknown = st.tuples(st.integers(0x5A, 0xFF), payloads)


def information(identities: st.SearchStrategy[object]) -> st.SearchStrategy[pdu.UserInformation]:
    return st.builds(
        pdu.UserInformation,
        maximum_length=st.none() | u32,
        implementation_class_uid=st.none() | uids,
        implementation_version_name=st.none() | titles,
        asynchronous_operations=st.none() | windows,
        role_selections=st.lists(roles, max_size=3).map(tuple),
        extended_negotiations=st.lists(extended, max_size=2).map(tuple),
        common_extended_negotiations=st.lists(common, max_size=2).map(tuple),
        user_identity=st.none() | identities,
        unknown=st.lists(unknown, max_size=2).map(tuple),
    )


contexts_rq = st.builds(
    pdu.PresentationContextRQ, odd_ids, uids, st.lists(uids, min_size=1, max_size=4).map(tuple)
)
contexts_ac = st.builds(pdu.PresentationContextAC, odd_ids, st.integers(0, 4), st.none() | uids)


def of_contexts(contexts: st.SearchStrategy[object], least: int) -> st.SearchStrategy[tuple[object, ...]]:
    distinct = st.lists(contexts, min_size=least, max_size=6, unique_by=lambda c: getattr(c, "context_id"))  # noqa: B009
    return distinct.map(tuple)


requests = st.builds(
    pdu.AAssociateRQ, titles, titles, of_contexts(contexts_rq, 1), information(identities_rq), uids, u16
)
answers = st.builds(
    pdu.AAssociateAC,
    titles,
    titles,
    of_contexts(contexts_ac, 0),
    information(identities_ac),
    st.none() | uids,
    u16,
)
values = st.builds(pdu.PresentationDataValue, odd_ids, st.booleans(), st.booleans(), payloads)
p_data = st.builds(pdu.PDataTF, st.lists(values, min_size=1, max_size=5).map(tuple))
pdus: st.SearchStrategy[pdu.Pdu] = st.one_of(
    requests,
    answers,
    st.builds(pdu.AAssociateRJ, u8, u8, u8),
    p_data,
    st.just(pdu.AReleaseRQ()),
    st.just(pdu.AReleaseRP()),
    st.builds(pdu.AAbort, u8, u8),
)

comments = st.none() | st.text(string.ascii_letters + " ", max_size=64).map(str.strip)
offending = st.none() | st.lists(u32, min_size=1, max_size=3).map(tuple)
priorities = st.sampled_from([dimse.Priority.LOW, dimse.Priority.MEDIUM, dimse.Priority.HIGH])
data_set_types = st.sampled_from([dimse.DATA_SET, dimse.NO_DATA_SET])
_request = {"message_id": u16, "affected_sop_class_uid": uids}
_response = {
    "message_id_being_responded_to": u16,
    "status": u16,
    "affected_sop_class_uid": st.none() | uids,
    "command_data_set_type": data_set_types,
    "offending_element": offending,
    "error_comment": comments,
}
_suboperations = {
    f"number_of_{word}_suboperations": optional_u16
    for word in ("remaining", "completed", "failed", "warning")
}
_requested = {
    "message_id": u16,
    "requested_sop_class_uid": uids,
    "requested_sop_instance_uid": uids,
    "command_data_set_type": data_set_types,
}
_n_response = {
    **{name: strategy for name, strategy in _response.items() if name != "offending_element"},
    "affected_sop_instance_uid": st.none() | uids,
    "error_id": optional_u16,
}
_listed = {"attribute_identifier_list": offending}
n_messages: st.SearchStrategy[dimse.Message] = st.one_of(
    st.builds(dimse.NEventReportRQ, **_request, affected_sop_instance_uid=uids, event_type_id=u16),
    st.builds(dimse.NEventReportRSP, **_n_response, event_type_id=optional_u16),
    st.builds(dimse.NGetRQ, **_requested, **_listed),
    st.builds(dimse.NGetRSP, **_n_response, **_listed),
    st.builds(dimse.NSetRQ, **_requested),
    st.builds(dimse.NSetRSP, **_n_response, **_listed),
    st.builds(dimse.NActionRQ, **_requested, action_type_id=u16),
    st.builds(dimse.NActionRSP, **_n_response, action_type_id=optional_u16),
    st.builds(dimse.NCreateRQ, **_request, affected_sop_instance_uid=st.none() | uids),
    st.builds(dimse.NCreateRSP, **_n_response, **_listed),
    st.builds(dimse.NDeleteRQ, **_requested),
    st.builds(dimse.NDeleteRSP, **_n_response),
)
messages: st.SearchStrategy[dimse.Message] = st.one_of(
    n_messages,
    st.builds(dimse.CEchoRQ, **_request),
    st.builds(dimse.CEchoRSP, **_response),
    st.builds(dimse.CFindRQ, **_request, priority=priorities),
    st.builds(dimse.CFindRSP, **_response),
    st.builds(dimse.CGetRQ, **_request, priority=priorities),
    st.builds(dimse.CGetRSP, **_response, **_suboperations),
    st.builds(dimse.CMoveRQ, **_request, priority=priorities, move_destination=titles),
    st.builds(dimse.CMoveRSP, **_response, **_suboperations),
    st.builds(
        dimse.CStoreRQ,
        **_request,
        priority=priorities,
        affected_sop_instance_uid=uids,
        move_originator_application_entity_title=st.none() | titles,
        move_originator_message_id=optional_u16,
    ),
    st.builds(dimse.CStoreRSP, **_response, affected_sop_instance_uid=st.none() | uids),
    st.builds(dimse.CCancelRQ, u16, data_set_types),
)


@st.composite
def damaged(draw: st.DrawFn, valid: st.SearchStrategy[bytes]) -> bytes:
    """A valid message with a few bytes changed, inserted, removed, or its end cut off."""
    data = bytearray(draw(valid))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        kind = draw(st.sampled_from(["change", "insert", "remove", "cut"]))
        if kind == "cut":
            del data[at:]
        elif kind == "insert":
            data[at:at] = draw(st.binary(min_size=1, max_size=4))
        elif kind == "remove":
            del data[at : at + draw(st.integers(1, 4))]
        elif data:
            data[at] = draw(u8)
    return bytes(data)


def cuttings(size: int) -> st.SearchStrategy[list[int]]:
    """Where to cut a stream of ``size`` bytes."""
    return st.lists(st.integers(0, size), max_size=8).map(lambda cuts: sorted({0, *cuts, size}))
