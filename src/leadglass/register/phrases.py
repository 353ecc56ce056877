"""How the sections of a dossier say days, lists and identifiers, and what they are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from leadglass.register.case import Case
from leadglass.register.tables import Row

__all__ = ["Sheet", "brief", "day", "moment", "named", "sentence"]


class Sheet(NamedTuple):
    """What sections are made from."""

    case: Case
    rows: Mapping[str, Sequence[Row]]
    """By table."""


def named(values: Sequence[str]) -> str:
    """Some words in one cell."""
    return ", ".join(values)


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def day(text: str | None) -> str:
    """The day of a moment."""
    return (text or "")[:10]


def moment(text: str) -> str:
    """A moment to the second, UTC."""
    return f"{text[:10]} {text[11:19]}"


def brief(scan: str | None) -> str:
    """The end of an identifier, which commands take as well."""
    return (scan or "-")[-8:]
