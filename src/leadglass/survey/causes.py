"""Why servers stand open, counted: from numbers, or from what ``leadglass lint`` found.

A server or file counts once for each cause that was found in it, so shares need not add up to one, and each
interval holds by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from leadglass.errors import ConfigError
from leadglass.model.finding import Cause
from leadglass.survey.interval import LEVEL, require
from leadglass.survey.proportion import Proportion, proportion

__all__ = ["count_findings", "shares_of_causes"]

_DEEPEST = 64
_WORDS = frozenset(cause.value for cause in Cause)


def shares_of_causes(
    counts: Mapping[Cause, int], looked_at: int, level: float = LEVEL
) -> Mapping[Cause, Proportion]:
    """The share of each cause among ``looked_at`` servers or files; ``UsageError`` if counts cannot be."""
    for cause, count in counts.items():
        require(
            0 <= count <= looked_at,
            f"{cause.value} was found {count:,} times among {looked_at:,}",
            then="count a server once for each cause",
        )
    return {cause: proportion(counts.get(cause, 0), looked_at, None, level) for cause in Cause}


def count_findings(texts: Iterable[tuple[str, str]]) -> tuple[Mapping[Cause, int], int]:
    """How many files show each cause, and how many files there are, from (name, JSON or JSON Lines) pairs.

    A finding is any object with a ``cause``; its file is in ``place.path``, ``path`` or ``file``, else it is the
    report that it stands in. A report without a finding counts as a file that was looked at.
    """
    found: set[tuple[str, Cause]] = set()
    files: set[str] = set()
    for name, text in texts:
        before = len(files)
        for finding in _findings(_documents(text, name)):
            path = _path(finding) or name
            files.add(path)
            found.add((path, Cause(finding["cause"])))
        if len(files) == before:
            files.add(name)
    return {cause: sum(each is cause for _, each in found) for cause in Cause}, len(files)


def _documents(text: str, name: str) -> Iterator[Any]:
    """The JSON values of a text: one, or one a line."""
    try:
        yield json.loads(text)
    except RecursionError as exc:
        raise ConfigError("this is nested too deeply", where=name) from exc
    except ValueError:
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                yield _line(line, f"{name}, line {number}")


def _line(line: str, where: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as exc:
        raise ConfigError(
            "this is not JSON", where=where, then="leadglass lint --format json writes what is read here"
        ) from exc


def _findings(documents: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    """Every object with a cause, however deep."""
    waiting = [(document, 0) for document in documents]
    while waiting:
        value, depth = waiting.pop()
        if depth > _DEEPEST:
            continue
        if isinstance(value, dict):
            if value.get("cause") in _WORDS:
                yield value
            waiting.extend((inner, depth + 1) for inner in value.values())
        elif isinstance(value, list):
            waiting.extend((inner, depth + 1) for inner in value)


def _path(finding: Mapping[str, Any]) -> str | None:
    place = finding.get("place")
    if isinstance(place, dict) and isinstance(place.get("path"), str):
        return str(place["path"])
    for key in ("path", "file"):
        if isinstance(finding.get(key), str):
            return str(finding[key])
    return None
