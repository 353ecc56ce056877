"""The dashboard over a real SQLite store, without a socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.peers.dashboard import Dashboard
from tests.peers.dashboard import dashboard as made


@pytest.fixture
def dashboard(tmp_path: Path) -> Iterator[Dashboard]:
    """One that nobody has an account at yet."""
    with made(tmp_path) as one:
        yield one
