"""A process that asks is told how fast, for how long; when nobody speaks up, it opens nothing more."""

from __future__ import annotations

import queue
from collections.abc import Callable

from leadglass.scan.messages import Message, Stop, Turn
from leadglass.wiring.member import obey


class Clock:
    """Monotonic seconds, moved by whoever listens."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def posix(self) -> float:
        return self.now


def obeyed(*messages: Message, then: Callable[[Clock], None] = lambda _: None) -> list[Message]:
    """What is passed on of ``messages``; ``then`` happens when the first of them has been."""
    clock = Clock()
    heard: queue.SimpleQueue[Message] = queue.SimpleQueue()
    passed: list[Message] = []

    def order(message: Message) -> None:
        passed.append(message)
        if len(passed) == 1:
            then(clock)
        if message == Turn(0.0, 0.0):
            heard.put(Stop())

    for message in messages:
        heard.put(message)
    obey(order, heard, clock)
    return passed


def test_orders_are_passed_on_until_the_last() -> None:
    assert obeyed(Turn(5.0, 12.0), Turn(3.0, 15.0), Stop(), Turn(9.0, 99.0)) == [
        Turn(5.0, 12.0),
        Turn(3.0, 15.0),
        Stop(),
    ]


def test_when_the_time_of_a_turn_is_over_nothing_more_is_opened() -> None:
    def sleep(clock: Clock) -> None:
        clock.now = 12.0

    assert obeyed(Turn(5.0, 12.0), then=sleep) == [Turn(5.0, 12.0), Turn(0.0, 0.0), Stop()]
