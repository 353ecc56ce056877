"""``leadglass survey share``: what part of reported breaches imaging servers may have had."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from leadglass.cli.survey_options import FigureOption, FormatOption, Shape, counts, for_survey, tell
from leadglass.errors import ConfigError, UsageError

__all__ = ["period", "share", "share_in"]

_LONGEST = 1 << 20
"""Bytes of a line that are read at once; a longer one is no line of the portal."""


def share(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="The breach portal's CSV, as downloaded.")
    ],
    first: Annotated[str, typer.Option("--from", metavar="YYYY-MM-DD", help="The first day of the period.")],
    last: Annotated[str, typer.Option("--to", metavar="YYYY-MM-DD", help="The last day of the period.")],
    exposed_servers: Annotated[
        str | None,
        typer.Option(
            metavar="N[..N]",
            help="Exposed servers of the country in that time, from elsewhere.",
            show_default=False,
        ),
    ] = None,
    exposed_people: Annotated[
        str | None,
        typer.Option(
            metavar="N[..N]", help="People whose data stood exposed, from elsewhere.", show_default=False
        ),
    ] = None,
    shape: FormatOption = Shape.TEXT,
    figure: FigureOption = None,
) -> None:
    """The part of breaches and people that imaging had, by the US breach portal: counts and scenarios.

    Example: leadglass survey share breach_report.csv --from 2019-01-01 --to 2019-12-31 --exposed-people 5000000
    """
    module = for_survey("share")
    exposed = module.Exposed(
        _range(exposed_servers, "--exposed-servers"), _range(exposed_people, "--exposed-people")
    )
    found = share_in(files, period(first, last), exposed)
    tell(
        "share",
        {"country": module.COUNTRY, "share": found},
        for_survey("texts_counted").for_share(found),
        shape,
        figure=figure,
        picture=lambda: for_survey("pictures").of_share(found),
    )


def period(first: str, last: str) -> Any:
    """The period between two days as they are typed; ``UsageError`` if there is none."""
    found = for_survey("share").Period(_day(first, "--from"), _day(last, "--to"))
    if found.last < found.first:
        raise UsageError("the period ends before it begins", where="--to")
    return found


def share_in(files: Sequence[Path], when: Any, exposed: Any = None) -> Any:
    """What the portal's ``files`` say of ``when``; a case that stands in several of them counts once."""
    reading = for_survey("breaches")
    breaches = (breach for path in files for breach in reading.read_breaches(_lines(path), where=str(path)))
    return for_survey("share").share_of(reading.distinct(breaches), when, exposed)


def _day(text: str, option: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"this is no day: {text[:40]!r}", where=option, then="write it as 2019-12-31"
        ) from None


def _range(text: str | None, option: str) -> Any:
    if text is None:
        return None
    parts = text.split("..")
    low, high = (counts(part, 1, option, "N or N..N")[0] for part in (parts[0], parts[-1]))
    if len(parts) > 2 or high < low:
        raise UsageError(f"this is no range: {text[:40]!r}", where=option, then="write it as 100 or 100..200")
    return for_survey("interval").Interval(float(low), float(high))


def _lines(path: Path) -> Iterator[str]:
    """The text of the file, line by line, in whatever encoding."""
    try:
        with path.open("rb") as stream:
            pieces = iter(lambda: stream.readline(_LONGEST + 1), b"")
            yield from for_survey("breaches").decoded(pieces, where=str(path))
    except OSError as exc:
        raise ConfigError(
            f"the file cannot be read ({(exc.strerror or str(exc)).lower()})", where=str(path)
        ) from exc
