"""The package elsewhere: what Windows and macOS lack is asked for by nothing but the guard."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping

import pytest
from tests.source import ROOT

SYSTEMS = ("win32", "darwin")

EVERYTHING = """
import importlib, json, pkgutil, sys, leadglass
failed = {}
names = [module.name for module in pkgutil.walk_packages(leadglass.__path__, "leadglass.")]
for name in names:
    try:
        if not name.startswith(("leadglass.guard.", "leadglass.wiring.guard_", "leadglass.__main__")):
            importlib.import_module(name)
    except (ImportError, AttributeError) as error:
        failed[name] = str(error)
print(json.dumps([len(names), failed]))
"""

ASKING = """
import contextlib, os, sys
from leadglass.store import filelock
def opened():
    return os.open(sys.argv[1], os.O_CREAT | os.O_RDWR, 0o600)
first, second = opened(), opened()
print(filelock.try_lock(first), filelock.try_lock(second))
os.close(first)
print(filelock.try_lock(second), filelock.CAN_UNLINK_OPEN)
"""

WAITING = """
import os, sys
from leadglass.store import filelock
descriptor = os.open(sys.argv[1], os.O_CREAT | os.O_RDWR, 0o600)
print("asking", flush=True)
filelock.lock(descriptor)
print("ours", flush=True)
"""


def there(system: str) -> Mapping[str, str]:
    """The environment of a process that finds of ``system`` what the package would find on it."""
    return {**os.environ, "PYTHONPATH": str(ROOT / "tests" / "elsewhere"), "LEADGLASS_SYSTEM": system}


def run(system: str, script: str, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", f"__package__ = 'leadglass'\n{script}", *words],
        env=there(system),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_nothing_but_the_guard_asks_for_what_windows_lacks_when_it_is_imported() -> None:
    # What macOS lacks, Windows lacks as well.
    assert json.loads(run("win32", EVERYTHING)) == [pytest.approx(700, abs=300), {}]


def test_the_guard_needs_linux_and_the_command_says_so() -> None:
    script = "import sys\nfrom leadglass.cli import main\nsys.stderr = sys.stdout\nprint(main(sys.argv[1:]))"
    said = run("win32", script, "guard", "init", "--archive", "127.0.0.1:104")

    assert said.splitlines() == [
        "leadglass: this command needs Linux; docs/reference/platforms.md says what runs where",
        "2",
    ]


@pytest.mark.parametrize("name", ["fcntl", "resource", "pwd", "termios", "syslog"])
def test_the_stand_in_has_no_module_that_windows_lacks(name: str) -> None:
    said = run(
        "win32", f"try:\n    import {name}\nexcept ModuleNotFoundError as error:\n    print(error.name)"
    )

    assert said == f"{name}\n"


@pytest.mark.parametrize(
    ("system", "name"),
    [
        ("win32", "os.uname"),
        ("win32", "os.fork"),
        ("win32", "signal.SIGHUP"),
        ("win32", "socket.AF_UNIX"),
        ("win32", "select.poll"),
        ("darwin", "select.epoll"),
        ("darwin", "os.sched_getaffinity"),
    ],
)
def test_the_stand_in_has_no_name_that_the_system_lacks(system: str, name: str) -> None:
    module, _, attribute = name.partition(".")

    assert run(system, f"import {module}\nprint(hasattr({module}, {attribute!r}))") == "False\n"


def test_every_text_file_is_opened_with_its_encoding_said() -> None:
    # Windows would take its country's; of the linter's rules this is not yet one of those that are on.
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--preview", "--select", "PLW1514", "src"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, ""), done.stdout


# ---- locks


@pytest.mark.parametrize("system", ["linux", *SYSTEMS])
def test_a_lock_has_one_holder_until_its_descriptor_is_closed(system: str, tmp_path: object) -> None:
    said = run(system, ASKING, f"{tmp_path}/lock")

    assert said.split() == ["True", "False", "True", str(system != "win32")]


@pytest.mark.parametrize("system", ["linux", *SYSTEMS])
def test_who_waits_for_a_lock_has_it_when_its_holder_was_killed(system: str, tmp_path: object) -> None:
    words = [sys.executable, "-c", f"__package__ = 'leadglass'\n{WAITING}", f"{tmp_path}/lock"]
    how = {"env": there(system), "stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    holding = [*words[:2], words[2] + "sys.stdin.read()", words[3]]
    with (
        contextlib.ExitStack() as stack,
        subprocess.Popen(holding, **how) as holder,  # type: ignore[call-overload]
    ):
        assert [holder.stdout.readline() for _ in range(2)] == ["asking\n", "ours\n"]
        waiter = stack.enter_context(subprocess.Popen(words, **how))  # type: ignore[call-overload]
        assert waiter.stdout.readline() == "asking\n"
        assert waiter.poll() is None
        holder.kill()
        assert waiter.stdout.readline() == "ours\n"
