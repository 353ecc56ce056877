"""Every ready role, for every action, on every kind of resource."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pytest
from tests.unit.access.cast import AT_DEVICE, EMERGENCY, HERE, RESOURCES, somebody

from leadglass.access.policy import load
from leadglass.access.roles import ROLES, ready
from leadglass.model.access import Action, Circumstances, Kind, Principal

POLICY = load(ready(), 1)
READ = ("find", "move", "get", "qido", "wado")


class Row(NamedTuple):
    who: Principal
    circumstances: Circumstances
    may: Mapping[str, str]
    """Action -> the resources that are allowed, by their letter in RESOURCES; all else is denied."""


def reading(letters: str) -> dict[str, str]:
    return dict.fromkeys(READ, letters)


ECHO = {"echo": "n"}
TABLE: Mapping[str, Row] = {
    "radiologist": Row(somebody("radiologist"), HERE, {**ECHO, **reading("no"), "worklist": "nofud"}),
    "radiologist as a workstation": Row(
        somebody("radiologist", kind=Kind.SERVICE), HERE, {**ECHO, **reading("no"), "worklist": "nofud"}
    ),
    "technologist at a device": Row(
        somebody("technologist"),
        AT_DEVICE,
        {**ECHO, "find": "no", "worklist": "no", "store": "no", "commit": "no", "mpps": "no"},
    ),
    "technologist elsewhere": Row(somebody("technologist"), HERE, {}),
    "technologist who is no person": Row(somebody("technologist", kind=Kind.DEVICE), AT_DEVICE, {}),
    "referring physician": Row(somebody("referring-physician"), HERE, {**ECHO, **reading("no")}),
    "researcher": Row(somebody("researcher"), HERE, {**ECHO, **reading("nd")}),
    "service engineer": Row(somebody("service-engineer"), HERE, ECHO),
    "auditor": Row(somebody("auditor"), HERE, ECHO),
    "modality": Row(
        somebody("modality", kind=Kind.DEVICE),
        HERE,
        {**ECHO, "worklist": "no", **dict.fromkeys(("store", "commit", "mpps", "stow"), "nofud")},
    ),
    "modality that is a person": Row(somebody("modality"), HERE, {}),
    "archive": Row(somebody("archive", kind=Kind.SERVICE), HERE, {**ECHO, "store": "n", "commit": "nofud"}),
    "archive that is a device": Row(somebody("archive", kind=Kind.DEVICE), HERE, {}),
    "clinician": Row(somebody("clinician"), HERE, {}),
    "clinician in an emergency": Row(somebody("clinician"), EMERGENCY, reading("nofud")),
    "radiologist in an emergency": Row(
        somebody("radiologist"), EMERGENCY, {**ECHO, **reading("no"), "worklist": "nofud"}
    ),
    "somebody without a role": Row(somebody(), EMERGENCY, {}),
    "somebody with a role that nobody knows": Row(somebody("administrator"), EMERGENCY, {}),
    "a radiologist who does research": Row(
        somebody("radiologist", "researcher"), HERE, {**ECHO, **reading("nod"), "worklist": "nofud"}
    ),
}


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("name", TABLE)
def test_a_role_may_do_this_with_these_and_nothing_else(name: str, action: Action) -> None:
    who, circumstances, may = TABLE[name]
    allowed = {
        letter
        for letter, what in RESOURCES.items()
        if POLICY.decide(who, action, what, circumstances).allowed
    }

    assert allowed == set(may.get(action.value, ""))


def test_the_table_asks_of_every_role() -> None:
    asked = {role for row in TABLE.values() for role in row.who.roles}

    assert set(ROLES) - {"break-glass"} <= asked
    assert "clinician" in asked


def test_every_policy_of_every_role_decides_somewhere_in_the_table() -> None:
    used = {
        rule
        for who, circumstances, _ in TABLE.values()
        for action in Action
        for what in RESOURCES.values()
        for rule in POLICY.decide(who, action, what, circumstances).rules
    }

    # A modality's own station is found through its modality as well; see below.
    assert set(POLICY.clauses) - used == set()


def test_a_modality_finds_the_items_of_its_station_without_a_modality_of_its_own() -> None:
    device = Principal(Kind.DEVICE, "ct-1", roles=frozenset({"modality"}), titles=frozenset({"CT1"}))

    assert POLICY.decide(device, Action.WORKLIST, RESOURCES["o"], HERE).rules == (
        "modality-worklist-of-its-station",
    )
    assert not POLICY.decide(device, Action.WORKLIST, RESOURCES["f"], HERE).allowed


@pytest.mark.parametrize("role", ROLES)
def test_each_role_can_be_loaded_alone(role: str) -> None:
    name = f"{role}.cedar"

    assert load({name: ready()[name]}, 1).clauses
