"""Proof of control with a real nameserver and real web servers, from the command line too."""

from __future__ import annotations

import json
import os
import pty
import socket
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.interop.local_servers import Answer, nameserver, raw_server, web_server
from tests.peers.certificates import Certificates

from leadglass.errors import LeadglassError, RemoteProtocolError, ScopeDenied, TransportError
from leadglass.model.endpoint import Endpoint
from leadglass.model.rung import Rung
from leadglass.net.resolve import SystemResolver
from leadglass.net.wellknown import LONGEST, fetch_text
from leadglass.scope.parse import parse
from leadglass.scope.scope import Scope
from leadglass.scope.verify import PATH, Outcome, token
from leadglass.wiring import clock
from leadglass.wiring.names import pinned
from leadglass.wiring.verifying import outcomes

# Addresses of our own on loopback, so that the well-known ports of a scope are free.
FIRST, SECOND = f"127.83.{os.getpid() % 250}.1", f"127.83.{os.getpid() % 250}.2"

HEAD = """\
name = "Example Radiology"
[authorisation]
basis = "owner"
granted_by = "the head of IT"
contact = "security@example.org"
valid_until = 9999-12-31
"""
NAMED = f"""\
[[targets]]
range = "{FIRST}"
ports = [8080, 8443]
[[targets]]
range = "pacs.example.org"
ports = [8080, 8443]
"""


def scope(body: str) -> Scope:
    """A scope in force."""
    return parse(HEAD + body, filename="scope.toml", moment=clock().posix())


def verified(asked: Scope, zone: Mapping[str, Mapping[str, tuple[str, ...]]]) -> list[Outcome]:
    """What is proved, with this zone and whatever servers run."""
    with nameserver(zone) as server:
        resolver = SystemResolver(server.address)
        return list(outcomes(pinned(asked, resolver), resolver))


def txt(asked: Scope) -> Mapping[str, tuple[str, ...]]:
    """The token as a TXT record."""
    return {"TXT": (f'"{token(asked)}"',)}


def test_a_record_in_dns_proves_names_and_ranges() -> None:
    asked = scope(
        '[[targets]]\nrange = "pacs.example.org"\nports = [104]\n[[targets]]\nrange = "192.0.2.0/28"\nports = [104]\n'
    )
    found = verified(
        asked,
        {
            "pacs.example.org": {"A": ("192.0.2.1",)},
            "_leadglass.pacs.example.org": txt(asked),
            "_leadglass.2.0.192.in-addr.arpa": txt(asked),
        },
    )

    assert [outcome.proof for outcome in found] == [
        "TXT at _leadglass.pacs.example.org",
        "TXT at _leadglass.2.0.192.in-addr.arpa",
    ]


def test_a_file_over_http_proves_an_address_and_says_who_asks() -> None:
    asked = scope(NAMED)
    zone = {"pacs.example.org": {"A": (FIRST,)}}
    with web_server((FIRST, 8080), {PATH: Answer(f"{token(asked)}\n".encode())}) as site:
        found = verified(asked, zone)

    assert [outcome.proof for outcome in found] == [
        f"http://{FIRST}:8080{PATH}",
        f"http://pacs.example.org:8080{PATH}",
    ]
    assert [path for path, _ in site.asked] == [PATH, PATH]
    assert [headers["Host"] for _, headers in site.asked] == [f"{FIRST}:8080", "pacs.example.org:8080"]
    assert all("security@example.org" in headers["User-Agent"] for _, headers in site.asked)


def test_a_file_over_https_proves_it_whatever_the_certificate(papers: Certificates) -> None:
    asked = scope(NAMED)
    zone = {"pacs.example.org": {"A": (FIRST,)}}
    pages = {PATH: Answer(token(asked).encode())}
    with web_server((FIRST, 8443), pages, tls=(papers.server, papers.server_key)):
        found = verified(asked, zone)

    assert [outcome.proof for outcome in found] == [
        f"https://{FIRST}:8443{PATH}",
        f"https://pacs.example.org:8443{PATH}",
    ]


def test_the_file_must_be_on_every_address_of_a_name() -> None:
    asked = scope(NAMED + NAMED.partition('[[targets]]\nrange = "pacs')[0].replace(FIRST, SECOND))
    zone = {"pacs.example.org": {"A": (FIRST, SECOND)}}
    pages = {PATH: Answer(token(asked).encode())}
    with web_server((FIRST, 8080), pages):
        alone = verified(asked, zone)
        with web_server((SECOND, 8080), pages):
            together = verified(asked, zone)

    assert [outcome.proof is not None for outcome in alone] == [True, False, False]
    assert [outcome.proof is not None for outcome in together] == [True, True, True]


def test_a_name_that_leads_outside_the_scope_gets_no_packet() -> None:
    asked = scope(NAMED)
    zone = {"pacs.example.org": {"A": (FIRST, SECOND)}}
    with web_server((SECOND, 8080), {PATH: Answer(token(asked).encode())}) as site:
        found = verified(asked, zone)

    assert [outcome.proof for outcome in found] == [None, None]
    assert site.asked == []


