"""A notice as an e-mail: one message to one recipient (RFC 5322)."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP

from leadglass.notice.as_text import body_of
from leadglass.notice.message import Message

__all__ = ["as_mail"]


def as_mail(message: Message, sender: str, recipient: str, date: str) -> EmailMessage:
    """The message; ``sender`` and ``recipient`` are plain addresses, ``date`` is as RFC 5322 3.3 wants it.

    Its Message-ID follows from the reference, so that a server that gets it twice can tell.
    """
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = recipient
    mail["Date"] = date
    mail["Subject"] = message.marked_subject
    mail["Message-ID"] = f"<{message.reference}@{sender.partition('@')[2]}>"
    mail.set_content(body_of(message), cte="base64")
    mail["Content-Language"] = message.language.value  # the line before drops what is said of content
    return mail
