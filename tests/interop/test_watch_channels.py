"""Alerts on their way to real receivers: a web server with TLS, a mail server, rsyslog."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import http.server
import json
import ssl
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from aiosmtpd.controller import Controller
from tests.contract.test_alerts import alert
from tests.interop.test_mail import Inbox
from tests.peers import rsyslog
from tests.peers.certificates import certificates
from tests.peers.places import LOOPBACK
from tests.peers.watched import Clock, Ward, free_port, until

from leadglass import wiring
from leadglass.errors import ResourceError
from leadglass.model.alert import AlertState
from leadglass.net import metrics_page
from leadglass.net.webhook import SIGNATURE
from leadglass.store import alerts, deliveries
from leadglass.store.alerts import News
from leadglass.store.database import Database, open_database
from leadglass.store.deliveries import DeliveryState
from leadglass.wiring.watch_metrics import metrics
from leadglass.wiring.watch_sending import Sender

SECRET = "a secret of more than sixteen characters"
HOOK = """
[[webhook]]
name = "soc"
url = "https://127.0.0.1:{port}/in?x=1"
secret_file = "secret"
ca_file = "ca.pem"
"""


class Receiver:
    """A web server that keeps what it is sent and answers ``status``; 0: it hangs up instead."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.status = 204
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((self.path, dict(self.headers), body))
                if receiver.status:
                    self.send_response(receiver.status)
                    self.send_header("Location", "https://127.0.0.1:1/elsewhere")
                    self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    made = trustme.CA()
    made.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    return made


@pytest.fixture
def receiver(authority: trustme.CA) -> Iterator[Receiver]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    made = Receiver(context)
    yield made
    made.close()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with open_database(str(tmp_path / "watch.sqlite"), wiring.clock().posix) as opened:
        yield opened


@dataclasses.dataclass
class Post:
    """A sender, what it says, and its clock."""

    sender: Sender
    said: list[str]
    clock: Clock


def post(ward: Ward, database: Database) -> Post:
    clock, said = Clock(), list[str]()
    return Post(Sender(database, ward.settings, clock, said.append), said, clock)


def raised(database: Database, *numbers: int, channel: str) -> None:
    found = [alert(number) for number in numbers]
    alerts.raise_(database, News("s", found, channels=lambda _: (channel,)))


def states(database: Database, number: int = 1) -> list[DeliveryState]:
    return [one.state for one in deliveries.of_alert(database, alert(number).id)]


