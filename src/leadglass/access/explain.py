"""Says in words why a decision is as it is, and what it would take to be another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from leadglass.access.engine import Engine, Question
from leadglass.access.facts import CONTEXT, STUDY, context, part, study_attributes
from leadglass.access.policy import Policy
from leadglass.model.access import Action, Circumstances, Principal, Resource, Study

__all__ = ["explain", "undecided"]


def explain(
    policy: Policy, principal: Principal, action: Action, resource: Resource, circumstances: Circumstances
) -> tuple[str, ...]:
    """The decision and its reasons, a line each; the first begins with ``allowed`` or ``denied``.

    No line names a patient.
    """
    decision = policy.decide(principal, action, resource, circumstances)
    word = "allowed" if decision.allowed else "denied"
    return (
        f"{word}: {decision.reason}",
        *(f"{name}: {_effect(policy, name)}, {policy.clauses[name].place}" for name in decision.rules),
        *_if_known(policy, principal, action, resource, circumstances),
    )


def _effect(policy: Policy, name: str) -> str:
    return "permits" if policy.clauses[name].permits else "forbids"


def _if_known(
    policy: Policy, principal: Principal, action: Action, resource: Resource, circumstances: Circumstances
) -> Iterator[str]:
    if not isinstance(resource, Study):
        return
    for name, lacking in undecided(policy, principal, action, resource, circumstances).items():
        verb = "permit" if policy.clauses[name].permits else "forbid"
        what = " and ".join(sorted(lacking))
        yield f"{name}: might {verb} if this were known of the study: {what}, {policy.clauses[name].place}"


def undecided(
    policy: Policy, principal: Principal, action: Action, study: Study, circumstances: Circumstances
) -> Mapping[str, frozenset[str]]:
    """Policies that might apply if more were known of the study: id -> the attributes they lack.

    They are those whose other conditions all hold. Not for decisions: it puts other policies than
    those in force to Cedar.
    """
    known = study_attributes({name: getattr(study, name) for name in STUDY})
    absent = STUDY.keys() - known.keys()
    lacking = {name: c.needs & absent for name, c in policy.clauses.items() if c.needs & absent}
    engine = Engine({name: policy.clauses[name].without(frozenset(absent)) for name in lacking})
    try:
        parts = context({name: part(name, circumstances, policy.zone) for name in CONTEXT})
    except ValueError:
        return {}
    answer = engine.ask(Question(principal, action, "Study", study.study_instance_uid, known, parts))
    return {name: lacking[name] for name in sorted(answer.rules)}
