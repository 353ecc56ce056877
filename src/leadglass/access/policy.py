"""Decides: who may do what with which study or node, under which circumstances.

Cedar decides; this module says what Cedar is shown, what follows from its answer, and remembers.

1. Nothing is allowed unless a policy permits it, and no permit helps where a policy forbids.
2. A permit that names an attribute of the study does not count where that attribute could not be
   had, however it is written: ``unless { resource has labels && ... }`` would otherwise open
   every unlabelled study.
3. A permit that cannot be evaluated does not count; a forbid that cannot be evaluated forbids.

A decision is remembered under what is read by those policies that can concern this principal and
this action, and Cedar is shown no more than that.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import attrgetter, or_
from typing import Any, NamedTuple, TypeAlias

from leadglass.access.clauses import Clause, clauses
from leadglass.access.engine import Answer, Engine, Question
from leadglass.access.facts import CONTEXT, STUDY, Part, context, part, study_attributes
from leadglass.access.memo import Memo
from leadglass.access.reads import Reads
from leadglass.model.access import Action, Circumstances, Decision, Node, Principal, Resource, Study

__all__ = ["Policy", "load"]

_REMEMBERED = 32_768
_SIGHTS = 4_096
_HEAVIEST = 1_024
"""Characters of a study in a key; where there are more, the decision is not remembered."""
_UID = "study_instance_uid"
_GIVEN = "given"
"""Stands for the reason of an emergency where policies only ask whether there is one."""


_Asking: TypeAlias = tuple[Principal, Action, type[Resource]]
_Key: TypeAlias = tuple[int, tuple[Part, ...], tuple[Part, ...]]
"""What a decision depends on, and nothing else: a sight's number, parts of the resource, parts of the context."""


@dataclass(frozen=True, slots=True)
class _Sight:
    """What is looked at for one principal, action and type of resource."""

    number: int
    """In a key, it stands for the three."""
    names: tuple[str, ...]
    """Of the resource."""
    parts: tuple[str, ...]
    """Of the context."""
    reason: bool
    """The words of an emergency's reason count, and not only that there is one."""
    face: Callable[[Any], tuple[Part, ...]]
    """The values of ``names``."""
    needed: frozenset[str]
    """The attributes of a study among ``names``."""


class _Latest(NamedTuple):
    principal: Principal
    action: Action
    sight: _Sight


class Policy:
    """The policies in force, as long as they are this version."""

    def __init__(self, found: Iterable[Clause], version: int, zone: dt.tzinfo) -> None:
        self.version = version
        self.zone = zone
        self.clauses: Mapping[str, Clause] = {clause.id: clause for clause in found}
        """By id."""
        self.attributes_read = frozenset[str]().union(*(clause.needs for clause in self.clauses.values()))
        """The attributes of a study that some policy names; nothing else need be asked for."""
        self._engine = Engine({name: clause.est for name, clause in self.clauses.items()})
        self._sketches = Engine({name: clause.sketch() for name, clause in self.clauses.items()})
        self._numbers = itertools.count()
        self._sights: Memo[_Asking, _Sight] = Memo(_SIGHTS)
        self._latest: dict[type[Resource], _Latest] = {}
        self._memo: Memo[_Key, Decision] = Memo(_REMEMBERED)

    def needed(self, principal: Principal, action: Action) -> frozenset[str]:
        """The attributes of a study that can decide for them; at most ``attributes_read``."""
        return self._sight(principal, action, Study).needed

    def decide(
        self, principal: Principal, action: Action, resource: Resource, circumstances: Circumstances
    ) -> Decision:
        """Allowed or denied, and by which policies; denied where it cannot be told."""
        sight = self._sight(principal, action, resource.__class__)
        parts = self._parts(sight, circumstances) if sight.parts else ()
        key = (sight.number, sight.face(resource), parts)
        return self._memo.get(key) or self._anew(key, sight, principal, action)

    def _parts(self, sight: _Sight, circumstances: Circumstances) -> tuple[Part, ...]:
        return tuple([_part(name, circumstances, self.zone, sight.reason) for name in sight.parts])

    def _sight(self, principal: Principal, action: Action, kind: type[Resource]) -> _Sight:
        latest = self._latest.get(kind)
        # The matches of one query come one after the other: to compare is cheaper than to look up.
        if latest is not None and latest.principal is principal and latest.action is action:
            return latest.sight
        key = (principal, action, kind)
        known = self._sights.get(key)
        if known is None:
            known = self._look(principal, action, kind)
            self._sights.put(key, known)
        self._latest[kind] = _Latest(principal, action, known)
        return known

    def _look(self, principal: Principal, action: Action, kind: type[Resource]) -> _Sight:
        answer = self._sketches.ask(Question(principal, action, kind.__name__, "", {}, {}))
        # What cannot be told counts as concerned: it costs a look-up at most.
        concerned = answer.rules | answer.failed if answer.allowed is not None else self.clauses.keys()
        told = [c for name, c in self.clauses.items() if name in concerned or "" in concerned]
        read = reduce(or_, (clause.reads for clause in told), Reads())
        names = _names(kind, read)
        parts = CONTEXT if read.whole_context else CONTEXT.keys() & read.context
        reason = read.whole_context or "emergency" in read.values
        needed = frozenset(names) - {_UID}
        return _Sight(next(self._numbers), names, tuple(sorted(parts)), reason, _reader(names), needed)

    def _anew(self, key: _Key, sight: _Sight, principal: Principal, action: Action) -> Decision:
        _, face, given = key
        parts = dict(zip(sight.parts, given, strict=True))
        seen = dict(zip(sight.names, face, strict=True))
        try:
            question = _question(principal, action, seen, context(parts))
        except ValueError:  # an address that is none
            return _answered(Answer(None), frozenset(), self.clauses)
        known = frozenset(question.attributes) if question.kind == "Study" else None
        decision = _answered(self._engine.ask(question), known, self.clauses)
        if _weight(face) <= _HEAVIEST and not (sight.reason and parts.get("emergency")):
            self._memo.put(key, decision)
        return decision


