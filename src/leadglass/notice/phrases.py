"""The words of each language, one TOML file for each; a test holds them alike."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any

from leadglass.model.notice import Language

__all__ = ["Phrases", "phrases"]


class Phrases:
    """The words of one language, by table and key."""

    __slots__ = ("_tables",)

    def __init__(self, tables: Mapping[str, Mapping[str, Any]]) -> None:
        self._tables = tables

    def say(self, table: str, key: str, **fields: str) -> str:
        """One phrase, with ``fields`` where it names them; what these hold is never read as a phrase."""
        text: str = self._tables[table][key]
        return text.format_map(fields)

    def steps(self, table: str, key: str) -> tuple[str, ...]:
        """Several phrases that belong together."""
        return tuple(self._tables[table][key])


@functools.cache
def phrases(language: Language) -> Phrases:
    """The words of ``language``."""
    file = resources.files("leadglass.notice").joinpath("languages", f"{language.value}.toml")
    return Phrases(tomllib.loads(file.read_text(encoding="utf-8")))
