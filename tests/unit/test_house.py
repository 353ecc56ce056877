"""House rules that no linter knows: size, documentation, and what may not stand in the tree."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
from packaging.requirements import Requirement
from tests.source import ROOT, Module, read_tree

LONGEST_FUNCTION = 60
LONGEST_FILE = 600
COMFORTABLE_FILE = 400
MEDIAN_BODY = 6
NINE_IN_TEN_BODIES = 25

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef

MODULES = tuple(read_tree().values())


def tracked() -> list[Path]:
    """The files of the project: those in git and those that would be added; where there is no git, all."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        found = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    else:
        found = [path for path in ROOT.rglob("*") if ".venv" not in path.parts]
    return sorted(path for path in found if path.is_file())


FILES = tracked()
PYTHON = [path for path in FILES if path.suffix == ".py"]


def text_of(path: Path) -> str:
    """The text of a file; "" of one that is not text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def functions_of(tree: ast.Module) -> Iterator[Function]:
    """Every function and method."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def length(function: Function) -> int:
    """Lines from ``def`` to the end."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def body_length(function: Function) -> int:
    """Lines of the body, without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1 if body else 0


def shown(path: Path, line: int = 0) -> str:
    """A place in the tree as an editor takes it."""
    return f"{path.relative_to(ROOT)}:{line}" if line else str(path.relative_to(ROOT))


# ---- modules


def test_every_module_says_why_it_exists() -> None:
    assert [module.path for module in MODULES if not ast.get_docstring(module.tree)] == []


def test_every_module_says_what_is_public() -> None:
    assert [module.path for module in MODULES if not says_what_is_public(module)] == []


def says_what_is_public(module: Module) -> bool:
    """Whether there is an ``__all__``, or nothing to be public: a docstring alone, or the program itself."""
    body = [node for node in module.tree.body if not isinstance(node, ast.Import | ast.ImportFrom)]
    names = [ast.unparse(node.targets[0]) for node in body if isinstance(node, ast.Assign)]
    return len(body) == 1 or module.name == "leadglass.__main__" or "__all__" in names


def test_no_function_is_long() -> None:
    long = [
        f"{shown(path, function.lineno)}: {function.name} has {length(function)} lines"
        for path in PYTHON
        for function in functions_of(ast.parse(text_of(path)))
        if length(function) > LONGEST_FUNCTION
    ]

    assert long == []


def test_no_file_is_long() -> None:
    lines = {shown(path): text_of(path).count("\n") for path in PYTHON}

    assert {path: count for path, count in lines.items() if count > LONGEST_FILE} == {}


def test_a_module_that_grows_long_says_why_it_is_one_file() -> None:
    long = [m for m in MODULES if text_of(ROOT / m.path).count("\n") > COMFORTABLE_FILE]
    unexplained = [
        m.path
        for m in long
        if "one file because" not in " ".join((ast.get_docstring(m.tree) or "").lower().split())
    ]

    assert unexplained == []


def test_functions_are_short_on_the_whole() -> None:
    bodies = sorted(body_length(f) for module in MODULES for f in functions_of(module.tree))

    assert bodies[len(bodies) // 2] <= MEDIAN_BODY
    assert bodies[len(bodies) * 9 // 10] <= NINE_IN_TEN_BODIES


# ---- what may not stand anywhere

# Spelt in pieces, so that this file does not hold what it forbids.
DOT = re.escape(".")
REGISTRIES = (
    ("py" + "pi", "org"),
    ("python" + "hosted", "org"),
    ("npm" + "js", "(com|org)"),
    ("(deb|security|ftp)" + DOT + "deb" + "ian", "org"),
    ("crates", "io"),
    ("proxy" + DOT + "go" + "lang", "org"),
    ("repo1?" + DOT + "mav" + "en", ""),
)
MACHINE = ("/" + "work" + "/", "/" + "root" + "/", "/" + "home" + "/[a-z]+/", "/" + "Users" + "/[A-Za-z]+/")
FORBIDDEN = re.compile("|".join([*(host + DOT + tld for host, tld in REGISTRIES), *MACHINE]))


def test_no_registry_and_no_place_on_one_machine_is_named() -> None:
    found = [
        f"{shown(path, number)}: {line.strip()[:80]}"
        for path in FILES
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if FORBIDDEN.search(line)
    ]

    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "https://" + "py" + "pi.org/simple",
        "http://" + "deb." + "deb" + "ian.org/",
        "see /" + "work" + "/shared",
        "'/" + "home" + "/ada/x'",
    ],
)
def test_what_is_forbidden_is_found(text: str) -> None:
    assert FORBIDDEN.search(text)


def test_every_ignored_type_error_has_a_code() -> None:
    bare = re.compile(r"#\s*type:\s*ignore(?!\[)")

    assert [shown(path) for path in PYTHON if bare.search(text_of(path))] == []


def test_no_unit_test_sleeps() -> None:
    sleeping = [
        shown(path, node.lineno)
        for path in PYTHON
        if path.is_relative_to(ROOT / "tests" / "unit")
        for node in ast.walk(ast.parse(text_of(path)))
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "sleep"
    ]

    assert sleeping == []


# ---- locks

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ("base", "dev", "fuzz")


def locked(name: str) -> dict[str, tuple[str, list[str]]]:
    """Version and hashes of each package in a lock file."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text().replace("\\\n", " ")
    entries = {}
    for line in filter(None, text.splitlines()):
        package, version = re.match(r"([a-z0-9.-]+)==([^ ;]+)", line, re.IGNORECASE).groups()  # type: ignore[union-attr]
        entries[package.lower()] = (version, re.findall(r"--hash=sha256:[0-9a-f]{64}\b", line))
    return entries


def wanted(name: str) -> Iterator[Requirement]:
    """What pyproject.toml asks of a lock file."""
    groups = PROJECT["dependency-groups"]
    base = [*PROJECT["project"]["dependencies"], *groups["build"]]
    lists = {"base": base, "dev": [*base, *groups["test"], *groups["lint"]], "fuzz": groups["fuzz"]}
    return map(Requirement, lists[name])


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_a_hash(name: str) -> None:
    unhashed = [package for package, (_, hashes) in locked(name).items() if not hashes]

    assert locked(name)
    assert unhashed == []


@pytest.mark.parametrize("name", LOCKS)
def test_no_lock_names_where_its_packages_come_from(name: str) -> None:
    assert not re.search(
        r"://|--(extra-)?index|--find-links", (ROOT / f"requirements/{name}.txt").read_text()
    )


@pytest.mark.parametrize("name", LOCKS)
def test_the_locks_hold_what_the_project_asks_for(name: str) -> None:
    lock = locked(name)
    unmet = [
        str(need)
        for need in wanted(name)
        if need.name not in lock or not need.specifier.contains(lock[need.name][0], prereleases=True)
    ]

    assert unmet == [], "make locks"


def test_the_locks_agree_with_each_other() -> None:
    base, dev = locked("base"), locked("dev")

    assert {package: dev.get(package) for package in base} == base
