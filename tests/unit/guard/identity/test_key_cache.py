"""Keys: one question for all who wait, not too many, and the last good ones while there is no answer."""

from __future__ import annotations

import asyncio

import pytest
from tests.unit.access.minting import key
from tests.unit.guard.identity.standing import Clocks, Publisher, on_a_loop, others

from leadglass.access.key_set import Keys
from leadglass.errors import RemoteProtocolError, TransportError
from leadglass.guard.identity.jwks import KeyCache

AWAY = TransportError("cannot be reached", where="the identity provider at 192.0.2.1:443")


class Stand:
    """A cache of one provider's keys."""

    def __init__(self, last_good: float = 4 * 3600.0) -> None:
        self.publisher, self.clocks = Publisher(key()), Clocks()
        self.cache = KeyCache(self.publisher.fetch, self.clocks, last_good=last_good)

    def later(self, seconds: float) -> None:
        self.clocks.since_start += seconds


def kids(keys: Keys) -> list[str | None]:
    return [found.kid for found in keys.keys]


@on_a_loop
async def test_keys_are_fetched_once_and_kept() -> None:
    stand = Stand()
    first = await stand.cache.current()
    stand.later(224)

    assert await stand.cache.current() is first
    assert stand.publisher.asked == 1
    assert stand.cache.age == 224


@on_a_loop
async def test_keys_are_fetched_anew_without_making_anybody_wait() -> None:
    stand = Stand()
    first = await stand.cache.current()
    stand.publisher.keys = [key("second")]
    stand.later(225)

    assert await stand.cache.current() is first
    await others()
    assert kids(await stand.cache.current()) == ["second"]
    assert stand.publisher.asked == 2


@on_a_loop
async def test_keys_that_have_outlived_their_lifetime_are_waited_for() -> None:
    stand = Stand()
    await stand.cache.current()
    stand.publisher.keys = [key("second")]
    stand.later(300)

    assert kids(await stand.cache.current()) == ["second"]


@on_a_loop
async def test_nobody_waits_again_for_a_provider_that_is_known_to_be_away() -> None:
    stand = Stand()
    first = await stand.cache.current()
    stand.publisher.failure = AWAY
    stand.later(300)
    assert await stand.cache.current() is first
    gate = asyncio.Event()
    stand.publisher.held = gate.wait()
    stand.later(10)

    assert await stand.cache.current() is first
    gate.set()
    await others()
    assert stand.publisher.asked == 3


@on_a_loop
async def test_the_same_keys_stay_the_same_object() -> None:
    stand = Stand()
    first = await stand.cache.current()
    stand.later(225)

    assert await stand.cache.newer() is first
    assert stand.publisher.asked == 2


@on_a_loop
async def test_all_who_wait_share_one_question() -> None:
    stand = Stand()
    gate = asyncio.Event()
    stand.publisher.held = gate.wait()
    waiting = [asyncio.create_task(stand.cache.current()) for _ in range(20)]
    asyncio.get_running_loop().call_soon(gate.set)

    assert len({id(keys) for keys in await asyncio.gather(*waiting)}) == 1
    assert stand.publisher.asked == 1


@on_a_loop
async def test_one_who_goes_away_does_not_take_the_answer_from_the_others() -> None:
    stand = Stand()
    gate = asyncio.Event()
    stand.publisher.held = gate.wait()
    first, second = (asyncio.create_task(stand.cache.current()) for _ in range(2))
    loop = asyncio.get_running_loop()
    loop.call_soon(first.cancel)
    loop.call_soon(loop.call_soon, gate.set)

    assert kids(await second) == ["first"]
    assert first.cancelled()


@on_a_loop
async def test_newer_keys_are_asked_for_at_most_every_ten_seconds() -> None:
    stand = Stand()
    await stand.cache.current()
    stand.publisher.keys = [key("second")]
    stand.later(9.9)

    assert kids(await stand.cache.newer()) == ["first"]
    stand.later(0.1)
    assert kids(await stand.cache.newer()) == ["second"]
    for _ in range(100):
        await stand.cache.newer()
    assert stand.publisher.asked == 2


@pytest.mark.parametrize("failure", [AWAY, RemoteProtocolError("the key set cannot be read")])
def test_the_last_good_keys_serve_while_there_is_no_answer_and_then_nobody_is_believed(
    failure: TransportError,
) -> None:
    @on_a_loop
    async def story() -> None:
        stand = Stand(last_good=3600.0)
        first = await stand.cache.current()
        stand.publisher.failure = failure
        for _ in range(11):
            stand.later(300)
            assert await stand.cache.current() is first
            await others()
        assert stand.cache.problem == str(failure)
        stand.later(300)
        with pytest.raises(TransportError, match="no keys to verify"):
            await stand.cache.current()

        stand.publisher.failure = None
        stand.later(10)
        assert await stand.cache.current() is first
        assert stand.cache.problem == ""

    story()


@on_a_loop
async def test_while_there_never_were_keys_the_provider_is_asked_at_its_pace_and_the_reason_told() -> None:
    stand = Stand()
    stand.publisher.failure = AWAY
    for _ in range(5):
        with pytest.raises(TransportError, match=r"192\.0\.2\.1:443: cannot be reached"):
            await stand.cache.current()
    assert stand.publisher.asked == 1

    stand.publisher.failure = None
    stand.later(10)
    assert kids(await stand.cache.current()) == ["first"]


@on_a_loop
async def test_kept_fresh_keys_are_there_before_anybody_asks() -> None:
    stand = Stand()
    asked = asyncio.Event()
    stand.publisher.held = asyncio.ensure_future(_told(asked))
    keeping = asyncio.create_task(stand.cache.run())
    await asked.wait()
    await stand.publisher.held
    stand.publisher.held = None

    assert kids(await stand.cache.current()) == ["first"]
    assert stand.publisher.asked == 1
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping


async def _told(event: asyncio.Event) -> None:
    event.set()


@on_a_loop
async def test_keys_of_another_life_serve_for_the_rest_of_their_time_and_are_asked_for_at_once() -> None:
    kept = await Stand().cache.current()
    for age, serves in ((4 * 3600.0 - 1, True), (4 * 3600.0, False)):
        stand = Stand()
        stand.publisher.failure = AWAY
        stand.cache.begin_by(kept, age)
        if serves:
            assert await stand.cache.current() is kept
        else:
            with pytest.raises(TransportError):
                await stand.cache.current()
        assert stand.publisher.asked == 1


@on_a_loop
async def test_a_provider_that_answers_takes_the_place_of_what_was_kept() -> None:
    kept = await Stand().cache.current()
    stand = Stand()
    stand.publisher.keys = [key("second")]
    stand.cache.begin_by(kept, 1.0)

    assert kids(await stand.cache.current()) == ["second"]
