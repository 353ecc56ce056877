"""What ``check`` and ``scan`` share: run, report, and the exit code."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from leadglass import __version__, wiring
from leadglass.cli import INTERRUPTED
from leadglass.cli.output import destination
from leadglass.cli.progress import ProgressBar
from leadglass.cli.reading import called_as
from leadglass.cli.terminal import complain, shows_colour, width
from leadglass.errors import UsageError
from leadglass.model.record import ScanRecord, ScopeNote
from leadglass.model.rung import Rung
from leadglass.model.verdict import Severity
from leadglass.report.contract import Meta, ReportWriter, Summary, Tally
from leadglass.report.writer import Format, writer
from leadglass.scan.run import Scan, Sink
from leadglass.scope.scope import Scope
from leadglass.wiring.scanning import engine_for, scan_of

__all__ = [
    "EXPOSED",
    "UNFINISHED",
    "Look",
    "Signals",
    "exit_code",
    "look",
    "meta_of",
    "rung_option",
    "stop_on_signals",
]

EXPOSED = 1
UNFINISHED = 3


@dataclass(frozen=True, slots=True)
class Look:
    """How one look is reported."""

    form: Format
    output: Path | None
    fail_on: Severity


class _Reporting(Sink):
    """Hands records to the report, counts them, and moves the bar."""

    def __init__(self, report: ReportWriter, tally: Tally, bar: ProgressBar) -> None:
        self._report = report
        self._tally = tally
        self._bar = bar
        self.denied_any = False

    def record(self, record: ScanRecord) -> None:
        self._report.add(record)
        self._tally.add(record)
        self._bar.advance()

    def denied(self, reason: str) -> None:
        self.denied_any = True
        self._tally.denied(reason.partition(": ")[2] or reason)
        self._bar.advance()


def look(
    scope: Scope, how: Look, *, deepest: Rung | None = None, targets: Iterable[tuple[str, int]] | None = None
) -> int:
    """Scan ``scope`` (or the ``targets`` within it), write the report, return the exit code."""
    scan = scan_of(scope, deepest)
    engine = engine_for(scope)
    tally = Tally()
    for refusal in scope.refused:
        tally.skipped(str(refusal))
        complain(f"left out: {refusal}")
    total = scope.count() if targets is None else len(targets := list(targets))
    with destination(how.output) as stream, stop_on_signals() as signals:
        signals.tell(engine.stop)
        colour = how.output is None and shows_colour()
        report = writer(how.form, stream, width=width(), colour=colour)
        report.begin(meta_of(scan, scope))
        with ProgressBar(total) as bar:
            sink = _Reporting(report, tally, bar)
            scan.run(engine, wiring.clock(), sink, targets)
        summary = tally.summary(finished=not signals, ended=_now())
        report.end(summary)
    return exit_code(summary, how.fail_on, interrupted=bool(signals), denied=sink.denied_any)


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
    """The rung that ``--deepest`` names."""
    if word is None:
        return None
    try:
        return Rung.from_word(word)
    except ValueError as exc:
        raise UsageError(str(exc), where="--deepest") from exc


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


def meta_of(scan: Scan, scope: Scope) -> Meta:
    """What the head of a report says of a scan that begins now."""
    authorisation = scope.authorisation
    note = ScopeNote(
        name=scope.name,
        basis=authorisation.basis.value,
        granted_by=authorisation.granted_by,
        reference=authorisation.reference,
    )
    return Meta(
        scan=scan.id,
        started=_now(),
        tool_version=__version__,
        command=called_as(),
        position=scope.position,
        scope=note,
    )


def _now() -> datetime:
    return datetime.fromtimestamp(wiring.clock().posix(), UTC)
