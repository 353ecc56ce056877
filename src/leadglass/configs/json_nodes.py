"""JSON as JsonCpp takes it, each value with its place, and the smallest changes to it.

Strict JSON, and beyond it what the servers that read these files accept (tried with Orthanc 1.10): comments
``//`` and ``/* */`` (not between a name and its colon), a comma after the last element, characters of control in
strings, and anything at all after the outermost value. A ``${NAME}`` may stand where a value does, as servers
replace it before they read.

No recursion: nesting and the number of values are limited (``DEEPEST``, ``MOST``).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from leadglass.configs.source import Source
from leadglass.errors import ConfigError
from leadglass.model.finding import Edit

__all__ = [
    "DEEPEST",
    "MOST",
    "Array",
    "Json",
    "Member",
    "Node",
    "Object",
    "Scalar",
    "Variable",
    "inserted",
    "parse_json",
    "plain",
    "removed",
    "replaced",
    "written",
]

DEEPEST = 100
"""Values within values; JsonCpp stops at 1,000, no configuration has ten."""
MOST = 250_000
"""Values in one file."""

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A string, number, truth value or null; ``start`` to ``end`` are its characters, quotes included."""

    start: int
    end: int
    value: str | int | float | bool | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Variable:
    """A ``${NAME}`` or ``${NAME:-word}`` outside a string, where a value is expected."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Array:
    """Values in order, brackets included."""

    start: int
    end: int
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """A name and its value in an object; ``start`` to ``end`` are the characters of the name, quotes included."""

    name: str
    start: int
    end: int
    node: Node


@dataclass(frozen=True, slots=True)
class Object:
    """Named values in the order of the file, braces included; a name may come more than once."""

    start: int
    end: int
    members: tuple[Member, ...]

    def get(self, name: str) -> Node | None:
        """The value of the last member of that name, which is the one that counts."""
        return next((member.node for member in reversed(self.members) if member.name == name), None)


Node: TypeAlias = Scalar | Variable | Array | Object

_SPACE = re.compile(r"(?:[ \t\r\n]++|//[^\r\n]*+|/\*(?s:.*?)\*/)*+")
_WHITE = re.compile(r"[ \t\r\n]*+")
_WORD = re.compile(r"\$\{[^}\r\n]*+\}|[-+]?[0-9][0-9.eE+-]*|[A-Za-z]+")
_STRINGS = json.JSONDecoder(strict=False)
# With a plus sign it is a real number.
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_NUMBER = re.compile(r"[-+]?[0-9]++(?:\.[0-9]*+)?(?:[eE][-+]?[0-9]++)?")
_WORDS: Mapping[str, bool | None] = {"true": True, "false": False, "null": None}
_ADVICE: Mapping[str, str] = dict.fromkeys(("true", "false", "null"), "JSON writes it in small letters")
_STRING_FAULTS: Mapping[str, str] = {
    "Unterminated string starting at": "a string that does not end",
    "Invalid \\escape": "a backslash that JSON does not know in a string",
    "Invalid \\uXXXX escape": "a \\u that four hexadecimal digits do not follow",
}
_COLON = re.compile(r" {0,2}: {0,2}")
_LINE_REST = re.compile(r"[ \t]*(?://[^\r\n]*|/\*[^\r\n]*?\*/[ \t]*)?(?=[\r\n]|$)")


def parse_json(source: Source) -> Node:
    """The outermost value; ``ConfigError`` at its place when there is none that can be read."""
    return _Parser(source).outermost()


def plain(node: Node) -> Json:
    """The values alone; a variable is its text, and of two members of one name the last counts."""
    if isinstance(node, Object):
        return {member.name: plain(member.node) for member in node.members}
    if isinstance(node, Array):
        return [plain(item) for item in node.items]
    return node.text if isinstance(node, Variable) else node.value


def written(value: Json) -> str:
    """A value as JSON in one line, as people write it in these files."""
    if isinstance(value, Mapping) and value:
        members = (f"{json.dumps(name, ensure_ascii=False)} : {written(one)}" for name, one in value.items())
        return f"{{ {', '.join(members)} }}"
    return json.dumps(value, ensure_ascii=False)


def replaced(source: Source, node: Node, value: Json) -> Edit:
    """Another value in the place of this one."""
    return source.edit(node.start, node.end, written(value))


def removed(source: Source, owner: Object, member: Member) -> tuple[Edit, ...]:
    """Without this member: with its line when it stands alone there, and with the comma that is then too many."""
    text = source.text
    comma = _comma(text, member.node.end)
    spare = () if comma else _comma_before(source, owner, member)
    start, end = member.start, (comma or member.node.end)
    rest = _LINE_REST.match(text, end)
    head = _line_start(text, start)
    if rest and head is not None:
        start, end = head, _after_line_end(text, rest.end())
    elif rest is None:
        end = _white(text, end)
    return (*spare, source.edit(start, end, ""))


def inserted(source: Source, owner: Object, name: str, value: Json, *, after: str | None = None) -> Edit:
    """A new member behind the one named ``after`` (the last one when None or when there is no such).

    Indentation and blanks follow those of the members there. Several may be inserted into an object that has members
    already; each brings its own comma.
    """
    anchor = _anchor(source, owner, after)
    new = f"{json.dumps(name, ensure_ascii=False)}{_colon(source.text, anchor)}{written(value)}"
    if anchor is None:
        return _first(source, owner, new)
    text, indent = source.text, _indent(source.text, anchor.start)
    comma = _comma(text, anchor.node.end)
    if not comma:
        return source.edit(anchor.node.end, anchor.node.end, f",{indent}{new}")
    rest = _LINE_REST.match(text, comma)
    at = rest.end() if rest and "\n" in indent else comma
    return source.edit(at, at, f"{indent}{new},")


def _anchor(source: Source, owner: Object, after: str | None) -> Member | None:
    """The member to insert behind: one that ends the object and has a comment behind it is passed over."""
    members = owner.members
    found = next((i for i, member in enumerate(members) if member.name == after), len(members) - 1)
    while found >= 0 and _commented_end(source.text, members[found]):
        found -= 1
    return members[found] if found >= 0 else None


def _colon(text: str, anchor: Member | None) -> str:
    """A colon with the blanks that the neighbour has around its own."""
    found = text[anchor.end : anchor.node.start] if anchor else ""
    return found if _COLON.fullmatch(found) else " : "


def _commented_end(text: str, member: Member) -> bool:
    rest = _LINE_REST.match(text, member.node.end)
    return rest is not None and rest[0].strip() != "" and not _comma(text, member.node.end)


def _first(source: Source, owner: Object, new: str) -> Edit:
    """The new member before all others, or alone."""
    start, text = owner.start + 1, source.text
    if owner.members:
        return source.edit(start, start, f"{_indent(text, owner.members[0].start)}{new},")
    comments = text[start : owner.end - 1]
    if comments.strip():  # They stay.
        indent = re.match(r"[ \t]*\r?\n[ \t]*(?=\S)", comments)
        return source.edit(start, start, f"{indent[0]}{new}" if indent else f"\n  {new}\n")
    return source.edit(start, owner.end - 1, f" {new} ")


def _indent(text: str, start: int) -> str:
    """What to write between two members: a new line with the same white space, or a blank."""
    head = _line_start(text, start)
    if head is None:
        return " "
    ending = "\r\n" if text[:head].endswith("\r\n") else "\n"
    return ending + text[head:start] if head else " "


def _line_start(text: str, start: int) -> int | None:
    """Where the line begins, when only white space stands before ``start``."""
    head = max(text.rfind("\n", 0, start), text.rfind("\r", 0, start)) + 1
    return None if text[head:start].strip() else head


def _after_line_end(text: str, end: int) -> int:
    return end + 2 if text[end : end + 2] == "\r\n" else min(end + 1, len(text))


def _white(text: str, at: int) -> int:
    found = _WHITE.match(text, at)
    return found.end() if found else at


def _comma(text: str, end: int) -> int | None:
    """Behind the comma that follows a value, comments and white space between them passed over."""
    found = _SPACE.match(text, end)
    at = found.end() if found else end
    return at + 1 if text[at : at + 1] == "," else None


def _comma_before(source: Source, owner: Object, member: Member) -> tuple[Edit, ...]:
    """The comma in front of the last member, which goes with it."""
    before = [other for other in owner.members if other.start < member.start]
    comma = _comma(source.text, before[-1].node.end) if before else None
    return (source.edit(comma - 1, comma, ""),) if comma else ()


@dataclass(slots=True)
class _Open:
    """An object or array that was begun and not ended."""

    start: int
    closing: str
    items: list[Node] = field(default_factory=list)
    names: list[tuple[str, int, int]] = field(default_factory=list)

    def closed(self, end: int) -> Node:
        if self.closing == "]":
            return Array(self.start, end, tuple(self.items))
        pairs = zip(self.names, self.items, strict=True)
        return Object(self.start, end, tuple(Member(*name, node) for name, node in pairs))


class _Parser:
    """One pass over the text; the objects and arrays that are open stand on a stack of its own."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._text = source.text
        self._at = 0
        self._count = 0
        self._open: list[_Open] = []

    def outermost(self) -> Node:
        """Values as they end, each given to the one it stands in, until none is open."""
        while True:
            node = self._begun()
            while node is not None:
                if not self._open:
                    return node
                self._open[-1].items.append(node)
                node = self._continued(self._open[-1])

    def _begun(self) -> Node | None:
        """What stands here: a value, an end, or None when an object or array begins."""
        character = self._next()
        if self._open and character == self._open[-1].closing:
            return self._closed()
        if self._open and self._open[-1].closing == "}":
            self._open[-1].names.append(self._name(character))
            character = self._next()
        self._count += 1
        if self._count > MOST:
            raise self._fault(f"more than {MOST} values", then="no configuration has so many")
        if character not in {"{", "["}:
            return self._scalar(character)
        self._container(character)
        return None

    def _continued(self, within: _Open) -> Node | None:
        """Behind a value: None after a comma, the whole of what ends here otherwise."""
        character = self._next()
        if character == within.closing:
            return self._closed()
        if character != ",":
            raise self._fault(f"a comma or {within.closing} is missing here")
        self._at += 1
        return None

    def _container(self, character: str) -> None:
        if len(self._open) == DEEPEST:
            raise self._fault(f"values stand in values more than {DEEPEST} deep")
        self._open.append(_Open(self._at, "}" if character == "{" else "]"))
        self._at += 1

    def _closed(self) -> Node:
        self._at += 1
        return self._open.pop().closed(self._at)

    def _name(self, character: str) -> tuple[str, int, int]:
        start = self._at
        if character != '"':
            raise self._fault("a name in double quotes is missing here")
        name = self._string()
        end = self._at
        found = _WHITE.match(self._text, self._at)
        self._at = found.end() if found else self._at
        if self._text[self._at : self._at + 1] != ":":
            raise self._fault("a colon is missing here")
        self._at += 1
        return name, start, end

    def _scalar(self, character: str) -> Node:
        start = self._at
        if character == '"':
            value = self._string()
            return Scalar(start, self._at, value)
        found = _WORD.match(self._text, start)
        if found is None:
            raise self._fault("a value is missing here")
        self._at = found.end()
        return Variable(start, self._at, found[0]) if found[0][0] == "$" else self._bare(start, found[0])

    def _bare(self, start: int, word: str) -> Scalar:
        """A number or one of the three words."""
        if word in _WORDS:
            return Scalar(start, self._at, _WORDS[word])
        if _INTEGER.fullmatch(word):
            return Scalar(start, self._at, int(word))
        if not _NUMBER.fullmatch(word) or math.isinf(float(word)):
            self._at = start
            raise self._fault(f"{word[:20]} is no JSON value", then=_ADVICE.get(word.lower(), ""))
        return Scalar(start, self._at, float(word))

    def _string(self) -> str:
        start = self._at
        try:
            value, self._at = _STRINGS.raw_decode(self._text, start)
            found = str(value)
            found.encode()
        except UnicodeEncodeError:
            self._at = start
            raise self._fault("half of a surrogate pair in a string") from None
        except json.JSONDecodeError as exc:
            self._at = exc.pos
            raise self._fault(_STRING_FAULTS.get(exc.msg, "a string that is no JSON")) from None
        return found

    def _next(self) -> str:
        """The next character that is neither white space nor comment; "" at the end."""
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return self._text[self._at : self._at + 1]

    def _fault(self, what: str, *, then: str = "") -> ConfigError:
        return self._source.fault(what, self._at, then=then)
