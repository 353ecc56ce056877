"""What Cedar is shown, what follows from its answer, and what is remembered."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import fields, replace

import pytest
from tests.unit.access.cast import (
    AT_DEVICE,
    EMERGENCY,
    FOREIGN,
    HERE,
    MOMENT,
    NODE,
    OWN,
    UNLABELLED,
    policy,
    somebody,
)

from leadglass.access.engine import _failed
from leadglass.access.facts import CONTEXT, STUDY
from leadglass.access.policy import load
from leadglass.access.roles import ready
from leadglass.model.access import Action, Circumstances, Kind, Node, Principal, Study

ANYBODY = somebody()
ANYTHING = "permit(principal, action, resource)"
OVERFLOWS = "context.hour + 9223372036854775807 > 0"


def allowed(text: str, study: Study | Node = OWN, circumstances: Circumstances = HERE) -> bool:
    return policy(text).decide(ANYBODY, Action.FIND, study, circumstances).allowed


# ---- default deny, forbid wins


def test_nothing_is_allowed_that_no_policy_permits() -> None:
    decision = policy("permit(principal is Device, action, resource);").decide(
        ANYBODY, Action.FIND, OWN, HERE
    )

    assert (decision.allowed, decision.rules) == (False, ())
    assert decision.reason == "no policy permits it"


def test_a_forbid_wins_over_any_permit_and_is_the_rule_that_is_named() -> None:
    both = policy(f"{ANYTHING};", 'forbid(principal, action == Action::"find", resource is Study);')

    assert both.decide(ANYBODY, Action.FIND, OWN, HERE).rules == ("p1",)
    assert not both.decide(ANYBODY, Action.FIND, OWN, HERE).allowed
    assert both.decide(ANYBODY, Action.GET, OWN, HERE).rules == ("p0",)


def test_all_permits_that_apply_are_named_in_order() -> None:
    three = policy(f"{ANYTHING};", f"{ANYTHING} when {{ context.hour > 20 }};", f"{ANYTHING};")

    assert three.decide(ANYBODY, Action.FIND, OWN, HERE).rules == ("p0", "p2")


# ---- unlabelled studies

PERMITS_THAT_NEED = {
    "has": "when {{ resource has {0} && resource.{0} == resource.{0} }}",
    "unless it is there": "unless {{ resource has {0} && resource.{0} != resource.{0} }}",
    "if it is not there": "when {{ !(resource has {0}) }}",
    "either": "when {{ context.hour < 24 || resource has {0} }}",
    "through a detour": "when {{ (if context.hour < 24 then resource else resource) has {0} || true }}",
}


@pytest.mark.parametrize("attribute", STUDY)
@pytest.mark.parametrize("form", PERMITS_THAT_NEED)
def test_a_permit_does_not_count_where_an_attribute_that_it_names_could_not_be_had(
    form: str, attribute: str
) -> None:
    text = "permit(principal, action, resource is Study) " + PERMITS_THAT_NEED[form].format(attribute) + ";"
    decision = policy(text).decide(ANYBODY, Action.FIND, UNLABELLED, HERE)

    assert (decision.allowed, decision.rules) == (False, ())


@pytest.mark.parametrize("attribute", STUDY)
@pytest.mark.parametrize("form", ["has", "unless it is there", "either"])
def test_the_same_permit_counts_where_the_attribute_is_known(form: str, attribute: str) -> None:
    text = "permit(principal, action, resource is Study) " + PERMITS_THAT_NEED[form].format(attribute) + ";"
    labelled = replace(OWN, labels=frozenset({"x"})) if isinstance(OWN, Study) else OWN

    assert allowed(text, labelled)


def test_the_reason_says_what_was_missing() -> None:
    text = 'permit(principal, action, resource is Study) unless { resource has labels && resource.labels.contains("vip") };'
    decision = policy(text).decide(ANYBODY, Action.FIND, UNLABELLED, HERE)

    assert decision.reason == "p0 needs what is not known of the study: labels"


@pytest.mark.parametrize(
    "study",
    [
        Study("1.2", institution=""),
        Study("1.2", institution="x" * 2000),
        Study("1.2", institution="North\udc80"),
    ],
    ids=["empty", "endless", "undecodable"],
)
def test_a_value_that_is_none_counts_as_not_there(study: Study) -> None:
    assert not allowed(f"{ANYTHING} when {{ resource is Study && resource has institution }};", study)


@pytest.mark.parametrize(
    "date", ["", "2026", "20261301", "2026-11-21", "20261121 ", "\uff12\uff10261121", "00000000"]
)
def test_a_date_that_is_none_counts_as_not_there(date: str) -> None:
    text = f"{ANYTHING} when {{ resource is Study && resource has study_date }};"

    assert not allowed(text, Study("1.2", study_date=date))
    assert allowed(text, Study("1.2", study_date="20261121"))


def test_a_value_that_no_policy_reads_does_no_harm() -> None:
    assert allowed(f"{ANYTHING};", Study("1.2", institution="North\udc80", study_date="never"))


def test_emptiness_on_both_sides_is_no_match() -> None:
    text = f"{ANYTHING} when {{ resource is Study && resource has referring_physician && principal.physician_names.contains(resource.referring_physician) }};"
    nobody = Principal(Kind.PERSON, "x", physician_names=frozenset({"", "^^"}))

    for name in ("", "^", "^^^^"):
        study = Study("1.2", referring_physician=name)
        assert not policy(text).decide(nobody, Action.FIND, study, HERE).allowed


def test_names_are_compared_in_their_normal_form_however_they_come() -> None:
    text = f"{ANYTHING} when {{ resource is Study && resource has referring_physician && principal.physician_names.contains(resource.referring_physician) }};"
    jane = Principal(Kind.PERSON, "jd", physician_names=frozenset({"DOE^Jane^^"}))

    assert policy(text).decide(jane, Action.FIND, Study("1.2", referring_physician="Doe^Jane "), HERE).allowed
    assert (
        not policy(text).decide(jane, Action.FIND, Study("1.2", referring_physician="Doe^John"), HERE).allowed
    )


def test_a_forbid_says_nothing_of_a_study_whose_attribute_it_asks_for_first() -> None:
    kind = 'forbid(principal, action, resource is Study) when { resource has labels && resource.labels.contains("vip") };'
    strict = 'forbid(principal, action, resource is Study) unless { resource has labels && !resource.labels.contains("vip") };'

    assert policy(f"{ANYTHING};", kind).decide(ANYBODY, Action.FIND, UNLABELLED, HERE).allowed
    assert not policy(f"{ANYTHING};", strict).decide(ANYBODY, Action.FIND, UNLABELLED, HERE).allowed


# ---- errors


def test_a_permit_that_cannot_be_evaluated_does_not_count() -> None:
    decision = policy(f"{ANYTHING} when {{ {OVERFLOWS} }};").decide(ANYBODY, Action.FIND, OWN, HERE)

    assert (decision.allowed, decision.rules) == (False, ())


def test_another_permit_is_not_hurt_by_it() -> None:
    two = policy(f"{ANYTHING} when {{ {OVERFLOWS} }};", f"{ANYTHING};")

    assert two.decide(ANYBODY, Action.FIND, OWN, HERE).rules == ("p1",)


def test_a_forbid_that_cannot_be_evaluated_forbids() -> None:
    two = policy(f"{ANYTHING};", f"forbid(principal, action, resource) when {{ {OVERFLOWS} }};")
    decision = two.decide(ANYBODY, Action.FIND, OWN, HERE)

    assert (decision.allowed, decision.rules) == (False, ("p1",))
    assert decision.reason == "p1 could not be evaluated"


@pytest.mark.parametrize("address", ["", " ", "garbage", "192.0.2.7/24", "::g"])
def test_an_address_that_is_none_is_denied_where_a_policy_reads_it(address: str) -> None:
    text = f'{ANYTHING} unless {{ context.address.isInRange(ip("10.0.0.0/8")) }};'
    decision = policy(text).decide(ANYBODY, Action.FIND, OWN, Circumstances(address, MOMENT))

    assert (decision.allowed, decision.reason) == (False, "the policies could not be asked")


@pytest.mark.parametrize(
    "nobody", [Principal(Kind.PERSON, "x\udc80"), Principal(Kind.PERSON, "x", roles=frozenset({"y\udc80"}))]
)
def test_a_principal_that_is_no_text_is_denied(nobody: Principal) -> None:
    decision = policy(f"{ANYTHING};").decide(nobody, Action.FIND, OWN, HERE)

    assert (decision.allowed, decision.reason) == (False, "the policies could not be asked")


def test_a_policy_that_failed_is_known_by_its_id_and_by_nothing_if_cedar_does_not_say() -> None:
    assert _failed("error while evaluating policy `p-1.b`: integer overflow") == "p-1.b"
    assert _failed("something else went wrong") == ""


def test_what_a_value_says_is_never_taken_for_policy() -> None:
    text = f'{ANYTHING} when {{ resource is Study && resource has institution && resource.institution == "North" }};'

    for trick in ('North" || true || "', '{"__extn": {"fn": "ip"}}', "North\\", "North\x00", "north", "N*"):
        assert not allowed(text, Study('1"2', institution=trick))


# ---- circumstances


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("::ffff:a01:203", True),
        ("192.0.2.1", False),
        ("fe80::1%eth0", False),
        ("2001:db8::1", False),
    ],
)
def test_an_address_is_compared_as_what_it_is(address: str, inside: bool) -> None:
    text = f'{ANYTHING} when {{ context.address.isInRange(ip("10.0.0.0/8")) }};'

    assert allowed(text, circumstances=Circumstances(address, MOMENT)) is inside


@pytest.mark.parametrize(
    ("condition", "zone", "expected"),
    [
        ("context.hour == 14", "UTC", True),
        ("context.hour == 23", "Asia/Tokyo", True),
        ("context.weekday == 6", "UTC", True),
        ("context.weekday == 7", "Pacific/Auckland", True),
        ('context.today == datetime("2026-11-21")', "UTC", True),
        ('context.today == datetime("2026-11-22")', "Pacific/Auckland", True),
        ('context.moment == datetime("2026-11-21T14:30:00Z")', "Pacific/Auckland", True),
        ("resource is Study && resource has study_date && resource.study_date == context.today", "UTC", True),
        (
            "resource is Study && resource has study_date && resource.study_date == context.today",
            "Pacific/Auckland",
            False,
        ),
    ],
)
def test_hours_weekdays_and_today_are_those_on_the_hospitals_clocks(
    condition: str, zone: str, expected: bool
) -> None:
    found = load({"x": f'@id("a") {ANYTHING} when {{ {condition} }};'}, 1, zoneinfo.ZoneInfo(zone))

    assert found.decide(ANYBODY, Action.FIND, OWN, HERE).allowed is expected


@pytest.mark.parametrize("name", ["certificate", "device", "emergency"])
def test_what_there_may_be_none_of_is_absent_then(name: str) -> None:
    text = f"{ANYTHING} when {{ context has {name} }};"

    assert not allowed(text, circumstances=Circumstances("192.0.2.7", MOMENT))
    assert not allowed(text, circumstances=Circumstances("192.0.2.7", MOMENT, **{name: ""}))
    assert allowed(text, circumstances=Circumstances("192.0.2.7", MOMENT, **{name: "x"}))


def test_a_policy_may_read_the_reason_of_an_emergency() -> None:
    text = f'{ANYTHING} when {{ context has emergency && context.emergency like "*stroke*" }};'
    found = policy(text)

    for reason, expected in [("a stroke", True), ("a fall", False), ("stroke", True)]:
        asked = replace(EMERGENCY, emergency=reason)
        assert found.decide(ANYBODY, Action.FIND, OWN, asked).allowed is expected


def test_one_study_can_be_named() -> None:
    found = policy('permit(principal, action, resource == Study::"1.2.1");')

    assert found.decide(ANYBODY, Action.FIND, OWN, HERE).allowed
    assert not found.decide(ANYBODY, Action.FIND, FOREIGN, HERE).allowed
    assert found.attributes_read == frozenset()


def test_a_study_that_is_named_and_looked_into_is_that_study_only() -> None:
    found = policy('permit(principal, action, resource is Study) when { Study::"1.2.1" has institution };')
    twin = replace(OWN, study_instance_uid="1.2.9") if isinstance(OWN, Study) else OWN

    assert found.decide(ANYBODY, Action.FIND, OWN, HERE).allowed
    assert not found.decide(ANYBODY, Action.FIND, twin, HERE).allowed


def test_one_node_can_be_named() -> None:
    found = policy('permit(principal, action, resource == Node::"ARCHIVE");')

    assert found.decide(ANYBODY, Action.FIND, NODE, HERE).allowed
    assert not found.decide(ANYBODY, Action.FIND, Node("OTHER"), HERE).allowed
    assert not found.decide(ANYBODY, Action.FIND, Study("ARCHIVE"), HERE).allowed


def test_one_person_can_be_named_and_a_device_of_the_same_name_is_another() -> None:
    found = policy('permit(principal == Person::"somebody", action, resource);')

    assert found.decide(ANYBODY, Action.FIND, OWN, HERE).allowed
    assert not found.decide(somebody(kind=Kind.DEVICE), Action.FIND, OWN, HERE).allowed


# ---- what is read


def test_all_attributes_that_some_policy_reads_are_told() -> None:
    assert load(ready(), 1).attributes_read == {
        "institution",
        "labels",
        "modalities",
        "referring_physician",
        "station",
        "study_date",
    }


@pytest.mark.parametrize(
    ("roles", "action", "needed"),
    [
        (["radiologist"], Action.FIND, {"institution"}),
        (["radiologist"], Action.WORKLIST, set()),
        (["researcher"], Action.WADO, {"labels"}),
        (["radiologist", "researcher"], Action.WADO, {"institution", "labels"}),
        (["clinician"], Action.FIND, set()),
        (["technologist"], Action.FIND, {"institution", "study_date"}),
        (["service-engineer"], Action.FIND, set()),
        ([], Action.FIND, set()),
    ],
)
def test_only_what_can_decide_for_a_principal_is_needed(
    roles: list[str], action: Action, needed: set[str]
) -> None:
    assert load(ready(), 1).needed(somebody(*roles), action) == needed


def test_a_principals_attributes_are_not_taken_for_a_studys() -> None:
    found = policy(f'{ANYTHING} when {{ principal.modalities.contains("CT") }};')

    assert found.attributes_read == frozenset()


# ---- memory


def remembered(found: object) -> int:
    return len(found._memo)  # type: ignore[attr-defined]


def test_studies_that_look_alike_are_decided_once() -> None:
    found = load(ready(), 1)
    for n in range(50):
        study = Study(
            f"1.2.{n}", patient_id=f"P{n}", institution="North", study_date=f"202611{n % 28 + 1:02}"
        )
        assert found.decide(somebody("radiologist"), Action.FIND, study, HERE).allowed

    assert remembered(found) == 1


def test_the_words_of_an_emergency_are_not_remembered() -> None:
    ready_made = load(ready(), 1)
    reading = policy(f'{ANYTHING} when {{ context has emergency && context.emergency like "*" }};')
    for n in range(50):
        asked = replace(EMERGENCY, emergency=f"reason {n}")
        assert ready_made.decide(somebody("clinician"), Action.FIND, OWN, asked).allowed
        assert reading.decide(ANYBODY, Action.FIND, OWN, asked).allowed

    assert remembered(ready_made) == 1
    assert remembered(reading) == 0


def test_a_study_with_a_lot_of_text_is_decided_and_not_remembered() -> None:
    found = policy(f"{ANYTHING} when {{ resource is Study && resource has labels }};")
    study = Study("1.2", labels=frozenset({f"{n:0500}" for n in range(3)}))

    assert found.decide(ANYBODY, Action.FIND, study, HERE).allowed
    assert remembered(found) == 0


def test_time_passes_for_policies_that_read_it_and_for_no_others() -> None:
    found = load(ready(), 1)
    for minute in range(30):
        asked = replace(AT_DEVICE, moment=MOMENT + dt.timedelta(minutes=minute))
        assert found.decide(somebody("technologist"), Action.FIND, OWN, asked).allowed

    tomorrow = replace(AT_DEVICE, moment=MOMENT + dt.timedelta(days=1))
    assert remembered(found) == 1
    assert not found.decide(somebody("technologist"), Action.FIND, OWN, tomorrow).allowed


def test_the_version_is_kept() -> None:
    assert load(ready(), 7).version == 7


# ---- the nouns and the schema are the same


def test_policies_know_every_attribute_of_a_study_by_its_name() -> None:
    assert {field.name for field in fields(Study)} == {"study_instance_uid", *STUDY}


@pytest.mark.parametrize("name", STUDY)
def test_every_attribute_of_a_study_can_be_asked_for(name: str) -> None:
    found = policy(f"permit(principal, action, resource is Study) when {{ resource has {name} }};")

    assert found.attributes_read == {name}


@pytest.mark.parametrize("name", CONTEXT)
def test_every_part_of_the_context_can_be_asked_for(name: str) -> None:
    assert allowed(f"{ANYTHING} when {{ context has {name} }};", circumstances=replace(EMERGENCY, device="x"))


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("kind", Kind)
def test_every_action_is_known_for_every_kind_of_principal(action: Action, kind: Kind) -> None:
    found = policy(
        f'permit(principal is {kind.value}, action == Action::"{action.value}", resource is Node);'
    )

    assert found.decide(somebody(kind=kind), action, NODE, HERE).allowed


@pytest.mark.parametrize("name", [f.name for f in fields(Principal) if f.name not in {"kind", "name"}])
def test_every_attribute_of_a_principal_can_be_asked_for(name: str) -> None:
    found = policy(f'{ANYTHING} when {{ principal.{name}.contains("x") }};')

    assert found.decide(
        Principal(Kind.PERSON, "p", **{name: frozenset({"x"})}), Action.FIND, OWN, HERE
    ).allowed
    assert not found.decide(Principal(Kind.PERSON, "p"), Action.FIND, OWN, HERE).allowed
