"""How a look ends: on a signal or by itself, with which report and which exit code."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from leadglass.cli import INTERRUPTED
from leadglass.cli.codes import EXPOSED, UNFINISHED
from leadglass.cli.terminal import complain
from leadglass.errors import UsageError
from leadglass.model.rung import Rung
from leadglass.model.verdict import Severity
from leadglass.report.contract import Summary
from leadglass.report.forms import Format

__all__ = [
    "EXPOSED",
    "UNFINISHED",
    "Look",
    "Signals",
    "exit_code",
    "rung_option",
    "stop_on_signals",
]


@dataclass(frozen=True, slots=True)
class Look:
    """How one look is reported."""

    form: Format
    output: Path | None
    fail_on: Severity


def exit_code(summary: Summary, fail_on: Severity, *, interrupted: bool = False, denied: bool = False) -> int:
    """1 something exposed, 130 interrupted, 3 undecided or not permitted, 0 all decided and nothing exposed."""
    if any(severity.rank <= fail_on.rank and count for severity, count in summary.severity.items()):
        return EXPOSED
    if interrupted:
        return INTERRUPTED
    if summary.undecided or denied or summary.skipped:
        complain(_what_is_open(summary))
        return UNFINISHED
    return 0


def rung_option(word: str | None) -> Rung | None:
    """The rung that ``--deepest`` names; ``passive`` is none, because nothing is asked there."""
    if word is None:
        return None
    try:
        rung = Rung.from_word(word)
    except ValueError as exc:
        raise UsageError(str(exc), where="--deepest") from exc
    if rung is Rung.PASSIVE:
        then = "name connect or a deeper one; leadglass import keeps what others saw"
        raise UsageError("passive sends nothing to anybody", where="--deepest", then=then)
    return rung


def _what_is_open(summary: Summary) -> str:
    parts = [f"{summary.undecided} undecided"] if summary.undecided else []
    parts += [f"{count} not looked at ({reason})" for reason, count in summary.denied.items()]
    parts += [f"left out: {reason}" for reason in summary.skipped]
    return "; ".join(parts)


class Signals:
    """Ctrl-C and SIGTERM, turned into a request to end; true once one came."""

    def __init__(self) -> None:
        self._came = False
        self._stop: Callable[[], None] | None = None

    def __bool__(self) -> bool:
        return self._came

    def tell(self, stop: Callable[[], None]) -> None:
        """Call ``stop`` when a signal comes, or now if one came already."""
        self._stop = stop
        if self._came:
            stop()

    def came(self) -> None:
        """One came; a second one means at once."""
        if self._came:
            raise KeyboardInterrupt
        self._came = True
        if self._stop is not None:
            self._stop()


@contextmanager
def stop_on_signals() -> Iterator[Signals]:
    """Ctrl-C and SIGTERM end a scan properly: goodbyes are said, records are complete."""
    signals = Signals()
    before = {
        number: signal.signal(number, lambda *_: signals.came()) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
