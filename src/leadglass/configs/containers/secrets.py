"""Passwords that a container is given in the file: how good they are, and what they open."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from leadglass.configs.catalogue import finding
from leadglass.configs.containers.images import Product, Secret
from leadglass.configs.containers.variables import resolved
from leadglass.configs.containers.workload import Variable, Workload
from leadglass.configs.passwords import quality, worst
from leadglass.configs.reading import Login
from leadglass.configs.source import Source
from leadglass.model.finding import Certainty, Finding
from leadglass.model.verdict import Severity

__all__ = ["Opened", "logins", "opened", "secret_findings"]

_RULES: Mapping[Login, str] = {
    Login.DEFAULT: "LG-CONTAINERS-001",
    Login.WEAK: "LG-CONTAINERS-002",
    Login.PLACEHOLDER: "LG-CONTAINERS-003",
    Login.PUBLISHED: "LG-CONTAINERS-004",
}
_SAYS: Mapping[Login, str] = {
    Login.DEFAULT: "is the maker's own, which everybody knows",
    Login.WEAK: "is short, or a common word",
    Login.PLACEHOLDER: "is the placeholder of a sample",
    Login.PUBLISHED: "stands in the file, for all who can read it or its history",
}
_PASSWORD = re.compile(r"(?<!EMPTY)(?:^|_)(?:[A-Z]*PASS(?:WORD|WD|PHRASE)?|PWD|PW)$")
"""Names of variables that hold a password. Orthanc's own are left to its reader."""
_IN_URL = re.compile(
    r"[a-z][a-z0-9+.-]{1,20}://(?P<user>[^\s:/@]{0,64}):(?P<word>[^\s/@]{1,128})@", re.IGNORECASE
)
_USERS: Mapping[str, str] = {"ROOT": "root", "ADMIN": "admin"}


@dataclass(frozen=True, slots=True)
class Opened:
    """One password of a container."""

    login: Login
    name: str
    """The variable."""
    offset: int
    listener: str | None
    """What it opens, by its name in the product; None: something else."""
    sure: bool = True


def opened(workload: Workload) -> tuple[Opened, ...]:
    """Every password that the file gives the container, or leaves as its maker made it."""
    product = workload.product
    named = tuple(_named(workload, product)) if product else ()
    seen = {one.name for one in named} | {secret.variable for secret in (product.secrets if product else ())}
    return (*named, *(one for one in _others(workload) if one.name not in seen))


def logins(found: tuple[Opened, ...], listener: str) -> Login | None:
    """What a caller of a listener has to know; None when the file says nothing of it."""
    some = [one.login for one in found if one.listener and f"{listener}-".startswith(f"{one.listener}-")]
    return worst(*some) if some else None


def secret_findings(source: Source, workload: Workload, found: tuple[Opened, ...]) -> Iterator[Finding]:
    """One for each that a stranger could know."""
    for one in found:
        rule = _RULES.get(one.login)
        if rule is None:
            continue
        other: dict[str, Any] = {} if one.sure else {"certainty": Certainty.DEPENDS}
        listener = f"{workload.name}/{one.listener}" if one.listener else None
        if listener is None and one.login is not Login.PUBLISHED:
            other |= {"severity": Severity.MEDIUM, "exposure": None}
        says = f"{one.name} of {workload.name} {_SAYS[one.login]}"
        yield finding(rule, source, one.offset, one.name, says, listener=listener, **other)


def _named(workload: Workload, product: Product) -> Iterator[Opened]:
    """Those that the image is known for."""
    for secret in product.secrets:
        variable = workload.variables.get(secret.variable)
        if variable is not None:
            yield _judged(variable, _user(workload, secret), secret.listener, secret.factory)
        elif secret.factory is not None and not _given(workload, secret):
            yield Opened(
                Login.DEFAULT, secret.variable, workload.offset, secret.listener, not workload.elsewhere
            )


def _given(workload: Workload, secret: Secret) -> bool:
    names = (f"{secret.variable}_FILE", secret.older, f"{secret.older}_FILE")
    return any(name in workload.variables for name in names)


def _user(workload: Workload, secret: Secret) -> str:
    variable = workload.variables.get(secret.named)
    return (variable.value if variable else None) or secret.user


def _judged(variable: Variable, user: str, listener: str | None, factory: str | None) -> Opened:
    if variable.value is None:
        return Opened(Login.EXTERNAL, variable.name, variable.offset, listener)
    login = Login.DEFAULT if variable.value == factory else _quality(variable.value, user)
    return Opened(login, variable.name, variable.offset, listener, _written(variable))


def _quality(word: str, user: str) -> Login:
    return quality(word, user) if word else Login.WEAK


def _written(variable: Variable) -> bool:
    """The file itself says it, and no variable can say otherwise."""
    return variable.raw is None or not resolved(variable.raw, {}).outside


def _others(workload: Workload) -> Iterator[Opened]:
    """Whatever looks like one by its name, or stands in an address; a file of variables serves many containers."""
    for variable in workload.variables.values():
        value = variable.value
        if not value or variable.elsewhere or variable.name.startswith("ORTHANC_"):
            continue
        address = _IN_URL.search(value)
        if address:
            login = _quality(unquote(address["word"]), unquote(address["user"]))
            yield Opened(login, variable.name, variable.offset, None, _written(variable))
        elif _PASSWORD.search(variable.name.upper()) and "/" not in value[:1]:
            yield _judged(variable, _guessed_user(workload, variable.name), None, None)


def _guessed_user(workload: Workload, name: str) -> str:
    """The user of ``X_PASSWORD``, as ``X_USER`` says it."""
    stem = _PASSWORD.sub("", name.upper())
    for ending in ("_USER", "_USERNAME", "USER"):
        variable = workload.variables.get(stem + ending)
        if variable is not None and variable.value:
            return variable.value
    return next((user for word, user in _USERS.items() if word in stem), "")
