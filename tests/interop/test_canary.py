"""No patient leaves an archive through Leadglass: not into a report, a message, a file, or a packet of its own.

The patients cannot be guessed, the archives answer whoever asks for them (``test_peers_servers.py``
shows that they do), and core files may be written. What the archives themselves send is theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from tests.peers import canary, capture, looking, netns, orthanc, planted
from tests.peers.running import Peer

pytestmark = [pytest.mark.root, pytest.mark.peer("tcpdump")]

LOOKS = [
    *((rung, "jsonl") for rung in looking.RUNGS),
    *(("blank-query", form) for form in ("text", "csv", "html", "sarif")),
]
STUDY_ROOT_FIND = b"1.2.840.10008.5.1.4.1.2.2.1"
OPEN = {**orthanc.FIND_ALLOWED, **orthanc.REMOTE_WITHOUT_LOGIN}


@contextmanager
def _archive(name: str, pair: netns.Pair, home: Path, canaries: canary.Canaries) -> Iterator[Peer]:
    if name == "orthanc":
        with planted.orthanc_archive(pair.server, home, canaries, OPEN) as peer:
            yield peer
    else:
        with planted.ARCHIVES[name](pair.server, home, canaries) as peer:
            yield peer


def _ends(done: CompletedProcess[str]) -> list[tuple[str, str]]:
    return [("stdout", done.stdout), ("stderr", done.stderr)]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.peer(name)) for name in planted.ARCHIVES]
)
def test_no_planted_patient_is_in_anything_that_leadglass_says_writes_or_sends(
    pair: netns.Pair, tmp_path: Path, canaries: canary.Canaries, name: str
) -> None:
    cwd = tmp_path / "cwd"
    cwd.mkdir()
    said: list[tuple[str, bytes]] = []
    with (
        _archive(name, pair, tmp_path / "archive", canaries) as peer,
        capture.capture(pair.scanner, tmp_path / "sent.pcap") as sent,
    ):
        targets = [f"{peer.host}:{port}" for port in peer.ports.values()]
        for rung, form in LOOKS:
            words = ["check", *targets, *looking.AUTHORISED, "--called-ae", "ARCHIVE", "--deepest", rung]
            report = cwd / f"{rung}.{form}"
            done = looking.leadglass(pair.scanner, [*words, "--format", form, "--output", report], cwd)
            said += [(f"{report.name} {end}", text.encode()) for end, text in _ends(done)]
            assert report.stat().st_size > 0
    streams = [(stream.destination, stream.payload) for stream in sent.streams()]

    assert any(STUDY_ROOT_FIND in payload for _, payload in streams), "nothing was asked"
    assert b"answers-query" in (cwd / "blank-query.jsonl").read_bytes(), "nothing was answered"
    assert canaries.find(cwd, sent.path, *said, *streams) == []


def test_a_query_for_a_patient_would_be_caught_in_the_packets(
    pair: netns.Pair, tmp_path: Path, canaries: canary.Canaries
) -> None:
    with (
        planted.qrscp(pair.server, tmp_path / "archive", canaries) as peer,
        capture.capture(pair.scanner, tmp_path / "sent.pcap") as sent,
    ):
        words = [
            "findscu",
            "--study",
            "-k",
            "0008,0052=STUDY",
            "-k",
            f"0010,0010={canaries.patients[0].name}",
        ]
        pair.scanner.run([*words, peer.host, str(peer.port)])

    assert canaries.find(sent.path)
