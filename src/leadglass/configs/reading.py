"""What a reader makes of one file, in the same words for every product."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from leadglass.configs.source import Source
from leadglass.model.finding import Finding
from leadglass.model.verdict import Access

__all__ = ["Fact", "Front", "Layers", "Listener", "Login", "Mount", "Port", "Reach", "Reading", "Service"]

Fact: TypeAlias = bool | int | str | tuple[str, ...] | None
"""What a file says in one word; None is "not said"."""


class Service(enum.StrEnum):
    """What listens."""

    DICOM = "dicom"
    WEB = "web"
    """A web interface or REST API of an imaging server, DICOMweb included."""
    DATABASE = "database"
    DIRECTORY = "directory"
    """LDAP."""
    HL7 = "hl7"
    ADMIN = "admin"
    """A console that manages the server: WildFly, Keycloak, a database's web front, an object store."""


class Login(enum.StrEnum):
    """What a caller has to know, worst first."""

    NONE = "none"
    DEFAULT = "default"
    """The factory's, or made by the program when none is set."""
    PLACEHOLDER = "placeholder"
    WEAK = "weak"
    PUBLISHED = "published"
    """A good password, but it stands in the file."""
    EXTERNAL = "external"
    """Comes from elsewhere: the environment, a secret, an identity provider."""


class Reach(enum.StrEnum):
    """Who can reach a listener, as far as the files say."""

    EVERYWHERE = "everywhere"
    """Published on all interfaces, or bound to them on the host itself."""
    NAMED = "named"
    """Only named addresses or networks (a firewall, ``allow`` lines, a bound address)."""
    BEHIND_FRONT = "behind-front"
    """Only through a front that was read too."""
    CONTAINERS = "containers"
    """Other containers of the project only."""
    LOOPBACK = "loopback"
    UNKNOWN = "unknown"
    """Nothing that was read says it."""


@dataclass(frozen=True, slots=True)
class Listener:
    """One port that a server opens, and what a stranger who reaches it can do."""

    name: str
    """Unique in the reading, and stable: ``dicom``, ``web``, or with the service before it: ``orthanc/web``."""
    service: Service
    port: int | None
    product: str
    exposure: Access
    """For a stranger without a known title, certificate or password who reaches the port."""
    reach: Reach = Reach.UNKNOWN
    login: Login | None = None
    """Of the web interface, database or directory; None where there is no such thing as a login."""
    tls: bool = False
    client_certificate: bool = False


@dataclass(frozen=True, slots=True)
class Port:
    """A port that one file publishes for a server that another file configures."""

    owner: str
    """The container, service or unit it belongs to, as the file calls it."""
    inside: int
    """The port in the container or pod."""
    outside: int | None
    """The port on the host; None when any is taken."""
    reach: Reach
    files: tuple[str, ...] = ()
    """Configuration files that the owner mounts, as paths beside this file (normalised, never absolute)."""
    line: int = 1


@dataclass(frozen=True, slots=True)
class Layers:
    """Options of a server that its container's image sets beside the files that it is given."""

    under: Mapping[str, object] = field(default_factory=dict, repr=False)
    """What counts where the files say nothing."""
    over: Mapping[str, object] = field(default_factory=dict, repr=False)
    """What counts whatever the files say; sections are joined with theirs."""


@dataclass(frozen=True, slots=True)
class Mount:
    """A server that one file starts, and that other files configure: a container, pod or unit."""

    owner: str
    """As ``Port.owner``."""
    files: tuple[str, ...]
    """Configuration files or folders it is given, as paths beside this file (normalised, never absolute)."""
    environment: Mapping[str, str | None] = field(default_factory=dict, repr=False)  # may hold passwords
    """Variables that it is given, for ``${NAME}`` in those files; None: set, to what is not known."""
    unpublished: Reach = Reach.CONTAINERS
    """Of the ports that no ``Port`` of this owner names: ``EVERYWHERE`` in the host's own network."""
    layers: Layers = field(default_factory=Layers, repr=False)
    built: bool = False
    """Its image is built in that folder: files in there are likely to be in the image, but not all of them at once."""


@dataclass(frozen=True, slots=True)
class Front:
    """A way through a reverse proxy to a server behind it."""

    host: str
    """The name or address of what is behind, as the file writes it."""
    port: int | None
    path: str
    """The location, ``/`` for all."""
    exposure: Access
    """What a stranger has to bring to get through: ``answers-query`` when nothing."""
    reach: Reach
    line: int = 1


@dataclass(frozen=True, slots=True)
class Reading:
    """One file, understood."""

    kind: str
    """Its kind: ``orthanc``, ``compose``, ``kubernetes``, ``dcmqrscp``, ``unit``, ``dcm4chee-ldif`` ..."""
    source: Source
    findings: tuple[Finding, ...] = ()
    listeners: tuple[Listener, ...] = ()
    ports: tuple[Port, ...] = ()
    fronts: tuple[Front, ...] = ()
    logs_in: bool = False
    """A front that sends a login of its own to what is behind it."""
    mounts: tuple[Mount, ...] = ()
    facts: Mapping[str, Fact] = field(default_factory=dict)
    """What the file says, option by option, under names that the reference documents for each kind."""
    includes: tuple[str, ...] = ()
    """Other files it takes in, as it writes them."""
    parts: tuple[str, ...] = ()
    """Other files of which it takes some of what they say; they may do the same with it."""
    environment: Mapping[str, str | None] = field(default_factory=dict, repr=False)  # may hold passwords
    """Variables that it was read with, from files beside it."""
    variables: tuple[str, ...] = ()
    """Files beside it that set variables of its services, as it names them."""
