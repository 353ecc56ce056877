"""Whether a dossier's ZIP is as it was made: every file, the chain, its stamps, and the tables made anew from it.

It may come from anybody: names, sizes and contents are bounded, and nothing is unpacked to a disk.
"""

from __future__ import annotations

import base64
import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from pydantic import TypeAdapter, ValidationError

from leadglass import __version__
from leadglass.errors import ConfigError
from leadglass.ledger.chain import LONGEST_LINE, Head
from leadglass.ledger.verify import Broken, verify
from leadglass.model.dossier import DossierOptions
from leadglass.register.archive import ABOUT, ENTRIES, HEAD, MANIFEST, PAGES, SCHEMA, data_files, manifest
from leadglass.register.case import Case, ScanNote, case_of, readable
from leadglass.register.evidence import rows_of
from leadglass.register.requirements import PROFILES
from leadglass.register.stamped import Judge, StampCheck, check_stamps, stamp_file

__all__ = ["Unpacked", "checked"]

_LARGEST = 1 << 28
"""Bytes of all files together."""
_MOST = 10_000
"""Files."""
_NEEDED = (PAGES, ABOUT, ENTRIES, HEAD, MANIFEST)
_UNREADABLE = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError,
    ValueError,
)  # fmt: skip
"""What comes of bytes that are no ZIP."""
_HEAD = re.compile(r"([1-9][0-9]{0,14}):([0-9a-f]{64})\n|0:0{64}\n")
_OPTIONS = TypeAdapter(DossierOptions)
_NOTES = TypeAdapter(dict[str, ScanNote])


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What was found in a dossier's ZIP."""

    head: Head | None
    """Where the chain in it stands; None: it is not whole."""
    faults: tuple[str, ...]
    """What is not as it was made, one line each."""
    stamps: tuple[StampCheck, ...]
    remade: bool
    """Whether the tables were made anew: only the same version of Leadglass writes the same."""


def checked(stream: IO[bytes], where: str, judge: Judge | None) -> Unpacked:
    """Check a dossier's ZIP; ``ConfigError`` if it is none that can be read."""
    files = _unpacked(stream, where)
    missing = [name for name in _NEEDED if name not in files]
    if missing:
        raise ConfigError(f"this is no dossier: {missing[0]} is not in it", where=where)
    faults = [] if files[MANIFEST] == manifest(files) else [*_changed(files)]
    lines = [*_lines(files[ENTRIES])]
    anchor = _head(files[HEAD])
    result = verify(lines, *filter(None, (anchor,)))
    if isinstance(result, Broken):
        faults.append(f"{ENTRIES}: entry {result.n:,} ({result.what.value}): {result.why}")
        return Unpacked(None, tuple(faults), (), remade=False)
    if anchor != result.head:
        faults.append(f"{HEAD}: the last entry is another one")
    about = _about(files[ABOUT], where)
    remade = about.get("made_by") == f"leadglass {__version__}"
    with readable(f"{where}, {ENTRIES}"):
        stamps = check_stamps(lines, judge)
        faults += _stamp_faults(files, stamps)
        if remade:
            faults += _table_faults(files, _case(about, lines, where))
    return Unpacked(result.head, tuple(faults), tuple(stamps), remade)


# ---- the ZIP


def _unpacked(stream: IO[bytes], where: str) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(stream) as packed:
            listed = packed.infolist()
            _require_small(listed, where)
            return {one.filename: _read(packed, one) for one in listed}
    except _UNREADABLE as exc:
        raise ConfigError(f"this is no ZIP that can be read ({exc})"[:200], where=where) from exc


def _require_small(listed: Sequence[zipfile.ZipInfo], where: str) -> None:
    names = {one.filename for one in listed}
    if len(listed) > _MOST or len(names) != len(listed) or sum(one.file_size for one in listed) > _LARGEST:
        raise ConfigError("this is no dossier: too many files, too large, or one of them twice", where=where)
    if not {one.compress_type for one in listed} <= {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise ConfigError("it is packed as nobody packs", where=where, then="unpack it and pack it anew")


def _read(packed: zipfile.ZipFile, one: zipfile.ZipInfo) -> bytes:
    """At most what its head says that it has, which was counted: a bomb would be larger."""
    with packed.open(one) as member:
        return member.read(one.file_size)


def _lines(raw: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(raw):
        end = raw.find(b"\n", start, start + LONGEST_LINE) + 1 or min(start + LONGEST_LINE, len(raw))
        yield raw[start:end]
        start = end


# ---- what is in it


def _changed(files: Mapping[str, bytes]) -> Iterator[str]:
    said = dict(
        line.partition("  ")[::2][::-1] for line in files[MANIFEST].decode("utf-8", "replace").splitlines()
    )
    real = dict(line.partition("  ")[::2][::-1] for line in manifest(files).decode().splitlines())
    for name in sorted(said.keys() | real.keys()):
        if said.get(name) != real.get(name):
            what = "not in the manifest" if name not in said else "missing" if name not in real else "changed"
            yield f"{name[:80]}: {what}"
    if said == real:
        yield f"{MANIFEST}: changed"


def _head(raw: bytes) -> Head | None:
    found = _HEAD.fullmatch(raw.decode("utf-8", "replace"))
    if found is None:
        return None
    return Head(int(found[1]), found[2]) if found[1] else Head(0, "0" * 64)


def _stamp_faults(files: Mapping[str, bytes], stamps: Sequence[StampCheck]) -> Iterator[str]:
    kept = {name for name in files if name.startswith("stamps/")}
    for one in stamps:
        name = stamp_file(one.stamp)
        if one.problem:
            yield f"{name}: {one.problem}"
        if files.get(name) != _decoded(one.stamp.answer):
            yield f"{name}: it is not the one in the entry"
        kept.discard(name)
    yield from (f"{name[:80]}: no entry has it" for name in sorted(kept))


def _decoded(answer: str) -> bytes:
    try:
        return base64.b64decode(answer, validate=True)
    except ValueError:
        return b""


def _about(raw: bytes, where: str) -> Mapping[str, Any]:
    try:
        about = json.loads(raw)
    except (ValueError, RecursionError) as exc:
        raise ConfigError(f"{ABOUT} is no JSON", where=where) from exc
    if not isinstance(about, dict) or about.get("schema") != SCHEMA:
        raise ConfigError(f"{ABOUT} is not of the kind {SCHEMA}", where=where)
    return about


def _case(about: Mapping[str, Any], lines: Sequence[bytes], where: str) -> Case:
    try:
        options = _OPTIONS.validate_python(about.get("options"))
        notes = _NOTES.validate_python(about.get("scans"))
    except ValidationError as exc:
        raise ConfigError(f"{ABOUT} cannot be read", where=where) from exc
    if not set(options.profiles) <= set(PROFILES) or options.as_of is None:
        raise ConfigError(f"{ABOUT} names what there is not", where=where)
    return case_of(lines, options.as_of, options, notes, where)


def _table_faults(files: Mapping[str, bytes], case: Case) -> Iterator[str]:
    made = data_files(rows_of(case))
    for name in sorted(made):
        if files.get(name) != made[name]:
            yield f"{name}: it is not what the entries say"
