"""Run ``leadglass`` many times in one process: a command line a line in, an exit code a line out."""

from __future__ import annotations

import shlex
import sys

from leadglass.cli import main

if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(f"{main(shlex.split(line))}\n")
        sys.stdout.flush()
