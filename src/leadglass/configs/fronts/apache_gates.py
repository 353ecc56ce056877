"""What Apache httpd asks of a caller: ``Require`` of 2.4, ``Order`` and ``Allow`` of 2.2, and ``Satisfy`` over both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from leadglass.configs.fronts.apache_syntax import Directive, effective
from leadglass.configs.fronts.needs import OPEN, Gate, Need, both, either

__all__ = ["Asked", "asked", "by_address", "by_require", "gate", "holds_for_get"]

_NETWORKS = frozenset({"ip", "host", "local", "forward-dns"})
_EVERYBODY = frozenset({"0.0.0.0/0", "::/0", "0.0.0.0/0.0.0.0"})
_NEEDED = {Need.NOBODY}


class Asked(NamedTuple):
    """What one section says of callers; None and ``""`` where it says nothing."""

    required: Gate | None
    addresses: Gate | None
    satisfy: str
    verify: str
    merging: str
    login: str
    """The kind of login, ``AuthType``."""
    others: bool
    """Whether something is required of other methods than GET."""


def asked(section: Sequence[Directive]) -> Asked:
    """Read one section."""
    lines = tuple(_for_get(effective(section)))
    limited = any(line.name in {"order", "allow", "deny"} for line in lines)
    return Asked(
        by_require(lines),
        by_address(lines) if limited else None,
        _said(lines, "satisfy"),
        _said(lines, "sslverifyclient"),
        _said(lines, "authmerging"),
        _said(lines, "authtype"),
        any(
            by_require(one.inner or ()) for one in effective(section) if one.name in {"limit", "limitexcept"}
        ),
    )


def gate(sections: Iterable[Asked], verify: str, *, tls: bool) -> Gate:
    """What is asked where these sections hold, the last one last; ``verify`` is the host's ``SSLVerifyClient``."""
    required: Gate | None = None
    addresses: Gate | None = None
    satisfy, login, others = "all", "", False
    for section in sections:
        required = _merged(required, section)
        addresses = addresses if section.addresses is None else section.addresses
        satisfy = section.satisfy or satisfy
        verify = section.verify or verify
        login = section.login or login
        others = others or section.others
    if required is None and not others and login not in {"", "none"}:
        # A login without anything that is required of it: 2.4 answers 500 (AH01627) whoever asks.
        required = frozenset({Need.NOBODY})
    certificate = frozenset({Need.CERTIFICATE}) if tls and verify == "require" else OPEN
    present = [one for one in (required, addresses) if one is not None]
    access = either(present) if satisfy == "any" and present else both(present)
    return access | certificate


def by_require(lines: Iterable[Directive]) -> Gate | None:
    """One of the ``Require`` lines is enough, unless ``RequireAll`` stands around them; None without any."""
    gates = [found for line in lines if (found := _require(line)) is not None]
    return either(gates) if gates else None


def by_address(lines: Iterable[Directive]) -> Gate:
    """``Order``, ``Allow from`` and ``Deny from``: what is named last wins, and is the default where nothing fits."""
    said: dict[str, list[str]] = {"order": [], "allow": [], "deny": []}
    for line in lines:
        if line.name in said:
            said[line.name] += [word.lower() for word in line.arguments if word.lower() != "from"]
    order = "".join(said["order"]).replace(" ", "")
    allow, deny = said["allow"], said["deny"]
    if order in {"allow,deny", "mutual-failure"}:
        gate = _listed(allow)
        return frozenset(_NEEDED) if "all" in deny else gate
    if "all" not in deny:
        return OPEN
    return _listed(allow)


def holds_for_get(section: Directive) -> bool:
    """Whether what stands in ``Limit`` or ``LimitExcept`` is asked of whoever reads."""
    methods = {word.upper() for word in section.arguments}
    return ("GET" in methods) == (section.name == "limit")


def _for_get(lines: Iterable[Directive]) -> Iterator[Directive]:
    for line in lines:
        if line.name in {"limit", "limitexcept"} and line.inner is not None:
            if holds_for_get(line):
                yield from effective(line.inner)
        else:
            yield line


def _merged(before: Gate | None, section: Asked) -> Gate | None:
    """A later section's requirements take the place of the earlier ones, unless ``AuthMerging`` says otherwise."""
    own = section.required
    if before is None or own is None:
        return before if own is None else own
    if section.merging == "and":
        return before | own
    return either((before, own)) if section.merging == "or" else own


def _require(line: Directive) -> Gate | None:
    if line.name == "require":
        return _one(tuple(word.lower() for word in line.arguments))
    if line.name in {"requireany", "requireall"} and line.inner is not None:
        # Inner sections of the same kind are read one level deep; deeper ones count as unknown.
        gates = [_shallow(inner) for inner in effective(line.inner)]
        found = [one for one in gates if one is not None]
        return (either(found) if line.name == "requireany" else both(found)) if found else None
    return None


def _shallow(line: Directive) -> Gate | None:
    if line.name == "require":
        return _one(tuple(word.lower() for word in line.arguments))
    if line.name in {"requireany", "requireall"} and line.inner is not None:
        gates = [
            _one(tuple(map(str.lower, inner.arguments))) for inner in line.inner if inner.name == "require"
        ]
        found = [one for one in gates if one is not None]
        return (either(found) if line.name == "requireany" else both(found)) if found else None
    return None


def _one(words: tuple[str, ...]) -> Gate | None:
    """One ``Require``; None for ``not``, which only shuts somebody out."""
    kind, rest = (words[0], words[1:]) if words else ("", ())
    if kind == "not":
        return None
    if kind == "all":
        return OPEN if rest[:1] == ("granted",) else frozenset({Need.NOBODY})
    if kind in _NETWORKS:
        return OPEN if _EVERYBODY & set(rest) else frozenset({Need.ADDRESS})
    known: Mapping[str, Callable[[], Gate]] = {
        "ssl": lambda: OPEN,
        "method": lambda: OPEN,
        "ssl-verify-client": lambda: frozenset({Need.CERTIFICATE}),
        "env": lambda: frozenset({Need.UNKNOWN}),
        "expr": lambda: _expression(" ".join(rest)),
    }
    return known.get(kind, lambda: frozenset({Need.LOGIN}))()


def _expression(text: str) -> Gate:
    needs = (("ssl_client", Need.CERTIFICATE), ("remote_user", Need.LOGIN), ("remote_addr", Need.ADDRESS))
    return frozenset({next((need for word, need in needs if word in text), Need.UNKNOWN)})


def _listed(allow: Sequence[str]) -> Gate:
    if "all" in allow or _EVERYBODY & set(allow):
        return OPEN
    if any(word.startswith("env=") for word in allow):
        return frozenset({Need.UNKNOWN})
    return frozenset({Need.ADDRESS}) if allow else frozenset(_NEEDED)


def _said(lines: Sequence[Directive], name: str) -> str:
    return next((line.argument.lower() for line in reversed(lines) if line.name == name), "")
