"""What ``leadglass worker`` refuses before it does anything."""

from __future__ import annotations

import pytest

from leadglass import cli

DATABASE = ["--database", "postgresql://nobody@192.0.2.1/leadglass"]


@pytest.mark.parametrize("name", ["", "x" * 65, "two\nlines", "bell\a", "\udcff"])
def test_a_name_that_cannot_be_shown_is_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["worker", *DATABASE, "--vantage", name]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert "give 1 to 64 printable characters" in line


def test_a_file_is_refused_and_not_made(
    tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path_factory.mktemp("data") / "scans.sqlite"

    assert cli.main(["worker", "--database", str(path), "--vantage", "berlin"]) == 2

    assert "a file cannot be shared by many machines" in capsys.readouterr().err
    assert not path.exists()
