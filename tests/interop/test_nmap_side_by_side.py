"""What nmap says of the same servers: the half of docs/explanation/nmap-side-by-side.md that nmap speaks.

The titles that dicom-brute guesses go to servers that this test has started itself, and nowhere else.
"""

from __future__ import annotations

import pytest
from tests.interop.servers import SERVERS, Stage
from tests.peers import heartbeat, looking, netns
from tests.peers.running import Peer

PAGE = looking.ROOT / "docs" / "explanation" / "nmap-side-by-side.md"

ANY = "Any AET is accepted (Insecure)"
CHECKED = "Called AET check enabled"
FAILED = "ERROR: Script execution failed"
SILENT = "nothing"

# What dicom-ping of nmap 7.93 says, where it looks by default. (At redis it takes half a minute to say nothing.)
PING = {
    "orthanc-default": ANY,
    "orthanc-find": ANY,
    "orthanc-title": CHECKED,
    "orthanc-tls": FAILED,
    "dcmqrscp-stranger": CHECKED,
    "storescp": ANY,
    "storescp-tls-required": FAILED,
    "storescp-tls-ignored": FAILED,
    "pynetdicom-echoscp": ANY,
    "pynetdicom-qrscp": ANY,
    "nginx-front-tls12": FAILED,
    "nginx-front-tls13": FAILED,
    "nginx-web": SILENT,
    "sshd": SILENT,
    "postgresql": FAILED,
}


def _is_row(line: str) -> bool:
    return line.startswith("| `")


def _row(name: str) -> str:
    """The row of the page for a server, by the name it has in the table of servers."""
    return next(line for line in PAGE.read_text().splitlines() if line.startswith(f"| `{name}` "))


def _rows(*names: str) -> list[object]:
    return [
        pytest.param(name, marks=[pytest.mark.peer(peer) for peer in SERVERS[name].peers]) for name in names
    ]


def _nmap(pair: netns.Pair, peer: Peer, port: str, scripts: str) -> str:
    limits = ["--script-args", "unpwdb.timelimit=20s"]
    target = ["-p", str(peer.ports[port]), peer.host]
    return pair.scanner.must(["nmap", "-Pn", "-n", "--script", scripts, *limits, *target], timeout=200)


@pytest.mark.root
@pytest.mark.peer("nmap")
@pytest.mark.parametrize("name", _rows(*PING))
def test_dicom_ping_says_what_the_page_says_that_it_says(pair: netns.Pair, stage: Stage, name: str) -> None:
    server = SERVERS[name]
    with server.start(stage) as peer:
        told = _nmap(pair, peer, server.port, "dicom-ping")

    assert (PING[name] in told) if PING[name] != SILENT else ("dicom-ping" not in told)
    assert PING[name] in _row(name)


@pytest.mark.parametrize(
    "name", [line.split("`")[1] for line in PAGE.read_text().splitlines() if _is_row(line)]
)
def test_the_page_gives_leadglass_the_words_that_the_servers_give_it(name: str) -> None:
    row = _row(name)

    (word,) = {word.strip("`,:") for word in row.split("|")[5].split() if word.startswith("`")}
    assert word in SERVERS[name].rungs["blank-query"].words


@pytest.mark.deep
@pytest.mark.root
@pytest.mark.peer("nmap")
@pytest.mark.parametrize("name", _rows("orthanc-title"))
def test_dicom_brute_keeps_an_ordinary_client_waiting(pair: netns.Pair, stage: Stage, name: str) -> None:
    with SERVERS[name].start(stage) as peer, heartbeat.heartbeat(pair.scanner, peer, "ORTHANC") as heart:
        told = _nmap(pair, peer, "dicom", "dicom-brute")

    assert "No valid accounts found" in told
    assert heart.slowest > 20
