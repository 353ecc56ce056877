"""``leadglass import``, and reading what other tools found, with what was not used said aloud."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from itertools import chain, starmap
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from leadglass import __version__, wiring
from leadglass.cli.reading import called_as
from leadglass.cli.storing import DatabaseOption, opened, read_scope_file
from leadglass.cli.terminal import complain, write
from leadglass.errors import ConfigError, UsageError
from leadglass.imports.found import Answered, Broken, Found
from leadglass.imports.reading import read
from leadglass.imports.within import Tally, within
from leadglass.judge.judge import judge
from leadglass.model.evidence import PassiveEvidence
from leadglass.model.key import pack
from leadglass.model.look import Look, Sighting, look_of
from leadglass.model.rung import Rung
from leadglass.model.verdict import Position
from leadglass.scope.scope import Scope
from leadglass.store.passive import keep
from leadglass.store.reading import tally as tally_of
from leadglass.store.scans import begin, complete
from leadglass.wiring.session import plan_of

__all__ = ["import_", "targets"]

_STDIN = "-"
"""The file that is standard input."""

_T = TypeVar("_T")


def import_(
    file: Annotated[
        Path, typer.Argument(help="An export of Shodan or Censys, JSON Lines; gzip too; - for a pipe.")
    ],
    scope: Annotated[Path, typer.Option(help="The scope file: only what lies in it is kept.")],
    database: DatabaseOption = None,
) -> None:
    """Keep what others have seen, as their account: nothing is sent.

    Example: leadglass import shodan.jsonl.gz --scope scope.toml
    """
    limits = read_scope_file(scope)
    with opened(database) as store, _taken(file) as (found, tally):
        plan = plan_of(limits, called_as(), Rung.PASSIVE, listed=True)
        # Their scanners stand on the internet, wherever the scope is seen from.
        theirs = dataclasses.replace(plan, kind="import", is_listed=False, position=Position.OUTSIDE)
        seen = _Seen()
        inside = within(found, _permits(limits.scope, Rung.PASSIVE), limits.scope.ports, tally)
        (_, _, first), accounts = _some(seen.accounts(inside), file, tally)
        stored = begin(store, theirs)
        keep(store, stored, starmap(seen.sighting, accounts), first.source, Position.OUTSIDE)
        complete(store, stored)
        kept = tally_of(store, stored).endpoints
    if seen.silent:
        complain(
            f"said to be open and no more, and left out: {seen.silent:,}; leadglass scan --from asks them"
        )
    write(f"kept as scan {stored.plan.ulid}: {kept:,} seen by others\n")


@contextmanager
def targets(scope: Scope, source: Path) -> Iterator[Iterator[tuple[str, int]]]:
    """Address and port of each endpoint that ``source`` found and ``scope`` lets us connect to."""
    with _taken(source) as (found, tally):
        inside = within(found, _permits(scope, Rung.CONNECT), scope.ports, tally)
        _, inside = _some(inside, source, tally)
        yield ((one.address, one.port) for one in inside)


def _permits(scope: Scope, least: Rung) -> Callable[[str, int], bool]:
    """Whether the scope has an endpoint, as deep as ``least``."""

    def permitted(address: str, port: int) -> bool:
        depth = scope.depth(address, port)
        return depth is not None and depth >= least

    return permitted


def _some(items: Iterator[_T], source: Path, tally: Tally) -> tuple[_T, Iterator[_T]]:
    """The first item and all of them; ``UsageError`` if there is none, before anything is kept of it."""
    for first in items:
        return first, chain([first], items)
    if tally.taken:
        then = "leadglass scan --from asks them"
        raise UsageError("it says no more than which ports are open", where=str(source), then=then)
    nothing = tally.outside == tally.broken == 0
    what = "it tells of no open TCP port" if nothing else "nothing in it lies in the scope and can be used"
    raise UsageError(what, where=str(source))


@contextmanager
def _taken(path: Path) -> Iterator[tuple[Iterator[Found | Answered | Broken], Tally]]:
    """What is in the file, and the tally to count it with; what was left out is said at the end."""
    tally = Tally()
    try:
        with nullcontext(sys.stdin.buffer) if str(path) == _STDIN else path.open("rb") as stream:
            yield read(stream, str(path)), tally
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise ConfigError(f"the file cannot be read ({reason})", where=str(path)) from exc
    finally:
        _say(path, tally)


def _say(path: Path, tally: Tally) -> None:
    if tally.portless:
        complain(f"{path}: addresses without a port, taken at every port of the scope: {tally.portless:,}")
    for broken in tally.first_broken:
        complain(f"{path}:{broken.line}: left out: {broken.why}")
    if tally.broken > len(tally.first_broken):
        complain(f"{path}: left out because they could not be read: {tally.broken:,} lines in all")
    if tally.outside:
        complain(
            f"{path}: outside the scope and left out: {tally.outside:,} of {tally.outside + tally.taken:,}"
        )


class _Seen:
    """Turns what was found into sightings, each different account judged once."""

    def __init__(self) -> None:
        self._now = int(wiring.clock().posix())
        self._looks: dict[tuple[PassiveEvidence, int], Look] = {}
        self.silent = 0
        """Endpoints that the file tells nothing about but that they are open."""

    def accounts(self, found: Iterable[Found]) -> Iterator[tuple[bytes, int, PassiveEvidence]]:
        """Key, port and account of each endpoint that has one."""
        for one in found:
            if one.evidence is None:
                self.silent += 1
            else:
                yield pack(one.address, one.port), one.port, one.evidence

    def sighting(self, key: bytes, port: int, told: PassiveEvidence) -> Sighting:
        """One account as what was seen."""
        # When they saw it is the sighting's; without it, equal accounts are one.
        account = dataclasses.replace(told, seen_at=None)
        return Sighting(key, self._moment(told), None, self._look(account, port))

    def _moment(self, evidence: PassiveEvidence) -> int:
        return (
            self._now
            if evidence.seen_at is None
            else int(datetime.fromisoformat(evidence.seen_at).timestamp())
        )

    def _look(self, account: PassiveEvidence, port: int) -> Look:
        look = self._looks.get((account, port))
        if look is None:
            if len(self._looks) >= _REMEMBERED:
                self._looks.clear()
            verdict = judge((account,), rung=Rung.PASSIVE, position=Position.OUTSIDE, port=port)
            look = self._looks[account, port] = look_of((account,), verdict, Rung.PASSIVE, __version__)
        return look


_REMEMBERED = 4096
"""Different accounts kept at hand."""
