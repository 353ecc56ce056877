"""Notices by e-mail against a real mail server (aiosmtpd) on loopback, with TLS by an authority made here."""

from __future__ import annotations

import asyncio
import dataclasses
import email
import email.policy
import socket
import ssl
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from tests.unit.notice.conftest import notice

from leadglass.errors import TransportError, UsageError
from leadglass.model.notice import Language
from leadglass.net.mail import MailServer
from leadglass.store import notices
from leadglass.store.database import Database, open_database
from leadglass.wiring.posting import send

TO, FROM = "privacy@example.org", "abuse@example.com"


class Inbox:
    """Keeps what it gets, and answers as a test says."""

    def __init__(self) -> None:
        self.got: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.answer: str | None = "250 OK"

    async def handle_DATA(self, server: SMTP, _: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        assert isinstance(envelope.content, bytes)
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.got.append(message)
        self.recipients.append(list(envelope.rcpt_tos))
        if self.answer is None:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return self.answer or "250 OK"


@dataclasses.dataclass(frozen=True)
class Server:
    """A mail server that runs, and its inbox."""

    inbox: Inbox
    known: MailServer


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def serving(authority: trustme.CA, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts a server for a name; without a name, one that knows no TLS."""
    running: list[Controller] = []
    trusted = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(trusted))

    def start(name: str | None = "127.0.0.1", **options: Any) -> Server:
        inbox = Inbox()
        if name is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            authority.issue_cert(name).configure_cert(context)
            options |= {"tls_context": context, "require_starttls": True}
        controller = Controller(inbox, hostname="127.0.0.1", port=_free_port(), **options)
        controller.start()
        running.append(controller)
        return Server(inbox, MailServer("127.0.0.1", controller.port, ca_file=str(trusted)))

    yield start
    for controller in running:
        controller.stop()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with open_database(str(tmp_path / "notices.sqlite"), lambda: 0.0) as opened:
        yield opened


def test_a_notice_arrives_once_and_whole(serving: Callable[..., Server], database: Database) -> None:
    server = serving()
    made = notice(language=Language.JA)

    reference = send(database, made, server.known, FROM, TO)

    (mail,) = server.inbox.got
    assert server.inbox.recipients == [[TO]]
    assert (mail["From"], mail["To"]) == (FROM, TO)
    assert mail["Subject"].startswith("[TLP:AMBER] Example Radiology の DICOM")
    assert "192.0.2.10:11112" in mail.get_content()
    assert [(one.reference, one.state) for one in notices.sent(database)] == [(reference, "sent")]


def test_nothing_is_sent_twice_not_even_on_another_day(
    serving: Callable[..., Server], database: Database
) -> None:
    server = serving()
    send(database, notice(), server.known, FROM, TO)

    for day in (notice().day, notice().day.replace(year=2027)):
        with pytest.raises(UsageError, match="sent already"):
            send(database, notice(day=day), server.known, FROM, TO)
    assert len(server.inbox.got) == 1


def test_without_starttls_nothing_is_said(serving: Callable[..., Server], database: Database) -> None:
    server = serving(None)

    with pytest.raises(TransportError, match="there is no TLS"):
        send(database, notice(), server.known, FROM, TO)
    assert server.inbox.got == []
    assert notices.sent(database) == []


@pytest.mark.parametrize("wrong", ["name", "authority"])
def test_a_wrong_certificate_is_refused(
    serving: Callable[..., Server], database: Database, wrong: str
) -> None:
    server = serving("mail.example.org" if wrong == "name" else "127.0.0.1")
    known = server.known if wrong == "name" else dataclasses.replace(server.known, ca_file=None)

    with pytest.raises(TransportError, match="there is no TLS"):
        send(database, notice(), known, FROM, TO)
    assert server.inbox.got == []


def test_what_the_server_refuses_has_not_left_and_may_be_tried_again(
    serving: Callable[..., Server], database: Database
) -> None:
    server = serving()
    server.inbox.answer = "554 no\x1b[31m"
    with pytest.raises(TransportError, match="refused it") as refused:
        send(database, notice(), server.known, FROM, TO)
    assert str(refused.value).isprintable()
    assert [one.state for one in notices.sent(database)] == ["failed"]

    server.inbox.answer = "250 OK"
    send(database, notice(), server.known, FROM, TO)
    assert [one.state for one in notices.sent(database)] == ["sent"]


def test_when_the_line_breaks_nobody_knows_and_nothing_is_sent_again(
    serving: Callable[..., Server], database: Database
) -> None:
    server = serving()
    server.inbox.answer = None
    with pytest.raises(TransportError, match="nobody knows whether"):
        send(database, notice(), server.known, FROM, TO)

    server.inbox.answer = "250 OK"
    with pytest.raises(UsageError, match="was begun, and nobody knows"):
        send(database, notice(), server.known, FROM, TO)
    assert len(server.inbox.got) == 1


def test_no_name_becomes_a_header_or_another_recipient(
    serving: Callable[..., Server], database: Database
) -> None:
    server = serving()
    hostile = "x\r\nBcc: everybody@example.net\r\n\r\nbody\n.\nMAIL FROM:<a@b>"

    send(database, notice(owner=hostile, recipient=hostile), server.known, FROM, TO)

    (mail,) = server.inbox.got
    assert server.inbox.recipients == [[TO]]
    assert mail["Bcc"] is None
    headers = "From To Date Subject Message-ID Content-Language MIME-Version Content-Type"
    assert sorted(mail.keys()) == sorted([*headers.split(), "Content-Transfer-Encoding"])


def test_user_and_password_are_told_only_over_tls(serving: Callable[..., Server], database: Database) -> None:
    told: list[LoginPassword] = []

    def authenticate(_: SMTP, session: Session, *rest: Any) -> AuthResult:
        assert session.ssl
        told.append(rest[-1])
        return AuthResult(success=rest[-1].password == b"secret", handled=False)

    server = serving(authenticator=authenticate, auth_required=True)
    known = dataclasses.replace(server.known, user="cert", password="secret")

    send(database, notice(), known, FROM, TO)

    assert [one.login for one in told] == [b"cert"]
    with pytest.raises(TransportError, match="refuses this user") as refused:
        send(database, notice(owner="x"), dataclasses.replace(known, password="hunter2"), FROM, TO)
    assert "hunter2" not in str(refused.value)
    assert "secret" not in repr(known)
