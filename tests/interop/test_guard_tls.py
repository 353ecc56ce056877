"""The guard's TLS settings before real programs: openssl's own client, and DCMTK's."""

from __future__ import annotations

import contextlib
import queue
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.unit.guard.enrol.papers import authority, kept, root, stamp
from tests.unit.probe.acceptor import Acceptor

from leadglass.guard.tls import server_context
from leadglass.settings.guard import Profile

pytestmark = pytest.mark.peer("openssl")

HOSTS = ("localhost", "127.0.0.1")


@dataclass
class Door:
    """A server with the guard's settings, and what each handshake came to."""

    folder: Path
    port: int
    told: queue.Queue[tuple[str, ...]] = field(default_factory=queue.Queue)

    def seen(self, count: int = 1) -> list[tuple[str, ...]]:
        """What the next so many handshakes came to."""
        return [self.told.get(timeout=10) for _ in range(count)]

    def call(self, *options: str, papers: bool = True) -> subprocess.CompletedProcess[str]:
        """The client of openssl, with the certificate of ct-1 unless it shall have none."""
        shown = ["-cert", "ct-1.pem", "-key", "ct-1.key"] if papers else []
        words = ["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", "-CAfile", "ca.pem", *shown]
        return subprocess.run(
            [*words, "-verify_return_error", *options],
            cwd=self.folder,
            input="Q\n",
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )


