"""What all tests share: which of them can run here, and how hard they look.

Tests of a peer that is missing are skipped by name and counted aloud at the end; with
``LEADGLASS_PEERS=required`` they fail instead. ``LEADGLASS_DEEP=1`` adds the deep ones and
raises the number of examples.
"""

from __future__ import annotations

import functools
import gc
import itertools
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parent.parent
UNIT_SECONDS = 60
"""A unit test that takes longer is stuck."""
DEEP_SECONDS = 4 * 3600
"""The same of a test with large counts."""

REQUIRED = os.environ.get("LEADGLASS_PEERS") == "required"
DEEP = os.environ.get("LEADGLASS_DEEP") == "1"
OURS = str(Path(sys.executable).parent)
# pynetdicom brings programs with the names of DCMTK's, and an activated environment puts them before those.
os.environ["PATH"] = os.pathsep.join([*(folder for folder in os.get_exec_path() if folder != OURS), OURS])
SEARCH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])

settings.register_profile("fast", max_examples=30, deadline=None, print_blob=True)
settings.register_profile(
    "deep",
    max_examples=20_000,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("deep" if DEEP else "fast")

MISSING = "peer missing: "
"""What the reason of a test that is skipped begins with; its end counts them."""
SERVED = ("interop", "acceptance")
"""Where the order of the tests stays as it was written."""

_place = pytest.StashKey[int]()
_places = itertools.count()


def read_peers(text: str) -> Mapping[str, Sequence[str]]:
    """The programs that prove each peer's presence, by the peer's name, from ``scripts/peers.txt``."""
    lines = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return {name: [p for p in programs.split(",") if p != "-"] for name, _, programs in lines}


PEERS = read_peers((ROOT / "scripts" / "peers.txt").read_text())


@pytest.fixture(autouse=True, scope="session")
def database_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Whatever runs the command and names no database keeps its scans here, and not with the user's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEADGLASS_DATABASE", str(tmp_path_factory.mktemp("data") / "scans.sqlite"))
        yield


@functools.cache
def program(name: str) -> bool:
    """Whether a program is on this machine, or a file by its absolute path with wildcards or in the project."""
    if name.startswith("/"):
        return any(Path("/").glob(name.removeprefix("/")))
    if "/" in name:
        return (ROOT / name).exists()
    return shutil.which(name, path=SEARCH) is not None


def lacking(peer: str) -> bool:
    """Whether something of ``peer`` is missing."""
    return not all(program(name) for name in PEERS[peer])


@functools.cache
def namespaces() -> bool:
    """Whether we may make network namespaces here."""
    if os.geteuid() != 0 or lacking("ip"):
        return False
    name = f"leadglass-can-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False)
    subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)
    return made.returncode == 0


def needs(item: pytest.Item) -> list[str]:
    """What ``item`` needs and this machine has not."""
    peers = [peer for mark in item.iter_markers("peer") for peer in mark.args]
    missing = [peer for peer in peers if lacking(peer)]
    if item.get_closest_marker("root") and not namespaces():
        missing.append("root with network namespaces")
    return missing


def pytest_report_header() -> str:
    return f"leadglass: {'deep' if DEEP else 'fast'}, peers {'required' if REQUIRED else 'where present'}"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Millions of objects that stay to the end: looking through them for garbage took a tenth of the run."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Remember where it stood before the tests were shuffled."""
    item.stash[_place] = next(_places)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        unknown = {peer for mark in item.iter_markers("peer") for peer in mark.args} - PEERS.keys()
        if unknown:
            raise pytest.UsageError(f"{item.nodeid}: scripts/peers.txt knows no {', '.join(sorted(unknown))}")
        if not item.get_closest_marker("timeout") and (DEEP or in_tier(item, "unit")):
            item.add_marker(pytest.mark.timeout(DEEP_SECONDS if DEEP else UNIT_SECONDS))
    if not DEEP:
        deep = [item for item in items if item.get_closest_marker("deep")]
        config.hook.pytest_deselected(items=deep)
        items[:] = [item for item in items if not item.get_closest_marker("deep")]

    _keep_in_order(items)


def _keep_in_order(items: list[pytest.Item]) -> None:
    """Those that share running servers, which take time to come back from what was done to them."""
    served = [item for item in items if item.path.relative_to(ROOT / "tests").parts[0] in SERVED]
    rest = [item for item in items if item.path.relative_to(ROOT / "tests").parts[0] not in SERVED]
    items[:] = [*sorted(served, key=lambda item: item.stash[_place]), *rest]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    missing = needs(item)
    if not missing:
        return
    if REQUIRED:
        pytest.fail(f"LEADGLASS_PEERS=required, and this is missing: {', '.join(missing)}", pytrace=False)
    pytest.skip(f"{MISSING}{', '.join(missing)}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    counts = Counter(
        peer
        for report in terminalreporter.stats.get("skipped", ())
        for peer in str(report.longrepr[-1]).partition(MISSING)[2].split(", ")
        if peer
    )
    if counts:
        said = ", ".join(
            f"{peer} ({count} test{'s' if count > 1 else ''} skipped)"
            for peer, count in sorted(counts.items())
        )
        terminalreporter.write_line(f"peers missing: {said}", yellow=True)


def in_tier(item: pytest.Item, tier: str) -> bool:
    """Whether ``item`` lies under ``tests/<tier>``."""
    return item.path.is_relative_to(ROOT / "tests" / tier)
