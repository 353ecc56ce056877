"""Cedar, behind one question. The only place where policies are evaluated, and the only one that knows its answers' form.

No schema is used here: the policies were validated against it when they were loaded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import cedarpy

from leadglass.access.facts import Json, principal_attributes
from leadglass.access.reads import Est
from leadglass.model.access import Action, Principal

__all__ = ["Answer", "Engine", "Question"]

_FAILED = re.compile(r"error while evaluating policy `([A-Za-z0-9._-]+)`:")


@dataclass(frozen=True, slots=True)
class Question:
    """Who, what, with which resource, and in which context."""

    principal: Principal
    action: Action
    kind: str
    """The resource's entity type."""
    resource: str
    """The resource's identifier."""
    attributes: Mapping[str, Json]
    """The resource's."""
    context: Mapping[str, Json]


class Answer(NamedTuple):
    """What Cedar says."""

    allowed: bool | None
    """None where the question could not be put at all."""
    rules: frozenset[str] = frozenset()
    """The policies that decided: all permits that applied, or all forbids."""
    failed: frozenset[str] = frozenset()
    """The policies that could not be evaluated; "" stands for one unknown."""


class Engine:
    """A set of policies, parsed once."""

    def __init__(self, policies: Mapping[str, Est]) -> None:
        whole = {"templates": {}, "staticPolicies": dict(policies), "templateLinks": []}
        self._policies = cedarpy.PolicySet.from_json_str(json.dumps(whole))

    def ask(self, question: Question) -> Answer:
        """Cedar's answer; whatever goes wrong in asking is an answer without a decision."""
        try:
            result = cedarpy.is_authorized(_request(question), self._policies, _entities(question))
        except ValueError:  # text that cannot be encoded
            return Answer(None)
        if result.decision is cedarpy.Decision.NoDecision:
            return Answer(None)
        failed = frozenset(map(_failed, result.diagnostics.errors))
        return Answer(result.allowed, frozenset(result.diagnostics.reasons), failed)


def _failed(message: str) -> str:
    named = _FAILED.match(message)
    return named[1] if named else ""


def _request(question: Question) -> dict[str, Json]:
    return {
        "principal": _uid(question.principal.kind.value, question.principal.name),
        "action": _uid("Action", question.action.value),
        "resource": _uid(question.kind, question.resource),
        "context": question.context,
    }


def _entities(question: Question) -> str:
    principal = _uid(question.principal.kind.value, question.principal.name)
    resource = _uid(question.kind, question.resource)
    return json.dumps(
        [
            {"uid": principal, "attrs": principal_attributes(question.principal), "parents": []},
            {"uid": resource, "attrs": question.attributes, "parents": []},
        ]
    )


def _uid(kind: str, name: str) -> dict[str, str]:
    return {"type": kind, "id": name}
