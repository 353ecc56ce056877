"""``leadglass explain``: why a record says what it says, and what would settle the rest."""

from __future__ import annotations

import enum
import ipaddress
import json
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.text import Text

from leadglass.cli.console import console
from leadglass.cli.terminal import width, write
from leadglass.errors import ConfigError, UsageError
from leadglass.judge import explain as explaining
from leadglass.judge.explain import Explanation, Ruling
from leadglass.model.endpoint import Endpoint
from leadglass.model.record import ScanRecord, read_record
from leadglass.model.record_parts import EvidenceFact
from leadglass.report.safe import visible
from leadglass.report.say import behind, stated, value
from leadglass.wire.uids import NAMES

__all__ = ["Shape", "explain"]

STDIN = "-"
_UID = re.compile(r"[0-9.]{9,64}")


class Shape(enum.StrEnum):
    """How to explain."""

    TEXT = "text"
    JSONL = "jsonl"


class _Wanted(NamedTuple):
    """Which records of which file."""

    file: str
    number: int | None
    endpoint: str | None

    def takes(self, record: ScanRecord) -> bool:
        return self.endpoint is None or str(record.endpoint) == self.endpoint


def explain(
    record: Annotated[
        str,
        typer.Argument(
            metavar="RECORD",
            help="Scan records (JSON Lines): FILE, FILE#N for the Nth, or - for standard input.",
            show_default=False,
        ),
    ],
    endpoint: Annotated[
        str | None, typer.Option(metavar="ADDRESS:PORT", help="Only the records of this endpoint.")
    ] = None,
    shape: Annotated[Shape, typer.Option("--format", help="How to explain.")] = Shape.TEXT,
) -> None:
    """Why a record says what it says, and what would settle the rest.

    Judges the record's evidence again: which rules decided, on which observations, what else was seen, and
    whether today's rules judge otherwise. Sends nothing.

    Example: leadglass explain records.jsonl --endpoint 192.0.2.7:11112
    """
    wanted = _wanted(record, endpoint)
    explained = 0
    for where, chosen in _records(wanted):
        explanation = _explained(where, chosen)
        if shape is Shape.JSONL:
            write(json.dumps(explaining.as_json(explanation)) + "\n")
        else:
            _show(explanation, again=explained > 0)
        explained += 1
    if not explained:
        raise UsageError(_nothing(wanted), where=wanted.file, then="look at its lines, one record each")


def _wanted(record: str, endpoint: str | None) -> _Wanted:
    spelled = _endpoint(endpoint) if endpoint is not None else None
    file, mark, number = record.rpartition("#")
    if mark and number.isdecimal() and not Path(record).exists():
        return _Wanted(file, int(number), spelled)
    return _Wanted(record, None, spelled)


def _endpoint(text: str) -> str:
    address, _, port = text.rpartition(":")
    try:
        canonical = str(ipaddress.ip_address(address.strip("[]")))
        return str(Endpoint(canonical, int(port)))
    except ValueError as exc:
        raise UsageError(
            f"{text!r} is not ADDRESS:PORT", where="--endpoint", then="e.g. [2001:db8::7]:104"
        ) from exc


def _nothing(wanted: _Wanted) -> str:
    if wanted.number is not None:
        return f"there is no record number {wanted.number}"
    return f"there is no record of {wanted.endpoint}" if wanted.endpoint else "there is no record in it"


def _records(wanted: _Wanted) -> Iterator[tuple[str, ScanRecord]]:
    """The chosen records, each with its place; a file of any length is read line by line."""
    number = 0
    for line_number, line in enumerate(_lines(wanted.file), start=1):
        if not line.strip():
            continue
        number += 1
        if wanted.number is not None and number != wanted.number:
            continue
        where = f"{wanted.file}, line {line_number}"
        record = read_record(line, where=where)
        if wanted.takes(record):
            yield where, record


def _lines(file: str) -> Iterator[str]:
    try:
        if file == STDIN:
            yield from sys.stdin
            return
        with Path(file).open(encoding="utf-8") as stream:
            yield from stream
    except UnicodeDecodeError as exc:
        raise ConfigError("this is not a UTF-8 text file", where=file) from exc
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise ConfigError(f"the file cannot be read ({reason})", where=file) from exc


