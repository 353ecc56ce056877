"""Reads the spool while others write it: the entries behind a position, the positions, the anchors.

A spool is a folder with one chain for each writer, in files that begin with the entry they are named
after: ``spool-WRITER-000000000017.jsonl``. Numbers and not times, because clocks jump.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from leadglass.errors import ConfigError
from leadglass.ledger.canonical import Json, canonical
from leadglass.ledger.chain import GENESIS, LONGEST_LINE, Entry, Head, read_entry
from leadglass.store.spool_file import locked, write_whole

__all__ = [
    "START",
    "Folder",
    "Position",
    "anchors_of",
    "file_name",
    "files_of",
    "keep_anchors",
    "keep_position",
    "lines_of",
    "position_of",
    "sending",
    "unfinished",
    "unsent",
    "writers_of",
]

Folder: TypeAlias = Path
"""Where a spool is. Whoever is no door to files passes it on and does nothing else with it."""

_FILE = re.compile(r"spool-([a-z0-9]+(?:-[a-z0-9]+)*)-([0-9]{12})\.jsonl")


@dataclass(frozen=True, slots=True)
class Position:
    """How far a reader has come in one chain."""

    head: Head
    """The last entry that it has."""
    file: str = ""
    """The name of the file that entry is in."""
    offset: int = 0
    """Octets of that file up to its end."""


START = Position(GENESIS)
"""Before the first entry."""


def file_name(writer: str, n: int) -> str:
    """The file of ``writer`` that begins with entry ``n``."""
    return f"spool-{writer}-{n:012d}.jsonl"


def writers_of(*folders: Path) -> list[str]:
    """Everybody who has a chain there; ``ConfigError`` for a folder that cannot be read."""
    return sorted({found[1] for folder in folders for found in map(_FILE.fullmatch, _names(folder)) if found})


def files_of(writer: str, *folders: Path) -> list[Path]:
    """The files of a chain in their order, whichever folder they lie in."""
    found = [
        (match[2], folder / match[0])
        for folder in folders
        for match in map(_FILE.fullmatch, _names(folder))
        if match and match[1] == writer
    ]
    return [path for _, path in sorted(found)]


def lines_of(files: Sequence[Path]) -> Iterator[bytes]:
    """All whole lines of ``files``, each with its end."""
    for path in files:
        with _reading(path) as stream:
            for line, _ in _whole_lines(stream, 0):
                yield line


def unfinished(files: Sequence[Path]) -> int:
    """Octets at the end of the last file that are no whole line: being written, or torn."""
    if not files:
        return 0
    with _reading(files[-1]) as stream:
        end = max((end for _, end in _whole_lines(stream, 0)), default=0)
        stream.seek(end)
        return len(stream.read(LONGEST_LINE).rstrip(b"\0"))


def unsent(folder: Path, writer: str, after: Position) -> Iterator[tuple[Entry | None, Position]]:
    """The entries behind a position, each with the position behind it; None for one that is damaged.

    They are made durable first: nobody else may have what a loss of power could take away here.
    """
    files = files_of(writer, folder)
    first = max((i for i, path in enumerate(files) if _number(path) <= after.head.n + 1), default=0)
    head = after.head
    for path in files[first:]:
        with _reading(path) as stream:
            size = os.fstat(stream.fileno()).st_size
            # A file that has become shorter was put there by somebody: it is read from its beginning.
            offset = after.offset if path.name == after.file and after.offset <= size else 0
            if offset < size:
                os.fdatasync(stream.fileno())
            for line, end in _whole_lines(stream, offset):
                entry = read_entry(line)
                if entry is not None and entry.n <= head.n:
                    continue
                head = head if entry is None else entry.head
                yield entry, Position(head, path.name, end)


# ---- positions and anchors


def position_of(folder: Path, writer: str) -> Position:
    """How far the collector is known to have this chain."""
    kept = _kept(folder / f"cursor-{writer}.json")
    if kept is None:
        return START
    return Position(_head(kept), str(kept.get("file", "")), int(kept.get("offset", 0)))


def keep_position(folder: Path, writer: str, position: Position) -> None:
    """Remember it, whole or not at all; ``OSError`` if that cannot be."""
    kept = _plain(position.head) | {"file": position.file, "offset": position.offset}
    write_whole(folder / f"cursor-{writer}.json", canonical(kept) + b"\n")


def anchors_of(folder: Path, writer: str) -> tuple[Head, ...]:
    """Where the chain stood whenever a file of it was closed."""
    kept = _kept(folder / f"anchors-{writer}.json")
    return () if kept is None else tuple(map(_head, kept["heads"]))


def keep_anchors(folder: Path, writer: str, anchors: Sequence[Head]) -> None:
    """Remember them, whole or not at all; ``OSError`` if that cannot be."""
    kept = {"heads": [_plain(head) for head in anchors]}
    write_whole(folder / f"anchors-{writer}.json", canonical(kept) + b"\n")


@contextlib.contextmanager
def sending(folder: Path) -> Iterator[None]:
    """Be the only one who sends what is in ``folder``; ``ResourceError`` if somebody else does."""
    try:
        lock = locked(folder / "sending.lock")
    except OSError as error:
        raise _unreadable(folder, error) from error
    try:
        yield
    finally:
        os.close(lock)


def _plain(head: Head) -> dict[str, Json]:
    return {"n": head.n, "digest": head.digest}


def _head(kept: Mapping[str, Any]) -> Head:
    return Head(int(kept["n"]), str(kept["digest"]))


def _kept(path: Path) -> dict[str, Any] | None:
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(path, error) from error
    try:
        kept: dict[str, Any] = json.loads(text)
        for one in kept.get("heads", [kept]):
            _head(one)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            "this is not what the guard wrote", where=str(path), then="bring back a copy, or move it away"
        ) from error
    return kept


# ---- files


def _number(path: Path) -> int:
    match = _FILE.fullmatch(path.name)
    return int(match[2]) if match else 0


def _names(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except OSError as error:
        raise _unreadable(folder, error) from error


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as stream:
            yield stream
    except OSError as error:
        raise _unreadable(path, error) from error


def _whole_lines(stream: BinaryIO, offset: int) -> Iterator[tuple[bytes, int]]:
    """Each whole line from ``offset`` on, and where it ends. NULs are room that was taken for later."""
    stream.seek(offset)
    while (line := stream.readline(LONGEST_LINE)).endswith(b"\n") and not line.startswith(b"\0"):
        offset += len(line)
        yield line, offset


def _unreadable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"the audit trail cannot be read ({(error.strerror or str(error)).lower()})", where=str(path)
    )
