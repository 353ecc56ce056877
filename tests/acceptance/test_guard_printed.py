"""What the guard prints for its clients, its archive and its firewall works as it is printed."""

from __future__ import annotations

import contextlib
import json
import shlex
import socket
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import typer.main
from tests.acceptance.guards import CT, INIT, Guard
from tests.peers import netns
from tests.peers.orthanc import WITHOUT_PLUGINS, orthanc
from tests.peers.places import LOOPBACK, Place, free_port
from tests.peers.running import running

from leadglass.cli import app


@contextlib.contextmanager
def doorkeeper(guard: Guard, home: Path) -> Iterator[int]:
    """A DICOM server with the guard's own certificate, that takes none but enrolled clients."""
    port = free_port(LOOPBACK)
    papers: list[str | Path] = [
        "+tls",
        guard.folder / "server.key",
        guard.folder / "server.pem",
        "+cf",
        guard.folder / "ca.pem",
    ]
    words = ["storescp", "--output-directory", home, *papers, "-rc", str(port)]
    with running(LOOPBACK, words, product="storescp", version="", ports={"dicom": port}, home=home):
        guard.listen_on(port)
        yield port


def line_of(text: str, program: str) -> list[str]:
    return next(shlex.split(line) for line in text.splitlines() if line.startswith(f"{program} "))


@pytest.mark.peer("dcmtk")
@pytest.mark.parametrize("keys", [(), ("--rsa",)], ids=["p256", "rsa"])
def test_the_lines_for_dcmtk_work_and_only_with_their_papers(tmp_path: Path, keys: Sequence[str]) -> None:
    guard = Guard(tmp_path)
    guard(*INIT, *keys)
    home = tmp_path / "home"
    home.mkdir()
    with doorkeeper(guard, home):
        words = line_of(guard(*CT).stdout, "echoscu")
        folder = guard.folder / "enrolled" / "ct-1"
        let_in = subprocess.run(words, cwd=folder, capture_output=True, timeout=30, check=False)
        assert let_in.returncode == 0, let_in.stderr

        other = Guard(tmp_path / "other")
        other.around.mkdir()
        other(*INIT)
        other(*CT)
        stranger = other.folder / "enrolled" / "ct-1"
        (stranger / "ca.pem").write_bytes((folder / "ca.pem").read_bytes())
        refused = subprocess.run(words, cwd=stranger, capture_output=True, timeout=30, check=False)
        assert refused.returncode != 0
        assert b"Association Request Failed" in refused.stderr


@pytest.mark.peer("dcmtk")
def test_a_device_that_listens_is_reached_by_the_guard_alone(guard: Guard, tmp_path: Path) -> None:
    port = free_port(LOOPBACK)
    words = ("--ae", "WS3", "--from", "127.0.0.1", "--role", "radiologist", "--listens", f"localhost:{port}")
    printed = guard("enrol", "ws-3", "--kind", "service", *words).stdout
    folder = guard.folder / "enrolled" / "ws-3"
    calling = ["echoscu", "+tls", "server.key", "server.pem", "+cf", "ca.pem", "localhost", str(port)]
    stranger = ["echoscu", "+tla", "+cf", "ca.pem", "localhost", str(port)]
    listening = line_of(printed, "storescp")
    with running(LOOPBACK, listening, product="storescp", version="", ports={"dicom": port}, home=folder):
        by_guard = subprocess.run(calling, cwd=guard.folder, capture_output=True, timeout=30, check=False)
        by_other = subprocess.run(stranger, cwd=guard.folder, capture_output=True, timeout=30, check=False)

    assert by_guard.returncode == 0, by_guard.stderr
    assert by_other.returncode != 0
    assert b"Association Request Failed" in by_other.stderr


