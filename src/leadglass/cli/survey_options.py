"""What the commands of ``survey`` share: how they report, and numbers as they are typed."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, TypeAlias, TypeVar

import typer

from leadglass.cli import fetch, load
from leadglass.cli.output import save
from leadglass.cli.terminal import width, write
from leadglass.errors import ConfigError, UsageError

__all__ = [
    "DatabaseOption",
    "FigureOption",
    "FormatOption",
    "LevelOption",
    "ScanOption",
    "Shape",
    "counts",
    "for_survey",
    "pairs",
    "read_bounded",
    "save",
    "tell",
]

_T = TypeVar("_T")
_WIDEST = 100
_LARGEST = 64 << 20
"""Bytes in a file that is read whole: a million servers, or reports of lint on as many files."""


class Shape(enum.StrEnum):
    """How a command reports."""

    TEXT = "text"
    JSON = "json"


def _require_level(level: float) -> float:
    if not 0.5 <= level <= 0.999:
        raise UsageError(f"{level} is no level", where="--level", then="give 0.5 to 0.999, such as 0.95")
    return level


FormatOption: TypeAlias = Annotated[Shape, typer.Option("--format", help="How to report.")]
FigureOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Draw it too: .svg, or .png (needs the extra pdf).", show_default=False
    ),
]
LevelOption: TypeAlias = Annotated[
    float,
    typer.Option(
        metavar="SHARE", help="How often an interval shall hold the truth.", callback=_require_level
    ),
]
ScanOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--scan",
        metavar="SCAN",
        help="A stored scan: its identifier, four or more characters of its beginning or end, or last.",
        show_default=False,
    ),
]
DatabaseOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--database",
        envvar="LEADGLASS_DATABASE",
        metavar="PLACE",
        help="Where scans are kept: a file or a postgresql:// URL; your data directory if not given.",
        show_default=False,
    ),
]


def for_survey(name: str) -> Any:
    """A module of ``leadglass.survey``; ``ConfigError`` if the extra is missing."""
    return load(f"leadglass.survey.{name}", extra="survey")


def tell(
    command: str,
    result: object,
    lines: Iterable[object],
    shape: Shape,
    *,
    figure: Path | None = None,
    picture: Callable[[], object] | None = None,
) -> None:
    """Report ``result``: its ``lines``, or all of it as JSON; and draw ``picture()`` into the file ``figure``."""
    said = list(lines)
    if figure is not None and picture is not None:
        _draw(figure, picture())
    if shape is Shape.JSON:
        document = {
            "schema": "leadglass.survey/1",
            "command": command,
            "result": for_survey("words").as_json(result),
            "says": [line for line in said if isinstance(line, str) and line],
        }
        write(json.dumps(document, indent=2) + "\n")
        return
    for line in for_survey("grid").folded(said, min(width(), _WIDEST)):
        write(line + "\n")


def _draw(path: Path, figure: object) -> None:
    form = path.suffix.lower()
    if form not in {".svg", ".png"}:
        raise UsageError("a figure is .svg or .png", where=f"--figure {path}", then="name it so")
    drawn: str = for_survey("figure").svg(figure)
    data = load("leadglass.wiring.typesetting", extra="pdf").png(drawn) if form == ".png" else drawn.encode()
    save(path, data)


def read_bounded(path: Path) -> str:
    """The text of a file that is not too large to be read whole."""
    try:
        size = path.stat().st_size
    except OSError:
        size = 0  # reading says what is wrong
    if size > _LARGEST:
        raise ConfigError(f"the file is larger than {_LARGEST >> 20} MiB", where=str(path))
    text: str = fetch("leadglass.cli.reading").read_text(path)  # brings the scope's models with it
    return text


def counts(text: str, number: int, option: str, shape: str, separator: str = ",") -> list[int]:
    """``number`` counts in one word, as ``shape`` says; ``UsageError`` for anything else."""
    parts = text.split(separator)
    if len(parts) != number or not all(
        part.isascii() and part.isdigit() and len(part) <= 10 for part in parts
    ):
        raise UsageError(f"this is not {shape}: {text[:60]!r}", where=option, then=f"write it as {shape}")
    return [int(part) for part in parts]


def pairs(words: Iterable[str], option: str, shape: str, read: Callable[[str], _T]) -> dict[str, _T]:
    """``NAME=VALUE`` words as a mapping; ``UsageError`` for a word that is none, or a name given twice."""
    found: dict[str, _T] = {}
    for word in words:
        name, equals, value = word.rpartition("=")
        if not equals or not name.strip() or not name.isprintable() or len(name) > 64:
            raise UsageError(f"this is not {shape}: {word[:60]!r}", where=option)
        if name in found:
            raise UsageError(f"{name} is given twice", where=option)
        found[name] = read(value)
    return found