def load(texts: Mapping[str, str], version: int, zone: dt.tzinfo = dt.UTC) -> Policy:
    """The policies of several files (name -> Cedar text), validated against the schema.

    ``zone`` is the hospital's: policies read the hour, the weekday and today's date on its clocks.
    ``ConfigError`` names the file and the line on which the policy begins that cannot be used.
    """
    return Policy(clauses(texts), version, zone)


# ---- what is looked at


def _names(kind: type[Resource], read: Reads) -> tuple[str, ...]:
    if kind is Node:
        return ("title",)
    known = sorted(read.attributes & STUDY.keys())
    return (_UID, *known) if read.identity else tuple(known)


def _reader(names: tuple[str, ...]) -> Callable[[Any], tuple[Part, ...]]:
    if not names:
        return lambda _: ()
    if len(names) == 1:
        one = attrgetter(names[0])
        return lambda resource: (one(resource),)
    return attrgetter(*names)


def _part(name: str, circumstances: Circumstances, zone: dt.tzinfo, reason: bool) -> Part:
    value = part(name, circumstances, zone)
    return _GIVEN if name == "emergency" and value is not None and not reason else value


def _weight(face: tuple[Part, ...]) -> int:
    texts = itertools.chain.from_iterable(
        [value] if isinstance(value, str) else value or () for value in face
    )
    return sum(map(len, texts))


# ---- asking and understanding the answer


def _question(
    principal: Principal, action: Action, seen: Mapping[str, Part], parts: Mapping[str, Any]
) -> Question:
    if "title" in seen:
        return Question(principal, action, "Node", seen["title"], seen, parts)
    known = study_attributes({name: value for name, value in seen.items() if name != _UID})
    return Question(principal, action, "Study", seen.get(_UID, ""), known, parts)


def _answered(answer: Answer, known: frozenset[str] | None, found: Mapping[str, Clause]) -> Decision:
    """The decision; ``known`` are the attributes that could be had of a study, None for a node."""
    if answer.allowed is None:
        return Decision(False, (), "the policies could not be asked")
    broken = sorted(name for name in answer.failed if name not in found or not found[name].permits)
    if broken:
        return Decision(False, tuple(filter(None, broken)), f"{_listed(broken)} could not be evaluated")
    rules = tuple(sorted(answer.rules))
    if not answer.allowed:
        return Decision(False, rules, f"forbidden by {_listed(rules)}" if rules else "no policy permits it")
    standing = tuple(name for name in rules if known is None or found[name].needs <= known)
    if standing:
        return Decision(True, standing, f"permitted by {_listed(standing)}")
    missing = sorted(
        frozenset[str]().union(*(found[name].needs for name in rules)) - (known or frozenset[str]())
    )
    return Decision(False, (), f"{_listed(rules)} needs what is not known of the study: {_listed(missing)}")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(name or "a policy" for name in names)
