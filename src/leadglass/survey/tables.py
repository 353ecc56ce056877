"""The small tables that people fill in: a drawn sample with answers, and a matrix of a classifier's errors. CSV.

As spreadsheets give them back, too: with a byte order mark, and with semicolons or tabs between the cells, as in
countries that write a comma in numbers.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from leadglass.errors import ConfigError
from leadglass.survey.interval import LEVEL
from leadglass.survey.misclassification import Confusion
from leadglass.survey.stratified import Stratified, StratumCount, stratified

__all__ = [
    "ANSWERS",
    "Answers",
    "answers_text",
    "names_and_strata",
    "read_answers",
    "read_confusion",
    "shares_by_truth",
]

ANSWERS = ("server", "stratum", "servers_in_stratum", "truth")
"""The columns of a drawn sample; whoever reviews fills in the last."""
_SERVER = re.compile(r"[\w.:\[\]%/-]{1,255}")
_APART = re.compile(r"\s*[,;]\s*|\s+")
"""What stands between a server and its stratum in a list."""
_MARK = "\ufeff"
_SEPARATORS = ",;\t"
_WORD = re.compile(r"[\w][\w .+/-]{0,63}")
_MOST_CLASSES = 12
_MOST_ROWS = 1_000_000
_MOST_STRATA = 1000


@dataclass(frozen=True, slots=True)
class Answers:
    """A drawn sample, reviewed."""

    sizes: Mapping[str, int]
    """Servers in each stratum."""
    counts: Mapping[str, Mapping[str, int]]
    """For each stratum, how many are what in truth."""
    unanswered: int
    """Drawn servers of which nobody could say what they are."""

    @property
    def truths(self) -> tuple[str, ...]:
        """What occurs, most frequent first."""
        total: Counter[str] = Counter()
        for found in self.counts.values():
            total.update(found)
        return tuple(truth for truth, _ in total.most_common())


def answers_text(drawn: Iterable[tuple[str, str]], sizes: Mapping[str, int]) -> str:
    """The CSV to fill in, from (server, stratum) pairs."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(ANSWERS)
    writer.writerows((server, stratum, sizes[stratum], "") for server, stratum in drawn)
    return out.getvalue()


def read_answers(text: str, *, where: str) -> Answers:
    """What was filled in; ``ConfigError`` names the line that is wrong."""
    sizes: dict[str, int] = {}
    counts: dict[str, Counter[str]] = {}
    seen: set[str] = set()
    unanswered = 0
    for place, (server, stratum, size, truth) in _rows(text, ANSWERS, where):
        if server in seen:
            raise ConfigError(f"{server[:64]} stands here twice", where=place)
        seen.add(server)
        if sizes.setdefault(stratum, number(size, place)) != number(size, place):
            raise ConfigError(f"the stratum {stratum[:64]!r} has two sizes", where=place)
        found = counts.setdefault(stratum, Counter())
        if truth:
            found[_word(truth.lower(), place)] += 1  # a spreadsheet begins cells with a capital
        unanswered += not truth
    if not seen:
        raise ConfigError("there is no server in it", where=where, then="leadglass survey plan writes one")
    return Answers(sizes, counts, unanswered)


def shares_by_truth(answers: Answers, level: float = LEVEL) -> Mapping[str, Stratified]:
    """The share of each kind of truth over all strata; ``UsageError`` if a stratum has no answer.

    Those without an answer are taken to be like the others of their stratum.
    """
    return {
        truth: stratified(
            [
                StratumCount(name, found.get(truth, 0), sum(found.values()), answers.sizes[name])
                for name, found in answers.counts.items()
            ],
            level,
        )
        for truth in answers.truths
    }


def read_confusion(text: str, *, where: str) -> Confusion:
    """A matrix with a head of ``truth`` and the classes, and a row for each class in truth."""
    text = text.removeprefix(_MARK)
    try:
        rows = [row for row in csv.reader(io.StringIO(text), strict=True, delimiter=_separator(text)) if row]
    except csv.Error as exc:
        raise ConfigError(f"this is not CSV ({exc})", where=where) from exc
    head = [cell.strip() for cell in rows[0]] if rows else []
    classes = tuple(head[1:])
    if head[:1] != ["truth"] or not 2 <= len(set(classes)) == len(classes) <= _MOST_CLASSES:
        raise ConfigError(
            f"the first line must be: truth, and then 2 to {_MOST_CLASSES} different classes",
            where=f"{where}, line 1",
        )
    body = {row[0].strip(): row[1:] for row in rows[1:]}
    if len(rows) != len(classes) + 1 or set(body) != set(classes):
        raise ConfigError("there must be one row for each class", where=where)
    if any(len(row) != len(classes) for row in body.values()):
        raise ConfigError("each row has one count for each class", where=where)
    return Confusion(classes, tuple(tuple(number(cell, where) for cell in body[name]) for name in classes))


def names_and_strata(lines: Iterable[str], *, where: str) -> Iterator[tuple[str, str]]:
    """Servers in a list, one a line, each followed by its stratum if there are strata; # begins a comment."""
    strata: set[str] = set()
    for line_number, line in enumerate(lines, 1):
        words = _APART.split(line.removeprefix(_MARK).partition("#")[0].strip(), maxsplit=1)
        if not words[0]:
            continue
        place = f"{where}, line {line_number}"
        if not _SERVER.fullmatch(words[0]):
            raise ConfigError(f"this is no server: {words[0][:40]!r}", where=place)
        stratum = _word(words[1], place) if len(words) > 1 else "all"
        strata.add(stratum)
        if len(strata) > _MOST_STRATA:
            raise ConfigError(f"more than {_MOST_STRATA:,} strata", where=place)
        yield words[0], stratum


def number(text: str, where: str) -> int:
    """A whole number that is not negative; ``ConfigError`` for anything else."""
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 10):
        raise ConfigError(f"this is no count: {text[:40]!r}", where=where)
    return int(digits)


def _word(text: str, where: str) -> str:
    if not _WORD.fullmatch(text):
        raise ConfigError(
            f"this is no name: {text[:40]!r}", where=where, then="use letters, digits and - . + /"
        )
    return text


def _separator(text: str) -> str:
    """What stands between the cells: whichever the first line has most of."""
    return max(_SEPARATORS, key=text.partition("\n")[0].count)


def _rows(text: str, columns: tuple[str, ...], where: str) -> Iterator[tuple[str, list[str]]]:
    """The cells of ``columns`` in each row, with the place of the row."""
    text = text.removeprefix(_MARK)
    reader = csv.reader(io.StringIO(text), strict=True, delimiter=_separator(text))
    try:
        head = [name.strip() for name in next(reader, [])]
        missing = [name for name in columns if name not in head]
        if missing:
            raise ConfigError(f"the column {missing[0]!r} is missing", where=f"{where}, line 1")
        at = [head.index(name) for name in columns]
        for row in reader:
            place = f"{where}, line {reader.line_num}"
            if not row:
                continue
            if len(row) <= max(at) or reader.line_num > _MOST_ROWS:
                raise ConfigError("a row has too few columns, or there are too many rows", where=place)
            yield place, [row[i].strip() for i in at]
    except csv.Error as exc:
        raise ConfigError(f"this is not CSV ({exc})", where=f"{where}, line {reader.line_num}") from exc
