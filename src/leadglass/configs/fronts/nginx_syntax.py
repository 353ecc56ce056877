"""nginx's configuration language: words, directives and blocks, each with its place.

As ``ngx_conf_file.c`` reads it: a comment begins only where a word could, a quote only at the start of a word,
``${`` does not open a block, and a backslash keeps what follows from ending the word. Blocks of Lua are skipped by
Lua's own rules. No recursion; the number of directives and the depth are limited.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from leadglass.configs.source import Source

__all__ = ["Block", "Directive", "Word", "parse"]

_MOST = 50_000
_MOST_WORDS = 5000
"""Of one directive."""
_DEEPEST = 50

_TOKEN = re.compile(
    r"""
      (?P<blank>[\s\ufeff]++ | \#[^\n]*+)
    | (?P<mark>[;{}])
    | "(?P<double>[^"\\]*+(?:\\.[^"\\]*+)*+)"
    | '(?P<single>[^'\\]*+(?:\\.[^'\\]*+)*+)'
    | (?P<quote>["'])
    | (?P<bare>(?:\\.|\$\{|[^\s;{\\])++)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\([\"'\\trn])")
_ESCAPED = {"t": "\t", "r": "\r", "n": "\n"}
_MOST_OF_LUA = 100_000
"""Braces, strings and comments of one block."""
_LUA = re.compile(r"""[{}"']|--|\[=*\[""")


@dataclass(frozen=True, slots=True)
class Word:
    """One word: its meaning, and where it is written."""

    text: str
    start: int
    end: int


@dataclass(slots=True, eq=False)
class Block:
    """What stands between braces, or in the whole file."""

    start: int
    end: int = 0
    """Offset of the closing brace."""
    directives: list[Directive] = field(default_factory=list)
    _named: dict[str, list[Directive]] = field(default_factory=dict)

    def add(self, directive: Directive) -> None:
        """Put one at the end."""
        self.directives.append(directive)
        self._named.setdefault(directive.name, []).append(directive)

    def all(self, *names: str) -> list[Directive]:
        """Those with one of these names, in the order of the file where there is one name."""
        return [directive for name in names for directive in self._named.get(name, ())]

    def last(self, name: str) -> Directive | None:
        """The last one of that name."""
        found = self._named.get(name)
        return found[-1] if found else None


@dataclass(slots=True, eq=False)
class Directive:
    """A name with its arguments, and a block if it opens one."""

    name: str
    words: tuple[Word, ...]
    start: int
    end: int
    """After the semicolon or the closing brace."""
    block: Block | None = None
    raw: str = field(default="", repr=False)
    """The text of a block of Lua."""

    @property
    def arguments(self) -> tuple[str, ...]:
        """What follows the name."""
        return tuple(word.text for word in self.words)

    @property
    def argument(self) -> str:
        """The first argument, ``""`` without one."""
        return self.words[0].text if self.words else ""


def parse(source: Source) -> Block:
    """The whole file as a block; ``ConfigError`` at its place when nginx would not read it."""
    return _Parser(source).parse()


class _Parser:
    """Takes in token after token; the open blocks are on a stack."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._text = source.text
        self._top = Block(0, len(source.text))
        self._open: list[tuple[Block, Directive | None]] = [(self._top, None)]
        self._words: list[Word] = []
        self._count = 0
        self._at = 0

    def parse(self) -> Block:
        for found in self._tokens():
            if found["mark"]:
                self._mark(found["mark"], found.start())
            else:
                self._word(found)
        if self._words:
            raise self._source.fault(
                f"the directive {self._words[0].text[:40]!r} has no end",
                self._words[0].start,
                then="end it with ;",
            )
        if len(self._open) > 1:
            opened = self._open[-1][0].start - 1
            raise self._source.fault("the block opened here is never closed", opened, then="close it with }")
        return self._top

    def _tokens(self) -> Iterator[re.Match[str]]:
        """Words and marks; ``_at`` moves on when a block of Lua is skipped."""
        while self._at < len(self._text):
            found = _TOKEN.match(self._text, self._at)
            if found is None or found["quote"]:
                what = "a quote is opened and never closed" if found else "a backslash with nothing after it"
                raise self._source.fault(what, self._at)
            self._at = found.end()
            if found["blank"] is None:
                yield found

    def _word(self, found: re.Match[str]) -> None:
        text = next(part for part in found.group("double", "single", "bare") if part is not None)
        if self._words and self._words[-1].end == found.start() and not text.startswith(")"):
            raise self._source.fault(
                "a quoted word runs into the next", found.start(), then="put a space between"
            )
        if len(self._words) == _MOST_WORDS:
            raise self._source.fault(f"a directive of more than {_MOST_WORDS} words", self._words[0].start)
        self._words.append(Word(_meaning(text), found.start(), found.end()))

    def _mark(self, mark: str, at: int) -> None:
        if mark == "}":
            self._close(at)
        elif not self._words:
            raise self._source.fault(f"a {mark} where a directive is expected", at)
        else:
            self._directive(mark, at)

    def _directive(self, mark: str, at: int) -> None:
        self._count += 1
        if self._count > _MOST:
            raise self._source.fault(f"more than {_MOST} directives", at, then="no front has so many")
        name, *words = self._words
        made = Directive(name.text, tuple(words), name.start, at + 1)
        self._words = []
        self._open[-1][0].add(made)
        if mark == "{":
            self._begin(made, at + 1)

    def _begin(self, made: Directive, start: int) -> None:
        made.block = Block(start)
        if made.name.endswith("_by_lua_block"):
            end = _end_of_lua(self._source, start)
            made.raw, made.block.end, made.end = self._text[start:end], end, end + 1
            self._at = end + 1
            return
        if len(self._open) > _DEEPEST:
            raise self._source.fault(f"more than {_DEEPEST} blocks within each other", start)
        self._open.append((made.block, made))

    def _close(self, at: int) -> None:
        if self._words:
            raise self._source.fault(
                f"the directive {self._words[0].text[:40]!r} has no end",
                self._words[0].start,
                then="end it with ;",
            )
        block, owner = self._open.pop()
        if owner is None:
            raise self._source.fault("a } that closes nothing", at)
        block.end, owner.end = at, at + 1


def _meaning(text: str) -> str:
    r"""A word without its escapes; nginx leaves alone those that it does not know, as in ``\\.``."""
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), text)


def _end_of_lua(source: Source, at: int) -> int:
    """Offset of the brace that ends the Lua that begins at ``at``."""
    begin, depth, text = at, 1, source.text
    for _ in range(_MOST_OF_LUA):
        found = _LUA.search(text, at)
        if found is None:
            break
        at = found.end()
        if found[0] in "{}":
            depth += 1 if found[0] == "{" else -1
            if not depth:
                return found.start()
        else:
            at = _after_lua(text, found)
            if at < 0:
                break
    raise source.fault("the block of Lua opened here has no end", begin - 1)


def _after_lua(text: str, found: re.Match[str]) -> int:
    """The end of a Lua string or comment; -1 if it has none."""
    mark, at = found[0], found.end()
    if mark in "\"'":
        return _after_string(text, mark, at)
    if mark == "--":
        long = re.compile(r"\[=*\[").match(text, at)
        if long is None:
            return text.find("\n", at)
        mark, at = long[0], long.end()
    closing = "]" + mark[1:-1] + "]"
    end = text.find(closing, at)
    return end + len(closing) if end >= 0 else -1


def _after_string(text: str, quote: str, at: int) -> int:
    stop = re.compile(rf"\\.|{quote}", re.DOTALL)
    while found := stop.search(text, at):
        at = found.end()
        if found[0] == quote:
            return at
    return -1
