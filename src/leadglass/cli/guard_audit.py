"""``leadglass guard audit``: reads the audit trail, and checks that it is whole.

It shows what PS3.15 obliges the guard to write down, patients included; and writes down that it was read.
"""

from __future__ import annotations

import datetime as dt
import enum
import getpass
import json
import os
from pathlib import Path
from typing import Annotated

import typer

from leadglass import wiring
from leadglass.cli.guard_options import CONFIG, ConfigOption
from leadglass.cli.terminal import complain, write
from leadglass.errors import ConfigError, LeadglassError, UsageError
from leadglass.guard.audit.bodies import to_bodies
from leadglass.guard.audit.events import AuditEvent, Happening, Outcome
from leadglass.guard.audit.search import Checked, Found, Wanted
from leadglass.guard.audit.search import check as check_chains
from leadglass.guard.audit.search import search as look_up
from leadglass.ledger.verify import Broken
from leadglass.model.access import Action, Kind, Principal
from leadglass.report.safe import visible
from leadglass.report.say import count
from leadglass.store.spool import open_spool
from leadglass.store.spooled import writers_of
from leadglass.wiring.guard_setup import read_site

__all__ = ["app", "note_reading", "search", "verify"]

_READER = "reader"
"""The chain in which it is written down that the trail was read."""
_BROKEN = 1
_WORDS = sorted([one.value for one in (*Happening, *Action)])

app = typer.Typer(help="Look something up in the audit trail, or check it.", no_args_is_help=True)


class Shape(enum.StrEnum):
    """How to report."""

    TEXT = "text"
    JSONL = "jsonl"


class Result(enum.StrEnum):
    """How what is looked for ended."""

    SUCCESS = "success"
    FAILURE = "failure"
    MINOR = "minor"
    SERIOUS = "serious"
    MAJOR = "major"

    @property
    def outcomes(self) -> frozenset[Outcome]:
        """The outcomes that this word stands for."""
        if self is Result.FAILURE:
            return frozenset(Outcome) - {Outcome.SUCCESS}
        return frozenset({Outcome[self.name]})


_Directories = Annotated[
    list[Path] | None,
    typer.Option(
        "--directory",
        help="A folder with an audit trail, instead of the guard's own; files that were moved to an archive, with another one.",
        show_default=False,
    ),
]
_Shape = Annotated[Shape, typer.Option("--format", help="How to report.")]


