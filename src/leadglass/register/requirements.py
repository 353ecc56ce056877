"""What laws and standards ask, as far as a register can show it: ``knowledge/*.toml``, one file a profile.

Nothing here says that anybody complies: only whether the register holds something against it.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

__all__ = ["PROFILES", "Profile", "Requirement", "profile"]

PROFILES = ("hipaa", "hipaa-2025", "ps315", "gdpr", "nis2")
"""All of them. Only what the user names is asked; ``hipaa-2025`` is proposed and not law."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One clause."""

    clause: str
    title: str
    asks: str
    """In our words, one sentence."""
    source: str
    """Where it stands: an address."""
    rules: tuple[str, ...]
    """Findings of a check that speak against it."""
    controls: tuple[str, ...]
    """What each system's controls must name."""
    inventory_days: int | None
    """Every system is reviewed at least so often."""
    scan_days: int | None
    """A scan is made at least so often."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One law or standard."""

    name: str
    title: str
    standing: str
    """Whether it is in force, in one sentence."""
    rows: Sequence[Requirement]


@functools.cache
def profile(name: str) -> Profile:
    """The profile called so, one of ``PROFILES``."""
    folder = resources.files("leadglass.register").joinpath("knowledge")
    table = tomllib.loads(folder.joinpath(f"{name}.toml").read_text("utf-8"))
    about = table.pop("profile")
    rows = tuple(_row(clause, row) for clause, row in table.items())
    return Profile(name, about["title"], about["standing"], rows)


def _row(clause: str, row: dict[str, Any]) -> Requirement:
    return Requirement(
        clause=clause,
        title=row["title"],
        asks=row["asks"],
        source=row["source"],
        rules=tuple(row.get("rules", ())),
        controls=tuple(row.get("controls", ())),
        inventory_days=row.get("inventory_days"),
        scan_days=row.get("scan_days"),
    )
