"""``leadglass survey causes``: why servers stand open, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from leadglass.cli import fetch
from leadglass.cli.survey_options import (
    DatabaseOption,
    FigureOption,
    FormatOption,
    LevelOption,
    Shape,
    counts,
    for_survey,
    pairs,
    read_bounded,
    tell,
)
from leadglass.errors import UsageError
from leadglass.model.finding import Cause

__all__ = ["causes"]


def causes(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE...]", help="Reports of leadglass lint, as JSON.")
    ] = None,
    count: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CAUSE=N",
            help="How many servers show a cause, found otherwise (owners' answers, say); repeat it.",
            show_default=False,
        ),
    ] = None,
    of: Annotated[
        int | None,
        typer.Option(metavar="N", help="How many were looked at, with --count.", show_default=False),
    ] = None,
    stated: Annotated[
        bool, typer.Option("--stated", help="Count what owners stated too: leadglass owner state --cause.")
    ] = False,
    database: DatabaseOption = None,
    level: LevelOption = 0.95,
    shape: FormatOption = Shape.TEXT,
    figure: FigureOption = None,
) -> None:
    """Why servers stand open, counted from lint reports, owners' statements or numbers, with intervals.

    Example: leadglass survey causes --count factory-default=12 --count deliberate=5 --of 30
    """
    module = for_survey("causes")
    if bool(files or stated) == bool(count):
        raise UsageError(
            "there is nothing to count, or too much",
            then="give either files and --stated, or --count CAUSE=N",
        )
    answers: Mapping[Cause, int] = _stated(database) if stated else {}
    if count:
        if of is None or of < 1:
            raise UsageError("how many were looked at?", then="give --of N")
        read = pairs(count, "--count", "CAUSE=N", lambda text: counts(text, 1, "--count", "CAUSE=N")[0])
        found, looked_at = {_cause(name): number for name, number in read.items()}, of
    else:
        found, looked_at = (
            ({}, 0) if not files else module.count_findings((str(path), read_bounded(path)) for path in files)
        )
        found = {cause: found.get(cause, 0) + answers.get(cause, 0) for cause in Cause}
        looked_at += sum(answers.values())
    shares = module.shares_of_causes(found, looked_at, level)
    tell(
        "causes",
        {"looked_at": looked_at, "stated": sum(answers.values()), "causes": shares},
        for_survey("texts_counted").for_causes(shares, looked_at, sum(answers.values())),
        shape,
        figure=figure,
        picture=lambda: for_survey("pictures").of_causes(shares),
    )


def _stated(database: str | None) -> Mapping[Cause, int]:
    """How many servers show each cause by their owners' word: of each server, the latest that stands."""
    with fetch("leadglass.cli.storing").kept(database) as store:
        said = fetch("leadglass.store.statements").listed(store)
    latest = {one.target: one.cause for one in said if one.withdrawn_at is None and one.cause is not None}
    if not latest:
        raise UsageError(
            "no owner has stated a cause",
            where="--stated",
            then="leadglass owner state TARGET --cause writes one down",
        )
    return Counter(latest.values())


def _cause(name: str) -> Cause:
    try:
        return Cause(name)
    except ValueError:
        raise UsageError(
            f"there is no cause {name!r}", where="--count", then=f"one of {', '.join(Cause)}"
        ) from None
