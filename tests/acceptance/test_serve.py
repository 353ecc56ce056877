"""``leadglass serve`` as a process: the first link, a real socket, slow and many connections, and the end by a signal."""

from __future__ import annotations

import contextlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from tests.peers.certificates import Certificates, certificates
from tests.peers.dashboard import PASSWORD
from tests.peers.places import LOOPBACK, free_port

pytest.importorskip("uvicorn")


@dataclass
class Served:
    """A process that serves."""

    process: subprocess.Popen[str]
    port: int
    link: str

    def connection(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)


def begun(folder: Path, *words: str) -> Served:
    port = free_port(LOOPBACK)
    command = [sys.executable, "-m", "leadglass", "serve", "--bind", f"127.0.0.1:{port}", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(2)]
    return Served(process, port, lines[1].strip())


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("serve")
    (folder / "serve.toml").write_text("[limits]\nconnections = 8\n")
    one = begun(folder, "--config", "serve.toml", "--database", "store.sqlite")
    yield one
    one.process.kill()
    one.process.communicate()


def test_the_first_start_leads_to_an_administrator_and_a_signal_to_a_good_end(tmp_path: Path) -> None:
    served = begun(tmp_path, "--database", "store.sqlite")
    with httpx.Client(base_url=f"http://127.0.0.1:{served.port}") as client:
        found = re.search(r'name="csrf" value="(\w+)"', client.get(served.link).text)
        assert found is not None
        form = {"csrf": found[1], "link": served.link.partition("=")[2], "name": "ada"}
        answer = client.post("/welcome", data={**form, "password": PASSWORD, "again": PASSWORD})

        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert "ada" in client.get("/account").text
        assert client.get("/health", headers={"Host": "evil.example"}).status_code == 421
        assert "server" not in answer.headers

    served.process.send_signal(signal.SIGTERM)
    _, complaints = served.process.communicate(timeout=20)

    assert served.process.returncode == 0
    assert "Traceback" not in complaints


def test_one_address_has_no_more_than_half_of_the_connections(served: Served) -> None:
    held = [served.connection() for _ in range(4)]
    fifth = served.connection()

    # The fifth is ended at once, the others are answered.
    with contextlib.suppress(ConnectionResetError):
        assert fifth.recv(1) == b""
    held[0].sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert held[0].recv(15) == b"HTTP/1.1 200 OK"
    for one in (*held, fifth):
        one.close()


def test_a_head_that_does_not_end_is_not_waited_for(served: Served) -> None:
    with served.connection() as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
        try:
            said = slow.recv(1)  # within 20 s
        except ConnectionResetError:
            said = b""

    assert said == b""


def test_an_address_that_is_taken_is_one_line(served: Served, tmp_path: Path) -> None:
    words = ["serve", "--bind", f"127.0.0.1:{served.port}", "--database", "other.sqlite"]
    done = subprocess.run(
        [sys.executable, "-m", "leadglass", *words], capture_output=True, text=True, cwd=tmp_path, check=False
    )

    assert done.returncode == 3
    assert re.fullmatch(
        r"leadglass: 127\.0\.0\.1:\d+: cannot listen \(.*\); choose another --bind\n", done.stderr
    )


def test_a_renewed_certificate_is_shown_without_a_restart_and_half_of_one_changes_nothing(
    tmp_path: Path,
) -> None:
    first, second = (certificates(tmp_path / name, "127.0.0.1") for name in ("first", "second"))
    (tmp_path / "serve.toml").write_text('[tls]\ncertificate = "shown.pem"\nkey = "shown.key"\n')
    shown, key = tmp_path / "shown.pem", tmp_path / "shown.key"
    shutil.copy(first.server, shown)
    shutil.copy(first.server_key, key)
    served = begun(tmp_path, "--config", "serve.toml", "--database", "store.sqlite")

    def is_shown(papers: Certificates) -> bool:
        seen = ssl.get_server_certificate(("127.0.0.1", served.port))
        return ssl.PEM_cert_to_DER_cert(seen) == ssl.PEM_cert_to_DER_cert(papers.server.read_text())

    assert is_shown(first)
    shutil.copy(second.server, shown)
    assert served.process.stderr is not None
    assert "serving at" in served.process.stderr.readline()
    assert "the certificate stays what it was" in served.process.stderr.readline()
    assert is_shown(first)
    shutil.copy(second.server_key, key)
    assert "the certificate was renewed" in served.process.stderr.readline()
    assert is_shown(second)
    served.process.terminate()
    served.process.communicate(timeout=20)
