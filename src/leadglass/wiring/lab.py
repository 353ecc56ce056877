"""Puts a lab together: real randomness, the real clock, and a private folder for its keys."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from leadglass import wiring
from leadglass.lab.personas import PERSONAS, Persona
from leadglass.lab.serve import Lab

__all__ = ["running_lab"]


@contextlib.contextmanager
def running_lab(personas: Sequence[Persona] = PERSONAS) -> Iterator[Lab]:
    """A lab of ``personas`` that serves until the context ends; ``ResourceError`` if there is no place for it."""
    with tempfile.TemporaryDirectory(prefix="leadglass-lab-") as home:  # readable by this user only

        def keep(name: str, content: bytes) -> str:
            path = Path(home, name)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            return str(path)

        with Lab(wiring.randomness(), wiring.clock(), keep, personas) as lab:
            yield lab
