"""Passwords: which may be chosen, what is kept of them, and how many are compared at once.

NIST SP 800-63B-4 3.1.1.2: long enough, nothing that everybody tries first, and no rule about what it is made of.
"""

from __future__ import annotations

import threading
import unicodedata

from fastapi import HTTPException

from leadglass.access.passcodes import SALT_BYTES, hash_passcode, matches
from leadglass.configs.passwords import GUESSABLE, quality
from leadglass.web.site import Site

__all__ = ["LONGEST", "SHORTEST", "hashed", "is_right", "refusal_of"]

SHORTEST, LONGEST = 12, 256
"""Characters."""
_FEWEST = 5
"""Different characters."""
_OURS = ("leadglass", "radiology", "orthanc", "dicom")
"""What people here think of first."""
_AT_ONCE = 4
"""Each takes some 19 MiB and a processor: what strangers can make this machine do is bounded."""
_PATIENCE = 5.0
_TURNS = threading.BoundedSemaphore(_AT_ONCE)


def refusal_of(password: str, name: str) -> str | None:
    """Why ``password`` cannot be that of ``name``, in one line; None: it can."""
    normal = _normal(password)
    if len(normal) < SHORTEST:
        return f"a password has {SHORTEST} characters or more; a few words are easy to remember"
    if len(normal) > LONGEST:
        return f"a password has {LONGEST} characters at most"
    if normal != normal.strip() or not normal.isprintable():
        return "a password neither begins nor ends with a blank, and all of it can be seen"
    if _is_guessable(normal, name):
        return "this is among the passwords that everybody tries first; take a few words that do not belong together"
    return None


def _is_guessable(password: str, name: str) -> bool:
    folded = password.casefold()
    if folded.isdigit() or len(set(folded)) < _FEWEST:
        return True
    if not any("a" <= character <= "z" for character in folded):
        return False  # another script, of which we know no common words
    return any(quality(password, word) in GUESSABLE for word in (name.partition("@")[0], *_OURS))


def hashed(site: Site, password: str) -> str:
    """What is kept of it; it was asked for with ``refusal_of`` before."""
    with _Turn():
        return hash_passcode(_normal(password), site.randomness.token(SALT_BYTES))


def is_right(password: str, phc: str | None) -> bool:
    """Whether ``phc`` is kept of ``password``; None, for names that nobody has, takes as much work."""
    with _Turn():
        return matches(_normal(password) if len(password) <= LONGEST else "", phc)


def _normal(password: str) -> str:
    """As every keyboard and system writes the same (SP 800-63B-4 3.1.1.2: NFKC)."""
    return unicodedata.normalize("NFKC", password)


class _Turn:
    """One of few who compare at a time; 503 for whoever waits too long."""

    def __enter__(self) -> None:
        if not _TURNS.acquire(timeout=_PATIENCE):
            raise HTTPException(503, "too many sign in at once; try again", {"Retry-After": "10"})

    def __exit__(self, *_: object) -> None:
        _TURNS.release()
