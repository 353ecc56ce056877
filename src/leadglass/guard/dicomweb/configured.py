"""The DICOMweb door of a process, from what ``guard.toml`` says and from the world of that process."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Callable, Iterable
from dataclasses import replace
from urllib.parse import urlsplit

from leadglass.guard.dicomweb.desk import Members, WorldDesk
from leadglass.guard.dicomweb.paths import Roots
from leadglass.guard.dicomweb.pool import Pool
from leadglass.guard.dicomweb.ports import Door
from leadglass.guard.dicomweb.serve import WebDoor
from leadglass.guard.world import World
from leadglass.settings.guard import Address

__all__ = ["OWN", "archive_address", "door_of", "login_of", "web_door"]

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
    # Some clients leave the port out of their Host header, dicomweb-client for one.
    authorities = {*hosts, *(host + port for host in hosts)}
    told = urlsplit(archive)
    return Door(
        public=f"https://{hosts[0]}{'' if listen.port == _PORTS['https'] else port}{OWN.web}",
        authorities=frozenset(authority.lower() for authority in authorities),
        host=told.netloc,
        title=title,
        own=OWN,
        archive=Roots(told.path, told.path.rpartition("/")[0] + "/wado"),
    )


def login_of(user: str, password: str) -> str:
    """What an archive that knows ``user`` wants to see in Authorization (RFC 7617)."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode('ascii')}"


def archive_address(archive: str) -> tuple[Address, bool]:
    """Where the archive's DICOMweb listens, and whether it speaks TLS there."""
    told = urlsplit(archive)
    return Address(told.hostname or "", told.port or _PORTS[told.scheme]), told.scheme == "https"


def web_door(world: World, door: Door, pool: Pool, tls: Callable[[], ssl.SSLContext] | None) -> WebDoor:
    """The door of one process; ``tls`` gives the settings for the next connection."""
    door = replace(door, silence=world.silence)
    members = Members(asyncio.get_running_loop().time)
    return WebDoor(door, pool, lambda peer: WorldDesk(world, peer, door.title, members), tls, world.mistake)
