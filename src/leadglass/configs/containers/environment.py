"""The variables of a service in a compose file: a mapping, or a list of ``NAME=value``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from leadglass.configs.containers.variables import resolved
from leadglass.configs.containers.workload import Variable
from leadglass.configs.kinds import Environment
from leadglass.configs.yaml_nodes import Mapping as Pairs
from leadglass.configs.yaml_nodes import Node, Scalar, Sequence

__all__ = ["variables"]


def variables(node: Node | None, environment: Environment) -> Mapping[str, Variable]:
    """By name. One without a value comes from where the command is run."""
    found = _pairs(node, environment) if isinstance(node, Pairs) else _entries(node, environment)
    return {variable.name: variable for variable in found}


def _pairs(node: Pairs, environment: Environment) -> Iterator[Variable]:
    for pair in node:
        if isinstance(pair.value, Scalar):
            said = None if pair.value.null else pair.value
            raw = None if said is None else _plain(said)
            known = environment.get(pair.name) if raw is None else resolved(raw, environment).value
            yield Variable(pair.name, known, pair.key.span[0], said, key=pair.key, raw=raw)


def _entries(node: Node | None, environment: Environment) -> Iterator[Variable]:
    for item in node.items if isinstance(node, Sequence) else ():
        if isinstance(item, Scalar) and not item.null:
            name, equals, raw = item.value.partition("=")
            known = resolved(raw, environment).value if equals else environment.get(name)
            entry = item if equals else None
            yield Variable(name, known, item.span[0], entry, entry=True, raw=raw if equals else None)


def _plain(value: Scalar) -> str:
    """As Compose hands it on: a plain truth in lower case."""
    folded = value.value.lower()
    return folded if not value.style and folded in {"true", "false"} else value.value
