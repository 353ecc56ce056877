from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it has no types
from tests.unit.report.conftest import Render, render
from tests.unit.report.samples import archive, hostile, mixed

from leadglass.model.record_parts import EndpointFacts
from leadglass.model.verdict import Access, Severity
from leadglass.report.writer import Format


def closed(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


def listed(items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, **more}


TEXT = {"type": "string"}
WORDS = {"type": "string", "minLength": 1}
UTC = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
MESSAGE = closed(["text"], text=WORDS, markdown=TEXT)
BAG = {"type": "object"}
LOCATION = closed(
    [],
    physicalLocation=closed(
        ["artifactLocation"],
        artifactLocation=closed(
            ["uri"], uri={"type": "string", "pattern": r"^[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+$"}
        ),
    ),
    logicalLocations=listed(closed([], name=TEXT, fullyQualifiedName=TEXT, kind=TEXT), uniqueItems=True),
)
RESULT = closed(
    ["message"],
    ruleId=WORDS,
    ruleIndex={"type": "integer", "minimum": 0},
    kind={"enum": ["notApplicable", "pass", "fail", "review", "open", "informational"]},
    level=LEVEL,
    rank={"type": "number", "minimum": -1, "maximum": 100},
    message=MESSAGE,
    locations=listed(LOCATION),
    partialFingerprints={"type": "object", "additionalProperties": TEXT},
    properties=BAG,
)
RULE = closed(
    ["id"],
    id=WORDS,
    name=WORDS,
    shortDescription=MESSAGE,
    fullDescription=MESSAGE,
    help=MESSAGE,
    properties=BAG,
)
INVOCATION = closed(
    ["executionSuccessful"],
    executionSuccessful={"type": "boolean"},
    startTimeUtc=UTC,
    endTimeUtc=UTC,
    commandLine=TEXT,
    toolExecutionNotifications=listed(closed(["message"], level=LEVEL, message=MESSAGE)),
)
RUN = closed(
    ["tool"],
    tool=closed(
        ["driver"],
        driver=closed(
            ["name"],
            name=WORDS,
            version=WORDS,
            shortDescription=MESSAGE,
            rules=listed(RULE, uniqueItems=True),
        ),
    ),
    automationDetails=closed([], id=TEXT),
    results=listed(RESULT),
    invocations=listed(INVOCATION),
    properties=BAG,
)
ESSENTIALS = closed(
    ["version", "runs"], **{"$schema": TEXT, "version": {"const": "2.1.0"}, "runs": listed(RUN, minItems=1)}
)
"""What SARIF 2.1.0 (3.13 to 3.58) demands of the objects that we use."""


def run(text: str) -> dict[str, Any]:
    (only,) = json.loads(text)["runs"]
    assert isinstance(only, dict)
    return only


@pytest.mark.parametrize("finished", [True, False])
def test_the_log_keeps_the_standard(finished: bool, render: Render) -> None:
    Draft202012Validator(ESSENTIALS).validate(json.loads(render(Format.SARIF, finished=finished)))


def test_an_empty_scan_is_a_whole_log(render: Render) -> None:
    log = json.loads(render(Format.SARIF, []))

    Draft202012Validator(ESSENTIALS).validate(log)
    assert log["runs"][0]["results"] == []


def test_every_result_points_to_its_rule(render: Render) -> None:
    only = run(render(Format.SARIF))
    rules = only["tool"]["driver"]["rules"]

    for result in only["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]


def test_there_is_a_rule_with_help_for_every_word_that_can_be_a_result(render: Render) -> None:
    rules = run(render(Format.SARIF))["tool"]["driver"]["rules"]

    assert {rule["id"] for rule in rules} == set(Access) - {Access.CLOSED, Access.FILTERED}
    assert all(severity in rule["help"]["text"] for rule in rules for severity in Severity)


def test_only_failures_have_a_level(render: Render) -> None:
    for result in run(render(Format.SARIF))["results"]:
        assert (result["level"] == "none") == (result["kind"] != "fail")


@pytest.mark.parametrize(
    ("severity", "kind", "level"),
    [
        (Severity.CRITICAL, "fail", "error"),
        (Severity.HIGH, "fail", "error"),
        (Severity.MEDIUM, "fail", "warning"),
        (Severity.LOW, "fail", "note"),
        (Severity.NONE, "pass", "none"),
    ],
)
def test_severity_becomes_a_level(severity: Severity, kind: str, level: str) -> None:
    record = hostile().model_copy(update={"severity": severity})
    (result,) = run(render(Format.SARIF, [record]))["results"]

    assert (result["kind"], result["level"]) == (kind, level)


def test_what_is_undecided_is_open(render: Render) -> None:
    (result,) = run(render(Format.SARIF, mixed()[2:]))["results"]

    assert result["kind"] == "open"


def test_silent_ports_are_counted_but_no_results(render: Render) -> None:
    only = run(render(Format.SARIF))

    assert len(only["results"]) == 13
    assert only["properties"]["access"]["filtered"] == 5
    assert only["properties"]["endpoints"] == 19


@pytest.mark.parametrize(
    ("address", "uri"),
    [
        ("192.0.2.1", "dicom://192.0.2.1:104"),
        ("2001:db8::1", "dicom://[2001:db8::1]:104"),
        ("fe80::1%eth 0", "dicom://[fe80::1%25eth%200]:104"),
    ],
)
def test_the_location_is_a_uri(address: str, uri: str) -> None:
    record = hostile().model_copy(update={"endpoint": EndpointFacts(address=address, port=104)})
    (result,) = run(render(Format.SARIF, [record]))["results"]
    (location,) = result["locations"]

    assert location["physicalLocation"]["artifactLocation"]["uri"] == uri
    assert location["logicalLocations"][0]["fullyQualifiedName"] == uri


def test_fingerprints_outlive_a_scan_and_change_with_the_finding() -> None:
    record = archive()[0]
    later = record.model_copy(update={"scan": "01JLATER", "observed_at": hostile().observed_at})
    milder = record.model_copy(update={"access": Access.OFFERS_QUERY})

    first, same, other = (
        result["partialFingerprints"]
        for result in run(render(Format.SARIF, [record, later, milder]))["results"]
    )

    assert first == same
    assert first["endpoint/v1"] == other["endpoint/v1"]
    assert first["endpointAccess/v1"] != other["endpointAccess/v1"]


def test_what_was_not_done_is_notified(render: Render) -> None:
    (invocation,) = run(render(Format.SARIF, finished=False))["invocations"]
    notes = [note["message"]["text"] for note in invocation["toolExecutionNotifications"]]

    assert not invocation["executionSuccessful"]
    assert notes == [
        "Not looked at: 2 (excluded by the scope (life support network))",
        "Not asked: 1 (192.0.2.11 may be asked no deeper than negotiate)",
        "The scan was interrupted.",
    ]


def test_the_log_is_ascii_and_its_messages_are_visible(render: Render) -> None:
    text = render(Format.SARIF)

    assert text.isascii()
    assert all(result["message"]["text"].isprintable() for result in run(text)["results"])
