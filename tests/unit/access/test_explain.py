"""What ``explain`` says: the decision, its rules with their places, and what might change it."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.access.cast import EMERGENCY, FOREIGN, HERE, NODE, OWN, UNLABELLED, policy, somebody

from leadglass.access.explain import explain
from leadglass.access.policy import load
from leadglass.access.roles import ready
from leadglass.model.access import Action, Circumstances, Study

READY = load(ready(), 1)


def told(*roles: str, study: object = OWN, circumstances: Circumstances = HERE) -> tuple[str, ...]:
    assert isinstance(study, Study)
    return explain(READY, somebody(*roles), Action.FIND, study, circumstances)


def test_an_allowed_request_names_its_rules_with_their_places() -> None:
    assert told("radiologist") == (
        "allowed: permitted by radiologist-own-institutions",
        "radiologist-own-institutions: permits, radiologist.cedar:11",
    )


def test_a_denied_request_says_that_nothing_permits_it() -> None:
    assert told("radiologist", study=FOREIGN) == ("denied: no policy permits it",)
    assert told() == ("denied: no policy permits it",)


def test_a_forbidden_request_names_what_forbids_it() -> None:
    two = policy("permit(principal, action, resource);", "forbid(principal, action, resource);")

    assert explain(two, somebody(), Action.FIND, NODE, HERE) == (
        "denied: forbidden by p1",
        "p1: forbids, 1.cedar:1",
    )


def test_what_might_permit_it_if_more_were_known_is_told_to_those_whom_it_concerns() -> None:
    assert told("radiologist", study=UNLABELLED) == (
        "denied: no policy permits it",
        "radiologist-own-institutions: might permit if this were known of the study: institution, radiologist.cedar:11",
    )
    assert told(study=UNLABELLED) == ("denied: no policy permits it",)


def test_conditions_that_fail_anyway_keep_a_policy_out_of_it() -> None:
    text = (
        "permit(principal, action, resource is Study) when { context has emergency && resource has labels };"
    )
    found = policy(text)

    assert isinstance(UNLABELLED, Study)
    assert len(explain(found, somebody(), Action.FIND, UNLABELLED, EMERGENCY)) == 2
    assert len(explain(found, somebody(), Action.FIND, UNLABELLED, HERE)) == 1


def test_what_might_forbid_it_is_told_too() -> None:
    found = policy(
        "permit(principal, action, resource);",
        'forbid(principal, action, resource is Study) when { resource has labels && resource.labels.contains("vip") };',
    )

    assert explain(found, somebody(), Action.FIND, UNLABELLED, HERE)[-1] == (
        "p1: might forbid if this were known of the study: labels, 1.cedar:1"
    )


def test_several_missing_attributes_are_told_together() -> None:
    (line,) = [
        line
        for line in explain(
            READY, somebody("technologist"), Action.FIND, UNLABELLED, replace(HERE, device="ct-1")
        )
        if "today" in line
    ]

    assert "institution and study_date" in line


def test_no_line_names_a_patient() -> None:
    assert isinstance(OWN, Study)
    secret = replace(
        OWN, patient_id="PATIENT-77", accession_number="ACC-77", referring_physician="secret^name"
    )
    found = policy("forbid(principal, action, resource is Study) when { resource has patient_id };")

    for line in explain(found, somebody(), Action.FIND, secret, HERE):
        assert "77" not in line
        assert "secret" not in line


def test_an_address_that_is_none_is_explained_and_not_raised() -> None:
    assert told("radiologist", study=UNLABELLED, circumstances=replace(HERE, address="?"))[0].startswith(
        "denied"
    )
