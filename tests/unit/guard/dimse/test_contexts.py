"""What an archive is asked for on behalf of a client, and what the client is told of the answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from leadglass.guard.dimse.archive import Answer
from leadglass.guard.dimse.contexts import (
    Contexts,
    acceptance,
    action_of,
    is_storage,
    proposal_of,
    request_of,
)
from leadglass.model.access import Action
from leadglass.wire import uids
from leadglass.wire.pdu import (
    AAssociateRQ,
    AsynchronousOperationsWindow,
    ExtendedNegotiation,
    PresentationContextAC,
    PresentationContextRQ,
    RoleSelection,
    UserIdentityRQ,
    UserInformation,
)

EVERYTHING = list(Action)
LE, EXPLICIT, DEFLATED = uids.IMPLICIT_VR_LE, uids.EXPLICIT_VR_LE, uids.DEFLATED_EXPLICIT_VR_LE


def asking(*contexts: tuple[int, str, tuple[str, ...]], **said: object) -> AAssociateRQ:
    information = replace(UserInformation(maximum_length=16384), **said)  # type: ignore[arg-type]
    return AAssociateRQ("ARCHIVE", "CT1", tuple(PresentationContextRQ(*c) for c in contexts), information)


def passed(rq: AAssociateRQ, *allowed: Action) -> list[tuple[int, str, tuple[str, ...]]]:
    contexts = Contexts.of(rq, allowed or EVERYTHING).passed
    return [(c.context_id, c.abstract_syntax, c.transfer_syntaxes) for c in contexts]


@pytest.mark.parametrize(
    ("uid", "action"),
    [
        (uids.VERIFICATION, Action.ECHO),
        (uids.CT_IMAGE_STORAGE, Action.STORE),
        (uids.STUDY_ROOT_FIND, Action.FIND),
        (uids.PATIENT_ROOT_GET, Action.GET),
        (uids.PATIENT_STUDY_ONLY_MOVE, Action.MOVE),
        (uids.MODALITY_WORKLIST_FIND, Action.WORKLIST),
        (uids.STORAGE_COMMITMENT, Action.COMMIT),
        ("1.2.840.10008.5.1.1.30", Action.STORE),
        (uids.MPPS, Action.MPPS),
        ("1.2.840.10008.1.3.10", None),
        ("1.2.840.10008.5.1.1.9", None),
        ("1.2.840.10008.5.1.4.1.2.5.3", None),
        ("1.2.3.4", None),
        ("", None),
    ],
)
def test_a_context_is_for_one_service_or_none(uid: str, action: Action | None) -> None:
    assert action_of(uid) is action
    assert is_storage(uid) is (action is Action.STORE)


def test_only_services_that_are_open_are_passed_on() -> None:
    rq = asking(
        (1, uids.VERIFICATION, (LE,)),
        (3, uids.CT_IMAGE_STORAGE, (LE,)),
        (5, "1.2.3.4", (LE,)),
        (7, uids.MPPS, (LE,)),
    )

    assert [c[0] for c in passed(rq, Action.ECHO, Action.STORE)] == [1, 3]
    assert [c[0] for c in passed(rq, Action.MPPS)] == [7]
    assert [c[0] for c in passed(rq)] == [1, 3, 7]


def test_services_that_are_not_open_are_named_with_the_class_they_were_wanted_by() -> None:
    rq = asking(
        (1, uids.VERIFICATION, (LE,)),
        (3, uids.CT_IMAGE_STORAGE, (LE,)),
        (5, uids.MR_IMAGE_STORAGE, (LE,)),
        (7, "1.2.3.4", (LE,)),
        (9, uids.MPPS, (LE,)),
    )

    assert Contexts.of(rq, [Action.ECHO, Action.MPPS]).withheld == {
        Action.STORE: uids.CT_IMAGE_STORAGE,
        None: "1.2.3.4",
    }
    assert Contexts.of(rq, EVERYTHING).withheld == {None: "1.2.3.4"}


def test_who_would_receive_objects_by_a_get_does_not_want_to_store_them() -> None:
    classes = (uids.CT_IMAGE_STORAGE, "1.2.840.113619.4.2")  # one of them a manufacturer's own
    roles = tuple(RoleSelection(uid, scu_role=False, scp_role=True) for uid in classes)
    contexts = ((1, uids.STUDY_ROOT_GET, (LE,)), *((2 * n + 3, uid, (LE,)) for n, uid in enumerate(classes)))
    rq = asking(*contexts, role_selections=roles)

    assert Contexts.of(rq, [Action.GET]).withheld == {}
    assert Contexts.of(rq, [Action.FIND]).withheld == {Action.GET: uids.STUDY_ROOT_GET}


def test_what_is_deflated_is_not_proposed() -> None:
    rq = asking((1, uids.CT_IMAGE_STORAGE, (DEFLATED, EXPLICIT)), (3, uids.MR_IMAGE_STORAGE, (DEFLATED,)))

    assert passed(rq) == [(1, uids.CT_IMAGE_STORAGE, (EXPLICIT,))]


def test_storage_classes_pass_for_whoever_may_get_and_takes_their_objects_as_provider() -> None:
    contexts = ((1, uids.CT_IMAGE_STORAGE, (LE,)), (3, uids.MR_IMAGE_STORAGE, (LE,)))
    roles = (
        RoleSelection(uids.CT_IMAGE_STORAGE, scu_role=False, scp_role=True),
        RoleSelection(uids.MR_IMAGE_STORAGE, scu_role=True, scp_role=False),
    )
    rq = asking(*contexts, role_selections=roles)

    assert [c[0] for c in passed(rq, Action.GET)] == [1]
    assert passed(rq, Action.FIND) == []
    proposal = proposal_of("CT1", "ARCHIVE", rq, Contexts.of(rq, [Action.GET]))
    assert proposal[3] == roles[:1]


def test_a_patient_query_brings_a_context_of_our_own_on_an_id_that_is_free() -> None:
    taken = [(n, uids.VERIFICATION, (LE,)) for n in (255, 253)]
    rq = asking((1, uids.PATIENT_ROOT_FIND, (EXPLICIT, LE)), *taken)
    contexts = Contexts.of(rq, EVERYTHING)

    assert contexts.folding == 251
    assert contexts.passed[-1] == PresentationContextRQ(251, uids.STUDY_ROOT_FIND, (EXPLICIT, LE))
    assert contexts.abstract_syntax(251) == uids.STUDY_ROOT_FIND
    assert Contexts.of(asking((1, uids.STUDY_ROOT_FIND, (LE,))), EVERYTHING).folding is None


def test_with_all_ids_taken_there_is_none_of_our_own() -> None:
    rq = asking(*((n, uids.PATIENT_ROOT_FIND, (LE,)) for n in range(1, 256, 2)))

    assert Contexts.of(rq, EVERYTHING).folding is None


def test_relational_queries_are_negotiated_and_relational_retrieval_is_not() -> None:
    classes = (uids.STUDY_ROOT_FIND, uids.STUDY_ROOT_MOVE, uids.STUDY_ROOT_GET, uids.PATIENT_ROOT_MOVE)
    extended = tuple(ExtendedNegotiation(uid, b"\1") for uid in (*classes, uids.MODALITY_WORKLIST_FIND))
    rq = asking(*((2 * n + 1, uid, (LE,)) for n, uid in enumerate(classes)), extended_negotiations=extended)

    assert proposal_of("CT1", "ARCHIVE", rq, Contexts.of(rq, EVERYTHING))[4] == extended[:1]


def test_the_archive_is_told_nothing_else_of_the_client() -> None:
    identity = UserIdentityRQ(
        2, positive_response_requested=True, primary_field=b"ada", secondary_field=b"secret"
    )
    window = AsynchronousOperationsWindow(0, 0)
    rq = asking((1, uids.VERIFICATION, (LE,)), user_identity=identity, asynchronous_operations=window)
    sent = request_of(proposal_of("CT1", "ARCHIVE", rq, Contexts.of(rq, EVERYTHING)))

    assert (sent.called_ae_title, sent.calling_ae_title) == ("ARCHIVE", "CT1")
    assert sent.user_information.user_identity is None
    assert sent.user_information.asynchronous_operations is None
    assert sent.user_information.implementation_version_name == "LEADGLASS_GUARD"


def test_the_client_hears_the_archives_answer_and_a_refusal_of_what_was_not_asked() -> None:
    rq = asking(
        (1, uids.CT_IMAGE_STORAGE, (EXPLICIT, LE)),
        (3, uids.MR_IMAGE_STORAGE, (LE,)),
        (5, uids.MPPS, (LE,)),
        (7, "1.2.3.4", (LE,)),
        (9, uids.CT_IMAGE_STORAGE, (DEFLATED,)),
        (11, uids.PATIENT_ROOT_FIND, (LE,)),
    )
    given = (
        PresentationContextAC(1, 0, LE),
        PresentationContextAC(3, 4, LE),
        PresentationContextAC(11, 0, LE),
        PresentationContextAC(255, 0, LE),
    )
    ac = acceptance(rq, Answer(given, (), ()), identity_confirmed=False)

    results = {c.context_id: c.result for c in ac.presentation_contexts}
    assert results == {1: 0, 3: 4, 5: 1, 7: 3, 9: 4, 11: 0}
    assert ac.presentation_contexts[0].transfer_syntax == LE
    assert ac.user_information.user_identity is None
    assert (
        acceptance(rq, Answer((), (), ()), identity_confirmed=True).user_information.user_identity is not None
    )


def test_the_client_hears_of_no_role_and_no_extension_that_it_did_not_ask_for() -> None:
    role = RoleSelection(uids.CT_IMAGE_STORAGE, scu_role=True, scp_role=True)
    other = RoleSelection(uids.MR_IMAGE_STORAGE, scu_role=True, scp_role=True)
    extension, more = (ExtendedNegotiation(uid, b"\1") for uid in (uids.STUDY_ROOT_FIND, uids.STUDY_ROOT_GET))
    rq = asking(
        (1, uids.CT_IMAGE_STORAGE, (LE,)), role_selections=(role,), extended_negotiations=(extension,)
    )
    ac = acceptance(rq, Answer((), (role, other), (extension, more)), identity_confirmed=False)

    assert ac.user_information.role_selections == (role,)
    assert ac.user_information.extended_negotiations == (extension,)
