"""``leadglass demo``: the lab scanned, each verdict explained and compared with the lab's known truth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.text import Text

from leadglass import wiring
from leadglass.cli import INTERRUPTED
from leadglass.cli.console import console
from leadglass.cli.demo_lock import lock_one
from leadglass.cli.ending import UNFINISHED, stop_on_signals
from leadglass.cli.looking import meta_of
from leadglass.cli.output import destination
from leadglass.cli.progress import ProgressBar
from leadglass.cli.prose import STYLE, print_lines, wrapped
from leadglass.lab.fiction import Stems
from leadglass.lab.personas import Persona, Service
from leadglass.lab.serve import Lab
from leadglass.model.record import ScanRecord
from leadglass.model.rung import Rung
from leadglass.model.verdict import Access
from leadglass.report import say, words
from leadglass.report.contract import Meta, Tally
from leadglass.report.gather import by_host
from leadglass.report.writer import Format, writer
from leadglass.scan.run import Sink
from leadglass.scope.parse import parse
from leadglass.wiring.lab import running_lab
from leadglass.wiring.scanning import engine_for, scan_of

__all__ = ["demo"]

_RUNG = Rung.BLANK_QUERY
_LINE = "{:21}  {:17}  {:19}  {:8}  {}"
_LABEL = 25
_TELLING = ("query.", "web-query.", "web-api.", "tls.", "nature.tell")
"""Rules about what a server answered, not about how it introduced itself."""
_INTRODUCTION = (
    "This is a lab of {hosts} servers on this machine, open and guarded, trapped and broken, and what each "
    "of them is, is known. Leadglass knows only their addresses and asks them what a stranger would find out, "
    "as deep as one query that can match nothing. Nothing leaves this machine, and all patients are made up."
)
_NEXT = """\
leadglass check HOST         a quick look at a server of your own
leadglass scope new          write down what may be asked, and how deep
leadglass scan --scope FILE  look at all that it permits, and report it
leadglass explain RECORDS    why a record says what it says
leadglass lab                keep these servers running, to try tools on them
"""


class _Seen(NamedTuple):
    """One verdict, beside what it is about."""

    record: ScanRecord
    persona: Persona
    service: Service

    @property
    def differences(self) -> tuple[str, ...]:
        """Where the verdict differs from the truth, in words."""
        record, kind = self.record, say.likeliest(self.record)
        states = {name.replace("-", "_"): state for name, state in say.capabilities(record).items()}
        found = self.service.truth.differences(_RUNG, record.access, states)
        if record.nature_settled and kind is not self.persona.kind:
            found += (f"it is taken for {kind}, the truth is {self.persona.kind}",)
        return found


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What the scan of the lab gave."""

    records: tuple[ScanRecord, ...]
    meta: Meta
    tally: Tally
    seconds: float
    interrupted: bool


def demo(
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the whole report to this file, as HTML.")
    ] = None,
) -> None:
    """Scan a lab of servers on this machine, explain each verdict, and set a lock before one.

    Takes about twenty seconds and sends nothing to any other machine. Exit code 0: the verdicts agree
    with the lab's known truth; what they find exposed is no failure here. 3: one does not.

    Example: leadglass demo --output report.html
    """
    with running_lab() as lab:
        _introduce(lab)
        outcome = _scan(lab)
        if outcome.interrupted:
            raise typer.Exit(INTERRUPTED)
        seen = _compared(lab, outcome.records)
        missing = sum(len(running.ports) for running in lab.servers) - len(seen)
        leaks = _leaks(lab.canaries.stems, outcome.records)
        _table(seen)
        _explain(seen)
        _hosts(outcome.records)
        _conclude(outcome, seen, missing, leaks)
        closed = lock_one(seen[0].record)
    if output is not None:
        _write_html(output, outcome)
    _advise(output)
    if missing or leaks or not closed or any(verdict.differences for verdict in seen):
        raise typer.Exit(UNFINISHED)


# ---- looking


class _Collecting(Sink):
    """Keeps the records: a lab is small."""

    def __init__(self, bar: ProgressBar, tally: Tally) -> None:
        self._bar = bar
        self._tally = tally
        self.records: list[ScanRecord] = []

    def record(self, record: ScanRecord) -> None:
        self.records.append(record)
        self._tally.add(record)
        self._bar.advance()

    def denied(self, reason: str) -> None:
        self._tally.denied(reason)


def _scan(lab: Lab) -> _Outcome:
    """The lab as a stranger sees it, with the machinery that scans anything else."""
    clock = wiring.clock()
    scope = parse(lab.scope_text(), filename="the lab's scope", moment=clock.posix())
    scan, engine, tally, began = scan_of(scope, _RUNG), engine_for(scope), Tally(), clock.monotonic()
    meta = meta_of(scan, scope)
    with stop_on_signals() as signals, ProgressBar(scope.count()) as bar:
        signals.tell(engine.stop)
        sink = _Collecting(bar, tally)
        scan.run(engine, clock, sink)
    seconds = clock.monotonic() - began
    return _Outcome(tuple(sink.records), meta, tally, seconds, interrupted=bool(signals))


def _compared(lab: Lab, records: Iterable[ScanRecord]) -> list[_Seen]:
    """Each record beside the persona it is about, in the lab's order."""
    homes = {
        (running.address, port): (order, running.persona, service)
        for order, running in enumerate(lab.servers)
        for port, service in running.services
    }
    found = [(*homes[record.endpoint.address, record.endpoint.port], record) for record in records]
    found.sort(key=lambda entry: (entry[0], entry[3].endpoint.port))
    return [_Seen(record, persona, service) for _, persona, service, record in found]


