"""The baseline of a lint: read, held against today, and written."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterable
from pathlib import Path, PurePath

from leadglass import wiring
from leadglass.configs.accepting import Weighed, accepting, weighed
from leadglass.errors import ConfigError
from leadglass.model.finding import Finding
from leadglass.settings.baseline_file import AcceptedTable, baseline_text, read_baseline
from leadglass.wiring.guard_files import put, read_file

__all__ = ["Baseline", "today"]


def today() -> dt.date:
    """The day, in UTC."""
    return dt.datetime.fromtimestamp(wiring.clock().posix(), dt.UTC).date()


class Baseline:
    """A baseline file. The paths in it are seen from its folder, so that it holds wherever that is checked out."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.accepted: tuple[AcceptedTable, ...] = ()
        self._name = _from(path)

    def read(self) -> None:
        """Take in the file; ``ConfigError`` if it cannot be used."""
        try:
            text = read_file(self.path).decode()
        except UnicodeDecodeError:
            raise ConfigError("this is not a UTF-8 text file", where=str(self.path)) from None
        self.accepted = read_baseline(text, str(self.path))

    def weigh(self, findings: tuple[Finding, ...]) -> Weighed:
        """The findings without those that somebody answers for today."""
        return weighed(findings, self.accepted, today(), self._name)

    def write(self, findings: Iterable[Finding], owner: str, reason: str, expires: dt.date) -> int:
        """Accept ``findings`` beside what is accepted and has not expired; how many are in the file then."""
        kept = {(one.rule, one.path, one.option): one for one in self.accepted if one.expires >= today()}
        new = accepting(findings, owner, reason, expires, self._name)
        everything = [*kept.values(), *(one for one in new if (one.rule, one.path, one.option) not in kept)]
        put(self.path, baseline_text(everything).encode())
        return len(everything)


def _from(baseline: Path) -> Callable[[str], str]:
    """Tells a path as seen from the folder of the baseline."""
    folder = Path(os.path.normpath(baseline.absolute())).parent

    def name(path: str) -> str:
        return PurePath(os.path.relpath(path, folder)).as_posix()

    return name
