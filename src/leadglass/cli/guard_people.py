"""``leadglass guard user`` and ``emergency``: persons, and what they may do when seconds count."""

from __future__ import annotations

from typing import Annotated

import typer

from leadglass import wiring
from leadglass.access.identity import MOST_CHARACTERS
from leadglass.access.names import physician_key
from leadglass.access.passcodes import SALT_BYTES, hash_passcode
from leadglass.cli.asking import ask_secret
from leadglass.cli.guard_enrol import require_roles
from leadglass.cli.guard_options import (
    CONFIG,
    REASON,
    ConfigOption,
    InstitutionsOption,
    LabelsOption,
    RolesOption,
    seconds,
    shown_time,
    texts,
)
from leadglass.cli.terminal import complain, write
from leadglass.errors import UsageError
from leadglass.model.enrolment import Roll, User
from leadglass.store import guard_people as people
from leadglass.store.guard_roll import read_roll
from leadglass.wiring.guard_setup import read_site, roll_of

__all__ = ["add", "emergency", "remove", "user"]

_SHORTEST = 8
"""Characters in a passcode (NIST SP 800-63B 5.1.1.1)."""
_LONGEST_EMERGENCY = 86_400

user = typer.Typer(no_args_is_help=True)

_Name = Annotated[str, typer.Argument(help="The user name.", show_default=False)]


@user.callback()
def _user() -> None:
    """Persons whom the guard knows by name and passcode."""


@user.command()
def add(
    name: _Name,
    role: RolesOption = None,
    physician_name: Annotated[
        list[str] | None,
        typer.Option(metavar="PN", help="How studies name this person, as DOE^JANE; may be repeated."),
    ] = None,
    institution: InstitutionsOption = None,
    label: LabelsOption = None,
    config: ConfigOption = CONFIG,
) -> None:
    """Let a person in by a passcode, or change what is known of one. The passcode is asked, or read from a pipe.

    Example: leadglass guard user add ada --role radiologist --institution "Example Hospital"
    """
    site = read_site(config)
    (called,) = texts([name], "NAME")
    roles = texts(role, "--role")
    require_roles(site, roles)
    person = User(
        name=called,
        password_hash=_hashed(ask_secret("Passcode")),
        roles=roles,
        physician_names=tuple(map(physician_key, texts(physician_name, "--physician-name"))),
        institutions=texts(institution, "--institution"),
        labels=texts(label, "--label"),
    )
    with roll_of(site) as database:
        people.add_user(database, person)
    write(f"{called} is let in by this passcode, over TLS only.\n")


@user.command()
def remove(name: _Name, config: ConfigOption = CONFIG) -> None:
    """Let a person in no more.

    Example: leadglass guard user remove ada
    """
    with roll_of(read_site(config)) as database:
        people.remove_user(database, name)
    write(f"{name} is let in no more.\n")


def emergency(
    name: Annotated[
        str,
        typer.Argument(help="The person, device or service; of a token, its subject.", show_default=False),
    ],
    reason: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Why. It is written to the audit.")
    ] = None,
    for_: Annotated[str, typer.Option("--for", metavar="TIME", help="For how long, 24h at most.")] = "1h",
    end: Annotated[bool, typer.Option("--end", help="It is over.")] = False,
    config: ConfigOption = CONFIG,
) -> None:
    """Break the glass: let a clinician read every study, for a reason and a while, with everything audited.

    Example: leadglass guard emergency ada --reason "trauma, room 2" --for 1h
    """
    site = read_site(config)
    if end:
        with roll_of(site) as database:
            people.end_emergency(database, name)
        write(f"Break-glass for {name} is over.\n")
        return
    if reason is None:
        raise UsageError("--reason is missing", then='say why, as --reason "trauma, room 2"')
    (why,), (called,) = texts([reason], "--reason", REASON), texts([name], "NAME", MOST_CHARACTERS)
    length = seconds(for_, "--for")
    if not 0 < length <= _LONGEST_EMERGENCY:
        raise UsageError("break-glass ends after 24h at most", where="--for", then="begin it again then")
    with roll_of(site) as database:
        begun = people.begin_emergency(database, called, why, length)
        known = _holds(read_roll(database), called)
    write(
        f"BREAK-GLASS for {called} until {shown_time(begun.until)}: {why}\nEverything it opens is in the audit.\n"
    )
    for warning in known:
        complain(warning)


def _holds(roll: Roll, name: str) -> list[str]:
    """What keeps break-glass from having an effect, as far as the roll tells: persons by token are not on it."""
    if name in roll.users and name in roll.enrolled:
        return [f"a person and a device are called {name}: break-glass is in force for both"]
    entry = roll.users.get(name) or roll.enrolled.get(name)
    if entry is None:
        return [f"nobody on the roll is called {name}: it has an effect only if a token's subject is"]
    return (
        [] if "clinician" in entry.roles else [f"{name} has not the role clinician: see that its policies do"]
    )


def _hashed(passcode: str) -> str:
    if len(passcode) < _SHORTEST:
        raise UsageError(f"a passcode has {_SHORTEST} characters or more")
    try:
        return hash_passcode(passcode, wiring.randomness().token(SALT_BYTES))
    except ValueError as exc:
        raise UsageError(f"this passcode cannot be used: {exc}") from exc
