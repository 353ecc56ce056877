"""A notice to whoever runs an exposed server, and what became of it: the nouns of ``leadglass notify``."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from typing import Literal

from leadglass.model.record_parts import Tlp
from leadglass.model.verdict import Access, Position, Severity

__all__ = [
    "Answer",
    "Audience",
    "Channel",
    "Exposure",
    "Frame",
    "Language",
    "Notice",
    "Outcome",
    "Sender",
    "SentNotice",
]


class Language(enum.StrEnum):
    """What a notice is written in (ISO 639-1)."""

    EN = "en"
    DE = "de"
    FR = "fr"
    ES = "es"
    PT = "pt"
    JA = "ja"


class Frame(enum.StrEnum):
    """The law whose duties a notice names."""

    HIPAA = "hipaa"
    GDPR = "gdpr"
    NEUTRAL = "neutral"


class Audience(enum.StrEnum):
    """Who gets it."""

    OWNER = "owner"
    VENDOR = "vendor"
    """Whoever supplies, hosts or maintains the server: a business associate, a processor."""


class Channel(enum.StrEnum):
    """How it was sent, the way that made most owners act first (Maass et al., ARES 2021)."""

    LETTER = "letter"
    EMAIL = "email"
    PHONE = "phone"
    FORM = "form"
    CSIRT = "csirt"


class Answer(enum.StrEnum):
    """What came back."""

    RECEIVED = "received"
    FIXED = "fixed"
    """They say that it is closed."""
    NOT_OURS = "not-ours"
    REFUSED = "refused"
    UNDELIVERABLE = "undeliverable"
    OPT_OUT = "opt-out"


class Outcome(enum.StrEnum):
    """What later looks say of what a notice told of, the worst first."""

    OPEN = "open"
    MOVED = "moved"
    """The same server lets strangers in at another address."""
    UNKNOWN = "unknown"
    """It was looked at, and the answer decides nothing."""
    GONE = "gone"
    """Nothing answers there. It may be behind a firewall, elsewhere, or switched off for a day: not fixed."""
    FIXED = "fixed"
    """It demands a certificate or a login; or nothing answers, and the owner says that it is closed."""
    UNTESTED = "untested"
    """Nobody has looked since."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """One endpoint that a notice tells of: what was seen, without a word that the server chose."""

    address: str
    port: int
    name: str | None
    seen_at: dt.datetime
    """Aware, UTC, in whole seconds."""
    source: str | None
    """The address that looked."""
    position: Position
    access: Access
    severity: Severity
    rung: str
    """The deepest that was asked, as ``record.RungWord``."""
    product: str | None
    version: str | None
    rules: tuple[str, ...]
    """Names of the rules that decided, in their order."""
    scan: str
    tls: bool
    web: bool
    """It speaks HTTP and no DICOM."""
    tlp: Tlp | None

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class Sender:
    """In whose name the look was taken, as the scope says."""

    name: str
    """Who gave leave for it."""
    contact: str
    url: str | None
    calling_ae: str
    basis: Literal["owner", "mandate", "research"]
    reference: str
    """Where the leave is written down, or the name of the scope."""


@dataclass(frozen=True, slots=True)
class Notice:
    """All that one owner is told, before it is put into words."""

    owner: str
    recipient: str
    """Whom it is addressed to: the owner, or the vendor."""
    audience: Audience
    language: Language
    frame: Frame
    exposures: tuple[Exposure, ...]
    """At least one, the worst first."""
    sender: Sender
    day: dt.date
    tlp: Tlp

    @property
    def wording(self) -> str:
        """Which text it is, as the log keeps it: ``de-gdpr-owner``."""
        return f"{self.language}-{self.frame}-{self.audience}"


@dataclass(frozen=True, slots=True)
class SentNotice:
    """A notice that was sent, or begun to be."""

    reference: str
    channel: Channel
    owner: str
    recipient: str
    wording: str
    sent_at: int
    """POSIX seconds."""
    state: str = "sent"
    """``sent``; ``sending`` when it was begun and nobody knows whether it left; ``failed`` when it was refused."""
    answers: tuple[Answer, ...] = ()
    """In the order they came."""
