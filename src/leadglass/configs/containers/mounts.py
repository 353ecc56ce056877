"""Which configuration files a service of a compose file is given, and where it finds them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from leadglass.configs.containers.variables import resolved
from leadglass.configs.kinds import Environment
from leadglass.configs.yaml_nodes import Mapping, Node, Scalar, Sequence, text_of

__all__ = ["Mounted", "built_in", "is_configuration", "mounted"]

_DATA = re.compile(
    r"/(?:var/(?:lib|log|run|spool|cache|opt|dicom)|run/docker\.sock|data|storage|tmp|srv|mnt|media|backups?|logs?"
    r"|dicom|images?|worklists?|etc/(?:localtime|timezone|hosts|ssl))(?:/|$)",
    re.IGNORECASE,
)
"""Places in a container that hold no configuration of it."""
_CONFIGURATION = re.compile(r"\.(?:json|conf|cfg|ini|ya?ml|map|xml|ldif|env|template)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mounted:
    """A file or folder that a container is given."""

    target: str
    path: str | None
    """On the host, beside the compose file; None where it lies elsewhere, or is lent by a swarm."""
    content: Scalar | None = None
    """Its text, where that stands in the compose file itself."""


def mounted(service: Mapping, project: Mapping, environment: Environment) -> tuple[Mounted, ...]:
    """What the volumes, configs and secrets of a service bring in."""
    volumes = _items(service.get("volumes"))
    found = [_volume(item, environment) for item in volumes]
    for section, folder in (("configs", "/"), ("secrets", "/run/secrets/")):
        known = project.get(section)
        found += [_lent(item, known, folder, environment) for item in _items(service.get(section))]
    return tuple(one for one in found if one is not None)


def built_in(service: Mapping, environment: Environment) -> str | None:
    """The folder beside the compose file that the image is built in; None for the project's own, or none at all."""
    build = service.get("build")
    context = text_of(build.get("context") if isinstance(build, Mapping) else build)
    path = _beside(_known(context, environment), volumes=False)
    return None if path is None or path.startswith(".") or ":" in path else path


def is_configuration(target: str) -> bool:
    """Whether a program is likely to be configured by what is mounted there."""
    return bool(_CONFIGURATION.search(target) or re.fullmatch(r"/etc/[^/]+(?:/conf\.d)?/?", target))


def _items(node: Node | None) -> Iterator[Node]:
    return iter(node.items if isinstance(node, Sequence) else ())


def _volume(item: Node, environment: Environment) -> Mounted | None:
    if isinstance(item, Mapping):
        source, target = text_of(item.get("source")), text_of(item.get("target"))
        if text_of(item.get("type")) not in {None, "bind"}:
            return None
    else:
        # A drive letter has its colon before a path: C:\archive:/etc/orthanc.
        text = resolved(text_of(item) or "", environment).value or ""
        match = re.match(r"(?P<source>(?:[A-Za-z]:[\\/])?[^:]*):(?P<target>/[^:]*)", text)
        source, target = (match["source"], match["target"]) if match else (None, None)
    target = _known(target, environment)
    path = _beside(_known(source, environment))
    if target is None or _holds_data(target) or (path is None and not is_configuration(target)):
        return None
    return Mounted(target, path)


def _lent(item: Node, known: Node | None, folder: str, environment: Environment) -> Mounted | None:
    """A config or secret: lent to the service by the name it has in the project."""
    name = text_of(item.get("source")) if isinstance(item, Mapping) else text_of(item)
    target = text_of(item.get("target")) if isinstance(item, Mapping) else None
    if name is None:
        return None
    given = known.get(name) if isinstance(known, Mapping) else None
    target = _known(target or name, environment) or name
    path = content = None
    if isinstance(given, Mapping):
        path = _beside(_known(text_of(given.get("file")), environment), volumes=False)
        text = given.get("content")
        content = text if isinstance(text, Scalar) else None
    return Mounted(target if target.startswith("/") else folder + target, path, content)


def _known(text: str | None, environment: Environment) -> str | None:
    return None if text is None else resolved(text, environment).value


def _beside(path: str | None, *, volumes: bool = True) -> str | None:
    """A path beside the compose file; None for a home, an absolute one or, where there may be some, a named volume."""
    path = (path or "").replace("\\", "/")
    if path.startswith(("/", "~")) or re.match(r"[A-Za-z]:", path):
        return None
    if not path:
        return None
    if volumes and not path.startswith(".") and "/" not in path and not _CONFIGURATION.search(path):
        return None  # the name of a volume
    return posixpath.normpath(path)


def _holds_data(target: str) -> bool:
    return bool(_DATA.match(target)) and not _CONFIGURATION.search(target)
