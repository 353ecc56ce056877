"""Which entries time stamps prove to have existed, and when: what the chain itself tells of its stamps.

What an authority signed is judged elsewhere (``stamping``, which needs the extra ``stamp``) and comes in as an argument.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from leadglass.errors import ConfigError
from leadglass.ledger.chain import Entry, read_entry
from leadglass.model.register import Stamp
from leadglass.register.codec import STAMP, read

__all__ = ["Judge", "StampCheck", "check_stamps", "stamp_file", "stamps_in"]

Judge: TypeAlias = Callable[[Stamp], str]
"""What is wrong with the answer that a stamp holds; "": nothing."""


@dataclass(frozen=True, slots=True)
class StampCheck:
    """One stamp, held against the chain that it is in."""

    stamp: Stamp
    problem: str
    """In one line; "": none."""


def stamps_in(entries: Iterable[Entry]) -> list[Stamp]:
    """Every stamp that was ever entered, in its order; ``ConfigError`` if one cannot be read."""
    return [stamp for entry in entries if (stamp := _stamp(entry)) is not None]


def stamp_file(stamp: Stamp) -> str:
    """Where a stamp is in a dossier: by the entry that it is of, and by its own bytes where an entry has several."""
    return f"stamps/{stamp.n}-{hashlib.sha256(stamp.answer.encode()).hexdigest()[:8]}.tsr"


def check_stamps(lines: Iterable[bytes], judge: Judge | None) -> Sequence[StampCheck]:
    """Hold every stamp in a whole chain against it; without ``judge``, what authorities signed is not looked at."""
    digests: list[str] = []
    checked: list[StampCheck] = []
    for line in lines:
        entry = read_entry(line)
        if entry is None:
            raise ConfigError("the chain is not whole", then="leadglass register verify")
        stamp = _stamp(entry)
        if stamp is not None:
            checked.append(StampCheck(stamp, _problem(stamp, digests) or (judge(stamp) if judge else "")))
        digests.append(entry.digest)
    return checked


def _problem(stamp: Stamp, before: Sequence[str]) -> str:
    if not 0 < stamp.n <= len(before):
        return f"it is of entry {stamp.n}, which is not before it"
    if before[stamp.n - 1] != stamp.digest:
        return f"it is of another chain: entry {stamp.n} has another digest"
    return ""


def _stamp(entry: Entry) -> Stamp | None:
    body = entry.body
    if body.get("what") != STAMP or body.get("now") is None:
        return None
    stamp = read(STAMP, str(body.get("name")), body["now"], f"entry {entry.n}")
    assert isinstance(stamp, Stamp)
    return stamp
