"""The terminal: the only place that prints.

Colour and progress appear only on a terminal; in a pipe there is plain text.
"""

from __future__ import annotations

import io
import os
import shutil
import sys

__all__ = ["complain", "is_terminal", "shows_colour", "suit", "width", "write"]


def suit() -> None:
    """Make standard output take any text: a character that a terminal does not have is shown as ``?``.

    In a pipe on Windows it is UTF-8, as everywhere else, and not what the country's terminals once had.
    """
    stream = sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        if sys.platform == "win32" and not stream.isatty():
            stream.reconfigure(encoding="utf-8")
        stream.reconfigure(errors="replace")


def is_terminal(stderr: bool = False) -> bool:
    """Whether a person looks at this stream."""
    return (sys.stderr if stderr else sys.stdout).isatty()


def shows_colour() -> bool:
    """Whether standard output is a terminal, and nobody asked for none (NO_COLOR)."""
    return is_terminal() and not os.environ.get("NO_COLOR")


def width() -> int:
    """Columns of the terminal, 80 in a pipe."""
    return shutil.get_terminal_size().columns if is_terminal() else 80


def write(text: str) -> None:
    """Write to standard output exactly as given."""
    sys.stdout.write(text)
    sys.stdout.flush()


def complain(text: str) -> None:
    """One line to standard error."""
    sys.stderr.write(f"leadglass: {text}\n")
    sys.stderr.flush()
