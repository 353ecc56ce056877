"""Audit messages: their structure, who and what they name, their size, and text from strangers."""

from __future__ import annotations

import base64
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from tests.unit.guard.audit.samples import (
    CT,
    DEVICE,
    EVENTS,
    GUARD,
    JANE,
    JOHN,
    OTHER,
    PERSON,
    QUERY,
    STUDY,
    event,
)
from tests.unit.guard.audit.structure import faults, parse

from leadglass.guard.audit.events import (
    AuditedStudy,
    AuditEvent,
    Happening,
    Outcome,
    Patient,
    Query,
    SopClass,
)
from leadglass.guard.audit.messages import LONGEST_MESSAGE, to_xml
from leadglass.model.access import Action, Kind, Principal


def only(event: AuditEvent) -> ET.Element:
    (message,) = to_xml(event, GUARD)
    return parse(message)


def people(root: ET.Element) -> dict[str, tuple[list[str], str | None]]:
    """By user ID: the codes of the roles, and whether it is the requestor."""
    return {
        one.get("UserID", ""): (
            [role.get("csd-code", "") for role in one.iter("RoleIDCode")],
            one.get("UserIsRequestor"),
        )
        for one in root.iter("ActiveParticipant")
    }


def objects(root: ET.Element) -> list[tuple[str | None, str | None, str | None, str | None]]:
    """Type, role, code of the identity's type, identity."""
    return [
        (
            one.get("ParticipantObjectTypeCode"),
            one.get("ParticipantObjectTypeCodeRole"),
            one[0].get("csd-code"),
            one.get("ParticipantObjectID"),
        )
        for one in root.iter("ParticipantObjectIdentification")
    ]


@pytest.mark.parametrize("name", EVENTS)
def test_every_kind_of_message_keeps_the_schema(name: str) -> None:
    messages = to_xml(EVENTS[name], GUARD)

    assert [faults(message) for message in messages] == [[] for _ in messages]


@pytest.mark.parametrize(
    ("name", "code", "types", "action", "outcome"),
    [
        ("started", "110100", ["110120"], "E", "0"),
        ("stopped", "110100", ["110121"], "E", "0"),
        ("association", "110113", ["110126"], "E", "0"),
        ("stranger", "110113", ["110126"], "E", "8"),
        ("login", "110114", ["110122"], "E", "0"),
        ("login failed", "110114", ["110122"], "E", "4"),
        ("logout", "110114", ["110123"], "E", "0"),
        ("query", "110112", [], "E", "0"),
        ("begun", "110102", [], "E", "0"),
        ("store", "110104", [], "R", "0"),
        ("accessed", "110103", [], "R", "0"),
        ("step", "110103", [], "U", "0"),
        ("refused", "110113", ["110132"], "E", "8"),
        ("budget", "110113", ["110132", "budget"], "E", "4"),
        ("emergency", "110113", ["110127"], "E", "0"),
        ("emergency over", "110113", ["110138"], "E", "0"),
        ("policy", "110113", ["110129"], "E", "4"),
        ("repaired", "110113", ["110134"], "E", "4"),
        ("read", "110101", [], "R", "0"),
    ],
)
def test_the_event_has_its_codes(name: str, code: str, types: list[str], action: str, outcome: str) -> None:
    head = only(EVENTS[name])[0]

    assert [one.get("csd-code") for one in head.iter("EventID")] == [code]
    assert [one.get("csd-code") for one in head.iter("EventTypeCode")] == types
    assert (head.get("EventActionCode"), head.get("EventOutcomeIndicator")) == (action, outcome)
    assert head.get("EventDateTime") == "2026-11-21T05:00:00.000120Z"


def test_a_query_names_person_device_guard_and_archive() -> None:
    root = only(EVENTS["query"])

    assert people(root) == {
        "weber@example.org": (["auditor", "radiologist"], "true"),
        "ws-7": (["110153"], "false"),
        "guard-1": (["110150"], "false"),
        "ARCHIVE": (["110152"], "false"),
    }
    device = root[2]
    assert device.get("AlternativeUserID") == "AETITLES=WS7"
    assert (device.get("NetworkAccessPointID"), device.get("NetworkAccessPointTypeCode")) == (
        "192.0.2.70",
        "2",
    )


def test_a_query_holds_its_identifier_and_transfer_syntax() -> None:
    root = only(EVENTS["query"])

    assert objects(root) == [("2", "3", "110181", QUERY.sop_class)]
    assert base64.b64decode(root.findtext(".//ParticipantObjectQuery") or "") == QUERY.identifier
    detail = root.find(".//ParticipantObjectDetail")
    assert detail is not None
    assert detail.get("type") == "TransferSyntax"
    assert base64.b64decode(detail.get("value") or "") == b"1.2.840.10008.1.2"


