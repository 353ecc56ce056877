"""A lock on an open file, for one holder at a time: ``flock`` on POSIX, the first octet on Windows.

It is held through a descriptor, also against other descriptors of the same process, until that is closed
or its process ends, however it ends. It says nothing of the file's content: on POSIX it stops nobody who does
not ask for it, and on Windows nobody else can read or write the first octet meanwhile, so it is put on files
of its own. Over a network it is worth what the file server makes of it.
"""

from __future__ import annotations

import errno
import sys

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__all__ = ["CAN_UNLINK_OPEN", "lock", "try_lock"]

CAN_UNLINK_OPEN = sys.platform != "win32"
"""Whether a file can be removed while it is open: elsewhere a lock file stays when its lock is let go."""

if sys.platform == "win32":

    def lock(descriptor: int) -> None:
        """Wait until the lock is ours; ``OSError`` if the file system has no locks."""
        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
            except OSError as error:
                if error.errno != errno.EDEADLK:  # it gives up after ten seconds, and says so with this
                    raise
            else:
                return

    def try_lock(descriptor: int) -> bool:
        """Take the lock if nobody has it; ``OSError`` if the file system has no locks."""
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            if error.errno not in {errno.EACCES, errno.EDEADLK}:
                raise
            return False
        return True

else:

    def lock(descriptor: int) -> None:
        """Wait until the lock is ours; ``OSError`` if the file system has no locks."""
        fcntl.flock(descriptor, fcntl.LOCK_EX)

    def try_lock(descriptor: int) -> bool:
        """Take the lock if nobody has it; ``OSError`` if the file system has no locks."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
