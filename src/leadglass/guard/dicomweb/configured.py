"""The door and the way to the archive, from what ``guard.toml`` says."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from leadglass.guard.dicomweb.paths import Roots
from leadglass.guard.dicomweb.ports import Door
from leadglass.settings.guard import Address

__all__ = ["OWN", "archive_address", "door_of"]

OWN = Roots("/dicom-web", "/wado")
"""Where clients find the services."""
_PORTS = {"http": 80, "https": 443}


def door_of(names: Iterable[str], listen: Address, archive: str, title: str) -> Door:
    """The door that clients reach by ``names`` at the port of ``listen``.

    ``archive`` is the URL of the archive's DICOMweb root without a slash at the end, ``title`` its AE title.
    WADO-URI is expected beside that root, under ``wado``, as Orthanc and dcm4chee have it.
    """
    hosts = [f"[{name}]" if ":" in name else name for name in names]
    port = f":{listen.port}"
    authorities = {host + port for host in hosts} | (set(hosts) if listen.port == _PORTS["https"] else set())
    told = urlsplit(archive)
    return Door(
        public=f"https://{hosts[0]}{'' if listen.port == _PORTS['https'] else port}{OWN.web}",
        authorities=frozenset(authority.lower() for authority in authorities),
        host=told.netloc,
        title=title,
        own=OWN,
        archive=Roots(told.path, told.path.rpartition("/")[0] + "/wado"),
    )


def archive_address(archive: str) -> tuple[Address, bool]:
    """Where the archive's DICOMweb listens, and whether it speaks TLS there."""
    told = urlsplit(archive)
    return Address(told.hostname or "", told.port or _PORTS[told.scheme]), told.scheme == "https"
