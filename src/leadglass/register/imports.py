"""Systems out of what a practice has already: a spreadsheet, an Orthanc's list of modalities, a dcm4chee's devices."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from leadglass.configs.dcm4chee.device import Device
from leadglass.configs.dcm4chee.directory import directory
from leadglass.configs.dcm4chee.export import devices, is_export
from leadglass.configs.dcm4chee.ldif import is_ldif
from leadglass.configs.lint import recognised
from leadglass.configs.reading import Fact
from leadglass.configs.source import Source, decoded
from leadglass.errors import ConfigError, UsageError
from leadglass.model.register import System, SystemKind
from leadglass.register.fields import COLUMNS, addressed, changed, named, port

__all__ = ["as_text", "imported"]

_MOST = 100_000
"""Rows of a table."""
_DELIMITERS = ",;\t"
_SEPARATOR = re.compile(r'"?sep=([,;\t])"?\r?\n', re.IGNORECASE)
_NO_NAME = re.compile(r"[^\w .:+()/-]")
_LONGEST_NAME = 64
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How files of spreadsheet programs begin: .xlsx and .ods, .xls."""
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_ALSO = {
    "address": "addresses", "ip": "addresses", "ip_address": "addresses", "host": "addresses", "hostname": "addresses",
    "port": "ports", "ae_title": "titles", "ae_titles": "titles", "aetitle": "titles", "aet": "titles", "title": "titles",
    "zone": "zones", "peer": "peers", "control": "controls",
}  # fmt: skip
"""What people call columns that hold a list."""
_PEER = re.compile(r"(?P<title>.*)@(?P<host>[^@ ]+):(?P<port>\d{1,5}|None)(?: without .*)?")
"""As the readers of configurations tell of one that may call."""


def as_text(path: str, raw: bytes) -> tuple[Source, str]:
    """A file as text, and what its reader should know of that; "" if there is nothing.

    A table that Excel saves as plain "CSV" is in the code page of the machine, and nothing in it says which: it is
    taken for Windows-1252. ``ConfigError`` for what is no text.
    """
    if raw.startswith(_WORKBOOKS):
        raise ConfigError(
            "a workbook, and no text", where=path, then='save the sheet as "CSV UTF-8", and import that'
        )
    try:
        return decoded(path, raw), ""
    except ConfigError as exc:
        text = raw.decode("cp1252", "replace")
        if "\ufffd" in text or _CONTROLS.search(text):
            raise exc from None
        return Source(
            path, text
        ), "not UTF-8; read as Windows-1252 (see that names are spelt as they should be)"


def imported(source: Source, known: Mapping[str, System]) -> list[System]:
    """The systems that a file names: ``known`` ones with what it says of them, others new; each once.

    It may be a table with a header line (separated by commas, semicolons or tabs), an Orthanc's configuration, its
    modalities as its REST interface lists them, or devices of dcm4chee-arc as LDIF or JSON. ``ConfigError`` names
    the line that is wrong.
    """
    reader = recognised(source)
    if is_export(source):
        found = _devices(devices(source), source.path, known)
    elif is_ldif(source.text):
        found = _devices(directory(source).devices(), source.path, known)
    elif reader is not None:
        found = _peers(reader.read(source, {}).facts.get("peers"), source.path, known)
    elif source.text.lstrip()[:1] in {"{", "["}:
        found = _modalities(source, known)
    else:
        found = _table(source, known)
    systems = list({system.name: system for system in found}.values())
    if not systems:
        raise ConfigError("no system is named here", where=source.path)
    return systems


def _modalities(source: Source, known: Mapping[str, System]) -> Iterator[System]:
    """What ``/modalities?expand`` of an Orthanc says: the member ``DicomModalities`` by itself."""
    whole = Source(source.path, f'{{"DicomModalities": {source.text.lstrip()}}}')
    reader = recognised(whole)
    systems = list(_peers(reader.read(whole, {}).facts.get("peers"), source.path, known)) if reader else []
    if not systems:
        raise ConfigError(
            "JSON, but no configuration or modalities of an Orthanc, and no devices of a dcm4chee",
            where=source.path,
            then="take what /modalities?expand of an Orthanc or /devices/NAME of a dcm4chee-arc gives",
        )
    yield from systems


# ---- tables


def _table(source: Source, known: Mapping[str, System]) -> Iterator[System]:
    text = source.text.removeprefix("\ufeff")
    rows = _numbered(text, _delimiter(text), source.path)
    if _SEPARATOR.match(text):
        next(rows)
    names = _columns(next(rows, ("", []))[1], source.path)
    made: dict[str, System] = {}
    for where, row in rows:
        said = _cells(names, row, where)
        if said:
            system = _said(said, where, {**known, **made} if said.get("name") in made else known)
            made[system.name] = system
            yield system


def _delimiter(text: str) -> str:
    """What separates cells: as the first line of a spreadsheet for Excel says (``sep=;``), or what there is most of."""
    said = _SEPARATOR.match(text)
    head = text.partition("\n")[0]
    return said[1] if said else max(_DELIMITERS, key=head.count)


