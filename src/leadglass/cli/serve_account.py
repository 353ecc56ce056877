"""``leadglass serve account``: who may sign in, for administrators without a browser or locked out of it."""

from __future__ import annotations

import dataclasses
import getpass
from typing import Annotated

import typer

from leadglass.cli import load
from leadglass.cli.database import DatabaseOption
from leadglass.cli.storing import opened
from leadglass.cli.terminal import write
from leadglass.errors import UsageError
from leadglass.model.account import Account, Role
from leadglass.store import accounts
from leadglass.store.actions import Action, note_action
from leadglass.store.database import Database

__all__ = ["app"]

_LINK_SECONDS = 86_400

app = typer.Typer(help="Who may sign in at the dashboard.", no_args_is_help=True)

_Name = Annotated[str, typer.Argument(help="The name to sign in with.", show_default=False)]
_Role = Annotated[Role, typer.Option(help="What the account is for.")]


@app.command("list")
def list_(database: DatabaseOption = None) -> None:
    """Show every account, its role, and how it signs in.

    Example: leadglass serve account list
    """
    with opened(database) as store:
        for one in accounts.every_account(store):
            how = "identity provider" if one.subject else "password"
            state = ", disabled" if one.disabled else ""
            write(f"{one.name:<32}  {one.role:<13}  {how}{state}\n")


@app.command()
def add(
    name: _Name,
    role: _Role = Role.VIEWER,
    full_name: Annotated[str | None, typer.Option(help="The person's full name.", show_default=False)] = None,
    database: DatabaseOption = None,
) -> None:
    """Let somebody in; prints a link that sets the password, once, within a day.

    Example: leadglass serve account add ada --role operator
    """
    serving = load("leadglass.wiring.serving", extra="web")
    if not load("leadglass.web.signin", extra="web").is_name(name):
        raise UsageError(f"{name!r} is no name", then="small letters, digits and . _ @ + -, up to 64")
    with opened(database) as store:
        accounts.add_account(store, Account(name, role, full_name or ""))
        _note(store, "add an account", name, role.value)
        write(_told(serving.account_link(store, name, _LINK_SECONDS)))


@app.command()
def role(
    name: _Name, role: Annotated[Role, typer.Argument(help="The new role.")], database: DatabaseOption = None
) -> None:
    """Give an account another role; whoever is signed in with it has to do so anew.

    Example: leadglass serve account role ada administrator
    """
    with opened(database) as store:
        accounts.change_account(store, dataclasses.replace(_account(store, name), role=role))
        _note(store, "change the role of an account", name, role.value)


@app.command()
def disable(name: _Name, database: DatabaseOption = None) -> None:
    """Let nobody in by an account any more; its tokens are revoked.

    Example: leadglass serve account disable ada
    """
    with opened(database) as store:
        accounts.change_account(store, dataclasses.replace(_account(store, name), disabled=True))
        _note(store, "disable an account", name)


@app.command()
def enable(name: _Name, database: DatabaseOption = None) -> None:
    """Let somebody in by it again.

    Example: leadglass serve account enable ada
    """
    with opened(database) as store:
        accounts.change_account(store, dataclasses.replace(_account(store, name), disabled=False))
        _note(store, "enable an account", name)


@app.command()
def link(name: _Name, database: DatabaseOption = None) -> None:
    """Print a link that sets a new password, once, within a day: for somebody who forgot it or is locked out.

    Example: leadglass serve account link ada
    """
    serving = load("leadglass.wiring.serving", extra="web")
    with opened(database) as store:
        shown = serving.account_link(store, _account(store, name).name, _LINK_SECONDS)
        _note(store, "give a link that sets a password", name)
        write(_told(shown))


def _account(store: Database, name: str) -> Account:
    kept = accounts.account_of(store, name)
    if kept is None:
        raise UsageError(
            f"there is no account {name!r}", then="leadglass serve account list shows who there is"
        )
    return kept.account


def _note(store: Database, what: str, on: str, detail: str = "") -> None:
    note_action(store, Action(_somebody(), "command", what, on, "done", "", detail))


def _somebody() -> str:
    try:
        return getpass.getuser()[:64]
    except (ImportError, KeyError, OSError):  # no account of this machine has this number
        return ""


def _told(link: str) -> str:
    return f"Put the address of the dashboard before this; it works once, within a day:\n{link}\n"
