"""The reader of Orthanc's own files, one by one or as the folder that they stand in."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence

from leadglass.configs.kinds import Environment, Reader
from leadglass.configs.orthanc.credentials import credential_findings
from leadglass.configs.orthanc.dicom import dicom_findings
from leadglass.configs.orthanc.plugins import plugin_findings
from leadglass.configs.orthanc.server import Server
from leadglass.configs.orthanc.settings import Settings, opened
from leadglass.configs.orthanc.spelling import spelling_findings
from leadglass.configs.orthanc.web import web_findings
from leadglass.configs.reading import Layers, Reading
from leadglass.configs.source import Source
from leadglass.model.finding import Finding

__all__ = ["KIND", "READERS", "merge"]

KIND = "orthanc"

# One of these names is enough: nothing else has them.
_OWN = re.compile(
    r'"(?:RemoteAccess(?:Allowed|Enabled)|RegisteredUsers|DicomAlwaysAllow\w+|DicomCheck\w+|DicomModalities\w*'
    r"|OrthancPeers\w*|OrthancExplorer\w*|DicomWeb|DicomTlsEnabled|DicomServerEnabled|ExecuteLuaEnabled|LuaScripts"
    r"|RestApiWriteToFileSystemEnabled|UnknownSopClassAccepted|StrictAetComparison|LimitFind\w+|ServeFolders"
    r'|Worklists|StableAge|StorageCompression|OverwriteInstances)"\s*:',
    re.IGNORECASE,
)
# Of these it takes two.
_SHARED = re.compile(
    r'"(?:DicomAet|DicomPort|HttpPort|HttpServerEnabled|AuthenticationEnabled|StorageDirectory|IndexDirectory|SslEnabled'
    r'|SslCertificate|PostgreSQL|MySQL|Plugins|MaximumStorageSize|MaximumPatientCount|HttpTimeout|KeepAlive)"\s*:'
)
_BEGINS = re.compile(r"(?:[\s\ufeff]++|//[^\r\n]*+|/\*(?s:.*?)\*/)*+\{")


def merge(sources: Sequence[Source], environment: Environment, layers: Layers | None = None) -> Reading:
    """Several files as the one configuration that Orthanc makes of a folder; findings at the file they are in.

    ``layers`` are what the image of a container sets beside them. What it sets whatever the files say is
    found where it is set, and not here.

    The reading is that of the first file, by path; ``ConfigError`` when one is broken. There has to be one at least.
    """
    settings = opened(sorted(sources, key=lambda source: source.path), environment, layers or Layers())
    server = Server(settings)
    found = itertools.chain(
        web_findings(server),
        dicom_findings(server),
        spelling_findings(settings),
        credential_findings(settings),
        plugin_findings(server),
    )
    return Reading(
        KIND,
        settings.files[0][0],
        findings=tuple(sorted(_decided(settings, found), key=lambda one: (one.place, one.rule))),
        listeners=server.listeners(),
        facts=server.facts(),
    )


def _decided(settings: Settings, found: Iterable[Finding]) -> Iterator[Finding]:
    """What files decide."""
    for one in found:
        option, _, inner = one.option.partition(".")
        outside = settings.outside(option)
        joined = inner.partition(".")[0] not in outside if inner else outside
        if option not in settings.layers.over or joined:
            yield one


def _read(source: Source, environment: Environment) -> Reading:
    return merge([source], environment)


def _recognises(source: Source) -> bool:
    """JSON that has a name of Orthanc's own, or two that few others have."""
    text = source.text
    if not _BEGINS.match(text):
        return False
    return _OWN.search(text) is not None or len({found[0] for found in _SHARED.finditer(text)}) > 1


READERS: tuple[Reader, ...] = (Reader(KIND, _recognises, _read),)
