"""Secrets for other services that stand in the file: of databases, peers, DICOMweb servers and object stores."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from leadglass.configs.catalogue import finding
from leadglass.configs.json_nodes import Array, Node, Object, Scalar, written
from leadglass.configs.orthanc.options import core
from leadglass.configs.orthanc.settings import Entry, Settings, shown
from leadglass.configs.orthanc.web import variable_of
from leadglass.configs.passwords import GUESSABLE, quality
from leadglass.configs.reading import Login
from leadglass.model.finding import Cause, Edit, Finding

__all__ = ["credential_findings"]

_DATABASES = frozenset({"PostgreSQL", "MySQL", "Odbc", "MongoDB"})
_RULES = {
    (True, True): "LG-ORTHANC-050",
    (True, False): "LG-ORTHANC-051",
    (False, True): "LG-ORTHANC-052",
    (False, False): "LG-ORTHANC-053",
}
"""By whether it is a database's, and whether it is guessed."""
_NAMED = re.compile(
    r"password$|passwd$|^pwd$|secret|^pin$|apikey$|api_key$|token$|^authorization$", re.IGNORECASE
)
_USER = ("Username", "username", "User", "user", "WebServiceUsername", "AccessKey")
_IN_URL = re.compile(r"://(?P<user>[^/@:\s\"]{1,80}):(?P<secret>[^/@\s\"]{1,200})@")
_IN_LIST = re.compile(r"(?:AccountKey|Pwd|Password)=(?P<secret>[^;\"]{1,200})", re.IGNORECASE)
_LISTED = 3
"""Address, user and password of a peer that is written as a list."""
_MOST = 100
"""Findings in one file."""


@dataclass(frozen=True, slots=True)
class _Secret:
    entry: Entry
    path: str
    node: Scalar
    start: int
    """Of the secret in the text."""
    end: int
    user: str
    secret: str = field(repr=False)
    whole: bool = True
    """It is all of the value, so that quotes are written too."""


def credential_findings(settings: Settings) -> Iterator[Finding]:
    """All secrets but those of Orthanc's own users."""
    entries = (entry for entry in settings.all_entries if settings.entry(entry.name) is entry)
    secrets = (secret for entry in entries if entry.name != "RegisteredUsers" for secret in _within(entry))
    return itertools.islice((found for secret in secrets for found in _judged(settings, secret)), _MOST)


def _judged(settings: Settings, secret: _Secret) -> Iterator[Finding]:
    text = settings.text(secret.secret)
    login = Login.EXTERNAL if text is None or not text else quality(text, secret.user)
    if login is Login.EXTERNAL:
        return
    rule = _RULES[secret.entry.name in _DATABASES, login in GUESSABLE]
    words = {
        Login.DEFAULT: "is the factory's",
        Login.PLACEHOLDER: "is a placeholder",
        Login.WEAK: "is guessed in seconds",
    }
    says = f"the secret in {secret.path} {words.get(login, 'stands in this file')}"
    cause = {Login.PLACEHOLDER: Cause.FORGOTTEN, Login.DEFAULT: Cause.FACTORY_DEFAULT}.get(
        login, Cause.DELIBERATE
    )
    source = secret.entry.source
    yield finding(rule, source, secret.node.start, secret.path, says, cause=cause, edits=(_renewed(secret),))


def _renewed(secret: _Secret) -> Edit:
    """The secret from a variable."""
    variable = variable_of(secret.path, "" if _NAMED.search(secret.path) else "PASSWORD")
    text = written(variable) if secret.whole else variable
    return secret.entry.source.edit(secret.start, secret.end, text)


def _within(entry: Entry) -> Iterator[_Secret]:
    """The secrets of an option, however deep they stand."""
    left: list[tuple[str, Node, str | None]] = [(shown(entry.name, 40), entry.node, None)]
    while left:
        path, node, user = left.pop()
        if isinstance(node, Object):
            mine = _user(node)
            left += [
                (f"{path}.{shown(one.name, 40)}"[:200], one.node, mine) for one in reversed(node.members)
            ]
        elif isinstance(node, Array):
            yield from _listed(entry, path, node.items)
            left += [(path, item, None) for item in reversed(node.items)]
        elif isinstance(node, Scalar) and isinstance(node.value, str) and node.value:
            yield from _scalar(entry, path, node, node.value, user)


def _scalar(entry: Entry, path: str, node: Scalar, value: str, user: str | None) -> Iterator[_Secret]:
    name = path.rpartition(".")[2]
    if user is not None and _NAMED.search(name) and name not in core():
        yield _Secret(entry, path, node, node.start, node.end, user, value)
        return
    raw = entry.source.text[node.start : node.end]
    found = _IN_URL.search(raw) or _IN_LIST.search(raw)
    if found:
        start, end = (node.start + offset for offset in found.span("secret"))
        named = found.groupdict().get("user") or ""
        yield _Secret(entry, path, node, start, end, named, found["secret"], whole=False)


def _listed(entry: Entry, path: str, items: Sequence[Node]) -> Iterator[_Secret]:
    """The password of ``[ "http://...", "user", "password" ]``."""
    words = [item for item in items[:_LISTED] if isinstance(item, Scalar) and isinstance(item.value, str)]
    if len(words) == _LISTED and str(words[0].value).startswith(("http://", "https://")):
        last = words[-1]
        yield _Secret(entry, path, last, last.start, last.end, str(words[1].value), str(last.value))


def _user(owner: Object) -> str:
    """Whose password it is that stands in an object."""
    named = {one.name: one.node for one in owner.members if one.name in _USER}
    found = (node for name in _USER if isinstance(node := named.get(name), Scalar))
    return str(next((node.value for node in found), ""))
