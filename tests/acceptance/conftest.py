"""The installed command keeps scans in a database: not in that of whoever runs the tests."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "data" / "scans.sqlite"
    monkeypatch.setenv("LEADGLASS_DATABASE", str(path))
    return path
