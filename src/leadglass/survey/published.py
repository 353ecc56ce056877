"""What was published before, row by row with its source, so that a new study can stand beside it."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from importlib import resources

from leadglass.survey.proportion import Proportion, proportion

__all__ = ["Published", "published"]


@dataclass(frozen=True, slots=True)
class Published:
    """One survey."""

    name: str
    year: int
    servers: int
    rule: str
    """What the survey called open."""
    lacks: str
    """What would be needed to compare it."""
    source: str
    open: int | None = None
    """How many of the servers were open; None where the survey did not test it."""

    @property
    def share(self) -> Proportion | None:
        """The share that was open, with our own interval: none of the surveys gives one."""
        return None if self.open is None else proportion(self.open, self.servers)


@functools.cache
def published() -> tuple[Published, ...]:
    """The surveys, oldest first."""
    text = (
        resources.files("leadglass.survey")
        .joinpath("knowledge", "published.toml")
        .read_text(encoding="utf-8")
    )
    return tuple(Published(**row) for row in tomllib.loads(text)["survey"])
