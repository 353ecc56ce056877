"""Readings made by hand, for tests of what is made of readings."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from leadglass.configs.catalogue import finding
from leadglass.configs.lint import Linted
from leadglass.configs.reading import Front, Listener, Mount, Port, Reach, Reading, Service
from leadglass.configs.source import Source
from leadglass.model.finding import Finding
from leadglass.model.verdict import Access, Severity

RULE, OTHER_RULE = "LG-DCMTK-001", "LG-DCMTK-008"


def found(
    path: str = "orthanc.json",
    *,
    text: str = "{}\n" * 40,
    line: int = 2,
    severity: Severity = Severity.CRITICAL,
    rule: str = RULE,
    option: str = "AuthenticationEnabled",
    **other: Any,
) -> Finding:
    """A finding on a line of a file."""
    source = Source(path, text)
    return finding(
        rule, source, source.offset(line), option, "everybody may do everything", severity=severity, **other
    )


def server(path: str = "orthanc.json", *findings: Finding, port: int = 8042, **other: Any) -> Reading:
    """A server with one open listener, ``web``, and a finding on it."""
    listener = Listener("web", Service.WEB, port, "Orthanc", Access.ANSWERS_QUERY, **other)
    said = findings or (found(path, listener="web"),)
    return Reading("orthanc", Source(path, "{}\n" * 40), findings=said, listeners=(listener,))


def starter(
    path: str = "compose.yml",
    *,
    publishes: Reach | None = Reach.EVERYWHERE,
    owner: str = "archive",
    files: tuple[str, ...] = ("orthanc.json",),
    environment: Mapping[str, str | None] | None = None,
    unpublished: Reach = Reach.CONTAINERS,
    outside: int = 8042,
) -> Reading:
    """A compose file that starts it, and publishes port 8042 or none."""
    mount = Mount(owner, files, environment or {}, unpublished)
    ports = () if publishes is None else (Port(owner, 8042, outside, publishes, files, line=7),)
    return Reading("compose", Source(path, ""), ports=ports, mounts=(mount,))


def front(
    path: str = "nginx.conf",
    *,
    host: str = "archive",
    port: int = 8042,
    asks: Access = Access.ANSWERS_QUERY,
    reach: Reach = Reach.EVERYWHERE,
) -> Reading:
    """A front that passes strangers on."""
    return Reading("nginx", Source(path, ""), fronts=(Front(host, port, "/", asks, reach, line=3),))


def linted_of(*findings: Finding, **other: Any) -> Linted:
    """A lint that found these."""
    sources = {one.place.path: "{}\n" * 40 for one in findings}
    readings = tuple(
        Reading(
            "orthanc",
            Source(path, text),
            findings=tuple(one for one in findings if one.place.path == path),
        )
        for path, text in sources.items()
    )
    return dataclasses.replace(Linted(readings=readings, findings=findings), **other)
