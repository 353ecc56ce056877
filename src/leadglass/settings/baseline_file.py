"""The baseline of a lint as people keep it: which findings somebody answers for, why, and until when."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, Field, WithJsonSchema

from leadglass.errors import ConfigError
from leadglass.settings import kinds
from leadglass.settings.kinds import Table, Text
from leadglass.settings.toml_file import TomlFile

__all__ = ["AcceptedTable", "BaselineFile", "baseline_text", "read_baseline"]

_RULE = r"LG-[A-Z0-9]+-[0-9]{3}"


def _rule(value: str) -> str:
    if not re.fullmatch(_RULE, value):
        raise ValueError("must be a rule such as LG-ORTHANC-012")
    return value


RuleId: TypeAlias = Annotated[
    str, AfterValidator(_rule), WithJsonSchema({"type": "string", "pattern": f"^{_RULE}$"})
]


class AcceptedTable(Table):
    """``[[accepted]]``: one finding that somebody answers for."""

    rule: RuleId
    path: Text
    """Of the file, seen from the folder of the baseline, with ``/``."""
    option: Text
    owner: Text
    reason: Text
    expires: dt.date
    """The last day on which it counts."""


class BaselineFile(Table):
    """The whole file."""

    accepted: tuple[AcceptedTable, ...] = Field(default=(), strict=False)


_TABLES: kinds.Tables = {"": BaselineFile, "accepted": AcceptedTable}


def read_baseline(text: str, filename: str) -> tuple[AcceptedTable, ...]:
    """What ``text`` accepts; ``ConfigError`` with the line of whatever is wrong."""

    def hint(table: str, key: str) -> str:
        return kinds.key_hint(_TABLES, table, key)

    return TomlFile(text, filename, BaselineFile, hint, ConfigError).values.accepted


def baseline_text(accepted: Iterable[AcceptedTable]) -> str:
    """A file that reads as ``accepted``."""
    return "\n".join(
        f"[[accepted]]\n"
        f"rule = {_quoted(one.rule)}\n"
        f"path = {_quoted(one.path)}\n"
        f"option = {_quoted(one.option)}\n"
        f"owner = {_quoted(one.owner)}\n"
        f"reason = {_quoted(one.reason)}\n"
        f"expires = {one.expires.isoformat()}\n"
        for one in accepted
    )


def _quoted(text: str) -> str:
    """A basic string of TOML: its escapes are those of JSON, and ``Text`` holds nothing that needs more."""
    return json.dumps(text, ensure_ascii=False)
