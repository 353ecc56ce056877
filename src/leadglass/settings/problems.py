"""What a schema finds wrong with a configuration file, in the words of somebody who writes one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from pydantic_core import ErrorDetails

from leadglass.settings.lines import Path

__all__ = ["KeyHint", "Problem", "describe"]

KeyHint: TypeAlias = Callable[[str, str], str]
"""What the writer of an unknown key in a table (empty: top level) may have meant; may be empty."""

_WANTED: Mapping[str, str] = {
    "string_type": "must be text in quotes",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false, without quotes",
    "float_type": "must be a number",
    "date_type": "must be a date without quotes and time, such as 2027-01-31",
    "model_type": "must be a table",
    "tuple_type": "must be a list of tables, each under its own [[heading]]",
}


class Problem(NamedTuple):
    """One mistake: where, what, and what to write instead."""

    path: Path
    what: str
    then: str = ""
    is_absence: bool = False
    """A key is missing: often only because it was misspelt, which is then the better thing to say."""


def describe(error: ErrorDetails, hint: KeyHint) -> Problem:
    """One pydantic error as a problem. Text from the file is quoted, never run on."""
    path: Path = error["loc"]
    kind = error["type"]
    key = next((step for step in reversed(path) if isinstance(step, str)), "")  # of a list: whose item it is
    if kind == "extra_forbidden":
        return Problem(path, f"unknown key {key!r}", hint(_table(path), key))
    if kind == "missing":
        return Problem(path, f"{key} is missing{_home(path)}", is_absence=True)
    if kind == "literal_error":
        return Problem(path, f"{key} = {error['input']!r} must be {error['ctx']['expected']}")
    if kind == "value_error":
        return Problem(path, f"{key}: {error['ctx']['error']}")
    return Problem(path, f"{key} {_WANTED.get(kind, error['msg'])}")


def _home(path: Path) -> str:
    if len(path) == 1:
        return ""
    return f" in [[{path[0]}]]" if len(path) > 2 else f" in [{path[0]}]"


def _table(path: Path) -> str:
    return str(path[0]) if len(path) > 1 else ""
