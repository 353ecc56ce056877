"""What a file says that publishes ports, once the files are read that say what listens on them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from leadglass.configs.catalogue import rules
from leadglass.configs.containers.exposed import rule_number
from leadglass.configs.reading import Listener, Reach, Reading
from leadglass.model.finding import Finding

__all__ = ["Opened", "as_opened"]

Opened = Mapping[str, Mapping[int, Listener]]
"""What listens in a container, by its name and the port; of containers whose own files were read."""

_ASSUMED = frozenset(f"{family}-{number:03}" for family in ("LG-COMPOSE", "LG-K8S") for number in (1, 2, 3))
"""Rules on ports that are judged by what usually listens there, as long as nothing says more."""


def as_opened(reading: Reading, opened: Opened) -> Reading:
    """The reading, its published ports as severe as what listens there makes them; without those where nothing does."""
    if not opened:
        return reading
    known = {one.name for one in reading.listeners if one.product != "unknown"}
    found = (changed for one in reading.findings for changed in _changed(one, opened, known))
    return dataclasses.replace(reading, findings=tuple(found))


def _changed(finding: Finding, opened: Opened, known: AbstractSet[str]) -> Iterator[Finding]:
    owner, _, port = finding.option.rpartition(":")
    if finding.listener in known or finding.rule not in _ASSUMED or owner not in opened:
        yield finding
        return
    listener = opened[owner].get(int(port))
    if listener is None or listener.reach is Reach.LOOPBACK:
        return
    number, severity = rule_number(listener)
    if number is None:
        return
    rule = rules()[f"{finding.rule[:-3]}{number:03}"]
    yield dataclasses.replace(
        finding,
        rule=rule.id,
        severity=severity or rule.severity,
        exposure=listener.exposure,
        fix=rule.fix,
        edits=finding.edits if rule.id == finding.rule else (),
    )