def _leaks(stems: Stems, records: Iterable[ScanRecord]) -> int:
    """Records that hold a trace of a made-up patient."""
    return sum(any(stem in record.line().lower() for stem in stems) for record in records)


def _write_html(path: Path, outcome: _Outcome) -> None:
    with destination(path) as stream:
        report = writer(Format.HTML, stream)
        report.begin(outcome.meta)
        for record in outcome.records:
            report.add(record)
        report.end(outcome.tally.summary(finished=True))


# ---- telling


def _introduce(lab: Lab) -> None:
    screen = console()
    screen.print(Text("Leadglass demo", style="bold"))
    print_lines(wrapped(_INTRODUCTION.format(hosts=len(lab.servers))))
    screen.print()


def _table(seen: Sequence[_Seen]) -> None:
    screen = console()
    screen.print(Text(_LINE.format("SERVER", "WHERE", "VERDICT", "SEVERITY", "TRUTH"), style="bold"))
    last = ""
    for verdict in seen:
        record, name = verdict.record, verdict.persona.name
        shown = "" if name == last else name
        last = name
        truth = "differs" if verdict.differences else "agrees"
        line = Text(_LINE.format(shown, str(record.endpoint), record.access, record.severity, truth))
        line.highlight_regex(rf"{record.severity}(?=\s+\w+$)", STYLE[record.severity])
        screen.print(line)


def _explain(seen: Sequence[_Seen]) -> None:
    """Grouped by verdict, the worst first: what the word means, what to do, then each server in short."""
    screen = console()
    told: dict[str, str] = {}
    for access in Access:
        group = [verdict for verdict in seen if verdict.record.access is access]
        if not group:
            continue
        screen.print()
        screen.print(Text(f"{access}: a stranger {words.ACCESS[access].brief}", style="bold"))
        print_lines(wrapped(words.ACCESS[access].full))
        if advice := _advice(group):
            print_lines(wrapped(f"What to do: {advice}"))
        for verdict in group:
            print_lines(_paragraph(verdict, told))


def _advice(group: Sequence[_Seen]) -> str | None:
    """The first advice that holds for all of them."""
    common = set(group[0].record.advice).intersection(*(verdict.record.advice for verdict in group))
    return next((advice for advice in group[0].record.advice if advice in common), None)


def _paragraph(verdict: _Seen, told: dict[str, str]) -> Iterator[Text]:
    """The story, which the scanner was not told, then what it saw. Nothing is ``told`` twice: text, by whom."""
    name, port = verdict.persona.name, verdict.record.endpoint.port
    label, indent = f"  {name}".ljust(_LABEL), " " * _LABEL
    if verdict.persona.story not in told:
        told[verdict.persona.story] = name
        yield from wrapped(verdict.persona.story, label, indent=_LABEL)
        label = indent
    telling = _telling(verdict.record)
    text = f"the same as at {told[telling]}." if telling in told else telling
    told.setdefault(telling, name)
    where = f" on port {port}" if len(verdict.persona.services) > 1 else ""
    yield from wrapped(f"Seen{where}: {text}", label, indent=_LABEL)
    for difference in verdict.differences:
        yield from wrapped(f"WRONG: {difference}.", indent, indent=_LABEL)


def _telling(record: ScanRecord) -> str:
    """The reasons that tell most of this server: those of its answers, or the one for the access word."""
    reasons = record.why()
    telling = [reason.text for reason in reasons if reason.rule.startswith(_TELLING)]
    first, *others = telling or [reasons[0].text]
    return ". ".join([first, *(text[:1].upper() + text[1:] for text in others)]) + "."


def _hosts(records: Sequence[ScanRecord]) -> None:
    """Hosts with several endpoints: each is as bad as its worst. Not where all servers share one address."""
    hosts, screen = by_host(records), console()
    if len(hosts) == 1:
        return
    screen.print()
    screen.print(Text("Hosts with several ports: as bad as the worst of them", style="bold"))
    for host in hosts:
        if len(host.records) > 1:
            print_lines(wrapped(say.host_verdict(host), f"  {host.address}".ljust(_LABEL), indent=_LABEL))


def _conclude(outcome: _Outcome, seen: Sequence[_Seen], missing: int, leaks: int) -> None:
    agree = sum(not verdict.differences for verdict in seen)
    total = len(seen) + missing
    console().print()
    print_lines(
        wrapped(
            f"{agree} of {total} verdicts agree with the lab's known truth, after {outcome.seconds:.0f} seconds."
        ),
        style="bold" if agree == total else "bold red",
    )
    traces = (
        "None of the made-up patients left a trace in what was recorded."
        if not leaks
        else f"Made-up patients left traces in {say.count(leaks, 'record')}: that is a mistake of ours."
    )
    print_lines(wrapped(f"{say.promise({_RUNG.word})} {traces}"))


def _advise(output: Path | None) -> None:
    screen = console()
    screen.print()
    if output is not None:
        screen.print(Text(f"The whole report is in {output}."), soft_wrap=True)
        screen.print()
    screen.print(Text("What next", style="bold"))
    screen.print(Text(_NEXT.rstrip()), soft_wrap=True)
