"""Every option that Orthanc and its plugins have: ``knowledge/orthanc_options.toml``, read at first use, once."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from importlib import resources
from typing import Any

__all__ = ["Option", "Section", "core", "instead", "owners", "sections"]


@dataclass(frozen=True, slots=True)
class Option:
    """One of the core."""

    name: str
    type: str
    """``bool``, ``int``, ``string``, ``list``, ``object`` or ``any``."""
    default: bool | int | str | None = None
    """None: unset unless somebody sets it."""
    since: str | None = None
    """The release that brought it, where its documentation says so."""
    safe: bool | None = None
    """The value that closes something."""


@dataclass(frozen=True, slots=True)
class Section:
    """The options of one plugin."""

    name: str
    options: AbstractSet[str]
    open: bool
    """Takes names that are not listed: the user's own, or of other releases."""


@functools.cache
def core() -> Mapping[str, Option]:
    """The options of the top level, by name."""
    return {name: Option(name, **row) for name, row in _knowledge()["core"].items()}


@functools.cache
def sections() -> Mapping[str, Section]:
    """The sections of plugins, by name."""
    return {
        name: Section(name, frozenset(row["options"].split()), row.get("open", False))
        for name, row in _knowledge()["sections"].items()
    }


@functools.cache
def owners() -> Mapping[str, Sequence[str]]:
    """The sections that have an option, by its name."""
    found: dict[str, list[str]] = {}
    for section in sections().values():
        for option in section.options:
            found.setdefault(option, []).append(section.name)
    return found


def instead(name: str) -> str | None:
    """What does what people hope for who write this name, which no release has."""
    told: str | None = _knowledge()["invented"].get(name)
    return told


@functools.cache
def _knowledge() -> Mapping[str, Any]:
    file = resources.files("leadglass.configs").joinpath("knowledge", "orthanc_options.toml")
    return tomllib.loads(file.read_text("utf-8"))
