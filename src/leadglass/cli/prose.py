"""Paragraphs on the terminal, and the colours of severities."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping

from rich.text import Text

from leadglass.cli.console import console
from leadglass.cli.terminal import width
from leadglass.model.verdict import Severity
from leadglass.report.safe import visible

__all__ = ["STYLE", "print_lines", "wrapped"]

_WIDEST = 100
STYLE: Mapping[Severity, str] = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.NONE: "green",
}


def print_lines(lines: Iterable[Text], style: str = "") -> None:
    """Print them, each on a line of its own."""
    screen = console()
    for line in lines:
        screen.print(line, style=style, soft_wrap=True)


def wrapped(text: str, label: str = "", *, indent: int = 0) -> Iterator[Text]:
    """A paragraph as lines; ``label`` begins the first, the others are indented."""
    lines = textwrap.wrap(
        visible(text),
        min(width(), _WIDEST),
        initial_indent=label,
        subsequent_indent=" " * indent,
        break_on_hyphens=False,
    )
    return (Text(line) for line in lines)
