"""A guard to set up, and the command line called around it."""

from __future__ import annotations

import contextlib
import io
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from leadglass.cli import main
from leadglass.settings.guard import GuardSettings
from leadglass.settings.guard_file import read_guard
from leadglass.store.database import Database, open_database

__all__ = ["CT", "INIT", "Done", "Guard"]

INIT = ("init", "--archive", "127.0.0.1:4242", "--title", "ORTHANC", "--host", "localhost", "--yes")
CT = ("enrol", "ct-1", "--ae", "CT1", "--from", "127.0.0.1", "--role", "modality", "--modality", "CT")


class Done(NamedTuple):
    """What a command said."""

    stdout: str
    stderr: str


class Guard:
    """A guard's folder, and the command line called in the folder around it.

    The command is called in this process, because there are many calls; those that start the installed
    program show that it is the same.
    """

    def __init__(self, around: Path) -> None:
        self.around = around
        self.folder = around / "guard"

    def __call__(self, *words: str, code: int = 0, typed: str = "") -> Done:
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.around)
            patch.setattr("sys.stdin", io.StringIO(typed))
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                returned = main(["guard", *words])
        assert returned == code, err.getvalue()
        return Done(out.getvalue(), err.getvalue())

    def settings(self) -> GuardSettings:
        text = (self.folder / "guard.toml").read_text()
        return read_guard(text, filename="guard.toml", folder=str(self.folder))

    def listen_on(self, port: int) -> None:
        file = self.folder / "guard.toml"
        file.write_text(file.read_text().replace('"0.0.0.0:2762"', f'"0.0.0.0:{port}"'))

    def database(self) -> Database:
        return open_database(str(self.folder / "guard.sqlite"), time.time)
