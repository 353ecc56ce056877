"""Changes to ``ORTHANC_JSON``: a configuration file that stands in a variable of a compose file or manifest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from leadglass.configs.containers.nested import Nested
from leadglass.configs.containers.workload import Variable
from leadglass.configs.json_nodes import Node, Object, inserted, parse_json, replaced
from leadglass.configs.source import Source, edited
from leadglass.configs.yaml_edits import rewritten
from leadglass.configs.yaml_nodes import Scalar
from leadglass.errors import ConfigError
from leadglass.model.finding import Edit

__all__ = ["Written", "changed"]


class Written:
    """Where the options of it stand in the file; all where the variable does, unless its text is a literal block."""

    def __init__(self, source: Source, variable: Variable | None) -> None:
        self.variable = variable
        scalar = None if variable is None or variable.entry else variable.node
        self._nested = Nested(source, scalar) if scalar is not None and scalar.style == "|" else None
        self._root = _parsed(self._nested.text) if self._nested else None

    def offset(self, option: str) -> int | None:
        """Where an option begins, or the innermost one around it that is found; None: it cannot be told."""
        node, at = self._root, None
        for name in option.split("."):
            members = node.members if isinstance(node, Object) else ()
            member = next((one for one in members if one.name == name), None)
            if member is None:
                break
            node, at = member.node, member.start
        return None if at is None or self._nested is None else self._nested.offset(at)


def _parsed(text: str) -> Node | None:
    try:
        return parse_json(Source("", text))
    except ConfigError:
        return None


def changed(
    source: Source, variable: Variable, changes: Iterable[tuple[tuple[str, ...], Any]]
) -> tuple[Edit, ...]:
    """The edits that set options in it, each by its path; none where its text is not that of the file."""
    scalar = variable.node
    if scalar is None or variable.entry:
        return ()
    inner, root = Source(source.path, scalar.value), _parsed(scalar.value)
    if root is None:
        return ()
    edits = [_put(inner, root, path, value) for path, value in changes]
    if scalar.style != "|":
        return rewritten(source, scalar, edited(inner.text, edits))
    return _in_block(source, scalar, edits)


def _put(inner: Source, node: Node, path: tuple[str, ...], value: Any) -> Edit:
    """In the place of the option, or as one more in the innermost section that there is."""
    for depth, name in enumerate(path):
        if not isinstance(node, Object):
            break
        there = node.get(name)
        if there is None:
            for missing in reversed(path[depth + 1 :]):
                value = {missing: value}
            return inserted(inner, node, name, value)
        node = there
    return replaced(inner, node, value)


def _in_block(source: Source, scalar: Scalar, edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """The same changes where the lines of a block stand in the file, each indented as it is."""
    nested = Nested(source, scalar)
    first = nested.offset(0)
    if first == scalar.span[0] or not source.text.startswith(scalar.value.partition("\n")[0], first):
        return ()
    indent = " " * (source.place(first).column - 1)
    return tuple(
        source.edit(nested.offset(one.start), nested.offset(one.end), one.text.replace("\n", f"\n{indent}"))
        for one in edits
    )
