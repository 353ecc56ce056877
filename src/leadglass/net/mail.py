"""Hands a message to the mail server that the operator configured, over verified TLS or not at all (RFC 3207)."""

from __future__ import annotations

import contextlib
import enum
import smtplib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage

from leadglass.errors import ConfigError, TransportError

__all__ = ["Delivery", "MailServer", "Postbox", "postbox"]

_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where to, as whom."""

    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    hello: str = "localhost"
    """Who calls, in EHLO: given, so that nobody asks the DNS for this machine's name and tells it on."""


class Delivery(enum.Enum):
    """What became of a message."""

    LEFT = "left"
    REFUSED = "refused"
    """The server said no: it has not left."""
    UNKNOWN = "unknown"
    """The connection was lost before the server said yes or no."""


class Postbox:
    """An open connection, after STARTTLS and login."""

    def __init__(self, session: smtplib.SMTP) -> None:
        self._session = session

    def deliver(self, message: EmailMessage, sender: str, recipient: str) -> tuple[Delivery, str]:
        """Hand over one message to one recipient; what became of it, and the server's reason."""
        try:
            self._session.send_message(message, sender, [recipient])
        except (
            smtplib.SMTPRecipientsRefused,
            smtplib.SMTPResponseException,
            smtplib.SMTPNotSupportedError,
        ) as exc:
            return Delivery.REFUSED, _line(exc)
        except (smtplib.SMTPException, OSError) as exc:
            return Delivery.UNKNOWN, _line(exc)
        return Delivery.LEFT, ""


@contextlib.contextmanager
def postbox(server: MailServer) -> Iterator[Postbox]:
    """A connection to ``server``; ``TransportError`` if there is none, or no TLS that can be believed.

    ``ConfigError`` if the authorities cannot be read.
    """
    where = f"{server.host}:{server.port}"
    try:
        context = ssl.create_default_context(cafile=server.ca_file)
    except (OSError, ssl.SSLError) as exc:
        raise ConfigError(f"the authorities cannot be read ({exc})", where=str(server.ca_file)) from exc
    try:
        session = smtplib.SMTP(server.host, server.port, server.hello, _SECONDS)
    except (smtplib.SMTPException, OSError) as exc:
        raise TransportError(f"the mail server does not answer ({_line(exc)})", where=where) from exc
    try:
        _secure(session, server, context, where)
        yield Postbox(session)
        with contextlib.suppress(smtplib.SMTPException, OSError):
            session.quit()
    finally:
        session.close()


def _secure(session: smtplib.SMTP, server: MailServer, context: ssl.SSLContext, where: str) -> None:
    try:
        session.starttls(context=context)
    except (smtplib.SMTPException, OSError) as exc:
        then = "nothing was sent; it needs STARTTLS with a certificate for this name"
        raise TransportError(
            f"there is no TLS with the mail server ({_line(exc)})", where=where, then=then
        ) from exc
    if server.user is None or server.password is None:
        return
    try:
        session.login(server.user, server.password)
    except (smtplib.SMTPException, OSError, UnicodeError):
        # What the server says is left out: some repeat what they were given.
        raise TransportError("the mail server refuses this user or password", where=where) from None


def _line(exc: Exception) -> str:
    text = " ".join(str(exc).split()) or type(exc).__name__
    return "".join(char if char.isprintable() else "?" for char in text)[:200]
