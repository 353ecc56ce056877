"""The forms of a lint's report: whole, valid, and never obeying what a file holds."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it has no types
from tests.unit.configs.linting import OTHER_RULE, found, linted_of
from tests.unit.report.lint_sarif_schema import ESSENTIALS

from leadglass.cli.schema import SCHEMAS
from leadglass.configs.accepting import Weighed, accepting, weighed
from leadglass.configs.catalogue import rules
from leadglass.configs.lint import Broken
from leadglass.model.finding import Edit, Finding
from leadglass.model.verdict import Severity
from leadglass.report.lint_contract import LintReport
from leadglass.report.lint_forms import LintFormat
from leadglass.report.lint_writer import write_lint

DAY = dt.date(2026, 11, 21)
HOSTILE = 'x\x1b[31m\r\n::error::y"<![CDATA[]]>&\u202e%0A,:\ud800\ufffe'
PATHS = ("orthanc.json", "/etc/orthanc/a b,c:d%.json", "a/\udcff.json")


def report(*findings: Finding, expires: dt.date | None = None, **other: Any) -> LintReport:
    """A report; ``expires``: the first finding is accepted until then."""
    linted = linted_of(*findings, **other)
    against = Weighed(findings)
    if expires is not None:
        risks = accepting(findings[:1], "A. Miller", "because", expires, str)
        against = weighed(findings, risks, DAY, str)
    return LintReport(linted, against, Severity.MEDIUM, "1.0", skipped=(("fifo", "no file"),))


def written(form: LintFormat, of: LintReport, **how: Any) -> str:
    stream = io.StringIO()
    write_lint(form, of, stream, **how)
    return stream.getvalue()


def ordinary() -> LintReport:
    """Two findings, one of which can be fixed."""
    edit = Edit("orthanc.json", 3, 5, "true")
    return report(
        found(edits=(edit,), reached="compose.yml, line 7, publishes it on all interfaces"),
        found("b.json", severity=Severity.LOW, rule=OTHER_RULE, option="DicomCheckCallingAet"),
        broken=(Broken("c.json", "c.json:1:1: not JSON"),),
        unknown=("d.json", "e.txt"),
    )


def hostile() -> LintReport:
    findings = [found(path, option=HOSTILE, reached=HOSTILE) for path in PATHS]
    return report(*findings, broken=(Broken(HOSTILE, HOSTILE),), unknown=(HOSTILE,))


@pytest.fixture(params=[ordinary, hostile, report], ids=["ordinary", "hostile", "empty"])
def any_report(request: pytest.FixtureRequest) -> LintReport:
    made: LintReport = request.param()
    return made


# ---- all forms


@pytest.mark.parametrize("form", LintFormat)
def test_nothing_that_a_file_holds_reaches_the_reader_unescaped(form: LintFormat) -> None:
    text = written(form, hostile())

    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff\ufffe]", text)
    assert "\n::error::y" not in text


@pytest.mark.parametrize("form", LintFormat)
def test_every_form_names_rule_place_and_option_of_every_finding(form: LintFormat) -> None:
    text = written(form, ordinary())

    for word in ("LG-DCMTK-001", "LG-DCMTK-008", "orthanc.json", "b.json", "AuthenticationEnabled", "c.json"):
        assert word in text


# ---- text


def test_the_text_tells_what_is_exposed_how_it_is_reached_and_what_to_do() -> None:
    text = written(LintFormat.TEXT, ordinary(), width=100)

    assert text.startswith("orthanc.json (orthanc)\n  2:1  critical  AuthenticationEnabled  LG-DCMTK-001\n")
    assert "exposes   a stranger who reaches it can search the server" in text
    assert "reached   compose.yml, line 7, publishes it on all interfaces" in text
    assert text.endswith(
        "2 configuration files read, 2 of no known kind, 1 broken: 2 findings (1 critical, 1 low), 1 can be\n"
        "closed with --fix.\n"
    )


@pytest.mark.parametrize("width", [20, 60, 80, 400])
def test_the_text_keeps_the_width(width: int) -> None:
    lines = written(LintFormat.TEXT, ordinary(), width=width).splitlines()

    assert max(map(len, lines)) <= min(max(width, 60), 100)


def test_colour_only_repeats_what_a_word_says() -> None:
    plain = written(LintFormat.TEXT, ordinary())

    assert re.sub(r"\x1b\[[\d;]*m", "", written(LintFormat.TEXT, ordinary(), colour=True)) == plain
    assert "\x1b" not in plain


def test_an_acceptance_that_has_expired_is_said_loudly() -> None:
    expired = written(LintFormat.TEXT, report(found(), expires=DAY - dt.timedelta(days=1)))
    accepted = written(LintFormat.TEXT, report(found(), expires=DAY))

    assert "EXPIRED   A. Miller accepted it until 2026-11-20: because" in expired
    assert "accepted by the baseline" in accepted
    assert "0 findings, 1 accepted" in accepted


# ---- json


def test_the_json_keeps_the_schema_that_is_published(any_report: LintReport) -> None:
    schema = SCHEMAS["lint-report"]()
    Draft202012Validator.check_schema(schema)
    text = written(LintFormat.JSON, any_report)

    Draft202012Validator(schema).validate(json.loads(text))
    assert text.isascii()


def test_every_field_of_the_json_is_described() -> None:
    schema = SCHEMAS["lint-report"]()
    undescribed = [
        f"{name}.{field}"
        for name, model in schema["$defs"].items()
        for field, told in model.get("properties", {}).items()
        if "description" not in told
    ]

    # What says itself in one word.
    plain = {"owner", "reason", "line", "cause", "certainty", "name", "service", "port", "product", "tls"}
    assert {field.partition(".")[2] for field in undescribed} <= plain | {"path", "kind", "listeners", "why"}


def test_an_accepted_finding_says_who_answers_for_it() -> None:
    (finding,) = json.loads(written(LintFormat.JSON, report(found(), expires=DAY)))["findings"]

    assert finding["accepted"] == {
        "owner": "A. Miller",
        "reason": "because",
        "expires": "2026-11-21",
        "expired": False,
    }


# ---- sarif


def run(of: LintReport) -> dict[str, Any]:
    (only,) = json.loads(written(LintFormat.SARIF, of))["runs"]
    assert isinstance(only, dict)
    return only


def test_the_sarif_keeps_the_standard(any_report: LintReport) -> None:
    Draft202012Validator(ESSENTIALS).validate(json.loads(written(LintFormat.SARIF, any_report)))


def test_every_result_points_to_its_rule_with_its_clauses() -> None:
    only = run(ordinary())
    told = only["tool"]["driver"]["rules"]

    for result in only["results"]:
        rule = told[result["ruleIndex"]]
        assert rule["id"] == result["ruleId"]
        assert {f"hipaa/{section}" for section in rules()[rule["id"]].hipaa} <= set(
            rule["properties"]["tags"]
        )
        assert {f"ps3.15/{clause}" for clause in rules()[rule["id"]].ps315} <= set(rule["properties"]["tags"])


def test_a_result_has_its_region_and_its_fix() -> None:
    first = run(ordinary())["results"][0]
    (change,) = first["fixes"][0]["artifactChanges"]

    assert first["locations"][0]["physicalLocation"]["region"] == {"startLine": 2, "startColumn": 1}
    assert change["replacements"] == [
        {
            "deletedRegion": {"startLine": 2, "startColumn": 1, "endLine": 2, "endColumn": 3},
            "insertedContent": {"text": "true"},
        }
    ]


def test_an_accepted_result_is_suppressed_and_an_expired_one_is_not() -> None:
    accepted = run(report(found(), expires=DAY))["results"]
    expired = run(report(found(), expires=DAY - dt.timedelta(days=1)))["results"]

    assert accepted[0]["suppressions"][0]["justification"] == "A. Miller, until 2026-11-21: because"
    assert "suppressions" not in expired[0]


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("deploy/orthanc.json", "deploy/orthanc.json"),
        ("/etc/orthanc/a b.json", "file:///etc/orthanc/a%20b.json"),
        ("C:/Program Files/orthanc.json", "file:///C:/Program%20Files/orthanc.json"),
        ("a:b.json", "a%3Ab.json"),
    ],
)
def test_the_place_of_a_result_is_a_uri_on_every_system(path: str, uri: str) -> None:
    (result,) = run(report(found(path)))["results"]

    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


# ---- junit


def test_the_junit_is_xml_whose_counts_agree(any_report: LintReport) -> None:
    for suite in ET.fromstring(written(LintFormat.JUNIT, any_report)):
        counted = {kind: len(suite.findall(f"testcase/{kind}")) for kind in ("failure", "error", "skipped")}

        assert int(suite.attrib["tests"]) == len(suite.findall("testcase"))
        assert counted == {
            "failure": int(suite.attrib["failures"]),
            "error": int(suite.attrib["errors"]),
            "skipped": int(suite.attrib["skipped"]),
        }


def test_only_what_fails_the_lint_is_a_failure() -> None:
    root = ET.fromstring(written(LintFormat.JUNIT, ordinary()))

    assert [
        case.attrib["classname"] for case in root.iter("testcase") if case.find("failure") is not None
    ] == ["orthanc.json"]


# ---- github

COMMAND = re.compile(r"::(error|warning|notice) ((?:\w+=[^,:\r\n]*)(?:,\w+=[^,:\r\n]*)*)::([^\r\n]*)")


def unescaped(text: str) -> str:
    for code, char in (("%2C", ","), ("%3A", ":"), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(code, char)
    return text


def test_every_line_is_one_command_and_the_last_is_the_summary(any_report: LintReport) -> None:
    *commands, summary = written(LintFormat.GITHUB, any_report).splitlines()

    assert all(COMMAND.fullmatch(line) for line in commands)
    assert not summary.startswith("::")


def test_a_command_names_file_line_and_column() -> None:
    first = COMMAND.match(written(LintFormat.GITHUB, report(found(PATHS[1]))))
    assert first is not None
    values = dict(pair.split("=", 1) for pair in first[2].split(","))

    assert first[1] == "error"
    assert unescaped(values["file"]) == PATHS[1]
    assert (values["line"], values["col"]) == ("2", "1")


@pytest.mark.parametrize("form", [LintFormat.GITHUB, LintFormat.SARIF])
def test_a_message_is_made_of_sentences(form: LintFormat) -> None:
    said = written(form, report(found(PATHS[1])))
    assert re.search(r"[^.:] (?:What to do|A stranger)", said) is None
    assert ". What to do: " in said
