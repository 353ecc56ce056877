"""``dicom.ini`` of Conquest: sections, and values with their places."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from leadglass.configs.source import Source

__all__ = ["Server", "Value", "is_server", "server"]

_SECTION = re.compile(r"[ \t]*\[([^\]\r\n]{0,80})\]")
_SETTING = re.compile(r"[ \t]*([A-Za-z][A-Za-z0-9_]{0,63})[ \t]*=[ \t]*([^\r\n]*)")
_KNOWN = re.compile(r"^[ \t]*(?:\[sscscp\]|MicroPACS[ \t]*=|MyACRNema[ \t]*=)", re.MULTILINE | re.IGNORECASE)
_MAIN = "sscscp"
_MOST = 20_000
"""Lines; a server's file has a hundred."""


@dataclass(frozen=True, slots=True)
class Value:
    """What one line sets."""

    name: str
    """As it is written."""
    text: str = field(repr=False)
    start: int
    """Of the name."""
    end: int
    """Of the value."""


@dataclass(frozen=True, slots=True)
class Server:
    """A whole file; names of sections and settings without regard to case."""

    sections: Mapping[str, Mapping[str, Value]]

    def get(self, name: str, section: str = "") -> Value | None:
        """A setting, of the server's own section unless one is named."""
        return self.sections.get(section or self._main, {}).get(name.lower())

    def text(self, name: str, section: str = "") -> str:
        """The text of a setting, "" when it is not set."""
        found = self.get(name, section)
        return "" if found is None else found.text

    @property
    def _main(self) -> str:
        """The section of the server's own; its name is MicroPACS, which is sscscp unless somebody renamed it."""
        named = (
            values["micropacs"].text.lower() for values in self.sections.values() if "micropacs" in values
        )
        return next((name for name in (*named, _MAIN) if name in self.sections), _MAIN)


def is_server(source: Source) -> bool:
    """Whether it is a ``dicom.ini``."""
    return _KNOWN.search(source.text) is not None


def server(source: Source) -> Server:
    """The file. Of a setting that is there twice the first counts; lines that set nothing are passed over."""
    sections: dict[str, dict[str, Value]] = {}
    # A reduced copy may have lost its first line.
    current = sections.setdefault(_MAIN, {})
    for number, (start, line) in enumerate(_lines(source.text)):
        if number > _MOST:
            raise source.fault(f"more than {_MOST} lines", start, then="no dicom.ini has so many")
        section = _SECTION.match(line)
        if section is not None:
            current = sections.setdefault(section[1].strip().lower(), {})
            continue
        setting = _SETTING.match(line)
        if setting is not None:
            value = Value(setting[1], setting[2].rstrip(), start + setting.start(1), start + setting.end(2))
            current.setdefault(setting[1].lower(), value)
    return Server(sections)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    at = 0
    for line in text.split("\n"):
        yield at, line
        at += len(line) + 1
