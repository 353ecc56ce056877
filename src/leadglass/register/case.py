"""What a dossier is made of: the register at the end of a day, how it came to be so, and what follows from it."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from leadglass.errors import ConfigError
from leadglass.ledger.chain import GENESIS, Entry, Head, read_entry
from leadglass.ledger.verify import Broken, verify
from leadglass.model.dossier import DossierOptions
from leadglass.model.register import Register, Stamp, System
from leadglass.register.assessment import Assessment, assessed, in_service
from leadglass.register.check import Disagreement, Key, check
from leadglass.register.codec import register_of
from leadglass.register.course import Stood, course, standing_since
from leadglass.register.history import Exposure, exposures
from leadglass.register.requirements import Profile, profile
from leadglass.register.stamped import stamps_in
from leadglass.store.register import fold

__all__ = ["Case", "ScanNote", "case_of", "day_of", "readable"]


@dataclass(frozen=True, slots=True)
class ScanNote:
    """What the store keeps of a scan beside what the register took from it."""

    kind: str
    """``scan`` or ``import``."""
    ended: int | None
    """POSIX seconds."""
    basis: str
    """By whose leave it was made; "" if nobody's was needed (loopback)."""
    granted_by: str | None
    reference: str | None
    deepest: str
    """The deepest rung that it might take."""
    endpoints: int
    """How many it might ask."""


@dataclass(frozen=True)
class Case:
    """The register as it stood at the end of ``today``."""

    register: Register
    lines: Sequence[bytes]
    """The entries as they are kept."""
    entries: Sequence[Entry]
    today: dt.date
    options: DossierOptions
    notes: Mapping[str, ScanNote]
    """By scan, of those that are kept still."""

    @property
    def head(self) -> Head:
        """Where the chain stood."""
        return self.entries[-1].head if self.entries else GENESIS

    @cached_property
    def profiles(self) -> Sequence[Profile]:
        """What is asked."""
        return [profile(name) for name in dict.fromkeys(self.options.profiles)]

    @cached_property
    def systems(self) -> Sequence[System]:
        """Those in service."""
        return in_service(self.register, self.today)

    @cached_property
    def findings(self) -> Sequence[Disagreement]:
        """All that is wrong, worst first."""
        return check(self.register, self.today, self.profiles)

    @cached_property
    def course(self) -> Sequence[Stood]:
        """Findings that stand, worst first; then those that were resolved in the time that is told of, latest first."""
        followed = course(self.entries, self.today, self.profiles)
        return [one for one in followed if one.ended is None or self.is_told(one.ended)]

    @cached_property
    def since(self) -> Mapping[Key, Stood]:
        """From when each of ``findings`` stands."""
        return standing_since(self.course)

    @cached_property
    def assessments(self) -> Sequence[Assessment]:
        """How each requirement stands."""
        return assessed(self.register, self.profiles, self.findings, self.today)

    @cached_property
    def exposures(self) -> Sequence[Exposure]:
        """Those that are open, worst first; then those that were closed in the time that is told of, latest first."""
        return [
            one for one in exposures(self.entries) if one.closed is None or self.is_told(day_of(one.closed))
        ]

    @cached_property
    def stamps(self) -> Sequence[Stamp]:
        """All that were ever entered, in their order."""
        return stamps_in(self.entries)

    @cached_property
    def moment(self) -> int:
        """POSIX seconds: of the newest entry or scan. Nothing in a dossier is younger."""
        made = (int(entry.moment.timestamp()) for entry in self.entries[-1:])
        ends = (note.ended for note in self.notes.values() if note.ended is not None)
        midnight = dt.datetime.combine(self.today, dt.time(), dt.UTC)
        return max((*made, *ends), default=int(midnight.timestamp()))

    def is_told(self, day: dt.date) -> bool:
        """Whether that day is in the time whose history is told."""
        return self.options.since is None or day >= self.options.since


@contextlib.contextmanager
def readable(where: str) -> Iterator[None]:
    """Make one error of whatever comes of entries that a chain holds together and nobody here would write."""
    try:
        yield
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError) as exc:
        raise ConfigError(
            f"an entry holds what the register does not write ({type(exc).__name__})", where=where
        ) from exc


def day_of(posix: int) -> dt.date:
    """The day of a moment, UTC."""
    return dt.datetime.fromtimestamp(posix, dt.UTC).date()


def case_of(
    lines: Iterable[bytes],
    today: dt.date,
    options: DossierOptions,
    notes: Mapping[str, ScanNote],
    where: str,
    *anchors: Head,
) -> Case:
    """What ``lines`` come to at the end of ``today``, UTC: entries of a later day are left out with all behind them.

    ``ConfigError`` if the chain is not whole, or its entries cannot be read: nothing is proved by it then.
    """
    kept = list(lines)
    result = verify(kept, *anchors)
    if isinstance(result, Broken):
        raise ConfigError(
            f"the register is broken at entry {result.n:,} ({result.what.value}: {result.why})",
            where=where,
            then="leadglass register verify tells more",
        )
    entries = _until(filter(None, map(read_entry, kept)), today, where)
    del kept[len(entries) :]
    register = register_of(fold(kept), where)
    known = {scan: note for scan, note in notes.items() if scan in register.scans}
    return Case(register, kept, entries, today, options, known)


def _until(entries: Iterable[Entry], today: dt.date, where: str) -> list[Entry]:
    """The entries before the first that is of a later day."""
    found: list[Entry] = []
    for entry in entries:
        if _moment(entry, where).date() > today:
            break
        found.append(entry)
    return found


def _moment(entry: Entry, where: str) -> dt.datetime:
    try:
        return entry.moment
    except ValueError as exc:
        raise ConfigError(f"entry {entry.n:,} is of no day", where=where) from exc
