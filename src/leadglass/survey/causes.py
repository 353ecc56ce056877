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
from leadglass.model.lint_record import LINT_SCHEMA
from leadglass.survey.interval import LEVEL, require
from leadglass.survey.proportion import Proportion, proportion

__all__ = ["count_findings", "shares_of_causes"]

_WRITES = "leadglass lint --format json writes what is read here"
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

    What ``leadglass lint --format json`` writes names the files that it understood: those were looked at. Of other
    JSON, any object with a ``cause`` is a finding in its ``path``, or in the text itself; ``ConfigError`` if there is
    none, ``UsageError`` if nothing was looked at.
    """
    found: set[tuple[str, str, Cause]] = set()
    looked_at: set[tuple[str, str]] = set()
    for name, text in texts:
        tells = False
        for document in _documents(text, name):
            shown = {(_path(finding) or name, Cause(finding["cause"])) for finding in _findings(document)}
            found.update((name, path, cause) for path, cause in shown)
            files = _files(document)
            looked_at.update((name, path) for path, _ in shown)
            looked_at.update((name, path) for path in files or ())
            tells = tells or bool(shown) or files is not None
        if not tells:
            raise ConfigError("no cause is told in it, and it is no report of lint", where=name, then=_WRITES)
    require(
        bool(looked_at),
        "no file was understood in these reports, so nothing follows",
        then="lint configurations that Leadglass knows",
    )
    return {cause: sum(each is cause for _, _, each in found) for cause in Cause}, len(looked_at)


def _files(document: Any) -> list[str] | None:
    """The files that a report of lint understood; None if it is no such report."""
    if not (isinstance(document, dict) and document.get("schema") == LINT_SCHEMA):
        return None
    files = document.get("files")
    return [
        file["path"]
        for file in (files if isinstance(files, list) else [])
        if isinstance(file, dict) and isinstance(file.get("path"), str)
    ]


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
        raise ConfigError("this is not JSON", where=where, then=_WRITES) from exc


def _findings(document: Any) -> Iterator[Mapping[str, Any]]:
    """Every object with a cause, however deep."""
    waiting = [(document, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > _DEEPEST:
            continue
        if isinstance(value, dict):
            if isinstance(value.get("cause"), str) and value["cause"] in _WORDS:
                yield value
            waiting.extend((inner, depth + 1) for inner in value.values())
        elif isinstance(value, list):
            waiting.extend((inner, depth + 1) for inner in value)


def _path(finding: Mapping[str, Any]) -> str | None:
    path = finding.get("path")
    return path if isinstance(path, str) else None
