"""The real name that somebody meant who wrote one that does not exist."""

from __future__ import annotations

import functools
import posixpath
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

__all__ = ["LONGEST", "nearest"]

LONGEST = 64
"""Characters: no option has a longer name, and none is sought for a longer one."""

_ALIKE = 0.6
_LETTERS_ONLY = 0.15
"""By so much more have the letters to be alike where no words are."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@dataclass(frozen=True, slots=True)
class _Name:
    name: str
    folded: str
    words: frozenset[str]


def nearest(name: str, known: Collection[str]) -> str | None:
    """The one of ``known`` most like ``name``, None when none is; a name that differs in case alone wins.

    Likeness counts words in common (``RemoteAccessEnabled``: two of three with ``RemoteAccessAllowed``) and
    letters in common (``DicomAlwaysAlowStore``) alike.
    """
    if not 1 < len(name) <= LONGEST:
        return None
    meant = _name(name)
    score, best = max(
        ((_likeness(meant, other), other.name) for other in _names(tuple(known)) if _near(meant, other)),
        default=(0.0, ""),
        key=lambda scored: scored[0],
    )
    return best if score >= _ALIKE else None


@functools.lru_cache(maxsize=256)
def _names(known: tuple[str, ...]) -> Sequence[_Name]:
    return [_name(name) for name in sorted(known)]


def _name(name: str) -> _Name:
    words = (word.lower() for word in _WORD.findall(name))
    return _Name(name, name.replace("_", "").replace("-", "").lower(), frozenset(words))


def _near(meant: _Name, other: _Name) -> bool:
    """Whether it is worth counting: half the words are the same, or length and an end are alike."""
    if 2 * len(meant.words & other.words) >= len(meant.words):
        return True
    long = 1 + len(meant.folded) // 4
    ends = meant.folded[:2] == other.folded[:2] or meant.folded[-4:] == other.folded[-4:]
    return ends and abs(len(meant.folded) - len(other.folded)) <= long


def _likeness(meant: _Name, other: _Name) -> float:
    """1 for the same letters; else the mean of what the words and what the letters have in common."""
    if meant.folded == other.folded:
        return 1.0
    words = 2 * len(meant.words & other.words) / max(len(meant.words) + len(other.words), 1)
    longest = max(len(meant.folded), len(other.folded))
    enough = min(_ALIKE + _LETTERS_ONLY, 2 * _ALIKE - words)
    letters = 1 - _distance(meant.folded, other.folded, int((1 - enough) * longest)) / longest
    return min(max(letters - _LETTERS_ONLY, (letters + words) / 2), 0.99)


def _distance(left: str, right: str, limit: int) -> int:
    """Letters to insert, drop, change or swap with their neighbour; more than ``limit`` is not counted out."""
    left, right = _differing(left, right)
    before: list[int] = []
    above = list(range(len(right) + 1))
    for i, letter in enumerate(left, 1):
        row = [i]
        for j, other in enumerate(right, 1):
            cost = min(above[j] + 1, row[-1] + 1, above[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == right[j - 2] and left[i - 2] == other:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, above = above, row
        if min(above) > limit:
            return max(len(left), len(right))
    return above[-1]


def _differing(left: str, right: str) -> tuple[str, str]:
    """Without the letters that both begin with and end with."""
    start = len(posixpath.commonprefix((left, right)))
    left, right = left[start:], right[start:]
    end = len(posixpath.commonprefix((left[::-1], right[::-1])))
    return left[: len(left) - end], right[: len(right) - end]
