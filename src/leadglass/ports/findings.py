"""What the register finds, as the dashboard and the API are told of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from leadglass.model.verdict import Severity

__all__ = ["Begun", "Disagreement", "Requirement", "Since", "Standing"]


@dataclass(frozen=True, slots=True)
class Begun:
    """The day since when something is so, and the number of the entry that it came with; None: a day came."""

    on: dt.date
    by: int | None


class Disagreement(Protocol):
    """One thing that is not as the register, or a requirement, has it."""

    @property
    def key(self) -> tuple[str, str, str]:
        """The same on each day that it stands, however it is worded."""
        ...

    @property
    def rule(self) -> str:
        """What is wrong, by a name that stays."""
        ...

    @property
    def about(self) -> str:
        """A system by its name, or an address; "" for the register as a whole."""
        ...

    @property
    def says(self) -> str:
        """In one line."""
        ...

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        ...


Since: TypeAlias = Callable[[Disagreement], Begun | None]
"""Tells since when one stands; None: the entries do not tell."""


class Requirement(Protocol):
    """One clause of a law or a standard."""

    @property
    def clause(self) -> str:
        """Where it stands, as ``164.312(a)(1)``."""
        ...

    @property
    def title(self) -> str:
        """What it is called."""
        ...

    @property
    def asks(self) -> str:
        """In our words, one sentence."""
        ...

    @property
    def source(self) -> str:
        """An address."""
        ...


class Standing(Protocol):
    """One requirement, how it stands, and what the register holds for and against it."""

    @property
    def profile(self) -> str:
        """The law or standard, by its short name."""
        ...

    @property
    def requirement(self) -> Requirement:
        """The clause."""
        ...

    @property
    def against(self) -> Sequence[Disagreement]:
        """What speaks against it."""
        ...

    @property
    def status(self) -> str:
        """``met``, ``not-met`` or ``unknown``."""
        ...

    @property
    def evidence(self) -> Sequence[str]:
        """What speaks for it, one sentence each."""
        ...

    @property
    def missing(self) -> Sequence[str]:
        """Why nothing can be said, one sentence each."""
        ...
