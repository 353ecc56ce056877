"""One file of the spool: written line by line, and taken up again after whatever happened to its writer."""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from leadglass.errors import ResourceError
from leadglass.ledger.chain import Head, read_entry
from leadglass.store.filelock import try_lock

__all__ = [
    "SpoolFile",
    "Tail",
    "disk_full",
    "is_disk_full",
    "locked",
    "made",
    "sync_folder",
    "tail_of",
    "write_whole",
]

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(slots=True)
class SpoolFile:
    """A file that is written to. Errors are ``OSError``."""

    path: Path
    descriptor: int
    size: int
    """Octets of whole lines."""
    limit: int | None = None
    """Octets that were taken beforehand, if they were: there is room for so much, and no more."""

    @classmethod
    def begin(cls, path: Path) -> Self:
        """A new file, that can only be appended to."""
        descriptor = made(path, os.O_APPEND)
        if os.fstat(descriptor).st_size:
            os.close(descriptor)
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        sync_folder(path.parent)
        return cls(path, descriptor, 0)

    @classmethod
    def within(cls, path: Path, tail: Tail) -> Self:
        """A file whose room was taken beforehand, from behind its last entry on."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        os.pwrite(descriptor, bytes(len(tail.cut)), tail.end)
        os.lseek(descriptor, tail.end, os.SEEK_SET)
        return cls(path, descriptor, tail.end, tail.end + len(tail.cut) + tail.room)

    @classmethod
    def behind(cls, path: Path, tail: Tail) -> Self:
        """A file that has nothing behind its last entry from now on."""
        os.truncate(path, tail.end)
        return cls(path, os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC), tail.end)

    def write(self, line: bytes) -> None:
        """Append all of ``line``, or nothing."""
        if self.limit is not None and self.size + len(line) > self.limit:
            raise disk_full()
        written = os.write(self.descriptor, line)
        if written < len(line):
            self._take_back(written)
            raise disk_full()
        self.size += written

    def is_gone(self) -> bool:
        """Whether somebody has deleted it: what is written now would be seen by nobody."""
        return os.fstat(self.descriptor).st_nlink == 0

    def give_back(self) -> None:
        """Give back the room that was taken beforehand and is not used."""
        if self.limit is not None:
            os.ftruncate(self.descriptor, self.size)
            self.limit = None

    def close(self, *, keep_room: bool = False) -> None:
        """Make it durable, and close it whether that works or not."""
        with contextlib.ExitStack() as stack:
            stack.callback(os.close, self.descriptor)
            if not keep_room:
                self.give_back()
            os.fdatasync(self.descriptor)

    def _take_back(self, written: int) -> None:
        if self.limit is None:
            os.ftruncate(self.descriptor, self.size)
        else:
            os.pwrite(self.descriptor, bytes(written), self.size)
        os.lseek(self.descriptor, self.size, os.SEEK_SET)


@dataclass(frozen=True, slots=True)
class Tail:
    """How a file ends."""

    end: int
    """Octets up to the end of the last entry that is whole and true."""
    head: Head | None
    """That entry; None if there is none."""
    cut: bytes
    """What follows it: a line that was torn, or is damaged."""
    room: int
    """And behind that, octets that were taken beforehand."""


def tail_of(path: Path) -> Tail:
    """How the file ends. The room that was taken beforehand reads as NULs, which no entry has."""
    with path.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        if not size:
            return Tail(0, None, b"", 0)
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as text:
            end, head = _last_entry(text)
            cut = text[end:].rstrip(b"\0")
            return Tail(end, head, cut, size - end - len(cut))


def _last_entry(text: mmap.mmap) -> tuple[int, Head | None]:
    end = text.rfind(b"\n") + 1
    while end:
        start = text.rfind(b"\n", 0, end - 1) + 1
        entry = read_entry(text[start:end])
        if entry is not None:
            return end, entry.head
        end = start
    return 0, None


def made(path: Path, flags: int = 0) -> int:
    """The descriptor of a file that is made if need be, to be written by its owner alone.

    Root makes it for the owner of the folder: the guard must be able to read what an administrator's
    command has left there.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | flags, 0o600)
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    return descriptor


def write_whole(path: Path, text: bytes) -> None:
    """Put ``text`` into a file beside ``path`` and rename it: it is there whole, durably, or not at all."""
    part = path.with_name(f"{path.name}.part")
    descriptor = made(part, os.O_TRUNC)
    try:
        if os.write(descriptor, text) < len(text):
            raise disk_full()
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    part.replace(path)


def locked(path: Path) -> int:
    """The descriptor of a lock that nobody else has until it is closed; ``ResourceError`` if somebody has it."""
    lock = made(path)
    if not try_lock(lock):
        os.close(lock)
        raise ResourceError(
            "another process does this for the audit trail", where=str(path), then="end it first"
        )
    return lock


def sync_folder(folder: Path) -> None:
    """Make durable which files there are."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def disk_full() -> OSError:
    """What the system says of a full disk."""
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def is_disk_full(error: OSError) -> bool:
    """Whether room is what was lacking, on the disk or in somebody's share of it."""
    return error.errno in _FULL
