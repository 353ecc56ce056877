"""The numbers that keep a scan gentle, on a clock of our own."""

from __future__ import annotations

import math

import pytest

from leadglass.net.pace import RoundTrip, TokenBucket


def test_a_second_gives_no_more_than_the_rate() -> None:
    bucket, taken = TokenBucket(100, 0.0), 0
    for tick in range(1001):
        got = bucket.tokens(tick / 1000)
        bucket.spend(got)
        taken += got

    assert 100 <= taken <= 105  # a twentieth of a second's worth was saved up


def test_a_new_rate_holds_from_now_on() -> None:
    bucket = TokenBucket(1000, 0.0)
    bucket.turn(10, 5.0)

    assert bucket.tokens(5.0) <= 1
    bucket.spend(bucket.tokens(5.0))
    assert bucket.wait(5.0) == pytest.approx(0.1)


def test_a_rate_of_nothing_stops_and_a_later_one_starts_again() -> None:
    bucket = TokenBucket(100, 0.0)
    bucket.turn(0, 1.0)

    assert bucket.tokens(1.0) == bucket.tokens(1000.0) == TokenBucket(0, 0.0).tokens(0.0) == 0
    assert bucket.wait(1000.0) == math.inf
    bucket.turn(100, 1000.0)
    assert bucket.wait(1000.0) == pytest.approx(0.01)


def test_time_outs_stand_until_enough_was_measured() -> None:
    trip = RoundTrip(2.5)
    for _ in range(15):
        trip.sample(0.02)

    assert trip.connect_timeout == 2.5
    trip.sample(0.02)
    assert trip.connect_timeout == pytest.approx(1.3)


def test_a_repeated_syn_always_has_time_to_be_answered() -> None:
    trip = RoundTrip(2.5)
    for _ in range(100):
        trip.sample(0.00001)

    assert trip.connect_timeout > 1.2


def test_slow_networks_get_more_time_and_never_more_than_at_first() -> None:
    slow, wild = RoundTrip(2.5), RoundTrip(2.5)
    for number in range(100):
        slow.sample(0.6)
        wild.sample(2.0 * (number % 2))

    assert 1.6 <= slow.connect_timeout < 2.0
    assert slow.allowance >= 0.6
    assert wild.connect_timeout == 2.5
