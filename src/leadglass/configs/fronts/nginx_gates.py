"""What nginx asks of a caller at one location: ``satisfy`` over its access checks, ``if``, client certificates.

The order of nginx's own phases: ``return`` and ``if`` come before every access check, so that a ``return`` answers
whom a password would stop, and an ``if`` that refuses is never undone by ``satisfy any``.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from leadglass.configs.fronts.needs import OPEN, Gate, Need, both, either
from leadglass.configs.fronts.nginx_scopes import Scope, Site
from leadglass.configs.fronts.nginx_syntax import Block, Directive

__all__ = ["LOGINS", "Check", "checks", "forges_addresses", "gate", "returns", "unfiled"]

LOGINS = (
    "auth_basic", "auth_request", "auth_jwt", "auth_oidc", "auth_pam", "auth_digest", "auth_gss", "auth_ldap",
    "auth_spnego",
)  # fmt: skip
"""Directives that ask who is calling; ``off`` takes an inherited one away."""

_EVERYBODY = frozenset({"all", "0.0.0.0/0", "::/0"})
_CHOSEN = frozenset({
    "http_referer", "invalid_referer", "http_origin", "http_user_agent", "http_host", "host", "http_x_forwarded_for",
    "http_x_real_ip", "http_x_forwarded_proto", "http_x_forwarded_host", "http_x_requested_with",
    "proxy_add_x_forwarded_for",
})  # fmt: skip
"""What every caller writes as he likes; no secret and no proof."""
_ADDRESSES = frozenset({"remote_addr", "binary_remote_addr", "realip_remote_addr"})
_PLAIN = frozenset({("scheme", "=", "http"), ("scheme", "!=", "https"), ("https", "=", ""), ("https", "!=", "on"),
                    ("server_port", "=", "80"), ("server_port", "!=", "443")})  # fmt: skip
_ANYTHING = re.compile(
    r"[\^$.+*?()\s\\]*(bearer|basic|token)?[\^$.+*?()\s\\]*(s[+*])?[\^$.+*?()\s\\]*", re.IGNORECASE
)
"""An expression that any value satisfies, or any that names its scheme."""
_LUA_LOGIN = re.compile(r"openidc|jwt|authenticate|introspect|bearer", re.IGNORECASE)


class Check(NamedTuple):
    """An ``if`` that refuses some callers: what one needs to pass, None if it proves nothing."""

    directive: Directive
    variable: str
    need: Need | None
    vain: bool
    """It reads like a check of the caller, and any caller can pass it."""
    holds_secret: bool
    """The value that passes stands in the file."""


def gate(
    scope: Scope, server: Block, here: Block, site: Site, *, tls: bool, granting: frozenset[str]
) -> Gate:
    """What a stranger needs at ``here``, the innermost block of ``scope``, on a door with or without TLS.

    ``granting`` are the paths of the server that answer any sub-request with success.
    """
    refusals = [_by_conditions(site, block, tls=tls) for block in {id(b): b for b in (server, here)}.values()]
    verify = frozenset({Need.CERTIFICATE}) if tls and scope.says("ssl_verify_client") == "on" else OPEN
    return both([_by_access(scope, site, granting), verify, *refusals])


def unfiled(scope: Scope) -> Directive | None:
    """The ``auth_basic`` that holds here and has no file of users: nginx then asks nobody."""
    basic = scope.nearest("auth_basic")
    asks = basic is not None and basic.argument != "off"
    return basic if asks and scope.nearest("auth_basic_user_file") is None else None


def returns(block: Block) -> str:
    """The status or address that everything here is answered with, ``""`` if it is not."""
    found = block.last("return")
    if found is not None:
        return found.argument
    rewrites = [d.arguments for d in block.all("rewrite")]
    away = (a[1] for a in rewrites if len(a) == 3 and a[2] in {"permanent", "redirect"} and _takes_all(a[0]))
    return next(away, "")


def forges_addresses(scope: Scope) -> Directive | None:
    """A ``set_real_ip_from`` by which any caller may say what address he has."""
    block = scope.level("set_real_ip_from")
    trusted = block.all("set_real_ip_from") if block else []
    return next((d for d in trusted if d.argument in _EVERYBODY), None)


def checks(block: Block, site: Site) -> Sequence[Check]:
    """Every ``if`` directly in ``block`` that refuses."""
    refusing = [d for d in block.all("if") if d.block is not None and _refuses(d.block)]
    flags = {name: d for d in block.all("if") if d.block for name in _flags(d.block)}
    return [check for d in refusing for check in _checked(d, site, flags)]


def _by_access(scope: Scope, site: Site, granting: frozenset[str]) -> Gate:
    """The access phase: addresses and logins, all of them or any."""
    named = scope.level("allow", "deny")
    present = [*_logins(scope, granting)]
    if named is not None and (limit := site.once(_by_address, named)):
        present.append(OPEN if limit == {Need.ADDRESS} and forges_addresses(scope) else limit)
    if named is not None and not site.once(_by_address, named) and scope.says("satisfy") == "any":
        return OPEN
    return either(present) if present and scope.says("satisfy") == "any" else both(present)


def _logins(scope: Scope, granting: frozenset[str]) -> Iterator[Gate]:
    for name in LOGINS:
        found = scope.nearest(name)
        if found is None or found.argument in {"", "off"}:
            continue
        if name == "auth_basic" and unfiled(scope):
            continue
        if name == "auth_request" and found.argument in granting:
            continue
        yield frozenset({Need.LOGIN})
    for name in ("access_by_lua_block", "access_by_lua_file", "access_by_lua", "js_access"):
        program = scope.nearest(name)
        if program is not None:
            text = program.raw or " ".join(program.arguments)
            yield frozenset({Need.LOGIN if _LUA_LOGIN.search(text) else Need.UNKNOWN})


def _by_address(_: Site, level: Block) -> Gate:
    """``allow`` and ``deny`` of one level, the first that fits decides."""
    rules = sorted(level.all("allow", "deny"), key=lambda directive: directive.start)
    some = False
    for rule in rules:
        if rule.argument in _EVERYBODY:
            closed = Need.ADDRESS if some else Need.NOBODY
            return frozenset({closed}) if rule.name == "deny" else OPEN
        some = some or (rule.name == "allow" and not _nearly_all(rule.argument))
        if rule.name == "allow" and _nearly_all(rule.argument):
            return OPEN
    return OPEN


def _nearly_all(network: str) -> bool:
    """A quarter of all addresses is no list of names."""
    try:
        return ipaddress.ip_network(network, strict=False).prefixlen <= 2
    except ValueError:
        return False


def _by_conditions(site: Site, block: Block, *, tls: bool) -> Gate:
    found = site.once(_by_checks, block)
    plain = frozenset({Need.NOBODY}) if not tls and site.once(_sends_away_plain, block) else OPEN
    return found | plain


def _by_checks(site: Site, block: Block) -> Gate:
    return frozenset(check.need for check in checks(block, site) if check.need is not None)


def _sends_away_plain(_: Site, block: Block) -> bool:
    """Whether an ``if`` refuses whoever comes without TLS."""
    refusing = (d for d in block.all("if") if d.block is not None and _refuses(d.block))
    return any(_condition(d) in _PLAIN for d in refusing)


def _checked(directive: Directive, site: Site, flags: dict[str, Directive]) -> Iterator[Check]:
    name, sign, value = _condition(directive)
    if name in flags:
        name, sign, value = _condition(flags[name])
    if not name:
        return
    roots = list(_roots(name, site))
    mapped = roots != [name]
    needs = [_need(root, sign, value, mapped=mapped) for root in roots]
    proofs = [need for need in needs if need is not None]
    need = next(iter(either(frozenset({proof}) for proof in proofs))) if proofs else None
    vain = need is None and any(_seems(root, sign, value, mapped=mapped) for root in roots)
    yield Check(directive, name, need, vain, need is Need.SECRET and not mapped)


def _condition(directive: Directive) -> tuple[str, str, str]:
    """Variable, sign and value of an ``if``; blanks where it is of another form."""
    words = list(directive.arguments)
    if words and words[-1].endswith(")"):
        words[-1] = words[-1][:-1]
    if words and words[0].startswith("("):
        words[0] = words[0][1:]
    # A bracket may stand apart, and a value may be empty: only what was a bracket alone is no word.
    words = [
        word for word, was in zip(words, directive.arguments, strict=True) if word or was not in {"(", ")"}
    ]
    if not words or not words[0].startswith("$") or len(words) not in {1, 3}:
        return "", "", ""
    name, sign, value = (*words, "", "")[:3]
    return name.strip("${}"), sign, value


def _roots(name: str, site: Site) -> Iterable[str]:
    """What a variable is made of, through a few maps."""
    names = [name]
    for _ in range(3):
        names = [root for one in names for root in site.sources.get(one, [one])][:16]
    return names


def _need(root: str, sign: str, value: str, *, mapped: bool) -> Need | None:
    """What a caller needs so that an ``if`` on this variable does not refuse him."""
    if root.startswith("ssl_client_"):
        return Need.CERTIFICATE
    if root in _ADDRESSES or root.startswith("geoip"):
        return Need.ADDRESS if mapped or sign in {"!=", "!~", "!~*"} else None
    if root in _CHOSEN or not root.startswith(("http_", "cookie_", "arg_")):
        return None
    return Need.SECRET if mapped or _compares(sign, value) else None


def _compares(sign: str, value: str) -> bool:
    """Whether one value passes, and not any."""
    if sign == "!=":
        return value != ""
    return sign in {"!~", "!~*"} and (len(value) > 30 or _ANYTHING.fullmatch(value) is None)


def _seems(root: str, sign: str, value: str, *, mapped: bool) -> bool:
    """Whether it reads like a check of who is calling: by origin, by presence of a header or cookie."""
    if root in {"http_host", "host", "http_x_forwarded_proto", "http_x_forwarded_host"}:
        return False
    if root in _CHOSEN:
        return mapped or sign in {"!=", "!~", "!~*", ""}
    told = root.startswith(("cookie_", "http_auth")) or "key" in root or "token" in root
    present = (sign == "=" and not value) or (sign in {"!~", "!~*"} and not _compares(sign, value))
    return told and present


def _flags(block: Block) -> Iterator[str]:
    return (d.argument.strip("${}") for d in block.all("set"))


def _refuses(block: Block) -> bool:
    answer = returns(block)
    return bool(answer) and not answer.startswith("2")


def _takes_all(pattern: str) -> bool:
    return pattern in {"^", ".*", "^.*$", "^/(.*)$", "^(.*)$", "(.*)", "^/(.*)", "^(.*)", "^/", "/"}