@pytest.mark.peer("dcmtk", "orthanc")
def test_orthanc_takes_what_is_printed_for_it(guard: Guard, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with doorkeeper(guard, home):
        printed = guard(*CT).stdout
        options = json.loads(printed[printed.index("{\n") : printed.index("\n}\n") + 2])
        folder = guard.folder / "enrolled" / "ct-1"
        files = {
            key: str(folder / value)
            for key, value in options.items()
            if str(value).startswith(("ct-1", "ca"))
        }
        http, dicom = free_port(LOOPBACK), free_port(LOOPBACK)
        with orthanc(
            LOOPBACK, tmp_path / "orthanc", {**options, **files, **WITHOUT_PLUGINS}, http=http, dicom=dicom
        ):
            url = f"http://127.0.0.1:{http}/modalities/guard/echo"
            asked = ["curl", "--silent", "--show-error", "--fail", "--data", "{}", url]
            done = subprocess.run(asked, capture_output=True, text=True, timeout=30, check=False)

    assert done.returncode == 0, done.stderr


@pytest.mark.peer("openssl")
def test_the_line_for_a_java_key_store_makes_one(guard: Guard) -> None:
    words = line_of(guard(*CT).stdout, "openssl")
    folder = guard.folder / "enrolled" / "ct-1"
    made = subprocess.run(
        [*words, "-passout", "pass:x"], cwd=folder, capture_output=True, timeout=30, check=False
    )
    assert made.returncode == 0, made.stderr

    shown = subprocess.run(
        ["openssl", "pkcs12", "-in", "ct-1.p12", "-passin", "pass:x", "-nodes"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert "friendlyName: ct-1" in shown.stdout
    assert shown.stdout.count("BEGIN CERTIFICATE") == 2


def test_the_line_for_the_edge_is_one_that_it_takes(settled: Guard) -> None:
    printed = (settled.folder / "enrolled" / "ct-1" / "configuration.txt").read_text()
    group = typer.main.get_command(app())
    for word in ("guard", "edge"):
        group = group.commands[word]  # type: ignore[attr-defined]  # it is a group
    context = group.make_context("edge", line_of(printed, "leadglass")[3:])

    assert context.params["guard"] == "localhost:2762"
    assert context.params["device"] == ["DEVICE-ADDRESS"]


# ---- the firewall


@pytest.mark.root
@pytest.mark.peer("nft")
def test_the_printed_rules_leave_the_archives_port_to_its_own_machine(guard: Guard) -> None:
    rules = guard("firewall").stdout
    with netns.namespace_pair() as pair, serving(pair.server, 4242):
        assert knock(pair.scanner, pair.server.address, 4242) == "open"
        for _ in range(2):
            pair.server.must(["nft", "-f", "-"], input=rules, stdin=None)

        assert knock(pair.scanner, pair.server.address, 4242) == "closed"
        assert knock(pair.server, pair.server.address, 4242) == "open"
        assert knock(pair.server, "127.0.0.1", 4242) == "open"


@pytest.mark.root
@pytest.mark.peer("nft")
def test_the_printed_rules_let_a_guard_on_another_machine_through(tmp_path: Path) -> None:
    guard = Guard(tmp_path)
    guard(*INIT, "--archive", f"{netns.SERVER}:4242")
    assert "say so with --guard ADDRESS" in guard("firewall", code=2).stderr
    with netns.namespace_pair() as pair, serving(pair.server, 4242):
        for address, found in (("192.0.2.1", "closed"), (netns.SCANNER, "open")):
            rules = guard("firewall", "--guard", address).stdout
            pair.server.must(["nft", "-f", "-"], input=rules, stdin=None)
            assert knock(pair.scanner, pair.server.address, 4242) == found


@contextlib.contextmanager
def serving(place: Place, port: int) -> Iterator[None]:
    with place.inside():
        listener = socket.create_server(("0.0.0.0", port))
    with listener:
        yield


def knock(place: Place, address: str, port: int) -> str:
    with place.inside(), socket.socket() as knocking:
        knocking.settimeout(5)
        try:
            knocking.connect((address, port))
        except ConnectionRefusedError:
            return "closed"
    return "open"
