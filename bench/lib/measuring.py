"""Running clients in turns, on cores of their choice, and comparing them within a round."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from bench.lib.quiet import wait_until_quiet

__all__ = [
    "ROOT",
    "Client",
    "Lap",
    "Laps",
    "Spread",
    "disturbance",
    "foreign",
    "on_cores",
    "ours",
    "rates",
    "ratios",
    "take_turns",
]

ROOT = Path(__file__).parents[2]
_PATIENCE = 1800


@dataclass(frozen=True, slots=True)
class Lap:
    """One run of one client."""

    count: int
    """What was visited: endpoints, or addresses times ports."""
    seconds: float
    cpu: float
    """CPU seconds of the client, its processes together."""
    syns: int | None = None
    """How many SYNs arrived at the other end, where that was counted."""
    busy: float = 0.0
    """How many cores others kept busy just before it."""

    @property
    def rate(self) -> float:
        """Visited in a second."""
        return self.count / self.seconds

    @property
    def cost(self) -> float:
        """CPU microseconds for each visited."""
        return self.cpu / self.count * 1e6


Client: TypeAlias = Callable[[], Lap]
Laps: TypeAlias = Mapping[str, Sequence[Lap]]
"""By client, one lap for each round."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, smallest and largest of some measurements."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Collection[float]) -> Spread:
        """Of at least one value."""
        return cls(statistics.median(values), min(values), max(values))

    def show(self, form: str) -> str:
        """As ``median (least to most)``, each by ``form``."""
        return f"{self.median:{form}} ({self.least:{form}} to {self.most:{form}})"


def take_turns(clients: Mapping[str, Client], rounds: int, patience: float) -> Laps:
    """Let each client run once a round; who begins moves on from round to round.

    Before each lap it waits until the machine is quiet, ``patience`` seconds at most.
    """
    laps: dict[str, list[Lap]] = {name: [] for name in clients}
    names = list(clients)
    for number in range(rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            busy = wait_until_quiet(patience)
            lap = dataclasses.replace(clients[name](), busy=busy)
            laps[name].append(lap)
            print(
                f"  round {number + 1}: {name}: {lap.rate:,.0f}/s ({busy:.2f} cores busy before)", flush=True
            )
    return laps


def rates(laps: Sequence[Lap]) -> Spread:
    """How many a second."""
    return Spread.of([lap.rate for lap in laps])


def ratios(laps: Sequence[Lap], reference: Sequence[Lap]) -> Spread:
    """How many times as fast as the reference, each within its round."""
    return Spread.of([lap.rate / other.rate for lap, other in zip(laps, reference, strict=True)])


def disturbance(laps: Laps) -> str:
    """What others did to the machine meanwhile, as a sentence."""
    most = max(lap.busy for of_one in laps.values() for lap in of_one)
    return f"Others kept at most {most:.2f} cores busy before a lap."


@contextlib.contextmanager
def on_cores(cores: Collection[int] | None) -> Iterator[None]:
    """What is started within the block runs on these cores; on all if None."""
    before = os.sched_getaffinity(0)
    try:
        if cores is not None:
            os.sched_setaffinity(0, cores)
        yield
    finally:
        os.sched_setaffinity(0, before)


def ours(command: Sequence[str | Path], expected: str, count: int) -> Lap:
    """Run a program of this folder, which measures itself; ``count`` must have come out as ``expected``."""
    said = json.loads(_run(command))
    if said[expected] != count:
        raise RuntimeError(f"{' '.join(map(str, command))}: {said}, but {count} should be {expected}")
    return Lap(count, said["seconds"], said["cpu"])


def foreign(commands: Sequence[Sequence[str | Path]], count: int, check: Callable[[str], None]) -> Lap:
    """Run others' programs side by side, with their start-up; ``check`` gets all that they print."""
    before, began = _cpu_of_children(), time.perf_counter()
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for command in commands
    ]
    try:
        printed = [program.communicate(timeout=_PATIENCE)[0] for program in running]
    finally:
        for program in running:
            program.kill()
    seconds = time.perf_counter() - began
    for program, text in zip(running, printed, strict=True):
        if program.returncode != 0:
            raise RuntimeError(f"{program.args!r}: exit {program.returncode}\n{text[-2000:]}")
    check("".join(printed))
    return Lap(count, seconds, _cpu_of_children() - before)


def _run(command: Sequence[str | Path]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=_PATIENCE)
    if done.returncode != 0:
        raise RuntimeError(
            f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        )
    return done.stdout


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
