"""One look, from here and now: run, report, and the exit code."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from leadglass import __version__, wiring
from leadglass.cli.ending import Look, exit_code, stop_on_signals
from leadglass.cli.output import destination
from leadglass.cli.progress import ProgressBar
from leadglass.cli.reading import called_as
from leadglass.cli.terminal import complain, shows_colour, width
from leadglass.model.record import ScanRecord, ScopeNote
from leadglass.model.rung import Rung
from leadglass.report.contract import Meta, ReportWriter, Tally
from leadglass.report.writer import writer
from leadglass.scan.run import Scan, Sink
from leadglass.scope.scope import Scope
from leadglass.wiring.scanning import engine_for, scan_of

__all__ = ["look", "meta_of"]


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
