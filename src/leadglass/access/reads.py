"""What a policy reads, from Cedar's JSON form of it.

In doubt more is said to be read than is: an attribute too many costs a look-up, one too few would
let a decision be remembered that no longer holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any, TypeAlias

__all__ = ["Est", "Reads", "conjuncts", "reads"]

Est: TypeAlias = Mapping[str, Any]
"""A policy, or an expression in one, in Cedar's JSON form."""

_IDENTIFYING = frozenset({"==", "in"})


@dataclass(frozen=True, slots=True)
class Reads:
    """What a policy, or a part of one, depends on besides principal and action."""

    attributes: frozenset[str] = frozenset()
    """Of the resource."""
    identity: bool = False
    """Which study it is, and not only what is known of it."""
    context: frozenset[str] = frozenset()
    """Parts of the context, by value or by presence."""
    values: frozenset[str] = frozenset()
    """Those parts of the context whose value is read, and not only whether they are there."""
    whole_context: bool = False

    def __or__(self, other: Reads) -> Reads:
        return Reads(
            self.attributes | other.attributes,
            self.identity or other.identity,
            self.context | other.context,
            self.values | other.values,
            self.whole_context or other.whole_context,
        )

    @property
    def of_principal_only(self) -> bool:
        """Whether it depends on nothing else than principal and action."""
        return self == _NOTHING


_NOTHING = Reads()


def reads(policy: Est) -> Reads:
    """What a whole policy reads: its scope and its conditions."""
    scope = policy["resource"]
    named = Reads(identity=scope["op"] in _IDENTIFYING or "in" in scope)
    return _union(_expression(condition["body"]) for condition in policy["conditions"]) | named


def conjuncts(policy: Est) -> Iterator[tuple[Est, Reads]]:
    """The conditions of a policy taken apart at each ``&&``, and what each part reads.

    A policy applies when its scope fits and all of these hold.
    """
    for condition in policy["conditions"]:
        parts = _split(condition["body"]) if condition["kind"] == "when" else [condition["body"]]
        for part in parts:
            yield {"kind": condition["kind"], "body": part}, _expression(part)


def _split(body: Est) -> Iterator[Est]:
    match body:
        case {"&&": {"left": left, "right": right}}:
            yield from _split(left)
            yield from _split(right)
        case _:
            yield body


def _expression(node: Any) -> Reads:
    match node:
        case {"Record": fields}:
            return _union(map(_expression, fields.values()))
        case {"Value": {"__entity": {"type": "Study"}}}:
            return Reads(identity=True)
        case {"Var": "resource"}:
            return Reads(identity=True)
        case {"Var": "context"}:
            return Reads(whole_context=True)
        case {"is": {"left": {"Var": "resource"}, **more}} if "in" not in more:
            return _NOTHING
        case {".": _} | {"has": _}:
            return _access(node)
        case Mapping():
            return _union(map(_expression, node.values()))
        case str():
            return _NOTHING
        case Sequence():
            return _union(map(_expression, node))
        case _:
            return _NOTHING


def _access(node: Est) -> Reads:
    [(operator, operands)] = node.items()
    name = operands["attr"]
    match operands["left"]:
        case {"Var": "resource"}:
            return Reads(frozenset({name}))
        case {"Var": "context"}:
            part = frozenset({name})
            return Reads(context=part, values=part if operator == "." else frozenset())
        case {"Var": _}:
            return _NOTHING
        case other:
            # Of what, cannot be told by looking: it may be the resource.
            return Reads(frozenset({name})) | _expression(other)


def _union(several: Iterable[Reads]) -> Reads:
    return reduce(or_, several, _NOTHING)
