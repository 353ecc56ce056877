"""The one door to what is known about products: ``knowledge/*.toml``, read at first use, once.

Rows are facts with a source and a confidence; this module gives them types and nothing more.
It must not decide anything, and nothing here may be changed by what a peer says.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any, TypeAlias

__all__ = ["FILES", "Table", "table"]

Table: TypeAlias = Mapping[str, Any]
"""A TOML table."""

FILES = ("advice", "features", "implementations", "nature", "organisations", "severity", "web")
"""What there is to know, by file."""


@functools.cache
def table(name: str) -> Table:
    """The whole of ``knowledge/<name>.toml``; ``name`` is one of ``FILES``."""
    text = (
        resources.files("leadglass.judge").joinpath("knowledge", f"{name}.toml").read_text(encoding="utf-8")
    )
    return tomllib.loads(text)
