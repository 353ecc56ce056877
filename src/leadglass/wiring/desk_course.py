"""Since when findings of the register stand: each entry of the chain is gone through once, and then kept in mind."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from leadglass.errors import ConfigError
from leadglass.ledger.chain import GENESIS
from leadglass.ports.findings import Begun, Since
from leadglass.register.course import Following
from leadglass.register.requirements import Profile
from leadglass.store import register as kept
from leadglass.store.database import Database

__all__ = ["Courses"]

_MOST = 8
"""Choices of profiles that are kept: each holds a register."""


@dataclass
class _Course:
    following: Following
    today: dt.date


class Courses:
    """What was followed so far, by the profiles that are asked. Any thread may ask."""

    def __init__(self) -> None:
        """Nothing is read yet: thousands of entries take seconds the first time, and those that come to them nothing."""
        self._hold = threading.Lock()
        self._known: dict[tuple[str, ...], _Course] = {}

    def since(self, database: Database, profiles: Sequence[Profile], today: dt.date) -> Since:
        """Tells since when each finding stands; of a chain that cannot be read nothing: ``verify`` tells why."""
        names = tuple(sorted(one.name for one in profiles))
        with self._hold:
            known = self._known.pop(names, None)
            try:
                course = _followed(database, profiles, known, today)
            except (ConfigError, KeyError, TypeError, ValueError):  # who altered it may have written anything
                return lambda _: None
            self._known[names] = course
            if len(self._known) > _MOST:
                del self._known[next(iter(self._known))]
            begun: dict[tuple[str, str, str], Begun] = {
                key: Begun(day, n) for key, (day, n) in course.following.begun().items()
            }
        return lambda one: begun.get(one.key)


def _followed(
    database: Database, profiles: Sequence[Profile], known: _Course | None, today: dt.date
) -> _Course:
    """What is ``known``, up to now; from the first entry on if a clock was set back or the chain is another."""
    if known is not None and known.today <= today and known.following.head != GENESIS:
        entries = kept.entries_after(database, known.following.head)
        if entries is not None:
            known.following.follow(entries, today)
            return _Course(known.following, today)
    following = Following(profiles)
    following.follow(kept.history(database), today)
    return _Course(following, today)
