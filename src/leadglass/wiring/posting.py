"""Sends a notice by the user's mail server, written down before and after."""

from __future__ import annotations

import email.utils
from collections.abc import Sequence
from pathlib import Path

from leadglass import wiring
from leadglass.errors import ConfigError, TransportError, UsageError
from leadglass.model.notice import Channel, Notice, SentNotice
from leadglass.net.mail import Delivery, MailServer, postbox
from leadglass.notice.as_mail import as_mail
from leadglass.notice.message import compose
from leadglass.settings.mail_file import MailFile
from leadglass.store import notices
from leadglass.store.database import Database

__all__ = ["send", "server_of"]


def server_of(file: MailFile, folder: Path) -> MailServer:
    """The server that a mail file in ``folder`` names; ``ConfigError`` if the password cannot be read."""
    password = None if file.password_file is None else _password(folder / file.password_file)
    ca_file = None if file.ca_file is None else str(folder / file.ca_file)
    hello = file.sender.partition("@")[2]
    return MailServer(file.host, file.port, file.user, password, ca_file, hello)


def send(database: Database, notice: Notice, server: MailServer, sender: str, recipient: str) -> str:
    """Send ``notice``, once; its reference.

    ``UsageError`` if it was sent before, on whatever day, or was begun and nobody knows whether it left;
    ``TransportError`` if it did not leave, or if that is not known now.
    """
    message = compose(notice)
    _require_new(notices.sent(database), message.reference, database.where)
    now = int(wiring.clock().posix())
    mail = as_mail(message, sender, recipient, email.utils.formatdate(now))
    kept = SentNotice(
        message.reference, Channel.EMAIL, notice.owner, notice.recipient, notice.wording, now, "sending"
    )
    with postbox(server) as box:
        if notices.begin(database, kept, [(one.address, one.port) for one in notice.exposures]) not in {
            notices.Before.NEW,
            notices.Before.FAILED,
        }:
            raise UsageError(f"{message.reference} is being sent already", where=database.where)
        delivery, reason = box.deliver(mail, sender, recipient)
        if delivery is not Delivery.UNKNOWN:
            notices.finish(database, message.reference, Channel.EMAIL, left=delivery is Delivery.LEFT)
    if delivery is Delivery.REFUSED:
        raise TransportError(f"the mail server refused it: {reason}", where=recipient)
    if delivery is Delivery.UNKNOWN:
        raise TransportError(
            f"nobody knows whether {message.reference} left: {reason}",
            where=recipient,
            then="ask the mail server; if it did, leadglass notify log says so",
        )
    return message.reference


def _require_new(sent: Sequence[SentNotice], reference: str, where: str) -> None:
    """References of the same notice differ only in their day."""
    same = reference.rpartition("-")[2]
    for one in sent:
        if one.channel is not Channel.EMAIL or one.reference.rpartition("-")[2] != same:
            continue
        if one.state == "sent":
            raise UsageError(f"this was sent already, as {one.reference}", where=where)
        if one.state == "sending":
            raise UsageError(
                f"{one.reference} was begun, and nobody knows whether it left",
                where=where,
                then="ask the mail server; if it did, leadglass notify log says so, else draft and send it by hand",
            )


def _password(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError("the password cannot be read", where=str(path)) from exc
