from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.report.samples import archive, whole_scan

from leadglass.model.record_parts import EndpointFacts
from leadglass.model.verdict import Access, Severity
from leadglass.report.gather import by_host
from leadglass.report.picture import bars, matrix, segments

counts = st.dictionaries(st.sampled_from(Severity), st.integers(0, 10**7))


@given(counts)
def test_a_bar_is_filled_from_the_left_without_gaps(of: dict[Severity, int]) -> None:
    drawn = segments(of, 640)

    assert [part.severity for part in drawn] == [severity for severity in Severity if of.get(severity)]
    assert sum(part.width for part in drawn) == pytest.approx(640 if drawn else 0, abs=0.1)
    for left, right in pairwise(drawn):
        assert right.x == pytest.approx(left.x + left.width, abs=0.02)


@given(counts)
def test_one_among_millions_can_still_be_seen(of: dict[Severity, int]) -> None:
    assert all(part.width >= 6 for part in segments(of, 640))


def test_bars_are_in_proportion_and_cut_by_severity() -> None:
    spread = {
        (Access.ANSWERS_QUERY, Severity.CRITICAL): 60,
        (Access.ANSWERS_QUERY, Severity.HIGH): 40,
        (Access.NOT_DICOM, Severity.NONE): 50,
    }
    first, second = bars(spread, 520)

    assert (first.access, first.number) == (Access.ANSWERS_QUERY, 100)
    assert sum(part.width for part in first.segments) == pytest.approx(520)
    assert sum(part.width for part in second.segments) == pytest.approx(260)
    assert [part.number for part in first.segments] == [60, 40]


def test_no_count_draws_no_bar() -> None:
    assert bars({}, 520) == ()


def test_the_matrix_shows_each_host_by_the_words_that_occur() -> None:
    drawn = matrix(by_host(whole_scan()))
    places = {(drawn.hosts[cell.row].address, drawn.words[cell.column]): cell for cell in drawn.cells}

    assert places["192.0.2.10", Access.ANSWERS_QUERY].number == 2
    assert places["192.0.2.10", Access.ANSWERS_QUERY].severity is Severity.CRITICAL
    assert ("192.0.2.10", Access.CLOSED) not in places
    assert drawn.words == tuple(Access)
    assert drawn.hidden == 0


def test_hosts_that_do_not_fit_are_counted() -> None:
    record = archive()[0]
    many = [
        record.model_copy(update={"endpoint": EndpointFacts(address=f"192.0.2.{i}", port=104)})
        for i in range(45)
    ]

    drawn = matrix(by_host(many))

    assert (len(drawn.hosts), drawn.hidden) == (40, 5)
