"""Who may import and use what. The rules are the tables below; there is no list of exceptions to them.

ARCHITECTURE.md tells the same in words: layers, the five nevers, one door for each effect.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import pytest
from tests.source import ROOT, Module, Use, cycle, parse, read_tree, within

LAYERS: Sequence[Sequence[str]] = (
    ("__main__",),
    ("cli",),
    ("wiring",),
    ("scan", "guard", "watch", "register", "web", "lab"),
    ("probe", "store", "report", "notice", "owner", "imports"),
    ("net", "scope", "judge", "access", "survey", "configs", "ledger"),
    ("wire", "ports", "settings"),
    ("model",),
    ("errors",),
    ("",),
)
"""Top to bottom; a folder imports only from lines below its own. "" is ``leadglass`` itself: the version."""

DEPTH: Mapping[str, int] = {folder: depth for depth, line in enumerate(LAYERS) for folder in line}

PURE = frozenset(
    {"wire", "model", "scope", "judge", "access", "survey", "configs", "ledger", "report", "notice"}
    | {"errors", "ports", "settings"}
)
"""Folders that decide or translate, and therefore have no effect and see none."""


class Door(NamedTuple):
    """An effect: what gives it away, and the folders that may have it."""

    effect: str
    paths: frozenset[str]
    folders: frozenset[str]


def door(effect: str, paths: str, folders: str) -> Door:
    return Door(effect, frozenset(paths.split()), frozenset(folders.split()))


DOORS: Sequence[Door] = (
    door(
        "connecting",
        "socket.create_connection asyncio.open_connection asyncio.open_unix_connection http.client"
        " urllib.request dns.query dns.resolver dns.asyncquery dns.asyncresolver smtplib ftplib imaplib poplib"
        " xmlrpc requests httpx aiohttp whoisit ssl.get_server_certificate .connect .connect_ex .sendto"
        " .create_connection .open_connection .sock_connect",
        "net store",  # store: a database is opened with .connect as well
    ),
    door(
        "sockets",
        "socket _socket select selectors socketserver http.server asyncio trio anyio uvicorn fastapi starlette"
        " ssl.SSLSocket ssl.wrap_socket .wrap_socket .bind .listen .accept .recv",
        "net lab guard web",
    ),
    door("TLS", "ssl _ssl", "net lab guard web probe"),  # probe: SSLObject over MemoryBIO, no socket
    door("SQL", "sqlite3 sqlalchemy alembic psycopg procrastinate", "store"),
    door(
        "clock",
        "time sched datetime.datetime.now datetime.datetime.utcnow datetime.datetime.today datetime.date.today",
        "net wiring",  # net: the deadline of a look-up that blocks
    ),
    door("randomness", "random secrets os.urandom os.getrandom uuid.uuid1 uuid.uuid4 numpy", "wiring"),
    door(
        "environment",
        "os.environ os.environb os.getenv os.putenv os.unsetenv os.path.expanduser sys.argv platform getpass",
        "cli wiring __main__",
    ),
    door(
        "files",
        "builtins.open io.open os.open os.remove os.unlink os.rename os.replace os.mkdir os.makedirs os.scandir"
        " os.listdir pathlib tempfile shutil glob fileinput tomllib.load",
        "cli wiring store",
    ),
    door("logging", "logging syslog", "wiring guard watch web"),
    door(
        "terminal",
        "builtins.print builtins.input sys.stdout sys.stderr sys.stdin rich typer click pprint curses readline",
        "cli",
    ),
    door(
        "exit", "sys.exit os._exit os.abort builtins.exit builtins.quit builtins.SystemExit", "cli __main__"
    ),
    door("signals", "signal", "cli wiring"),
    door(
        "processes",
        "subprocess multiprocessing pty os.system os.popen os.fork os.forkpty os.posix_spawn os.execv os.execve"
        " os.spawnv os.kill concurrent.futures.ProcessPoolExecutor",
        "wiring",
    ),
    door("threads", "threading _thread concurrent", "net lab store wiring guard web"),
    door("importing by name", "importlib.import_module importlib.util runpy builtins.__import__", "cli"),
    door("code from text", "builtins.eval builtins.exec builtins.compile pickle marshal", ""),
    door("permits", "leadglass.model.endpoint.Permit()", "scope"),
    door("test tools", "tests pytest hypothesis pynetdicom trustme playwright unittest.mock", ""),
)

TREE = read_tree()


Rule: TypeAlias = Callable[[Module], Iterator[str]]


# ---- the rules


def against_the_layers(module: Module) -> Iterator[str]:
    """Imports from the same layer or from above."""
    for use in module.imports:
        if not within(use.path, ("leadglass",)):
            continue
        target = use.path.partition(".")[2].partition(".")[0]
        folder = target if target in DEPTH or f"leadglass.{target}" in TREE else ""
        if folder != module.folder and DEPTH[folder] <= DEPTH[module.folder]:
            yield f"{module.path}:{use.line}: {module.folder or 'leadglass'} may not import {use.path}"


def past_the_doors(module: Module) -> Iterator[str]:
    """Effects in a folder that is not their door."""
    for use in (*module.uses, *module.methods_called):
        for effect, paths, folders in DOORS:
            if module.folder not in folders and (within(use.path, paths) or _constructs(use, paths)):
                yield f"{module.path}:{use.line}: {use.path} ({effect}) belongs in {sorted(folders) or 'no folder'}"


def hidden_imports(module: Module) -> Iterator[str]:
    """Imports that are not statements of the module itself or chosen there by the system, and relative ones."""
    open_ones = {id(node) for node in (*module.tree.body, *_by_system(module.tree))}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import | ast.ImportFrom) and id(node) not in open_ones:
            yield f"{module.path}:{node.lineno}: an import is hidden"
        if isinstance(node, ast.ImportFrom) and node.level:
            yield f"{module.path}:{node.lineno}: a relative import"


def _by_system(tree: ast.Module) -> Iterator[ast.stmt]:
    """What stands under a question about ``sys.platform``: what only one system has cannot be imported on another."""
    for node in tree.body:
        if isinstance(node, ast.If) and ast.unparse(node.test) in {
            "sys.platform == 'win32'",
            "sys.platform != 'win32'",
        }:
            yield from (*node.body, *node.orelse)


def _constructs(use: Use, paths: frozenset[str]) -> bool:
    return use.called and f"{use.path}()" in paths


def edges(tree: Mapping[str, Module]) -> Mapping[str, Sequence[str]]:
    """Which module imports which."""

    def target(path: str) -> str:
        return path if path in tree else path.rpartition(".")[0]

    return {
        name: [target(use.path) for use in module.imports if target(use.path) in tree]
        for name, module in tree.items()
    }


# ---- the tree keeps them


def test_every_folder_has_its_place_in_the_layers() -> None:
    # A new folder is named in LAYERS and in ARCHITECTURE.md.
    assert {module.folder for module in TREE.values()} - set(DEPTH) == set()


@pytest.mark.parametrize("rule", [against_the_layers, past_the_doors, hidden_imports])
def test_the_tree_keeps_the_rule(rule: Rule) -> None:
    assert [breach for module in TREE.values() for breach in rule(module)] == []


def test_no_modules_import_each_other_in_a_ring() -> None:
    assert " imports ".join(cycle(edges(TREE))) == ""


def test_commands_are_loaded_by_name_in_one_module_only() -> None:
    importers = {
        name
        for name, module in TREE.items()
        for use in module.uses
        if within(use.path, ("importlib.import_module",))
    }

    assert importers <= {"leadglass.cli"}


@pytest.mark.parametrize("effect", [pytest.param(door, id=door.effect) for door in DOORS])
def test_a_pure_folder_is_no_door(effect: Door) -> None:
    making_permits = {"scope"} if effect.effect == "permits" else set()

    assert effect.folders & PURE == making_permits


# ---- the rules catch what they are for


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("leadglass.wire.a", "from leadglass.net.dial import dial"),
        ("leadglass.scope.a", "from leadglass.judge import rules"),
        ("leadglass.scan.a", "import leadglass.lab.serve"),
        ("leadglass.model.a", "from leadglass import wiring"),
        ("leadglass.errors", "from leadglass.model.rung import Rung"),
        ("leadglass.net.a", "if True:\n    import leadglass.cli"),
    ],
)
def test_a_breach_of_the_layers_is_seen(name: str, text: str) -> None:
    assert list(against_the_layers(parse(name, text)))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("leadglass.probe.a", "import socket"),
        ("leadglass.probe.a", "import ssl\nssl.create_default_context().wrap_socket(None)"),
        ("leadglass.lab.a", "import socket\nsocket.socket().connect(('192.0.2.1', 104))"),
        ("leadglass.lab.a", "from socket import create_connection as c\nc(('192.0.2.1', 104))"),
        ("leadglass.judge.a", "from datetime import datetime as d\nd.now()"),
        ("leadglass.judge.a", "import datetime\ndatetime.date.today()"),
        ("leadglass.scan.a", "import os\nprint(os.environ['HOME'])"),
        ("leadglass.scan.a", "from os import environ"),
        ("leadglass.wire.a", "import logging"),
        ("leadglass.wire.a", "import secrets"),
        ("leadglass.report.a", "print('x')"),
        ("leadglass.report.a", "import sys\nsys.stdout.write('x')"),
        ("leadglass.report.a", "open('x')"),
        ("leadglass.scan.a", "import sqlite3"),
        ("leadglass.scan.a", "import importlib\nimportlib.import_module('x')"),
        ("leadglass.scan.a", "from leadglass.model.endpoint import Permit\nPermit(e, r, 0)"),
        ("leadglass.net.a", "from leadglass.model import endpoint as e\ne.Permit(e, r, 0)"),
        ("leadglass.wire.a", "from pynetdicom import AE"),
        ("leadglass.lab.a", "import subprocess"),
    ],
)
def test_an_effect_past_its_door_is_seen(name: str, text: str) -> None:
    assert list(past_the_doors(parse(name, text)))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("leadglass.judge.a", "from datetime import datetime, UTC\ndatetime.fromtimestamp(0, UTC)"),
        ("leadglass.probe.a", "import ssl\nssl.SSLObject"),
        ("leadglass.net.a", "from leadglass.model.endpoint import Permit\ndef dial(p: Permit) -> None: ..."),
        ("leadglass.wire.a", "def f(open: bool, time: float) -> bool:\n    return open and time > 0"),
        ("leadglass.scan.a", "from leadglass.net import services\nservices.connect(None)"),
    ],
)
def test_what_only_looks_like_an_effect_is_left_alone(name: str, text: str) -> None:
    assert list(past_the_doors(parse(name, text))) == []


@pytest.mark.parametrize(
    "text",
    [
        "def f() -> None:\n    import json",
        "if True:\n    import json",
        "try:\n    import json\nexcept ImportError: ...",
        "import sys\nif sys.version_info > (3, 12):\n    import json",
        "import sys\nif sys.platform == 'win32':\n    def f() -> None:\n        import json",
        "from . import a",
    ],
)
def test_a_hidden_import_is_seen(text: str) -> None:
    assert list(hidden_imports(parse("leadglass.wire.a", text)))


def test_what_only_one_system_has_may_be_imported_there() -> None:
    text = "import sys\nif sys.platform == 'win32':\n    import msvcrt\nelse:\n    import fcntl"

    assert list(hidden_imports(parse("leadglass.store.a", text))) == []


def test_a_ring_is_seen() -> None:
    assert cycle({"a": ["b"], "b": ["c", "d"], "c": [], "d": ["a"]}) == ["a", "b", "d", "a"]


# ---- importing does no work, and loads no more than is needed

# What these two do is none of ours: procrastinate brings croniter along, which has `file` look at the interpreter,
# and requests (by whoisit) has urllib3 try whether this machine knows IPv6.
WATCHED_IMPORT = """
import importlib, json, os, sys, threading
import croniter
import requests
done = []
def watch(event, args):
    writing = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if writing or event.startswith(("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.mkdir",
                                    "os.remove", "os.rename", "sqlite3.", "time.sleep", "signal.", "tempfile.")):
        done.append([current, event, repr(args)[:80]])
