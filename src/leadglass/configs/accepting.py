"""What becomes of findings that somebody has answered for: put aside until the day that was named, then counted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from leadglass.model.finding import Finding
from leadglass.settings.baseline_file import AcceptedTable

__all__ = ["Answered", "Weighed", "accepting", "key", "weighed"]

Answered: TypeAlias = tuple[Finding, AcceptedTable]
"""A finding, and who answers for it."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """Findings against a baseline; each list worst first."""

    open: tuple[Finding, ...]
    """Those that count, with those whose acceptance has expired."""
    accepted: tuple[Answered, ...] = ()
    expired: tuple[Answered, ...] = ()
    unused: tuple[AcceptedTable, ...] = ()
    """Acceptances of what is no longer found."""


def key(finding: Finding, name: Callable[[str], str]) -> tuple[str, str, str]:
    """What a baseline calls a finding; ``name`` tells the path of a file as the baseline has it."""
    return finding.rule, name(finding.place.path), _seen(finding.option)


def weighed(
    findings: Sequence[Finding],
    baseline: Iterable[AcceptedTable],
    today: dt.date,
    name: Callable[[str], str],
) -> Weighed:
    """The findings, without those that somebody answers for ``today``."""
    risks = {(one.rule, one.path, one.option): one for one in baseline}
    if not risks:
        return Weighed(tuple(findings))
    answered = [(finding, risks.get(key(finding, name))) for finding in findings]
    used = {(risk.rule, risk.path, risk.option) for _, risk in answered if risk is not None}
    return Weighed(
        open=tuple(finding for finding, risk in answered if risk is None or risk.expires < today),
        accepted=tuple((finding, risk) for finding, risk in answered if risk and risk.expires >= today),
        expired=tuple((finding, risk) for finding, risk in answered if risk and risk.expires < today),
        unused=tuple(risk for name_, risk in risks.items() if name_ not in used),
    )


def accepting(
    findings: Iterable[Finding], owner: str, reason: str, expires: dt.date, name: Callable[[str], str]
) -> Sequence[AcceptedTable]:
    """A baseline that accepts ``findings``; equal ones once."""
    keys = dict.fromkeys(key(finding, name) for finding in findings)
    return [
        AcceptedTable(rule=rule, path=path, option=option, owner=owner, reason=reason, expires=expires)
        for rule, path, option in keys
    ]


def _seen(text: str) -> str:
    """An option as it can stand in a baseline: one line that can be seen."""
    plain = "".join(char if char.isprintable() else "?" for char in text).strip()
    return plain or "-"
