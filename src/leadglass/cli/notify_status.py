"""``leadglass notify status``: whether telling helped, and whom to tell again."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, NamedTuple

import typer
from rich.text import Text

from leadglass import wiring
from leadglass.cli import load
from leadglass.cli.database import DatabaseOption
from leadglass.cli.prose import print_lines, wrapped
from leadglass.cli.storing import kept
from leadglass.cli.terminal import complain, write
from leadglass.model.notice import Outcome, SentNotice
from leadglass.store import notices

__all__ = ["Shape", "status"]

_OBSERVED = (
    "Observational: who was told how was not drawn by lot, so a difference between rows may come from who"
    " they are and not from how they were told."
)
_DRAWN = (
    "Drawn by lot: who was told how was assigned at random (study {study}), and owners count in the arm they"
    " were drawn for, whether or not they were told so."
)
_MEANING = (
    "Fixed: it demands a certificate or a login (asking for an AE title is not enough), or nothing answers and the"
    " owner says that it is closed."
    " Gone is not fixed: nothing answers, and nobody knows why."
    " Rates are of notices that a later look decided, with 95 % intervals (Wilson)."
)


class Shape(enum.StrEnum):
    """How to answer."""

    TEXT = "text"
    JSON = "json"


class _Told(NamedTuple):
    notice: SentNotice
    outcome: Outcome


class _Status(NamedTuple):
    told: Sequence[_Told]
    tables: Mapping[str, Sequence[Any]]
    """Rates, by what they are grouped by."""
    says: str
    reminders: Sequence[Any]
    mistaken: Sequence[_Told]
    """Owners who say that it is closed, and it is not."""
    differences: Sequence[Any] = ()
    """Between the arms of a study."""


def status(
    study: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Only the owners of this study, by the arm they were drawn for.",
            show_default=False,
        ),
    ] = None,
    shape: Annotated[Shape, typer.Option("--format", help="How to answer.")] = Shape.TEXT,
    database: DatabaseOption = None,
) -> None:
    """What became of the servers that owners were told of, by later scans, and whom to tell again.

    Example: leadglass notify status
    """
    progress = load("leadglass.notice.progress", extra="survey")
    with kept(database) as store:
        found = notices.outcomes(store)
        told = [
            _Told(one, progress.became(found.get((one.reference, one.channel), {}).values()))
            for one in notices.sent(store)
        ]
        arms = None if study is None else notices.arms(store, study)
    now = int(wiring.clock().posix())
    if arms is not None:
        told = [one for one in told if one.notice.owner in arms]
    rows = () if arms is None else _by_arm(progress, told, arms)
    answer = _Status(
        told,
        _by_way(progress, told) if arms is None else {"arm": rows},
        _OBSERVED if arms is None else _DRAWN.format(study=study),
        progress.reminders([one for one in told if one.notice.state == "sent"], now),
        [one for one in told if progress.is_mistaken(one.notice, one.outcome)],
        progress.differences(rows),
    )
    if shape is Shape.JSON:
        write(json.dumps(_as_json(answer), indent=2) + "\n")
    elif not told and arms is None:
        complain("no notice is kept here yet; notify log writes one down")
    else:
        print_lines(_lines(answer))


def _by_way(progress: Any, told: Sequence[_Told]) -> Mapping[str, Sequence[Any]]:
    left = [one for one in told if one.notice.state == "sent"]
    return {
        "channel": progress.rates((one.notice.channel.value, one.outcome) for one in left),
        "wording": progress.rates((one.notice.wording, one.outcome) for one in left),
    }


def _by_arm(progress: Any, told: Sequence[_Told], arms: Mapping[str, str]) -> Sequence[Any]:
    """Each owner once, by all that they were told; one who was not told counts as not looked at."""
    theirs: dict[str, list[Outcome]] = {owner: [] for owner in arms}
    for one in told:
        if one.notice.state == "sent":
            theirs[one.notice.owner].append(one.outcome)
    rows: Sequence[Any] = progress.rates(
        (arms[owner], progress.became(outcomes)) for owner, outcomes in theirs.items()
    )
    return rows


def _lines(answer: _Status) -> Iterator[Text]:
    for one in answer.told:
        notice = one.notice
        answers = ", ".join(word.value for word in notice.answers) or "no answer"
        state = "" if notice.state == "sent" else f" ({_STATES[notice.state]})"
        yield from wrapped(
            f"{notice.reference}  {notice.owner}, {notice.channel.value}, {notice.wording}:"
            f" {one.outcome.value}; {answers}{state}",
            indent=4,
        )
    for by, rows in answer.tables.items():
        yield Text("")
        yield Text(f"by {by}", style="bold")
        for row in rows:
            yield from wrapped(row.says, "  ", indent=6)
    for one in answer.differences:
        yield from wrapped(one.says, "  ", indent=6)
    yield Text("")
    yield from wrapped(answer.says)
    yield from wrapped(_MEANING)
    for one in answer.mistaken:
        yield Text("")
        yield from wrapped(
            f"{one.notice.owner}: says that it is fixed ({one.notice.reference}), and by the latest look it is"
            f" {one.outcome.value}; look again, and if it still is, tell them what can be reached",
            indent=4,
        )
    for again in answer.reminders:
        yield Text("")
        yield from wrapped(
            f"{again.notice.owner}: open {again.days} days after {again.notice.reference} by"
            f" {again.notice.channel.value}; try {again.by.value}, for the same way again does not help",
            indent=4,
        )


_STATES = {
    "sending": "begun, and nobody knows whether it left: ask the mail server, then log it with --channel email",
    "failed": "refused by the mail server",
}


def _as_json(answer: _Status) -> dict[str, Any]:
    return {
        "schema": "leadglass.notices/1",
        "says": answer.says,
        "notices": [
            {
                "reference": one.notice.reference,
                "owner": one.notice.owner,
                "recipient": one.notice.recipient,
                "channel": one.notice.channel.value,
                "wording": one.notice.wording,
                "sent_at": one.notice.sent_at,
                "state": one.notice.state,
                "answers": [word.value for word in one.notice.answers],
                "outcome": one.outcome.value,
                "says_fixed_but_open": one in answer.mistaken,
            }
            for one in answer.told
        ],
        "rates": {by: [_rate(row) for row in rows] for by, rows in answer.tables.items()},
        "differences": [
            {
                "first": one.first,
                "second": one.second,
                "share": one.share,
                "interval": [one.interval.low, one.interval.high],
            }
            for one in answer.differences
        ],
        "reminders": [
            {
                "owner": one.notice.owner,
                "reference": one.notice.reference,
                "days": one.days,
                "by": one.by.value,
            }
            for one in answer.reminders
        ],
    }


def _rate(row: Any) -> dict[str, Any]:
    interval = row.interval
    return {
        "group": row.group,
        "counts": {outcome.value: number for outcome, number in row.counts.items()},
        "fixed": row.fixed,
        "tested": row.tested,
        "interval": None if interval is None else [interval.low, interval.high],
    }
