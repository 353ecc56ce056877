"""Settings: what is on, what is off, and where it is changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fastapi.responses import HTMLResponse

from leadglass.model.account import Permission
from leadglass.web.doors import Doors
from leadglass.web.pages.telling import Link
from leadglass.web.rendering import page
from leadglass.web.site import Site
from leadglass.web.visit import Visit, Visiting

__all__ = ["Switch", "doors", "switches"]

doors = Doors(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Switch:
    """Something that can be on or off."""

    name: str
    is_on: bool
    says: str
    turn_on: str
    """How it is turned on; "" if it is."""


@doors.get("/settings", Permission.READ)
def settings(visit: Visiting) -> HTMLResponse:
    """Show what is on and off, and the ways to accounts, tokens and actions."""
    return page("settings.html", visit, links=tuple(_links(visit)), switches=tuple(switches(visit.site)))


def switches(site: Site) -> Iterable[Switch]:
    """What is on and what is off. Files are not named: their paths concern nobody but this machine."""
    told, desks = site.settings, site.desks
    number = len(desks.watch.schedules())
    yield _switch(
        "Scheduled scans", number > 0, f"{number} in watch.toml.", 'watch = "watch.toml" in serve.toml'
    )
    yield _switch(
        "Watcher", desks.watch.is_running(), "It takes orders.", "leadglass watch, or schedules in serve.toml"
    )
    yield _switch(
        "Encryption to browsers", told.is_secure, "TLS.", "certificate and key in serve.toml, or a proxy"
    )
    yield _switch(
        "Identity provider", told.oidc is not None, "It vouches for people.", "[oidc] in serve.toml"
    )
    yield _switch(
        "Guard", desks.guard is not None, "Its state is shown here.", "guard = its folder, in serve.toml"
    )
    yield _switch(
        "Requirements", bool(told.profiles), f"{', '.join(told.profiles)}.", "profiles = [...] in serve.toml"
    )


def _switch(name: str, is_on: bool, says: str, turn_on: str) -> Switch:
    return Switch(name, is_on, says if is_on else "", "" if is_on else turn_on)


def _links(visit: Visit) -> Iterable[tuple[Link, str]]:
    yield Link("Your account", "/account"), "Password, sessions, and tokens for programs."
    if visit.may(Permission.ADMINISTER):
        yield Link("Accounts", "/settings/accounts"), "Who may sign in, as what, and whose tokens count."
    if visit.may(Permission.AUDIT):
        yield (
            Link("What was done", "/settings/actions"),
            "Every action here and at the API, in a chain of hashes.",
        )