@contextlib.contextmanager
def door(folder: Path, profile: Profile = Profile.BCP195, *, rsa: bool = False) -> Iterator[Door]:
    kept(folder, "ca", root(rsa=rsa))
    kept(folder, "server", authority(rsa=rsa).server("guard", HOSTS, stamp(time.time())))
    until = time.time() + 86_400
    own = authority(rsa=rsa).client("guard", "ct-1", stamp(time.time()), until, host=None, rsa_keys=rsa)
    kept(folder, "ct-1", own)
    settings = server_context(
        profile, str(folder / "server.pem"), str(folder / "server.key"), str(folder / "ca.pem")
    )
    listener = socket.create_server(("127.0.0.1", 0))
    made = Door(folder, listener.getsockname()[1])
    thread = threading.Thread(target=serve, args=(made, listener, settings), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def serve(made: Door, listener: socket.socket, settings: ssl.SSLContext) -> None:
    while True:
        try:
            raw, _ = listener.accept()
        except OSError:
            return
        with raw:
            raw.settimeout(10)
            try:
                talk(made, settings.wrap_socket(raw, server_side=True))
            except ssl.SSLError as error:
                made.told.put(("refused", error.reason or ""))
            except OSError:
                made.told.put(("broken",))


def talk(made: Door, tls: ssl.SSLSocket) -> None:
    """Shake hands, and answer whatever DICOM comes."""
    name, version, _ = tls.cipher() or ("", "", 0)
    resumed = "resumed" if tls.session_reused else "new"
    shown = "shown" if tls.getpeercert(binary_form=True) else "nothing shown"
    made.told.put((version if version == "TLSv1.2" else tls.version() or "", name, resumed, shown))
    acceptor = Acceptor()
    with contextlib.suppress(OSError), tls:
        while data := tls.recv(65536):
            if data != b"Q\n":
                tls.sendall(acceptor.talk(data))
        tls.unwrap()  # OpenSSL forgets the session of a connection that ends without a farewell


@pytest.fixture(params=list(Profile), ids=str)
def profiled(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Door]:
    with door(tmp_path, request.param) as made:
        yield made


def test_a_client_gets_the_newest_version_and_shows_its_certificate(profiled: Door) -> None:
    done = profiled.call()

    assert profiled.seen() == [("TLSv1.3", "TLS_AES_256_GCM_SHA384", "new", "shown")]
    assert "Verify return code: 0 (ok)" in done.stdout
    assert "Compression: NONE" in done.stdout


@pytest.mark.parametrize(
    ("options", "alert"),
    [
        (("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"), "alert protocol version"),
        (("-tls1", "-cipher", "ALL:@SECLEVEL=0"), "alert protocol version"),
        (("-tls1_2", "-cipher", "AES128-SHA:AES256-GCM-SHA384:@SECLEVEL=0"), "alert handshake failure"),
        (("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA256"), "alert handshake failure"),
        (("-tls1_2", "-cipher", "NULL:aNULL:@SECLEVEL=0"), "alert handshake failure"),
        (("-tls1_2", "-cipher", "DHE:@SECLEVEL=0"), "alert handshake failure"),
    ],
)
def test_what_the_profiles_retire_is_refused_with_an_alert(
    profiled: Door, options: Sequence[str], alert: str
) -> None:
    done = profiled.call(*options)

    assert done.returncode != 0
    assert alert in done.stderr
    assert [seen[0] for seen in profiled.seen()] == ["refused"]


@pytest.mark.parametrize(
    ("version", "alert"), [("-tls1_2", "alert handshake failure"), ("-tls1_3", "alert certificate required")]
)
def test_a_client_without_a_certificate_is_told_so(profiled: Door, version: str, alert: str) -> None:
    # Under TLS 1.3 the client is through with its handshake when the alert comes: it must still be read.
    done = profiled.call(version, "-ign_eof", papers=False)

    assert alert in done.stderr
    assert profiled.seen() == [("refused", "PEER_DID_NOT_RETURN_A_CERTIFICATE")]


@pytest.mark.parametrize(
    ("version", "resumed"), [("-tls1_2", ["new", *["resumed"] * 5]), ("-tls1_3", ["new"] * 6)]
)
def test_whoever_comes_back_is_still_known_by_its_certificate(
    profiled: Door, version: str, resumed: list[str]
) -> None:
    profiled.call(version, "-reconnect")

    seen = profiled.seen(6)
    assert [each[2] for each in seen] == resumed
    assert {each[3] for each in seen} == {"shown"}


def test_nobody_renegotiates(profiled: Door) -> None:
    words = ["openssl", "s_client", "-connect", f"127.0.0.1:{profiled.port}", "-CAfile", "ca.pem", "-tls1_2"]
    done = subprocess.run(
        [*words, "-cert", "ct-1.pem", "-key", "ct-1.key"],
        cwd=profiled.folder,
        input="R\n",
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert "RENEGOTIATING" in done.stderr
    assert "no renegotiation" in done.stderr


@pytest.mark.parametrize(
    "suite", ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305"]
)
def test_a_site_with_rsa_keys_speaks_the_suites_for_them(tmp_path: Path, suite: str) -> None:
    with door(tmp_path, Profile.STRICT, rsa=True) as made:
        made.call("-tls1_2", "-cipher", suite)
        seen = made.seen()

    assert seen == [("TLSv1.2", suite, "new", "shown")]


def test_a_short_key_is_refused(tmp_path: Path) -> None:
    with door(tmp_path) as made:
        for words in (
            [
                "req",
                "-newkey",
                "rsa:1024",
                "-nodes",
                "-keyout",
                "ct-1.key",
                "-out",
                "short.csr",
                "-subj",
                "/CN=old",
            ],
            [
                "x509",
                "-req",
                "-in",
                "short.csr",
                "-CA",
                "ca.pem",
                "-CAkey",
                "ca.key",
                "-out",
                "ct-1.pem",
                "-days",
                "9",
            ],
        ):
            subprocess.run(["openssl", *words], cwd=tmp_path, check=True, capture_output=True, timeout=30)
        made.call("-cipher", "DEFAULT:@SECLEVEL=0")
        seen = made.seen()

    assert seen == [("refused", "CERTIFICATE_VERIFY_FAILED")]


@pytest.mark.peer("dcmtk")
def test_dcmtk_gets_an_answer_with_a_certificate_and_none_without(profiled: Door) -> None:
    place = ["localhost", str(profiled.port)]
    known, unknown = (
        subprocess.run(
            ["echoscu", *papers, "+cf", "ca.pem", *place],
            cwd=profiled.folder,
            capture_output=True,
            timeout=30,
            check=False,
        )
        for papers in (["+tls", "ct-1.key", "ct-1.pem"], ["+tla"])
    )

    assert known.returncode == 0, known.stderr
    assert unknown.returncode != 0
    assert [seen[0] for seen in profiled.seen(2)] == ["TLSv1.3", "refused"]
