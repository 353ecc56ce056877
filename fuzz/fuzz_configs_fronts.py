# Any file as nginx's or Apache httpd's: a reading or ConfigError; never another exception, never unbounded memory or time.
"""Configurations of fronts.

Input: a byte for the reader, then the file. What is found stands in the file, no two changes overlap, the changed
file is read again, and no change opens a path.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import cast

import atheris

sys.path.insert(0, str(Path(__file__).parent.parent))

with atheris.instrument_imports(include=["leadglass.configs.fronts"]):
    from leadglass.configs.fronts.readers import READERS

# A script finds its neighbours in its own folder; mypy counts modules from the root.
from harness import run  # type: ignore[import-not-found]

from leadglass.configs.reading import Reading
from leadglass.configs.source import Source, decoded, edited
from leadglass.errors import ConfigError

FIXTURES = Path(__file__).parent.parent / "tests" / "fixtures" / "configs" / "fronts"


def open_paths(reading: Reading) -> set[str]:
    """The paths to imaging servers by which a stranger gets through."""
    return set(cast("tuple[str, ...]", reading.facts["open_paths"]))


def target(data: bytes) -> None:
    """What the fuzzer calls."""
    if not data:
        return
    reader = READERS[data[0] % len(READERS)]
    try:
        source = decoded("front.conf", data[1:])
        reader.recognises(source)
        reading = reader.read(source, {})
    except ConfigError:
        return
    places = [source.offset(found.place.line, found.place.column) for found in reading.findings]
    assert all(0 <= place <= len(source.text) for place in places)
    changed = edited(source.text, [edit for found in reading.findings for edit in found.edits])
    again = reader.read(Source("front.conf", changed), {})
    # A path within an open one is told apart once the outer one is closed.
    assert all(path.startswith(tuple(open_paths(reading))) for path in open_paths(again))


def seeds() -> list[bytes]:
    """Each fixture, for its own reader and for the other."""
    return [
        bytes((door,)) + path.read_bytes() for path in FIXTURES.glob("*.conf") for door in range(len(READERS))
    ]


if __name__ == "__main__":
    run(target, seeds())
