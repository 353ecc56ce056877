"""``dcmqrscp.cfg``, read as dcmqrscp reads it, errors included."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from leadglass.configs.dcmtk.words import Word, lines, number, shown, values
from leadglass.configs.source import Source
from leadglass.errors import ConfigError

__all__ = ["ANY", "DEFAULT_PORT", "KNOWN", "UNUSED", "Archive", "Area", "Peer", "Setting", "archive"]

ANY = "ANY"
"""Instead of peers: everybody."""
DEFAULT_PORT = 104
"""Where dcmqrscp listens when NetworkTCPPort is not given, or is not a number."""

UNUSED = frozenset(
    {
        *("ApplicationTitle", "ApplicationContext", "ImplementationClass", "ImplementationVersion"),
        *("NetworkType", "Display", "DisplayPort"),
    }
)
"""Parameters of old files, which dcmqrscp still reads and ignores."""
_SETTINGS = UNUSED | {
    *("NetworkTCPPort", "MaxPDUSize", "MaxAssociations", "UserName", "GroupName", "SpecificCharacterSet")
}
KNOWN = frozenset(name.lower() for name in (*_SETTINGS, "HostTable", "VendorTable", "AETable"))
"""What a line may begin with, in small letters."""
_MOST_PEERS = 200_000
"""Peers that all names together may stand for; a group of groups doubles with every line."""


_MOST_LINES = 20_000
"""Lines that say something; no archive knows so many."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A caller as the file knows it; ``host`` is compared with the name that its address resolves to."""

    title: str
    host: str
    port: int
    word: Word
    """Where it was written."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One global parameter."""

    name: Word
    rest: str
    """The line after the name."""

    @property
    def is_variable(self) -> bool:
        """Whether the file is a template, whose value comes later."""
        return self.rest.startswith("$")


@dataclass(frozen=True, slots=True)
class Area:
    """One line of the AETable: a title, a folder, and who may use it."""

    title: Word
    storage: Word
    access: Word
    anybody: Word | None
    """The word ANY, if the line has it."""
    peers: tuple[Peer, ...]
    line: tuple[int, int]
    inline: tuple[Peer, ...] = ()
    """Those peers that are written out here, and not by a name of the HostTable."""
    known: int = 0
    """Names of the HostTable that were defined before this line, and may therefore be used in it."""


@dataclass(slots=True)
class Archive:
    """A whole file."""

    settings: list[Setting] = field(default_factory=list)
    hosts: dict[str, tuple[Peer, ...]] = field(default_factory=dict)
    vendors: dict[str, tuple[Peer, ...]] = field(default_factory=dict)
    areas: list[Area] = field(default_factory=list)
    refused: list[Word] = field(default_factory=list)
    """What begins a line that is understood here and refused by dcmqrscp: ``AETable: ...``, as people write it in
    notes and summaries, or one in a table that begins with white space."""

    @property
    def port(self) -> int | None:
        """Where it listens; None when a template leaves it to a variable."""
        given = [setting for setting in self.settings if setting.name.text == "NetworkTCPPort"]
        if given and given[-1].is_variable:
            return None
        numbers = [number(setting.rest) for setting in given]
        return next((port for port in reversed(numbers) if port is not None), DEFAULT_PORT)


def archive(source: Source) -> Archive:
    """The file, understood; ``ConfigError`` where dcmqrscp would end with "bad config file"."""
    return _Reader(source).read()


