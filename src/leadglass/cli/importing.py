"""Reading what other tools found, and saying aloud what of it was not used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from leadglass.cli.terminal import complain
from leadglass.errors import ConfigError
from leadglass.imports.found import Broken, Found
from leadglass.imports.reading import read
from leadglass.imports.within import Tally

__all__ = ["taken"]


@contextmanager
def taken(path: Path) -> Iterator[tuple[Iterator[Found | Broken], Tally]]:
    """What is in the file, and the tally to count it with; what was left out is said at the end."""
    tally = Tally()
    try:
        with path.open("rb") as stream:
            yield read(stream, str(path)), tally
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise ConfigError(f"the file cannot be read ({reason})", where=str(path)) from exc
    _say(path, tally)


def _say(path: Path, tally: Tally) -> None:
    for broken in tally.first_broken:
        complain(f"{path}:{broken.line}: left out: {broken.why}")
    if tally.broken > len(tally.first_broken):
        complain(f"{path}: {tally.broken:,} lines could not be read in all")
    if tally.outside:
        complain(f"{path}: {tally.outside:,} endpoints lie outside the scope and were left out")
