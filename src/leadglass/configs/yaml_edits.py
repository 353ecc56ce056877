"""The smallest changes to a YAML text: another word, one more pair, one more item. All else stays, comments too.

Where a change cannot be made without touching more (an anchor that others use, a text over several lines),
there is none: the result is empty, and a person has to do it.
"""

from __future__ import annotations

import json
import re

from leadglass.configs.source import Source
from leadglass.configs.yaml_nodes import Mapping, Node, Scalar, Sequence
from leadglass.model.finding import Edit

__all__ = ["added_item", "added_pair", "rewritten"]

_PLAIN = re.compile(r"[A-Za-z0-9_./\[][A-Za-z0-9_./:\[\]${}=-]*")
"""Surely a plain scalar, whatever stands before it; what it means is seen to by ``_typed``."""
_HEADER = re.compile(r"\|[+-]?[ \t\r]*")
_TYPED = re.compile(
    r"[\d.][\d_.:]*|0[xo][\da-fA-F]+|true|false|yes|no|on|off|y|n|null|~|.*[\[\]{}].*|.*:", re.IGNORECASE
)
"""Plain, and more than a text: a number, a truth, the start of a list."""


def rewritten(source: Source, scalar: Scalar, text: str) -> tuple[Edit, ...]:
    """Another word in the place of a scalar, in quotes or a block as before."""
    start, end = scalar.span
    if scalar.style == "|" and scalar.site is None:
        return _block(source, scalar, text)
    if scalar.style in {"|", ">"} or source.text[start:end].startswith(("&", "!")):
        return ()
    return (source.edit(start, end, _quoted(text, scalar.style)),)


def added_pair(source: Source, mapping: Mapping, name: str, value: str) -> tuple[Edit, ...]:
    """One more key in a mapping, after its last one."""
    if not mapping.pairs or mapping.site:
        return ()
    last = mapping.pairs[-1]
    word = f"{name}: {_quoted(value, _style_of(mapping, value))}"
    if mapping.flow:
        return (source.edit(last.value.span[1], last.value.span[1], f", {word}"),)
    return _line_behind(source, last.value, mapping.pairs[0].key.span[0], word)


def added_item(source: Source, sequence: Sequence, value: str) -> tuple[Edit, ...]:
    """One more word in a list, after the last one."""
    if not sequence.items or sequence.site:
        return ()
    last = sequence.items[-1]
    if sequence.flow:
        return (source.edit(last.span[1], last.span[1], ", " + json.dumps(value, ensure_ascii=False)),)
    dash = source.text.rfind("-", 0, sequence.items[0].span[0])
    return _line_behind(source, last, dash, "- " + _quoted(value, ""))


def _block(source: Source, scalar: Scalar, text: str) -> tuple[Edit, ...]:
    """One line in the place of those of a literal block; none where they are not told from what is behind."""
    start, end = scalar.span
    header, _, body = source.text[start:end].partition("\n")
    lines = body.rstrip().splitlines()
    wanted = scalar.value.rstrip().splitlines()
    if (
        not _HEADER.fullmatch(header)
        or not lines
        or [line.strip() for line in lines] != [w.strip() for w in wanted]
    ):
        return ()
    indent = lines[0][: len(lines[0]) - len(lines[0].lstrip())]
    if not text.strip() or not indent or not text.isprintable():
        return ()
    at = start + len(header) + 1
    return (source.edit(at + len(indent), at + len(body.rstrip()), text),)


def _line_behind(source: Source, last: Node, column_of: int, word: str) -> tuple[Edit, ...]:
    """A line of its own behind a scalar that ends its line, at the column of another character."""
    text, (start, end) = source.text, last.span
    if not isinstance(last, Scalar) or last.style in {"|", ">"} or "\n" in text[start:end] or start == end:
        return ()
    column = column_of - (text.rfind("\n", 0, column_of) + 1)
    line_end = text.find("\n", end)
    at = len(text) if line_end < 0 else line_end
    newline = "\r\n" if text[at - 1 : at + 1] == "\r\n" else "\n"
    at -= newline == "\r\n"
    return (source.edit(at, at, newline + " " * column + word),)


def _style_of(mapping: Mapping, value: str) -> str:
    """As its neighbours write it: in quotes when they do."""
    styles = [pair.value.style for pair in mapping.pairs if isinstance(pair.value, Scalar)]
    return '"' if '"' in styles or (styles and "'" in styles) or _TYPED.fullmatch(value) else ""


def _quoted(text: str, style: str) -> str:
    if style == "'" and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    if not style and _PLAIN.fullmatch(text) and not text.endswith(":"):
        return text if not text.startswith("[") else json.dumps(text)
    return json.dumps(text, ensure_ascii=False)