def test_a_webhook_gets_all_that_waits_signed_and_once(
    tmp_path: Path, receiver: Receiver, database: Database
) -> None:
    ward = Ward(tmp_path)
    ward.write_watch(HOOK.format(port=receiver.port))
    raised(database, 1, 2, channel="soc")
    one = post(ward, database)
    for _ in range(2):
        one.sender.round()

    ((path, headers, body),) = receiver.got
    assert path == "/in?x=1"
    assert [found["id"] for found in json.loads(body)["alerts"]] == [alert(1).id, alert(2).id]
    at, _, said = headers[SIGNATURE].removeprefix("t=").partition(",v1=")
    assert said == hmac.new(SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    assert states(database) == [DeliveryState.SENT]


@pytest.mark.parametrize("status", [302, 500])
def test_what_a_webhook_refuses_is_tried_again_and_never_elsewhere(
    tmp_path: Path, receiver: Receiver, database: Database, status: int
) -> None:
    ward = Ward(tmp_path)
    ward.write_watch(HOOK.format(port=receiver.port))
    raised(database, 1, channel="soc")
    receiver.status = status
    one = post(ward, database)
    for _ in range(2):
        one.sender.round()
    assert (len(receiver.got), len(one.said), states(database)) == (1, 1, [DeliveryState.FAILED])

    receiver.status, one.clock.ahead = 200, 31.0
    one.sender.round()
    assert (len(receiver.got), states(database)) == (2, [DeliveryState.SENT])


def test_where_nobody_knows_whether_it_left_the_same_message_is_sent_again(
    tmp_path: Path, receiver: Receiver, database: Database
) -> None:
    ward = Ward(tmp_path)
    ward.write_watch(HOOK.format(port=receiver.port))
    raised(database, 1, 2, channel="soc")
    receiver.status = 0
    one = post(ward, database)
    one.sender.round()
    raised(database, 3, channel="soc")
    one.clock.ahead = 200.0
    one.sender.round()  # the other one, which may not have left either
    one.clock.ahead = 290.0
    one.sender.round()
    assert states(database) == [DeliveryState.SENDING]
    assert len(receiver.got) == 2

    receiver.status, one.clock.ahead = 500, 310.0
    one.sender.round()  # a refusal does not tell what became of it the first time
    assert states(database) == [DeliveryState.SENDING]
    receiver.status, one.clock.ahead = 204, 10_000.0
    for _ in range(3):
        one.sender.round()

    assert states(database) == states(database, 3) == [DeliveryState.SENT]
    sent = [
        (headers["Idempotency-Key"], tuple(each["id"] for each in json.loads(body)["alerts"]))
        for _, headers, body in receiver.got
    ]
    both, third = (alert(1).id, alert(2).id), (alert(3).id,)
    assert [ids for _, ids in sent] == [both, third, both, third, both]
    assert len(set(sent)) == 2


def test_what_is_never_answered_is_not_sent_for_ever(
    tmp_path: Path, receiver: Receiver, database: Database
) -> None:
    ward = Ward(tmp_path)
    ward.write_watch(HOOK.format(port=receiver.port))
    raised(database, 1, channel="soc")
    receiver.status = 0
    one = post(ward, database)
    for hour in range(48):
        one.clock.ahead = 3601.0 * hour
        one.sender.round()

    assert len(receiver.got) == 28
    assert [found.state for found in deliveries.lost(database, one.clock.posix())] == [DeliveryState.SENDING]


def test_a_certificate_that_nobody_vouches_for_gets_nothing(
    tmp_path: Path, receiver: Receiver, database: Database
) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    ward = Ward(tmp_path)
    ward.write_watch(HOOK.format(port=receiver.port))
    raised(database, 1, channel="soc")
    one = post(ward, database)
    one.sender.round()

    assert receiver.got == []
    assert states(database) == [DeliveryState.FAILED]
    assert "no TLS that can be believed" in one.said[0]


def test_what_nobody_acknowledges_goes_by_mail_to_the_next_one(
    tmp_path: Path, authority: trustme.CA, database: Database
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    inbox, port = Inbox(), free_port()
    controller = Controller(
        inbox, hostname="127.0.0.1", port=port, tls_context=context, require_starttls=True
    )
    (tmp_path / "mail.toml").write_text(
        f'host = "127.0.0.1"\nport = {port}\nsender = "watch@example.org"\nca_file = "ca.pem"\n'
    )
    ward = Ward(tmp_path)
    ward.write_watch(
        '[[mail]]\nname = "chief"\nfile = "mail.toml"\nto = "chief@example.org"\nseverity = "critical"\n'
        '[escalation]\nafter = "1h"\nto = "chief"\n'
    )
    now = int(wiring.clock().posix())
    found = [dataclasses.replace(alert(number), first_at=now) for number in (1, 2)]
    alerts.raise_(database, News("s", found))
    alerts.change(database, alert(2).id, AlertState.ACKNOWLEDGED, "ada", now)
    one = post(ward, database)
    controller.start()
    try:
        one.sender.round()
        assert inbox.got == []
        one.clock.ahead = 3601.0
        for _ in range(2):
            one.sender.round()
    finally:
        controller.stop()

    (mail,) = inbox.got
    assert inbox.recipients == [["chief@example.org"]]
    text = mail.get_content()
    assert "nobody has acknowledged" in text
    assert (alert(1).id in text, alert(2).id in text) == (True, False)


@pytest.mark.peer("rsyslog")
@pytest.mark.parametrize("secure", [True, False])
def test_a_collector_gets_each_alert_as_a_message(tmp_path: Path, database: Database, secure: bool) -> None:
    port, home = free_port(), tmp_path / "rsyslog"
    papers = certificates(tmp_path / "papers", "127.0.0.1") if secure else None
    ward = Ward(tmp_path)
    more = "tls = false\n"
    if papers:
        more = (
            f'ca_file = "{papers.authority}"\ncertificate = "{papers.client}"\nkey = "{papers.client_key}"\n'
        )
    ward.write_watch(f'[[syslog]]\naddress = "127.0.0.1:{port}"\n{more}')
    raised(database, 1, 2, channel="syslog")
    one = post(ward, database)
    one.sender.round()
    assert states(database) == [DeliveryState.FAILED]  # nobody is there yet
    with rsyslog.collector(LOOPBACK, home, papers, port=port):
        one.clock.ahead = 31.0
        one.sender.round()
        until(lambda: len(rsyslog.collected(home)) == 2)

    assert one.said[1:] == []
    assert states(database) == [DeliveryState.SENT]
    assert [
        f'id="{alert(number).id}"'.encode() in line
        for number, line in zip((1, 2), rsyslog.collected(home), strict=True)
    ] == [True, True]


def test_prometheus_reads_how_the_watch_stands(tmp_path: Path, database: Database) -> None:
    ward = Ward(tmp_path)
    raised(database, 1, channel="soc")
    now = wiring.clock().posix()
    with metrics_page.serving("127.0.0.1", 0, lambda: metrics(database, ward.settings, now, 0)) as port:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            lines = answer.read().decode().splitlines()
        with (
            pytest.raises(ResourceError, match="cannot be served"),
            metrics_page.serving("127.0.0.1", port, str),
        ):
            pass

    assert 'leadglass_watch_alerts{state="open",severity="high"} 1' in lines
    assert 'leadglass_watch_detection_seconds{bound="median_at_most"} 60' in lines
    assert any(
        line.startswith('leadglass_watch_next_due_timestamp_seconds{schedule="nightly"} ') for line in lines
    )
