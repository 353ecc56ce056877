"""Which tool wrote a file, and what it found: the way into this folder.

``read`` takes an open binary file, plain or gzip, and gives endpoints and broken lines in the order of the file,
with bounded memory. It opens nothing, decides nothing about scopes, and asks nobody.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import BinaryIO

from leadglass.errors import ConfigError
from leadglass.imports.censys import read_censys
from leadglass.imports.found import Answered, Broken, Found
from leadglass.imports.masscan import LIST_LINE, read_masscan_json, read_masscan_list
from leadglass.imports.nmap import read_nmap_xml
from leadglass.imports.shodan import read_shodan
from leadglass.imports.source import Source
from leadglass.imports.words import IPV4
from leadglass.imports.zmap import ADDRESS_COLUMNS, read_zmap_csv

__all__ = ["Answered", "Broken", "Found", "Kind", "detect", "read"]


class Kind(enum.StrEnum):
    """Whose file it is."""

    NMAP_XML = "nmap-xml"
    MASSCAN_JSON = "masscan-json"
    MASSCAN_LIST = "masscan-list"
    ZMAP_CSV = "zmap-csv"
    SHODAN = "shodan"
    CENSYS = "censys"


_KEYS: tuple[tuple[Kind, re.Pattern[bytes]], ...] = (
    (Kind.SHODAN, re.compile(rb'"(?:ip_str|_shodan)"\s*:')),
    (Kind.CENSYS, re.compile(rb'"(?:services|host_v1|resource)"\s*:')),
    (Kind.MASSCAN_JSON, re.compile(rb'"(?:ports|rec_type)"\s*:')),
)
"""Keys that only one tool's records have; within a string they could not stand so, as its quotes are escaped."""
_NO_RECORDS = re.compile(rb"\[[\[\]\s,]*(?:\{finished: 1\})?[\]\s]*")
"""What masscan writes when nothing answered."""
_ADDRESS = re.compile(rf"(?:{IPV4}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)".encode())
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SAY = "give what nmap -oX, masscan -oJ or -oL, or zmap -O csv wrote, or JSON Lines of Shodan or Censys"


def read(stream: BinaryIO, where: str, kind: Kind | None = None) -> Iterator[Found | Answered | Broken]:
    """Everything in the file, told as it is read; without ``kind`` the first bytes tell it.

    ``where`` names the file in messages. ``ConfigError``, here or with the first result, if the file as a whole
    cannot be used; ``ResourceError`` if the disk fails.
    """
    source = Source(stream, where)
    head = source.head()
    if source.damage is not None and not head:
        raise ConfigError(str(source.damage), where=where, then="fetch or pack the file again")
    return _read(source, where, kind or detect(head, where))


def detect(head: bytes, where: str = "") -> Kind:
    """The kind of file that begins so, after unpacking; ``ConfigError`` naming ``where`` if none does."""
    text = head.removeprefix(_BYTE_ORDER_MARK).lstrip()
    if not text:
        raise ConfigError("the file is empty", where=where, then=_SAY)
    kind = _by_brackets(text) if text[:1] in (b"<", b"{", b"[") else _by_first_line(text)
    if kind is None:
        raise ConfigError("the file is none that can be read", where=where, then=_SAY)
    return kind


def _read(source: Source, where: str, kind: Kind) -> Iterator[Found | Answered | Broken]:
    return read_nmap_xml(source, where) if kind is Kind.NMAP_XML else _READERS[kind](source)


_READERS: Mapping[Kind, Callable[[Iterable[bytes]], Iterator[Found | Answered | Broken]]] = {
    Kind.MASSCAN_JSON: read_masscan_json,
    Kind.MASSCAN_LIST: read_masscan_list,
    Kind.ZMAP_CSV: read_zmap_csv,
    Kind.SHODAN: read_shodan,
    Kind.CENSYS: read_censys,
}


def _by_brackets(text: bytes) -> Kind | None:
    if text.startswith(b"<"):
        return Kind.NMAP_XML if text.startswith(b"<?xml") or b"<nmaprun" in text else None
    for kind, keys in _KEYS:
        if keys.search(text):
            return kind
    return Kind.MASSCAN_JSON if _NO_RECORDS.fullmatch(text) else None


def _by_first_line(text: bytes) -> Kind | None:
    if text.startswith(b"#masscan"):
        return Kind.MASSCAN_LIST
    lines = (line.strip() for line in text.splitlines())
    first = next((line for line in lines if line and not line.startswith(b"#")), b"")
    if LIST_LINE.fullmatch(first):
        return Kind.MASSCAN_LIST
    cells = [cell.strip(b' "') for cell in first.split(b",")]
    named = not ADDRESS_COLUMNS.isdisjoint(cell.decode("ascii", "replace") for cell in cells)
    return Kind.ZMAP_CSV if named or _ADDRESS.fullmatch(cells[0]) else None
