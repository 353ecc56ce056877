"""The wire is sans-IO: what importing it may load, and how it may fail."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import leadglass.wire

FOLDER = Path(leadglass.wire.__file__).parent
MODULES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")
ALLOWED = {"__future__", "collections.abc", "dataclasses", "enum", "functools", "struct", "typing"}
RAISED = {"LocalProtocolError", "RemoteProtocolError", "malformed"}

LOADED = """
import __future__, dataclasses, enum, functools, json, struct, sys, typing, collections.abc
before = set(sys.modules)
import {}
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def loaded(module: str) -> set[str]:
    script = LOADED.format(module)
    done = subprocess.run([sys.executable, "-B", "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_importing_all_of_it_loads_errors_and_nothing_else() -> None:
    names = [f"leadglass.wire.{module}" for module in MODULES]

    assert loaded(", ".join(names)) == {"leadglass", "leadglass.errors", "leadglass.wire", *names}


def test_importing_the_package_loads_none_of_its_modules() -> None:
    assert loaded("leadglass.wire") == {"leadglass", "leadglass.wire"}


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_is_pure(module: str) -> None:
    tree = ast.parse((FOLDER / f"{module}.py").read_text())
    plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    named = {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    ours = {name for name in plain | named if name == "leadglass.errors" or name.startswith("leadglass.wire")}

    assert (plain | named) - ours <= ALLOWED


@pytest.mark.parametrize("module", MODULES)
def test_a_module_raises_only_the_two_protocol_errors(module: str) -> None:
    tree = ast.parse((FOLDER / f"{module}.py").read_text())
    calls = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise)]
    names = {ast.unparse(call.func) for call in calls if isinstance(call, ast.Call)}

    assert all(isinstance(call, ast.Call) for call in calls)
    assert names <= RAISED
