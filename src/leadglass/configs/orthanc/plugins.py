"""What plugins and the rest of the core change about who may do what."""

from __future__ import annotations

from collections.abc import Iterator

from leadglass.configs.catalogue import finding
from leadglass.configs.json_nodes import Array, Object, Scalar
from leadglass.configs.orthanc.server import Server
from leadglass.configs.orthanc.settings import shown
from leadglass.model.finding import Finding

__all__ = ["plugin_findings"]

_PATIENTS = (
    "/patients",
    "/studies",
    "/series",
    "/instances",
    "/tools/find",
    "/dicom-web",
    "/changes",
    "/wado",
)
_LEVELS = (("patient", "patients"), ("study", "studies"), ("series",), ("instance", "instances"))
"""Of what a request is for, and what that is part of; one that is checked is enough."""
_SECTION = "Authorization"


def plugin_findings(server: Server) -> Iterator[Finding]:
    """Of the authorization plugin, of HTTPS to other servers, and of the log."""
    if server.authorised and server.remote and server.settings.section(_SECTION):
        yield from _authorization(server)
    settings = server.settings
    if not settings.on("HttpsVerifyPeers"):
        says = "certificates of other servers are not looked at"
        yield finding("LG-ORTHANC-054", *settings.place("HttpsVerifyPeers"), "HttpsVerifyPeers", says)
    if not settings.on("DeidentifyLogs"):
        says, edits = (
            "the log repeats names of patients that are asked for",
            settings.put("DeidentifyLogs", value=True),
        )
        yield finding(
            "LG-ORTHANC-055", *settings.place("DeidentifyLogs"), "DeidentifyLogs", says, edits=edits
        )


def _authorization(server: Server) -> Iterator[Finding]:
    entry, section = server.settings.entry(_SECTION), server.settings.section(_SECTION)
    assert entry is not None
    assert section is not None
    if not server.authenticated:
        says = "AuthenticationEnabled is false, and the authorization plugin decides about each request"
        yield finding("LG-ORTHANC-060", entry.source, entry.offset, _SECTION, says, listener="web")
    for name, wide in (
        ("UncheckedResources", _paths),
        ("UncheckedFolders", _paths),
        ("UncheckedLevels", _levels),
    ):
        open_ones = wide(section, name)
        node = section.get(name)
        if open_ones and node is not None:
            says = f"answered without a token: {', '.join(shown(word, 30) for word in open_ones[:4])}"
            option = f"{_SECTION}.{name}"
            yield finding("LG-ORTHANC-061", entry.source, node.start, option, says, listener="web")


def _paths(section: Object, name: str) -> list[str]:
    """Folders that hold patients' data or lie above it, and paths that are patients' data."""
    return [word for word in _words(section, name) if word == "/" or word.rstrip("/").startswith(_PATIENTS)]


def _levels(section: Object, name: str) -> list[str]:
    """The levels, where none is left that is checked."""
    words = {word.lower() for word in _words(section, name)}
    return [level[0] for level in _LEVELS] if all(words & {*level} for level in _LEVELS) else []


def _words(section: Object, name: str) -> list[str]:
    node = section.get(name)
    items = node.items[:100] if isinstance(node, Array) else ()
    return [item.value for item in items if isinstance(item, Scalar) and isinstance(item.value, str)]