def test_outside_the_hours_no_server_is_asked() -> None:
    # A window of one minute, twelve hours from now.
    later = (int(clock().posix()) // 60 + 720) % 1440
    hours = f"{later // 60:02}:{later % 60:02}-{(later + 1) % 1440 // 60:02}:{(later + 1) % 60:02}"
    asked = scope(f'[limits]\nhours = "{hours}"\ntimezone = "UTC"\n' + NAMED)
    with web_server((FIRST, 8080), {PATH: Answer(token(asked).encode())}) as site:
        found = verified(asked, {"pacs.example.org": {"A": (FIRST,)}})

    assert [outcome.proof for outcome in found] == [None, None]
    assert "outside the hours" in found[0].tried[1]
    assert site.asked == []


# ---- one fetch


def fetched(asked: Scope, tls: bool = False, timeout: float = 2.0) -> str:
    """The page at the first address."""
    moment = clock().posix()
    permit = asked.permit(Endpoint(FIRST, 8443 if tls else 8080), Rung.ASSOCIATE, moment)
    return fetch_text(permit, PATH, tls=tls, user_agent="Leadglass/test", moment=moment, timeout=timeout)


def test_a_redirect_is_not_followed() -> None:
    elsewhere = {"Location": f"http://{SECOND}:8080{PATH}"}
    with (
        web_server((FIRST, 8080), {PATH: Answer(b"", 302, elsewhere)}),
        web_server((SECOND, 8080), {PATH: Answer(b"x")}) as other,
        pytest.raises(TransportError, match=r"redirects .302., which is not followed"),
    ):
        fetched(scope(NAMED))
    assert other.asked == []


@pytest.mark.parametrize("status", [204, 401, 404, 500])
def test_only_a_200_counts(status: int) -> None:
    with (
        web_server((FIRST, 8080), {PATH: Answer(b"", status)}),
        pytest.raises(TransportError, match=str(status)),
    ):
        fetched(scope(NAMED))


def test_no_more_is_read_than_a_proof_can_have() -> None:
    with web_server((FIRST, 8080), {PATH: Answer(b"x" * 10_000_000)}):
        assert len(fetched(scope(NAMED))) == LONGEST


def headed(connection: socket.socket, body: bytes) -> None:
    connection.recv(4096)
    connection.sendall(body)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"SSH-2.0-OpenSSH\r\n", RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 100_000, RemoteProtocolError),
        (b"", RemoteProtocolError),
        (b"\x00" * 100, RemoteProtocolError),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100, LeadglassError),
    ],
)
def test_whatever_a_server_says_is_an_answer_or_an_error(answer: bytes, error: type[LeadglassError]) -> None:
    with (
        raw_server((FIRST, 8080), lambda connection: headed(connection, answer)),
        pytest.raises(error) as caught,
    ):
        fetched(scope(NAMED))
    assert "\n" not in str(caught.value)


def test_a_server_that_says_nothing_is_left_in_time() -> None:
    with socket.create_server((FIRST, 8080)), pytest.raises(TransportError):
        fetched(scope(NAMED), timeout=0.2)


