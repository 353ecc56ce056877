"""The smallest change that closes what was found: edits chosen, made, and looked at again until nothing is left."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from leadglass.configs.lint import Linted
from leadglass.configs.source import edited
from leadglass.model.finding import Edit, Finding

__all__ = ["fixed"]

_ROUNDS = 128
"""A fix may show what another one hid, and insertions at one place are made one after the other."""
_TOGETHER = 10_000
"""Findings that are closed in one round."""

_Key = tuple[str, str, str]


def fixed(
    before: Linted,
    wanted: Callable[[Linted], Iterable[Finding]],
    again: Callable[[Mapping[str, str]], Linted],
) -> Mapping[str, str]:
    """The new text of each file that changes, by path.

    ``wanted`` chooses the findings to close, worst first; ``again`` lints the files with other texts.
    Files that were not read are never changed.
    """
    texts: dict[str, str] = {}
    now = before
    done: set[_Key] = set()
    most = _TOGETHER
    for _ in range(_ROUNDS):
        current = {reading.source.path: reading.source.text for reading in now.readings}
        tried = set(done)
        edits = _chosen(wanted(now), current, tried, most)
        if not edits:
            break
        made = {path: edited(current[path], changes) for path, changes in edits.items()}
        then = again(texts | made)
        if not _broken(then) - _broken(before):
            texts, now, done = texts | made, then, tried
        elif most == 1:
            done = tried  # this one spoils the file, and is left to a person
        else:
            most = 1  # each of them may do no harm by itself
    return {path: text for path, text in texts.items() if text != _text(before, path)}


def _broken(linted: Linted) -> set[str]:
    return {broken.path for broken in linted.broken}


def _chosen(
    findings: Iterable[Finding], current: Mapping[str, str], done: set[_Key], most: int
) -> Mapping[str, list[Edit]]:
    """The edits of as many findings as go together; what overlaps waits for the next round.

    What is ``done`` and is found again was not closed by its edits, and is left to a person.
    """
    before = frozenset(done)
    number = 0
    taken: defaultdict[str, list[Edit]] = defaultdict(list)
    for finding in findings:
        edits = finding.edits
        name = (finding.rule, finding.place.path, finding.option)
        if not edits or name in before or any(edit.path not in current for edit in edits):
            continue
        if all(edit in taken[edit.path] or not _meets(edit, taken[edit.path]) for edit in edits):
            done.add(name)
            number += 1
            for edit in edits:
                if edit not in taken[edit.path]:
                    taken[edit.path].append(edit)
        if number == most:
            break
    return {path: edits for path, edits in taken.items() if edits}


def _meets(edit: Edit, others: Iterable[Edit]) -> bool:
    """Whether it touches what another one changes: a comma between two of them would be taken twice."""
    return any(edit.start <= other.end and other.start <= edit.end for other in others)


def _text(linted: Linted, path: str) -> str:
    return next(reading.source.text for reading in linted.readings if reading.source.path == path)
