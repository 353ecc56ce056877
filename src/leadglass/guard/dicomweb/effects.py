"""What a relay wants done: bytes to send, connections to open and end, questions that somebody else answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

__all__ = [
    "AbortClient",
    "CloseClient",
    "CloseUpstream",
    "Contains",
    "Dial",
    "Effect",
    "Identify",
    "LookUp",
    "Question",
    "SendClient",
    "SendUpstream",
]


@dataclass(frozen=True, slots=True)
class SendClient:
    """Bytes for the client."""

    data: bytes | memoryview


@dataclass(frozen=True, slots=True)
class CloseClient:
    """End the client's connection when everything has been sent."""


@dataclass(frozen=True, slots=True)
class AbortClient:
    """End the client's connection at once, so that it sees that the answer is not complete."""


@dataclass(frozen=True, slots=True)
class Dial:
    """Connect to the archive. Answered with whether the connection has been used before."""

    fresh: bool
    """Not with a connection that has been used before."""


@dataclass(frozen=True, slots=True)
class SendUpstream:
    """Bytes for the archive."""

    data: bytes | memoryview


@dataclass(frozen=True, slots=True)
class CloseUpstream:
    """The connection to the archive is needed no more."""

    idle: float
    """Seconds that it may be kept for others; 0: it is in the middle of something, and is to be closed."""


@dataclass(frozen=True, slots=True)
class Identify:
    """Who asks? Answered with a ``Client`` or an ``IdentityRefusal``."""

    authorization: str | None


@dataclass(frozen=True, slots=True)
class LookUp:
    """What are these studies? Answered with a mapping from UID to ``Study`` or None."""

    uids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contains:
    """Is the series, or the instance, one of the study's? Answered with a bool."""

    study: str
    series: str
    instance: str


@dataclass(frozen=True, slots=True)
class Even:
    """Answered, with nothing, when a whole number of intervals has passed: the time tells less then."""

    began: float
    """When the request did."""


Question: TypeAlias = Dial | Identify | LookUp | Contains | Even
"""Told as an effect, and answered once, with ``Relay.answered`` or ``Relay.failed``."""

Effect: TypeAlias = (
    SendClient
    | CloseClient
    | AbortClient
    | Dial
    | SendUpstream
    | CloseUpstream
    | Identify
    | LookUp
    | Contains
    | Even
)
