"""Finds the files that a lint is given, and opens them: nothing outside, no device, no end without a limit.

A symbolic link in a folder is never followed, wherever it leads: what it leads to inside of the folder
is read there. A path that the user names may be one.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from leadglass.configs.lint import Broken, Unknown, promises
from leadglass.configs.source import LARGEST, Source, decoded
from leadglass.errors import ConfigError

__all__ = ["DEEPEST", "MOST", "File", "Found", "find", "opened"]

MOST = 100_000
"""Files in one lint."""
DEEPEST = 32
"""Folders within folders."""

_SKIPPED = frozenset({".git", ".hg", ".svn", "node_modules", "__pycache__", ".venv"})
"""Folders of other programs, in which nobody keeps a server's configuration."""
_TEXT_MARKS = (b"\xff\xfe", b"\xfe\xff")
_HEAD = 4096
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
"""Windows knows none of the three, and has no pipes and terminals among its files."""
_JUNCTION = 0xA0000003
"""IO_REPARSE_TAG_MOUNT_POINT: a folder of Windows that leads elsewhere, and does not count as a link."""


@dataclass(frozen=True, slots=True)
class File:
    """A file to be read."""

    path: str
    """As the user knows it."""
    root: str
    """The folder that was given, or that a file that was given lies in: nothing outside is read for it."""
    is_named: bool
    """The user named it, and wants to hear what it is."""


@dataclass(slots=True)
class Found:
    """What there is."""

    files: list[File] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    """Path and reason of what was not opened."""
    broken: list[Broken] = field(default_factory=list)


def find(paths: Sequence[str]) -> Found:
    """All files of the paths, each once, in order; ``ConfigError`` for a path that is not there, or too many."""
    found = Found()
    known: set[str] = set()
    for path in paths:
        for file in _under(path, found):
            place = os.path.abspath(file.path)  # noqa: PTH100  # Path.absolute() keeps ..
            if place not in known:
                known.add(place)
                found.files.append(file)
            if len(found.files) > MOST:
                raise ConfigError(
                    f"more than {MOST:,} files", where=path, then="name the folders that hold configurations"
                )
    return found


def opened(file: File) -> Source | Broken | Unknown:
    """The text of a file."""
    try:
        raw = _content(file.path, follow=file.is_named)
        if not file.is_named and _is_of_others(file.path, raw):
            return Unknown(file.path)
        return decoded(file.path, raw)
    except ConfigError as exc:
        return Broken(file.path, str(exc))
    except OSError as exc:
        return Broken(file.path, f"{file.path}: cannot be read ({_why(exc)})")


def _under(path: str, found: Found) -> Iterator[File]:
    """The files of one path that the user named."""
    try:
        mode = Path(path).stat().st_mode
    except (OSError, ValueError) as exc:
        raise ConfigError(f"cannot be read ({_why(exc)})", where=path) from exc
    if stat.S_ISDIR(mode):
        yield from _walked(path, found)
    elif stat.S_ISREG(mode):
        yield File(_slashed(path), str(Path(path).parent), is_named=True)
    else:
        raise ConfigError("this is no file and no folder, and was not opened", where=path)


def _walked(root: str, found: Found) -> Iterator[File]:
    """The files under a folder, sorted, without recursion."""
    waiting = [(root, 0)]
    while waiting:
        folder, depth = waiting.pop()
        if depth > DEEPEST:
            found.skipped.append((folder, f"more than {DEEPEST} folders deep"))
            continue
        inner = []
        for entry in _entries(folder, found):
            if entry.is_dir(follow_symlinks=False) and not _is_junction(entry):
                if entry.name not in _SKIPPED:
                    inner.append((entry.path, depth + 1))
            elif entry.is_file(follow_symlinks=False):
                yield File(_slashed(entry.path).removeprefix("./"), root, is_named=False)
            else:
                is_link = entry.is_symlink() or _is_junction(entry)
                what = "a symbolic link, not followed" if is_link else "no file, not opened"
                found.skipped.append((entry.path, what))
        waiting.extend(reversed(inner))


def _is_junction(entry: os.DirEntry[str]) -> bool:
    if sys.platform != "win32":
        return False
    return entry.stat(follow_symlinks=False).st_reparse_tag == _JUNCTION


def _slashed(path: str) -> str:
    """The path as the rules and reports know it, who take no backslash for a separator."""
    return path.replace(os.sep, "/")


def _entries(folder: str, found: Found) -> Sequence[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as exc:
        found.broken.append(Broken(folder, f"{folder}: the folder cannot be read ({_why(exc)})"))
        return ()


def _content(path: str, *, follow: bool) -> bytes:
    """The bytes of a regular file, one more than is allowed at most."""
    # Whatever it was when it was found: it is looked at again, open. A pipe would wait without O_NONBLOCK.
    descriptor = os.open(path, _FLAGS if follow else _FLAGS | _NO_FOLLOW)
    with open(descriptor, "rb") as stream:  # noqa: PTH123  # it is a descriptor
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ConfigError("this is no file, and was not read", where=path)
        return stream.read(LARGEST + 1)


def _is_of_others(path: str, raw: bytes) -> bool:
    """Whether it is nothing that anybody would call a configuration: an image, a database, a program."""
    if len(raw) > LARGEST:
        return True
    if promises(path):
        return False
    return (b"\0" in raw[:_HEAD] and raw[:2] not in _TEXT_MARKS) or not _is_text(raw)


def _is_text(raw: bytes) -> bool:
    if raw[:2] in _TEXT_MARKS:
        return True
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _why(exc: OSError | ValueError) -> str:
    return (getattr(exc, "strerror", None) or str(exc)).lower()
