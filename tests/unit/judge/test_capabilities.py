"""How far each capability is established: by negotiation, by status, over the web."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest
from tests.unit.judge.test_access import VECTORS
from tests.unit.judge.vectors import (
    ABORTED,
    OPEN,
    ORTHANC_GRANTS,
    PYNETDICOM,
    SERVERS,
    accepted,
    asked,
    granted,
    page,
    rejected,
    verdict,
    web,
)

from leadglass.model.evidence import AssociateEvidence, Evidence, QidoAnswer, Reply, WebEvidence
from leadglass.model.verdict import Capabilities, State
from leadglass.wire import uids

S = State
FINDS = granted(uids.VERIFICATION, uids.STUDY_ROOT_FIND)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (0x0000, S.PROVED),
        (0x0122, S.REFUSED),
        (0x0124, S.REFUSED),
        (0x0214, S.REFUSED),
        (0x0110, S.UNDETERMINED),
        (0x0112, S.UNDETERMINED),
        (0xA700, S.UNDETERMINED),
        (0xA900, S.UNDETERMINED),
        (0xC000, S.UNDETERMINED),
        (0xCFFF, S.UNDETERMINED),
        (0xFE00, S.UNDETERMINED),
        (0x0001, S.UNDETERMINED),
        (None, S.UNDETERMINED),
    ],
)
def test_a_status_proves_refuses_or_decides_nothing(status: int | None, state: State) -> None:
    assert verdict(accepted(PYNETDICOM), FINDS, asked(status)).capabilities.query is state


@pytest.mark.parametrize("reply", [Reply.ABORTED, Reply.CLOSED, Reply.RESET, Reply.SILENT, Reply.MALFORMED])
def test_a_query_that_ends_without_a_status_decides_nothing(reply: Reply) -> None:
    seen = verdict(accepted(PYNETDICOM), FINDS, asked(None, reply))

    assert seen.capabilities.query is State.UNDETERMINED


def test_records_prove_the_query_although_nothing_could_match() -> None:
    assert verdict(accepted(), FINDS, asked(None, Reply.RECORDS)).capabilities.query is State.PROVED


def test_an_abort_refuses_where_the_pattern_says_orthanc() -> None:
    assert verdict(accepted(), ORTHANC_GRANTS, ABORTED).capabilities.query is State.REFUSED


@pytest.mark.parametrize(
    "negotiation",
    [
        FINDS,
        granted(uids.STUDY_ROOT_FIND, uids.PATIENT_ROOT_FIND, uids.PATIENT_STUDY_ONLY_FIND),
        granted(*(c.abstract_syntax for c in ORTHANC_GRANTS.contexts), invented=0),
    ],
)
def test_an_abort_decides_nothing_where_the_pattern_is_another(negotiation: Evidence) -> None:
    assert verdict(accepted(), negotiation, ABORTED).capabilities.query is State.UNDETERMINED


def test_an_abort_decides_nothing_where_orthancs_grants_come_from_another_toolkit() -> None:
    assert verdict(accepted(PYNETDICOM), ORTHANC_GRANTS, ABORTED).capabilities.query is State.UNDETERMINED


def test_a_gated_retrieval_is_untested_only_after_the_query_was_refused() -> None:
    refused = verdict(accepted(), ORTHANC_GRANTS, ABORTED).capabilities
    answered = verdict(accepted(), ORTHANC_GRANTS, asked()).capabilities
    not_asked = verdict(accepted(), ORTHANC_GRANTS).capabilities

    assert (refused.retrieve, answered.retrieve, not_asked.retrieve) == (S.UNTESTED, S.GRANTED, S.GRANTED)


def test_a_granted_retrieval_stands_where_another_product_refused_the_query() -> None:
    negotiation = granted(uids.STUDY_ROOT_FIND, uids.STUDY_ROOT_GET)

    seen = verdict(accepted(PYNETDICOM), negotiation, asked(0x0124)).capabilities

    assert (seen.query, seen.retrieve) == (S.REFUSED, S.GRANTED)


@pytest.mark.parametrize(
    ("result", "state"),
    [
        (0, S.GRANTED),
        (1, S.REFUSED),
        (2, S.REFUSED),
        (3, S.ABSENT),
        (4, S.UNDETERMINED),
        (99, S.UNDETERMINED),
    ],
)
@pytest.mark.parametrize(
    ("capability", "sop_class"),
    [
        ("query", "STUDY_ROOT_FIND"),
        ("query", "PATIENT_ROOT_FIND"),
        ("query", "PATIENT_STUDY_ONLY_FIND"),
        ("retrieve", "STUDY_ROOT_MOVE"),
        ("retrieve", "PATIENT_ROOT_GET"),
        ("storage", "CT_IMAGE_STORAGE"),
        ("storage", "SECONDARY_CAPTURE"),
        ("worklist", "MODALITY_WORKLIST_FIND"),
    ],
)
def test_a_context_result_means_what_ps3_8_says(
    result: int, state: State, capability: str, sop_class: str
) -> None:
    offered = {c.abstract_syntax: c for c in granted(others=3).contexts}
    only = dataclasses.replace(
        granted(),
        contexts=(dataclasses.replace(offered[getattr(uids, sop_class)], result=result),),
    )

    assert getattr(verdict(accepted(), only).capabilities, capability) is state


def test_who_accepts_anything_has_granted_it_and_the_reason_says_what_that_is_worth() -> None:
    everything = granted(*(c.abstract_syntax for c in granted().contexts), invented=0)

    seen = verdict(accepted(), everything)

    assert {seen.capabilities.query, seen.capabilities.storage} == {State.GRANTED}
    assert any("means nothing here" in reason.text for reason in seen.reasons)


def test_who_takes_unknown_classes_for_storage_does_not_accept_anything() -> None:
    promiscuous = granted(uids.VERIFICATION, uids.CT_IMAGE_STORAGE, invented=0)

    seen = verdict(accepted(), promiscuous)

    assert (seen.capabilities.query, seen.capabilities.storage) == (State.ABSENT, State.GRANTED)
    assert "negotiation.accepts-anything" not in {reason.rule for reason in seen.reasons}


def test_who_accepts_anything_may_still_be_proved_to_answer() -> None:
    seen = verdict(accepted(), granted(uids.STUDY_ROOT_FIND, invented=0), asked())

    assert seen.capabilities.query is State.PROVED


def test_a_query_that_was_never_put_leaves_the_grant() -> None:
    rejected_later = dataclasses.replace(asked(None, Reply.REJECTED), model=None, reject=(2, 3, 1))

    assert verdict(accepted(), FINDS, rejected_later).capabilities.query is State.GRANTED


@pytest.mark.parametrize(
    ("negotiation", "state"),
    [(granted(others=3), S.ABSENT), (granted(others=1), S.REFUSED), (FINDS, S.UNDETERMINED)],
)
def test_no_context_to_ask_in_agrees_with_the_negotiation_or_contradicts_it(
    negotiation: Evidence, state: State
) -> None:
    unasked = dataclasses.replace(asked(None, Reply.NOT_OFFERED), model=None)

    assert verdict(accepted(), negotiation, unasked).capabilities.query is state


def test_no_context_to_ask_in_refuses_where_nothing_was_negotiated() -> None:
    unasked = dataclasses.replace(asked(None, Reply.NOT_OFFERED), model=None)

    assert verdict(accepted(), unasked).capabilities.query is State.REFUSED


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, S.PROVED),
        ({"echo_status": 0x0124}, S.REFUSED),
        ({"echo_status": 0x0122}, S.REFUSED),
        ({"echo_status": 0x0110}, S.UNDETERMINED),
        ({"echo": Reply.ABORTED, "echo_status": None}, S.UNDETERMINED),
        ({"echo": Reply.SILENT, "echo_status": None}, S.UNDETERMINED),
        ({"echo": None, "echo_status": None}, S.UNTESTED),
        ({"verification": 1, "echo": Reply.NOT_OFFERED, "echo_status": None}, S.REFUSED),
        ({"verification": 3, "echo": Reply.NOT_OFFERED, "echo_status": None}, S.ABSENT),
    ],
)
def test_the_echo_is_what_its_answer_says(changes: dict[str, object], state: State) -> None:
    assert verdict(accepted(**changes)).capabilities.verification is state  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("evidence", "state"),
    [
        (accepted(), S.PROVED),
        (rejected(1, 1, 7), S.REFUSED),
        (rejected(2, 3, 1), S.UNDETERMINED),
        (AssociateEvidence(Reply.ABORTED), S.UNDETERMINED),
        (AssociateEvidence(Reply.SILENT), S.UNDETERMINED),
        (AssociateEvidence(Reply.OTHER_PROTOCOL, spoke="ssh"), S.ABSENT),
        (OPEN, S.UNTESTED),
        (asked(None, Reply.SILENT), S.PROVED),
    ],
)
def test_the_association_is_what_its_answer_says(evidence: Evidence, state: State) -> None:
    assert verdict(evidence).capabilities.associate is state


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        ([QidoAnswer("/a", 204, empty=True)], S.PROVED),
        ([QidoAnswer("/a", 200, empty=True)], S.PROVED),
        ([QidoAnswer("/a", 200, empty=False)], S.PROVED),
        ([QidoAnswer("/a", 200)], S.UNDETERMINED),
        ([QidoAnswer("/a", 302)], S.UNDETERMINED),
        ([QidoAnswer("/a", 500)], S.UNDETERMINED),
        ([QidoAnswer("/a", None)], S.UNDETERMINED),
        ([QidoAnswer("/a", 401)], S.REFUSED),
        ([QidoAnswer("/a", 403)], S.REFUSED),
        ([QidoAnswer("/a", 404), QidoAnswer("/b", 404)], S.ABSENT),
        ([QidoAnswer("/a", 404), QidoAnswer("/b", 401)], S.REFUSED),
        ([QidoAnswer("/a", 401), QidoAnswer("/b", 204, empty=True)], S.PROVED),
        ([], S.UNTESTED),
    ],
)
def test_a_dicomweb_query_is_what_its_answers_say(answers: Sequence[QidoAnswer], state: State) -> None:
    assert verdict(web(page(), qido=tuple(answers))).capabilities.web_query is state


@pytest.mark.parametrize(
    ("evidence", "state"),
    [
        (web(page("/system", 200, "orthanc-system")), S.PROVED),
        (web(page("/dcm4chee-arc/aets", 200, "dcm4chee-aets")), S.PROVED),
        (web(page("/", 401, "orthanc-realm", login="basic")), S.REFUSED),
        (web(page("/pacs/login.php", 200, "meddream-login")), S.REFUSED),
        (web(page(), page("/system")), S.ABSENT),
        (web(page("/", 200, "ohif")), S.ABSENT),
        (web(page("/", 200, "no-longer-known")), S.ABSENT),
        (WebEvidence(Reply.SILENT), S.UNTESTED),
    ],
)
def test_a_rest_interface_is_open_only_where_a_product_was_recognised(
    evidence: Evidence, state: State
) -> None:
    assert verdict(evidence).capabilities.web_api is state


def test_one_port_speaks_one_protocol() -> None:
    dicom, http = verdict(accepted()).capabilities, verdict(web(page())).capabilities

    assert (dicom.web_query, dicom.web_api) == (S.ABSENT, S.ABSENT)
    assert {http.associate, http.query, http.storage, http.worklist} == {S.ABSENT}


def test_behind_a_required_certificate_nothing_was_asked() -> None:
    evidence = next(v[3] for v in VECTORS if v[0] == "an alert for want of a certificate")

    assert verdict(*evidence).capabilities == Capabilities()


def test_every_capability_is_proved_or_granted_somewhere() -> None:
    best = {
        field.name: {
            getattr(verdict(*evidence).capabilities, field.name)
            for evidence in (*SERVERS.values(), *(v[3] for v in VECTORS))
        }
        for field in dataclasses.fields(Capabilities)
    }

    assert all(states & {S.PROVED, S.GRANTED} for states in best.values())
    assert {state for states in best.values() for state in states} == set(State)
