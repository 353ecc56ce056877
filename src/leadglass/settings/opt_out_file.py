"""The list of those who do not want to be looked at, as people write it.

Nothing here says what follows from it; ``leadglass.scope.opt_outs`` does.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, WithJsonSchema

from leadglass.settings import kinds
from leadglass.settings.kinds import Table, Text

__all__ = ["OptOutFile", "OptOutTable", "key_hint"]

Day: TypeAlias = Annotated[dt.date, WithJsonSchema({"type": "string", "format": "date"})]


class OptOutTable(Table):
    """``[[opt_out]]``: one range, who asked for it, and how that was verified."""

    range: Text
    asked_by: Text
    asked_on: Day
    verified: Literal["dns-txt", "letterhead", "call-back", "pending"]
    """``pending`` is left alone, too, until somebody has found out."""
    evidence: Text | None = None
    """Where the proof is: the name of the record, the file of the letter, who was called back."""


class OptOutFile(Table):
    """The whole file."""

    opt_out: tuple[OptOutTable, ...] = Field(default=(), strict=False)


_TABLES: kinds.Tables = {"": OptOutFile, "opt_out": OptOutTable}


def key_hint(table: str, key: str) -> str:
    """What the writer of an unknown ``key`` in ``table`` (empty: top level) may have meant; may be empty."""
    return kinds.key_hint(_TABLES, table, key)
