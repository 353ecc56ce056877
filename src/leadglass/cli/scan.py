"""``leadglass scan``: everything that a scope permits, kept in a database, and what was kept before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from leadglass.cli import fetch, load
from leadglass.cli.ending import UNFINISHED, Look, exit_code, rung_option, stop_on_signals
from leadglass.cli.reading import called_as, read_scope_text
from leadglass.cli.storing import DatabaseOption, opened, place_named, read_scope_file, report
from leadglass.cli.terminal import complain, is_terminal
from leadglass.errors import ResourceError, ScopeError, UsageError
from leadglass.model.rung import Rung
from leadglass.model.verdict import Severity
from leadglass.report.forms import Format
from leadglass.scan.foreman import Outcome
from leadglass.store.database import Database
from leadglass.store.locks import sole
from leadglass.store.scans import Plan, StoredScan, add_listed, begin, complete, find, latest
from leadglass.store.work import progress, release_all
from leadglass.wiring.session import HERE, plan_of, run, scope_digest, scope_in, watch

__all__ = ["scan"]


@dataclass(frozen=True, slots=True)
class _Wish:
    """What the user wants asked."""

    scope: Path | None
    resume: bool
    source: Path | None
    places: tuple[str, ...]
    deepest: Rung | None


def scan(
    context: typer.Context,
    scope: Annotated[
        Path | None, typer.Option(help="The scope file: whom to ask, how deep, by whose leave.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the last unfinished scan.")] = False,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="Ask only what nmap, masscan, zmap, Shodan or Censys found; - for a pipe.",
        ),
    ] = None,
    vantage: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="The name of this place; with PostgreSQL, of each place to scan from."
        ),
    ] = None,
    database: DatabaseOption = None,
    deepest: Annotated[
        str | None,
        typer.Option(
            metavar="RUNG", help="Go no deeper: connect, associate, negotiate, blank-query, sample."
        ),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How to report.")] = Format.TEXT,
    output: Annotated[Path | None, typer.Option(help="Write the report to this file.")] = None,
    fail_on: Annotated[Severity, typer.Option(help="Exit 1 from this severity on.")] = Severity.MEDIUM,
) -> None:
    """Look at everything that a scope permits, keep it, and report it.

    Example: leadglass scan --scope scope.toml --format html --output report.html
    """
    if context.invoked_subcommand is not None:
        return
    places = tuple(map(place_named, vantage or ()))
    wish = _Wish(scope, resume, source, places, rung_option(deepest))
    with opened(database) as store:
        stored = _resumed(store, wish) if resume else _begun(store, wish)
        outcome = _carried_out(store, stored, wish)
        raise typer.Exit(_concluded(store, stored, Look(form, output, fail_on), outcome))


# ---- which scan


def _begun(store: Database, wish: _Wish) -> StoredScan:
    if wish.scope is None:
        raise UsageError("which scope?", then="name it with --scope, or go on with --resume")
    file = read_scope_file(wish.scope)
    for refusal in file.scope.refused:
        complain(f"left out: {refusal}")
    if len(wish.places) > 1 and not store.is_postgres:
        raise UsageError("a file is scanned into from one place", where="--vantage", then="use PostgreSQL")
    places = wish.places if store.is_postgres else ()
    deepest = Rung.SAMPLE if wish.deepest is None else wish.deepest
    plan = plan_of(file, called_as(), deepest, places, listed=wish.source is not None)
    if wish.source is None:
        return begin(store, plan)
    with fetch("leadglass.cli.importing").targets(file.scope, wish.source) as found:
        stored = begin(store, plan)
        add_listed(store, stored, found)
    return find(store, stored.plan.ulid)


def _resumed(store: Database, wish: _Wish) -> StoredScan:
    """The last unfinished scan, if its scope still reads as it did when it began."""
    if wish.source is not None or wish.deepest is not None:
        raise UsageError("a resumed scan asks what it asked before", where="--resume")
    digest = None if wish.scope is None else scope_digest(read_scope_text(wish.scope))
    stored = latest(store, "open", digest)
    if stored is None:
        what = "there is no unfinished scan of this scope" if digest else "there is no unfinished scan"
        if latest(store, "filling", digest) is not None:
            what += ": the last one ended while its list was read, and asked nobody"
        raise UsageError(what, then="begin one with --scope")
    if digest is None:
        _require_unchanged(stored)
    return stored


def _require_unchanged(stored: StoredScan) -> None:
    """A scope that was withdrawn or narrowed since is not gone on with."""
    file = Path(stored.plan.scope_file or "")
    if not file.is_file():
        raise UsageError("the scope is no longer there", where=str(file), then="name it with --scope")
    if scope_digest(read_scope_text(file, aloud=False)) != stored.plan.scope_digest:
        raise UsageError(
            "the scope has changed since the scan began", where=str(file), then="scan anew, or put it back"
        )


# ---- carrying it out


def _woken(store: Database, stored: StoredScan) -> None:
    """Workers on other machines hear of it."""
    wakeups = load("leadglass.store.wakeups", extra="postgres")
    wakeups.prepare(store)
    wakeups.wake(store, stored)


def _carried_out(store: Database, stored: StoredScan, wish: _Wish) -> Outcome:
    with _alone(store, stored, wish):
        so_far = progress(store, stored)
        with _progress(stored.plan.endpoints, so_far.asked) as advance, stop_on_signals() as signals:
            if store.is_postgres:
                _woken(store, stored)
            if stored.plan.wanted:
                outcome = watch(store, stored, advance, signals.tell)
            else:
                place = wish.places[0] if wish.places else HERE
                outcome = run(store, stored, place, advance, lambda foreman: signals.tell(foreman.stop))
        complete(store, stored)
    return outcome


@contextmanager
def _progress(total: int, done: int) -> Iterator[Callable[[int], None]]:
    """What is told of endpoints that are done, and shows it if somebody is watching."""
    if not is_terminal(stderr=True):
        yield lambda _: None
        return
    with fetch("leadglass.cli.progress").ProgressBar(total, done) as bar:
        yield bar.advance


@contextmanager
def _alone(store: Database, stored: StoredScan, wish: _Wish) -> Iterator[None]:
    """In a file, a scan is run by one process; what a dead one held is free."""
    with sole(store, stored) as ours:
        if not ours:
            raise ResourceError(
                "another process is at this scan", where=stored.plan.ulid, then="wait until it ends"
            )
        if wish.resume and not store.is_postgres:
            release_all(store, stored)
        yield


# ---- the end of it


def _concluded(store: Database, stored: StoredScan, how: Look, outcome: Outcome) -> int:
    whole = outcome is Outcome.COMPLETE
    summary = report(store, find(store, stored.plan.ulid), how.form, how.output)
    plan = stored.plan
    left = plan.endpoints * max(1, len(plan.wanted)) - summary.endpoints
    if outcome is Outcome.CLOSED:
        complain(_why_closed(plan))
    if not whole:
        complain(f"endpoints left: {left:,}; leadglass scan --resume goes on with them")
    code = exit_code(summary, how.fail_on, interrupted=outcome is Outcome.STOPPED)
    return code if whole else code or UNFINISHED


def _why_closed(plan: Plan) -> str:
    try:
        return f"outside the scope's hours, {scope_in(plan).limits.hours_text}"
    except ScopeError as exc:
        return str(exc)