def _explained(where: str, record: ScanRecord) -> Explanation:
    try:
        return explaining.explain(record)
    except ValueError as exc:
        raise ConfigError(str(exc), where=where, then="only an unaltered record can be judged again") from exc


# ---- as text


def _show(explanation: Explanation, *, again: bool) -> None:
    screen = console()
    if again:
        screen.print()
    for line in _text(explanation):
        screen.print(line, soft_wrap=True)


def _text(explanation: Explanation) -> Iterator[Text]:
    record, verdict = explanation.record, explanation.verdict
    name = f" ({record.endpoint.name})" if record.endpoint.name else ""
    yield from _wrapped(
        f"{record.endpoint}{name}: {verdict.access}, severity {verdict.severity}", style="bold"
    )
    seen_from = record.vantage.source or "no connection"
    yield from _wrapped(
        f"Seen {record.observed_at:%Y-%m-%d %H:%M} UTC from {seen_from} ({record.vantage.position}), "
        f"at the rung {record.rung}."
    )
    if record.stated is not None:
        yield from _section("Said by the owner, and it overrules the evidence", (stated(record.stated),))
    shown: set[str] = set()
    yield from _rulings("Decided by", explanation.decided, shown)
    yield from _rulings("What else follows", explanation.others, shown)
    yield from _section("What stands behind it", _nature(explanation))
    yield from _section("Seen, and no rule's reason", (_fact(fact) for fact in explanation.unused))
    yield from _section("What would settle what is open", explanation.settles)
    yield from _compared(explanation)


def _rulings(title: str, rulings: Iterable[Ruling], shown: set[str]) -> Iterator[Text]:
    """Each rule with its facts; a fact that stands above already is only named."""
    for i, ruling in enumerate(rulings):
        if i == 0:
            yield from _heading(title)
        yield from _wrapped(f"{ruling.reason.rule}: {ruling.reason.text}", "  ")
        for fact in ruling.facts:
            if fact.id not in shown:
                yield from _wrapped(_fact(fact), "      ")
        if above := [fact.id for fact in ruling.facts if fact.id in shown]:
            yield from _wrapped(f"as above: {', '.join(above)}", "      ")
        shown.update(fact.id for fact in ruling.facts)


def _section(title: str, sentences: Iterable[str]) -> Iterator[Text]:
    for i, sentence in enumerate(sentences):
        if i == 0:
            yield from _heading(title)
        yield from _wrapped(sentence, "  ")


def _nature(explanation: Explanation) -> Iterator[str]:
    """All kinds with their shares, beside the prior: nobody has measured it, so it must be seen."""
    nature, record = explanation.verdict.nature, explanation.record
    if not behind(record):
        return
    kinds = sorted(nature.shares, key=lambda kind: -nature.shares[kind])
    by = "By the evidence, settled" if nature.settled else "By the evidence, not settled"
    yield f"{by}: {', '.join(f'{kind} {nature.shares[kind]:.1%}' for kind in kinds)}."
    assumed = ", ".join(f"{kind} {nature.prior[kind]:.0%}" for kind in kinds)
    yield f"Before any evidence, assumed and measured by nobody: {assumed}."
    yield f"Data: {explanation.verdict.data}."


def _compared(explanation: Explanation) -> Iterator[Text]:
    if not explanation.changes:
        yield from _heading("Today's rules judge as the record says")
        return
    changes = (f"{c.what}: recorded {c.recorded}, today {c.today}" for c in explanation.changes)
    yield from _section("Today's rules judge otherwise than the record", changes)


def _fact(fact: EvidenceFact) -> str:
    """A fact as people read it: a UID by its name (PS3.6 annex A) where it has one."""
    return f"{fact.id} = {_UID.sub(lambda found: NAMES.get(found[0], found[0]), value(fact))}"


def _heading(text: str) -> Iterator[Text]:
    yield Text()
    yield Text(text, style="bold")


def _wrapped(text: str, indent: str = "", *, style: str = "") -> Iterator[Text]:
    lines = textwrap.wrap(
        visible(text),
        width(),
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_on_hyphens=False,
    )
    return (Text(line, style=style) for line in lines)
