"""The smallest changes to an Apache httpd's file that close something; comments, order and line ends stay."""

from __future__ import annotations

import re

from leadglass.configs.fronts.apache_case import Case, Spot
from leadglass.configs.fronts.apache_syntax import Directive
from leadglass.configs.source import Source
from leadglass.model.finding import Edit

__all__ = ["ask_as", "move_out", "remove", "reword"]

_BELONG = re.compile(r"auth\w*|require\w*|satisfy|order|allow|deny")


def reword(case: Case, line: Directive, text: str) -> tuple[Edit, ...]:
    """Other arguments."""
    return (case.source.edit(line.words[0].start, line.words[-1].end, text),) if line.words else ()


def remove(case: Case, line: Directive) -> tuple[Edit, ...]:
    """A line, with its line end."""
    text = case.source.text
    start = text.rfind("\n", 0, line.start) + 1
    end = text.find("\n", line.end)
    return (case.source.edit(start, end + 1 if end >= 0 else line.end, ""),)


def move_out(case: Case, section: Directive, limit: Directive) -> tuple[Edit, ...]:
    """What is asked of some methods, asked of all; only where nothing else is asked there."""
    asks = [line for line in limit.inner or [] if _BELONG.fullmatch(line.name)]
    if any(line.name.startswith("require") for line in section.inner or []):
        return ()
    return _before(case.source, limit, [_text(case.source, line) for line in asks])


def ask_as(case: Case, asking: Directive, spot: Spot) -> tuple[Edit, ...]:
    """The lines by which a section asks: in the section of the path, or in a new one before what passes on."""
    lines = [_text(case.source, line) for line in asking.inner or [] if _BELONG.fullmatch(line.name)]
    own = [s for s in spot.host.around(spot.path) if s.arguments[-1:] == (spot.path,) and s.inner]
    if own:
        taken = any(_BELONG.fullmatch(line.name) for line in own[-1].inner or [])
        return () if taken else _before(case.source, (own[-1].inner or [])[0], lines)
    if spot.passed.regular or '"' in spot.path:
        return ()
    made = [f'<Location "{spot.path}">', *(f"    {line}" for line in lines), "</Location>"]
    return _before(case.source, spot.passed.directive, made)


def _before(source: Source, line: Directive, lines: list[str]) -> tuple[Edit, ...]:
    """Lines above a line, indented as it is."""
    start = source.text.rfind("\n", 0, line.start) + 1
    indent = source.text[start : line.start]
    end = "\r\n" if source.text[max(start - 2, 0) : start] == "\r\n" else "\n"
    if indent.strip():
        return ()
    return (source.edit(start, start, "".join(f"{indent}{text}{end}" for text in lines)),)


def _text(source: Source, line: Directive) -> str:
    # A backslash at the end would take in the line that comes after the copy.
    return source.text[line.start : line.end].rstrip("\\ \t\r\n")