class _Reader:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.made = Archive()
        self.budget = _MOST_PEERS
        self.left = _MOST_LINES
        self.tables: Mapping[str, Callable[[int, int], None]] = {
            "HostTable": self._host,
            "VendorTable": self._vendor,
            "AETable": self._area,
        }

    def read(self) -> Archive:
        rows = lines(self.source.text)
        for start, end in rows:
            words = [] if self._passed_over(start, end) else self._plain_words(start, end)
            if not words:
                continue
            if words[0].text in self.tables:
                self._table(words, rows)
            elif words[0].text.removesuffix(":") in self.tables:
                self._summary(words[0], end)
            else:
                self._setting(words[0], end)
        return self.made

    def _passed_over(self, start: int, end: int) -> bool:
        """Comments, also indented ones, and empty lines."""
        line = self.source.text[start:end].lstrip()
        if not line or line[0] == "#":
            return True
        self.left -= 1
        if self.left < 0:
            raise self.fault(f"more than {_MOST_LINES} lines", start, "no archive knows so many peers")
        return False

    def _plain_words(self, start: int, end: int) -> list[Word]:
        """The first two words by white space alone, as the keyword of a line is found."""
        found, at, text = [], start, self.source.text
        for word in text[start:end].split(maxsplit=2)[:2]:
            at = text.index(word, at, end)
            found.append(Word(word, at, at + len(word)))
            at += len(word)
        return found

    def _setting(self, name: Word, end: int) -> None:
        if name.text not in _SETTINGS:
            raise self.fault(f'unknown mnemonic "{shown(name.text)}"', name.start, _hint(name.text))
        rest = self.source.text[name.end : end].lstrip(" \t\r\f\v=,")
        self.made.settings.append(Setting(name, rest))

    def _summary(self, name: Word, end: int) -> None:
        self.made.refused.append(name)
        start = next((word.start for word in self._values(name.end, end)), end)
        self.tables[name.text.removesuffix(":")](start, end)

    def _values(self, start: int, end: int) -> Iterator[Word]:
        """The values after a keyword, whose gap is no empty value."""
        found = values(self.source.text, start, end)
        return (word for word in found if word.end > word.start)

    # ---- tables

    def _table(self, words: list[Word], rows: Iterator[tuple[int, int]]) -> None:
        name = words[0]
        status = words[1].text if len(words) > 1 else ""
        if status == "END":
            raise self.fault(f'no "{name.text} BEGIN" before END', name.start)
        if status != "BEGIN":
            raise self.fault(f'unknown {name.text} status "{shown(status)}"', name.start, "BEGIN or END")
        if not self._rows(name.text, rows):
            raise self.fault(f'no "{name.text} END"', name.start)

    def _rows(self, table: str, rows: Iterator[tuple[int, int]]) -> bool:
        for start, end in rows:
            if self._passed_over(start, end):
                self._refuse_blank(start, end)
                continue
            words = self._plain_words(start, end)
            if words[0].text == table:
                if [word.text for word in words[1:]] != ["END"]:
                    raise self.fault(f"illegal {table} status", words[0].start, f"end it with {table} END")
                return True
            if words[0].start > start:
                self.made.refused.append(words[0])
            self.tables[table](words[0].start, end)
        return False

    def _refuse_blank(self, start: int, end: int) -> None:
        """A line that only looks empty, or like a comment, is a line of the table to dcmqrscp."""
        if self.source.text[start:end].strip("\r") and self.source.text[start] != "#":
            self.made.refused.append(Word("", start, end))

    def _host(self, start: int, end: int) -> None:
        name, peers = self._named(start, end)
        # The first of two lines with the same name is the one that counts.
        self.made.hosts.setdefault(name, peers)

    def _vendor(self, start: int, end: int) -> None:
        name, peers = self._named(start, end)
        self.made.vendors.setdefault(name, peers)

    def _named(self, start: int, end: int) -> tuple[str, tuple[Peer, ...]]:
        words = list(values(self.source.text, start, end))
        peers = self._peers(words[1:])
        if not words or not words[0].text or not peers:
            raise self.fault("a line needs a name at its beginning, and peers", start, _LINE)
        return words[0].text, peers

    def _area(self, start: int, end: int) -> None:
        words = list(values(self.source.text, start, end))
        if len(words) < _AREA_WORDS or not words[0].text:
            raise self.fault("a line of the AETable is not complete", start, _AREA)
        title, storage, access, _quota, *given = words
        anybody = given[0] if given[0].text == ANY else None
        peers = () if anybody else self._peers(given)
        inline = () if anybody else self._peers([word for word in given if "," in word.text])
        known = len(self.made.hosts)
        self.made.areas.append(Area(title, storage, access, anybody, peers, (start, end), inline, known))

    def _peers(self, words: list[Word]) -> tuple[Peer, ...]:
        """What the words stand for, without repetition."""
        found = itertools.chain.from_iterable(map(self._meant, words))
        kept = tuple(dict.fromkeys(found))
        self.budget -= len(kept)
        if self.budget < 0:
            raise self.fault(f"the names stand for more than {_MOST_PEERS} peers", words[0].start)
        return kept

    def _meant(self, word: Word) -> tuple[Peer, ...]:
        if "," in word.text:
            return (_peer(word),)
        if word.text in self.made.hosts:
            return self.made.hosts[word.text]
        if self.made.refused:  # a note may leave out the table that its names are from
            return (Peer(word.text, "", 0, word),)
        raise self.fault(f'symbolic name "{shown(word.text)}" not defined', word.start, _SYMBOLIC)

    def fault(self, what: str, offset: int, then: str = "") -> ConfigError:
        return self.source.fault(what, offset, then=then)


_AREA_WORDS = 5
_AREA = "title, storage area, access, (quota), peers"
_LINE = "name = (title, host, port), ..."
_SYMBOLIC = "define it in the HostTable, above the line that uses it"


def _peer(word: Word) -> Peer:
    parts = list(values(word.text, 0, len(word.text)))
    title, host, port = (part.text for part in (*parts, *[Word("", 0, 0)] * 3)[:3])
    return Peer(title, host, number(port) or 0, word)


def _hint(name: str) -> str:
    near = next((known for known in _SETTINGS if known.lower() == name.partition("=")[0].lower()), "")
    return f"write {near} = value, with spaces" if near else ""
