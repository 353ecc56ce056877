"""YAML as nodes that know their place: what PyYAML's events say, within limits, and nothing constructed from it.

No tag is obeyed, so that a file cannot name a Python object. An alias is the node it names, at a place of its own;
what all aliases amount to when written out is counted, so that nothing that walks the nodes can be made to walk for long.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import yaml

from leadglass.configs.source import Source
from leadglass.errors import ConfigError

__all__ = [
    "DEEPEST",
    "MOST",
    "Mapping",
    "Node",
    "Pair",
    "Scalar",
    "Sequence",
    "documents",
    "mappings",
    "scalars",
    "text_of",
    "truth",
]

DEEPEST = 64
"""Levels of nesting, aliases written out; a file that is deeper is refused."""
MOST = 100_000
"""Nodes of a file, aliases written out; a file that has more is refused."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same events, some forty times as fast
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "yes", "on", "y"})
_FALSE = frozenset({"false", "no", "off", "n"})


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Spot:
    start: int
    """Offset of its first character (of its anchor or tag, if it has one)."""
    end: int
    """Offset behind its last character that is not white space."""
    tag: str | None = None
    """As ``!override``, when the file gives one."""
    site: tuple[int, int] | None = None
    """Where the alias stands that brought it here; None where it is written itself."""
    weight: int = 1
    """Nodes in it, itself and aliases written out included."""
    depth: int = 1
    """Levels in it."""

    @property
    def span(self) -> tuple[int, int]:
        """Start and end of what stands here: the node, or the alias for it."""
        return self.site or (self.start, self.end)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Scalar(_Spot):
    """A word, a number or a text; which of them, its reader decides."""

    value: str = field(repr=False)  # may be a password
    style: str = ""
    """Empty when plain, else ``'``, ``"``, ``|`` or ``>``."""

    @property
    def null(self) -> bool:
        """Nothing is said: empty, ``~`` or ``null``, not in quotes."""
        return not self.style and self.value in _NULLS


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Sequence(_Spot):
    """A list."""

    items: tuple[Node, ...]
    flow: bool
    """Written in brackets."""


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """A key that is a scalar, and what it has."""

    key: Scalar
    value: Node
    name: str


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Mapping(_Spot):
    """Keys and values, merge keys (``<<``) obeyed. Keys that are no scalars are left out."""

    pairs: tuple[Pair, ...]
    """As they are written, keys that stand twice and merge keys included."""
    flow: bool
    """Written in braces."""
    index: dict[str, Pair] = field(repr=False)
    """By name; of a key that stands twice the last, and what stands here before what is merged."""
    twice: tuple[Pair, ...] = ()
    """The second and further ones of a key."""

    def get(self, *path: str) -> Node | None:
        """What stands at the end of a path of keys; None when there is nothing, or it is null."""
        node: Node = self
        for name in path:
            pair = node.index.get(name) if isinstance(node, Mapping) else None
            if pair is None:
                return None
            node = pair.value
        return None if isinstance(node, Scalar) and node.null else node

    def __iter__(self) -> Iterator[Pair]:
        return iter(self.index.values())


Node: TypeAlias = Scalar | Sequence | Mapping


def documents(source: Source) -> tuple[Node, ...]:
    """Every document of a file that holds something; ``ConfigError`` at its place when it is not YAML."""
    try:
        return tuple(_Composer(source).documents())
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        raise source.fault(f"not YAML: {exc.problem or exc.context}", mark.index if mark else 0) from None
    except (yaml.YAMLError, UnicodeError):
        raise source.fault("not YAML: it holds a control character", 0) from None


def text_of(node: Node | None) -> str | None:
    """What a scalar says; None for anything else, and for null."""
    return node.value if isinstance(node, Scalar) and not node.null else None


def truth(node: Node | None) -> bool | None:
    """Yes or no, in any spelling that YAML 1.1 and environment variables know; None when it is neither."""
    word = (text_of(node) or "").strip().lower()
    return True if word in _TRUE else False if word in _FALSE else None


def scalars(node: Node | None) -> tuple[Scalar, ...]:
    """The words of a list, or the one word that stands in its stead."""
    some = node.items if isinstance(node, Sequence) else (node,)
    return tuple(one for one in some if isinstance(one, Scalar) and not one.null)


def mappings(node: Node | None) -> tuple[Mapping, ...]:
    """The mappings in a list; none when it is no list."""
    some = node.items if isinstance(node, Sequence) else ()
    return tuple(one for one in some if isinstance(one, Mapping))


