"""The option that says where scans are kept: a module of its own, for commands that seldom need the store."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

__all__ = ["DatabaseOption"]

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
