"""Apache httpd's configuration language: lines and sections, each with its place.

A line goes on where it ends with a backslash; a comment is a whole line; names are the same in any case. Sections
that depend on the build (``IfModule``, ``IfDefine``, ``IfVersion``) are looked through by ``effective``.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from leadglass.configs.source import Source

__all__ = ["Directive", "Word", "effective", "parse"]

_MOST = 50_000
_MOST_WORDS = 5000
"""Of one line."""
_BLANK = re.compile(r"[ \t\r\n\ufeff]*+")
_DEEPEST = 50
_CONTINUED = re.compile(r"\\\r?\n")
_LINE_END = re.compile(r"(?<!\\)(?<!\\\r)\n|\Z")
_WORD = re.compile(r"\"([^\"\\]*+(?:\\.[^\"\\]*+)*+)\"?|'([^'\\]*+(?:\\.[^'\\]*+)*+)'?|(\S++)", re.DOTALL)
_THROUGH = frozenset({"ifmodule", "ifdefine", "ifversion", "iffile", "ifdirective", "ifsection"})
_ALWAYS_THERE = re.compile(
    r"!\s*\"?(mod_)?(ssl|proxy\w*|headers|rewrite|authz_core|auth_basic|authn_core)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Word:
    """One argument: its meaning, and where it is written."""

    text: str
    start: int
    end: int


@dataclass(slots=True, eq=False)
class Directive:
    """A line, or a section with the lines in it."""

    name: str
    """In lower case."""
    words: tuple[Word, ...]
    start: int
    end: int
    """Of the line, before its line end; of a section, after its closing tag."""
    inner: list[Directive] | None = None
    """What stands in the section; None for a line."""
    opened: int = field(default=0)
    """Offset after the opening tag."""

    @property
    def arguments(self) -> tuple[str, ...]:
        """What follows the name."""
        return tuple(word.text for word in self.words)

    @property
    def argument(self) -> str:
        """The first argument, ``""`` without one."""
        return self.words[0].text if self.words else ""


def parse(source: Source) -> list[Directive]:
    """The lines and sections of a file; ``ConfigError`` at its place when they do not close."""
    top: list[Directive] = []
    stack: list[tuple[list[Directive], Directive | None]] = [(top, None)]
    for count, (start, end) in enumerate(_lines(source.text)):
        if count >= _MOST:
            raise source.fault(f"more than {_MOST} lines with directives", start, then="no front has so many")
        text = source.text[start:end]
        if text.startswith("</"):
            _close(source, stack, start, end)
            continue
        made = _directive(source, text, start)
        stack[-1][0].append(made)
        if made.inner is not None:
            if len(stack) > _DEEPEST:
                raise source.fault(f"more than {_DEEPEST} sections within each other", start)
            stack.append((made.inner, made))
    if (opened := stack[-1][1]) is not None:
        raise source.fault(f"the section {opened.name[:40]} is never closed", opened.start)
    return top


def effective(directives: Sequence[Directive]) -> Iterator[Directive]:
    """What holds in a usual build: sections that depend on it are replaced by what is in them."""
    todo = [iter(directives)]
    while todo:
        directive = next(todo[-1], None)
        if directive is None:
            todo.pop()
        elif directive.name in _THROUGH and directive.inner is not None:
            if not _left_out(directive):
                todo.append(iter(directive.inner))
        else:
            yield directive


def _lines(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each line with something on it, comments left out."""
    at = 0
    while (start := _after_blanks(text, at)) < len(text):
        end = _LINE_END.search(text, start)
        stop = end.start() if end else len(text)
        if text[start] != "#":
            yield start, start + len(text[start:stop].rstrip())
        at = stop + 1


def _after_blanks(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _directive(source: Source, text: str, start: int) -> Directive:
    # Blanks of the same length keep every word in its place.
    flat = _CONTINUED.sub(lambda found: " " * len(found[0]), text)
    if not flat.startswith("<"):
        words = _words(source, flat, start)
        # Only a backslash, or blanks that are none to the line's reader, leave no word.
        name = words[0].text.lower() if words else ""
        return Directive(name, words[1:], start, start + len(text))
    if not flat.endswith(">"):
        raise source.fault("the tag of a section has no >", start)
    words = _words(source, flat[1:-1], start + 1)
    if not words:
        raise source.fault("a section without a name", start)
    end = start + len(text)
    return Directive(words[0].text.lower(), words[1:], start, end, [], end)


def _words(source: Source, text: str, start: int) -> tuple[Word, ...]:
    found = list(itertools.islice(_WORD.finditer(text), _MOST_WORDS + 1))
    if len(found) > _MOST_WORDS:
        raise source.fault(f"a line of more than {_MOST_WORDS} words", start)
    return tuple(Word(_meaning(word), start + word.start(), start + word.end()) for word in found)


def _meaning(found: re.Match[str]) -> str:
    """A word without its quotes; a backslash keeps a quote or a backslash."""
    text = next((part for part in found.groups() if part is not None), "")
    return re.sub(r"\\([\"'\\])", r"\1", text) if found[3] is None else text


def _close(
    source: Source, stack: list[tuple[list[Directive], Directive | None]], start: int, end: int
) -> None:
    written = _CONTINUED.sub("", source.text[start + 2 : end])
    name = " ".join(written.rstrip("> \t").lower().split())
    owner = stack[-1][1]
    if owner is None or owner.name != name:
        there = f"{owner.name[:40]} is open" if owner else "none is open"
        raise source.fault(f"</{name[:40]}> where {there}", start)
    owner.end = end
    stack.pop()


def _left_out(directive: Directive) -> bool:
    """What is there for other builds: without a module that every front has, or for a version before 2.4."""
    condition = " ".join(directive.arguments)
    if directive.name == "ifmodule":
        return _ALWAYS_THERE.match(condition) is not None
    return directive.name == "ifversion" and condition.startswith("<")
