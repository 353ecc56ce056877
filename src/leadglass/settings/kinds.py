"""What the tables of configuration files are made of: strict tables, and texts that are checked.

No number in quotes is taken for a number, and a key that nobody reads is an error, because a
misspelt one would otherwise silently be without effect. The JSON Schema says as much of each rule
as it can, for editors; the validator beside it decides.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, WithJsonSchema

from leadglass.settings.titles import ae_title

__all__ = ["Table", "Tables", "Text", "Title", "Url", "key_hint"]

Tables: TypeAlias = Mapping[str, type[BaseModel]]
"""The tables of a file by their headings; the one without a heading is called ""."""


class Table(BaseModel):
    """One table of a configuration file."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def _text(value: str) -> str:
    if not value.strip():
        raise ValueError("may not be empty")
    if not value.isprintable():
        raise ValueError("may not hold line breaks or control characters")
    return value.strip()


def _url(value: str) -> str:
    _text(value)
    if not value.isascii() or " " in value or not value.startswith(("https://", "http://")):
        raise ValueError("must be an http:// or https:// address without spaces")
    return value


Text: TypeAlias = Annotated[str, AfterValidator(_text), WithJsonSchema({"type": "string", "pattern": r"\S"})]
Url: TypeAlias = Annotated[
    str, AfterValidator(_url), WithJsonSchema({"type": "string", "pattern": r"^https?://\S+$"})
]
Title: TypeAlias = Annotated[
    str,
    AfterValidator(ae_title),
    WithJsonSchema({"type": "string", "pattern": r"^ *[!-\[\]-~]([ -\[\]-~]{0,14}[!-\[\]-~])? *$"}),
]


def key_hint(tables: Tables, table: str, key: str) -> str:
    """What the writer of an unknown ``key`` in ``table`` may have meant."""
    homes = [name for name, model in tables.items() if key in model.model_fields]
    if homes:
        return f"it belongs {_home(homes[0])}"
    near = difflib.get_close_matches(key.lower(), list(tables[table].model_fields), n=1, cutoff=0.5)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"the keys here are {', '.join(tables[table].model_fields)}"


def _home(table: str) -> str:
    return f"under [{table}]" if table else "at the top, before the first [table]"