current = ""
sys.addaudithook(watch)
for current in json.loads(sys.argv[1]):
    importlib.import_module(current)
print(json.dumps([done, threading.active_count()]))
"""

LOADED = """
import sys
before = set(sys.modules)
import json
{}
print(json.dumps(sorted(set(sys.modules) - before)))
"""

HEAVY = ("pydantic", "cryptography", "dns", "h11", "jinja2", "ssl", "asyncio", "tomllib", "socket")
PLUMBING = ("asyncio", "socket", "ssl", "select", "selectors", "subprocess", "random", "secrets", "threading")


def run(script: str, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-B", "-c", script, *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def loaded_by(statements: str) -> set[str]:
    return set(json.loads(run(LOADED.format(statements)).splitlines()[-1]))


def test_importing_any_module_does_nothing_else() -> None:
    names = [name for name in TREE if name != "leadglass.__main__"]

    # A module that printed something would make this more than one line.
    assert json.loads(run(WATCHED_IMPORT, json.dumps(names))) == [[], 1]


def test_the_watch_sees_a_module_that_works_when_imported() -> None:
    script = WATCHED_IMPORT.replace("importlib.import_module(current)", "open(os.devnull, 'w').close()")

    assert json.loads(run(script, '["leadglass"]'))[0][0][:2] == ["leadglass", "open"]


def test_help_loads_no_command() -> None:
    loaded = loaded_by(
        "import io, contextlib\nfrom leadglass.cli import main\n"
        "with contextlib.redirect_stdout(io.StringIO()): main(['--help'])"
    )

    assert {name for name in loaded if within(name, ("leadglass",))} == {
        "leadglass",
        "leadglass.cli",
        "leadglass.cli.terminal",
        "leadglass.errors",
        "leadglass.report",
        "leadglass.report.safe",
    }
    assert {name for name in loaded if within(name, HEAVY)} == set()


def test_a_scan_loads_only_what_every_scan_needs() -> None:
    loaded = loaded_by("import leadglass.cli.scan")
    needless = ("alembic", "rich", "jinja2", "dns", "h11", "cryptography")

    assert {name for name in loaded if within(name, needless)} == set()
    # What owners say is laid over records as they are read: the table of severities, and no more of the judge.
    laid_over = {f"leadglass.judge{name}" for name in ("", ".knowledge", ".rules", ".severity", ".stated")}
    assert {
        name for name in loaded if within(name, ("leadglass.probe.ladder", "leadglass.judge"))
    } <= laid_over


def test_the_wire_loads_no_plumbing() -> None:
    wire = ", ".join(name for name in TREE if within(name, ("leadglass.wire",)))

    assert {name for name in loaded_by(f"import {wire}") if within(name, PLUMBING)} == set()


def test_a_process_that_asks_loads_neither_store_nor_report_nor_command_line() -> None:
    loaded = loaded_by("import leadglass.wiring.member")
    above = {name.split(".")[1] for name in loaded if within(name, ("leadglass",)) and "." in name}

    assert above <= {
        "wiring",
        "scan",
        "probe",
        "net",
        "scope",
        "judge",
        "wire",
        "ports",
        "settings",
        "model",
        "errors",
    }
    assert {
        name for name in loaded if within(name, ("sqlalchemy", "sqlite3", "typer", "rich", "jinja2", "dns"))
    } == set()
