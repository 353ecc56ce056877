"""What a notice says, and what it never says."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
from tests.unit.notice.conftest import Making
from tests.unit.report import samples

from leadglass.model.notice import Audience, Frame, Language
from leadglass.model.record import ScanRecord
from leadglass.model.record_parts import EvidenceFact, Tlp
from leadglass.model.verdict import Access
from leadglass.notice.as_text import as_text, body_of
from leadglass.notice.exposures import exposures
from leadglass.notice.message import compose

EVERY = list(itertools.product(Language, Frame, Audience))


@pytest.mark.parametrize(("language", "frame", "audience"), EVERY)
def test_every_wording_tells_all_that_the_owner_needs(
    making: Making, language: Language, frame: Frame, audience: Audience
) -> None:
    notice = making(language=language, frame=frame, audience=audience)
    text = as_text(compose(notice))

    for one in notice.exposures:
        assert str(one) in text
        assert all(rule in text for rule in one.rules)
        assert f"[{one.access.value}]" in text
    assert text.startswith("Subject: [TLP:AMBER] ")
    assert text.rstrip().endswith("TLP:AMBER")
    for needed in ("2026-11-21 05:00:00", "abuse@example.org", "EXAMPLE_SCAN", "leadglass check", "DNS"):
        assert needed in text
    assert "{" not in text


def test_each_frame_names_its_own_law(making: Making) -> None:
    texts = {frame: as_text(compose(making(frame=frame))) for frame in Frame}

    assert ("164.404" in texts[Frame.HIPAA], "Art. 33" in texts[Frame.HIPAA]) == (True, False)
    assert ("164.404" in texts[Frame.GDPR], "Art. 33" in texts[Frame.GDPR]) == (False, True)
    assert ("164.404" in texts[Frame.NEUTRAL], "Art. 33" in texts[Frame.NEUTRAL]) == (False, False)


def test_the_vendor_reads_what_a_vendor_must_do(making: Making) -> None:
    text = as_text(compose(making(audience=Audience.VENDOR, recipient="Example PACS", frame=Frame.HIPAA)))

    assert "164.410" in text
    assert "Example PACS" in text
    assert "164.410" not in as_text(compose(making(frame=Frame.HIPAA)))


def test_no_word_that_a_server_chose_is_in_it(making: Making) -> None:
    # The hostile record of the samples has titles, banners and a name full of escapes and script.
    text = as_text(compose(making(exposures=tuple(exposures([samples.hostile()])))))

    assert "script" not in text
    assert "\x1b" not in text


def test_what_is_protected_or_closed_is_no_finding(making: Making) -> None:
    accesses = {one.access.value for one in making().exposures}

    assert accesses.isdisjoint({"demands-certificate", "demands-login", "closed", "filtered", "not-dicom"})
    assert "answers-query" in accesses


def test_an_endpoint_that_was_closed_when_it_was_seen_last_is_no_finding() -> None:
    opened = samples.archive_dicom()
    closed = next(record for record in samples.whole_scan() if record.access.value == "closed")
    later = opened.model_copy(
        update={"access": closed.access, "observed_at": opened.observed_at.replace(year=2027)}
    )

    assert len(exposures([opened])) == 1
    assert exposures([later, opened]) == []


def test_a_sample_is_not_called_a_look_without_patient_data(making: Making) -> None:
    sampled = asked(samples.archive_dicom(), "sample", "sample/studies")
    text = " ".join(as_text(compose(making(exposures=tuple(exposures([sampled]))))).split())

    assert "no patient data was retrieved" not in text
    assert "counted in memory" in text


def asked(record: ScanRecord, rung: str, *facts: str) -> ScanRecord:
    """The record under another rung, and with these facts alone."""
    parts = [name.partition("/") for name in facts]
    evidence = tuple(
        EvidenceFact(id=f"{probe}/{fact}", probe=probe, fact=fact, value="x", sha256="")
        for probe, _, fact in parts
    )
    return record.model_copy(update={"rung": rung, "evidence": evidence})


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        (
            ("tcp/outcome", "associate/reply", "negotiate/contexts", "blank-query/status"),
            "One query was sent",
        ),
        (("tcp/outcome", "associate/reply", "negotiate/contexts"), "Services were offered in an association"),
        (("tcp/outcome", "associate/reply"), "An association was requested"),
        (("tcp/outcome", "web/answers", "web/qido"), "One query was sent"),
    ],
)
def test_no_question_is_said_to_have_been_asked_that_was_not(
    making: Making, facts: tuple[str, ...], says: str
) -> None:
    # Under a scope that permits a blank query, one that turns strangers away at the door never gets it.
    record = asked(samples.archive_dicom(), "blank-query", *facts)
    text = " ".join(as_text(compose(making(exposures=tuple(exposures([record]))))).split())

    assert f"How we know: {says}" in text


def test_pages_of_a_web_interface_are_not_called_an_association(making: Making) -> None:
    record = asked(samples.archive_web(), "associate", "web/answers")
    text = " ".join(as_text(compose(making(exposures=tuple(exposures([record]))))).split())

    assert "How we know: Web pages were asked for" in text


def test_records_that_came_unasked_are_owned_up_to(making: Making) -> None:
    (seen,) = exposures([asked(samples.archive_dicom(), "blank-query", "blank-query/status")])
    told = dataclasses.replace(seen, rules=(*seen.rules, "query.returned-records"))
    text = " ".join(as_text(compose(making(exposures=(told,)))).split())

    assert "The server sent records all the same; they were dropped unread." in text


def test_a_web_interface_is_checked_as_one(making: Making) -> None:
    text = as_text(compose(making(exposures=tuple(exposures([samples.archive_web()])))))

    assert "curl -k -i http" in text
    assert "echoscu" not in text


@pytest.mark.parametrize("language", Language)
def test_a_server_that_asks_for_a_title_is_checked_by_its_refusal(making: Making, language: Language) -> None:
    (seen,) = exposures([samples.archive_dicom()])
    told = dataclasses.replace(seen, access=Access.WANTS_TITLE)
    text = as_text(compose(making(exposures=(told,), language=language)))

    assert "AE Title Not Recognized" in text
    assert "Association Accepted" not in text
    assert "echoscu -v " in text


def test_the_reference_is_the_same_for_the_same_notice_and_another_for_others(making: Making) -> None:
    assert compose(making()).reference == compose(making()).reference
    assert compose(making()).reference != compose(making(owner="Somebody Else")).reference


def test_the_mark_stands_first_and_last_in_the_body(making: Making) -> None:
    lines = body_of(compose(making(tlp=Tlp.AMBER_STRICT))).strip().splitlines()

    assert (lines[0], lines[-1]) == ("TLP:AMBER+STRICT", "TLP:AMBER+STRICT")
