"""What came of trying rules."""

from __future__ import annotations

from dataclasses import dataclass

from leadglass.model.endpoint import Endpoint

__all__ = ["ANSWERS", "Proof", "Trial"]

ANSWERS = "answers C-ECHO"
_REFUSED = frozenset({"filtered", "closed"})


@dataclass(frozen=True, slots=True)
class Trial:
    """One connection that was tried."""

    source: str
    endpoint: Endpoint
    who: str
    meant: bool
    """Whether it should have worked."""
    found: str
    """What became of it, in words."""

    @property
    def as_meant(self) -> bool:
        """Whether the rules did what they were made for."""
        return self.found == ANSWERS if self.meant else self.found in _REFUSED


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of it."""

    trials: tuple[Trial, ...]
    counters: tuple[tuple[str, int], ...]
    """What each counted rule says of itself, and the packets that it met."""
    refused: int | None
    """Packets that rules refused and counted; None: none of them counts."""
    notes: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Everything went as meant, and the counters agree that it was the rules that refused."""
        turned_away = sum(trial.found in _REFUSED for trial in self.trials)
        counted = self.refused is None or self.refused >= turned_away
        return counted and all(trial.as_meant for trial in self.trials)
