"""``leadglass survey estimate``: how large a share is, or how many there are, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, NamedTuple, TypeAlias

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

__all__ = ["estimate"]

_ERRORS = "TP,FN,FP,TN"


class _Numbers(NamedTuple):
    """What was typed about one sample."""

    reviewed: int
    private: int
    servers: int | None
    drawn: bool
    level: float


_Reviewed: TypeAlias = Annotated[
    int | None, typer.Option(metavar="N", help="How many servers were reviewed.", show_default=False)
]
_Private: TypeAlias = Annotated[
    int | None, typer.Option(metavar="N", help="How many of them held private data.", show_default=False)
]
_Servers: TypeAlias = Annotated[
    int | None, typer.Option(metavar="N", help="How many servers there are in all.", show_default=False)
]
_Drawn: TypeAlias = Annotated[bool, typer.Option("--random", help="Those reviewed were drawn at random.")]
_Validation: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar=_ERRORS,
        help="Errors of the review, counted on a random part of the same servers.",
        show_default=False,
    ),
]
_ValidatedElsewhere: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar=_ERRORS, help="The same, counted on other servers: bounds.", show_default=False),
]
_Stratum: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=PRIVATE/REVIEWED/SERVERS",
        help="A stratum that was sampled by itself; repeat it.",
        show_default=False,
    ),
]
_Called: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KIND=N",
        help="How many were called that kind; repeat it, with --confusion.",
        show_default=False,
    ),
]
_Confusion: TypeAlias = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Kinds in truth against kinds as called: CSV.", show_default=False),
]
_On: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="LIST+LIST=N",
        help="How many servers are on exactly these lists; repeat it.",
        show_default=False,
    ),
]
_Answers: TypeAlias = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="A sample of survey plan, filled in.", show_default=False),
]
_Scan: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="SCAN",
        help="Count a stored scan; several: how many servers none of them saw.",
        show_default=False,
    ),
]
_Again: TypeAlias = Annotated[
    bool, typer.Option("--again", help="With one --scan: judge the evidence again, by today's rules.")
]


def estimate(
    reviewed: _Reviewed = None,
    private: _Private = None,
    servers: _Servers = None,
    drawn: _Drawn = False,
    validation: _Validation = None,
    validated_elsewhere: _ValidatedElsewhere = None,
    stratum: _Stratum = None,
    called: _Called = None,
    confusion: _Confusion = None,
    on: _On = None,
    answers: _Answers = None,
    scan: _Scan = None,
    again: _Again = False,
    database: DatabaseOption = None,
    level: LevelOption = 0.95,
    shape: FormatOption = Shape.TEXT,
    figure: FigureOption = None,
) -> None:
    """How large a share is, or how many servers there are, with an interval.

    Example: leadglass survey estimate --reviewed 25 --private 2 --servers 3806
    """
    ways: dict[str, tuple[bool, Callable[[], None]]] = {
        "--reviewed": (
            reviewed is not None or private is not None,
            lambda: _share(
                _numbers(reviewed, private, servers, drawn, level),
                validation,
                validated_elsewhere,
                shape,
                figure,
            ),
        ),
        "--stratum": (bool(stratum), lambda: _strata(stratum or [], level, shape, figure)),
        "--called": (bool(called), lambda: _classes(called or [], confusion, level, shape, figure)),
        "--on": (bool(on), lambda: _lists(on or [], level, shape, figure)),
        "--answers": (answers is not None, lambda: _answers(answers, level, shape, figure)),
        "--scan": (bool(scan), lambda: _scans(scan or [], database, level, shape, figure, again=again)),
    }
    chosen = [name for name, (given, _) in ways.items() if given]
    if len(chosen) != 1:
        what = f"{' and '.join(chosen)} do not go together" if chosen else "there is nothing to estimate from"
        raise UsageError(what, then=f"give one of {', '.join(ways)}")
    corrected = validation is not None or validated_elsewhere is not None
    sampled = chosen[0] == "--reviewed"
    _refuse_stray(
        ("--servers", servers is not None and (corrected or not sampled)),
        ("--random", drawn and (corrected or not sampled)),
        ("--validation", validation is not None and not sampled),
        ("--validated-elsewhere", validated_elsewhere is not None and not sampled),
        ("--confusion", confusion is not None and chosen[0] != "--called"),
        ("--again", again and len(scan or ()) != 1),
    )
    ways[chosen[0]][1]()


def _refuse_stray(*stray: tuple[str, bool]) -> None:
    """An option that would change nothing is a misunderstanding."""
    for name, is_stray in stray:
        if is_stray:
            raise UsageError(
                f"{name} has no meaning here", then="leave it out, or see: leadglass survey estimate --help"
            )


def _numbers(
    reviewed: int | None, private: int | None, servers: int | None, drawn: bool, level: float
) -> _Numbers:
    if reviewed is None or private is None:
        missing = "--reviewed" if reviewed is None else "--private"
        raise UsageError(f"{missing} is missing", then="give --reviewed N and --private N")
    return _Numbers(reviewed, private, servers, drawn, level)


def _share(
    numbers: _Numbers, validation: str | None, elsewhere: str | None, shape: Shape, figure: Path | None
) -> None:
    if validation is not None and elsewhere is not None:
        raise UsageError("--validation and --validated-elsewhere do not go together")
    if validation is not None:
        _corrected(numbers, validation, shape, figure)
    elif elsewhere is not None:
        _bounds(numbers, elsewhere, shape, figure)
    else:
        found = for_survey("proportion").proportion(
            numbers.private, numbers.reviewed, numbers.servers, numbers.level
        )
        lines = for_survey("texts").for_proportion(found, drawn=numbers.drawn)
        result = {
            "drawn_at_random": numbers.drawn,
            "proportion": found,
            "halving": for_survey("sampling").halving_size(
                numbers.private, numbers.reviewed, numbers.servers, numbers.level
            ),
            "quote": for_survey("words").quote(found, drawn=numbers.drawn),
        }
        pictures = for_survey("pictures")
        picture = lambda: pictures.of_proportion(found, drawn=numbers.drawn)  # noqa: E731 - drawn only if asked
        tell("estimate", result, lines, shape, figure=figure, picture=picture)


def _corrected(numbers: _Numbers, validation: str, shape: Shape, figure: Path | None) -> None:
    errors = for_survey("misclassification")
    known = errors.Validation(*counts(validation, 4, "--validation", _ERRORS))
    found = errors.rogan_gladen(numbers.private, numbers.reviewed, known, numbers.level)
    direct = for_survey("stratified").by_call(numbers.private, numbers.reviewed, known, numbers.level)
    lines = for_survey("texts").for_validated(found, direct, known, numbers.level)
    tell(
        "estimate",
        {
            "rogan_gladen": found,
            "by_call": direct,
            "validation": known,
            "validated_like_the_rest": errors.is_like_the_rest(found.called, numbers.reviewed, known),
        },
        lines,
        shape,
        figure=figure,
        picture=lambda: for_survey("pictures").of_classes({"Rogan-Gladen": found}),
    )


def _bounds(numbers: _Numbers, elsewhere: str, shape: Shape, figure: Path | None) -> None:
    errors = for_survey("misclassification")
    known = errors.Validation(*counts(elsewhere, 4, "--validated-elsewhere", _ERRORS))
    ranges = errors.ranges(known, numbers.level)
    found = errors.bounds(numbers.private, numbers.reviewed, *ranges, numbers.level)
    lines = for_survey("texts").for_bounds(found)
    picture = lambda: for_survey("pictures").of_bounds(found)  # noqa: E731 - drawn only if asked
    tell("estimate", {"bounds": found}, lines, shape, figure=figure, picture=picture)


def _strata(words: list[str], level: float, shape: Shape, figure: Path | None) -> None:
    how = "NAME=PRIVATE/REVIEWED/SERVERS"
    read = pairs(words, "--stratum", how, lambda text: counts(text, 3, "--stratum", how, "/"))
    strata = for_survey("stratified")
    found = strata.stratified([strata.StratumCount(name, *numbers) for name, numbers in read.items()], level)
    tell(
        "estimate",
        {"stratified": found},
        for_survey("texts").for_stratified(found),
        shape,
        figure=figure,
        picture=lambda: for_survey("pictures").of_stratified(found),
    )


def _classes(
    words: list[str], confusion: Path | None, level: float, shape: Shape, figure: Path | None
) -> None:
    if confusion is None:
        raise UsageError(
            "without --confusion nothing is known of the errors, so nothing follows from what was called",
            where="--called",
            then="give the matrix of a validated random part",
        )
    called = pairs(words, "--called", "KIND=N", lambda text: counts(text, 1, "--called", "KIND=N")[0])
    matrix = for_survey("tables").read_confusion(read_bounded(confusion), where=str(confusion))
    found = for_survey("misclassification").by_class(called, matrix, level)
    tell(
        "estimate",
        {"classes": found},
        for_survey("texts").for_classes(found, level),
        shape,
        figure=figure,
        picture=lambda: for_survey("pictures").of_classes(found),
    )


def _lists(words: list[str], level: float, shape: Shape, figure: Path | None) -> None:
    read = pairs(words, "--on", "LIST+LIST=N", lambda text: counts(text, 1, "--on", "LIST+LIST=N")[0])
    histories = {frozenset(name.split("+")): number for name, number in read.items()}
    if len(histories) < len(read):
        raise UsageError("the same lists are given twice", where="--on")
    _recaptured(histories, level, shape, figure)


def _recaptured(
    histories: Mapping[frozenset[str], int], level: float, shape: Shape, figure: Path | None
) -> None:
    found = for_survey("recapture").recaptured(histories, level)
    tell(
        "estimate",
        {"recaptured": found, "is": "a lower bound under positive dependence"},
        for_survey("texts").for_recaptured(found, level),
        shape,
        figure=figure,
        picture=lambda: for_survey("pictures").of_recaptured(found),
    )


def _answers(path: Path | None, level: float, shape: Shape, figure: Path | None) -> None:
    assert path is not None
    tables = for_survey("tables")
    read = tables.read_answers(read_bounded(path), where=str(path))
    found = tables.shares_by_truth(read, level)
    if not found:
        raise UsageError("no server in it has an answer", where=str(path), then="fill in the column truth")
    tell(
        "estimate",
        {"truths": found, "unanswered": read.unanswered},
        for_survey("texts").for_truths(found, read.unanswered),
        shape,
        figure=figure,
        picture=lambda: for_survey("pictures").of_truths(found),
    )


def _scans(
    names: list[str], database: str | None, level: float, shape: Shape, figure: Path | None, *, again: bool
) -> None:
    for_survey("proportion")  # the extra is needed, whatever the database says
    stored = fetch("leadglass.cli.survey_stored")
    if len(names) > 1:
        _recaptured(stored.overlap(database, names), level, shape, figure)
        return
    scan, found = stored.counted(database, names[0], again=again)
    places = for_survey("recapture").lists_of(found.histories)
    lines = list(for_survey("texts_counted").for_census(found))
    result: dict[str, object] = {"scan": scan.plan.ulid, "census": found}
    if len(places) > 1:
        unseen = for_survey("recapture").attempted(found.histories, level)
        lines += ["", f"Seen from {', '.join(places)}:", *for_survey("texts").for_recaptured(unseen, level)]
        result["recaptured"] = unseen
    tell(
        "estimate",
        result,
        lines,
        shape,
        figure=figure,
        picture=lambda: for_survey("pictures").of_census(found),
    )