def test_a_web_query_is_known_by_its_path() -> None:
    root = only(EVENTS["web query"])

    assert objects(root) == [("2", "3", "12", "/studies")]
    assert base64.b64decode(root.findtext(".//ParticipantObjectQuery") or "") == b"/studies?PatientID=P-1"


@pytest.mark.parametrize(
    ("name", "source", "destination"),
    [
        ("store", "ct-1", "ARCHIVE"),
        ("get", "ARCHIVE", "ws-7"),
        ("begun", "ARCHIVE", "ws-7"),
        ("move", "ARCHIVE", "WS9"),
    ],
)
def test_a_transfer_has_a_source_and_a_destination(name: str, source: str, destination: str) -> None:
    roles = {user: codes for user, (codes, _) in people(only(EVENTS[name])).items()}

    assert [user for user, codes in roles.items() if "110153" in codes] == [source]
    assert [user for user, codes in roles.items() if "110152" in codes] == [destination]


def test_a_device_that_asks_for_itself_is_the_requestor() -> None:
    assert people(only(EVENTS["store"]))["ct-1"] == (["110153"], "true")


def test_in_an_alert_only_the_guard_requests() -> None:
    found = people(only(EVENTS["refused"]))

    assert {user: flag for user, (_, flag) in found.items()} == {
        "weber@example.org": "false",
        "ws-7": "false",
        "guard-1": "true",
        "ARCHIVE": "false",
    }


def test_an_alert_says_what_it_is_about() -> None:
    root = only(EVENTS["refused"])

    assert objects(root) == [
        ("2", "13", "110182", "192.0.2.70"),
        ("2", "3", "110180", STUDY.study_instance_uid),
        ("1", "1", "2", JANE.id),
    ]
    details = {
        d.get("type"): base64.b64decode(d.get("value") or "") for d in root.iter("ParticipantObjectDetail")
    }
    assert details == {"Alert Description": b"no rule permits it", "Certificate SHA-256": b"ab" * 32}


def test_break_glass_is_loud_about_its_reason() -> None:
    root = only(EVENTS["emergency"])
    (value,) = [
        d.get("value") for d in root.iter("ParticipantObjectDetail") if d.get("type") == "Alert Description"
    ]

    assert base64.b64decode(value or "") == b"unconscious, bed 3"
    assert "break-glass: unconscious, bed 3" in (root.findtext(".//EventOutcomeDescription") or "")


def test_a_login_names_who_it_was_claimed_to_be() -> None:
    found = people(only(EVENTS["login failed"]))

    assert list(found) == ["mallory", "ws-7", "guard-1"]
    assert found["mallory"][1] == "true"


def test_a_stranger_without_name_or_title_is_known_by_the_address() -> None:
    root = only(EVENTS["stranger"])

    assert "2001:db8::7" in people(root)
    assert objects(root) == [("2", "13", "110182", "2001:db8::7")]


def test_studies_patients_and_instances_are_named() -> None:
    root = only(EVENTS["get"])

    assert objects(root) == [("2", "3", "110180", "1.2.3.4"), ("1", "1", "2", "P-1")]
    assert root.findtext(".//ParticipantObjectIdentification[2]/ParticipantObjectName") == "Doe^Jane"
    (sop_class,) = root.iter("SOPClass")
    assert (sop_class.get("UID"), sop_class.get("NumberOfInstances")) == (CT, "2")
    assert [one.get("UID") for one in sop_class] == ["1.2.3.4.1", "1.2.3.4.2"]
    assert [one.get("Number") for one in root.iter("Accession")] == ["A17"]


def test_a_message_names_one_patient() -> None:
    many = replace(EVENTS["get"], studies=(STUDY, OTHER, replace(STUDY, study_instance_uid="1.2.3.6")))

    named = [
        [(kind, identity) for kind, _, _, identity in objects(parse(message))]
        for message in to_xml(many, GUARD)
    ]

    assert named == [
        [("2", "1.2.3.4"), ("2", "1.2.3.6"), ("1", JANE.id)],
        [("2", "1.2.3.5"), ("1", JOHN.id)],
    ]


def test_the_source_is_the_guard_at_its_site() -> None:
    source = only(EVENTS["query"]).find("AuditSourceIdentification")

    assert source is not None
    assert source.attrib == {"AuditEnterpriseSiteID": "Example Hospital", "AuditSourceID": "guard-1"}
    assert source[0].attrib == {"csd-code": "4"}


def test_the_log_that_was_read_is_named() -> None:
    root = only(EVENTS["read"])

    assert objects(root) == [("2", "13", "12", "file:audit")]
    assert root.findtext(".//ParticipantObjectName") == "Security Audit Log"
    assert list(people(root)) == ["weber@example.org", "guard-1"]


