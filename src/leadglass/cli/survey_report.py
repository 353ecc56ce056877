"""``leadglass survey report``: a whole study of a stored scan, to publish."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Any

import typer

from leadglass import wiring
from leadglass.cli import fetch, load
from leadglass.cli.survey_options import DatabaseOption, ScanOption, for_survey, read_bounded, save
from leadglass.cli.survey_share import period, share_in
from leadglass.cli.terminal import complain, write
from leadglass.errors import UsageError
from leadglass.model.record_parts import Tlp
from leadglass.report.safe import visible

__all__ = ["report"]

_FORMS = (".html", ".pdf")


def report(
    output: Annotated[
        list[Path],
        typer.Option(
            metavar="FILE", help="Where to write it: .html or .pdf (needs the extra pdf); repeat it."
        ),
    ],
    scan: ScanOption = "last",
    title: Annotated[str, typer.Option(help="What the study is called.")] = "Exposed DICOM servers",
    answers: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A sample of survey plan, filled in.", show_default=False),
    ] = None,
    breaches: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="The breach portal's CSV; repeat it.", show_default=False),
    ] = None,
    first: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="YYYY-MM-DD",
            help="First day of the breaches; a year before the scan.",
            show_default=False,
        ),
    ] = None,
    last: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="YYYY-MM-DD", help="Last day of them; that of the scan.", show_default=False
        ),
    ] = None,
    tlp: Annotated[Tlp, typer.Option(help="How far it may be passed on (FIRST TLP 2.0).")] = Tlp.AMBER,
    database: DatabaseOption = None,
) -> None:
    """A whole study of a stored scan: methods, tables, figures, limits, and published surveys beside it.

    Example: leadglass survey report --scan last --output study.html --output study.pdf
    """
    wrong = [path for path in output if path.suffix.lower() not in _FORMS]
    if wrong:
        raise UsageError("a study is .html or .pdf", where=f"--output {wrong[0]}", then="name it so")
    module = for_survey("study")
    stored, counted = fetch("leadglass.cli.survey_stored").counted(database, scan)
    if not counted.servers:
        complain(f"{stored.plan.ulid}: no DICOM server was seen, so little can be said")
    made = module.study(
        _subject(stored, counted, title, tlp),
        counted,
        _truths(answers),
        _share(breaches, first, last, stored),
    )
    for path in output:
        save(path, _written(made, path.suffix.lower()))
        write(f"{visible(str(path))} is written\n")


def _written(made: Any, form: str) -> bytes:
    module = for_survey("study")
    if form == ".html":
        text: str = module.as_html(made)
        return text.encode()
    source, inputs = module.as_typst(made)
    setting = load("leadglass.wiring.typesetting", extra="pdf")
    data: bytes = setting.pdf(source, inputs, int(wiring.clock().posix()))
    return data


def _subject(stored: Any, counted: Any, title: str, tlp: Tlp) -> Any:
    plan = stored.plan
    note = fetch("leadglass.store.reading").scope_of(plan)
    return for_survey("study").Subject(
        title=title,
        scan=plan.ulid,
        began=_moment(plan.began),
        ended="" if stored.ended is None else _moment(stored.ended),
        scope=plan.scope_name,
        basis="nobody's (loopback)" if note is None else f"{note.basis}: {note.granted_by or note.name}",
        position=plan.position.value,
        places=for_survey("recapture").lists_of(counted.histories),
        deepest=plan.deepest.word,
        tool_version=plan.tool_version,
        tlp=tlp,
    )


def _moment(posix: float) -> str:
    return dt.datetime.fromtimestamp(posix, dt.UTC).strftime("%Y-%m-%d %H:%M UTC")


def _truths(answers: Path | None) -> Any:
    if answers is None:
        return None
    tables = for_survey("tables")
    read = tables.read_answers(read_bounded(answers), where=str(answers))
    found = tables.shares_by_truth(read)
    if not found:
        raise UsageError("no server in it has an answer", where=str(answers), then="fill in the column truth")
    return found, read.unanswered


def _share(files: list[Path] | None, first: str | None, last: str | None, stored: Any) -> Any:
    if not files:
        return None
    began = dt.datetime.fromtimestamp(stored.plan.began, dt.UTC).date()
    return share_in(
        files,
        period(first or (began - dt.timedelta(days=365)).isoformat(), last or began.isoformat()),
    )
