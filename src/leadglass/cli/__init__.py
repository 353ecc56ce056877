"""Words in, exit code out.

Commands are loaded by name from one table, so that ``--help`` is quick and a scan does not load
the dashboard. This is the one place where an import happens inside a function.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import NamedTuple

import typer

from leadglass import __version__
from leadglass.cli.terminal import complain, write
from leadglass.errors import ConfigError, LeadglassError

__all__ = ["COMMANDS", "INTERRUPTED", "app", "load", "main"]

INTERRUPTED = 130


class Command(NamedTuple):
    """Where a command lives and what ``--help`` says of it."""

    module: str
    help: str
    group: bool = False
    """The module has an ``app`` with commands of its own."""
    function: str | None = None
    """The function in it, where that is not named as the command."""


COMMANDS: Mapping[str, Command] = {
    "demo": Command("leadglass.cli.demo", "Scan a lab of servers on this machine, and explain each verdict."),
    "check": Command("leadglass.cli.check", "A quick look at your own server."),
    "scan": Command(
        "leadglass.cli.scan", "Look at everything that a scope permits, and keep it.", group=True
    ),
    "import": Command(
        "leadglass.cli.importing", "Keep what Shodan or Censys saw, sending nothing.", function="import_"
    ),
    "explain": Command(
        "leadglass.cli.explain", "Why a record says what it says, and what would settle the rest."
    ),
    "scope": Command("leadglass.cli.scope", "Write, show and verify a scope.", group=True),
    "guard": Command("leadglass.cli.guard", "A lock for archives that have none.", group=True),
    "lab": Command("leadglass.cli.lab", "Serve DICOM servers with known truth on loopback."),
    "worker": Command(
        "leadglass.cli.worker", "Take part in the scans that others begin in the same database."
    ),
    "db": Command("leadglass.cli.db", "Look after the database.", group=True),
    "schema": Command("leadglass.cli.schema", "Print the JSON Schema of a record or a configuration file."),
}


def app(load: Sequence[str] | None = None) -> typer.Typer:
    """The command line, with only the commands in ``load`` really loaded (None: all of them)."""
    tree = typer.Typer(
        name="leadglass",
        help="See which DICOM servers are exposed, and what a stranger can do with each.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    tree.callback()(_options)
    for name, command in COMMANDS.items():
        _add(tree, name, command, loaded=load is None or name in load)
    return tree


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        app(load=words[:1])(words)
    except SystemExit as exc:
        return exc.code if isinstance(exc.code, int) else int(exc.code is not None)
    except LeadglassError as exc:
        complain(str(exc))
        return exc.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has gone (``| head``). Python would complain about the unflushed rest at exit.
        sys.stdout = None
        return 0
    return 0


def load(module: str, *, extra: str) -> ModuleType:
    """A module that needs what the extra ``extra`` installs; ``ConfigError`` if that is missing."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as exc:
        raise ConfigError(
            f"this needs packages that are not installed ({exc.name})",
            then=f"pip install 'leadglass[{extra}]'",
        ) from exc


def _add(tree: typer.Typer, name: str, command: Command, *, loaded: bool) -> None:
    if not loaded:
        tree.command(name, help=command.help)(_unloaded)
        return
    module = importlib.import_module(command.module)
    if command.group and module.app.registered_callback:  # a command itself, with help of its own
        tree.add_typer(module.app, name=name)
    elif command.group:
        tree.add_typer(module.app, name=name, help=command.help)
    else:
        function: Callable[..., None] = getattr(module, command.function or name)
        tree.command(name)(function)


def _unloaded() -> None:
    """Stand in for a command in the list of commands; ``main`` loads the one that is called."""


def _version(wanted: bool) -> None:
    if wanted:
        write(f"leadglass {__version__}\n")
        raise typer.Exit


def _options(
    version: bool = typer.Option(
        False, "--version", help="Print the version and exit.", is_eager=True, callback=_version
    ),
) -> None:
    """See which DICOM servers are exposed, and what a stranger can do with each."""
