"""Policies as they are loaded: parsed, checked against the schema, each with its id and its place."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources

import cedarpy

from leadglass.access.facts import STUDY
from leadglass.access.reads import Est, Reads, conjuncts, reads
from leadglass.access.statements import Statement, statements
from leadglass.errors import ConfigError

__all__ = ["Clause", "clauses", "schema"]

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_POLICY = re.compile(r"for policy `[^`]*`, ")
_TOLD = 3
"""Complaints about one policy that are told at once."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One policy."""

    id: str
    """What the audit prints."""
    place: str
    """``file:line`` where it begins."""
    permits: bool
    """It permits; otherwise it forbids."""
    est: Est
    reads: Reads

    @property
    def needs(self) -> frozenset[str]:
        """The attributes of a study that it names, by value or by presence."""
        return self.reads.attributes & STUDY.keys()

    def sketch(self) -> Est:
        """A permit for all who pass those conditions that speak of the principal alone.

        Where the sketch does not apply, the policy does not either, whatever the study.
        """
        scope = self.est["resource"]
        kind = {"op": "is", "entity_type": scope["entity_type"]} if scope["op"] == "is" else {"op": "All"}
        kept = [condition for condition, what in conjuncts(self.est) if what.of_principal_only]
        return {**self.est, "effect": "permit", "resource": kind, "conditions": kept}

    def without(self, attributes: frozenset[str]) -> Est:
        """A permit under those conditions that do not name any of the attributes."""
        kept = [condition for condition, what in conjuncts(self.est) if not what.attributes & attributes]
        return {**self.est, "effect": "permit", "conditions": kept}


@functools.cache
def schema() -> str:
    """The schema, in Cedar's own syntax."""
    return resources.files("leadglass.access").joinpath("schema.cedarschema").read_text(encoding="utf-8")


@functools.cache
def _schema() -> cedarpy.Schema:
    return cedarpy.Schema.from_str(schema())


def clauses(texts: Mapping[str, str]) -> tuple[Clause, ...]:
    """The policies of several files; ``ConfigError`` for the first that cannot be used."""
    found = tuple(_clause(statement) for file, text in texts.items() for statement in statements(file, text))
    if not found:
        raise ConfigError("there is no policy", where=", ".join(texts), then="without one, all is denied")
    _distinct(found)
    return found


def _distinct(found: Iterable[Clause]) -> None:
    places: dict[str, str] = {}
    for clause in found:
        if clause.id in places:
            raise ConfigError(
                f"there is another policy with the id {clause.id!r}, at {places[clause.id]}",
                where=clause.place,
                then="give each an @id of its own: it is what the audit prints",
            )
        places[clause.id] = clause.place


def _clause(statement: Statement) -> Clause:
    est = _parsed(statement)
    _valid(statement)
    return Clause(_id(est, statement), statement.place, est["effect"] == "permit", est, reads(est))


def _parsed(statement: Statement) -> Est:
    try:
        text = cedarpy.policies_to_json_str(statement.text)
    except ValueError as error:
        raise _refused(statement, "this cannot be read as a policy", [str(error)]) from error
    try:
        # Cedar writes deeper than it reads, and reads less deep than Python.
        cedarpy.PolicySet.from_json_str(text)
    except ValueError as error:
        raise _refused(statement, "this has too many terms", ["write it as several policies"]) from error
    whole = json.loads(text)
    policies: Mapping[str, Est] = whole["staticPolicies"]
    if len(policies) != 1:
        raise ConfigError(
            "this is not one complete policy, or it is a template",
            where=statement.place,
            then="end each policy with a semicolon, and write principals and resources out",
        )
    return next(iter(policies.values()))


def _valid(statement: Statement) -> None:
    result = cedarpy.validate_policies(statement.text, _schema())
    if not result.validation_passed:
        told = [error.error for error in result.errors]
        raise _refused(statement, "this policy does not fit the schema", told)


def _refused(statement: Statement, what: str, told: Iterable[str]) -> ConfigError:
    reasons = "; ".join(_lines(told)) or "no reason given"
    return ConfigError(
        f"{what}: {reasons}",
        where=statement.place,
        then="correct the policy that begins there (docs/reference/policy.md lists what it may speak of)",
    )


def _lines(told: Iterable[str]) -> Iterator[str]:
    # Cedar repeats itself for each type that a policy could apply to.
    once = dict.fromkeys(_POLICY.sub("", " ".join(message.split()))[:200] for message in told)
    return iter(list(once)[:_TOLD])


def _id(est: Est, statement: Statement) -> str:
    name = est.get("annotations", {}).get("id")
    if name is None or not _ID.fullmatch(name):
        raise ConfigError(
            "this policy has no @id" if not name else f"this policy has the @id {name[:64]!r}",
            where=statement.place,
            then='write @id("a-name-of-its-own") before it: up to 64 letters, digits, dots and hyphens',
        )
    return str(name)
