"""nmap itself writes the file: what it saw open on loopback is what is read out of it."""

from __future__ import annotations

import gzip
import io
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from leadglass.imports.reading import Found, Kind, detect, read

pytestmark = pytest.mark.peer("nmap")


@pytest.fixture
def ports() -> Iterator[tuple[list[int], int]]:
    """Two ports of 127.0.0.1 that listen, and one that is held and does not."""
    with ExitStack() as held:
        bound = [held.enter_context(socket.socket()) for _ in range(3)]
        for one in bound:
            one.bind(("127.0.0.1", 0))
        for one in bound[:2]:
            one.listen()
        first, second, closed = (one.getsockname()[1] for one in bound)
        yield sorted((first, second)), closed


def nmap(*words: str) -> bytes:
    """The XML of plain connections, without a look-up."""
    command = ["nmap", "-sT", "-Pn", "-n", *words, "-oX", "-", "127.0.0.1"]
    return subprocess.run(command, capture_output=True, check=True, timeout=60).stdout


@pytest.mark.parametrize("more", [[], ["-v"], ["--script", "banner"]], ids=["plain", "verbose", "scripts"])
def test_what_nmap_saw_open_is_read_and_nothing_else(ports: tuple[list[int], int], more: list[str]) -> None:
    listening, closed = ports
    written = nmap("-p", ",".join(map(str, (*listening, closed))), *more)
    expected = [Found("127.0.0.1", port, None) for port in listening]

    assert detect(written) is Kind.NMAP_XML
    assert list(read(io.BytesIO(written), "nmap")) == expected
    assert list(read(io.BytesIO(gzip.compress(written)), "nmap")) == expected
