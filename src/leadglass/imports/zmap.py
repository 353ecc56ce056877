"""zmap's CSV, with a line of column names or without, and its plain list of addresses.

The port is the response's source port, ``sport``. Where there is no such column, the file does not tell it: whoever
started the scan knows.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence

from leadglass.imports.found import Broken, Found, UnfitError
from leadglass.imports.lines import each_line
from leadglass.imports.words import address_of, port_of

__all__ = ["ADDRESS_COLUMNS", "read_zmap_csv"]

ADDRESS_COLUMNS = frozenset({"saddr", "ip"})
_NO_PORT = "no port on the line, and none was given for the file"


def read_zmap_csv(pieces: Iterable[bytes], port: int | None) -> Iterator[Found | Broken]:
    """Every address that answered; ``port`` is the one that was scanned, for lines that do not tell."""
    return each_line(pieces, _Rows(port).found)


class _Rows:
    """The rows and, once their line has come, the columns' names."""

    def __init__(self, port: int | None) -> None:
        self._port = port
        self._columns: Sequence[str] | None = None
        self._begun = False

    def found(self, line: bytes) -> tuple[Found, ...]:
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
        return self._unnamed(cells) if self._columns is None else self._named(self._columns, cells)

    def _named(self, columns: Sequence[str], cells: Sequence[str]) -> tuple[Found, ...]:
        if len(cells) != len(columns):
            raise UnfitError("not as many cells as there are columns")
        row = dict(zip(columns, cells, strict=True))
        if not _succeeded(row.get("success"), row.get("classification")):
            return ()
        address = next(row[name] for name in columns if name in ADDRESS_COLUMNS)
        return (Found(address_of(address), self._port_of(row.get("sport")), None),)

    def _unnamed(self, cells: Sequence[str]) -> tuple[Found, ...]:
        """Without names only an address, or an address and a port, are understood."""
        if len(cells) > 2:
            raise UnfitError("columns without names")
        address, port = (*cells, None)[:2]
        return (Found(address_of(address), self._port_of(port), None),)

    def _port_of(self, cell: str | None) -> int:
        if cell is not None:
            return port_of(cell)
        if self._port is None:
            raise UnfitError(_NO_PORT)
        return self._port


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
