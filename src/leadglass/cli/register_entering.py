"""``leadglass register add``, ``import``, ``fill``, ``review`` and ``risk``: every change, with who made it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from leadglass.cli.database import DatabaseOption
from leadglass.cli.register_options import Book, ByOption, held, known_system, read_book, today, who
from leadglass.cli.storing import kept, opened
from leadglass.cli.terminal import complain, write
from leadglass.configs.source import LARGEST, Source
from leadglass.errors import ConfigError, UsageError
from leadglass.model.register import Outcome, Review, System, SystemKind
from leadglass.register.codec import Thing
from leadglass.register.fields import changed, day, line, member, named
from leadglass.register.imports import as_text, imported
from leadglass.report.say import count
from leadglass.store.register import write_down
from leadglass.store.scans import find
from leadglass.wiring.filling import fill_register, new_in

__all__ = ["add", "enter", "fill", "import_", "review"]

_KINDS = ", ".join(SystemKind)
_Text: TypeAlias = str | None
_Texts: TypeAlias = list[str] | None
_Name = Annotated[str, typer.Argument(help="The system.", show_default=False)]


def enter(book: Book, by: str, things: list[Thing], why: str = "") -> int:
    """Write down those of ``things`` that are not in the register as they are; how many those were.

    ``ResourceError`` if somebody has changed the register since ``book`` was read.
    """
    changes = new_in(book.register, things, why)
    if changes:
        write_down(book.store, by, changes, after=book.head)
    return len(changes)


# ---- add


def add(
    name: _Name,
    kind: Annotated[_Text, typer.Option(help=f"What it is for: {_KINDS}.")] = None,
    owner: Annotated[_Text, typer.Option(help="Who owns it.")] = None,
    manager: Annotated[
        _Text,
        typer.Option(metavar="KIND", help="Who looks after it: in-house, vendor or business-associate."),
    ] = None,
    manager_name: Annotated[_Text, typer.Option(metavar="NAME", help="What the manager is called.")] = None,
    agreement: Annotated[
        _Text, typer.Option(metavar="REFERENCE", help="Where the agreement with the manager is found.")
    ] = None,
    agreement_until: Annotated[
        _Text, typer.Option(metavar="DATE", help="The last day of the agreement.")
    ] = None,
    location: Annotated[_Text, typer.Option(help="Where it stands.")] = None,
    address: Annotated[
        _Texts, typer.Option(metavar="HOST", help="An address or a name of it; may be repeated.")
    ] = None,
    port: Annotated[
        _Texts, typer.Option(metavar="PORT", help="A TCP port that may be open; may be repeated.")
    ] = None,
    title: Annotated[_Texts, typer.Option(metavar="TITLE", help="An AE title; may be repeated.")] = None,
    zone: Annotated[_Texts, typer.Option(metavar="NAME", help="A network zone; may be repeated.")] = None,
    peer: Annotated[_Texts, typer.Option(metavar="NAME", help="Who may talk to it; may be repeated.")] = None,
    data: Annotated[_Texts, typer.Option(metavar="TEXT", help="What it holds; may be repeated.")] = None,
    control: Annotated[
        _Texts, typer.Option(metavar="WORD", help="A safeguard in place, such as mfa; may be repeated.")
    ] = None,
    note: Annotated[_Text, typer.Option(help="Anything else.")] = None,
    retired: Annotated[
        _Text, typer.Option(metavar="DATE", help="The day it was taken out of service.")
    ] = None,
    by: ByOption = None,
    database: DatabaseOption = None,
) -> None:
    """Declare a system, or change what is declared of one: what no option says stays as it is.

    Example: leadglass register add archive --kind archive --owner Radiology --address 192.0.2.10 --port 104
    """
    said: Mapping[str, str | list[str] | None] = {
        "kind": kind, "owner": owner, "manager": manager, "manager_name": manager_name,
        "agreement": agreement, "agreement_until": agreement_until, "location": location,
        "addresses": address, "ports": port, "titles": title, "zones": zone, "peers": peer,
        "data": data, "controls": control, "note": note, "retired": retired,
    }  # fmt: skip
    called = named(name, "NAME")
    texts = {
        column: "; ".join(value) if isinstance(value, list) else value
        for column, value in said.items()
        if value is not None
    }
    changer = who(by)
    with opened(database) as store:
        book = read_book(store)
        register = book.register
        system = changed(register.systems.get(called, System(called)), texts, _option)
        made = enter(book, changer, [system])
    new = "" if called in register.systems else "new, "
    write(f"{called}: {new}written down.\n" if made else f"{called} is in the register as it is.\n")


_SINGULAR = {"addresses": "address"}


def _option(column: str) -> str:
    """The option that a column is said with."""
    lists = {"ports", "titles", "zones", "peers", "controls"}
    word = _SINGULAR.get(column, column.removesuffix("s") if column in lists else column)
    return f"--{word.replace('_', '-')}"


# ---- import


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What to read.", show_default=False)],
    by: ByOption = None,
    database: DatabaseOption = None,
) -> None:
    """Declare what a file names: a table with a header line, an Orthanc's configuration, devices of dcm4chee.

    Example: leadglass register import devices.csv
    """
    source = _source(file)
    changer = who(by)
    with opened(database) as store:
        book = read_book(store)
        systems = imported(source, book.register.systems)
        made = enter(book, changer, [*systems], f"import of {file.name}"[:200])
    write(f"{count(len(systems), 'system')} read, {made:,} new or changed.\n")


def _source(file: Path) -> Source:
    try:
        with file.open("rb") as stream:
            raw = stream.read(LARGEST + 1)
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise ConfigError(f"the file cannot be read ({reason})", where=str(file)) from exc
    source, remark = as_text(str(file), raw)
    if remark:
        complain(f"{file}: {remark}")
    return source


# ---- fill


def fill(
    scan: Annotated[
        str,
        typer.Option(
            help="A scan: its identifier, four or more characters of its beginning or end, or last."
        ),
    ] = "last",
    declare: Annotated[
        bool, typer.Option("--declare", help="Declare each server that nobody has declared, as it was seen.")
    ] = False,
    by: ByOption = None,
    database: DatabaseOption = None,
) -> None:
    """Write down what a stored scan saw, beside what is declared.

    Example: leadglass register fill --scan last
    """
    changer = who(by)
    with kept(database) as store:
        made = fill_register(store, find(store, scan), changer, declare=declare)
    found = len(made.found)
    write(f"{found:,} {'address' if found == 1 else 'addresses'} new or changed")
    write(f", {count(len(made.declared), 'system')} declared as seen.\n" if declare else ".\n")


# ---- review


def review(
    name: _Name,
    outcome: Annotated[str, typer.Option(help=f"What it came to: {', '.join(Outcome)}.", show_default=False)],
    reviewer: Annotated[
        _Text, typer.Option(metavar="NAME", help="Who reviewed; who writes it, if not given.")
    ] = None,
    on: Annotated[_Text, typer.Option(metavar="DATE", help="The day; today if not given.")] = None,
    next_: Annotated[_Text, typer.Option("--next", metavar="DATE", help="When it is due again.")] = None,
    note: Annotated[_Text, typer.Option(help="What was found.")] = None,
    by: ByOption = None,
    database: DatabaseOption = None,
) -> None:
    """Write down that a system's controls were reviewed.

    Example: leadglass register review archive --outcome passed --next 2027-11-30
    """
    changer = who(by)
    made = Review(
        system=name,
        on=today() if on is None else day(on, "--on"),
        reviewer=line(reviewer or changer, "--reviewer"),
        outcome=member(Outcome, outcome, "--outcome"),
        next=None if next_ is None else day(next_, "--next"),
        note=line(note or "", "--note"),
    )
    if trouble := made.trouble(today()):
        raise UsageError(trouble, then="see --on and --next")
    with held(database) as book:
        known_system(book.register, name)
        enter(book, changer, [made])
    write(f"{name}: reviewed on {made.on}, {made.outcome}.\n")
