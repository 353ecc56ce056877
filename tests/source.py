"""The source tree as the house rules see it: modules, what they import, what they use by name.

A *use* is a dotted path, with the local name replaced by what it was imported as: after
``from datetime import datetime as dt``, ``dt.now()`` uses ``datetime.datetime.now``. Rules are
prefixes of such paths.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

__all__ = ["ROOT", "SOURCE", "Module", "Use", "cycle", "parse", "read_tree", "within"]

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "leadglass"


@dataclass(frozen=True, slots=True)
class Use:
    """One dotted path, where it stands, and how."""

    path: str
    line: int
    called: bool = False


@dataclass(frozen=True)
class Module:
    """One file of the package. ``name`` is dotted; a package has the name of its folder."""

    name: str
    tree: ast.Module
    path: str = "<text>"

    @property
    def folder(self) -> str:
        """The folder under ``leadglass`` that it lies in; a lone file counts as a folder; "" is the top."""
        return self.name.partition(".")[2].partition(".")[0]

    @cached_property
    def imports(self) -> Sequence[Use]:
        """Everything imported anywhere in the file; ``from a import b`` gives ``a.b``."""
        return tuple(use for node in ast.walk(self.tree) for use in _imported(node, self.name))

    @cached_property
    def names(self) -> Mapping[str, str]:
        """What each imported local name stands for."""
        known: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    top = alias.name.partition(".")[0]
                    known[alias.asname or top] = alias.name if alias.asname else top
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    known[alias.asname or alias.name] = f"{_home(node, self.name)}.{alias.name}"
        return known

    @cached_property
    def bound(self) -> frozenset[str]:
        """Every name that the file gives a meaning of its own somewhere, such as a parameter ``open``."""
        nodes = list(ast.walk(self.tree))
        stored = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        return frozenset(stored | {n.arg for n in nodes if isinstance(n, ast.arg)})

    @cached_property
    def uses(self) -> Sequence[Use]:
        """Imports, attribute chains that start at an imported name, and builtins by their bare name."""
        called = {id(node.func) for node in ast.walk(self.tree) if isinstance(node, ast.Call)}
        found = list(self.imports)
        for node in ast.walk(self.tree):
            path = self.dotted(node)
            if path:
                found.append(Use(path, getattr(node, "lineno", 0), id(node) in called))
        return tuple(found)

    @cached_property
    def methods_called(self) -> Sequence[Use]:
        """The bare name of every method called on something that is not a module: ``.connect``."""
        return tuple(
            Use(f".{node.func.attr}", node.lineno, called=True)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and not self.dotted(node.func)
        )

    def dotted(self, node: ast.AST) -> str:
        """The full path that a name or attribute chain stands for; "" if it starts at something local."""
        if isinstance(node, ast.Attribute):
            start = self.dotted(node.value)
            return f"{start}.{node.attr}" if start and not start.startswith("builtins.") else ""
        if isinstance(node, ast.Name):
            if node.id in self.names:
                return self.names[node.id]
            if hasattr(builtins, node.id) and node.id not in self.bound:
                return f"builtins.{node.id}"
        return ""


def parse(name: str, text: str, path: str = "<text>") -> Module:
    """A module from its text."""
    return Module(name, ast.parse(text, path), path)


def read_tree() -> Mapping[str, Module]:
    """Every module of the package, by its dotted name."""
    modules = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = list(path.relative_to(SOURCE.parent).with_suffix("").parts)
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        modules[name] = parse(name, path.read_text(), str(path.relative_to(ROOT)))
    return modules


def within(path: str, prefixes: Sequence[str] | frozenset[str]) -> bool:
    """Whether ``path`` is one of ``prefixes`` or lies under one."""
    return any(path == prefix or path.startswith(f"{prefix}.") for prefix in prefixes)


def cycle(edges: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """One ring of names, each leading to the next; empty if there is none."""
    done: set[str] = set()
    for start in edges:
        ring = _ring(start, edges, [], done)
        if ring:
            return ring
    return ()


def _ring(name: str, edges: Mapping[str, Sequence[str]], way: list[str], done: set[str]) -> Sequence[str]:
    if name in way:
        return [*way[way.index(name) :], name]
    if name in done:
        return ()
    done.add(name)
    for following in edges.get(name, ()):
        ring = _ring(following, edges, [*way, name], done)
        if ring:
            return ring
    return ()


def _imported(node: ast.AST, module: str) -> Iterator[Use]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield Use(alias.name, node.lineno)
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            yield Use(f"{_home(node, module)}.{alias.name}", node.lineno)


def _home(node: ast.ImportFrom, module: str) -> str:
    # A relative import is taken for what it says from a plain module; the house uses none (ruff TID252).
    return node.module or "" if not node.level else f"{module.rpartition('.')[0]}.{node.module or ''}"
