"""Folders of files that one Orthanc reads as one configuration."""

from __future__ import annotations

import dataclasses
import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from leadglass.configs.kinds import Environment
from leadglass.configs.orthanc.readers import KIND, merge
from leadglass.configs.reading import Layers, Reading

__all__ = ["folders", "merged"]

_ONCE = re.compile(
    r'"(Name|HttpPort|DicomPort|DicomAet|RemoteAccessAllowed|AuthenticationEnabled|RegisteredUsers|StorageDirectory'
    r'|IndexDirectory|HttpServerEnabled|DicomServerEnabled|DicomModalities|Plugins)"\s*:'
)
"""What a whole configuration has. Orthanc refuses a folder in which two files set the same option."""


def folders(readings: Sequence[Reading], started: Mapping[str, str]) -> Iterator[Sequence[Reading]]:
    """The files that one Orthanc reads together, where they are more than one.

    ``started`` names the server that a file is mounted into, by path. Files that nobody mounts belong
    together if they lie in one folder, and no option of theirs stands in two of them.
    """
    groups: defaultdict[tuple[str, str], list[Reading]] = defaultdict(list)
    for reading in readings:
        if reading.kind == KIND:
            path = reading.source.path
            server = started.get(path)
            groups[("", posixpath.dirname(path)) if server is None else ("mounted", server)].append(reading)
    for (how, _), files in groups.items():
        if len(files) > 1 and (how or _is_one(files)):
            yield files


def merged(files: Sequence[Reading], environment: Environment, layers: Layers) -> Sequence[Reading]:
    """The files as one server: the first says everything, at the places where it stands; the others nothing.

    ``layers`` are what the image of the container sets beside them.
    ``ConfigError`` if they cannot be read together.
    """
    first, *others = sorted(files, key=lambda reading: reading.source.path)
    whole = merge([first.source, *(other.source for other in others)], environment, layers)
    silent = (dataclasses.replace(other, findings=(), listeners=(), facts={}) for other in others)
    return [dataclasses.replace(whole, source=first.source), *silent]


def _is_one(files: Sequence[Reading]) -> bool:
    options = list(
        chain.from_iterable({found[1] for found in _ONCE.finditer(file.source.text)} for file in files)
    )
    return len(options) == len(set(options))
