"""LDIF (RFC 2849) as entries, each value with its place: folded lines, base64, comments, changes."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from leadglass.configs.source import Source

__all__ = ["Entry", "Value", "entries", "is_ldif", "relative", "same_name"]

_DN = re.compile(
    r"(?:[ \t]*(?:#[^\n]*)?\r?\n)*+(?:version:[^\n]*\n(?:(?: |#)[^\n]*\n|\r?\n)*+)?dn::? ?\S", re.IGNORECASE
)
"""An entry with nothing but comments and the version before it."""
_ATTRIBUTE = re.compile(r"([A-Za-z0-9.-]{1,128})((?:;[A-Za-z0-9-]{1,64}){0,8})(::|:<|:)[ ]*")
_FOLD = re.compile(r"\r?\n[ ]")
_CHANGES = frozenset({"add", "replace", "delete", "increment"})
_MODIFYING = "modify"
_REMOVING = frozenset({"delete", "modrdn", "moddn"})
_MOST = 100_000
"""Lines; an archive with its default rules has a fifth of that."""
_CHARACTERS = 1 << 20
"""Of a value as much is looked at: certificates and vendor data are larger, and say nothing here."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value of an attribute."""

    text: str = field(repr=False)
    start: int
    """Where the attribute's name begins."""
    value: int
    """Where the value begins."""
    end: int
    """Behind the value."""
    after: int
    """Behind the end of its last line."""
    plain: bool = True
    """Whether it stands there as it is: not folded, not in base64."""


@dataclass(slots=True)
class Entry:
    """An object of the directory."""

    dn: str
    start: int
    attributes: dict[str, dict[str, Value]] = field(default_factory=dict)
    """By the attribute's name in small letters; of each, no value twice, in the order of the file."""

    def add(self, name: str, value: Value) -> None:
        """One more value of an attribute."""
        self.attributes.setdefault(name, {})[value.text] = value


def is_ldif(text: str) -> bool:
    """Whether it begins with an entry; a manual that shows one does not."""
    return _DN.match(text) is not None


def relative(dn: str) -> tuple[str, str]:
    """The first part of a distinguished name: attribute in small letters, and value."""
    first = re.split(r"(?<!\\),", dn, maxsplit=1)[0]
    name, _, value = first.partition("=")
    return name.strip().lower(), value.strip()


def same_name(dn: str) -> str:
    """A distinguished name for comparison: without regard to case and to spaces beside commas and equal signs."""
    return re.sub(r"\s*([,=])\s*", r"\1", dn.strip()).lower()


def entries(source: Source) -> dict[str, Entry]:
    """All entries by ``same_name``, changes carried out in the order of the file. ``ConfigError`` in a broken file."""
    found: dict[str, Entry] = {}
    for record in _records(source):
        name, dn = record[0]
        if name != "dn":
            raise source.fault("an entry does not begin with its dn", dn.start, then="RFC 2849: dn: NAME")
        _carry_out(found, dn, record[1:])
    return found


_Attribute = tuple[str, Value]


def _carry_out(found: dict[str, Entry], dn: Value, rest: list[_Attribute]) -> None:
    key = same_name(dn.text)
    change = next((value.text.strip().lower() for name, value in rest if name == "changetype"), "")
    if change in _REMOVING:
        found.pop(key, None)
        return
    if change != _MODIFYING:
        found[key] = Entry(dn.text, dn.start)
    entry = found.setdefault(key, Entry(dn.text, dn.start))
    if change == _MODIFYING:
        _modify(entry, rest)
        return
    for name, value in rest:
        if name not in {"changetype", "control"}:
            entry.add(name, value)


def _modify(entry: Entry, rest: list[_Attribute]) -> None:
    """The blocks of a change: what is done, to which attribute, and the values."""
    for doing, target, values in _blocks(rest):
        if doing == "replace" or (doing == "delete" and not values):
            entry.attributes.pop(target, None)
        for value in values:
            if doing == "delete":
                entry.attributes.get(target, {}).pop(value.text, None)
            else:
                entry.add(target, value)


def _blocks(rest: list[_Attribute]) -> Iterator[tuple[str, str, list[Value]]]:
    doing, target, values = "", "", list[Value]()
    for name, value in rest:
        if name in _CHANGES and name != target:
            yield doing, target, values
            doing, target, values = name, value.text.strip().lower(), []
        elif name == target:
            values.append(value)
    yield doing, target, values


# ---- lines


def _records(source: Source) -> Iterator[list[_Attribute]]:
    record: list[_Attribute] = []
    for number, (start, end, after) in enumerate(_logical(source.text)):
        if number > _MOST:
            raise source.fault(f"more than {_MOST} lines", start, then="export the archive's device alone")
        line = source.text[start:end]
        if not line:
            if record:
                yield record
            record = []
        elif line == "-" or line.startswith("#"):
            continue
        else:
            attribute = _attribute(source, start, end, after)
            if attribute[0] != "version" or record:
                record.append(attribute)
    if record:
        yield record


def _logical(text: str) -> Iterator[tuple[int, int, int]]:
    """Start and end of each line with those that continue it, and where the next begins."""
    at = 0
    while at < len(text):
        end = after = at
        while after < len(text) and (after == at or text[after] == " "):
            end, after = _line(text, after)
        yield at, end, after
        at = after


def _line(text: str, at: int) -> tuple[int, int]:
    """Where a line ends, and where the next begins."""
    feed = text.find("\n", at)
    if feed < 0:
        return len(text), len(text)
    return feed - (feed > at and text[feed - 1] == "\r"), feed + 1


def _attribute(source: Source, start: int, end: int, after: int) -> _Attribute:
    match = _ATTRIBUTE.match(source.text, start, end)
    if match is None:
        raise source.fault(
            "not a line of LDIF", start, then="attribute: value, or a space before what continues"
        )
    raw = source.text[match.end() : min(end, match.end() + _CHARACTERS)]
    text = _FOLD.sub("", raw)
    coded = match[3] == "::"
    value = Value(
        _decoded(source, text, start, whole=match.end() + len(raw) == end) if coded else text.rstrip(" "),
        start, match.end(), end, after, plain=not coded and "\n" not in raw,
    )  # fmt: skip
    return match[1].lower(), value


def _decoded(source: Source, text: str, start: int, *, whole: bool) -> str:
    """Of bytes that are no text, something that no password and no name is."""
    if not whole:
        return ""
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        raise source.fault("not base64", start, then="two colons mean that base64 follows") from None
