from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from tests.unit.lab.memory import Dice, converse

from leadglass.lab.archive import Archive
from leadglass.lab.dicom import DicomSession, Manners
from leadglass.lab.papers import Papers, issue
from leadglass.lab.secure import Lock, SecureSession, context
from leadglass.lab.session import Act, End
from leadglass.model.evidence import Reply, TlsOutcome
from leadglass.probe.associate import AssociateConversation
from leadglass.probe.tls import HelloConversation, SecureConversation

NOW = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    home = tmp_path_factory.mktemp("papers")

    def keep(name: str, content: bytes) -> str:
        Path(home, name).write_bytes(content)
        return str(Path(home, name))

    return issue(["127.0.0.1", "127.77.0.1"], Dice(), NOW.timestamp(), keep)


def server(papers: Papers, lock: Lock) -> SecureSession:
    return SecureSession(context(lock, papers), lambda: DicomSession(Manners(), Archive()))


class Client:
    """An ordinary TLS client, with or without a certificate; it hears what OpenSSL hears."""

    def __init__(self, papers: Papers, *, enrolled: bool) -> None:
        settings = ssl.create_default_context(cafile=papers.authority)
        settings.check_hostname = False
        if enrolled:
            settings.load_cert_chain(*papers.client)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = settings.wrap_bio(self._in, self._out)

    def meet(self, session: SecureSession) -> tuple[str | None, Act]:
        """Shake hands and read once; the version, or the name of the error, and the server's last act."""
        self._session, self._act = session, session.connected(0.0)
        try:
            self._until_done(self._tls.do_handshake)
            self._until_done(lambda: self._tls.read(1))
        except ssl.SSLWantReadError:
            return self._tls.version(), self._act
        except ssl.SSLError as error:
            return error.reason, self._act
        return self._tls.version(), self._act

    def _until_done(self, attempt: Callable[[], object]) -> None:
        while True:
            try:
                attempt()
            except ssl.SSLWantReadError:
                if not self._across():
                    raise
            else:
                self._across()
                return

    def _across(self) -> bool:
        ours = self._out.read()
        if ours and self._act.end is End.OPEN:
            self._act = self._session.received(ours, 0.0)
            self._in.write(self._act.send)
        return bool(ours)


@pytest.mark.parametrize(("lock", "version"), [(Lock.MUTUAL_12, "TLSv1.2"), (Lock.MUTUAL_13, "TLSv1.3")])
def test_who_has_a_certificate_gets_in(papers: Papers, lock: Lock, version: str) -> None:
    said, act = Client(papers, enrolled=True).meet(server(papers, lock))

    assert said == version
    assert act.end is End.OPEN


@pytest.mark.parametrize(
    ("lock", "alert"),
    [
        (Lock.MUTUAL_12, "SSLV3_ALERT_HANDSHAKE_FAILURE"),
        (Lock.MUTUAL_13, "TLSV13_ALERT_CERTIFICATE_REQUIRED"),
    ],
)
def test_who_has_none_is_told_so_before_the_close(papers: Papers, lock: Lock, alert: str) -> None:
    said, act = Client(papers, enrolled=False).meet(server(papers, lock))

    assert said == alert
    assert act.end is End.CLOSE


@pytest.mark.parametrize("lock", [Lock.MUTUAL_12, Lock.MUTUAL_13])
def test_our_probe_sees_the_demand(papers: Papers, lock: Lock) -> None:
    inner = AssociateConversation("ANY-SCP", "LEADGLASS", over_tls=True)
    probe = SecureConversation(inner, server_name=None, patience=5.0)
    converse(probe, server(papers, lock))

    assert probe.evidence.certificate_requested is True
    assert probe.evidence.alert in {"handshake_failure(40)", "certificate_required(116)"}
    assert not probe.evidence.application_data


def test_behind_the_retired_lock_a_stranger_associates(papers: Papers) -> None:
    inner = AssociateConversation("ANY-SCP", "LEADGLASS", over_tls=True)
    probe = SecureConversation(inner, server_name=None, patience=5.0)
    converse(probe, server(papers, Lock.RETIRED))

    assert probe.evidence.certificate_requested is False
    assert inner.evidence.echo is Reply.ANSWERED


@pytest.mark.parametrize(
    ("offer", "version"), [("old-versions", "TLSv1.1"), ("retired-suites", "TLSv1.2"), ("tls12", "TLSv1.2")]
)
def test_the_retired_lock_takes_what_nobody_should_offer(papers: Papers, offer: str, version: str) -> None:
    probe = HelloConversation(offer, server_name=None, random=bytes(32), patience=5.0)
    converse(probe, server(papers, Lock.RETIRED))

    assert probe.evidence.outcome is TlsOutcome.SERVER_HELLO
    assert probe.evidence.version == version


@pytest.mark.parametrize("lock", [Lock.MUTUAL_12, Lock.MUTUAL_13])
@pytest.mark.parametrize("offer", ["old-versions", "retired-suites"])
def test_the_good_locks_do_not(papers: Papers, lock: Lock, offer: str) -> None:
    probe = HelloConversation(offer, server_name=None, random=bytes(32), patience=5.0)
    converse(probe, server(papers, lock))

    assert probe.evidence.outcome is TlsOutcome.ALERT


@pytest.mark.parametrize(
    "data",
    [b"GET / HTTP/1.1\r\n\r\n", b"\x01\x00\x00\x00\x00\xcd" + bytes(205), b"\x16\x03\x01\x00\x02\x01\x00"],
)
@pytest.mark.parametrize("lock", Lock)
def test_what_is_no_hello_ends_the_connection_or_its_patience(
    papers: Papers, lock: Lock, data: bytes
) -> None:
    session = server(papers, lock)
    session.connected(0.0)
    act = session.received(data, 0.0)

    if act.end is End.OPEN:
        assert act.wake_at is not None
        act = session.woken(act.wake_at)
    assert act.end is End.CLOSE


def test_the_papers_are_what_they_say(papers: Papers) -> None:
    authority, server_, client = (
        x509.load_pem_x509_certificate(Path(path).read_bytes())
        for path in (papers.authority, papers.server.certificate, papers.client.certificate)
    )

    assert authority.subject == server_.issuer == client.issuer
    assert "Fictitious Hospital" in authority.subject.rfc4514_string()
    assert server_.not_valid_before_utc < NOW < server_.not_valid_after_utc
    assert len({c.serial_number for c in (authority, server_, client)}) == 3
