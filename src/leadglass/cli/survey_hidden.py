"""``leadglass survey hidden``: how many DICOM servers stand behind mutual TLS."""

from __future__ import annotations

from typing import Annotated

import typer

from leadglass.cli import fetch
from leadglass.cli.survey_options import (
    DatabaseOption,
    FigureOption,
    FormatOption,
    LevelOption,
    ScanOption,
    Shape,
    counts,
    for_survey,
    pairs,
    tell,
)
from leadglass.errors import UsageError

__all__ = ["hidden"]

_HINTS = "confirmed, named, beside, port or other"


def hidden(
    demanding: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HINT=N",
            help=f"How many endpoints demand a certificate, by what speaks for DICOM: {_HINTS}; repeat it.",
            show_default=False,
        ),
    ] = None,
    calibration: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Where the truth is known, with --known.", show_default=False),
    ] = None,
    known: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HINT=DICOM/ENDPOINTS",
            help="How many of so many were DICOM there; repeat it.",
            show_default=False,
        ),
    ] = None,
    scan: ScanOption = None,
    database: DatabaseOption = None,
    level: LevelOption = 0.95,
    shape: FormatOption = Shape.TEXT,
    figure: FigureOption = None,
) -> None:
    """How many endpoints that demand a client certificate are DICOM: bounds, and a point where the truth is known.

    Example: leadglass survey hidden --demanding confirmed=3 --demanding port=40 --demanding other=900
    """
    if (scan is None) == (not demanding):
        raise UsageError(
            "count what demands a certificate", then="give either --scan SCAN or --demanding HINT=N"
        )
    if (calibration is None) != (not known):
        raise UsageError("--calibration and --known go together", then="a calibration has a name and counts")
    module = for_survey("hidden")
    if scan is None:
        read = pairs(
            demanding or [], "--demanding", "HINT=N", lambda text: counts(text, 1, "--demanding", "HINT=N")[0]
        )
        found = {_hint(name): number for name, number in read.items()}
    else:
        found = fetch("leadglass.cli.survey_stored").counted(database, scan)[1].hints
    result = module.hidden(found, _calibration(calibration, known or []), level)
    tell(
        "hidden",
        result,
        for_survey("texts_counted").for_hidden(result),
        shape,
        figure=figure,
        picture=lambda: for_survey("pictures").of_hidden(result),
    )


def _calibration(name: str | None, known: list[str]) -> object:
    if name is None:
        return None
    module = for_survey("hidden")
    how = "HINT=DICOM/ENDPOINTS"
    read = pairs(known, "--known", how, lambda text: counts(text, 2, "--known", how, "/"))
    return module.Calibration(name, {_hint(hint): module.Known(*numbers) for hint, numbers in read.items()})


def _hint(name: str) -> object:
    try:
        return for_survey("hidden").Hint(name)
    except ValueError:
        raise UsageError(f"there is no hint {name!r}", then=f"one of {_HINTS}") from None
