"""``leadglass notify send``: send a notice by the mail server of whoever calls it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from leadglass.cli import fetch
from leadglass.cli.database import DatabaseOption
from leadglass.cli.notify_draft import notice_of
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
from leadglass.cli.reading import read_text
from leadglass.cli.storing import opened
from leadglass.cli.terminal import write
from leadglass.errors import UsageError
from leadglass.model.notice import Frame, Language
from leadglass.model.record import Tlp
from leadglass.settings.mail_file import is_mailbox, read_mail

__all__ = ["send"]


def send(
    owner: OwnerArgument,
    to: Annotated[str, typer.Option(metavar="ADDRESS", help="Whom to send it to.", show_default=False)],
    mail: Annotated[
        Path, typer.Option(metavar="FILE", help="The mail file: by which server.", show_default=False)
    ],
    scope: ScopeOption,
    records: RecordsOption = None,
    scan: ScanOption = None,
    address: AddressOption = None,
    language: LanguageOption = Language.EN,
    frame: FrameOption = Frame.NEUTRAL,
    vendor: VendorOption = None,
    tlp: TlpOption = Tlp.AMBER,
    database: DatabaseOption = None,
) -> None:
    """Send one notice by e-mail, once, and log it. Only over TLS with a certificate that is believed.

    Example: leadglass notify send "Example Radiology" --to privacy@example.org --mail mail.toml --scope scope.toml
    --scan last --address 192.0.2.0/28
    """
    if not is_mailbox(to):
        raise UsageError("this is not one address", where="--to", then="write it as privacy@example.org")
    file = read_mail(read_text(mail), str(mail))
    found = seen(records, scan, database, ranges_of(address), tlp)
    notice = notice_of(owner, vendor, found, scope, language, frame, tlp)
    posting = fetch("leadglass.wiring.posting")
    server = posting.server_of(file, mail.parent)
    with opened(database) as store:
        reference = posting.send(store, notice, server, file.sender, to)
    write(f"{reference}  {notice.wording}  sent to {to}; endpoints: {len(found)}\n")
