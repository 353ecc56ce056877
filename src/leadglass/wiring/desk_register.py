"""The register as the dashboard and the API ask for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from leadglass import wiring
from leadglass.errors import ConfigError, UsageError
from leadglass.ledger.chain import Entry as LedgerEntry
from leadglass.ledger.chain import Head as LedgerHead
from leadglass.ledger.verify import Broken, verify
from leadglass.model.dossier import Dossier, DossierOptions
from leadglass.model.register import Level, Register, Review, Risk, System
from leadglass.ports.dashboard import Document, Entry, Head, ReviewDue, Thing
from leadglass.ports.findings import Since
from leadglass.register.assessment import Assessment, assessed
from leadglass.register.check import ADVICE, Disagreement, Rule, check, last_review
from leadglass.register.codec import as_change, gone, key_of, register_of
from leadglass.register.requirements import PROFILES, Profile, profile
from leadglass.register.risks import level, residual
from leadglass.store import register as kept
from leadglass.store.database import Database
from leadglass.wiring.desk_course import Courses

__all__ = ["RegisterKept"]


@dataclass(frozen=True, slots=True)
class RegisterKept:
    """``ports.dashboard.RegisterDesk`` over the store."""

    database: Database
    make: Callable[[DossierOptions], Dossier] | None = None
    """Makes a dossier; None: what that needs is not installed."""
    organisation: str = ""
    courses: Courses = field(default_factory=Courses)

    def register(self) -> Register:
        """All of it, as it stands."""
        return register_of(kept.read_state(self.database), self.database.where)

    def head(self) -> Head:
        """Where its chain stands."""
        return _head(kept.head_of(self.database))

    def disagreements(self, profiles: Sequence[str] = ()) -> Sequence[Disagreement]:
        """What is not as it should be, worst first."""
        return check(self.register(), _today(), _profiles(profiles))

    def since(self, profiles: Sequence[str] = ()) -> Since:
        """Since when each stands; the first time, all entries are gone through."""
        return self.courses.since(self.database, _profiles(profiles), _today())

    def advice(self, rule: str) -> str:
        """What to do about one."""
        return ADVICE[Rule(rule)]

    def profiles(self) -> Mapping[str, str]:
        """The laws and standards there are."""
        return {name: profile(name).title for name in PROFILES}

    def standings(self, profiles: Sequence[str]) -> Sequence[Assessment]:
        """How each requirement stands."""
        asked, register = _profiles(profiles), self.register()
        return assessed(register, asked, check(register, _today(), asked), _today())

    def reviews_due(self, until: dt.date) -> Sequence[ReviewDue]:
        """Systems whose review is due by ``until``, longest due first; those never reviewed before all."""
        register = self.register()
        return sorted(_due(register, until), key=lambda one: (one.due or dt.date.min, one.system))

    def levels(self, risk: Risk) -> tuple[Level, Level]:
        """How great a risk is, before and after its treatment."""
        return level(risk.likelihood, risk.impact), residual(risk)

    def enter(self, by: str, things: Sequence[Thing], why: str, after: Head | None = None) -> Head:
        """Write down that ``things`` are so from now on."""
        register = self.register()
        named = {thing.name for thing in things if isinstance(thing, System)} | register.systems.keys()
        for thing in things:
            if not isinstance(thing, System) and thing.system not in named:
                raise UsageError(f"no system is called {thing.system!r}")
        changes = [as_change(thing, why) for thing in things]
        return _head(kept.write_down(self.database, by, changes, after=_known(after)))

    def remove(self, by: str, things: Sequence[Thing], why: str, after: Head | None = None) -> Head:
        """Write down that they are gone."""
        changes = [gone(thing, why) for thing in things]
        return _head(kept.write_down(self.database, by, changes, after=_known(after)))

    def history(self, system: str, most: int) -> Sequence[Entry]:
        """The entries about a system and its reviews and risks, latest first."""
        register = self.register()
        about: list[System | Review | Risk] = [
            *([register.systems[system]] if system in register.systems else []),
            *register.reviews_of.get(system, ()),
            *register.risks_of.get(system, ()),
        ]
        if not about:
            return []
        entries = kept.history(self.database, *(key_of(thing) for thing in about))
        return [_entry(one) for one in entries][: -most - 1 : -1]

    def verify(self) -> str | None:
        """None: the chain is whole; else one line about what was done to it."""
        result = verify(kept.lines_of(self.database), kept.head_of(self.database))
        return f"entry {result.n} {result.what.value}: {result.why}" if isinstance(result, Broken) else None

    def dossier(self, form: str, profiles: Sequence[str] = ()) -> Document:
        """What an auditor asks for."""
        if self.make is None:
            raise ConfigError(
                "a dossier needs packages that are not installed", then="pip install 'leadglass[pdf]'"
            )
        _profiles(profiles)
        made = self.make(DossierOptions(profiles=tuple(profiles), organisation=self.organisation))
        if form == "pdf":
            return Document(f"{made.name}.pdf", "application/pdf", made.pdf)
        if form == "zip":
            return Document(f"{made.name}.zip", "application/zip", made.archive)
        raise UsageError(f"a dossier is no {form!r}", then="pdf or zip")


def _today() -> dt.date:
    return dt.datetime.fromtimestamp(wiring.clock().posix(), dt.UTC).date()


def _profiles(names: Sequence[str]) -> Sequence[Profile]:
    unknown = [name for name in names if name not in PROFILES]
    if unknown:
        raise UsageError(f"there is no profile {unknown[0]!r}", then=f"one of {', '.join(PROFILES)}")
    return [profile(name) for name in dict.fromkeys(names)]


def _due(register: Register, until: dt.date) -> Iterator[ReviewDue]:
    for name, system in register.systems.items():
        if system.retired is not None:
            continue
        last = last_review(register, name)
        if last is None:
            yield ReviewDue(name, None)
        elif last.next is not None and last.next <= until:
            yield ReviewDue(name, last.next, last)


def _known(head: Head | None) -> LedgerHead | None:
    return None if head is None else LedgerHead(head.n, head.digest)


def _head(head: LedgerHead) -> Head:
    return Head(head.n, head.digest)


def _entry(entry: LedgerEntry) -> Entry:
    body = entry.body
    return Entry(
        entry.n, entry.at, body["by"], body["what"], body["name"], body["why"], is_removal=body["now"] is None
    )
