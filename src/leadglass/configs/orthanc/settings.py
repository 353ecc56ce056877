"""What one or several files set, with the place of each option and the changes to it.

Orthanc replaces ``${NAME}`` and ``${NAME:-word}`` in the text before it reads it; a variable that is not set
leaves nothing. Which are set is not known here, unless the environment says so.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from leadglass.configs.json_nodes import (
    Array,
    Json,
    Member,
    Node,
    Object,
    Scalar,
    Variable,
    inserted,
    parse_json,
    replaced,
    written,
)
from leadglass.configs.kinds import Environment
from leadglass.configs.nearest import nearest
from leadglass.configs.orthanc.options import core, instead, sections
from leadglass.configs.reading import Layers
from leadglass.configs.source import Source
from leadglass.errors import ConfigError
from leadglass.model.finding import Edit

__all__ = ["Entry", "Settings", "noted", "opened", "rename", "shown"]

# The lengths are bounded, so that one without an end costs little.
_VARIABLE = re.compile(r'\$\{([^}:"]{0,200}+)(?::-([^"}]{0,1000}+))?\}')
_NOTE = re.compile(r"(?:[_$#/@].*|-*|comments?|notes?|readme|description|\W.*)", re.IGNORECASE)
_LONGEST = 1 << 16
"""Characters that variables may put into one value."""
_LOOKED_UP = 100
"""Names that are no option and of which the real one is sought; no file written by a person has more."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One option, where it stands."""

    source: Source = field(repr=False)
    owner: Object = field(repr=False)
    member: Member

    @property
    def name(self) -> str:
        """As the file writes it."""
        return self.member.name

    @property
    def node(self) -> Node:
        """Its value."""
        return self.member.node

    @property
    def offset(self) -> int:
        """Where its name begins."""
        return self.member.start


@dataclass(frozen=True)
class Settings:
    """The options of one file, or of all the files of a folder."""

    files: Sequence[tuple[Source, Object]]
    environment: Environment
    layers: Layers = field(default_factory=Layers)
    """What the image of a container sets beside the files."""

    @cached_property
    def all_entries(self) -> Sequence[Entry]:
        """Every option of the top level, in the order of the files."""
        return [Entry(source, root, member) for source, root in self.files for member in root.members]

    @cached_property
    def _by_name(self) -> dict[str, Entry]:
        return {entry.name: entry for entry in self.all_entries}

    def entry(self, name: str) -> Entry | None:
        """The option that counts of that name."""
        return self._by_name.get(name)

    def declares(self, name: str) -> bool:
        """Whether an option is set, by a file or by the image of a container."""
        return self.entry(name) is not None or name in self.layers.over or name in self.layers.under

    def counting(self, name: str) -> str | int | float | bool | None:
        """The single value of an option that counts; None when it is none, not set or not known."""
        entry, over = self.entry(name), self.layers.over
        if entry is not None and name not in over:
            return self.value(entry.node)
        said = over[name] if name in over else self.layers.under.get(name)
        if isinstance(said, str):
            return self.text(said)
        return said if isinstance(said, int | float) else None

    def outside(self, name: str) -> Mapping[str, object]:
        """What the image of a container adds to a section."""
        said = self.layers.over.get(name)
        return said if isinstance(said, Mapping) else {}

    def flag(self, name: str) -> bool | None:
        """A truth value; None when it is not set, or to what is not known. A word in quotes is what it says."""
        value = self.counting(name)
        if isinstance(value, str):
            value = {"true": True, "false": False}.get(value.lower())
        return value if isinstance(value, bool) else None

    def on(self, name: str) -> bool:
        """A truth value, or its default."""
        said = self.flag(name)
        return said if said is not None else core()[name].default is True

    def number(self, name: str) -> int | None:
        """A whole number, or its default; None when it is none."""
        value: object = self.counting(name) if self.declares(name) else core()[name].default
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
            value = int(value)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def section(self, name: str) -> Object | None:
        """The options of a plugin, or another object; None when there is none."""
        entry = self.entry(name)
        return entry.node if entry and isinstance(entry.node, Object) else None

    def value(self, node: Node | None) -> str | int | float | bool | None:
        """A value with its variables replaced; None when it is none or not known."""
        if isinstance(node, Variable):
            return _scalar(self.text(node.text))
        if isinstance(node, Scalar):
            return self.text(node.value) if isinstance(node.value, str) else node.value
        return None

    def text(self, text: str) -> str | None:
        """A string with its variables replaced; None when one is set to what is not known."""
        values = [self._variable(found) for found in _VARIABLE.finditer(text)]
        known = [value for value in values if value is not None]
        if len(known) < len(values) or sum(map(len, known)) > _LONGEST:
            return None
        left = iter(known)
        return _VARIABLE.sub(lambda _: next(left), text)

    def unset(self, text: str) -> str | None:
        """The variable in a string that nothing is known to set, and that has no word of its own."""
        found = _VARIABLE.search(text)
        return found[1] if found and found[2] is None and found[1] not in self.environment else None

    def place(self, *names: str) -> tuple[Source, int]:
        """Where the first of these options stands that is written; the beginning when none is."""
        found = next((entry for name in names if (entry := self.entry(name))), None)
        return (found.source, found.offset) if found else (self.files[0][0], self.files[0][1].start)

    def put(self, name: str, value: Json, *, after: str = "") -> tuple[Edit, ...]:
        """The change that sets an option: in its place, in that of a misspelt one, or in a line of its own.

        None where no file decides.
        """
        if name in self.layers.over and not self.outside(name):
            return ()
        entry = self.entry(name)
        if entry:
            return _changed(entry, value)
        misspelt = self.misspelt.get(name)
        if misspelt:
            return (rename(misspelt, name), replaced(misspelt.source, misspelt.node, value))
        source, root, anchor = self._beside(name, after)
        return (inserted(source, root, name, value, after=anchor),)

    @cached_property
    def _candidates(self) -> Sequence[Entry]:
        known = {*core(), *sections()}
        strange = (entry for entry in self.all_entries if entry.name not in known and not noted(entry.name))
        return list(itertools.islice(strange, _LOOKED_UP))

    @cached_property
    def meant(self) -> dict[str, str]:
        """The real option for names that are none, as far as one is like it."""
        found = {name: nearest(name, _names()) for name in {entry.name for entry in self._candidates}}
        return {name: real for name, real in found.items() if real}

    @cached_property
    def unknown(self) -> Sequence[Entry]:
        """Options that neither Orthanc nor a plugin has, a hundred at most.

        What looks like the section of a plugin that is not known is left out, unless a known one is like it,
        or people are known to write it for something that Orthanc does not do.
        """
        return [
            entry
            for entry in self._candidates
            if not isinstance(entry.node, Object) or entry.name in self.meant or instead(entry.name)
        ]

    @cached_property
    def misspelt(self) -> dict[str, Entry]:
        """By the option that was meant: the one that differs from it in case or in a letter or two only."""
        return {
            self.meant[entry.name]: entry
            for entry in self.unknown
            if entry.name in self.meant
            and self.entry(self.meant[entry.name]) is None
            and _slip(entry.name, self.meant[entry.name])
        }

    def _variable(self, found: re.Match[str]) -> str | None:
        return self.environment.get(found[1], found[2])

    def _beside(self, name: str, after: str) -> tuple[Source, Object, str | None]:
        """Where a new option goes: behind ``after``, the last one of its kind, or the last one there is."""
        kind = re.match(r"[A-Z][a-z]+", name)
        wanted = [entry for entry in self.all_entries if entry.name == after] or [
            entry
            for entry in self.all_entries
            if kind and entry.name.startswith(kind[0]) and entry.name in core()
        ]
        if wanted:
            return wanted[-1].source, wanted[-1].owner, wanted[-1].name
        source, root = next((file for file in self.files if file[1].members), self.files[0])
        return source, root, None


