"""What a configuration says about its server, and what is wrong with that: the nouns of ``leadglass lint``."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from leadglass.model.verdict import Access, Severity

__all__ = ["Cause", "Certainty", "Edit", "Finding", "Place"]


class Cause(enum.StrEnum):
    """How it came to be so."""

    FACTORY_DEFAULT = "factory-default"
    """The product came so, and nobody changed it."""
    DELIBERATE = "deliberate"
    """Somebody wrote it down: a wildcard, a published port."""
    MISREAD_OPTION = "misread-option"
    """The option exists and does something else than its reader thought, or less."""
    TYPO = "typo"
    """No such option exists; a similar one does."""
    FORGOTTEN = "forgotten"
    """A placeholder, a sample, an old release: meant to be changed and left."""


class Certainty(enum.StrEnum):
    """How sure the finding is, by what was read."""

    SURE = "sure"
    """The files that were read say that it is reachable, and how."""
    LIKELY = "likely"
    """So as the product behaves by default; nothing that was read says otherwise."""
    DEPENDS = "depends"
    """On something that was not read: what publishes the port, a variable of the environment."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where in a file; lines and columns count from 1, columns in characters."""

    path: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Replace the characters ``start`` to ``end`` of a file's text (offsets from 0) by ``text``."""

    path: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a configuration exposes, or says in vain."""

    rule: str
    """Its stable name, as ``LG-ORTHANC-012``; what never changes with the file stands in the catalogue."""
    place: Place
    option: str
    """The option, port or line it is about, in the words of the product."""
    says: str
    """What is wrong here, in one line. Never holds a password."""
    severity: Severity
    exposure: Access | None
    """What a stranger who reaches it can do; None when it exposes nothing by itself."""
    cause: Cause
    certainty: Certainty
    fix: str
    """What to do, in one line."""
    listener: str | None = None
    """The listener it opens (``Listener.name``); what is known of its reach changes the severity."""
    reached: str = ""
    """How strangers reach the listener, as far as other files say, in one line; "" when none says it."""
    edits: tuple[Edit, ...] = ()
    """The smallest change that closes it; empty when only a person can say what is wanted."""
