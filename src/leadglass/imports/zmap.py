"""zmap's CSV, with a line of column names or without, and its plain list of addresses.

The port is the response's source port, ``sport``. Where there is no such column, as in what zmap writes unless told
otherwise, the file does not tell it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence

from leadglass.imports.found import Answered, Broken, Found, UnfitError
from leadglass.imports.lines import each_line
from leadglass.imports.words import address_of, port_of

__all__ = ["ADDRESS_COLUMNS", "read_zmap_csv"]

ADDRESS_COLUMNS = frozenset({"saddr", "ip"})


def read_zmap_csv(pieces: Iterable[bytes]) -> Iterator[Found | Answered | Broken]:
    """Every address that answered, with its port if the line tells it."""
    return each_line(pieces, _Rows().found)


class _Rows:
    """The rows and, once their line has come, the columns' names."""

    def __init__(self) -> None:
        self._columns: Sequence[str] | None = None
        self._begun = False

    def found(self, line: bytes) -> tuple[Found | Answered, ...]:
        """What one line tells; none for the names, blank lines, comments, and answers that are no success."""
        text = line.decode("utf-8-sig" if not self._begun else "utf-8", "replace").strip()
        if not text or text.startswith("#"):
            return ()
        cells = _cells(text)
        if not self._begun:
            self._begun = True
            if not ADDRESS_COLUMNS.isdisjoint(cells):
                self._columns = cells
                return ()
        return _unnamed(cells) if self._columns is None else _named(self._columns, cells)


def _named(columns: Sequence[str], cells: Sequence[str]) -> tuple[Found | Answered, ...]:
    if len(cells) != len(columns):
        raise UnfitError("not as many cells as there are columns")
    row = dict(zip(columns, cells, strict=True))
    if not _succeeded(row.get("success"), row.get("classification")):
        return ()
    address = next(row[name] for name in columns if name in ADDRESS_COLUMNS)
    return (_told(address, row.get("sport")),)


def _unnamed(cells: Sequence[str]) -> tuple[Found | Answered, ...]:
    """Without names only an address, or an address and a port, are understood."""
    if len(cells) > 2:
        raise UnfitError("columns without names")
    address, port = (*cells, None)[:2]
    return (_told(address or "", port),)


def _told(address: str, port: str | None) -> Found | Answered:
    where = address_of(address)
    return Answered(where) if port is None else Found(where, port_of(port), None)


def _cells(text: str) -> Sequence[str]:
    if '"' not in text:
        return [cell.strip() for cell in text.split(",")]
    try:
        return next(csv.reader([text], skipinitialspace=True))
    except csv.Error as exc:
        raise UnfitError("not CSV") from exc


def _succeeded(success: str | None, classification: str | None) -> bool:
    """As far as the columns tell: a RST is an answer too."""
    return success in (None, "1", "true") and classification != "rst"
