"""Each thing that happens to a client makes its event; what cannot be written down before is not done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from tests.unit.guard.somebody import Paper, client

from leadglass.access.admission import Peer
from leadglass.errors import ResourceError
from leadglass.guard.audit.events import Happening, Outcome, Patient, SopClass
from leadglass.guard.trail import Diary
from leadglass.model.access import Action, Kind, Study

HEAD = Study("2.25.1", patient_id="P1", accession_number="A1")
CT, MR = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4"


def diary(
    paper: Paper, kind: Kind = Kind.DEVICE, *, care: bool = False, emergency: str | None = None
) -> Diary:
    return Diary(paper.trail(), client(kind), lambda _: care, lambda: emergency)


@pytest.mark.parametrize("kind", Kind)
def test_an_association_begins_and_a_person_logs_in_and_out(kind: Kind) -> None:
    paper = Paper()
    pages = diary(paper, kind)
    pages.begun([Action.FIND])
    pages.ended("")

    person = [Happening.LOGIN, Happening.LOGOUT] if kind is Kind.PERSON else []
    assert [event.happening for event, _ in paper.told] == [Happening.ASSOCIATION, *person]


def test_every_event_says_who_from_where_through_what_and_in_which_emergency() -> None:
    paper = Paper()
    diary(paper, Kind.PERSON, emergency="unconscious").asked(Action.MPPS)
    event = paper.last

    assert event.who == client(Kind.PERSON).principal
    assert (event.device, event.title, event.called) == ("ct1", "CT1", "ARCHIVE")
    assert (event.address, event.certificate, event.emergency) == ("10.0.0.7", "ab" * 32, "unconscious")
    assert event.at == dt.datetime.fromtimestamp(paper.now, tz=dt.UTC)
    assert (event.happening, event.action, event.outcome) == (
        Happening.ACCESSED,
        Action.MPPS,
        Outcome.SUCCESS,
    )


def test_an_echo_is_not_worth_a_line_nor_the_reserve() -> None:
    paper = Paper()
    pages = diary(paper, care=True)
    pages.asked(Action.ECHO)
    assert paper.told == []
    pages.begun([Action.ECHO])
    pages.begun([Action.ECHO, Action.STORE])
    assert [reserved for _, reserved in paper.told] == [False, True]


def test_a_query_is_kept_as_it_was_asked() -> None:
    paper = Paper()
    diary(paper).queried(Action.FIND, "1.2.3", b"identifier", "1.2.840.10008.1.2")

    query = paper.last.query
    assert query is not None
    assert (query.sop_class, query.identifier, query.transfer_syntax) == (
        "1.2.3",
        b"identifier",
        "1.2.840.10008.1.2",
    )


def test_a_transfer_is_told_before_and_after_with_its_studies_and_its_destination() -> None:
    paper = Paper()
    pages = diary(paper)
    pages.retrieving(Action.MOVE, [HEAD], "READER")
    pages.retrieved(Action.MOVE, [HEAD], "READER", "")
    pages.retrieved(Action.GET, [HEAD], None, "the client has gone")

    (begun, over, broken) = (event for event, _ in paper.told)
    assert (begun.happening, over.happening) == (Happening.TRANSFER_BEGUN, Happening.TRANSFERRED)
    assert begun.studies[0].study_instance_uid == "2.25.1"
    assert (begun.studies[0].patient, begun.studies[0].accession_number) == (Patient("P1"), "A1")
    assert begun.destination is not None
    assert begun.destination.title == "READER"
    assert (over.outcome, over.reason) == (Outcome.SUCCESS, None)
    assert (broken.outcome, broken.reason, broken.destination) == (Outcome.MINOR, "the client has gone", None)


def test_objects_are_told_once_a_study_before_and_counted_after() -> None:
    paper = Paper()
    pages = diary(paper)
    for sop_class, octets in ((CT, 100), (CT, 200), (MR, 50)):
        pages.storing(Action.STORE, HEAD)
        pages.stored(HEAD, sop_class, octets)
    pages.storing(Action.STORE, Study("2.25.2"))
    pages.ended("")
    pages.ended("")

    assert [event.happening for event, _ in paper.told] == [
        Happening.TRANSFER_BEGUN,
        Happening.TRANSFER_BEGUN,
        Happening.TRANSFERRED,
    ]
    assert paper.last.octets == 350
    assert paper.last.studies[0].sop_classes == (SopClass(CT, 2), SopClass(MR, 1))


def test_of_many_studies_in_one_association_the_first_is_written_down_early(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("leadglass.guard.trail._MOST_STORED", 2)
    paper = Paper()
    pages = diary(paper)
    for number in range(4):
        study = Study(f"2.25.{number}")
        pages.storing(Action.STORE, study)
        pages.stored(study, CT, 1)
    over = [event for event, _ in paper.told if event.happening is Happening.TRANSFERRED]
    assert [event.studies[0].study_instance_uid for event in over] == ["2.25.0", "2.25.1"]


def test_a_refusal_and_a_failure_say_why() -> None:
    paper = Paper()
    pages = diary(paper)
    pages.refused(Action.GET, "not permitted", ("p1",), [HEAD])
    assert (paper.last.happening, paper.last.outcome) == (Happening.REFUSED, Outcome.SERIOUS)
    assert (paper.last.reason, paper.last.rules) == ("not permitted", ("p1",))
    assert paper.last.studies[0].study_instance_uid == "2.25.1"
    pages.failed(None, "cannot be reached")
    assert (paper.last.happening, paper.last.outcome) == (Happening.REFUSED, Outcome.MAJOR)


def test_who_is_turned_away_is_only_claimed_to_be_somebody() -> None:
    paper = Paper()
    peer = Peer("10.0.0.9", None, tls=True)
    paper.trail().turned_away(peer, "CT1", "ARCHIVE", "not enrolled", "title-unknown")
    event = paper.last
    assert (event.who, event.claimed, event.title, event.called) == (None, "CT1", "CT1", "ARCHIVE")
    assert (event.outcome, event.reason, event.rules) == (Outcome.SERIOUS, "not enrolled", ("title-unknown",))
    paper.trail().turned_away(peer, "", "", "web", "web-anonymous")
    assert (paper.last.claimed, paper.last.title, paper.last.called) == (None, None, None)
    paper.trail().stranger(peer, "TLS: no certificate")
    assert (paper.last.outcome, paper.last.address) == (Outcome.MINOR, "10.0.0.9")


BEFORE: dict[str, Callable[[Diary], None]] = {
    "begun": lambda pages: pages.begun([Action.FIND]),
    "asked": lambda pages: pages.asked(Action.COMMIT),
    "queried": lambda pages: pages.queried(Action.FIND, "1.2.3", b"", None),
    "retrieving": lambda pages: pages.retrieving(Action.GET, [HEAD], None),
    "storing": lambda pages: pages.storing(Action.STORE, HEAD),
}
AFTER: dict[str, Callable[[Diary], None]] = {
    "retrieved": lambda pages: pages.retrieved(Action.GET, [HEAD], None, ""),
    "refused": lambda pages: pages.refused(Action.GET, "no", ()),
    "failed": lambda pages: pages.failed(Action.GET, "away"),
    "ended": lambda pages: pages.ended(""),
}


@pytest.mark.parametrize("what", BEFORE)
def test_what_cannot_be_written_down_before_it_is_done_raises_unless_it_is_care(what: str) -> None:
    paper = Paper(full=True)
    with pytest.raises(ResourceError):
        BEFORE[what](diary(paper))
    assert paper.told == []
    BEFORE[what](diary(paper, care=True))
    assert paper.told


def test_an_object_that_could_not_be_written_down_is_tried_anew() -> None:
    paper = Paper(full=True)
    pages = diary(paper)
    for _ in range(2):
        with pytest.raises(ResourceError):
            pages.storing(Action.STORE, HEAD)


@pytest.mark.parametrize("what", AFTER)
def test_what_cannot_be_written_down_afterwards_is_counted_as_lost(what: str) -> None:
    paper = Paper(full=True)
    AFTER[what](diary(paper, Kind.PERSON))

    assert paper.lost == 1


def test_a_login_that_failed_names_the_device_and_who_was_claimed() -> None:
    paper = Paper()
    peer = Peer("10.0.0.9", "ab" * 32, tls=True)
    paper.trail().disbelieved(
        peer, ("CT1", "ARCHIVE"), "wrong", "passcode-wrong", device="ct-1", person="ada"
    )
    event = paper.last
    assert (event.happening, event.outcome) == (Happening.LOGIN, Outcome.SERIOUS)
    assert (event.who, event.claimed, event.device, event.title) == (None, "ada", "ct-1", "CT1")
    assert (event.certificate, event.rules) == ("ab" * 32, ("passcode-wrong",))
