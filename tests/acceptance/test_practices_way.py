"""The pages that lead a practice, typed line by line where there is such a practice: a network of our own."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests.peers.dcmtk import storescp
from tests.peers.netns import Pair, namespace_pair
from tests.source import ROOT

INSTALLING = ("python3 -m venv", ".venv/bin/pip", ". .venv/bin/activate")
ELSEWHERE = {"leadglass demo": "tests/acceptance/test_demo.py"}
"""Commands that another test runs."""

ENDS: Mapping[str, Mapping[str, tuple[int, ...]]] = {
    "tutorial/a-practices-way.md": {
        "check": (1,),
        "scan --scope": (1, 0),  # exposed, and then closed
        "scan diff": (0,),
        "register check": (1,),
    },
    "howto/look-from-outside.md": {"scope verify": (3,), "scan --scope": (1, 1)},
}
"""How each command ends, time after time, where that is not with 0."""

pytestmark = [pytest.mark.root, pytest.mark.peer("dcmtk"), pytest.mark.peer("ip")]


@pytest.fixture
def practice() -> Iterator[Pair]:
    """An archive inside, the practice's line outside, a nameserver that does not answer: all on one machine."""
    with namespace_pair() as pair:
        for address in ("192.168.1.20", "192.0.2.7", "192.0.2.53", "2001:db8:7::20"):
            pair.add_address(address)
        yield pair


def lines(page: str) -> Iterator[str]:
    """What is typed, line by line."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    for block in re.findall(r"^ *```sh\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL):
        for line in filter(None, map(str.strip, block.splitlines())):
            if not line.startswith(INSTALLING) and line not in ELSEWHERE:
                yield line


@pytest.mark.parametrize("page", ENDS)
def test_each_line_of_the_page_does_what_it_says(practice: Pair, page: str, tmp_path: Path) -> None:
    environment = {**os.environ, "LEADGLASS_DATABASE": str(tmp_path / "scans.sqlite"), "LEADGLASS_BY": "ada"}
    ends = {words: list(codes) for words, codes in ENDS[page].items()}
    with contextlib.ExitStack() as running:
        running.enter_context(storescp(practice.server, tmp_path / "archive", port=104))
        for line in lines(page):
            assert line.startswith("leadglass "), line
            if line == "leadglass register risk":
                running.close()  # after this the supplier has closed it
            codes = next((left for words, left in ends.items() if f"leadglass {words}" in line), [0])
            done = practice.scanner.run(
                [sys.executable, "-m", "leadglass", *shlex.split(line)[1:]], cwd=tmp_path, env=environment
            )
            assert done.returncode == (codes.pop(0) if len(codes) > 1 else codes[0]), f"{line}\n{done.stderr}"

    written = {path.name for path in tmp_path.iterdir()}
    named = set(re.findall(r"--(?:output|zip) (\S+)", "\n".join(lines(page))))
    assert named - written == set()