def test_a_thousand_studies_are_several_messages_that_each_fit_and_name_each_study_once() -> None:
    studies = tuple(AuditedStudy(f"1.2.3.{i}", JANE, f"A{i}", (SopClass(CT, 9),)) for i in range(1000))
    messages = to_xml(event(Happening.TRANSFERRED, action=Action.GET, studies=studies), GUARD)

    assert len(messages) > 1
    assert max(map(len, messages)) <= LONGEST_MESSAGE
    assert [faults(message) for message in messages] == [[] for _ in messages]
    named = [identity for m in messages for kind, _, _, identity in objects(parse(m)) if kind == "2"]
    assert named == [study.study_instance_uid for study in studies]
    assert all(("1", "1", "2", JANE.id) in objects(parse(m)) for m in messages)


def test_a_thousand_instances_of_one_study_are_several_messages_and_counted_once() -> None:
    uids = tuple(f"1.2.826.0.1.3680043.8.498.{10**37 + i}" for i in range(1000))
    study = AuditedStudy("1.2.3", JANE, None, (SopClass(CT, 1005, uids), SopClass("1.2", 1)))
    messages = to_xml(event(Happening.TRANSFERRED, action=Action.GET, studies=(study,)), GUARD)

    assert len(messages) > 1
    assert max(map(len, messages)) <= LONGEST_MESSAGE
    classes = [one for message in messages for one in parse(message).iter("SOPClass")]
    assert sum(int(one.get("NumberOfInstances", "0")) for one in classes) == 1006
    assert [uid.get("UID") for one in classes for uid in one] == list(uids)
    assert all(int(one.get("NumberOfInstances", "0")) >= len(one) for one in classes)


EVIL = '"/><x>&amp;]]>\x00\x08\x1b[2J\u202e\ud800\ufffe\r\n\t'


def test_text_from_strangers_stays_text() -> None:
    stranger = event(
        Happening.REFUSED,
        outcome=Outcome.SERIOUS,
        who=Principal(Kind.PERSON, EVIL, frozenset({EVIL})),
        device=EVIL,
        title=EVIL,
        reason=EVIL,
        rules=(EVIL,),
        emergency=EVIL,
        claimed=EVIL,
        studies=(AuditedStudy(EVIL, Patient(EVIL, EVIL), EVIL),),
    )
    (message,) = to_xml(stranger, GUARD)
    root = parse(message)

    kept = '"/><x>&amp;]]>[2J\u202e\r\n\t'
    assert root[1].get("UserID") == kept
    assert root.findtext(".//ParticipantObjectIdentification[3]/ParticipantObjectName") == kept
    assert [node.tag for node in root.iter() if node.tag == "x"] == []
    assert b"\n" not in message  # a line of its own for each message is what collectors write


@pytest.mark.parametrize("char", ["&", '"', "\x00", "\U0001f600", "a"])
def test_no_text_makes_a_message_too_long(char: str) -> None:
    endless = char * 70_000
    worst = event(
        Happening.REFUSED,
        who=Principal(Kind.PERSON, endless, frozenset(endless + str(i) for i in range(99))),
        device=endless,
        title=endless,
        called=endless,
        reason=endless,
        claimed=endless,
        emergency=endless,
        certificate=endless,
        rules=tuple(endless for _ in range(99)),
        query=Query(endless, endless.encode(), endless),
        studies=tuple(AuditedStudy(endless, Patient(endless, endless), endless) for _ in range(3)),
    )

    longest = max(map(len, to_xml(worst, GUARD)))

    assert longest <= LONGEST_MESSAGE


def test_of_an_identifier_that_is_too_long_the_beginning_and_the_length_are_told() -> None:
    root = only(replace(EVENTS["query"], query=replace(QUERY, identifier=bytes(20_000))))

    details = {
        d.get("type"): base64.b64decode(d.get("value") or "") for d in root.iter("ParticipantObjectDetail")
    }
    assert details["IdentifierLength"] == b"20000"
    assert len(base64.b64decode(root.findtext(".//ParticipantObjectQuery") or "")) == 8192


def test_what_names_a_patient_is_absent_from_the_repr_of_an_event() -> None:
    told = repr(replace(EVENTS["emergency"], studies=(STUDY,), patients=(JOHN,), query=QUERY))

    assert not any(word in told for word in ("Doe", "Roe", "P-1", "P-2", "A17", "bed 3", "STUDY "))


def test_a_service_without_an_enrolled_name_is_told_by_its_principal() -> None:
    root = only(replace(EVENTS["store"], device=None, who=DEVICE))

    assert people(root)["ct-1"] == (["110153"], "true")
    assert PERSON.name not in people(root)
