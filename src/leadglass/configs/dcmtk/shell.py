"""Command lines as a shell or systemd cuts them, with the place of each word.

Quotes, backslashes, continued lines, redirections and variables that the file itself sets; no more of a
shell than a line that starts a server needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

__all__ = ["NAME", "SHELL", "SYSTEMD", "Command", "Syntax", "Word", "commands", "expanded"]

NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=")
"""How an assignment begins."""

_LONGEST = 4096
"""Characters of a word after its variables: more is not followed."""
_VARIABLE = re.compile(
    r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)(?::?-([^{}$]*))?\}|([A-Za-z_][A-Za-z0-9_]*))",
)
_BLANKS = re.compile(r"(?:[ \t\r\f\v]|\\\r?\n)+")
_REDIRECTION = re.compile(r"[0-9]*[<>]{1,2}&?-?[ \t]*")
_PIECES = re.compile(
    r"""'(?P<single>[^']*)'
      | "(?P<double>(?:[^"\\]++|\\.)*+)"
      | \\(?P<next>\r?\n)
      | \\(?P<escaped>.)
      | (?P<plain>[^\s'"\\;&|<>()`]+|['"\\`])""",
    re.VERBOSE | re.DOTALL,
)
_IN_DOUBLE = re.compile(r'\\(?:\r?\n|(["\\$`]))')


@dataclass(frozen=True, slots=True)
class Syntax:
    """In what the two differ."""

    separators: str
    """Characters that end a command besides the end of the line."""
    comments: bool
    """Whether ``#`` at the beginning of a word begins a comment, and ``>`` redirects."""
    splits: re.Pattern[str]
    """A word without quotes that looks so becomes several, if its variables hold spaces."""


SHELL = Syntax(";&|()`", comments=True, splits=re.compile(r".*", re.DOTALL))
SYSTEMD = Syntax("", comments=False, splits=re.compile(r"\$[A-Za-z_][A-Za-z0-9_]*"))


@dataclass(frozen=True, slots=True)
class Word:
    """A word as the program gets it, and the place where it was written, quotes included."""

    text: str
    start: int
    end: int


@dataclass(slots=True)
class Command:
    """One command's words."""

    words: list[Word] = field(default_factory=list)

    def text(self, index: int) -> str:
        """The word at ``index``, "" past the end."""
        return self.words[index].text if index < len(self.words) else ""


def expanded(text: str, variables: Mapping[str, str | None]) -> str:
    """The text with what is known of its variables; the others stay as they are written."""

    def value(match: re.Match[str]) -> str:
        known = variables.get(match[1] or match[3])
        return match[0] if known is None and match[2] is None else known or match[2] or ""

    text = text[:_LONGEST]
    made = _VARIABLE.sub(value, text)
    return made if len(made) <= _LONGEST else text


def commands(
    text: str, start: int, end: int, variables: Mapping[str, str | None], syntax: Syntax = SHELL
) -> Iterator[Command]:
    """Each command between ``start`` and ``end``; ``variables`` are looked up when it is read."""
    at, command = start, Command()
    while at < end:
        blank = _BLANKS.match(text, at, end)
        if blank is not None:
            at = blank.end()
            continue
        if text[at] == "\n" or text[at] in syntax.separators:
            yield command
            at, command = at + 1, Command()
        elif syntax.comments and text[at] == "#":
            at = _line_end(text, at, end)
        else:
            target = _redirected(text, at, end, syntax)
            words, after = _word(text, target, end, variables, syntax)
            command.words += words if target == at else []
            at = max(after, at + 1)
    yield command


def _redirected(text: str, at: int, end: int, syntax: Syntax) -> int:
    """Where the target of a redirection begins, ``at`` itself where there is none."""
    found = _REDIRECTION.match(text, at, end) if syntax.comments else None
    return at if found is None else found.end()


def _word(
    text: str, at: int, end: int, variables: Mapping[str, str | None], syntax: Syntax
) -> tuple[list[Word], int]:
    start, bare = at, True
    made: list[str] = []
    while at < end:
        piece = _PIECES.match(text, at, end)
        if piece is None:
            if text[at] not in "&|<>();" or made:
                break
            made.append(text[at])
            at += 1
            continue
        made.append(_meant(piece, variables))
        bare = bare and piece["plain"] is not None
        at = piece.end()
    whole = "".join(made)[: 2 * _LONGEST]
    # What a variable holds is cut into words where it stands without quotes.
    texts = whole.split() if bare and syntax.splits.fullmatch(text, start, at) else [whole]
    return [Word(word, start, at) for word in texts], at


def _meant(piece: re.Match[str], variables: Mapping[str, str | None]) -> str:
    if piece["single"] is not None:
        return piece["single"]
    if piece["double"] is not None:
        return expanded(_IN_DOUBLE.sub(lambda match: match[1] or "", piece["double"]), variables)
    if piece["plain"] is not None:
        return expanded(piece["plain"], variables)
    return piece["escaped"] or ""


def _line_end(text: str, at: int, end: int) -> int:
    found = text.find("\n", at, end)
    return end if found < 0 else found
