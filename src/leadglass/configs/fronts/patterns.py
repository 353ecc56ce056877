"""A file's regular expressions, tried on paths without trusting them.

Python's matcher goes back on its steps, so an expression from a file could keep it busy for years. Only such are
tried as cannot: short, with few unbounded repetitions and none of a group. That is what people write in fronts.
"""

from __future__ import annotations

import re

__all__ = ["matches"]

_LONGEST = 200
_MOST_REPETITIONS = 4
_UNTRIED = re.compile(r"\)[*+{]|\{\d*,|\{\d{3}|\\[1-9gkQEKGRX]|\(\?[^:i]|\(\?i[^)]|\[\[|--|&&|\|\||~~|\[:")
"""Repeated groups, counted repetition without end, what PCRE knows and Python does not, and what may be a set of sets."""


def matches(pattern: str, path: str, *, any_case: bool = False) -> bool | None:
    """Whether ``pattern`` is found in ``path``; None when it is not tried."""
    if len(pattern) > _LONGEST or _UNTRIED.search(pattern):
        return None
    if sum(map(pattern.count, "*+")) > _MOST_REPETITIONS:
        return None
    try:
        return re.search(pattern, path[:_LONGEST], re.IGNORECASE if any_case else 0) is not None
    except (re.error, OverflowError, RecursionError):
        return None
