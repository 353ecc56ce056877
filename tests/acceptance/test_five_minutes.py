"""A newcomer's way, as its page has it: every command and file of it, against a dashboard that really serves."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.test_command import command, open_archive, server
from tests.peers.newcomer import Newcomer
from tests.peers.places import LOOPBACK, free_port

MOST = 120.0
"""Seconds, of the five minutes, for all but the installation; it takes a few."""


def test_a_newcomer_sees_the_own_server_and_holds_its_dossier(tmp_path: Path) -> None:
    newcomer = Newcomer(command(), tmp_path, free_port(LOOPBACK))
    with server(open_archive, port=11112):
        seen, dossier = newcomer.go()

    assert "answers-query" in seen
    assert dossier.startswith(b"%PDF-")
    assert sum(newcomer.seconds.values()) < MOST, newcomer.seconds
