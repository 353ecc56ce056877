"""For all queries, answers and bytes: a client gets its own keys of what it may see, and nothing of the rest."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pydicom
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataelem import DataElement
from pydicom.sequence import Sequence
from tests.property import wire_strategies as some
from tests.unit.guard.identifiers.datasets import SYNTAXES, decoded, encoded, plain, words

from leadglass.errors import RemoteProtocolError
from leadglass.guard.identifiers import keys
from leadglass.guard.identifiers.commitment import (
    Commitment,
    Reference,
    encode_commitment,
    read_commitment,
)
from leadglass.guard.identifiers.encoding import substitute
from leadglass.guard.identifiers.find import FindFilter, FindPlan, plan_find
from leadglass.guard.identifiers.head import study_from_head
from leadglass.guard.identifiers.procedure_step import studies_from_step
from leadglass.guard.identifiers.questions import membership_from, study_from
from leadglass.guard.identifiers.refusal import Refused
from leadglass.guard.identifiers.retrieve import RetrievePlan, permitted, plan_retrieve
from leadglass.guard.identifiers.text import texts
from leadglass.guard.identifiers.worklist import WorklistFilter, WorklistPlan, plan_worklist
from leadglass.model.access import Study
from leadglass.wire.elements import Syntax, walk
from leadglass.wire.uids import PATIENT_ROOT_FIND, PATIENT_ROOT_MOVE, STUDY_ROOT_FIND, STUDY_ROOT_MOVE

NEEDED = frozenset({"modalities", "institution", "referring_physician", "labels", "patient_id", "study_date"})

# Tag -> VR: of every kind that a query can hold.
TEXTS: Mapping[int, str] = {
    0x0008_0005: "CS",
    0x0008_0020: "DA",
    0x0008_0050: "SH",
    0x0008_0061: "CS",
    0x0008_0080: "LO",
    0x0008_0090: "PN",
    0x0008_1030: "LO",
    0x0010_0010: "PN",
    0x0010_0020: "LO",
    0x0010_0021: "LO",
    0x0012_0062: "CS",
    0x0020_0010: "SH",
    0x0020_1200: "IS",
    0x0020_1204: "IS",
    0x0020_1206: "IS",
    0x0032_1060: "LO",
    0x0099_0010: "LO",
    0x0099_1001: "LO",
}
UIDS = (0x0020_000D, 0x0020_000E, 0x0008_0062)
SEQUENCES = (0x0008_1110, 0x0008_1032, 0x0040_0100, 0x0040_0275)

syntaxes = st.sampled_from(SYNTAXES)
words_of = st.sampled_from(["", "A", "A*", "DOE^JANE", "20200101-", "YES", "1", "M?", "x y"])
numbers = st.sampled_from(["", "1", "23"])
uids = st.sampled_from(["1.2.3", "1.2.4", "1.2.5.6", "1.3.12.2.1107.5.1.4.1"])


def texts_of(vr: str) -> st.SearchStrategy[str]:
    return numbers if vr == "IS" else words_of


@st.composite
def datasets(draw: st.DrawFn, levels: tuple[str, ...] = ("STUDY",)) -> pydicom.Dataset:
    """A query, or an answer to one."""
    dataset = pydicom.Dataset()
    with pydicom.config.disable_value_validation():
        dataset.QueryRetrieveLevel = draw(st.sampled_from(levels))
        for tag in draw(st.sets(st.sampled_from(sorted(TEXTS)))):
            vr = TEXTS[tag]
            dataset.add(DataElement(tag, vr, draw(texts_of(vr)) if tag != 0x0008_0005 else "ISO_IR 192"))
        for tag in draw(st.sets(st.sampled_from(UIDS))):
            dataset.add(DataElement(tag, "UI", draw(st.lists(uids, max_size=2))))
        for tag in draw(st.sets(st.sampled_from(SEQUENCES))):
            items = draw(st.lists(st.builds(pydicom.Dataset), max_size=2))
            dataset.add(DataElement(tag, "SQ", Sequence(items)))
            dataset[tag].is_undefined_length = draw(st.booleans())
    return dataset


@st.composite
def answers(draw: st.DrawFn) -> pydicom.Dataset:
    """An answer that names its study."""
    dataset = draw(datasets())
    dataset.StudyInstanceUID = draw(uids)
    return dataset


def planned(
    query: pydicom.Dataset, syntax: Syntax, model: str = STUDY_ROOT_FIND, *, relational: bool = True
) -> FindPlan:
    plan = plan_find(model, encoded(query, syntax), syntax, NEEDED, relational=relational)
    assert isinstance(plan, FindPlan), plan
    return plan


def flat(dataset: pydicom.Dataset) -> dict[int, Any]:
    """Its elements by tag, without sequences."""
    return {int(element.tag): plain(element.value) or "" for element in dataset if element.VR != "SQ"}


def read(dataset: pydicom.Dataset, syntax: Syntax) -> dict[int, Any]:
    """The same once it was sent: of a private element in implicit VR only bytes are left."""
    return flat(decoded(encoded(dataset, syntax), syntax))


# ---- queries


@given(datasets(), syntaxes)
def test_an_archive_is_asked_the_clients_keys_and_empty_ones_of_our_own(
    query: pydicom.Dataset, syntax: Syntax
) -> None:
    sent = decoded(planned(query, syntax).identifier, syntax)
    theirs = {tag: value for tag, value in read(query, syntax).items() if tag not in keys.STATISTICS}
    if 0x0099_1001 in theirs:
        theirs[0x0099_1001] = ""

    assert [tag for tag in flat(sent) if tag not in theirs] == sorted(
        {0x0020_000D, *keys.needed_tags(NEEDED)} - theirs.keys()
    )
    for tag, value in flat(sent).items():
        assert value == theirs.get(tag, "")
    assert len(sent) == len(flat(sent))  # no sequences


@given(datasets(), answers(), syntaxes)
def test_a_client_gets_its_own_keys_as_the_archive_filled_them(
    query: pydicom.Dataset, match: pydicom.Dataset, syntax: Syntax
) -> None:
    of = FindFilter(planned(query, syntax), syntax)

    shown = of.visible(encoded(match, syntax))

    assert shown is not None
    got, asked = flat(decoded(shown, syntax)), flat(query).keys()
    expected = {
        tag: value
        for tag, value in read(match, syntax).items()
        if tag in asked or tag in keys.ALWAYS_RETURNED
    }
    blank = {tag for tag in asked if tag in keys.STATISTICS}
    assert got.keys() == expected.keys() | blank
    assert {tag: value for tag, value in got.items() if tag not in blank} == {
        tag: value for tag, value in expected.items() if tag not in blank
    }
    assert {got[tag] for tag in blank} <= {""}
    assert len(decoded(shown, syntax)) == len(got)  # no sequences


@given(datasets(("PATIENT",)), st.lists(st.tuples(answers(), st.booleans()), max_size=8), syntaxes)
def test_hidden_studies_change_nothing_of_what_a_client_gets(
    query: pydicom.Dataset, matches: list[tuple[pydicom.Dataset, bool]], syntax: Syntax
) -> None:
    plan = planned(query, syntax, PATIENT_ROOT_FIND)
    every = [(encoded(match, syntax), allowed) for match, allowed in matches]

    with_hidden = told(FindFilter(plan, syntax), every)
    alone = told(FindFilter(plan, syntax), [(match, True) for match, allowed in every if allowed])

    assert with_hidden == alone


def told(of: FindFilter, matches: Iterable[tuple[bytes, bool]]) -> list[bytes]:
    """What a client is told, match by match."""
    seen = []
    for match, allowed in matches:
        of.study_of(match)
        shown = of.visible(match) if allowed else None
        if shown is not None:
            seen.append(shown)
    return seen


@given(datasets(("PATIENT",)), st.lists(answers(), max_size=8), syntaxes)
def test_no_patient_is_answered_twice(
    query: pydicom.Dataset, matches: list[pydicom.Dataset], syntax: Syntax
) -> None:
    query.PatientID = query.IssuerOfPatientID = ""
    of = FindFilter(planned(query, syntax, PATIENT_ROOT_FIND), syntax)

    shown = [of.visible(encoded(match, syntax)) for match in matches]
    told_of = [decoded(data, syntax) for data in shown if data]
    patients = [(got.get("PatientID"), got.get("IssuerOfPatientID")) for got in told_of]
    named = [patient for patient in patients if patient[0]]
    assert len(set(named)) == len(named)
    assert {patient[0] for patient in named} == {m.PatientID for m in matches if m.get("PatientID")}


# ---- substitution


@given(datasets(), syntaxes, st.dictionaries(uids, some.uids, max_size=3))
def test_a_substitution_changes_one_value_and_no_other_byte(
    query: pydicom.Dataset, syntax: Syntax, minted: dict[str, str]
) -> None:
    data = encoded(query, syntax)
    tag = keys.STUDY_INSTANCE_UID

    changed = substitute(data, syntax, tag, minted)

    before, after = (
        {span.tag: given_data[span.start : span.end] for span in walk(given_data, syntax)}
        for given_data in (data, changed)
    )
    assert {t: raw for t, raw in after.items() if t != tag} == {
        t: raw for t, raw in before.items() if t != tag
    }
    assert b"".join(after.values()) == changed
    named = several(query.get("StudyInstanceUID"))
    assert several(decoded(changed, syntax).get("StudyInstanceUID")) == [minted.get(u, u) for u in named]


def several(value: Any) -> list[str]:
    """A value of any number as a list."""
    if not value:
        return []
    return [str(value)] if isinstance(value, str) else [str(each) for each in value]


@given(st.lists(uids, min_size=1, max_size=30), st.dictionaries(uids, some.uids, max_size=4), syntaxes)
def test_of_a_retrieve_order_and_number_stay(
    named: list[str], minted: dict[str, str], syntax: Syntax
) -> None:
    query = pydicom.Dataset()
    query.QueryRetrieveLevel = "SERIES"
    query.StudyInstanceUID = "1.9"
    query.SeriesInstanceUID = named
    query.PatientName = "*"
    plan = plan_retrieve(STUDY_ROOT_MOVE, encoded(query, syntax), syntax)
    assert isinstance(plan, RetrievePlan)

    sent = decoded(permitted(plan, syntax, minted), syntax)

    assert words(sent).keys() == {"QueryRetrieveLevel", "StudyInstanceUID", "SeriesInstanceUID"}
    assert several(sent.SeriesInstanceUID) == [minted.get(uid, uid) for uid in named]
    assert sent.StudyInstanceUID == "1.9"


references = st.builds(Reference, some.uids, some.uids, st.none())
failures = st.builds(Reference, some.uids, some.uids, some.u16)


@given(
    st.builds(
        Commitment,
        some.uids,
        st.lists(references, max_size=5).map(tuple),
        st.lists(failures, max_size=5).map(tuple),
        st.none() | some.titles,
    ),
    syntaxes,
)
def test_every_commitment_survives_writing_and_reading(commitment: Commitment, syntax: Syntax) -> None:
    assert read_commitment(encode_commitment(commitment, syntax), syntax) == commitment


# ---- damage


@given(st.data(), syntaxes)
def test_a_damaged_identifier_is_planned_refused_or_an_error_of_the_peer(
    data: st.DataObject, syntax: Syntax
) -> None:
    levels = ("PATIENT", "STUDY", "SERIES", "IMAGE")
    whole = datasets(levels).map(lambda query: encoded(query, syntax))
    identifier = data.draw(some.damaged(whole) | st.binary(max_size=200))

    for plan in plans(identifier, syntax):
        with contextlib.suppress(RemoteProtocolError):
            assert isinstance(plan(), FindPlan | WorklistPlan | RetrievePlan | Refused | Commitment | tuple)


def plans(identifier: bytes, syntax: Syntax) -> list[Callable[[], object]]:
    """Everything that reads what a client sends."""
    return [
        lambda: plan_find(STUDY_ROOT_FIND, identifier, syntax, NEEDED, relational=True),
        lambda: plan_find(PATIENT_ROOT_FIND, identifier, syntax, NEEDED, relational=False),
        lambda: plan_worklist(identifier, syntax, NEEDED),
        lambda: plan_retrieve(PATIENT_ROOT_MOVE, identifier, syntax),
        lambda: retrieved(plan_retrieve(STUDY_ROOT_MOVE, identifier, syntax), syntax),
        lambda: read_commitment(identifier, syntax),
        lambda: studies_from_step(identifier, syntax),
    ]


def retrieved(plan: RetrievePlan | Refused, syntax: Syntax) -> object:
    """A plan that can be made can be carried out."""
    if isinstance(plan, RetrievePlan) and plan.level != "PATIENT":
        assert permitted(plan, syntax, {})
    return plan


@given(st.data(), syntaxes)
def test_a_damaged_match_is_seen_or_an_error_of_the_peer(data: st.DataObject, syntax: Syntax) -> None:
    query = data.draw(datasets(("STUDY", "PATIENT")))
    match = data.draw(some.damaged(answers().map(lambda answer: encoded(answer, syntax))))
    worklist = plan_worklist(encoded(query, syntax), syntax, NEEDED)

    with contextlib.suppress(RemoteProtocolError):
        of = FindFilter(planned(query, syntax, PATIENT_ROOT_FIND), syntax)
        study, uid = of.study_of(match)
        assert study is None or study.study_instance_uid == uid
        shown = of.visible(match)
        assert shown is None or list(walk(shown, syntax)) is not None
    with contextlib.suppress(RemoteProtocolError):
        study_from(match, syntax)
    with contextlib.suppress(RemoteProtocolError):
        membership_from(match, syntax)
    if isinstance(worklist, WorklistPlan):
        with contextlib.suppress(RemoteProtocolError):
            items = WorklistFilter(worklist, syntax)
            items.study_of(match)
            assert list(walk(items.visible(match), syntax)) is not None


@given(st.dictionaries(st.sampled_from(sorted(TEXTS)) | st.just(0x0020_000D), st.binary(max_size=40)))
def test_any_head_is_a_study_or_refused(values: dict[int, bytes]) -> None:
    assert isinstance(study_from_head(values, sop_class_uid="1.2", sop_instance_uid="1.3"), Refused)
    values |= {keys.SOP_CLASS_UID: b"1.2", keys.SOP_INSTANCE_UID: b"1.3", keys.STUDY_INSTANCE_UID: b"1.4"}
    assert isinstance(study_from_head(values, sop_class_uid="1.2", sop_instance_uid="1.3"), Study)


@given(
    st.binary(max_size=60),
    st.sampled_from([b"", b"ISO_IR 192", b"GB18030", b"\\ISO 2022 IR 87"]) | st.binary(),
)
def test_any_bytes_are_text_without_control_characters_or_none(raw: bytes, charset: bytes) -> None:
    for text in texts(raw, charset) or ():
        assert text == text.strip()
        assert not any(ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 for character in text)
