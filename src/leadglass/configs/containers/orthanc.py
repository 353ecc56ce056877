"""What the reader of Orthanc's configuration says of an Orthanc in a container, at the places of this file."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from leadglass.configs.containers.orthanc_image import Effective, Family, effective, variable_of
from leadglass.configs.containers.orthanc_json import Written, changed
from leadglass.configs.containers.workload import Variable, Workload
from leadglass.configs.json_nodes import parse_json, plain
from leadglass.configs.orthanc.readers import READERS
from leadglass.configs.reading import Fact, Layers, Listener
from leadglass.configs.source import Source, edited
from leadglass.errors import ConfigError
from leadglass.model.finding import Certainty, Edit, Finding

__all__ = ["Judged", "judged"]

_Path = tuple[str, ...]
_DEEPEST = 8
_JSON = "ORTHANC_JSON"
_NAMED = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Judged:
    """What is known of one Orthanc."""

    findings: tuple[Finding, ...]
    listeners: tuple[Listener, ...]
    """None when files that are read for themselves decide."""
    facts: Mapping[str, Fact]
    peers: bool
    """It names modalities, or files that were not read here may."""
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    layers: Layers = field(default_factory=Layers, repr=False)
    """What is laid under and over files that are read for themselves."""


def judged(source: Source, workload: Workload, family: Family) -> Judged:
    """Orthanc's own reader, on the configuration that the container makes of its environment."""
    made = effective(source, workload, family)
    inner = Source(source.path, made.text())
    known = {**workload.known(), **dict.fromkeys(made.unknown)}
    reading = READERS[0].read(inner, known)
    written = Written(source, workload.variables.get(_JSON))
    here = _Here(source, workload, made, inner, written, settable=family is Family.TEAM)
    return Judged(
        findings=tuple(found for one in reading.findings for found in here.finding(one)),
        listeners=() if workload.configured else tuple(_reached(workload, one) for one in reading.listeners),
        facts={} if workload.configured else reading.facts,
        peers=bool(workload.configured or made.options.get("DicomModalities")),
        options=made.options,
        layers=made.layers,
    )


def _reached(workload: Workload, listener: Listener) -> Listener:
    reach = workload.unpublished if listener.port is None else workload.reach(listener.port)
    return replace(listener, name=f"{workload.name}/{listener.name}", reach=reach)


@dataclass(frozen=True, slots=True)
class _Here:
    """Brings findings from the configuration that was made to the file that it was made from."""

    source: Source
    workload: Workload
    made: Effective
    inner: Source
    written: Written
    settable: bool
    """The image takes options from variables."""

    def finding(self, one: Finding) -> Iterator[Finding]:
        """At the variable that it comes from; what no variable says is left to files that may say otherwise."""
        variable = self.made.origin(one.place.line)
        files = self.workload.configured
        if files and (variable is None or not self._set_here(one.option)):
            return
        wanted = edited(self.inner.text, one.edits) if one.edits and self.settable else None
        depends = variable is None and self.workload.elsewhere
        yield replace(
            one,
            place=self.source.place(self._offset(variable, one.option)),
            listener=None if files or one.listener is None else f"{self.workload.name}/{one.listener}",
            edits=() if wanted is None else _edits(self.source, self.workload, self.made, wanted),
            certainty=Certainty.DEPENDS if depends else one.certainty,
        )

    def _offset(self, variable: Variable | None, option: str) -> int:
        inside = self.written.offset(option) if variable and variable == self.written.variable else None
        if inside is not None:
            return inside
        return self.workload.offset if variable is None else variable.offset

    def _set_here(self, option: str) -> bool:
        """Whether a variable sets it, and not the image, which does so only where files say nothing."""
        name, _, inner = option.partition(".")
        said = self.made.layers.over.get(name)
        outside = isinstance(said, Mapping) and inner and inner.partition(".")[0] not in said
        return name in self.made.origins and not outside


def _edits(source: Source, workload: Workload, made: Effective, wanted: str) -> tuple[Edit, ...]:
    """The variables to set so that the image makes the wanted configuration; none when they cannot be told."""
    try:
        new = plain(parse_json(Source("", wanted)))
    except ConfigError:
        return ()
    if not isinstance(new, Mapping):
        return ()
    gone = [name for name in made.options if name not in new]
    if gone:
        return _renamed(source, made, new, gone)
    found, inside = [], []
    for path, value in _changes(made.options, new, (), made.paths):
        edits = _set(source, workload, made, path, value)
        if edits:
            found.append(edits)
        else:
            inside.append((path, _demanded(workload, value)))
    if inside:
        found.append(_set_inside(source, workload, made, inside))
    return tuple(edit for edits in found for edit in edits) if all(found) else ()


def _set_inside(
    source: Source, workload: Workload, made: Effective, changes: Sequence[tuple[_Path, Any]]
) -> tuple[Edit, ...]:
    """Options in ``ORTHANC_JSON``, those that it sets and those that nothing does; none when another variable does."""
    variable = workload.variables.get(_JSON)
    if variable is None or any(made.origins.get(path[0], variable) != variable for path, _ in changes):
        return ()
    return changed(source, variable, changes)


def _demanded(workload: Workload, value: Any) -> Any:
    """Compose then does not start without the variable that it names."""
    if workload.environment is None:
        return value
    if isinstance(value, Mapping):
        return {name: _demanded(workload, inner) for name, inner in value.items()}
    return _NAMED.sub(r"${\1:?}", value) if isinstance(value, str) else value


def _set(source: Source, workload: Workload, made: Effective, path: _Path, value: Any) -> tuple[Edit, ...]:
    """One option, by the variable that sets it now, or by one more."""
    value = _demanded(workload, value)
    text = value if isinstance(value, str) else json.dumps(value)
    there = made.paths.get(path)
    if there is not None and not there.elsewhere:
        return there.set_to(source, text)
    name = variable_of(path)
    # Which of ORTHANC_JSON and a variable of its own would win is not determined.
    if name is None or _in_json(made.origins.get(path[0])):
        return ()
    return workload.with_variable(source, name, text)


def _renamed(source: Source, made: Effective, new: Mapping[str, Any], gone: list[str]) -> tuple[Edit, ...]:
    """An option under another name, its value the same."""
    come = [name for name in new if name not in made.options]
    variable = made.paths.get((gone[0],))
    name = variable_of((come[0],)) if come else None
    if len(gone) != 1 or len(come) != 1 or variable is None or name is None:
        return ()
    return variable.called(source, name) if new[come[0]] == made.options[gone[0]] else ()


def _changes(
    old: Mapping[str, Any], new: Mapping[str, Any], path: _Path, whole: Collection[_Path]
) -> Iterator[tuple[_Path, Any]]:
    """Options that are new or have another value, and where; ``whole`` are those that are set in one piece."""
    for name, value in new.items():
        mine, here = old.get(name), (*path, name)
        if (
            isinstance(value, Mapping)
            and isinstance(mine, Mapping)
            and mine
            and here not in whole
            and len(path) < _DEEPEST
        ):
            yield from _changes(mine, value, here, whole)
        elif name not in old or mine != value:
            yield here, value


def _in_json(variable: Variable | None) -> bool:
    return variable is not None and variable.name == _JSON
