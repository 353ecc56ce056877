"""The one place that knows which form of a lint's report is written by what."""

from __future__ import annotations

from typing import TextIO, assert_never

from leadglass.report.lint_contract import LintReport
from leadglass.report.lint_forms import LintFormat
from leadglass.report.lint_github import lint_github
from leadglass.report.lint_json import lint_json
from leadglass.report.lint_junit import lint_junit
from leadglass.report.lint_sarif import lint_sarif
from leadglass.report.lint_text import lint_text

__all__ = ["write_lint"]


def write_lint(
    form: LintFormat, report: LintReport, stream: TextIO, *, width: int = 80, colour: bool = False
) -> None:
    """Write ``report`` in ``form``; ``width`` (columns) and ``colour`` (ANSI) matter to text only."""
    match form:
        case LintFormat.TEXT:
            lint_text(report, stream, width=width, colour=colour)
        case LintFormat.JSON:
            lint_json(report, stream)
        case LintFormat.SARIF:
            lint_sarif(report, stream)
        case LintFormat.JUNIT:
            lint_junit(report, stream)
        case LintFormat.GITHUB:
            lint_github(report, stream)
        case _:
            assert_never(form)
