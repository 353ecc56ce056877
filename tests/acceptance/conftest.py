"""The installed command keeps scans in a database: not in that of whoever runs the tests."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import pytest
from tests.acceptance.guards import CT, INIT, Guard


@pytest.fixture(autouse=True)
def own_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "data" / "scans.sqlite"
    monkeypatch.setenv("LEADGLASS_DATABASE", str(path))
    return path


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture(scope="session")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Guard:
    """A guard with one device. It is for looking at, and for what is refused."""
    made = Guard(tmp_path_factory.mktemp("settled"))
    made(*INIT)
    made(*CT)
    return made


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a guard that nobody has touched since it was set up."""
    made = Guard(tmp_path_factory.mktemp("fresh"))
    made(*INIT)
    return made.folder


@pytest.fixture
def guard(fresh: Path, tmp_path: Path) -> Guard:
    """A guard that has just been set up."""
    shutil.copytree(fresh, tmp_path / "guard")
    return Guard(tmp_path)
