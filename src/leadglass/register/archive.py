"""A dossier as a ZIP: the pages, the data behind them, the entries as they are, their stamps, and how to verify.

Nothing is compressed and every moment in it is the same, so that its bytes hang on nothing but its contents.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import resources
from typing import Any

from leadglass import __version__
from leadglass.model.dossier import DossierOptions
from leadglass.register.case import Case
from leadglass.register.evidence import TABLES
from leadglass.register.stamped import stamp_file
from leadglass.register.tables import Row, as_csv, as_json_text

__all__ = [
    "ABOUT",
    "ENTRIES",
    "HEAD",
    "MANIFEST",
    "PAGES",
    "SCHEMA",
    "archive",
    "data_files",
    "manifest",
]

SCHEMA = "leadglass.dossier/1"
PAGES, ABOUT, MANIFEST = "dossier.pdf", "data/about.json", "MANIFEST.sha256"
ENTRIES, HEAD = "ledger/entries.jsonl", "ledger/HEAD"
_EARLIEST = (1980, 1, 1, 0, 0, 0)
_REGULAR = 0o100644 << 16


def archive(case: Case, rows: Mapping[str, Sequence[Row]], pages: bytes) -> bytes:
    """The ZIP."""
    files = {
        PAGES: pages,
        "README.txt": _read_me(),
        ABOUT: as_json_text(_about(case)).encode(),
        **data_files(rows),
        ENTRIES: b"".join(case.lines),
        HEAD: f"{case.head.n}:{case.head.digest}\n".encode(),
        **{stamp_file(stamp): base64.b64decode(stamp.answer) for stamp in case.stamps},
    }
    files[MANIFEST] = manifest(files)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as packed:
        for name in sorted(files):
            about = zipfile.ZipInfo(name, _EARLIEST)
            about.create_system, about.external_attr = 3, _REGULAR
            packed.writestr(about, files[name])
    return out.getvalue()


def data_files(rows: Mapping[str, Sequence[Row]]) -> dict[str, bytes]:
    """By path, every table as CSV and as JSON."""
    made: dict[str, bytes] = {}
    for table in TABLES:
        own = rows[table.name]
        made[f"data/{table.name}.csv"] = as_csv(table.columns, own).encode()
        made[f"data/{table.name}.json"] = as_json_text(own).encode()
    return made


def manifest(files: Mapping[str, bytes]) -> bytes:
    """The SHA-256 of each file, as ``sha256sum`` writes and checks it."""
    lines = (
        f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files) if name != MANIFEST
    )
    return "".join(lines).encode()


def _read_me() -> bytes:
    return resources.files("leadglass.register").joinpath("templates", "README.txt").read_bytes()


def _about(case: Case) -> Mapping[str, Any]:
    """What the data follow from, beside the entries."""
    return {
        "schema": SCHEMA,
        "made_by": f"leadglass {__version__}",
        "options": _options(case.options, str(case.today)),
        "head": f"{case.head.n}:{case.head.digest}",
        "scans": {scan: asdict(case.notes[scan]) for scan in sorted(case.notes)},
    }


def _options(options: DossierOptions, as_of: str) -> Mapping[str, Any]:
    said = asdict(options)
    since = options.since
    return json.loads(  # type: ignore[no-any-return]
        json.dumps({**said, "as_of": as_of, "since": None if since is None else str(since)})
    )
