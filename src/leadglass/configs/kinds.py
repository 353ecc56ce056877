"""Which reader takes which file. Files are told by what they hold; a name is a hint at most."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from leadglass.configs.reading import Reading
from leadglass.configs.source import Source

__all__ = ["Environment", "Reader"]

Environment: TypeAlias = Mapping[str, str | None]
"""Variables that are known from elsewhere, as a compose file; None: it is set, to what is not known."""


@dataclass(frozen=True, slots=True)
class Reader:
    """One kind of file."""

    kind: str
    recognises: Callable[[Source], bool]
    """Is it this kind? Cheap, and by content; must not raise."""
    read: Callable[[Source, Environment], Reading]
    """Understand it. ``ConfigError`` at its place when it is broken."""
