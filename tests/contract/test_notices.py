"""What owners were told and what became of it, over either database."""

from __future__ import annotations

import dataclasses

import pytest
from tests.contract.reading import secured, store, told
from tests.contract.samples import BEGAN

from leadglass.errors import UsageError
from leadglass.model.key import pack
from leadglass.model.notice import Answer, Channel, Outcome, SentNotice
from leadglass.model.verdict import Access
from leadglass.store import notices
from leadglass.store.database import Database
from leadglass.store.notices import Before

DAY = 86_400
NOTICE = SentNotice("LG-1", Channel.LETTER, "Praxis Müller", "Praxis Müller", "de-gdpr-owner", BEGAN + DAY)
SPOT = ("192.0.2.9", 104)


def outcome(database: Database, spot: tuple[str, int] = SPOT) -> Outcome:
    return notices.outcomes(database)["LG-1", Channel.LETTER][pack(*spot)]


def test_what_was_sent_is_read_as_it_was_logged(database: Database) -> None:
    later = dataclasses.replace(NOTICE, reference="LG-2", sent_at=BEGAN)
    notices.log(database, NOTICE, [SPOT])
    notices.log(database, later, [SPOT])

    assert list(notices.sent(database)) == [later, NOTICE]


def test_nothing_is_logged_as_sent_twice_by_one_channel(database: Database) -> None:
    notices.log(database, NOTICE, [SPOT])

    with pytest.raises(UsageError, match="already"):
        notices.log(database, NOTICE, [SPOT])
    notices.log(database, dataclasses.replace(NOTICE, channel=Channel.PHONE), [SPOT])
    assert len(notices.sent(database)) == 2


def test_a_notice_that_was_begun_is_not_begun_again_and_one_that_failed_is(database: Database) -> None:
    assert notices.begin(database, NOTICE, [SPOT]) is Before.NEW
    assert notices.begin(database, NOTICE, [SPOT]) is Before.SENDING
    notices.finish(database, "LG-1", Channel.LETTER, left=False)
    assert notices.begin(database, NOTICE, [SPOT]) is Before.FAILED
    notices.finish(database, "LG-1", Channel.LETTER, left=True)
    assert notices.begin(database, NOTICE, [SPOT]) is Before.SENT
    assert [one.state for one in notices.sent(database)] == ["sent"]


def test_one_that_was_begun_can_be_logged_as_sent_by_hand(database: Database) -> None:
    notices.begin(database, NOTICE, [SPOT])
    notices.log(database, NOTICE, [SPOT])

    assert [one.state for one in notices.sent(database)] == ["sent"]


def test_answers_stand_with_their_notice(database: Database) -> None:
    notices.log(database, NOTICE, [SPOT])
    notices.answer(database, "LG-1", BEGAN, Answer.RECEIVED, "by telephone")
    notices.answer(database, "LG-1", BEGAN + 9, Answer.FIXED, "")

    assert notices.sent(database)[0].answers == (Answer.RECEIVED, Answer.FIXED)
    with pytest.raises(UsageError, match="no notice LG-2"):
        notices.answer(database, "LG-2", BEGAN, Answer.FIXED, "")


@pytest.mark.parametrize(
    ("access", "became"),
    [
        (Access.ASSOCIATES, Outcome.OPEN),
        (Access.WANTS_TITLE, Outcome.OPEN),
        (Access.DEMANDS_CERTIFICATE, Outcome.FIXED),
        (Access.DEMANDS_LOGIN, Outcome.FIXED),
        (Access.CLOSED, Outcome.GONE),
        (Access.FILTERED, Outcome.GONE),
        (Access.INCONCLUSIVE, Outcome.UNKNOWN),
    ],
)
def test_a_later_look_says_what_became_of_it(database: Database, access: Access, became: Outcome) -> None:
    store(database, [told("192.0.2.9")])
    notices.log(database, NOTICE, [SPOT])
    assert outcome(database) is Outcome.UNTESTED

    store(database, [told("192.0.2.9", access)], at=2 * DAY)

    assert outcome(database) is became


def test_gone_becomes_fixed_only_by_the_owners_word(database: Database) -> None:
    store(database, [told("192.0.2.9")])
    notices.log(database, NOTICE, [SPOT])
    store(database, [told("192.0.2.9", Access.FILTERED)], at=2 * DAY)
    notices.answer(database, "LG-1", BEGAN, Answer.RECEIVED, "")
    assert outcome(database) is Outcome.GONE

    notices.answer(database, "LG-1", BEGAN, Answer.FIXED, "")

    assert outcome(database) is Outcome.FIXED


def test_a_word_does_not_close_what_is_open(database: Database) -> None:
    notices.log(database, NOTICE, [SPOT])
    notices.answer(database, "LG-1", BEGAN, Answer.FIXED, "")
    store(database, [told("192.0.2.9")], at=2 * DAY)

    assert outcome(database) is Outcome.OPEN


def test_a_server_that_is_open_elsewhere_has_moved(database: Database) -> None:
    spot = ("192.0.2.12", 2762)
    store(database, [secured("192.0.2.12", "a")])
    notices.log(database, NOTICE, [spot])
    notices.answer(database, "LG-1", BEGAN, Answer.FIXED, "")
    store(database, [told("192.0.2.12", Access.CLOSED, port=2762), secured("192.0.2.13", "a")], at=2 * DAY)

    assert outcome(database, spot) is Outcome.MOVED


def test_open_from_one_place_is_open(database: Database) -> None:
    notices.log(database, NOTICE, [SPOT])
    store(database, [told("192.0.2.9", Access.FILTERED)], at=3 * DAY, place="berlin")
    store(database, [told("192.0.2.9")], at=2 * DAY, place="oslo")

    assert outcome(database) is Outcome.OPEN


def test_a_study_is_drawn_once(database: Database) -> None:
    drawn = {"Praxis Müller": "letter", "Klinik": "email"}
    notices.assign(database, "spring", drawn, "07", BEGAN)

    assert notices.arms(database, "spring") == drawn
    with pytest.raises(UsageError, match="only once"):
        notices.assign(database, "spring", {"Other": "letter"}, "08", BEGAN)
    with pytest.raises(UsageError, match="no study"):
        notices.arms(database, "autumn")
