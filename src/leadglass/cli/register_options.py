"""What the commands of the register share: who changes it, what it holds, what day it is, how they report."""

from __future__ import annotations

import contextlib
import datetime as dt
import enum
import getpass
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeAlias

import typer

from leadglass import wiring
from leadglass.cli.storing import kept
from leadglass.cli.terminal import write
from leadglass.errors import ConfigError, UsageError
from leadglass.ledger.chain import Head
from leadglass.model.register import Register, System
from leadglass.register.codec import register_of
from leadglass.register.fields import line
from leadglass.register.requirements import PROFILES
from leadglass.register.tables import as_csv, as_json_text
from leadglass.report.safe import columns, padded, visible
from leadglass.store.database import Database
from leadglass.store.register import head_of, read_state

__all__ = [
    "Book",
    "ByOption",
    "Shape",
    "ShapeOption",
    "chosen",
    "held",
    "known_system",
    "read_book",
    "read_small",
    "shown",
    "table",
    "today",
    "who",
    "write_csv",
    "write_json",
]


_LARGEST = 1 << 20
"""Bytes of a file of certificates."""


class Shape(enum.StrEnum):
    """How a command reports."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"


ShapeOption: TypeAlias = Annotated[Shape, typer.Option("--format", help="How to report.")]
ByOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--by",
        envvar="LEADGLASS_BY",
        metavar="NAME",
        help="Who makes the change, for its entry; your account if not given.",
        show_default=False,
    ),
]


def who(by: str | None) -> str:
    """Who makes a change: who is named, or the account."""
    if by is not None:
        name = line(by, "--by")
        if not name:
            raise UsageError("this is no name", where="--by")
        return name
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError) as exc:  # no account has this number
        raise UsageError("nobody knows who you are", then="say so with --by") from exc


def today() -> dt.date:
    """The day it is, UTC."""
    return dt.datetime.fromtimestamp(wiring.clock().posix(), dt.UTC).date()


class Book(NamedTuple):
    """The register as it was read."""

    store: Database
    register: Register
    head: Head
    """Where the chain stood then, or before."""


def read_book(database: Database) -> Book:
    """What is in it now."""
    head = head_of(database)
    return Book(database, register_of(read_state(database), database.where), head)


@contextlib.contextmanager
def held(database: str | None) -> Iterator[Book]:
    """The register in the database that a command names; ``ConfigError`` if there is no database."""
    with kept(database) as store:
        yield read_book(store)


def known_system(register: Register, name: str) -> System:
    """The system called so; ``UsageError`` if there is none."""
    system = register.systems.get(name)
    if system is None:
        raise UsageError(
            f"no system is called {name!r}", then="leadglass register list shows which there are"
        )
    return system


def chosen(profiles: Sequence[str] | None) -> tuple[str, ...]:
    """The profiles that are named, each once; ``UsageError`` for one that there is not."""
    for name in profiles or ():
        if name not in PROFILES:
            raise UsageError(
                f"{name[:32]!r} is none of: {', '.join(PROFILES)}", where="--profile", then="name one of them"
            )
    return tuple(dict.fromkeys(profiles or ()))


def read_small(path: Path) -> bytes:
    """A file of certificates; ``ConfigError`` if it cannot be read."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(_LARGEST + 1)
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise ConfigError(f"the file cannot be read ({reason})", where=str(path)) from exc
    if len(raw) > _LARGEST:
        raise ConfigError(f"larger than {_LARGEST >> 20} MiB", where=str(path), then="no certificates are")
    return raw


# ---- what is written


def shown(values: Iterable[object]) -> str:
    """Some values in one cell."""
    return ", ".join(map(str, values)) or "-"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as they need to be; the last one as it comes."""
    cells = [[visible(cell) for cell in row] for row in (head, *rows)]
    widths = [max(map(columns, column)) for column in zip(*cells, strict=True)][:-1]
    return "".join(
        "  ".join([*(padded(cell, width) for cell, width in zip(row, widths, strict=False)), row[-1]]) + "\n"
        for row in cells
    )


def write_json(value: object) -> None:
    """ASCII, so that text from elsewhere stays escaped."""
    write(as_json_text(value))


def write_csv(head: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """A header line and the rows, as spreadsheets take them."""
    write(as_csv(head, rows))
