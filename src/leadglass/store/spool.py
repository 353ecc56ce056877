"""Writes the spool: the guard's audit trail, in files that only grow, before anything else happens.

Each writer has a chain (``ledger.chain``) of its own, which goes on from file to file and from one start
to the next. What cannot be written is an error of the caller's: without a trail, nothing is done.

Part of the disk is taken beforehand, as the **reserve**: a file of that size, which becomes the next file of
the chain when the disk is full. Room in a file that exists can be taken by nobody else. Only entries that
say ``reserved`` get there, so that care goes on; the others have to wait until the reserve is whole again.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import re
import threading
from collections import deque
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self

from leadglass.errors import ConfigError, ResourceError
from leadglass.ledger.canonical import Json
from leadglass.ledger.chain import GENESIS, Chain, Head
from leadglass.store.spool_file import (
    SpoolFile,
    Tail,
    disk_full,
    is_disk_full,
    locked,
    made,
    sync_folder,
    tail_of,
    write_whole,
)
from leadglass.store.spooled import anchors_of, file_name, files_of, keep_anchors, position_of

__all__ = ["RESERVE", "ROTATE_AT", "Spool", "open_spool"]

ROTATE_AT = 64 << 20
"""Octets of a file, after which the next one begins."""

RESERVE = 8 << 20
"""Octets: at 0.7 kB an entry, 12,000 entries."""

_WRITER = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST_WRITER = 64
_INLINE = 4096
"""Octets of what was cut off that are kept in the note; of more there is a file."""


class Spool:
    """One writer's chain, open for writing. ``append`` and ``sync`` may be called by different threads."""

    def __init__(
        self, folder: Path, writer: str, clock: Callable[[], float], rotate_at: int, reserve: int
    ) -> None:
        self.folder = folder
        self.writer = writer
        self._clock = clock
        self._rotate_at = rotate_at
        self._reserve = reserve
        self._reserve_path = folder / f"reserve-{writer}"
        self._lock = locked(folder / f"spool-{writer}.lock")
        self._anchors: list[Head] = []
        self._owes_anchors = False
        self._notes: deque[Mapping[str, Json]] = deque()
        self._mutex = threading.Lock()
        self._file: SpoolFile | None = None
        self._chain = Chain()
        self._written = self._synced = GENESIS
        self.has_reserve = False
        """Whether the reserve is whole. While it is not, ordinary entries are refused."""

    @property
    def head(self) -> Head:
        """The last entry that was written."""
        return self._written

    @property
    def is_dirty(self) -> bool:
        """Whether ``sync`` has something to do."""
        return self._written != self._synced

    def append(self, body: Mapping[str, Json], *, reserved: bool = False) -> None:
        """Write an entry; ``ResourceError`` if it cannot be written, and then nothing was.

        It outlives the process at once, and a loss of power after the next ``sync``. ``reserved`` entries
        may use the reserve.
        """
        with self._mutex:
            try:
                if not reserved:
                    self._require_reserve()
                while self._notes:
                    self._write(self._notes[0], reserved)
                    self._notes.popleft()
                self._write(body, reserved)
            except OSError as error:
                raise self._trouble(error) from error

    def sync(self) -> None:
        """Make durable what was written; ``ResourceError`` if that fails, which is noted in the chain."""
        with self._mutex:
            if self._owes_anchors:
                self._keep_anchors()
            if self._file is None or not self.is_dirty:
                return
            # Who writes is not to wait for the disk, and may begin another file meanwhile.
            descriptor, first, last = os.dup(self._file.descriptor), self._synced.n + 1, self._written
            self._synced = last
        try:
            os.fdatasync(descriptor)
        except OSError as error:
            trouble = self._trouble(error)
            self._notes.append({"note": "not-synced", "first": first, "last": last.n, "why": trouble.what})
            raise trouble from error
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Make everything durable, and let others write this chain; ``ResourceError`` if that fails."""
        with self._mutex:
            file, self._file = self._file, None
            try:
                if file is not None:
                    self._finish(file, keep_room=not self.has_reserve)
            except OSError as error:
                raise self._trouble(error) from error
            finally:
                os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Writing.

    def _write(self, body: Mapping[str, Json], reserved: bool) -> None:
        line = self._chain.append(body, dt.datetime.fromtimestamp(self._clock(), dt.UTC))
        try:
            self._put(line, reserved)
        except OSError:
            self._chain.head = self._written
            raise
        self._written = self._chain.head

    def _put(self, line: bytes, reserved: bool) -> None:
        try:
            self._current().write(line)
        except OSError as error:
            if not reserved or not is_disk_full(error):
                raise
            self._require_reserve()  # where it was used up, there may be room again
            self._take_reserve().write(line)

    def _current(self) -> SpoolFile:
        """The file to write to, a new one if need be."""
        file = self._file
        if file is not None and file.is_gone():
            os.close(file.descriptor)
            file = self._file = None
            self._notes.append({"note": "file-lost", "last": self._written.n})
            self.has_reserve = _size(self._reserve_path) == self._reserve
        if file is None or (file.limit is None and file.size >= self._rotate_at):
            self._file = SpoolFile.begin(self._next_path())
            if file is not None:
                self._finish(file)
            return self._file
        return file

    def _next_path(self) -> Path:
        return self.folder / file_name(self.writer, self._written.n + 1)

    def _finish(self, file: SpoolFile, *, keep_room: bool = False) -> None:
        file.close(keep_room=keep_room)
        if self._written not in {GENESIS, *self._anchors[-1:]}:
            self._anchors.append(self._written)
            self._keep_anchors()

    def _keep_anchors(self) -> None:
        """On a full disk they are owed: no entry is to fail for their sake."""
        try:
            keep_anchors(self.folder, self.writer, self._anchors)
        except OSError:
            self._owes_anchors = True
        else:
            self._owes_anchors = False

    def _trouble(self, error: OSError) -> ResourceError:
        return ResourceError(
            f"the audit trail cannot be written ({(error.strerror or str(error)).lower()})",
            where=str(self.folder),
            then="until it can be, the guard denies what may not use the reserve",
        )

    # The reserve.

    def _require_reserve(self) -> None:
        if self.has_reserve:
            return
        self._restore_reserve()
        if self._file is not None:
            self._file.give_back()

    def _restore_reserve(self) -> None:
        """Take the room for it, or raise ``OSError``."""
        if self._reserve and _size(self._reserve_path) != self._reserve:
            part = self._reserve_path.with_name(f"{self._reserve_path.name}.part")
            descriptor = made(part, os.O_TRUNC)
            try:
                os.posix_fallocate(descriptor, 0, self._reserve)
                os.fsync(descriptor)
            except OSError:
                part.unlink()
                raise
            finally:
                os.close(descriptor)
            part.replace(self._reserve_path)
        self.has_reserve = True

    def _take_reserve(self) -> SpoolFile:
        """Go on in the reserve: it becomes the next file of the chain."""
        self.has_reserve = False
        if not self._reserve:
            raise disk_full()
        path = self._next_path()
        self._reserve_path.replace(path)
        file, self._file = self._file, SpoolFile.within(path, Tail(0, None, b"", self._reserve))
        if file is not None:
            self._finish(file)
        sync_folder(self.folder)
        return self._file

    # Beginning.

    def recover(self) -> None:
        """Take up the chain where it ended, whatever became of whoever wrote it; ``OSError``."""
        self._anchors = list(anchors_of(self.folder, self.writer))
        with contextlib.suppress(OSError):  # a full disk: then there is no reserve, which append says
            self._restore_reserve()
        files = files_of(self.writer, self.folder)
        for path in reversed(files):
            tail = tail_of(path)
            if path == files[-1]:
                self._continue(path, tail)
            if tail.head is not None:
                self._written = tail.head
                break
        self._go_on_behind_what_is_known()
        self._chain.head = self._synced = self._written

    def _continue(self, path: Path, tail: Tail) -> None:
        if tail.cut:
            self._set_aside(tail.cut)
        is_reserve = tail.room > 0 and not self.has_reserve
        self._file = SpoolFile.within(path, tail) if is_reserve else SpoolFile.behind(path, tail)

    def _set_aside(self, cut: bytes) -> None:
        """Note what follows the last true entry; what is too long for a note gets a file."""
        digest = sha256(cut).hexdigest()
        if len(cut) > _INLINE:
            write_whole(self.folder / f"cut-{self.writer}-{digest[:16]}", cut)
        said = cut[:_INLINE].decode(errors="replace")
        self._notes.append({"note": "cut", "octets": len(cut), "sha256": digest, "text": said})

    def _go_on_behind_what_is_known(self) -> None:
        """What was anchored or sent was written. If it is gone, its numbers are not given again."""
        sent = position_of(self.folder, self.writer).head
        known = max((sent, *self._anchors[-1:]), key=lambda head: head.n)
        if known.n <= self._written.n:
            return
        self._notes.append({"note": "lost", "first": self._written.n + 1, "last": known.n})
        if self._file is not None:
            self._file.close()
            self._file = None
        self._written = known


def open_spool(
    folder: Path,
    writer: str,
    clock: Callable[[], float],
    *,
    rotate_at: int = ROTATE_AT,
    reserve: int = RESERVE,
) -> Spool:
    """The chain of ``writer`` in ``folder``, which is made if need be, for its owner alone.

    ``clock`` gives POSIX seconds. ``ConfigError`` if there can be none here; ``ResourceError`` if another
    process writes it.
    """
    if not _WRITER.fullmatch(writer) or len(writer) > _LONGEST_WRITER:
        raise ConfigError(f"a writer of the audit trail cannot be called {writer!r}")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            spool = stack.enter_context(Spool(folder, writer, clock, rotate_at, reserve))
            spool.recover()
            stack.pop_all()
    except OSError as error:
        raise ConfigError(
            f"the audit trail cannot be kept here ({(error.strerror or str(error)).lower()})",
            where=str(folder),
            then="check the folder, its rights and the disk",
        ) from error
    return spool


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None
