"""What is wrong with the web interface: who gets in, with which password, and what it lets them do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from leadglass.configs.catalogue import finding
from leadglass.configs.json_nodes import Object, Scalar, replaced
from leadglass.configs.orthanc.server import Server, User
from leadglass.configs.orthanc.settings import rename, shown
from leadglass.configs.passwords import GUESSABLE
from leadglass.configs.reading import Login
from leadglass.model.finding import Certainty, Edit, Finding
from leadglass.model.verdict import Access

__all__ = ["variable_of", "web_findings"]

_LISTENER = "web"
_USERS = "RegisteredUsers"
_OLD_TLS = 4
"""Of ``SslMinimumProtocolVersion``: TLS 1.2 and what came after."""

_BY_LOGIN: Mapping[Login, tuple[str, str]] = {
    Login.DEFAULT: ("LG-ORTHANC-002", "has the factory's password"),
    Login.PLACEHOLDER: ("LG-ORTHANC-005", "has a placeholder for a password"),
    Login.WEAK: ("LG-ORTHANC-006", "has a password that is guessed in seconds"),
    Login.PUBLISHED: ("LG-ORTHANC-007", "has a password that stands in this file"),
}


def web_findings(server: Server) -> Iterator[Finding]:
    """All that concerns HTTP; nothing when the interface is closed to other machines."""
    unsaid = server.settings.flag("RemoteAccessAllowed") is None
    if not server.web or not (server.remote or unsaid):
        return
    yield from _users(server)
    if not server.remote:
        yield from _in_an_image(server)
        return
    yield from _open(server)
    yield from _nobody_declared(server)
    yield from _tls(server)
    yield from _powers(server)


def variable_of(words: str, ending: str = "PASSWORD") -> str:
    """The variable that a fix takes a secret from, as it stands in the file: ``${ORTHANC_ADMIN_PASSWORD}``."""
    name = re.sub(r"[^A-Z0-9]+", "_", words.upper()).strip("_")[:40]
    own = name.removeprefix("ORTHANC").strip("_")
    return "${" + "_".join(filter(None, ("ORTHANC", own, ending))) + "}"


def _open(server: Server) -> Iterator[Finding]:
    if server.web_exposure is not Access.ANSWERS_QUERY:
        return
    yield _at(
        server, "LG-ORTHANC-001", "AuthenticationEnabled",
        "other machines are let in, and nobody is asked for a login", edits=_closing(server),
    )  # fmt: skip
    if server.users:
        yield _at(
            server, "LG-ORTHANC-009", _USERS,
            "users are declared, and AuthenticationEnabled is false", edits=_closing(server),
        )  # fmt: skip


def _in_an_image(server: Server) -> Iterator[Finding]:
    if server.settings.flag("AuthenticationEnabled") is False and not server.authorised:
        says = "nobody is asked for a login; in a container image other machines are let in"
        yield _at(server, "LG-ORTHANC-010", "AuthenticationEnabled", says, edits=_closing(server))


def _nobody_declared(server: Server) -> Iterator[Finding]:
    if not server.authenticated or server.logins:
        return
    if server.login is Login.DEFAULT:
        says = "a login is asked for, and no user is declared: Orthanc makes orthanc/orthanc"
        yield _at(server, "LG-ORTHANC-003", _USERS, says, edits=_declared(server))
    else:
        says = "a login is asked for, and no user is declared here"
        yield _at(server, "LG-ORTHANC-004", _USERS, says, edits=_declared(server))


def _users(server: Server) -> Iterator[Finding]:
    """Passwords, wherever a login may be asked for; while it is off, they come with what turns it on."""
    if not server.authenticated and server.settings.flag("AuthenticationEnabled") is not None:
        return
    certainty: Mapping[str, Any] = {} if server.remote else {"certainty": Certainty.DEPENDS}
    for user in server.users:
        rule, words = _BY_LOGIN.get(user.login, ("", ""))
        edits = _renewed(server, user)
        if rule:
            yield _of(server, rule, user, f"the user {_shown(user)} {words}", edits=edits, **certainty)
        elif unset := _unset(server, user):
            says = f"the password of {_shown(user)} is empty unless {shown(unset)} is set"
            yield _of(server, "LG-ORTHANC-008", user, says)


def _tls(server: Server) -> Iterator[Finding]:
    if not server.settings.on("SslEnabled"):
        says = "the web interface is open to other machines without TLS"
        yield _at(server, "LG-ORTHANC-011", "SslEnabled", says)
        return
    lowest = server.settings.number("SslMinimumProtocolVersion")
    if lowest is not None and lowest < _OLD_TLS:
        edits = server.settings.put("SslMinimumProtocolVersion", _OLD_TLS)
        says = "versions before TLS 1.2 are accepted"
        yield _at(server, "LG-ORTHANC-012", "SslMinimumProtocolVersion", says, edits=edits)


def _powers(server: Server) -> Iterator[Finding]:
    """What those who are in may do beyond reading studies."""
    for rule, option, says in (
        ("LG-ORTHANC-013", "ExecuteLuaEnabled", "clients may run programs on the server"),
        (
            "LG-ORTHANC-014",
            "RestApiWriteToFileSystemEnabled",
            "clients may write to the server's file system",
        ),
        ("LG-ORTHANC-015", "WebDavEnabled", "the archive is a network drive as well"),
    ):
        if server.settings.on(option):
            edits = server.settings.put(option, value=False, after="RemoteAccessAllowed")
            exposure = {} if server.login in GUESSABLE else {"exposure": server.web_exposure}
            yield _at(server, rule, option, says, edits=edits, **exposure)


def _closing(server: Server) -> tuple[Edit, ...]:
    """A login is asked for, and no password is one that others know."""
    settings = server.settings
    enabled = settings.put("AuthenticationEnabled", value=True, after="RemoteAccessAllowed")
    if not enabled:
        return ()
    renewed = tuple(
        edit for user in server.users if user.login in _BY_LOGIN for edit in _renewed(server, user)
    )
    return (*enabled, *renewed, *(() if server.logins else _declared(server)))


def _declared(server: Server) -> tuple[Edit, ...]:
    """One user at least. Users under a misspelt name are those that were meant."""
    misspelt = server.settings.misspelt.get(_USERS)
    if misspelt and isinstance(misspelt.node, Object) and misspelt.node.members:
        return (rename(misspelt, _USERS),)
    after = (
        "AuthenticationEnabled" if server.settings.entry("AuthenticationEnabled") else "RemoteAccessAllowed"
    )
    return server.settings.put(_USERS, {"admin": variable_of("admin")}, after=after)


def _renewed(server: Server, user: User) -> tuple[Edit, ...]:
    """The password from a variable."""
    entry = server.settings.entry(_USERS)
    return (replaced(entry.source, user.member.node, variable_of(user.member.name)),) if entry else ()


def _unset(server: Server, user: User) -> str | None:
    node = user.member.node
    return (
        server.settings.unset(node.value)
        if isinstance(node, Scalar) and isinstance(node.value, str)
        else None
    )


def _shown(user: User) -> str:
    return shown(user.member.name, 40) or '""'


def _of(server: Server, rule: str, user: User, says: str, **other: Any) -> Finding:
    entry = server.settings.entry(_USERS)
    assert entry is not None
    option = f"{_USERS}.{_shown(user)}"
    return finding(rule, entry.source, user.member.start, option, says, listener=_LISTENER, **other)


def _at(server: Server, rule: str, option: str, says: str, **other: Any) -> Finding:
    source, offset = server.settings.place(option, "RemoteAccessAllowed")
    return finding(rule, source, offset, option, says, listener=_LISTENER, **other)
