"""``leadglass register dossier`` and ``stamp``: the evidence to hand over, and the proof of when it was there."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Annotated

import typer

from leadglass.cli import load
from leadglass.cli.database import DatabaseOption
from leadglass.cli.output import save
from leadglass.cli.register_options import ByOption, chosen, read_small, who
from leadglass.cli.storing import kept
from leadglass.cli.terminal import write
from leadglass.errors import UsageError
from leadglass.model.dossier import DossierOptions
from leadglass.model.record_parts import Tlp
from leadglass.net.timestamp import require_authority
from leadglass.register.fields import day, line
from leadglass.register.requirements import PROFILES
from leadglass.report.safe import visible

__all__ = ["RootsOption", "dossier", "stamp"]

RootsOption = Annotated[
    Path | None,
    typer.Option(
        "--roots",
        metavar="FILE",
        help="The root certificates, as PEM, by which time stamps are believed (needs the extra stamp).",
        show_default=False,
    ),
]
"""Whom to believe about time."""


_Output = Annotated[
    Path,
    typer.Option(
        metavar="FILE", help="Where to write the pages, .pdf (needs the extra pdf).", show_default=False
    ),
]
_Zip = Annotated[
    Path | None,
    typer.Option(
        "--zip",
        metavar="FILE",
        help="Where to write the archive with the data and the chain.",
        show_default=False,
    ),
]
_Profiles = Annotated[
    list[str] | None,
    typer.Option(
        "--profile",
        metavar="PROFILE",
        help=f"Tell how each requirement of this stands: {', '.join(PROFILES)}; may be repeated.",
    ),
]
_Organisation = Annotated[
    str | None, typer.Option(metavar="NAME", help="Whose register it is, for the cover.", show_default=False)
]
_Since = Annotated[
    str | None, typer.Option(metavar="DATE", help="Tell the history from that day on.", show_default=False)
]
_AsOf = Annotated[
    str | None,
    typer.Option(
        metavar="DATE",
        help="The register at the end of that day (UTC), and judged on it; today if not given.",
        show_default=False,
    ),
]
_Fonts = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER", help="More fonts, for names that Typst's own do not have.", show_default=False
    ),
]
_Tlp = Annotated[Tlp, typer.Option(help="How far it may be passed on (Traffic Light Protocol 2.0).")]


def dossier(
    output: _Output,
    zip_: _Zip = None,
    profiles: _Profiles = None,
    organisation: _Organisation = None,
    since: _Since = None,
    as_of: _AsOf = None,
    fonts: _Fonts = None,
    tlp: _Tlp = Tlp.AMBER,
    database: DatabaseOption = None,
) -> None:
    """Write the evidence that an auditor asks for, as pages and as an archive.

    Inventory, network access, findings and their history, reviews, decisions, requirements, scans, the chain of
    entries, and what all that does not prove.

    Example: leadglass register dossier --output dossier.pdf --zip dossier.zip --profile hipaa
    """
    if output.suffix.lower() != ".pdf":
        raise UsageError("the pages are .pdf", where=f"--output {output}", then="name it so")
    if fonts is not None and not fonts.is_dir():
        raise UsageError("this is no folder", where=f"--fonts {fonts}")
    options = DossierOptions(
        as_of=None if as_of is None else _day(as_of, "--as-of"),
        since=None if since is None else _day(since, "--since"),
        profiles=chosen(profiles),
        organisation=line(organisation or "", "--organisation"),
        tlp=tlp,
    )
    with kept(database) as store:
        made = load("leadglass.wiring.dossier", extra="pdf").dossier(store, options, fonts)
    save(output, made.pdf)
    write(f"{visible(str(output))} is written\n")
    if zip_ is not None:
        save(zip_, made.archive)
        write(f"{visible(str(zip_))} is written\n")


def _day(text: str, where: str) -> dt.date:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        raise UsageError(f"{text[:32]!r} is no day; write it as 2027-01-31", where=where)
    return day(text, where)


def stamp(
    tsa: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="The time-stamping authority to ask (RFC 3161): http or https.",
            show_default=False,
        ),
    ],
    roots: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="The root certificates, as PEM, by which its answer is believed.",
            show_default=False,
        ),
    ],
    by: ByOption = None,
    database: DatabaseOption = None,
) -> None:
    """Have an authority sign that the register, as it is now, exists now; and enter what it answers.

    The authority is sent the digest of the newest entry and a random number, and nothing else. Needs the extra stamp.

    Example: leadglass register stamp --tsa http://tsa.example/tsr --roots roots.pem
    """
    changer = who(by)
    require_authority(tsa)
    stamping = load("leadglass.wiring.stamping", extra="stamp")
    with kept(database) as store:
        made = stamping.stamp(store, tsa, read_small(roots), str(roots), changer)
    at = dt.datetime.fromtimestamp(made.at, dt.UTC)
    write(f"entry {made.n:,} existed on {at:%Y-%m-%d %H:%M:%S} UTC, says {made.authority}\n")