def _columns(head: list[str], path: str) -> list[str]:
    """The names of the columns; "" for those without one, which spreadsheets leave at the end."""
    heads = [_head(cell) for cell in head]
    names = [_column(cell, path) if cell.strip() else "" for cell in head]
    if "name" not in names:
        raise ConfigError(
            "this is no table of systems, and no configuration that names peers",
            where=path,
            then=f"its first line must have the column name, and may have {', '.join(COLUMNS)}",
        )
    twice = [name for name in heads if name and heads.count(name) > 1]
    if twice:
        raise ConfigError(f"two columns are called {twice[0]!r}", where=f"{path}, line 1")
    return names


def _cells(names: list[str], row: list[str], where: str) -> dict[str, str]:
    """What a row says, by column; an empty cell says nothing."""
    filled = {number: _plain(cell) for number, cell in enumerate(row) if cell.strip()}
    if any(number >= len(names) for number in filled):
        raise ConfigError("more cells than the first line has columns", where=where)
    if any(not names[number] for number in filled):
        raise ConfigError("a cell stands in a column that has no name", where=where)
    said: dict[str, list[str]] = {}
    for number, cell in filled.items():
        said.setdefault(names[number], []).append(cell)
    return {name: "; ".join(cells) for name, cells in said.items()}


def _numbered(text: str, delimiter: str, path: str) -> Iterator[tuple[str, list[str]]]:
    """The rows of a table with their places."""
    rows = csv.reader(io.StringIO(text, newline=None), delimiter=delimiter, strict=True)
    try:
        for number, row in enumerate(rows):
            where = f"{path}, line {rows.line_num}"
            if number > _MOST:
                raise ConfigError(f"more than {_MOST:,} rows", where=where)
            yield where, row
    except csv.Error as exc:
        raise ConfigError(f"this is no table ({exc})", where=f"{path}, line {rows.line_num}") from exc


def _said(said: dict[str, str], where: str, known: Mapping[str, System]) -> System:
    try:
        name = named(said.pop("name", ""), "name")
        return changed(known.get(name, System(name)), said, lambda column: column)
    except UsageError as exc:
        raise ConfigError(f"{exc.where}: {exc.what}", where=where, then=exc.then) from exc


def _column(cell: str, path: str) -> str:
    name = _ALSO.get(_head(cell), _head(cell))
    if name not in {"name", *COLUMNS}:
        raise ConfigError(
            f"nothing is called {cell[:32]!r} here",
            where=f"{path}, line 1",
            then=f"columns are name, {', '.join(COLUMNS)}",
        )
    return name


def _head(cell: str) -> str:
    return re.sub(r"[\s-]+", "_", cell.strip().lower())


def _plain(cell: str) -> str:
    """Without the apostrophe that keeps a spreadsheet from running a cell."""
    text = cell.strip()
    return text[1:] if text[:2] in {"'=", "'+", "'-", "'@"} else text


# ---- peers that servers know


def _peers(fact: Fact, path: str, known: Mapping[str, System]) -> Iterator[System]:
    """Those who may call, by their titles; one at several places is one system."""
    made: dict[str, System] = {}
    for text in fact if isinstance(fact, tuple) else ():
        if peer := _PEER.fullmatch(text):
            name = _called(peer["title"], peer["host"])
            system = made.get(name) or known.get(name) or System(name, SystemKind.MODALITY)
            ports = [] if peer["port"] in {"None", "0"} else [peer["port"]]
            made[name] = _at(system, path, peer["title"].strip(), [peer["host"]], ports)
            yield made[name]


def _devices(found: list[Device], path: str, known: Mapping[str, System]) -> Iterator[System]:
    for device in found:
        name = _called(device.item.text("dicomDeviceName"), device.item.name)
        kind = SystemKind.ARCHIVE if device.is_archive else SystemKind.MODALITY
        hosts = [connection.item.text("dicomHostname") for connection in device.connections]
        ports = [str(connection.port) for connection in device.listening()]
        titles = [
            title for ae in device.aes if (title := ae.item.text("dicomAETitle") or ae.item.name) != "*"
        ]
        system = known.get(name) or System(name, kind)
        yield _at(system, path, "; ".join(titles), hosts, ports)


def _at(system: System, path: str, titles: str, hosts: list[str], ports: list[str]) -> System:
    """``system`` with these titles, addresses and ports beside those that it has."""
    try:
        where = named(system.name, "name")
        given = changed(System(where), {"titles": titles}, lambda _: where)
        return replace(
            system,
            titles=_both(system.titles, given.titles),
            addresses=_both(
                system.addresses, tuple(addressed(host, where) for host in hosts if _is_known(host))
            ),
            ports=tuple(sorted({*system.ports, *(port(number, where) for number in ports)})),
        )
    except UsageError as exc:
        raise ConfigError(f"{exc.where}: {exc.what}", where=path, then=exc.then) from exc


def _is_known(host: str) -> bool:
    """Not where a variable that nobody told stands for it."""
    return bool(host) and "$" not in host


def _called(*names: str) -> str:
    """The first of ``names`` that is one, with a dash for whatever has no place in the name of a system."""
    found = (_NO_NAME.sub("-", name).strip("-_ .:+()/") for name in names)
    return next((name[:_LONGEST_NAME] for name in found if name), "unnamed")


def _both(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))
