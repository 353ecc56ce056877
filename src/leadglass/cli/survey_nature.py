"""``leadglass survey nature``: what stands behind each server of a stored scan, and what its owner says of it."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from leadglass.cli import fetch
from leadglass.cli.survey_options import DatabaseOption, ScanOption
from leadglass.cli.terminal import write
from leadglass.report.safe import visible
from leadglass.survey.census import Seen, Server

__all__ = ["Form", "nature"]


class Form(enum.StrEnum):
    """How to report."""

    TEXT = "text"
    JSONL = "jsonl"


def nature(
    scan: ScanOption = "last",
    form: Annotated[Form, typer.Option("--format", help="How to report.")] = Form.TEXT,
    database: DatabaseOption = None,
) -> None:
    """What stands behind each server of a stored scan, with what is around it and what its owner says.

    Example: leadglass survey nature --scan last
    """
    with fetch("leadglass.cli.survey_stored").opened(database, scan) as stored:
        for server in stored.servers():
            if server.face is not None:
                line = json.dumps(_json(server)) if form is Form.JSONL else visible(" ".join(_words(server)))
                write(f"{line}\n")


def _words(server: Server) -> Iterator[str]:
    face, said = server.face, server.said
    assert face is not None
    yield f"{server.address:<15}"
    yield f"{face.access.value:<17}"
    sure = "settled" if face.settled else "not settled"
    if said is None or said.nature is None:
        yield f"{face.kind} {face.natures[face.kind]:.0%}, {sure}"
        return
    yield f"{said.nature}, stated by {said.by} ({said.reference});"
    yield f"by the evidence {face.kind} {face.natures[face.kind]:.0%}, {sure}"


def _json(server: Server) -> dict[str, Any]:
    face, said = server.face, server.said
    assert face is not None
    return {
        "address": server.address,
        "access": face.access,
        "nature": _shares(face),
        "settled": face.settled,
        "stated": None
        if said is None
        else {"nature": said.nature, "data": said.data, "by": said.by, "reference": said.reference},
    }


def _shares(face: Seen) -> dict[str, float]:
    return {kind.value: float(f"{share:.4g}") for kind, share in face.natures.items()}
