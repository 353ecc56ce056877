"""Searches: what of them the archive sees, and how matches are counted."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from tests.unit.guard.dicomweb.conversing import HOSTS, ROOTS

from leadglass.guard.dicomweb.parameters import Parameters
from leadglass.guard.dicomweb.paths import parse
from leadglass.guard.dicomweb.query import Pages, Search, read
from leadglass.guard.dicomweb.refused import Refused

EVERYTHING = frozenset(
    {"patient_id", "modalities", "institution", "referring_physician", "performing_physicians", "labels"}
)


def search(
    query: str = "", path: str = "/studies", accept: str = "", needed: frozenset[str] = EVERYTHING
) -> Search:
    raw = f"/dicom-web{path}?{quote(query, safe='=&')}".encode()
    return read(parse(b"GET", raw, ROOTS, HOSTS), accept, needed)


def refused(query: str = "", path: str = "/studies", accept: str = "") -> int:
    with pytest.raises(Refused) as caught:
        search(query, path, accept)
    return caught.value.status


def first_page(query: str, path: str = "/studies") -> dict[str, list[str]]:
    return grouped(Pages(search(query, path)).next())


def grouped(parameters: Parameters) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in parameters:
        found.setdefault(name, []).append(value)
    return found


def test_keys_and_fields_pass_and_those_of_the_policy_are_added() -> None:
    found = first_page(
        "PatientName=A*&00080020=20260101-&includefield=StudyDescription,00081030&fuzzymatching=true"
    )

    assert found == {
        "PatientName": ["A*"],
        "00080020": ["20260101-"],
        "fuzzymatching": ["true"],
        "includefield": ["StudyDescription", "00081030", "00080080", "00081050", "00120020", "00120062"],
    }


def test_what_is_added_is_hidden_unless_the_client_asked_for_it() -> None:
    everything = {"00080080", "00081050", "00120020", "00120062"}

    assert search().hidden == everything
    assert search("includefield=InstitutionName&00081050=A").hidden == {"00120020", "00120062"}
    assert search("includefield=all").hidden == frozenset()


def test_only_what_policies_read_is_added() -> None:
    assert search(needed=frozenset()).added == ()
    assert search(needed=frozenset({"patient_id", "institution"})).added == ("00080080",)
    assert search(needed=frozenset({"labels"})).added == ("00120020", "00120062")


def test_for_series_and_instances_the_study_is_asked_for() -> None:
    assert first_page("", "/series") == {"includefield": ["0020000D"]}
    assert first_page("", "/instances") == {"includefield": ["0020000D"]}
    assert first_page("", "/studies/1.2/series") == {}
    assert search("", "/series").hidden == frozenset()


def test_a_value_that_an_archive_may_only_repeat_is_doubtful() -> None:
    assert search("ReferringPhysicianName=Me&StudyDate=20260101").doubtful == {"00080090"}
    assert search("00081050=Me&InstitutionName=Mine").doubtful == {"00081050", "00080080"}
    assert search("PatientIdentityRemoved=YES").doubtful == {"00120062"}
    assert search("ClinicalTrialProtocolID=X&ModalitiesInStudy=CT").doubtful == {"00120020", "00080061"}


def test_what_nobody_knows_is_ignored() -> None:
    unknown = "orderby=StudyDate&studyUID=1.2&fuzzymatching=perhaps&_=1763784000&cache-buster=1&-x=1"
    assert first_page(unknown) == first_page("")


def test_sequences_are_matched_by_a_path_of_steps() -> None:
    assert first_page("RequestAttributesSequence.ScheduledProcedureStepID=1", "/series") == {
        "RequestAttributesSequence.ScheduledProcedureStepID": ["1"],
        "includefield": ["0020000D"],
    }
    assert "00400275.00400009" in first_page("0040-0275.00400009=1".replace("-", ""), "/series")


# ---- attacks


@pytest.mark.parametrize(
    "key",
    [
        "NumberOfPatientRelatedStudies",
        "NumberOfPatientRelatedSeries",
        "NumberOfPatientRelatedInstances",
        "00201200",
        "00201202",
        "00201204",
        "ReferencedStudySequence.NumberOfPatientRelatedStudies",
    ],
)
def test_counts_of_what_is_hidden_are_neither_matched_nor_returned(key: str) -> None:
    assert refused(f"{key}=3") == 400
    assert refused(f"includefield={key}") == 400
    assert refused(f"includefield=StudyDate,{key}") == 400


@pytest.mark.parametrize("key", ["77771010", "00090010", "0009100A", "00101010.00211001"])
def test_private_attributes_are_neither_matched_nor_returned(key: str) -> None:
    assert refused(f"{key}=1") == 400
    assert refused(f"includefield={key}") == 400


@pytest.mark.parametrize(
    "key", ["0020000", "0020000DD", "0020000G", "Patient_Name", "A", ".", "PatientName.", "9"]
)
def test_names_that_break_the_grammar_are_refused(key: str) -> None:
    assert refused(f"{key}=1") == 400
    assert refused(f"includefield={key}") == 400


@pytest.mark.parametrize("uid", ["*", "1.2.*", "1.2,", "1..2", "1.2\\*", "?", "", "1.2 or 1=1"])
@pytest.mark.parametrize(
    "key", ["StudyInstanceUID", "0020000D", "0020000d", "SeriesInstanceUID", "SOPInstanceUID", "00080018"]
)
def test_uids_to_match_are_uids(uid: str, key: str) -> None:
    assert refused(f"{key}={uid}", "/instances") == 400


def test_lists_of_uids_are_bounded() -> None:
    assert search("StudyInstanceUID=1.2,1.3").matching == (("StudyInstanceUID", "1.2,1.3"),)
    assert search("StudyInstanceUID=1.2\\1.3").matching == (("StudyInstanceUID", "1.2\\1.3"),)
    assert refused("StudyInstanceUID=" + ",".join(["1"] * 400) + "," + "x") == 400


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("StudyInstanceUID", "/studies/1.2/series"),
        ("0020000D", "/studies/1.2/series"),
        ("0020000d", "/studies/1.2/instances"),
        ("SeriesInstanceUID", "/studies/1.2/series/1.3/instances"),
        ("0020000E", "/studies/1.2/series/1.3/instances"),
    ],
)
def test_a_parameter_cannot_replace_what_the_path_has_fixed(key: str, path: str) -> None:
    assert refused(f"{key}=9.9", path) == 400


def test_a_parameter_that_comes_twice_is_refused() -> None:
    assert refused("PatientID=1&PatientID=2") == 400
    assert refused("limit=1&limit=2") == 400
    assert refused("fuzzymatching=true&fuzzymatching=false") == 400


@pytest.mark.parametrize("number", ["-1", "1.5", "", "x", "1e3", "٣", "1000001", "9" * 30, "+1", " 1"])
def test_limits_and_offsets_are_numbers(number: str) -> None:
    assert refused(f"limit={number}") == 400
    assert refused(f"offset={number}") == 400


@pytest.mark.parametrize(
    "accept", ["application/dicom+xml", 'multipart/related; type="application/dicom+xml"', "text/html"]
)
def test_results_that_are_not_json_are_not_acceptable(accept: str) -> None:
    assert refused(accept=accept) == 406
    assert refused(f"accept={accept}") == 406
    assert search("accept=application/dicom+json", accept="*/*").matching == ()


# ---- pages


def run(pages: Pages, visible: list[bool], more: bool = False) -> tuple[list[int], bool]:
    """One page: which matches are shown, and whether there is another."""
    shown = []
    for number, seen in enumerate(visible):
        pages.received()
        if seen and pages.show():
            shown.append(number)
    return shown, pages.goes_on(more=more)


def test_offset_and_limit_count_what_is_visible() -> None:
    pages = Pages(search("limit=2&offset=1"))

    assert grouped(pages.next())["limit"] == ["3"]
    assert run(pages, [False, True, False]) == ([], True)
    assert grouped(pages.next())["limit"] == ["10"]
    assert run(pages, [True, False] * 5) == ([0, 2], False)
    assert pages.full
    assert pages.shown == 2


def test_the_next_page_begins_where_the_archive_ended() -> None:
    pages = Pages(search("limit=30"))
    asked = grouped(pages.next())

    assert (asked["limit"], "offset" in asked) == (["30"], False)
    assert run(pages, [False] * 20 + [True] * 10) == ([*range(20, 30)], True)
    # A third was visible, so three times as many are asked for as are missing, and some more.
    assert grouped(pages.next()) | {"includefield": []} == {
        "limit": ["76"],
        "offset": ["30"],
        "includefield": [],
    }


def test_a_page_that_is_not_full_is_the_last_unless_the_archive_says_otherwise() -> None:
    pages = Pages(search("limit=30"))

    pages.next()
    assert run(pages, [True] * 3) == ([0, 1, 2], False)
    pages.next()
    assert run(pages, [True] * 3, more=True) == ([0, 1, 2], True)
    pages.next()
    assert run(pages, [], more=True) == ([], False)


def test_without_a_limit_the_archive_has_its_own() -> None:
    pages = Pages(search("offset=1"))

    assert grouped(pages.next()).keys() == {"includefield"}
    assert run(pages, [True, True], more=True) == ([1], True)
    assert grouped(pages.next())["offset"] == ["2"]


def test_a_page_is_never_larger_than_an_archive_bears() -> None:
    pages = Pages(search("limit=100000"))
    assert grouped(pages.next())["limit"] == ["1000"]
    pages = Pages(search("limit=1"))
    asked = []
    for _ in range(12):
        asked.append(int(grouped(pages.next())["limit"][0]))
        run(pages, [False])
    assert asked[:4] == [1, 20, 40, 80]
    assert asked[-1] == 1000


def test_nothing_is_asked_for_no_matches() -> None:
    assert Pages(search("limit=0")).full


def test_one_search_costs_the_archive_a_bounded_number_of_matches() -> None:
    pages = Pages(search("limit=1"))
    while not pages.exhausted:
        pages.next()
        assert run(pages, [False] * 1000, more=True) == ([], True)

    assert pages.shown == 0
