"""Names that people and scopes give, on one line that can forge nothing."""

from __future__ import annotations

__all__ = ["plain"]

_LONGEST = 200


def plain(text: str) -> str:
    """``text`` on one line, at most 200 characters: what cannot be seen, and line ends, become spaces."""
    seen = "".join(char if char.isprintable() else " " for char in text)
    line = " ".join(seen.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."
