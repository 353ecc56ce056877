# Any text: a reading or ConfigError; never another exception, never unbounded memory or time. Proposed changes fit.
"""Configurations of DCMTK, Conquest and dcm4chee-arc, and the scripts and units that start such servers.

Input: a byte for the reader (or all, by what the file holds), then the file.
"""

from __future__ import annotations

from pathlib import Path

import atheris

with atheris.instrument_imports(include=["leadglass.configs", "leadglass.errors"]):
    from leadglass.configs.conquest.readers import READERS as CONQUEST
    from leadglass.configs.dcm4chee.readers import READERS as DCM4CHEE
    from leadglass.configs.dcmtk.readers import READERS as DCMTK
    from leadglass.configs.source import Source, decoded, edited

# A script finds its neighbours in its own folder; mypy counts modules from the root.
from harness import run  # type: ignore[import-not-found]

from leadglass.configs.kinds import Reader
from leadglass.errors import ConfigError

READERS: tuple[Reader, ...] = (*DCMTK, *CONQUEST, *DCM4CHEE)
FIXTURES = Path(__file__).parents[1] / "tests" / "fixtures" / "configs"
FOLDERS = ("dcmtk", "conquest", "dcm4chee")


def one_line(refusal: ConfigError) -> None:
    """All that a user reads of it."""
    assert "\n" not in str(refusal)


def judged(reader: Reader, source: Source) -> None:
    """Read it, and make the changes that are proposed."""
    try:
        reading = reader.read(source, {"PORT": None})
    except ConfigError as refusal:
        one_line(refusal)
        return
    names = [listener.name for listener in reading.listeners]
    assert len(set(names)) == len(names)
    assert all(found.listener in {None, *names} and found.says.isprintable() for found in reading.findings)
    edited(source.text, [edit for found in reading.findings for edit in found.edits])


def target(data: bytes) -> None:
    """What the fuzzer calls."""
    if not data:
        return
    try:
        source = decoded("file.sh", data[1:])
    except ConfigError:
        return
    number = data[0] % (len(READERS) + 1)
    told = [reader for reader in READERS if reader.recognises(source)]
    for reader in told if number == len(READERS) else [READERS[number]]:
        judged(reader, source)


def seeds() -> list[bytes]:
    """Each fixture, for the reader that it is for and for all."""
    files = [path.read_bytes() for folder in FOLDERS for path in sorted((FIXTURES / folder).iterdir())]
    return [bytes((door,)) + data for data in files for door in range(len(READERS) + 1)]


if __name__ == "__main__":
    run(target, seeds())
