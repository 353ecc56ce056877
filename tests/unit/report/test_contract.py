from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from leadglass.model.record import ScanRecord
from leadglass.model.verdict import Access, Severity
from leadglass.report.contract import Tally


def test_the_tally_counts_every_record_by_access_and_severity(records: Sequence[ScanRecord]) -> None:
    tally = Tally()
    for record in records:
        tally.add(record)

    summary = tally.summary(finished=True)

    assert summary.endpoints == len(records)
    assert summary.access == Counter(record.access for record in records)
    assert summary.severity == Counter(record.severity for record in records)


def test_counts_come_worst_first(records: Sequence[ScanRecord]) -> None:
    tally = Tally()
    for record in reversed(records):
        tally.add(record)
    summary = tally.summary(finished=True)

    assert list(summary.access) == sorted(summary.access, key=lambda access: access.rank)
    assert list(summary.severity) == sorted(summary.severity, key=lambda severity: severity.rank)


def test_only_inconclusive_endpoints_are_undecided(records: Sequence[ScanRecord]) -> None:
    tally = Tally()
    for record in records:
        tally.add(record)

    assert tally.summary(finished=True).undecided == 1


def test_what_was_left_out_is_counted_by_its_reason() -> None:
    tally = Tally()
    tally.skipped("excluded", 3)
    tally.skipped("excluded")
    tally.denied("out of hours")
    summary = tally.summary(finished=False)

    assert (summary.skipped, summary.denied) == ({"excluded": 4}, {"out of hours": 1})
    assert not summary.finished
    assert summary.endpoints == 0


def test_a_summary_does_not_change_when_counting_goes_on(records: Sequence[ScanRecord]) -> None:
    tally = Tally()
    tally.add(records[0])
    before = tally.summary(finished=False)
    tally.add(records[0])

    assert before.access == {Access.ANSWERS_QUERY: 1}
    assert before.severity == {Severity.CRITICAL: 1}