@dataclass(slots=True)
class _Frame:
    """A collection that is being read."""

    event: Any
    anchor: str | None
    children: list[Node] = field(default_factory=list)
    weight: int = 1
    depth: int = 1

    def add(self, node: Node) -> None:
        self.children.append(node)
        self.weight += node.weight
        self.depth = max(self.depth, node.depth + 1)


class _Composer:
    """Events in, nodes out, on a stack of its own."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._anchors: dict[str, Node] = {}
        self._stack: list[_Frame] = []
        self._done: list[Node] = []
        self._count = 0

    def documents(self) -> list[Node]:
        for event in yaml.parse(self._source.text, Loader=_LOADER):
            if isinstance(event, yaml.ScalarEvent):
                self._place(self._scalar(event), event.anchor)
            elif isinstance(event, yaml.AliasEvent):
                self._place(self._aliased(event), None)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._open(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._close(event)
            elif isinstance(event, yaml.DocumentStartEvent):
                self._anchors = {}
        return self._done

    def _open(self, event: Any) -> None:
        if len(self._stack) >= DEEPEST:
            raise self._too_deep(event)
        self._stack.append(_Frame(event, event.anchor))

    def _close(self, event: Any) -> None:
        frame = self._stack.pop()
        start, flow = frame.event.start_mark.index, bool(frame.event.flow_style)
        end = event.end_mark.index if flow or not frame.children else frame.children[-1].span[1]
        common: dict[str, Any] = {
            "start": start, "end": end, "tag": frame.event.tag, "flow": flow,
            "weight": frame.weight, "depth": frame.depth,
        }  # fmt: skip
        if isinstance(frame.event, yaml.SequenceStartEvent):
            self._place(Sequence(items=tuple(frame.children), **common), frame.anchor)
        else:
            pairs, index, twice = _indexed(frame.children)
            self._place(Mapping(pairs=pairs, index=index, twice=twice, **common), frame.anchor)

    def _place(self, node: Node, anchor: str | None) -> None:
        """Put a node where it belongs. What is in a collection was counted when it was read; an alias brings all."""
        self._count += node.weight if node.site else 1
        if self._count > MOST:
            raise self._source.fault(
                f"more than {MOST:,} values, aliases written out",
                node.span[0],
                then="no configuration has them",
            )
        if anchor is not None:
            self._anchors[anchor] = node
        if self._stack:
            self._stack[-1].add(node)
        elif not (isinstance(node, Scalar) and node.null):
            self._done.append(node)

    def _scalar(self, event: Any) -> Scalar:
        start, end, style = event.start_mark.index, event.end_mark.index, event.style or ""
        if style in {"|", ">"}:
            end = start + len(self._source.text[start:end].rstrip())
        return Scalar(start=start, end=end, tag=event.tag, value=event.value, style=style)

    def _aliased(self, event: Any) -> Node:
        known = self._anchors.get(event.anchor)
        start, end = event.start_mark.index, event.end_mark.index
        if known is None:
            raise self._source.fault("an alias that names nothing before it, or what it stands in", start)
        if len(self._stack) + known.depth > DEEPEST:
            raise self._too_deep(event)
        return replace(known, site=(start, end))

    def _too_deep(self, event: Any) -> ConfigError:
        return self._source.fault(
            f"nested deeper than {DEEPEST} levels", event.start_mark.index, then="no configuration is"
        )


def _indexed(children: list[Node]) -> tuple[tuple[Pair, ...], dict[str, Pair], tuple[Pair, ...]]:
    """Pairs, the same by name, and those whose key stands a second time."""
    halves = zip(children[::2], children[1::2], strict=True)
    pairs = tuple(Pair(key, value, key.value) for key, value in halves if isinstance(key, Scalar))
    index: dict[str, Pair] = {}
    twice = []
    for pair in pairs:
        if _merges(pair):
            continue
        if pair.name in index:
            twice.append(pair)
        index[pair.name] = pair
    for pair in pairs:
        if _merges(pair):
            _merge(index, pair.value)
    return pairs, index, tuple(twice)


def _merges(pair: Pair) -> bool:
    return pair.name == "<<" and not pair.key.style


def _merge(index: dict[str, Pair], node: Node) -> None:
    """Add what a merge key brings in and is not there: a mapping, or several, the first of which wins."""
    for one in node.items if isinstance(node, Sequence) else (node,):
        for pair in one if isinstance(one, Mapping) else ():
            index.setdefault(pair.name, pair)
