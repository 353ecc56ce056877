"""The files of a guard: written whole or not at all, and keys for their owner alone."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from leadglass.errors import ConfigError, ResourceError, UsageError

__all__ = ["put", "read_file", "remove", "staged"]

_SECRET, _PUBLIC, _FOLDER = 0o600, 0o644, 0o700
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL


def read_file(path: Path) -> bytes:
    """What stands in a file; ``ConfigError`` if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as exc:
        raise ConfigError(f"the file cannot be read ({_why(exc)})", where=str(path)) from exc


def put(path: Path, content: bytes, *, secret: bool = False) -> None:
    """Write a file, or replace it at once by one that is whole; ``ResourceError`` if that cannot be."""
    part = _beside(path)
    with _told(path):
        try:
            _write(part, content, _SECRET if secret else _PUBLIC)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def remove(folder: Path) -> None:
    """Remove a folder with all that is in it, as far as that can be done."""
    shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def staged(folder: Path, files: Mapping[str, bytes], secrets: frozenset[str]) -> Iterator[Path]:
    """A folder with ``files`` that stands beside ``folder`` within the block, and takes its place at the end.

    If the block raises, everything is as it was. Those of ``secrets`` are for their owner alone.
    """
    part = _beside(folder)
    with _told(folder):
        folder.parent.mkdir(mode=_FOLDER, parents=True, exist_ok=True)
        part.mkdir(mode=_FOLDER)
    try:
        with _told(folder):
            for name, content in files.items():
                _write(part / name, content, _SECRET if name in secrets else _PUBLIC)
        yield part
        with _told(folder):
            _swap(part, folder)
    finally:
        remove(part)


def _beside(path: Path) -> Path:
    """Where the new one stands until it is whole; two who write the same do not meet there."""
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def _swap(part: Path, folder: Path) -> None:
    if not folder.exists():
        part.rename(folder)
        return
    if not folder.is_dir():
        raise UsageError("this is no folder", where=str(folder))
    if not any(folder.iterdir()):  # kept, for somebody may stand in it
        for child in part.iterdir():
            child.rename(folder / child.name)
        return
    old = part.with_suffix(".old")
    folder.rename(old)
    part.rename(folder)
    remove(old)


def _write(path: Path, content: bytes, mode: int) -> None:
    """A new file that has reached the disk: a certificate on the roll without its key would be lost."""
    with os.fdopen(os.open(path, _FLAGS, mode), "wb") as stream:
        if sys.platform != "win32":
            os.fchmod(stream.fileno(), mode)  # whatever the umask was
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise ResourceError(f"cannot be written ({_why(exc)})", where=str(path)) from exc


def _why(exc: OSError) -> str:
    return (exc.strerror or str(exc)).lower()
