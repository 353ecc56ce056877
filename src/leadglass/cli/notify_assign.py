"""``leadglass notify assign``: draw by lot how owners are told, to find out what helps."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from leadglass import wiring
from leadglass.cli.database import DatabaseOption
from leadglass.cli.reading import read_text
from leadglass.cli.storing import opened
from leadglass.cli.terminal import write
from leadglass.errors import UsageError
from leadglass.notice.arms import draw
from leadglass.notice.plain import plain
from leadglass.store import notices

__all__ = ["assign"]

_SEED_BYTES = 8
_LONGEST = 64
"""Characters in the name of a study, an arm or a seed."""


def assign(
    study: Annotated[str, typer.Argument(metavar="STUDY", help="A name for it.", show_default=False)],
    owners: Annotated[
        Path, typer.Option(metavar="FILE", help="Their names, one on each line.", show_default=False)
    ],
    arm: Annotated[
        list[str],
        typer.Option(metavar="NAME", help="A way of telling; repeat it for each.", show_default=False),
    ],
    seed: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="Draw as with this seed; a new one if not given.", show_default=False
        ),
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Draw by lot which owner is told how, and keep it: only then does a difference prove something.

    Example: leadglass notify assign spring --owners owners.txt --arm letter-gdpr --arm email-gdpr
    """
    lines = read_text(owners).splitlines()
    listed = [name for line in lines if (name := plain(line)) and not name.startswith("#")]
    chosen = wiring.randomness().token(_SEED_BYTES).hex() if seed is None else _short(seed, "--seed")
    name = _short(study, "STUDY")
    drawn = draw(listed, [_short(one, "--arm") for one in arm], chosen)
    with opened(database) as store:
        notices.assign(store, name, drawn, chosen, int(wiring.clock().posix()))
    for owner, theirs in drawn.items():
        write(f"{theirs}\t{owner}\n")
    write(f"study {name}: {len(drawn)} owners drawn for {len(arm)} arms, with the seed {chosen}\n")


def _short(text: str, where: str) -> str:
    short = plain(text)
    if not 0 < len(short) <= _LONGEST:
        raise UsageError(f"give 1 to {_LONGEST} characters", where=where)
    return short
