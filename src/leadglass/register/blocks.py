"""What the pages of a dossier are set from: plain data, in which text is text and never markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

__all__ = [
    "MOST",
    "Block",
    "Cell",
    "Column",
    "bar",
    "digest",
    "facts",
    "heading",
    "items",
    "mono",
    "note",
    "paragraph",
    "small",
    "stack",
    "status",
    "strong",
    "table",
    "tag",
    "typed",
]

Block: TypeAlias = dict[str, Any]
Cell: TypeAlias = str | dict[str, Any]
Column: TypeAlias = tuple[str, float]
"""Its title and its share of the width."""

MOST = 600
"""Rows of a table that pages show; the data beside them have all."""


def heading(text: str, level: int = 1) -> Block:
    """A heading, which the table of contents has too."""
    return {"kind": "heading", "text": text, "level": level}


def paragraph(text: str) -> Block:
    """A paragraph."""
    return {"kind": "paragraph", "text": text}


def note(text: str) -> Block:
    """A remark beside the matter."""
    return {"kind": "note", "text": text}


def items(texts: Iterable[tuple[str, str]]) -> Block:
    """A list, each item with the words that it begins with."""
    return {"kind": "items", "items": list(texts)}


def typed(label: str, line: str) -> Block:
    """Something to type in a terminal."""
    return {"kind": "typed", "label": label, "line": line}


def facts(rows: Iterable[tuple[str, Cell]]) -> Block:
    """Names with their values."""
    return {"kind": "facts", "rows": [list(row) for row in rows]}


def table(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], none: str, file: str) -> list[Block]:
    """A table whose head is repeated on every page; ``none`` is said where there is no row.

    ``file`` has those that are too many for pages.
    """
    if not rows:
        return [paragraph(none)]
    made: list[Block] = [
        {
            "kind": "table",
            "head": [title for title, _ in columns],
            "widths": [share for _, share in columns],
            "rows": [list(row) for row in rows[:MOST]],
        }
    ]
    if len(rows) > MOST:
        made.append(note(f"{len(rows) - MOST:,} more rows are in data/{file}.csv of the archive."))
    return made


# ---- cells


def tag(word: str) -> Cell:
    """A severity or a level of risk, as a mark that can be read without colour."""
    return {"kind": "tag", "text": word}


def status(word: str) -> Cell:
    """How a requirement stands."""
    return {"kind": "status", "text": word}


def mono(text: str) -> Cell:
    """An address, a digest, an identifier."""
    return {"kind": "mono", "text": text}


def strong(text: str) -> Cell:
    """What a row is about."""
    return {"kind": "strong", "text": text}


def small(text: str) -> Cell:
    """What is said beside it."""
    return {"kind": "small", "text": text}


def digest(text: str) -> Cell:
    """What people copy: it is never broken."""
    return {"kind": "digest", "text": text}


def bar(parts: Sequence[tuple[float, float, str]]) -> Cell:
    """Stretches of time between 0 and 1, each in the shade of a severity."""
    return {"kind": "bar", "parts": [list(part) for part in parts]}


def stack(*cells: Cell | None) -> Cell:
    """One below the other; those that are empty are left out."""
    return {"kind": "stack", "cells": [cell for cell in cells if cell and cell != small("")]}
