"""The lines of stored records, put together as text.

A stored body is text already. To make an object of it for each of ten million endpoints, only to
write it out again, would take twenty times as long. What comes out is ``ScanRecord.line()``, byte for
byte; which fields there are is said in ``record``, and a test holds both together.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache

from leadglass.model.record_parts import SCHEMA, ScopeNote, Tlp, VantageFacts
from leadglass.model.rung import Rung

__all__ = ["LineMaker", "ascii_json", "utc"]

_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")


class LineMaker:
    """Makes the lines of one scan; ``names`` are the names that its addresses were resolved from."""

    def __init__(self, scan: str, scope: ScopeNote | None, tlp: Tlp | None, names: Mapping[str, str]) -> None:
        self._start = f'{{"schema":"{SCHEMA}","scan":{json.dumps(scan)},"observed_at":"'
        note = "null" if scope is None else ascii_json(scope.model_dump_json())
        self._marks = f'"scope":{note},"tlp":{json.dumps(tlp)}'
        self._names = {address: json.dumps(name) for address, name in names.items()}

    def vantage(self, vantage: VantageFacts) -> str:
        """The part of a line that says from where; for ``line``."""
        return f'"vantage":{ascii_json(vantage.model_dump_json())}'

    def look(self, rung: Rung, body: str) -> str:
        """The part of a line that says how deep, by whose leave and what was seen; for ``line``."""
        return f'"rung":"{rung.word}",{self._marks},{body[1:]}'

    def line(self, observed_at: int, address: str, port: int, vantage: str, look: str) -> str:
        """One line without its end; ``observed_at`` in POSIX seconds."""
        name = self._names.get(address, "null")
        return (
            f'{self._start}{utc(observed_at)}","endpoint":{{"address":"{address}","port":{port},"name":{name}}},'
            f"{vantage},{look}"
        )


def ascii_json(text: str) -> str:
    """JSON ``text`` with everything but printable ASCII escaped."""
    return text if text.isascii() and "\x7f" not in text else _UNPRINTABLE.sub(_escaped, text)


@lru_cache(maxsize=4096)
def utc(moment: int) -> str:
    """POSIX seconds as records write them."""
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _escaped(match: re.Match[str]) -> str:
    """A character of a JSON string as RFC 8259 section 7 escapes it, in UTF-16 code units."""
    units = match[0].encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
