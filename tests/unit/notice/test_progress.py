"""Whether telling helped: what counts, and whom to tell again."""

from __future__ import annotations

import dataclasses

import pytest

from leadglass.model.notice import Answer, Channel, Outcome, SentNotice
from leadglass.notice.progress import became, differences, rates, reminders

DAY = 86_400
NOTICE = SentNotice("LG-1", Channel.EMAIL, "Praxis", "Praxis", "de-gdpr-owner", 0)


@pytest.mark.parametrize(
    ("each", "together"),
    [
        ((), Outcome.UNTESTED),
        ((Outcome.FIXED, Outcome.FIXED), Outcome.FIXED),
        ((Outcome.FIXED, Outcome.GONE), Outcome.GONE),
        ((Outcome.FIXED, Outcome.UNTESTED), Outcome.UNTESTED),
        ((Outcome.FIXED, Outcome.UNKNOWN), Outcome.UNKNOWN),
        ((Outcome.UNTESTED, Outcome.OPEN), Outcome.OPEN),
        ((Outcome.MOVED, Outcome.FIXED), Outcome.MOVED),
    ],
)
def test_a_notice_is_fixed_only_when_everything_is(each: tuple[Outcome, ...], together: Outcome) -> None:
    assert became(each) is together


def test_gone_counts_against_a_fix_and_untested_does_not_count() -> None:
    seen = [Outcome.FIXED, Outcome.GONE, Outcome.OPEN, Outcome.FIXED, Outcome.UNTESTED, Outcome.UNKNOWN]
    (rate,) = rates(("letter", outcome) for outcome in seen)

    assert (rate.told, rate.tested, rate.fixed) == (6, 4, 2)
    assert rate.interval is not None
    # Wilson's interval of 2 of 4, as statsmodels' proportion_confint(2, 4, method="wilson") gives it.
    assert (rate.interval.low, rate.interval.high) == pytest.approx((0.150039, 0.849961), abs=1e-6)
    assert "fixed 2 of 4 looked at, 50 % (15 % to 85 %)" in rate.says


def test_no_rate_is_told_of_what_nobody_has_looked_at() -> None:
    (rate,) = rates([("letter", Outcome.UNTESTED)])

    assert rate.interval is None
    assert "nothing to say" in rate.says


def test_arms_are_set_against_each_other_where_both_were_looked_at() -> None:
    fixed, left = [Outcome.FIXED], [Outcome.OPEN]
    told = {"letter": fixed * 56 + left * 14, "email": fixed * 48 + left * 32, "later": [Outcome.UNTESTED]}
    (found,) = differences(rates((arm, one) for arm, each in told.items() for one in each))

    assert found.says == "email against letter: fixed -20 percentage points, 95 % interval -33 to -5"


def test_a_difference_that_chance_may_have_made_is_called_so() -> None:
    (found,) = differences(rates([("a", Outcome.FIXED), ("b", Outcome.OPEN)]))

    assert found.says.endswith("chance may have made it")


def test_a_reminder_names_a_way_that_was_not_tried() -> None:
    letter = dataclasses.replace(NOTICE, channel=Channel.LETTER, sent_at=DAY)
    told = [(NOTICE, Outcome.OPEN), (letter, Outcome.OPEN)]

    (one,) = reminders(told, 40 * DAY)
    assert (one.days, one.by, one.notice) == (39, Channel.PHONE, letter)
    assert reminders(told, 20 * DAY) == []


@pytest.mark.parametrize("outcome", [Outcome.FIXED, Outcome.GONE, Outcome.UNTESTED])
def test_only_what_is_open_is_reminded_of(outcome: Outcome) -> None:
    assert reminders([(NOTICE, outcome)], 40 * DAY) == []


def test_who_refused_is_left_alone_and_so_is_who_heard_in_every_way() -> None:
    refused = dataclasses.replace(NOTICE, answers=(Answer.OPT_OUT,))
    everything = [(dataclasses.replace(NOTICE, channel=channel), Outcome.OPEN) for channel in Channel]

    assert reminders([(refused, Outcome.OPEN)], 40 * DAY) == []
    assert reminders(everything, 40 * DAY) == []
