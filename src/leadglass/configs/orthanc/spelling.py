"""Options that do not exist, stand in the wrong place or twice, or have a value of the wrong type."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from leadglass.configs.catalogue import finding
from leadglass.configs.json_nodes import Array, Node, Object, Scalar, Variable, removed, replaced
from leadglass.configs.nearest import nearest
from leadglass.configs.orthanc.options import Option, Section, core, instead, owners, sections
from leadglass.configs.orthanc.settings import Entry, Settings, noted, rename, shown
from leadglass.model.finding import Edit, Finding
from leadglass.model.verdict import Severity

__all__ = ["spelling_findings"]

_GUARDS = re.compile(
    r"access|allow|auth|check|cors|cred|password|remote|secur|ssl|tls|user|origin", re.IGNORECASE
)
"""Words of options that somebody may believe to be a lock."""
_MOST = 100
"""Findings of one kind in one file."""
_CLASSES: Mapping[str, str] = {
    "bool": "true or false",
    "int": "a whole number from 0",
    "string": "a word in quotes",
    "list": "a list",
    "object": "names with values",
}


def spelling_findings(settings: Settings) -> Iterator[Finding]:
    """All that is written in vain."""
    for entry in settings.unknown:
        yield _unknown(settings, entry)
    yield from _twice(settings)
    for entry in settings.all_entries[: _MOST * 10]:
        option, section = core().get(entry.name), sections().get(entry.name)
        if option and settings.entry(entry.name) is entry:
            yield from _mistyped(settings, entry, option)
        if section and isinstance(entry.node, Object):
            yield from _in_section(entry, entry.node, section)


def _unknown(settings: Settings, entry: Entry) -> Finding:
    name, real = shown(entry.name), settings.meant.get(entry.name)
    if real and real.lower() == entry.name.lower():
        edits = _renamed(settings, entry, real) or _removed(entry)
        return _of("LG-ORTHANC-041", entry, f"{name} is ignored: the option is {real}", edits=edits)
    homes = owners().get(entry.name)
    if homes and not real:
        says = f"{name} is an option of the plugin section {' or '.join(sorted(homes)[:5])}, and ignored here"
        return _of("LG-ORTHANC-042", entry, says)
    told = (f"the nearest that it has is {real}" if real else "", instead(entry.name))
    says = "; ".join((f"Orthanc has no option {name}", *filter(None, told)))
    severity = Severity.MEDIUM if _GUARDS.search(entry.name) else Severity.LOW
    edits = (real and _renamed(settings, entry, real)) or _removed(entry)
    return _of("LG-ORTHANC-040", entry, says, severity=severity, edits=edits)


def _renamed(settings: Settings, entry: Entry, real: str) -> tuple[Edit, ...]:
    """Under the name that was meant, where that closes something: it did nothing until now, and must not open."""
    option = core().get(real)
    slip = settings.misspelt.get(real) is entry
    if not slip or option is None or option.safe is None or settings.value(entry.node) is not option.safe:
        return ()
    return (rename(entry, real),)


def _removed(entry: Entry) -> tuple[Edit, ...]:
    """Without it; what holds more than one value is left to a person."""
    if isinstance(entry.node, Object | Array):
        return ()
    return removed(entry.source, entry.owner, entry.member)


def _twice(settings: Settings) -> Iterator[Finding]:
    seen: dict[str, Entry] = {}
    found = 0
    for entry in settings.all_entries:
        first = seen.setdefault(entry.name, entry)
        if first is entry or noted(entry.name) or found == _MOST:
            continue
        found += 1
        seen[entry.name] = entry
        where = first.source.place(first.offset)
        if first.source is entry.source:
            says = f"{shown(entry.name)} is set in line {where.line} as well; the last one counts"
            edits = removed(first.source, first.owner, first.member)
            yield _of("LG-ORTHANC-045", entry, says, edits=edits)
        else:
            says = f"{shown(entry.name)} is set in {where.path} as well: Orthanc does not start"
            yield _of("LG-ORTHANC-046", entry, says)


def _mistyped(settings: Settings, entry: Entry, option: Option) -> Iterator[Finding]:
    if isinstance(entry.node, Variable) or option.type == "any" or _fits(entry.node, option.type):
        return
    says = f"{option.name} takes {_CLASSES[option.type]}"
    yield _of("LG-ORTHANC-043", entry, says, edits=_retyped(settings, entry, option))


def _fits(node: Node, kind: str) -> bool:
    if isinstance(node, Object | Array):
        return kind == ("object" if isinstance(node, Object) else "list")
    value = node.value if isinstance(node, Scalar) else None
    if kind == "int":
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return isinstance(value, {"bool": bool, "string": str}.get(kind, type(None)))


def _retyped(settings: Settings, entry: Entry, option: Option) -> tuple[Edit, ...]:
    """Without the quotes, where what stands in them is of the right type; without the point where nothing follows."""
    meant: bool | int | None = None
    if option.type == "bool":
        meant = settings.flag(option.name)
    elif option.type == "int":
        value = settings.value(entry.node)
        whole = isinstance(value, float) and value.is_integer() and value >= 0
        meant = int(value) if whole and isinstance(value, float) else settings.number(option.name)
    if meant is None or (option.type == "int" and meant < 0):
        return ()
    return (replaced(entry.source, entry.node, meant),)


def _in_section(entry: Entry, node: Object, section: Section) -> Iterator[Finding]:
    if section.open:
        return
    strange = [
        member for member in node.members if member.name not in section.options and not noted(member.name)
    ]
    for member in strange[:_MOST]:
        real = nearest(member.name, tuple(section.options))
        says = f"{section.name} has no option {shown(member.name)}" + (
            f"; the nearest is {real}" if real else ""
        )
        yield finding(
            "LG-ORTHANC-044", entry.source, member.start, f"{section.name}.{shown(member.name)}", says
        )


def _of(rule: str, entry: Entry, says: str, **other: Any) -> Finding:
    return finding(rule, entry.source, entry.offset, shown(entry.name), says, **other)
