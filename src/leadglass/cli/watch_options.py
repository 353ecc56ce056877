"""What the ``watch`` commands share: the file, the database, who does it, how to answer."""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from leadglass import wiring
from leadglass.cli.storing import opened
from leadglass.settings.watch_file import WatchSettings
from leadglass.wiring.watch_desk import Desk
from leadglass.wiring.watch_files import read_settings

__all__ = ["CONFIG", "AlertArgument", "ByOption", "ConfigOption", "FormatOption", "Shape", "desk", "settings"]

CONFIG = Path("watch.toml")


class Shape(enum.StrEnum):
    """How to answer."""

    TEXT = "text"
    JSON = "json"


ConfigOption: TypeAlias = Annotated[
    Path, typer.Option("--config", metavar="FILE", help="What is watched when, and who hears of it.")
]
ByOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--by",
        envvar="LEADGLASS_BY",
        metavar="NAME",
        help="Who says so; your account if not given.",
        show_default=False,
    ),
]
FormatOption: TypeAlias = Annotated[Shape, typer.Option("--format", help="How to answer.")]
AlertArgument: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="ALERT",
        help="Its identifier, or the last eight or more characters of it.",
        show_default=False,
    ),
]


@contextlib.contextmanager
def desk(database: str | None, config: WatchSettings | None = None) -> Iterator[Desk]:
    """The watch over the database that a command names."""
    with opened(database) as store:
        yield Desk(store, config, wiring.clock(), wiring.randomness())


def settings(config: Path) -> WatchSettings:
    """What the file says; ``ConfigError`` names the line."""
    return read_settings(config)
