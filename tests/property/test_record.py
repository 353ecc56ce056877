"""Any verdict on any evidence becomes a record that keeps its schema and can be read and judged again."""

from __future__ import annotations

import dataclasses
import enum
import json
import types
import typing
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it has no types
from tests.unit.report.conftest import render

from leadglass.cli.schema import SCHEMAS
from leadglass.model.endpoint import Endpoint
from leadglass.model.evidence import Certificate, Evidence, TlsHelloEvidence
from leadglass.model.record import ScanRecord, read_record, record
from leadglass.model.rung import Rung
from leadglass.model.verdict import (
    Access,
    Capabilities,
    ClientCertificate,
    Data,
    Kind,
    Nature,
    Position,
    Reason,
    Severity,
    Software,
    State,
    TlsSummary,
    Vantage,
    Verdict,
)
from leadglass.report.writer import Format

words = st.text(max_size=20)
some_words = st.lists(words, max_size=3).map(tuple)


def values(hint: typing.Any) -> st.SearchStrategy[typing.Any]:
    """Whatever may stand where a frozen evidence type says ``hint``."""
    origin, of = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType:
        return st.one_of(*(values(one) for one in of))
    if origin is tuple and of[-1] is Ellipsis:
        return st.lists(values(of[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*(values(one) for one in of))
    if dataclasses.is_dataclass(hint):
        return whole(typing.cast("type[typing.Any]", hint))
    if issubclass(hint, enum.Enum):
        return st.sampled_from(hint)
    return {
        bool: st.booleans(),
        int: st.integers(0, 2**32),
        str: words,
        types.NoneType: st.none(),
    }[hint]


def whole(kind: type[typing.Any]) -> st.SearchStrategy[typing.Any]:
    """Any instance of a frozen evidence type."""
    hints = typing.get_type_hints(kind)
    return st.builds(kind, **{field.name: values(hints[field.name]) for field in dataclasses.fields(kind)})


evidence = st.lists(
    st.one_of(
        *(
            whole(kind).map(lambda hello: dataclasses.replace(hello, offer="tls12"))
            if kind is TlsHelloEvidence
            else whole(kind)
            for kind in typing.get_args(Evidence)
        )
    ),
    max_size=4,
).map(tuple)
shares = st.lists(st.floats(1e-9, 1), min_size=6, max_size=6).map(
    lambda weights: {kind: weight / sum(weights) for kind, weight in zip(Kind, weights, strict=True)}
)
certificates = whole(Certificate).map(dataclasses.asdict)
verdicts = st.builds(
    Verdict,
    access=st.sampled_from(Access),
    capabilities=st.builds(
        Capabilities, **{field.name: st.sampled_from(State) for field in dataclasses.fields(Capabilities)}
    ),
    protocols=some_words,
    software=st.builds(Software, st.none() | words, st.none() | words, st.floats(0, 1), words),
    nature=st.builds(Nature, shares, shares, st.booleans(), some_words),
    data=st.sampled_from(Data),
    severity=st.sampled_from(Severity),
    tls=st.none()
    | st.builds(
        TlsSummary,
        st.none() | words,
        st.none() | words,
        st.sampled_from(ClientCertificate),
        some_words,
        st.none() | certificates,
        some_words,
    ),
    reasons=st.lists(st.builds(Reason, words, words, some_words), max_size=3).map(tuple),
    advice=some_words,
    settles=some_words,
)
addresses = st.ip_addresses().map(str)
scopes = st.none() | st.fixed_dictionaries(
    {"name": words, "basis": words, "granted_by": st.none() | words, "reference": st.none() | words}
)
records = st.builds(
    record,
    scan=words,
    observed_at=st.floats(0, 4e9) | st.datetimes(datetime(1971, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - a bound
    endpoint=st.builds(Endpoint, addresses, st.integers(1, 65535), st.none() | words),
    vantage=st.builds(Vantage, st.none() | addresses, st.sampled_from(Position)),
    rung=st.sampled_from(Rung),
    evidence=evidence,
    verdict=verdicts,
    scope=scopes,
)

pytestmark = pytest.mark.timeout(3600)  # `make deep` draws twenty thousand records a test

SCHEMA = SCHEMAS["scan-record"]()
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)


@given(records)
def test_every_record_keeps_the_published_schema(made: ScanRecord) -> None:
    VALIDATOR.validate(json.loads(made.line()))


@given(records)
def test_a_record_read_back_is_the_same_record(made: ScanRecord) -> None:
    assert read_record(made.line()) == made
    assert read_record(made.line()).line() == made.line()


@given(records)
def test_the_quick_line_says_what_the_slow_one_says(made: ScanRecord) -> None:
    assert json.loads(made.line()) == json.loads(made.model_dump_json(by_alias=True))


@given(records)
def test_a_line_is_printable_ascii(made: ScanRecord) -> None:
    assert made.line().isascii()
    assert made.line().isprintable()


@given(evidence, verdicts)
def test_the_evidence_of_a_record_is_the_evidence_that_was_seen(
    seen: tuple[Evidence, ...], judged: Verdict
) -> None:
    made = record(
        scan="s",
        observed_at=0,
        endpoint=Endpoint("192.0.2.1", 104),
        vantage=Vantage(None),
        rung=Rung.CONNECT,
        evidence=seen,
        verdict=judged,
    )

    assert read_record(made.line()).observed() == seen
    assert len({fact.id for fact in made.evidence}) == len(made.evidence)


@given(records, records)
def test_one_record_does_not_colour_another(one: ScanRecord, other: ScanRecord) -> None:
    """What is remembered of a look is found again only for the very same look."""
    mixed = one.model_copy(update={"severity": other.severity, "evidence": other.evidence})
    one.line()
    other.line()

    assert json.loads(mixed.line()) == json.loads(mixed.model_dump_json(by_alias=True))


@given(records)
def test_no_share_becomes_nothing(made: ScanRecord) -> None:
    assert all(made.nature[kind] > 0 for kind in Kind)
    assert sum(made.nature.values()) == pytest.approx(1, abs=0.001)


@pytest.mark.parametrize("form", Format)
@given(made=st.lists(records, max_size=3))
def test_every_format_shows_any_records_without_obeying_them(form: Format, made: list[ScanRecord]) -> None:
    text = render(form, made)

    controls = {chr(code) for code in (*range(32), *range(127, 160), 0x2028, 0x2029, 0x202E)}
    assert not set(text) & (controls - {"\n", "\r"})
    assert text.count("\r") == (text.count("\n") if form is Format.CSV else 0)
