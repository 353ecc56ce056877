"""The documentation against the program: every command, option, exit code, setting, link and test name."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import typer.main
from tests.source import ROOT

from leadglass import cli, errors
from leadglass.cli import ending
from leadglass.settings import scope_file

DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
EACH_PAGE = [pytest.param(page, id=str(page.relative_to(ROOT))) for page in PAGES]
VERBS = ("help", "demo", "test", "deep", "lint", "types", "fuzz", "interop", "bench", "golden-accept")


def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every command that does something, by the words that call it."""
    children = getattr(command, "commands", None)
    if children is None:
        yield " ".join(path), command
        return
    if command.invoke_without_command and path:
        yield " ".join(path), command
    for name, child in children.items():
        yield from leaves(child, (*path, name))


def options_of(command: Any) -> set[str]:
    """The long options of one command."""
    return {word for param in command.params for word in param.opts if word.startswith("--")} - {"--help"}


ROOT_COMMAND = typer.main.get_command(cli.app())
COMMANDS: Mapping[str, Any] = dict(leaves(ROOT_COMMAND))


def sections(text: str) -> dict[str, str]:
    """The text under each second-level heading."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


REFERENCE = (DOCS / "reference" / "cli.md").read_text()
MANUAL = (DOCS / "man" / "leadglass.1").read_text().replace(r"\-", "-")


# ---- commands


def test_the_reference_describes_every_command_and_no_other() -> None:
    described = {title.removeprefix("leadglass ") for title in sections(REFERENCE)}

    assert described == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_reference_describes_every_option_and_no_other(name: str) -> None:
    section = sections(REFERENCE)[f"leadglass {name}"]
    described = set(re.findall(r"^\| `(--[a-z-]+)", section, re.MULTILINE))

    assert described == options_of(COMMANDS[name])


@pytest.mark.parametrize("name", COMMANDS)
def test_the_reference_tells_every_default(name: str) -> None:
    rows = dict(re.findall(r"^\| `(--[a-z-]+)(.*)$", sections(REFERENCE)[f"leadglass {name}"], re.MULTILINE))
    defaults = {
        param.opts[0]: str(param.default)
        for param in COMMANDS[name].params
        if param.opts[0] in rows and isinstance(param.default, str)
    }

    assert {option for option, default in defaults.items() if f"`{default}`" not in rows[option]} == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    assert "Example: leadglass" in (COMMANDS[name].help or "")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_manual_page_has_every_command_and_option(name: str) -> None:
    section = re.search(rf"^\.SS {name}$(.*?)(?=^\.S[SH] )", MANUAL, re.MULTILINE | re.DOTALL)

    assert section, f".SS {name}"
    assert set(re.findall(r"^\.(?:B|BR|BI) (--[a-z-]+)", section[1], re.MULTILINE)) == options_of(
        COMMANDS[name]
    )


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_the_manual_page_is_well_formed() -> None:
    page = DOCS / "man" / "leadglass.1"
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-z", page], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


# ---- what pages show


def shown_commands(text: str) -> Iterator[list[str]]:
    """Command lines in shell blocks and after prompts, without comments, redirections and pipes."""
    for kind, block in re.findall(r"^ *```(sh|console)\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL):
        lines = block.splitlines()
        typed = lines if kind == "sh" else [line[2:] for line in lines if line.startswith("$ ")]
        for line in typed:
            words = shlex.split(line, comments=True)
            ends = [i for i, word in enumerate(words) if word in {">", "|", "&&"}]
            yield words[: min(ends, default=len(words))]


def command_of(words: list[str]) -> str | None:
    """The command that a line calls, if there is one."""
    return next((" ".join(words[1:n]) for n in (4, 3, 2) if " ".join(words[1:n]) in COMMANDS), None)


@pytest.mark.parametrize("page", EACH_PAGE)
def test_what_a_page_tells_to_type_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for words in filter(None, shown_commands(page.read_text())):
        if words[0] == "make":
            assert set(words[1:]) <= targets
        if words[0] == "leadglass":
            name = command_of(words)
            assert name is not None, " ".join(words)
            assert {w.partition("=")[0] for w in words if w.startswith("--")} <= options_of(COMMANDS[name])


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_a_target_that_help_lists_and_contributors_read(verb: str) -> None:
    assert re.search(rf"^{verb}:.*## \S", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert verb == "help" or f"`make {verb}`" in (ROOT / "CONTRIBUTING.md").read_text()


# ---- exit codes


def exit_codes() -> set[int]:
    """Every code that a command may return."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    raised = {kind.exit_code for kind in kinds if issubclass(kind, errors.LeadglassError)}
    return raised | {0, ending.EXPOSED, ending.UNFINISHED, cli.INTERRUPTED}


