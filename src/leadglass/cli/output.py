"""Where a report goes: standard output, or a file that appears whole or not at all.

A report is a list of targets, so its file is readable by its owner only. It is written beside its
destination and renamed at the end: a full disk leaves no half-written report behind.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from leadglass.errors import ResourceError

__all__ = ["create", "destination", "save"]


@contextlib.contextmanager
def destination(path: Path | None) -> Iterator[TextIO]:
    """A text stream to ``path``, or to standard output; ``ResourceError`` if it cannot be written."""
    if path is None:
        with _to_stdout() as stream:
            yield stream
        return
    try:
        with _open(path) as stream:
            yield stream
    except OSError as exc:
        raise _unwritable(str(path), exc) from exc


def save(path: Path, data: bytes) -> None:
    """Write ``data`` to a file that appears whole or not at all; ``ResourceError`` if that cannot be."""
    with destination(path) as stream:
        stream.buffer.write(data)


def create(path: Path, text: str) -> None:
    """Write a file that is new, whole or not at all; only its owner may read it, because it lists targets.

    ``ResourceError`` if it cannot be written, or is there already.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.write(text)
        except BaseException:
            path.unlink()
            raise
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise ResourceError(f"cannot be written ({reason})", where=str(path)) from exc


@contextlib.contextmanager
def _to_stdout() -> Iterator[TextIO]:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="replace", newline="")
    try:
        yield sys.stdout
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as exc:
        raise _unwritable("standard output", exc) from exc


@contextlib.contextmanager
def _open(path: Path) -> Iterator[TextIO]:
    if path.exists() and not path.is_file():
        # A device or a pipe is written to, never replaced.
        with path.open("w", encoding="utf-8", newline="") as stream:
            yield stream
        return
    part = path.with_name(f".{path.name}.part")
    try:
        with _create(part) as stream:
            yield stream
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _create(path: Path) -> TextIO:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return os.fdopen(descriptor, "w", encoding="utf-8", newline="")


def _unwritable(where: str, exc: OSError) -> ResourceError:
    reason = (exc.strerror or str(exc)).lower()
    return ResourceError(
        f"the report cannot be written ({reason})", where=where, then="choose another --output and look again"
    )
