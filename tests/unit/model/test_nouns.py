from __future__ import annotations

import pytest

from leadglass.model.endpoint import Endpoint
from leadglass.model.rung import Rung
from leadglass.model.verdict import Access, Reason, Severity


def test_the_ladder_is_climbed_in_order() -> None:
    words = ["passive", "connect", "associate", "negotiate", "blank-query", "sample"]

    assert [rung.word for rung in sorted(Rung)] == words
    assert [Rung.from_word(word) for word in words] == list(Rung)


@pytest.mark.parametrize("word", ["", "BLANK-QUERY", "blank_query", "brute-force"])
def test_an_unknown_rung_is_refused_with_the_known_ones(word: str) -> None:
    with pytest.raises(ValueError, match="the rungs are passive, connect"):
        Rung.from_word(word)


def test_access_and_severity_rank_worst_first() -> None:
    assert min(Access, key=lambda access: access.rank) is Access.ANSWERS_QUERY
    assert Access.WANTS_TITLE.rank < Access.DEMANDS_LOGIN.rank < Access.CLOSED.rank
    assert [severity.rank for severity in Severity] == [0, 1, 2, 3, 4]
    assert Severity.CRITICAL.rank < Severity.NONE.rank


def test_a_reason_cites_its_evidence() -> None:
    assert str(Reason("access.closed", "the port is closed", ("tcp/outcome",))) == (
        "access.closed: the port is closed [tcp/outcome]"
    )
    assert str(Reason("severity.table", "nothing to do")) == "severity.table: nothing to do"


@pytest.mark.parametrize(
    ("endpoint", "text"),
    [(Endpoint("192.0.2.1", 104), "192.0.2.1:104"), (Endpoint("2001:db8::1", 104), "[2001:db8::1]:104")],
)
def test_an_endpoint_reads_as_people_write_it(endpoint: Endpoint, text: str) -> None:
    assert str(endpoint) == text
    assert endpoint.is_ipv6 is ("[" in text)
