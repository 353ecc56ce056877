"""Runs one fuzz target under atheris: its seeds as files, libFuzzer's own options on the command line.

Seeds are valid messages built in code, so that they cannot go stale; they are written to a new
temporary directory, which is the corpus unless the command line names another.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import atheris


def run(target: Callable[[bytes], None], seeds: Iterable[bytes]) -> None:
    """Fuzz ``target`` until ``-runs`` or ``-max_total_time`` is reached, or something else than the invariant happens."""
    arguments = sys.argv
    if all(argument.startswith("-") for argument in arguments[1:]):
        corpus = Path(tempfile.mkdtemp(prefix="leadglass-fuzz-"))
        for number, seed in enumerate(seeds):
            (corpus / f"seed-{number:03}").write_bytes(seed)
        arguments = [*arguments, str(corpus)]
    atheris.Setup(arguments, target)
    atheris.Fuzz()
