"""The wire is sans-IO: what importing it may load, and how it may fail."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import leadglass.wire

FOLDER = Path(leadglass.wire.__file__).parent
MODULES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")
ALLOWED = {"__future__", "collections.abc", "dataclasses", "enum", "functools", "re", "struct", "typing"}
RAISED = {"LocalProtocolError", "RemoteProtocolError", "malformed"}

LOADED = """
import __future__, dataclasses, enum, functools, json, re, struct, sys, typing, collections.abc
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


def trees() -> list[ast.Module]:
    return [ast.parse((FOLDER / f"{module}.py").read_text()) for module in MODULES]


def test_every_module_imports_only_what_is_pure() -> None:
    nodes = [node for tree in trees() for node in ast.walk(tree)]
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    named = {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    ours = {name for name in plain | named if name == "leadglass.errors" or name.startswith("leadglass.wire")}

    assert (plain | named) - ours <= ALLOWED


def test_every_module_raises_only_the_two_protocol_errors() -> None:
    raised = [node.exc for tree in trees() for node in ast.walk(tree) if isinstance(node, ast.Raise)]
    names = {ast.unparse(call.func) for call in raised if isinstance(call, ast.Call)}

    assert all(isinstance(call, ast.Call) for call in raised)
    assert names == RAISED
