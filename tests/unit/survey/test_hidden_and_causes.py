from __future__ import annotations

import json

import pytest

from leadglass.errors import ConfigError, UsageError
from leadglass.model.finding import Cause
from leadglass.model.lint_record import LINT_SCHEMA
from leadglass.survey.causes import count_findings, shares_of_causes
from leadglass.survey.hidden import Calibration, Hint, Known, hidden, hint_of

COUNTS = {Hint.CONFIRMED: 3, Hint.PORT: 40, Hint.OTHER: 900}
KNOWN = Calibration("two networks", {Hint.PORT: Known(18, 20), Hint.OTHER: Known(0, 50)})

# ---- hidden


def test_without_a_calibration_there_are_bounds_and_no_point() -> None:
    found = hidden(COUNTS)

    assert (found.bounds.low, found.bounds.high, found.demanding) == (3, 943, 943)
    assert found.estimate is None
    assert found.interval is None


def test_a_calibration_gives_a_point_within_the_bounds() -> None:
    found = hidden(COUNTS, KNOWN)

    assert found.estimate == pytest.approx(3 + 36)
    assert found.interval is not None
    assert found.bounds.low <= found.interval.low < 39 < found.interval.high <= found.bounds.high


def test_a_calibration_that_leaves_out_a_hint_is_refused() -> None:
    with pytest.raises(UsageError, match="no endpoint with the hint 'other'"):
        hidden(COUNTS, Calibration("x", {Hint.PORT: Known(1, 2)}))


def test_nothing_that_demands_a_certificate_is_no_answer() -> None:
    with pytest.raises(UsageError, match="nothing to estimate"):
        hidden({})


@pytest.mark.parametrize(
    ("port", "names", "beside", "confirmed", "hint"),
    [
        (443, (), False, False, Hint.OTHER),
        (2762, (), False, False, Hint.PORT),
        (443, (), True, False, Hint.BESIDE),
        (2762, ("CN=pacs.example.org",), True, False, Hint.NAMED),
        (
            443,
            (
                "",
                "CN=Example DICOM CA 2",
            ),
            False,
            False,
            Hint.NAMED,
        ),
        (443, ("CN=capacsity.example.org", "CN=risk.example.org"), False, False, Hint.OTHER),
        (443, (), False, True, Hint.CONFIRMED),
    ],
)
def test_the_strongest_hint_counts(
    port: int, names: tuple[str, ...], beside: bool, confirmed: bool, hint: Hint
) -> None:
    assert hint_of(port, names, speaks_beside=beside, confirmed=confirmed) is hint


# ---- causes


def lint_report(*findings: tuple[str, Cause], files: tuple[str, ...]) -> str:
    return json.dumps(
        {
            "schema": LINT_SCHEMA,
            "findings": [
                {"path": path, "cause": cause.value, "rule": "LG-X-001"} for path, cause in findings
            ],
            "files": [{"path": path, "kind": "orthanc"} for path in files],
        }
    )


def test_a_file_counts_once_for_each_cause_and_those_without_findings_count_too() -> None:
    text = lint_report(
        ("a.json", Cause.FACTORY_DEFAULT),
        ("a.json", Cause.FACTORY_DEFAULT),
        ("a.json", Cause.TYPO),
        ("b.json", Cause.FACTORY_DEFAULT),
        files=("a.json", "b.json", "c.json"),
    )
    counts, looked_at = count_findings([("one", text), ("two", text)])

    assert looked_at == 6  # the same names in two reports are two files
    assert counts[Cause.FACTORY_DEFAULT] == 4
    assert counts[Cause.TYPO] == 2


def test_lines_with_causes_are_read_as_well() -> None:
    lines = '{"path": "a", "cause": "deliberate"}\n\n{"path": "b", "inner": [{"cause": "typo"}]}\n'
    counts, looked_at = count_findings([("answers", lines)])

    assert looked_at == 2
    assert (counts[Cause.DELIBERATE], counts[Cause.TYPO]) == (1, 1)


@pytest.mark.parametrize("text", ["", "no", "{", "{}", '{"a": 1}\nno\n', '{"RemoteAccessAllowed": true}'])
def test_what_is_no_report_is_refused(text: str) -> None:
    with pytest.raises((ConfigError, UsageError)):
        count_findings([("x", text)])


@pytest.mark.parametrize("text", ["[" * 200_000 + "]" * 200_000, '{"a":' * 100_000 + "1" + "}" * 100_000])
def test_nesting_without_end_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        count_findings([("x", text)])


def test_shares_have_intervals_and_every_cause_is_told() -> None:
    shares = shares_of_causes({Cause.FACTORY_DEFAULT: 12}, 30)

    assert list(shares) == list(Cause)
    assert 0.4 in shares[Cause.FACTORY_DEFAULT].exact
    assert shares[Cause.TYPO].exact.low == 0


def test_more_causes_than_servers_cannot_be() -> None:
    with pytest.raises(UsageError, match="31 times among 30"):
        shares_of_causes({Cause.TYPO: 31}, 30)
