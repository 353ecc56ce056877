"""``leadglass notify draft`` and ``export``: what owners and CSIRTs are told. Sends nothing."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from leadglass.cli import fetch, load
from leadglass.cli.database import DatabaseOption
from leadglass.cli.notify_options import (
    AddressOption,
    FrameOption,
    LanguageOption,
    OwnerArgument,
    RecordsOption,
    ScanOption,
    ScopeOption,
    TlpOption,
    VendorOption,
    ranges_of,
    seen,
)
from leadglass.cli.output import destination
from leadglass.cli.reading import read_text
from leadglass.cli.terminal import write
from leadglass.errors import UsageError
from leadglass.model.notice import Audience, Exposure, Frame, Language, Notice
from leadglass.model.record import Tlp
from leadglass.notice.as_text import as_text
from leadglass.notice.intelmq import as_events
from leadglass.notice.message import Message, compose
from leadglass.notice.shadowserver import as_csv
from leadglass.wiring.notifying import sender_of, today

__all__ = ["Form", "draft", "export", "notice_of"]

_SUFFIXES = (".pdf", ".txt")


class Form(enum.StrEnum):
    """What CSIRTs take."""

    SHADOWSERVER = "shadowserver"
    INTELMQ = "intelmq"


def draft(
    owner: OwnerArgument,
    scope: ScopeOption,
    records: RecordsOption = None,
    scan: ScanOption = None,
    address: AddressOption = None,
    language: LanguageOption = Language.EN,
    frame: FrameOption = Frame.NEUTRAL,
    vendor: VendorOption = None,
    output: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Where to write it: .pdf for a letter (needs the extra pdf), .txt for an e-mail; repeat it.",
            show_default=False,
        ),
    ] = None,
    fonts: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Fonts for the letter, which Japanese needs.", show_default=False
        ),
    ] = None,
    tlp: TlpOption = Tlp.AMBER,
    database: DatabaseOption = None,
) -> None:
    """A notice to one owner, with all that was seen of their servers: a letter, or the text of an e-mail.

    Example: leadglass notify draft "Example Radiology" --scope scope.toml --scan last --address 192.0.2.0/28
    --language de --frame gdpr --output letter.pdf
    """
    _require_suffixes(output or ())
    if fonts is not None and not fonts.is_dir():
        raise UsageError("this is no folder", where=f"--fonts {fonts}")
    found = seen(records, scan, database, ranges_of(address), tlp)
    notice = notice_of(owner, vendor, found, scope, language, frame, tlp)
    message = compose(notice)
    for path in output or ():
        _save(path, message, fonts)
    if output:
        write(f"{message.reference}  {notice.wording}  endpoints: {len(notice.exposures)}\n")
    else:
        write(as_text(message))


def export(
    form: Annotated[Form, typer.Option("--format", help="What the CSIRT takes.")],
    records: RecordsOption = None,
    scan: ScanOption = None,
    address: AddressOption = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to write it.", show_default=False)
    ] = None,
    tlp: TlpOption = Tlp.AMBER,
    database: DatabaseOption = None,
) -> None:
    """What is exposed, as CSIRTs take it: a CSV like Shadowserver's scan reports, or IntelMQ events.

    Example: leadglass notify export --format shadowserver --scan last --output dicom.csv
    """
    found = seen(records, scan, database, ranges_of(address), tlp)
    with destination(output) as stream:
        stream.writelines(_exported(form, found))


def notice_of(
    owner: str,
    vendor: str | None,
    found: Sequence[Exposure],
    scope: Path,
    language: Language,
    frame: Frame,
    tlp: Tlp,
) -> Notice:
    """The notice of today to the owner, or to ``vendor``."""
    return Notice(
        owner=_name(owner, "OWNER"),
        recipient=_name(vendor if vendor is not None else owner, "--vendor"),
        audience=Audience.OWNER if vendor is None else Audience.VENDOR,
        language=language,
        frame=frame,
        exposures=tuple(found),
        sender=sender_of(read_text(scope), str(scope)),
        day=today(),
        tlp=tlp,
    )


def _exported(form: Form, found: Sequence[Exposure]) -> Sequence[str]:
    return [as_csv(found)] if form is Form.SHADOWSERVER else list(as_events(found))


def _require_suffixes(paths: Sequence[Path]) -> None:
    for path in paths:
        if path.suffix.lower() not in _SUFFIXES:
            raise UsageError("a notice is .pdf or .txt", where=f"--output {path}", then="name it so")


def _name(text: str, where: str) -> str:
    name: str = fetch("leadglass.notice.plain").plain(text)
    if not name:
        raise UsageError("nobody is named", where=where)
    return name


def _save(path: Path, message: Message, fonts: Path | None) -> None:
    if path.suffix.lower() == ".txt":
        with destination(path) as stream:
            stream.write(as_text(message))
        return
    data = load("leadglass.wiring.letters", extra="pdf").letter(message, fonts)
    with destination(path) as stream:
        stream.buffer.write(data)
