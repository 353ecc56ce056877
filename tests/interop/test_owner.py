"""``leadglass owner`` with a nameserver and a registry of its own, and nobody else asked."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.interop.local_servers import Zone, nameserver
from tests.peers import looking
from tests.peers.places import LOOPBACK

ADDRESS = "192.88.99.7"
"""Of a range that is out of use (RFC 7526): registries are not asked for addresses of documentation."""
ZONE: Zone = {
    "7.99.88.192.in-addr.arpa": {"PTR": ("pacs.waldsee.example.",)},
    "pacs.waldsee.example": {"A": (ADDRESS,)},
}
VCARD = ["vcard", [["version", {}, "text", "4.0"], ["fn", {}, "text", "Waldsee Radiology"]]]
ABUSE = ["vcard", [["fn", {}, "text", "Abuse desk"], ["email", {}, "text", "abuse@provider.example"]]]
NETWORK = {
    "objectClassName": "ip network",
    "handle": "NET-WALDSEE",
    "startAddress": "192.88.99.0",
    "endAddress": "192.88.99.255",
    "cidr0_cidrs": [{"v4prefix": "192.88.99.0", "length": 24}],
    "ipVersion": "v4",
    "name": "WALDSEE",
    "country": "DE",
    "events": [{"eventAction": "last changed", "eventDate": "2026-02-03T00:00:00Z"}],
    "entities": [
        {"objectClassName": "entity", "handle": "W1", "roles": ["registrant"], "vcardArray": VCARD},
        {"objectClassName": "entity", "handle": "A1", "roles": ["abuse"], "vcardArray": ABUSE},
    ],
}


class Registry(BaseHTTPRequestHandler):
    """Answers every question about a network with ``answer``."""

    answer: bytes = json.dumps(NETWORK).encode()
    status = 200
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(self.status)
        self.send_header("Content-Type", "application/rdap+json")
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(self.answer)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@contextlib.contextmanager
def registry(home: Path, **how: Any) -> Iterator[tuple[Path, list[str]]]:
    """A registry on loopback; the bootstrap file that names it, and what it was asked."""
    asked: list[str] = []
    handler = type("Handler", (Registry,), {"asked": asked, **how})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    urls = [f"http://127.0.0.1:{server.server_port}/"]
    file = home / "bootstrap.json"
    services = {"ipv4": "0.0.0.0/0", "ipv6": "::/0", "asn": "1-4294967295", "dns": "example"}
    rows: dict[str, Any] = {name: {"services": [[[what], urls]]} for name, what in services.items()}
    rows["object"] = {"services": [[["x@example.org"], ["EX"], urls]]}
    file.write_text(json.dumps(rows))
    try:
        yield file, asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def owner(home: Path, *words: str | Path) -> Any:
    done = looking.leadglass(LOOPBACK, ["owner", ADDRESS, *words], home)
    assert "Traceback" not in done.stderr
    return done


def test_names_registry_and_certificate_are_weighed_and_the_registry_is_asked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    with nameserver(ZONE) as names, registry(tmp_path) as (bootstrap, asked):
        host, port = names.address
        words = ["--ask", "dns", "--ask", "rdap", "--nameserver", f"{host}:{port}", "--plain"]
        said = [owner(tmp_path, *words, "--bootstrap", bootstrap, "--format", "json") for _ in range(2)]
        text = owner(tmp_path, *words, "--bootstrap", bootstrap).stdout

    found = json.loads(said[0].stdout)
    assert [done.returncode for done in said] == [0, 0]
    assert said[0].stdout == said[1].stdout
    assert asked == ["/ip/192.88.99.7"]
    assert (tmp_path / "data" / "leadglass" / "registries.json").stat().st_mode & 0o777 == 0o600
    assert found["country"] == "DE"
    assert found["candidates"][0]["agreement"] == 0.8
    assert {clue["source"] for clue in found["candidates"][0]["clues"]} == {"registry", "confirmed-name"}
    assert [one["way"] for one in found["contacts"]] == ["abuse", "csirt"]
    assert "Waldsee Radiology: confirmed-name, registry agree, and so does geography (DE)" in " ".join(
        text.split()
    )


def test_nobody_is_asked_who_was_not_named(tmp_path: Path) -> None:
    with nameserver(ZONE) as names:
        done = owner(tmp_path, "--nameserver", "{}:{}".format(*names.address))

        assert names.asked == []
    assert done.returncode == 3
    assert "nothing that was asked names anybody" in done.stdout


@pytest.mark.parametrize(
    "how",
    [
        {"answer": b"{" * 100_000},
        {"answer": b"[]"},
        {"answer": b"null"},
        {"answer": b'{"entities": 7, "country": ["x"]}'},
        {"answer": b" " * (2 << 20)},
        {"status": 500},
        {"status": 404},
        {"status": 429},
    ],
    ids=["nesting", "list", "null", "types", "size", "500", "404", "429"],
)
def test_a_registry_that_answers_nonsense_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: dict[str, Any]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    with registry(tmp_path, **how) as (bootstrap, asked):
        done = owner(tmp_path, "--ask", "rdap", "--plain", "--bootstrap", bootstrap)

        assert asked

    assert done.returncode == 3
    assert len(done.stderr.splitlines()) <= 1


@pytest.mark.parametrize(
    "words", [("--bootstrap", "missing.json", "--ask", "rdap"), ("--mmdb", "missing.mmdb")]
)
def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = owner(tmp_path, *words)

    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
