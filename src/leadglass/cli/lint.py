"""``leadglass lint``: what configuration files expose, why, and the fix."""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from leadglass import __version__
from leadglass.cli.asking import ask, words
from leadglass.cli.codes import EXPOSED, UNFINISHED
from leadglass.cli.lint_fixing import fix_files
from leadglass.cli.output import destination
from leadglass.cli.terminal import complain, shows_colour, width, write
from leadglass.configs.source import LARGEST
from leadglass.errors import ConfigError, UsageError
from leadglass.model.verdict import Severity
from leadglass.report.lint_contract import LintReport
from leadglass.report.lint_forms import LintFormat
from leadglass.report.lint_writer import write_lint
from leadglass.report.safe import visible
from leadglass.wiring.lint_baseline import Baseline, today
from leadglass.wiring.linting import Looked, lint_files

__all__ = ["lint"]

_BROKEN = ConfigError.exit_code
_TOLD = 10
"""Files that cannot be read and are named on standard error; the report names all."""


@dataclass(frozen=True, slots=True)
class _Acceptance:
    """What ``--write-baseline`` writes."""

    file: Path
    owner: str | None
    reason: str | None
    expires: str | None


def lint(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH...", help="Files and folders. Files are told by what they hold."),
    ] = None,
    stdin: Annotated[bool, typer.Option("--stdin", help="Read a file from standard input too.")] = False,
    fix: Annotated[
        bool, typer.Option("--fix", help="Change the files so that what fails is closed; shows it first.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --fix: do not ask.")] = False,
    form: Annotated[LintFormat, typer.Option("--format", help="How to report.")] = LintFormat.TEXT,
    output: Annotated[Path | None, typer.Option(help="Write the report to this file.")] = None,
    fail_on: Annotated[Severity, typer.Option(help="Exit 1 from this severity on.")] = Severity.MEDIUM,
    baseline: Annotated[
        Path | None, typer.Option(help="Findings that somebody answers for, as TOML.")
    ] = None,
    write_baseline: Annotated[
        Path | None, typer.Option(help="Accept what fails now: write it into this baseline.")
    ] = None,
    owner: Annotated[str | None, typer.Option(help="With --write-baseline: who answers for it.")] = None,
    reason: Annotated[str | None, typer.Option(help="With --write-baseline: why.")] = None,
    expires: Annotated[
        str | None, typer.Option(metavar="DATE", help="With --write-baseline: the last day, as 2027-01-31.")
    ] = None,
) -> None:
    """What configuration files of imaging servers expose, why, how sure, and the fix.

    Orthanc, DCMTK, dcm4chee, Conquest; Docker Compose and Kubernetes; nginx and Apache in front.
    Files that belong together are judged together, so name the folder that holds them all.

    Example: leadglass lint deploy/ --format sarif --output lint.sarif
    """
    names = [str(path) for path in paths or ()]
    _check(names, stdin=stdin, fix=fix)
    risks = _baseline(baseline)
    looked = lint_files(names, _standard_input() if stdin else None)
    report = _report(looked, risks, fail_on)
    if fix and fix_files(looked, report, risks, sure=yes):
        report = _report(lint_files(names), risks, fail_on)
    with destination(output) as stream:
        write_lint(form, report, stream, width=width(), colour=output is None and shows_colour())
    _say(report)
    if write_baseline is not None:
        _accept(report, baseline, _Acceptance(write_baseline, owner, reason, expires))
        raise typer.Exit
    raise typer.Exit(_exit_code(report))


def _check(names: list[str], *, stdin: bool, fix: bool) -> None:
    if not names and not stdin:
        raise UsageError("nothing to lint", then="name files or folders, or give --stdin")
    if fix and stdin:
        raise UsageError("--fix changes files, and standard input is none", then="name the file")


def _standard_input() -> bytes:
    return sys.stdin.buffer.read(LARGEST + 1)


def _baseline(path: Path | None) -> Baseline:
    """The risks that are accepted; none without a file."""
    risks = Baseline(path or Path("baseline"))
    if path is not None:
        risks.read()
    return risks


def _report(looked: Looked, risks: Baseline, fail_on: Severity) -> LintReport:
    return LintReport(
        linted=looked.linted,
        weighed=risks.weigh(looked.linted.findings),
        fail_on=fail_on,
        tool_version=__version__,
        skipped=looked.skipped,
        named=looked.named,
    )


def _say(report: LintReport) -> None:
    """What must not be overlooked, on standard error."""
    broken = report.linted.broken
    for one in broken[:_TOLD]:
        complain(visible(one.why))
    if len(broken) > _TOLD:
        complain(f"{len(broken) - _TOLD:,} more files cannot be read; the report names them")
    for finding, risk in report.weighed.expired:
        said = f"{finding.place}: {finding.rule} counts again: {risk.owner} accepted it until {risk.expires}"
        complain(visible(said))
    for risk in report.weighed.unused:
        complain(visible(f"baseline: {risk.rule} in {risk.path} is not found any more; remove it"))
    if report.undecided:
        complain(visible(f"of no known kind: {', '.join(report.undecided)}"))
    elif not report.linted.readings and not broken:
        complain("no configuration of a kind that is known was found")


def _exit_code(report: LintReport) -> int:
    if report.failing:
        return EXPOSED
    if report.linted.broken:
        return _BROKEN
    return UNFINISHED if report.undecided or not report.linted.readings else 0


# ---- --write-baseline


def _accept(report: LintReport, known: Path | None, acceptance: _Acceptance) -> None:
    """Write what fails into a baseline, beside what is in it if that was read."""
    file = acceptance.file
    if file.exists() and (known is None or file.resolve() != known.resolve()):
        raise UsageError(
            "there is a baseline already", where=str(file), then=f"to add to it, give --baseline {file} too"
        )
    owner = ask(acceptance.owner, "--owner", "Who answers for it", words)
    reason = ask(acceptance.reason, "--reason", "Why is it accepted", words)
    expires = ask(acceptance.expires, "--expires", "Until which day (2027-01-31)", _day)
    into = Baseline(file)
    if known is not None:
        into.read()
    total = into.write(report.failing, owner, reason, expires)
    write(f"{total:,} accepted in {file}\n")


def _day(text: str) -> dt.date:
    """A day to come; ``ValueError`` for anything else."""
    day = dt.date.fromisoformat(text)
    if day < today():
        raise ValueError(f"{day} is over")
    return day
