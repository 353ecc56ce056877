"""Who may work at a scan that lies in a file: one process at a time. The kernel lets go of what a dead one held."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from leadglass.errors import ResourceError
from leadglass.store.database import Database
from leadglass.store.filelock import CAN_UNLINK_OPEN, try_lock
from leadglass.store.scans import StoredScan

__all__ = ["alone", "sole"]


@contextlib.contextmanager
def sole(database: Database, scan: StoredScan) -> Iterator[bool]:
    """Whether this process is the only one that runs ``scan``, and stays so within the block.

    On PostgreSQL it always may: there, leases decide. ``ResourceError`` if no lock can be made.
    """
    with alone(database, scan.plan.ulid) as is_ours:
        yield is_ours


@contextlib.contextmanager
def alone(database: Database, what: str) -> Iterator[bool]:
    """The same for whatever ``what`` names."""
    if database.path is None:
        yield True
        return
    path = Path(f"{database.path}.{what}.lock")
    with contextlib.ExitStack() as stack:
        try:
            is_ours = _hold(path, stack)
        except OSError as error:
            raise ResourceError(
                f"no lock can be made ({error.strerror})",
                where=str(path),
                then="check the folder and its rights",
            ) from error
        yield is_ours


def _hold(path: Path, stack: contextlib.ExitStack) -> bool:
    """Lock the file at ``path`` until ``stack`` ends, and then remove it; False if somebody else has it.

    Where an open file cannot be removed it stays, empty, for the next one.
    """
    while True:
        lock = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            is_ours = try_lock(lock)
        except OSError:
            os.close(lock)
            raise
        if not is_ours:
            os.close(lock)
            return False
        if not CAN_UNLINK_OPEN:
            stack.callback(os.close, lock)
            return True
        if _lies_at(lock, path):
            stack.callback(os.close, lock)
            stack.callback(path.unlink, missing_ok=True)  # first this, then the lock is let go
            return True
        os.close(lock)  # its owner has just removed it: this is a lock on nothing


def _lies_at(lock: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(lock), path.stat())
    except FileNotFoundError:
        return False
