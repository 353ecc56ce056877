"""Configuration files in, what they expose out: each told by what it holds, then all judged together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TypeAlias

from leadglass.configs.conquest.readers import READERS as CONQUEST
from leadglass.configs.containers.readers import READERS as CONTAINERS
from leadglass.configs.dcm4chee.readers import READERS as DCM4CHEE
from leadglass.configs.dcmtk.readers import READERS as DCMTK
from leadglass.configs.folders import folders, merged
from leadglass.configs.fronts.readers import READERS as FRONTS
from leadglass.configs.json_nodes import parse_json
from leadglass.configs.kinds import Environment, Reader
from leadglass.configs.orthanc.readers import KIND as OF_ORTHANC
from leadglass.configs.orthanc.readers import READERS as ORTHANC
from leadglass.configs.reading import Layers, Reading
from leadglass.configs.source import Source
from leadglass.configs.together import environments, laid, servers, together
from leadglass.configs.yaml_nodes import documents
from leadglass.errors import ConfigError
from leadglass.model.finding import Certainty, Finding

__all__ = [
    "READERS",
    "Broken",
    "Linted",
    "Read",
    "Unknown",
    "lint",
    "linted",
    "promises",
    "read",
    "recognised",
    "spoilt",
]

READERS: tuple[Reader, ...] = (*DCM4CHEE, *ORTHANC, *CONTAINERS, *CONQUEST, *DCMTK, *FRONTS)
"""In the order in which they are asked: those with words of their own before those of a general form."""

_PROMISING = (".json", ".yml", ".yaml", ".cfg", ".conf", ".ini", ".ldif", ".map", ".service")
_YAML = (".yml", ".yaml")
_BEGINS_AS_JSON = re.compile(r"\ufeff?\s*+(?:\{|\[\s*+\[\s*+\[)")
_TEMPLATE = re.compile(r"\$\{|\{[{%]|<%")
_CERTAINTY = tuple(Certainty)


@dataclass(frozen=True, slots=True)
class Broken:
    """A file that could not be read."""

    path: str
    why: str
    """One line, with the place and what to do."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A file that none of the readers takes."""

    path: str


Read: TypeAlias = Reading | Broken | Unknown
"""What became of one file."""


@dataclass(frozen=True, slots=True)
class Linted:
    """What a number of files say."""

    readings: tuple[Reading, ...] = ()
    """By path; listeners and findings as all files together have them."""
    findings: tuple[Finding, ...] = ()
    """Those of all readings, worst first."""
    unknown: tuple[str, ...] = ()
    """Paths of files of no known kind."""
    broken: tuple[Broken, ...] = ()
    as_read: tuple[Reading, ...] = ()
    """The readings as each file has it by itself."""


def promises(path: str) -> bool:
    """Whether the name of a file promises a configuration. What it holds decides; this is for what cannot be read."""
    return path.lower().endswith(_PROMISING)


def recognised(source: Source) -> Reader | None:
    """The reader of this kind of file; None when it is of no kind that is known."""
    return next((reader for reader in READERS if reader.recognises(source)), None)


def read(source: Source, environment: Environment | None = None) -> Read:
    """One file by itself."""
    reader = recognised(source)
    return (
        Unknown(source.path)
        if reader is None
        else _read_by(reader, source, {} if environment is None else environment)
    )


def spoilt(source: Source) -> Broken | None:
    """A file of no known kind that is called or begins as JSON or YAML, and cannot be read as that.

    What is left to be filled in is none of them yet.
    """
    name = source.path.lower()
    try:
        if _BEGINS_AS_JSON.match(source.text):
            parse_json(source)
        elif name.endswith(_YAML):
            documents(source)
        elif name.endswith(".json") and source.text.strip():
            parse_json(source)
    except ConfigError as exc:
        return None if _TEMPLATE.search(source.text) else Broken(source.path, str(exc))
    return None


def linted(files: Iterable[Read]) -> Linted:
    """Files that were read one by one, judged together."""
    everything = sorted(files, key=_path)
    readings = [one for one in everything if isinstance(one, Reading)]
    whole = list(_whole(readings))
    judged = together([one for one in whole if isinstance(one, Reading)])
    return Linted(
        readings=tuple(sorted(judged, key=_path)),
        findings=_worst_first(judged),
        unknown=tuple(one.path for one in everything if isinstance(one, Unknown)),
        broken=tuple(one for one in (*everything, *whole) if isinstance(one, Broken)),
        as_read=tuple(readings),
    )


def lint(sources: Iterable[Source]) -> Linted:
    """The texts of files, read and judged together."""
    return linted(read(source) for source in sources)


def _read_by(reader: Reader, source: Source, environment: Environment) -> Reading | Broken:
    try:
        return reader.read(source, environment)
    except ConfigError as exc:
        return Broken(source.path, str(exc))
    except RecursionError:
        return Broken(source.path, f"{source.path}: nested too deeply; no configuration is")


def _whole(readings: Sequence[Reading]) -> Iterator[Reading | Broken]:
    """The files with the variables that others set for them, and those of one server as one."""
    told, layers = environments(readings), laid(readings)
    one_server = list(folders(readings, servers(readings)))
    one_server += _alone(readings, layers, {one.source.path for files in one_server for one in files})
    inside = {reading.source.path for files in one_server for reading in files}
    yield from (_with(one, told) for one in readings if one.source.path not in inside)
    for files in one_server:
        variables = {name: value for one in files for name, value in told.get(one.source.path, {}).items()}
        try:
            yield from merged(files, variables, layers.get(files[0].source.path, Layers()))
        except ConfigError as exc:
            yield Broken(files[0].source.path, str(exc))


def _alone(
    readings: Sequence[Reading], layers: Mapping[str, Layers], others: AbstractSet[str]
) -> Iterator[Sequence[Reading]]:
    """The files of an Orthanc that has no other, and beside which the image of its container sets something."""
    for one in readings:
        path = one.source.path
        if one.kind == OF_ORTHANC and path in layers and layers[path] != Layers() and path not in others:
            yield [one]


def _with(reading: Reading, told: Mapping[str, Environment]) -> Reading | Broken:
    """The file read with the variables that others set for it, where it has any."""
    environment = told.get(reading.source.path)
    if not environment or "${" not in reading.source.text:
        return reading
    environment = {**reading.environment, **environment}
    reader = next(reader for reader in READERS if reader.kind == reading.kind)
    return _read_by(reader, reading.source, environment)


def _path(file: Read) -> str:
    return file.source.path if isinstance(file, Reading) else file.path


def _worst_first(readings: Sequence[Reading]) -> tuple[Finding, ...]:
    return tuple(sorted((finding for reading in readings for finding in reading.findings), key=_order))


def _order(finding: Finding) -> tuple[object, ...]:
    certainty = _CERTAINTY.index(finding.certainty)
    return finding.severity.rank, certainty, finding.place, finding.rule, finding.option