def test_a_server_that_drips_is_left_in_time() -> None:
    def drip(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        connection.settimeout(0.05)
        for _ in range(200):
            connection.sendall(b".")
            try:
                if not connection.recv(1):
                    return
            except TimeoutError:
                continue

    with raw_server((FIRST, 8080), drip), pytest.raises(TransportError):
        fetched(scope(NAMED), timeout=0.5)


def test_a_closed_port_and_a_server_without_tls_are_errors() -> None:
    with pytest.raises(TransportError, match=r"no connection .refused."):
        fetched(scope(NAMED))
    with web_server((FIRST, 8443), {}), pytest.raises(TransportError, match="the connection failed"):
        fetched(scope(NAMED), tls=True)


def test_a_permit_that_has_run_out_opens_nothing() -> None:
    moment = clock().posix()
    permit = scope(NAMED).permit(Endpoint(FIRST, 8080), Rung.ASSOCIATE, moment)
    with web_server((FIRST, 8080), {PATH: Answer(b"x")}) as site, pytest.raises(ScopeDenied):
        fetch_text(permit, PATH, tls=False, user_agent="x", moment=permit.valid_until + 1)
    assert site.asked == []


# ---- the command line


def leadglass(*words: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run the command, without a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "leadglass", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=home,
        stdin=subprocess.DEVNULL,
    )


NEW = ("--name", "Example", "--granted-by", "the head of IT", "--contact", "it@example.org")


def test_the_commands_in_a_row_write_show_and_verify(tmp_path: Path) -> None:
    made = leadglass("scope", "new", "scope.toml", *NEW, "--target", FIRST, "--ports", "8080", home=tmp_path)
    assert (made.returncode, made.stderr) == (0, "")
    assert stat.S_IMODE((tmp_path / "scope.toml").stat().st_mode) == 0o600

    shown = leadglass("scope", "show", "scope.toml", "--format", "json", home=tmp_path)
    assert shown.returncode == 0
    assert json.loads(shown.stdout)["endpoints_by_depth"] == {"associate": 1}
    assert "1 endpoint: 1 to associate" in leadglass("scope", "show", "scope.toml", home=tmp_path).stdout

    with nameserver({}) as server:
        words = (
            "scope",
            "verify",
            "scope.toml",
            "--format",
            "json",
            "--nameserver",
            f"127.0.0.1:{server.address[1]}",
        )
        unproved = leadglass(*words, home=tmp_path)
        assert (unproved.returncode, unproved.stderr) == (3, "leadglass: 1 of 1 targets not proved\n")
        wanted = json.loads(unproved.stdout)["token"]
        with web_server((FIRST, 8080), {PATH: Answer(wanted.encode())}):
            proved = leadglass(*words, home=tmp_path)
    assert (proved.returncode, proved.stderr) == (0, "")
    assert json.loads(proved.stdout)["targets"][0]["proof"] == f"http://{FIRST}:8080{PATH}"


def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "scope.toml").write_text("precious")
    refused = leadglass("scope", "new", "scope.toml", *NEW, "--target", FIRST, home=tmp_path)

    assert (refused.returncode, refused.stdout) == (2, "")
    assert "exists already" in refused.stderr
    assert (tmp_path / "scope.toml").read_text() == "precious"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "--name is missing"),
        ((*NEW,), "--target is missing"),
        ((*NEW, "--target", "192.0.2.1/24"), "host bits set"),
        ((*NEW, "--target", "192.0.2.1", "--ports", "0"), "port 0"),
        ((*NEW, "--target", "192.0.2.1", "--deepest", "deep"), "no rung is called"),
        ((*NEW, "--target", "192.0.2.1", "--deepest", "sample"), "needs the owner's written authorisation"),
        (
            (*NEW, "--target", "192.0.2.1", "--basis", "research", "--deepest", "blank-query"),
            "contradicts the basis",
        ),
        ((*NEW, "--target", "192.0.2.1", "--valid-until", "tomorrow"), "no date"),
        ((*NEW, "--target", "192.0.2.1", "--valid-until", "2020-01-01"), "the authorisation ended"),
        ((*NEW, "--target", "224.0.0.1"), "holds no hosts"),
    ],
)
def test_what_would_be_no_valid_scope_is_not_written(
    tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    refused = leadglass("scope", "new", "scope.toml", *words, home=tmp_path)

    assert (refused.returncode, refused.stdout) == (2, "")
    assert says in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_takes_no_file_is_one_line(tmp_path: Path) -> None:
    refused = leadglass("scope", "new", "missing/scope.toml", *NEW, "--target", FIRST, home=tmp_path)

    assert (refused.returncode, refused.stderr) == (
        3,
        "leadglass: missing/scope.toml: cannot be written (no such file or directory)\n",
    )


def test_a_wrong_scope_is_one_line_that_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "scope.toml").write_text(HEAD + '[[targets]]\nrange = "192.0.2.0/28"\nport = [104]\n')
    for command in ("show", "verify"):
        refused = leadglass("scope", command, "scope.toml", home=tmp_path)

        assert (refused.returncode, refused.stdout) == (2, "")
        assert refused.stderr == "leadglass: scope.toml, line 9: unknown key 'port'; did you mean 'ports'?\n"


@pytest.mark.parametrize("where", ["somewhere", "192.0.2.53:0", "192.0.2.53:x", "[::1", "1:2:3"])
def test_a_nameserver_must_be_an_address(tmp_path: Path, where: str) -> None:
    (tmp_path / "scope.toml").write_text(HEAD + NAMED)
    refused = leadglass("scope", "verify", "scope.toml", "--nameserver", where, home=tmp_path)

    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)


def test_in_a_terminal_what_is_missing_is_asked_and_asked_again(tmp_path: Path) -> None:
    answers = [
        "Example",
        "the head of IT",
        "it@example.org",
        "-",
        "tomorrow",
        "",
        "192.0.2.1/24",
        "192.0.2.1, pacs.example.org",
    ]
    master, slave = pty.openpty()
    try:
        os.write(master, "".join(f"{answer}\n" for answer in answers).encode())
        done = subprocess.run(
            [sys.executable, "-m", "leadglass", "scope", "new"],
            stdin=slave,
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            timeout=30,
        )
    finally:
        os.close(slave)
        os.close(master)

    assert done.returncode == 0, done.stderr
    assert "'tomorrow' is no date" in done.stderr
    assert "host bits set" in done.stderr
    made = parse((tmp_path / "scope.toml").read_text(), filename="x", moment=clock().posix())
    assert [str(rule.range) for rule in made.rules] == ["192.0.2.1/32", "pacs.example.org"]
    assert made.authorisation.reference is None


def test_leaving_the_questions_writes_nothing(tmp_path: Path) -> None:
    master, slave = pty.openpty()
    try:
        os.write(master, b"Example\n\x04")
        done = subprocess.run(
            [sys.executable, "-m", "leadglass", "scope", "new"],
            stdin=slave,
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            timeout=30,
        )
    finally:
        os.close(slave)
        os.close(master)

    assert done.returncode == 130
    assert list(tmp_path.iterdir()) == []