@app.command()
def search(
    directory: _Directories = None,
    who: Annotated[
        str | None, typer.Option(help="A person, a device, an AE title or an address, whole.")
    ] = None,
    what: Annotated[
        str | None,
        typer.Option(
            "--action", metavar="WORD", help="What happened, as login or query; or as find or store."
        ),
    ] = None,
    outcome: Annotated[Result | None, typer.Option(help="How it ended.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="From then on; 2026-11-21, or 2026-11-21T05:00Z.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Before then.")] = None,
    study: Annotated[str | None, typer.Option(metavar="UID", help="A Study Instance UID.")] = None,
    shape: _Shape = Shape.TEXT,
    config: ConfigOption = CONFIG,
) -> None:
    """Look something up. This shows patients, and is itself written down in the trail.

    Example: leadglass guard audit search --study 1.2.840.1 --outcome failure
    """
    if what is not None and what not in _WORDS:
        raise UsageError(f"nothing is called {what!r}", where="--action", then=f"one of {', '.join(_WORDS)}")
    wanted = Wanted(
        who,
        what,
        None if outcome is None else outcome.outcomes,
        _moment("--since", since),
        _moment("--until", until),
        study,
    )
    folders = _trail(directory, config)
    _write_down(folders[0], wanted)
    for found in look_up(folders, wanted):
        write(found.line.decode() if shape is Shape.JSONL else _line(found))


@app.command()
def verify(
    directory: _Directories = None,
    anchors: Annotated[
        list[Path] | None,
        typer.Option(
            "--anchors",
            metavar="DIRECTORY",
            help="Copies of the anchors-*.json that were kept elsewhere; may be repeated.",
        ),
    ] = None,
    shape: _Shape = Shape.TEXT,
    config: ConfigOption = CONFIG,
) -> None:
    """Check that no entry was changed, taken out, put in, or moved. Exit 1 if one was.

    Example: leadglass guard audit verify --anchors /mnt/elsewhere
    """
    checked = check_chains(_trail(directory, config), anchors or [])
    for one in checked:
        write(json.dumps(_as_json(one)) + "\n" if shape is Shape.JSONL else _as_text(one))
    if any(isinstance(one.result, Broken) for one in checked):
        raise typer.Exit(_BROKEN)


# ---- what was typed


def _trail(named: list[Path] | None, config: Path) -> list[Path]:
    """The folders that were named, or the guard's own."""
    folders = named or [Path(read_site(config).settings.audit.directory)]
    if not writers_of(*folders):
        raise ConfigError("there is no audit trail here", where=", ".join(map(str, folders)))
    return folders


def _moment(option: str, typed: str | None) -> dt.datetime | None:
    if typed is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(typed)
        return moment.replace(tzinfo=moment.tzinfo or dt.UTC)
    except ValueError as error:
        raise UsageError(
            "this is no time", where=option, then="write 2026-11-21, or 2026-11-21T05:00Z"
        ) from error


def _write_down(folder: Path, wanted: Wanted) -> None:
    limits = [f"{name} {value}" for name in ("who", "what", "study") if (value := getattr(wanted, name))]
    note_reading(folder, f"searched for {', '.join(limits) or 'everything'}")


def note_reading(folder: Path, reason: str) -> None:
    """Note who reads the trail, and what for. One who may only read it is told so, and reads it."""
    clock = wiring.clock()
    now = dt.datetime.fromtimestamp(clock.posix(), dt.UTC)
    event = AuditEvent(
        Happening.AUDIT_USED,
        now,
        who=Principal(Kind.PERSON, _user()),
        resource=folder.absolute().as_uri(),
        reason=reason,
    )
    try:
        with open_spool(folder, _READER, clock.posix, reserve=0) as spool:
            for body in to_bodies(event):
                spool.append(body)
    except LeadglassError as error:
        complain(f"that the trail was read is not written down: {error}")


def _user() -> str:
    """Who this is: the account, and who became it."""
    try:
        account = getpass.getuser()
    except (KeyError, OSError):  # no account has this number
        account = f"uid {os.getuid()}"
    before = os.environ.get("SUDO_USER")
    return account if before is None else f"{before} as {account}"


# ---- what is said


def _line(found: Found) -> str:
    event = found.event
    parts = [
        f"{event.at:%Y-%m-%dT%H:%M:%SZ}",
        event.outcome.name.lower(),
        event.happening.value,
        *([event.action.value] if event.action else []),
        *_people(event),
        *_subjects(event),
        *([f"to={event.destination.title}"] if event.destination else []),
        *([f"({event.reason})"] if event.reason else []),
        *([f"by={','.join(event.rules)}"] if event.rules else []),
        *([f"[break-glass: {event.emergency}]"] if event.emergency else []),
        f"{found.writer}:{found.entry.n}",
    ]
    return f"{visible(' '.join(parts))}\n"


def _people(event: AuditEvent) -> list[str]:
    who = event.who.name if event.who is not None else event.claimed and f"claimed:{event.claimed}"
    through = event.device if event.device != who else None
    where = [event.title, event.address]
    return [f"{label}={value}" for label, value in (("who", who), ("device", through)) if value] + [
        f"from={'@'.join(value for value in where if value)}" for _ in range(any(where))
    ]


def _subjects(event: AuditEvent) -> list[str]:
    said = [f"matches={event.matches}"] if event.matches is not None else []
    said += [f"study={study.study_instance_uid}" for study in event.studies]
    patients = dict.fromkeys(
        [study.patient for study in event.studies if study.patient] + list(event.patients)
    )
    return said + [
        f"patient={patient.id}{f'({patient.name})' if patient.name else ''}" for patient in patients
    ]


def _as_text(checked: Checked) -> str:
    result = checked.result
    if isinstance(result, Broken):
        said = f"{checked.writer}: BROKEN at entry {result.n:,} ({result.what.value}): {result.why}\n"
    else:
        files = count(checked.files, "file")
        said = f"{checked.writer}: whole, {count(result.head.n, 'line')} in {files}, up to {result.head.digest}\n"
    said += "".join(f"{checked.writer}: noted: {visible(note)}\n" for note in checked.notes)
    if checked.more_notes:
        said += f"{checked.writer}: and {count(checked.more_notes, 'more note')}\n"
    if checked.unfinished:
        said += f"{checked.writer}: {count(checked.unfinished, 'octet')} at the end are no whole line: being written, or torn\n"
    return said


def _as_json(checked: Checked) -> dict[str, object]:
    result = checked.result
    said: dict[str, object] = {
        "writer": checked.writer,
        "whole": not isinstance(result, Broken),
        "files": checked.files,
        "notes": [*checked.notes],
        "more_notes": checked.more_notes,
        "unfinished": checked.unfinished,
    }
    if isinstance(result, Broken):
        return said | {"broken": {"n": result.n, "what": result.what.value, "why": result.why}}
    return said | {"entries": result.head.n, "digest": result.head.digest}
