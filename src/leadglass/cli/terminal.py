"""The terminal: the only place that prints.

Colour and progress appear only on a terminal; in a pipe there is plain text.
"""

from __future__ import annotations

import sys

from rich.console import Console

__all__ = ["complain", "console", "is_terminal", "shows_colour", "width", "write"]


def console(stderr: bool = False) -> Console:
    """A rich console on standard output or standard error; rich finds out about colour itself."""
    return Console(stderr=stderr, highlight=False, soft_wrap=not is_terminal(stderr))


def is_terminal(stderr: bool = False) -> bool:
    """Whether a person looks at this stream."""
    return (sys.stderr if stderr else sys.stdout).isatty()


def shows_colour() -> bool:
    """Whether standard output is a terminal, and nobody asked for none (NO_COLOR)."""
    return is_terminal() and not console().no_color


def width() -> int:
    """Columns of the terminal, 80 in a pipe."""
    return console().width if is_terminal() else 80


def write(text: str) -> None:
    """Write to standard output exactly as given."""
    sys.stdout.write(text)
    sys.stdout.flush()


def complain(text: str) -> None:
    """One line to standard error."""
    sys.stderr.write(f"leadglass: {text}\n")
    sys.stderr.flush()
