"""Shows the package, and nothing else, what another system has: what only this one has is not there.

Python loads this in every process of a test that puts its folder on PYTHONPATH, children too. Python itself
and other libraries go on as before, for they must run here. ``LEADGLASS_SYSTEM`` says which system it is.
It shows what our own code asks for; how the other system then behaves, only that one can show.
"""

from __future__ import annotations

import builtins
import errno
import fcntl
import multiprocessing
import os
import select
import selectors
import signal
import socket
import subprocess
import sys
import time
import types
from collections.abc import Mapping, Sequence
from typing import Any

SYSTEM = os.environ.get("LEADGLASS_SYSTEM", "")

LINUX = {
    "os": "sched_getaffinity sched_setaffinity fdatasync posix_fallocate posix_fadvise memfd_create pipe2 splice"
    " O_TMPFILE O_PATH O_DIRECT getrandom copy_file_range eventfd setns unshare pidfd_open",
    "signal": "sigwaitinfo sigtimedwait SIGRTMIN SIGRTMAX SIGPWR",
    "socket": "SOCK_NONBLOCK SOCK_CLOEXEC MSG_NOSIGNAL MSG_ERRQUEUE TCP_QUICKACK TCP_USER_TIMEOUT AF_NETLINK"
    " AF_PACKET SO_BINDTODEVICE SO_PEERCRED",
    "select": "epoll EPOLLIN EPOLLOUT EPOLLRDHUP EPOLLET",
}
"""What macOS does not have."""

POSIX = {
    "os": "fork forkpty uname getuid geteuid getgid getegid getgroups setuid setgid getpgid getpgrp setsid setpgid"
    " killpg wait wait3 wait4 WNOHANG fchmod fchown chown lchown chroot pread pwrite preadv pwritev sysconf confstr"
    " statvfs fstatvfs mkfifo mknod getloadavg ttyname openpty nice getpriority sync fchdir lockf posix_spawn"
    " O_CLOEXEC O_NOFOLLOW O_NONBLOCK O_NOCTTY O_DIRECTORY O_SYNC O_DSYNC O_ASYNC register_at_fork ctermid",
    "signal": "SIGHUP SIGKILL SIGUSR1 SIGUSR2 SIGALRM SIGCHLD SIGPIPE SIGQUIT SIGTSTP SIGCONT SIGSTOP SIGWINCH"
    " pthread_sigmask pthread_kill sigwait sigpending alarm pause setitimer getitimer SIG_BLOCK SIG_UNBLOCK"
    " SIG_SETMASK siginterrupt",
    "socket": "AF_UNIX SO_REUSEPORT MSG_DONTWAIT CMSG_LEN CMSG_SPACE SCM_RIGHTS sethostname send_fds recv_fds",
    "select": "poll POLLIN POLLOUT POLLERR POLLHUP kqueue kevent",
    "time": "clock_gettime clock_gettime_ns clock_settime clock_getres tzset pthread_getcpuclockid",
}
"""What Windows does not have either."""

MODULES = frozenset(
    {"fcntl", "resource", "pwd", "grp", "spwd", "crypt", "termios", "tty", "pty"}
    | {"syslog", "posix", "readline", "curses", "nis", "ossaudiodev"}
)
"""Those of the standard library that Windows does not have."""


class Shown(types.ModuleType):
    """A module without some of its names, and with others."""

    def __init__(self, real: types.ModuleType, lacking: Sequence[str], added: Mapping[str, Any]) -> None:
        super().__init__(real.__name__, real.__doc__)
        self.__dict__.update(added, _real=real, _lacking=frozenset(lacking))

    def __getattr__(self, name: str) -> Any:
        if name in self.__dict__["_lacking"]:
            raise AttributeError(f"{SYSTEM} has no {self.__name__}.{name}", name=name, obj=self)
        return getattr(self.__dict__["_real"], name)


def locking(descriptor: int, mode: int, _: int) -> None:
    """``msvcrt.locking`` as Microsoft describes it, but that it waits a moment only, not ten seconds."""
    for _attempt in range(1 if mode == LK_NBLCK else 3):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.01)
        else:
            return
    code = errno.EACCES if mode == LK_NBLCK else errno.EDEADLK
    raise OSError(code, os.strerror(code))


LK_LOCK, LK_NBLCK = 1, 2


def shown() -> dict[str, types.ModuleType]:
    """The modules that look otherwise to the package."""
    windows = SYSTEM == "win32"
    added: dict[str, dict[str, Any]] = {
        "sys": {"platform": SYSTEM},
        "selectors": {"DefaultSelector": selectors.SelectSelector},
    }
    if windows:
        added["os"] = {"name": "nt"}
        added["subprocess"] = {"CREATE_NEW_PROCESS_GROUP": 0}
    found: dict[str, types.ModuleType] = {
        real.__name__: Shown(
            real,
            (LINUX.get(real.__name__, "") + " " + (POSIX.get(real.__name__, "") if windows else "")).split(),
            added.get(real.__name__, {}),
        )
        for real in (os, signal, socket, select, selectors, time, sys, subprocess)
    }
    if windows:
        msvcrt = types.ModuleType("msvcrt")
        msvcrt.__dict__.update(LK_LOCK=LK_LOCK, LK_NBLCK=LK_NBLCK, locking=locking)
        found["msvcrt"] = msvcrt
    return found


def install() -> None:
    """Answer the package's imports."""
    before, modules = builtins.__import__, shown()

    def answer(
        name: str,
        globals: Mapping[str, object] | None = None,  # noqa: A002  # so are they called
        locals: Mapping[str, object] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> types.ModuleType:
        who = str((globals or {}).get("__package__") or "")
        top = name.partition(".")[0]
        if who.partition(".")[0] == "leadglass":
            if SYSTEM == "win32" and top in MODULES:
                raise ModuleNotFoundError(f"{SYSTEM} has no module {top!r}", name=top)
            if name in modules:
                return modules[name]
        return before(name, globals, locals, fromlist, level)

    builtins.__import__ = answer


if SYSTEM:
    multiprocessing.set_start_method("spawn", force=True)
    install()
