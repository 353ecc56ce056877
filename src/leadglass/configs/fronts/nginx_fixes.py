"""The smallest changes to an nginx file that close something; comments, order and line ends stay."""

from __future__ import annotations

import re
from collections.abc import Iterable

from leadglass.configs.fronts.nginx_gates import LOGINS
from leadglass.configs.fronts.nginx_scopes import Scope
from leadglass.configs.fronts.nginx_syntax import Block, Directive, Word
from leadglass.configs.fronts.nginx_ways import Location, Server
from leadglass.configs.source import Source
from leadglass.model.finding import Edit

__all__ = ["ask_as", "insert", "move_out", "redirect", "remove", "require_certificate", "reword", "slash"]

_BELONG = (
    "satisfy",
    *LOGINS,
    "auth_basic_user_file",
    "auth_jwt_key_file",
    "auth_jwt_key_request",
    "allow",
    "deny",
)
"""What asks who is calling, in the order it is usually written."""

_FIRST = re.compile(r"[ \t]*(?:#[^\n]*)?\r?\n(?:[ \t]*(?:#[^\n]*)?\r?\n)*([ \t]*)")


def ask_as(source: Source, protected: Location, location: Location) -> tuple[Edit, ...]:
    """The lines by which a location beside it asks, copied into ``location``; none if that says less."""
    shared = set(location.scope.blocks[:-1])
    own = Scope(tuple(block for block in protected.scope.blocks if block not in shared))
    lines: dict[int, str] = {}
    for name in _BELONG:
        level = own.level("allow", "deny") if name in {"allow", "deny"} else own.level(name)
        for directive in level.all(name) if level else ():
            if directive.argument != "off":
                lines[directive.start] = source.text[directive.start : directive.end]
    taken = {directive.name for directive in location.block.directives}
    logs_in = any(line.startswith(LOGINS) for line in lines.values())
    if not logs_in or not taken.isdisjoint(_BELONG):
        return ()
    return insert(source, location.block, [lines[at] for at in sorted(lines)])


def move_out(source: Source, location: Location, inner: Block) -> tuple[Edit, ...]:
    """What ``limit_except`` asks of some methods, asked of all."""
    logins = inner.all(*LOGINS, "auth_basic_user_file")
    if not logins or not {d.name for d in location.block.directives}.isdisjoint(_BELONG):
        return ()
    return insert(source, location.block, [source.text[d.start : d.end] for d in logins])


def insert(source: Source, block: Block, lines: Iterable[str]) -> tuple[Edit, ...]:
    """``lines`` as the first of a block, indented as what follows."""
    broken = _FIRST.match(source.text, block.start)
    if broken is None or not block.directives:
        return (source.edit(block.start, block.start, "".join(f" {line}" for line in lines)),)
    indent = source.text[: block.directives[0].start].rpartition("\n")[2]
    indent = indent if not indent.strip() else broken[1]
    end = "\r\n" if "\r\n" in broken[0] else "\n"
    return (source.edit(block.start, block.start, "".join(f"{end}{indent}{line}" for line in lines)),)


def remove(source: Source, directive: Directive) -> tuple[Edit, ...]:
    """A directive, and its line if it is alone there."""
    text = source.text
    start = text.rfind("\n", 0, directive.start) + 1
    rest = re.compile(r"[ \t]*\r?\n").match(text, directive.end)
    if rest and not text[start : directive.start].strip():
        return (source.edit(start, rest.end(), ""),)
    return (source.edit(directive.start, directive.end, ""),)


def reword(source: Source, words: tuple[Word, ...], text: str) -> tuple[Edit, ...]:
    """Other arguments."""
    return (source.edit(words[0].start, words[-1].end, text),) if words else ()


def require_certificate(source: Source, scope: Scope) -> tuple[Edit, ...]:
    """``ssl_verify_client on``, where an authority is named that it can be checked by."""
    verify = scope.nearest("ssl_verify_client")
    named = scope.nearest("ssl_client_certificate") or scope.nearest("ssl_trusted_certificate")
    return reword(source, verify.words, "on") if verify and named else ()


def redirect(source: Source, server: Server) -> tuple[Edit, ...]:
    """Whoever comes without TLS is sent to the same server's port 443; 308 keeps what he was sending."""
    if not any(door.tls and door.port == 443 for door in server.doors):
        return ()
    return insert(source, server.block, ["if ($scheme = http) { return 308 https://$host$request_uri; }"])


def slash(source: Source, location: Location) -> tuple[Edit, ...]:
    """The location with the slash that what it stands for ends with."""
    if location.directive is None:
        return ()
    word = location.directive.words[-1]
    written = source.text[word.start : word.end]
    return (source.edit(word.end, word.end, "/"),) if written == word.text else ()
