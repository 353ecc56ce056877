"""The ladder: how deep a question goes. Each rung includes the ones below it."""

from __future__ import annotations

import enum

__all__ = ["Rung"]


class Rung(enum.IntEnum):
    """One rung of the ladder, comparable: ``Rung.ASSOCIATE < Rung.NEGOTIATE``."""

    __hash__ = (
        int.__hash__
    )  # the one of enumerations is ten times slower, and verdicts are remembered by rung

    PASSIVE = 0
    CONNECT = 1
    ASSOCIATE = 2
    NEGOTIATE = 3
    BLANK_QUERY = 4
    SAMPLE = 5

    @property
    def word(self) -> str:
        """The rung as scopes and records spell it, e.g. ``blank-query``."""
        return self.name.lower().replace("_", "-")

    @classmethod
    def from_word(cls, word: str) -> Rung:
        """The rung that a scope or record spells ``word``; ``ValueError`` if there is none."""
        for rung in cls:
            if rung.word == word:
                return rung
        raise ValueError(f"no rung is called {word!r}; the rungs are {', '.join(r.word for r in cls)}")
