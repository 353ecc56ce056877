from __future__ import annotations

from leadglass.lab.session import WAIT, Act, End, SlowSession


class Parrot:
    """Repeats what it hears; goes when it hears ``bye``; says ``?`` after ten seconds of silence."""

    def connected(self, now: float) -> Act:
        return Act(b"hello", now + 10)

    def received(self, data: bytes, now: float) -> Act:
        return Act(data, now + 10, End.CLOSE if data == b"bye" else End.OPEN)

    def woken(self, now: float) -> Act:
        return Act(b"?", now + 10)


def test_everything_comes_later() -> None:
    slow = SlowSession(Parrot(), 2.0)

    assert slow.connected(0.0) == Act(b"", 2.0)
    assert slow.woken(2.0) == Act(b"hello", 10.0)
    assert slow.received(b"a", 3.0) == Act(b"", 5.0)
    assert slow.received(b"bye", 4.0) == Act(b"", 5.0)
    assert slow.woken(5.0).send == b"a"
    assert slow.woken(6.0) == Act(b"bye", 14.0, End.CLOSE)


def test_the_inner_time_is_kept_too() -> None:
    slow = SlowSession(Parrot(), 2.0)
    slow.connected(0.0)
    slow.woken(2.0)

    assert slow.woken(10.0) == Act(b"", 12.0)
    assert slow.woken(12.0) == Act(b"?", 20.0)


def test_who_has_nothing_to_do_waits_for_nothing() -> None:
    class Silent(Parrot):
        def connected(self, now: float) -> Act:
            return WAIT

    assert SlowSession(Silent(), 1.0).connected(0.0) == WAIT
