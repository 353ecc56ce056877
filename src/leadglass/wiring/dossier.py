"""Makes a dossier of the register in a database: its pages, and the archive around them. Needs the extra ``pdf``."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path

from leadglass import wiring
from leadglass.errors import UsageError
from leadglass.model.dossier import Dossier, DossierOptions
from leadglass.register.archive import archive
from leadglass.register.case import Case, ScanNote, case_of, readable
from leadglass.register.codec import SCAN
from leadglass.register.evidence import rows_of
from leadglass.register.pages import as_typst, characters, pages
from leadglass.store.database import Database
from leadglass.store.reading import scope_of
from leadglass.store.register import head_of, lines_of, read_state
from leadglass.store.scans import StoredScan, find
from leadglass.wiring import typesetting

__all__ = ["case_in", "dossier"]

_STANDARDS: tuple[typesetting.PDFStandard, ...] = ("a-2a", "ua-1")


def dossier(database: Database, options: DossierOptions, fonts: Path | None = None) -> Dossier:
    """The dossier of the register in ``database``; ``fonts`` is a folder with more of them.

    The same entries, scans and options give the same bytes; without ``options.as_of``, of one day (UTC).
    ``ConfigError`` if the chain of entries is not whole.
    """
    with readable(database.where):
        case = case_in(database, options)
        rows = rows_of(case)
        shown = pages(case, rows)
    unset = typesetting.unset("".join(filter(_is_rare, characters(shown))), fonts)
    source, inputs = as_typst(shown, unset, typesetting.families(fonts))
    pdf = typesetting.pdf(source, inputs, case.moment, fonts, _STANDARDS)
    name = f"leadglass-dossier-{case.today}-{case.head.digest[:12]}"
    return Dossier(name, pdf, archive(case, rows, pdf))


def case_in(database: Database, options: DossierOptions) -> Case:
    """What a dossier of the register in ``database`` is made of; ``ConfigError`` if its chain is not whole."""
    today = options.as_of or dt.datetime.fromtimestamp(wiring.clock().posix(), dt.UTC).date()
    head = head_of(database)
    taken = [name for what, name in read_state(database) if what == SCAN]
    return case_of(lines_of(database), today, options, _notes(database, taken), database.where, head)


def _notes(database: Database, scans: Iterable[str]) -> Mapping[str, ScanNote]:
    """What is kept of each of ``scans`` that is kept."""
    found: dict[str, ScanNote] = {}
    for scan in scans:
        with contextlib.suppress(UsageError):
            found[scan] = _note(find(database, scan))
    return found


def _note(stored: StoredScan) -> ScanNote:
    plan, leave = stored.plan, scope_of(stored.plan)
    return ScanNote(
        kind=plan.kind,
        ended=stored.ended,
        basis="" if leave is None else leave.basis,
        granted_by=None if leave is None else leave.granted_by,
        reference=None if leave is None else leave.reference,
        deepest=plan.deepest.word,
        endpoints=plan.endpoints,
    )


def _is_rare(char: str) -> bool:
    """Whether a character needs a font to be looked for: ASCII has one."""
    return not char.isascii()
