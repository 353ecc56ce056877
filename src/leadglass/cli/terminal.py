"""The terminal: the only place that prints.

Colour and progress appear only on a terminal; in a pipe there is plain text.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys

from leadglass.errors import ResourceError
from leadglass.report.safe import visible

__all__ = ["complain", "is_terminal", "shows_colour", "suit", "width", "write"]


def suit() -> None:
    """Make standard output take any text: a character that a terminal does not have is shown as ``?``.

    In a pipe on Windows it is UTF-8, as everywhere else, and not what the country's terminals once had.
    """
    _stand_in()
    stream = sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        if sys.platform == "win32" and not stream.isatty():
            stream.reconfigure(encoding="utf-8")
        stream.reconfigure(errors="replace")


def _stand_in() -> None:
    """Put nothing in the place of a closed stream (``<&-``): else the next file opened would be taken for it."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8"))


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
    """Write to standard output exactly as given; ``ResourceError`` if it takes no more."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise ResourceError(f"nothing more can be written ({reason})", where="standard output") from exc


def complain(text: str) -> None:
    """One line to standard error, whatever the names in it hold; nobody is told where there is no room."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"leadglass: {visible(text)}\n")
        sys.stderr.flush()
