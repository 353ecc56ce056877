"""``leadglass lint --fix``: shows what would change, asks, and changes it."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import typer

from leadglass.cli import INTERRUPTED
from leadglass.cli.terminal import complain
from leadglass.configs.fixing import fixed
from leadglass.configs.lint import Linted
from leadglass.errors import UsageError
from leadglass.model.finding import Finding
from leadglass.report.lint_contract import LintReport
from leadglass.report.lint_diff import diff_lines
from leadglass.wiring.lint_baseline import Baseline
from leadglass.wiring.lint_fix import write_fixed
from leadglass.wiring.linting import Looked, relint

__all__ = ["fix_files"]


def fix_files(looked: Looked, report: LintReport, risks: Baseline, *, sure: bool) -> bool:
    """Close what fails and can be closed by an edit; whether any file was changed.

    ``UsageError`` if there is something to change, nobody to ask, and it is not ``sure``.
    """

    def wanted(linted: Linted) -> list[Finding]:
        counting = risks.weigh(linted.findings).open
        return [one for one in counting if one.severity.rank <= report.fail_on.rank]

    texts = fixed(looked.linted, wanted, lambda new: relint(looked, new).linted)
    if not texts:
        if report.failing:
            complain("nothing that was found can be closed by an edit; the report says what to do")
        return False
    before = {reading.source.path: reading.source.text for reading in looked.linted.readings}
    _show(before, texts)
    if not (sure or _agreed(len(texts))):
        return False
    for path, text in texts.items():
        write_fixed(path, before[path], text)
        complain(f"{path}: changed")
    return True


def _show(before: Mapping[str, str], texts: Mapping[str, str]) -> None:
    """The differences, where questions are asked, so that the report stays alone on standard output."""
    for path, text in texts.items():
        for line in diff_lines(path, before[path], text):
            sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _agreed(files: int) -> bool:
    if not sys.stdin.isatty():
        raise UsageError(
            "nobody is here to be asked, and nothing was changed", where="--fix", then="give --yes"
        )
    what = "this file" if files == 1 else f"these {files:,} files"
    try:
        return typer.confirm(f"Change {what}?", err=True)
    except typer.Abort as exc:
        raise typer.Exit(INTERRUPTED) from exc
