"""nginx's blocks within each other, and what an inner one inherits."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from leadglass.configs.fronts.nginx_syntax import Block, Directive

__all__ = ["Scope", "Site", "site_of"]

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_MOST_VALUES = 16
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Scope:
    """The blocks around something, outermost first."""

    blocks: tuple[Block, ...]

    def inner(self, block: Block) -> Scope:
        """One block further in."""
        return Scope((*self.blocks, block))

    def level(self, *names: str) -> Block | None:
        """The innermost block that has one of these: they hide what the outer blocks say."""
        return next((block for block in reversed(self.blocks) if block.all(*names)), None)

    def nearest(self, name: str) -> Directive | None:
        """The directive that holds here."""
        block = self.level(name)
        return block.last(name) if block else None

    def says(self, name: str) -> str:
        """Its first argument, ``""`` when nothing is said."""
        found = self.nearest(name)
        return found.argument if found else ""


@dataclass(slots=True, eq=False)
class Site:
    """What the whole file shares: groups of servers, variables, and answers that were worked out once."""

    top: Block
    upstreams: dict[str, list[str]] = field(default_factory=dict)
    """The addresses of each group."""
    sources: dict[str, list[str]] = field(default_factory=dict)
    """The variables that each ``map`` or ``geo`` variable is made of."""
    values: dict[str, list[str]] = field(default_factory=dict)
    """The values that each ``map`` variable can have."""
    _known: dict[tuple[Any, ...], Any] = field(default_factory=dict)

    def once(self, work: Callable[[Site, Block], _T], block: Block) -> _T:
        """``work(self, block)``, done once for each block: thousands of locations may inherit from one."""
        key = (work, block)
        if key not in self._known:
            self._known[key] = work(self, block)
        found: _T = self._known[key]
        return found

    def expanded(self, text: str, scope: Scope) -> list[str]:
        """``text`` with its variables replaced by each value they can have; unknown ones are left."""
        texts = [text]
        for name in dict.fromkeys(_variables(text)):
            values = self._values(name, scope)
            if values:
                spelt = re.compile(rf"\$(?:\{{{name}\}}|{name}\b)")
                texts = [_put(spelt, one, value) for one, value in itertools.product(texts, values)]
                texts = texts[:_MOST_VALUES]
        return texts

    def _values(self, name: str, scope: Scope) -> list[str]:
        for block in reversed(scope.blocks):
            if found := self.once(_sets, block).get(name):
                return found
        return self.values.get(name, [])


def site_of(top: Block) -> Site:
    """What the blocks of the file share, at the top and in ``http`` and ``stream``."""
    site = Site(top)
    for block in [top, *_blocks(top.all("http", "stream"))]:
        for directive in block.all("upstream"):
            _add_upstream(site, directive)
        for directive in block.all("map", "geo"):
            _add_map(site, directive)
    return site


def _add_upstream(site: Site, directive: Directive) -> None:
    for block in _blocks([directive]):
        servers = [server.argument for server in block.all("server")[:_MOST_VALUES]]
        site.upstreams[directive.argument] = servers


def _add_map(site: Site, directive: Directive) -> None:
    names = [name for word in directive.arguments for name in _variables(word)]
    if not names or directive.block is None:
        return
    # ``geo $allowed`` looks at the caller's address unless another variable is named first.
    source = names[:-1] or (["remote_addr"] if directive.name == "geo" else [])
    site.sources[names[-1]] = source
    rows = directive.block.directives[:_MOST_VALUES]
    site.values[names[-1]] = [row.argument for row in rows if row.words]


def _sets(_: Site, block: Block) -> dict[str, list[str]]:
    """What ``set`` gives each variable, here and in an ``if``."""
    found: dict[str, list[str]] = {}
    for part in (block, *_blocks(block.all("if"))):
        for directive in part.all("set"):
            if len(directive.words) == 2:
                values = found.setdefault(directive.argument.strip("${}"), [])
                values[_MOST_VALUES:] = []
                values.append(directive.arguments[1])
    return found


def _variables(text: str) -> Iterator[str]:
    return (braced or bare for braced, bare in _VARIABLE.findall(text))


def _put(spelt: re.Pattern[str], text: str, value: str) -> str:
    return spelt.sub(lambda _: value, text)


def _blocks(directives: Iterable[Directive]) -> list[Block]:
    return [directive.block for directive in directives if directive.block is not None]
