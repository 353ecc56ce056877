"""How many connections this system lets one process have open."""

from __future__ import annotations

import sys

if sys.platform != "win32":
    import resource

__all__ = ["descriptors"]

_RESERVED = 64
"""Left for files, pipes and the interpreter."""

if sys.platform == "win32":
    _SELECTED = 512
    """Sockets that ``select`` takes in Python for Windows; a process may have many more, and cannot ask about them."""

    def descriptors(wanted: int) -> int:
        """Connections that may be open at once, ``wanted`` at most."""
        return min(wanted, _SELECTED - _RESERVED)

else:

    def descriptors(wanted: int) -> int:
        """Connections that may be open at once, ``wanted`` at most: the soft limit is raised as far as it goes."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft == resource.RLIM_INFINITY:
            return wanted
        needed = wanted + _RESERVED
        limit = max(soft, needed if hard == resource.RLIM_INFINITY else min(needed, hard))
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        except (OSError, ValueError):  # macOS has a lower limit than the hard one that it tells
            limit = soft
        return max(1, min(wanted, limit - _RESERVED))
