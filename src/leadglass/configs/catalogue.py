"""What is known of each rule: ``knowledge/*.toml``, read at first use, once."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any

from leadglass.configs.source import Source
from leadglass.model.finding import Cause, Certainty, Edit, Finding
from leadglass.model.verdict import Access, Severity

__all__ = ["FILES", "Rule", "finding", "rules"]

FILES = ("orthanc", "containers", "dcmtk", "dcm4chee", "conquest", "fronts", "common")
"""The files of rules, one for each family of products."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What never changes with the file."""

    id: str
    """``LG-FAMILY-NNN``; never given to another rule, even when this one is gone."""
    title: str
    why: str
    """What it means for the practice, in a sentence or two."""
    severity: Severity
    """When the listener can be reached from everywhere, or there is no listener."""
    exposure: Access | None
    cause: Cause
    certainty: Certainty
    fix: str
    documentation: str
    """Where the product's makers describe the option."""
    hipaa: tuple[str, ...]
    """Sections of 45 CFR, as ``164.312(d)``."""
    ps315: tuple[str, ...]
    """Clauses of DICOM PS3.15, as ``B.12``."""


@functools.cache
def rules() -> Mapping[str, Rule]:
    """All rules, by id."""
    found = [_rule(id_, row) for name in FILES for id_, row in _table(name).items()]
    return {rule.id: rule for rule in found}


def finding(
    rule: str,
    source: Source,
    offset: int,
    option: str,
    says: str,
    *,
    listener: str | None = None,
    edits: tuple[Edit, ...] = (),
    **other: Any,
) -> Finding:
    """A finding of ``rule`` at ``offset`` of a file; ``other`` are fields that differ from the rule's."""
    known = rules()[rule]
    made = Finding(
        rule=rule, place=source.place(offset), option=option, says=says,
        severity=known.severity, exposure=known.exposure, cause=known.cause, certainty=known.certainty,
        fix=known.fix, listener=listener, edits=edits,
    )  # fmt: skip
    return replace(made, **other) if other else made


def _table(name: str) -> Mapping[str, Mapping[str, Any]]:
    text = resources.files("leadglass.configs").joinpath("knowledge", f"{name}.toml").read_text("utf-8")
    return tomllib.loads(text)


def _rule(id_: str, row: Mapping[str, Any]) -> Rule:
    exposure = row.get("exposure")
    return Rule(
        id=id_,
        title=row["title"],
        why=row["why"],
        severity=Severity(row["severity"]),
        exposure=None if exposure is None else Access(exposure),
        cause=Cause(row["cause"]),
        certainty=Certainty(row["certainty"]),
        fix=row["fix"],
        documentation=row["documentation"],
        hipaa=tuple(row["hipaa"]),
        ps315=tuple(row["ps315"]),
    )