@pytest.mark.parametrize("page", ["README.md", "docs/reference/exit-codes.md"])
def test_every_exit_code_is_documented_and_no_other(page: str) -> None:
    listed = re.findall(r"^\| `(\d+)` \|", (ROOT / page).read_text(), re.MULTILINE)

    assert {int(code) for code in listed} == exit_codes()


def test_the_manual_page_has_every_exit_code_and_no_other() -> None:
    section = MANUAL.partition(".SH EXIT STATUS")[2].partition(".SH")[0]

    assert {int(code) for code in re.findall(r"^\.B (\d+)$", section, re.MULTILINE)} == exit_codes()


# ---- settings


def settings() -> Iterator[str]:
    """Every key of the scope file, as ``table.key``."""
    for table, model in scope_file._TABLES.items():
        for key in model.model_fields:
            yield f"{table}.{key}" if table else key


@pytest.mark.parametrize("key", sorted(settings()))
def test_every_key_of_the_scope_file_is_documented(key: str) -> None:
    page = (DOCS / "reference" / "scope.md").read_text()

    assert f"`{key.rpartition('.')[2]}`" in page or f"[{key}]" in page


# ---- links


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def links(page: Path) -> Iterator[str]:
    """Link targets outside of code blocks."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    return iter(re.findall(r"\]\(([^)\s]+)\)", text))


@pytest.mark.parametrize("page", EACH_PAGE)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        if "://" in path:
            continue
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)

    assert broken == []


def test_every_page_is_reached_from_the_index() -> None:
    reached, open_ = set(), [DOCS / "README.md"]
    while open_:
        page = open_.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        near = page.name == "README.md"  # an index counts, a link in passing does not
        open_ += [(page.parent / link.partition("#")[0]).resolve() for link in links(page) if near]

    assert {str(page) for page in PAGES if page.is_relative_to(DOCS)} <= {str(page) for page in reached}


# ---- promises and layers


def test_every_test_that_a_promise_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", (DOCS / "explanation" / "promises.md").read_text()))
    sources = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    defined = set(re.findall(r"^ *(?:async )?def (test_\w+)", sources, re.MULTILINE))

    assert named
    assert named - defined == set()


def test_architecture_has_a_paragraph_for_every_folder() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    folders = {path.parent.name for path in (ROOT / "src" / "leadglass").glob("*/__init__.py")}
    described = set(re.findall(r"^\*\*`(\w+)/`\*\*", text, re.MULTILINE))

    assert described == folders


def test_architecture_shows_the_layers_that_are_checked() -> None:
    from_test = (ROOT / "tests" / "unit" / "test_imports.py").read_text()
    table = from_test.partition("LAYERS")[2].partition("\n)\n")[0]
    checked = [re.findall(r'"(\w+)"', line) for line in table.splitlines()[1:]]
    block = (ROOT / "ARCHITECTURE.md").read_text().partition("```\n")[2].partition("```")[0]
    shown = [line.split(" | ") for line in block.splitlines()]

    assert shown == [line for line in checked if line and line != ["__main__"]]
