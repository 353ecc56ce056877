"""The forms of a report, by name: ``writer`` makes one, and loads all of them."""

from __future__ import annotations

import enum

__all__ = ["Format"]


class Format(enum.StrEnum):
    """What ``--format`` takes."""

    TEXT = "text"
    JSONL = "jsonl"
    CSV = "csv"
    HTML = "html"
    SARIF = "sarif"