def opened(sources: Sequence[Source], environment: Environment, layers: Layers) -> Settings:
    """The settings of files; ``ConfigError`` at its place when one is broken."""
    return Settings([(source, _root(source)) for source in sources], environment, layers)


def noted(name: str) -> bool:
    """Whether a name is somebody's way to write a comment."""
    return _NOTE.fullmatch(name) is not None


def rename(entry: Entry, name: str) -> Edit:
    """The same value under another name."""
    return entry.source.edit(entry.member.start, entry.member.end, written(name))


def shown(word: str, most: int = 64) -> str:
    """A name from a file as it may stand in a line: what cannot be printed is replaced, and the rest cut off."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in word[:most])


def _changed(entry: Entry, value: Json) -> tuple[Edit, ...]:
    """Another value; an object that is empty but for comments keeps them."""
    node = entry.node
    if isinstance(node, Object) and not node.members and isinstance(value, Mapping) and len(value) == 1:
        return tuple(inserted(entry.source, node, name, inner) for name, inner in value.items())
    return (replaced(entry.source, node, value),)


@functools.cache
def _names() -> tuple[str, ...]:
    return (*core(), *sections())


def _root(source: Source) -> Object:
    node = parse_json(source)
    if not isinstance(node, Object):
        what = "a list" if isinstance(node, Array) else "a single value"
        raise source.fault(f"{what} where the options of Orthanc are expected", node.start)
    return node


def _slip(written_name: str, real: str) -> bool:
    """Whether one is the other but for case, or for letters left out, doubled or changed at one place."""
    left, right = written_name.lower(), real.lower()
    if left == right:
        return True
    start = next(
        (i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right))
    )
    rest_left, rest_right = left[start:], right[start:]
    end = next(
        (i for i, (a, b) in enumerate(zip(rest_left[::-1], rest_right[::-1], strict=False)) if a != b),
        min(len(rest_left), len(rest_right)),
    )
    return max(len(rest_left), len(rest_right)) - end <= 2


def _scalar(text: str | None) -> str | int | float | bool | None:
    """What stands for a variable outside of quotes."""
    if text is None:
        return None
    try:
        node = parse_json(Source("", text))
    except ConfigError:
        return None
    return node.value if isinstance(node, Scalar) else None
