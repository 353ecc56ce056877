"""``leadglass register verify``: whether the chain is whole, since when it is proved to exist, and whether a dossier is."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from leadglass.cli import fetch, load
from leadglass.cli.database import DatabaseOption
from leadglass.cli.register_dossier import RootsOption
from leadglass.cli.register_options import Shape, ShapeOption, read_small, write_csv, write_json
from leadglass.cli.storing import kept
from leadglass.cli.terminal import write
from leadglass.errors import ConfigError, UsageError
from leadglass.ledger.chain import Head
from leadglass.ledger.verify import Broken, Verified
from leadglass.ledger.verify import verify as verify_chain
from leadglass.register.stamped import Judge, StampCheck, check_stamps
from leadglass.report.safe import visible
from leadglass.store import register as entries
from leadglass.store.database import Database

__all__ = ["verify"]

_BROKEN = 1
_ANCHOR = re.compile(r"(?P<n>[1-9][0-9]{0,14}):(?P<digest>[0-9a-f]{64})")


def verify(
    head: Annotated[
        list[str] | None,
        typer.Option(
            metavar="N:DIGEST",
            help="A head that was noted elsewhere: it must be on the way; may be repeated.",
        ),
    ] = None,
    roots: RootsOption = None,
    zip_: Annotated[
        Path | None,
        typer.Option(
            "--zip", metavar="FILE", help="Check a dossier's archive, and no database.", show_default=False
        ),
    ] = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Make what is shown anew from the entries, if they are whole.")
    ] = False,
    shape: ShapeOption = Shape.TEXT,
    database: DatabaseOption = None,
) -> None:
    """Check that no entry was changed, taken out, put in or cut off, and each time stamp; print the head. Exit 1 if one was.

    Example: leadglass register verify --roots roots.pem
    """
    anchors = [_anchor(text) for text in head or ()]
    judge = None if roots is None else _judge(roots)
    if zip_ is not None:
        if anchors or rebuild:
            raise UsageError(
                "an archive is checked by itself", where="--zip", then="leave --head and --rebuild away"
            )
        _write_archive(zip_, judge, shape, has_roots=roots is not None)
        return
    with kept(database) as store:
        result = verify_chain(entries.lines_of(store), entries.head_of(store), *anchors)
        whole = isinstance(result, Verified)
        stamps = check_stamps(entries.lines_of(store), judge) if whole else ()
        if rebuild and whole:
            entries.rebuild(store)
        agrees = whole and _agrees(store)
    if shape is Shape.TEXT:
        write(_text(result, agrees=agrees))
        write("".join(_stamp_lines(result, stamps, has_roots=roots is not None)))
    else:
        said = _as_json(result, agrees=agrees)
        if shape is Shape.JSON:
            write_json({**said, "stamps": [_stamp_json(one, has_roots=roots is not None) for one in stamps]})
        else:
            write_csv(list(said), [said])
    if not agrees or any(one.problem for one in stamps):
        raise typer.Exit(_BROKEN)


def _judge(roots: Path) -> Judge:
    stamping = load("leadglass.wiring.stamping", extra="stamp")
    judge: Judge = stamping.judge(read_small(roots), str(roots))
    return judge


def _agrees(store: Database) -> bool:
    """Whether what is shown is what the entries come to."""
    try:
        return entries.fold(entries.lines_of(store)) == entries.read_state(store)
    except ConfigError:
        return False


def _anchor(text: str) -> Head:
    found = _ANCHOR.fullmatch(text)
    if found is None:
        raise UsageError(
            f"{text[:80]!r} is no head", where="--head", then="give it as leadglass register verify prints it"
        )
    return Head(int(found["n"]), found["digest"])


# ---- a database


def _as_json(result: Verified | Broken, *, agrees: bool) -> dict[str, Any]:
    if isinstance(result, Broken):
        return {
            "whole": False,
            "n": result.n,
            "digest": None,
            "what": result.what.value,
            "why": result.why,
            "state_agrees": None,
        }
    return {
        "whole": True,
        "n": result.head.n,
        "digest": result.head.digest,
        "what": None,
        "why": None,
        "state_agrees": agrees,
    }


def _text(result: Verified | Broken, *, agrees: bool) -> str:
    if isinstance(result, Broken):
        return f"BROKEN at entry {result.n:,} ({result.what.value}): {result.why}\n"
    said = _whole(result.head)
    if not agrees:
        said += (
            "What is shown is NOT what the entries come to: somebody altered it. --rebuild makes it anew.\n"
        )
    return said


def _whole(head: Head) -> str:
    if not head.n:
        return "There is no entry yet.\n"
    entry = "1 entry" if head.n == 1 else f"{head.n:,} entries"
    return f"whole, {entry}, head {head.n}:{head.digest}\n"


# ---- time stamps


def _stamp_lines(
    result: Verified | Broken, stamps: Sequence[StampCheck], *, has_roots: bool
) -> Iterator[str]:
    for one in stamps:
        stamp = one.stamp
        if one.problem:
            yield f"BAD time stamp of entry {stamp.n:,} by {visible(stamp.authority)}: {visible(one.problem)}\n"
        elif has_roots:
            yield f"proved: entry {stamp.n:,} and all before existed on {_moment(stamp.at)}, by {visible(stamp.authority)}\n"
        else:
            yield f"time stamp of entry {stamp.n:,}, {_moment(stamp.at)}, by {visible(stamp.authority)}: not judged\n"
    if stamps and not has_roots:
        yield "--roots FILE says whose signatures to believe.\n"
    last = max((one.stamp.n for one in stamps if not one.problem), default=0)
    if isinstance(result, Verified) and stamps and last + 1 < result.head.n:
        yield f"entries {last + 1:,} to {result.head.n:,} have no time stamp yet.\n"


def _stamp_json(one: StampCheck, *, has_roots: bool) -> dict[str, Any]:
    return {
        "n": one.stamp.n,
        "at": _moment(one.stamp.at),
        "authority": one.stamp.authority,
        "judged": has_roots,
        "problem": one.problem or None,
    }


def _moment(posix: int) -> str:
    return f"{dt.datetime.fromtimestamp(posix, dt.UTC):%Y-%m-%dT%H:%M:%SZ}"


# ---- an archive


def _write_archive(path: Path, judge: Judge | None, shape: Shape, *, has_roots: bool) -> None:
    unpacking = fetch("leadglass.register.unpacking")
    try:
        with path.open("rb") as stream:
            found = unpacking.checked(stream, str(path), judge)
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise ConfigError(f"the file cannot be read ({reason})", where=str(path)) from exc
    said = {
        "whole": not found.faults,
        "n": None if found.head is None else found.head.n,
        "digest": None if found.head is None else found.head.digest,
        "tables_made_anew": found.remade,
        "faults": list(found.faults),
    }
    if shape is Shape.JSON:
        write_json({**said, "stamps": [_stamp_json(one, has_roots=has_roots) for one in found.stamps]})
    elif shape is Shape.CSV:
        write_csv(list(said), [said])
    else:
        write("".join(_archive_lines(found, has_roots=has_roots)))
    if found.faults:
        raise typer.Exit(_BROKEN)


def _archive_lines(found: Any, *, has_roots: bool) -> Iterator[str]:
    yield from (f"BROKEN {visible(fault)}\n" for fault in found.faults)
    if found.head is not None:
        if not found.faults:
            yield _whole(found.head)
            if not found.remade:
                yield "Another version of Leadglass made it, so its tables were not made anew to compare them.\n"
        yield from _stamp_lines(Verified(found.head), found.stamps, has_roots=has_roots)
