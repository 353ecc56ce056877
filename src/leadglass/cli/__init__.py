"""Words in, exit code out.

Commands are loaded by name from one table, so that ``--help`` is quick and a scan does not load
the dashboard. This is the one place where an import happens inside a function.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, NamedTuple, cast

import typer
from typer.core import TyperArgument, TyperGroup

from leadglass import __version__
from leadglass.cli.terminal import complain, suit, write
from leadglass.errors import ConfigError, LeadglassError, ResourceError, UsageError
from leadglass.report.safe import visible

__all__ = ["COMMANDS", "INTERRUPTED", "app", "fetch", "load", "main"]

INTERRUPTED = 130

_WrongWords = cast("type[typer.BadParameter]", typer.BadParameter.__base__)
"""Whatever Typer finds wrong with the words: it gives the class no public name."""
_ANYTHING = {"ignore_unknown_options": True, "allow_extra_args": True}


class Command(NamedTuple):
    """Where a command lives and what ``--help`` says of it."""

    module: str
    help: str
    group: bool = False
    """The module has an ``app`` with commands of its own."""
    function: str | None = None
    """The function in it, where that is not named as the command."""
    linux: bool = False
    """It needs what only Linux has."""


COMMANDS: Mapping[str, Command] = {
    "demo": Command("leadglass.cli.demo", "Scan a lab of servers on this machine, and explain each verdict."),
    "check": Command("leadglass.cli.check", "A quick look at your own server."),
    "scan": Command("leadglass.cli.scan", "Look at everything that a scope permits, and keep it."),
    "scan list": Command(
        "leadglass.cli.scans", "The scans that are kept, latest first, and what was seen.", function="list_"
    ),
    "scan show": Command(
        "leadglass.cli.scans", "A scan that is kept, as any report: also as Parquet, for analysts."
    ),
    "scan diff": Command(
        "leadglass.cli.scans",
        "What changed: since each endpoint was last seen from the same place, or between two scans.",
    ),
    "scan status": Command(
        "leadglass.cli.scans",
        "How far a scan is: shards, rate, vantage points, workers, and when it will end.",
    ),
    "import": Command(
        "leadglass.cli.importing", "Keep what Shodan or Censys saw, sending nothing.", function="import_"
    ),
    "explain": Command(
        "leadglass.cli.explain", "Why a record says what it says, and what would settle the rest."
    ),
    "lint": Command("leadglass.cli.lint", "What configuration files expose, why, and the fix."),
    "scope": Command("leadglass.cli.scope", "Write, show and verify a scope.", group=True),
    "survey": Command(
        "leadglass.cli.survey", "Count exposed servers, with the uncertainty of it.", group=True
    ),
    "owner": Command("leadglass.cli.owner", "Who runs an endpoint, how sure that is, and whom to write to."),
    "owner state": Command(
        "leadglass.cli.owner_state",
        "Write down what an owner says of a server, which overrules the evidence.",
    ),
    "owner statements": Command(
        "leadglass.cli.owner_state", "What owners said of their servers; or withdraw one of them."
    ),
    "owner gather": Command(
        "leadglass.cli.owner_gather",
        "Find out what is around the servers of a stored scan, and keep it for the survey.",
    ),
    "notify": Command(
        "leadglass.cli.notify", "Tell owners what was seen, and find out whether that helped.", group=True
    ),
    "guard": Command("leadglass.cli.guard", "A lock for archives that have none.", group=True, linux=True),
    "firewall": Command(
        "leadglass.cli.firewall", "Write and prove the rules that leave only known peers.", group=True
    ),
    "register": Command(
        "leadglass.cli.register",
        "Who runs each imaging system, what may be open there, and what was seen.",
        group=True,
    ),
    "watch": Command(
        "leadglass.cli.watch", "Look again and again, and tell who has to hear of it.", group=True
    ),
    "serve": Command("leadglass.cli.serve", "The dashboard and the API, in a browser on this machine."),
    "serve account": Command("leadglass.cli.serve_account", "Who may sign in at the dashboard.", group=True),
    "remote": Command("leadglass.cli.remote", "Ask another Leadglass that serves, by its API.", group=True),
    "lab": Command("leadglass.cli.lab", "Serve DICOM servers with known truth on loopback."),
    "worker": Command(
        "leadglass.cli.worker", "Take part in the scans that others begin in the same database."
    ),
    "db": Command("leadglass.cli.db", "Look after the database.", group=True),
    "schema": Command("leadglass.cli.schema", "Print the JSON Schema of a record or a configuration file."),
}
"""By name. ``scan list`` is a command of ``scan``."""


def app(words: Sequence[str] | None = None) -> typer.Typer:
    """The command line, with only the commands that ``words`` call really loaded (None: all of them)."""
    tree = typer.Typer(
        name="leadglass",
        help="See which DICOM servers are exposed, and what a stranger can do with each.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    tree.callback()(_options)
    for name, command in COMMANDS.items():
        if " " not in name:
            _add(tree, name, command, words)
    return tree


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if argv is None:
        # Asked to end, a command ends as it does with Ctrl-C: nothing half-written stays behind.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    suit()
    try:
        return app(words)(words, standalone_mode=False) or 0
    except SystemExit as exc:
        return exc.code if isinstance(exc.code, int) else int(exc.code is not None)
    except _WrongWords as exc:
        if exc.format_message():  # else there were no words at all, and the help has been shown
            complain(str(_refused(exc)))
        return UsageError.exit_code
    except LeadglassError as exc:
        complain(str(exc))
        return exc.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has gone (``| head``). Python would complain about the unflushed rest at exit.
        sys.stdout = None
        return 0
    except OSError as exc:
        complain(_unforeseen(exc))
        return ResourceError.exit_code


def _refused(exc: typer.BadParameter) -> UsageError:
    """What is wrong with the words, in one line like everything else."""
    path = exc.ctx.command_path if exc.ctx is not None else "leadglass"
    said = exc.format_message().replace("Value error, ", "")
    what = visible(" ".join(said.split())).rstrip(".")
    where = path.partition(" ")[2]
    return UsageError(what[:1].lower() + what[1:], where=where, then=f"{path} --help tells what it takes")


def _unforeseen(exc: OSError) -> str:
    """What the system refused where nothing better can be said of it: a full disk in the midst of ``--help``."""
    where = "" if exc.filename is None else f"{os.fsdecode(exc.filename)}: "
    return f"{where}this machine cannot go on ({(exc.strerror or str(exc)).lower()})"


def load(module: str, *, extra: str) -> ModuleType:
    """A module that needs what the extra ``extra`` installs; ``ConfigError`` if that is missing."""
    try:
        return fetch(module)
    except ModuleNotFoundError as exc:
        raise ConfigError(
            f"this needs packages that are not installed ({exc.name})",
            then=f"pip install 'leadglass[{extra}]'",
        ) from exc


def fetch(module: str) -> ModuleType:
    """A module that not every call of a command needs, because it takes a while to load."""
    return importlib.import_module(module)


def _add(tree: typer.Typer, name: str, command: Command, words: Sequence[str] | None) -> None:
    if words is not None and name not in words[:1]:
        tree.command(name, help=command.help)(_unloaded)
        return
    if command.linux and sys.platform != "linux":
        tree.command(name, help=command.help, context_settings=_ANYTHING)(_refuse)
        return
    module = fetch(command.module)
    if command.group:
        tree.add_typer(module.app, name=name, help=command.help)
        return
    function: Callable[..., None] = getattr(module, command.function or name)
    inner = {key.partition(" ")[2]: COMMANDS[key] for key in COMMANDS if key.startswith(f"{name} ")}
    if inner:
        tree.add_typer(_with(function, inner, words), name=name)
    else:
        tree.command(name)(function)


class _Group(TyperGroup):
    """Takes its first word for an argument of its own, unless a command of it is called so."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The words that are left for the command."""
        called = bool(args) and args[0] in self.commands
        own = [param for param in self.params if isinstance(param, TyperArgument)]
        # What follows a command's name is that command's.
        ctx.allow_interspersed_args = bool(own) and not called
        return super().parse_args(ctx, [*("-" for _ in own if called), *args])


def _with(
    function: Callable[..., None], inner: Mapping[str, Command], words: Sequence[str] | None
) -> typer.Typer:
    """A command that has commands of its own."""
    tree = typer.Typer(cls=_Group, invoke_without_command=True)
    tree.callback()(function)
    for name, command in inner.items():
        loaded = words is None or name in words[1:]
        if command.group:
            tree.add_typer(
                fetch(command.module).app if loaded else typer.Typer(), name=name, help=command.help
            )
            continue
        called = getattr(fetch(command.module), command.function or name) if loaded else _unloaded
        tree.command(name, help=None if loaded else command.help)(called)
    return tree


def _unloaded() -> None:
    """Stand in for a command in the list of commands; ``main`` loads the one that is called."""


def _refuse() -> None:
    """Stand in for a command that this system cannot have."""
    raise ConfigError("this command needs Linux", then="docs/reference/platforms.md says what runs where")


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
