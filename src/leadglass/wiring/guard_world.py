"""A guard's world from its settings: every concrete class that one of its processes is made of."""

from __future__ import annotations

import contextlib
import hashlib
import ipaddress
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from leadglass import wiring
from leadglass.access.budgets import Limits, Measure, Spent
from leadglass.access.key_set import read_keys
from leadglass.access.policy import Policy, load
from leadglass.access.roles import ready
from leadglass.errors import ConfigError, RemoteProtocolError
from leadglass.guard.audit.events import Node
from leadglass.guard.audit.forwarder import Forwarder
from leadglass.guard.audit.line import Collector
from leadglass.guard.audit.participants import GuardIdentity
from leadglass.guard.budgets import Budgets
from leadglass.guard.dicomweb.configured import archive_address, door_of, login_of, web_door
from leadglass.guard.dicomweb.pool import Pool
from leadglass.guard.dicomweb.serve import WebDoor
from leadglass.guard.dimse.archive import Archive
from leadglass.guard.dimse.asking import Asker
from leadglass.guard.dimse.knowing import Knowing
from leadglass.guard.identity.configured import configured
from leadglass.guard.identity.jwks import KeyCache
from leadglass.guard.identity.people import Identities, Passcodes, People
from leadglass.guard.moves import Moves, MoveStore
from leadglass.guard.studies import Studies
from leadglass.guard.tls import ServerTls, client_context
from leadglass.guard.trail import Trail, Writer
from leadglass.guard.world import World
from leadglass.model.access import Principal
from leadglass.model.enrolment import Enrolled, Roll
from leadglass.net.services import Service
from leadglass.ports.world import Resolver
from leadglass.settings.guard import (
    Address,
    ArchiveSettings,
    GuardSettings,
    IdentitySettings,
    PolicySettings,
)
from leadglass.wiring.guard_files import read_file
from leadglass.wiring.guard_kept import KeptFiles
from leadglass.wiring.names import resolver

__all__ = [
    "Policies",
    "archive_of",
    "budgets_of",
    "forwarder_of",
    "minted_uid",
    "service",
    "tokens_of",
    "world_of",
]


class Policies:
    """The ready roles and a folder of policies, read again when a file of it has changed."""

    def __init__(self, settings: PolicySettings) -> None:
        self._folder = Path(settings.folder)
        self._zone = settings.zone
        self._seen: object = None
        self._version = 0

    def first(self) -> Policy:
        """The policies as they are; ``ConfigError`` if they cannot be used."""
        policy = self.newer()
        assert policy is not None
        return policy

    def newer(self) -> Policy | None:
        """The policies if a file has changed; ``ConfigError`` if they cannot be used, each time it is asked."""
        try:
            # Not by glob: that takes a folder which cannot be read for an empty one, without its rules.
            files = sorted(file for file in self._folder.iterdir() if file.suffix == ".cedar")
            state = [(file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in files]
            if state == self._seen:
                return None
            texts = {file.name: file.read_text(encoding="utf-8") for file in files}
        except (OSError, UnicodeDecodeError) as exc:
            why = getattr(exc, "strerror", None) or str(exc)
            raise ConfigError(f"the policies cannot be read ({why})", where=str(self._folder)) from exc
        policy = load({**ready(), **texts}, self._version + 1, self._zone)
        self._seen = state
        self._version += 1
        return policy


def service(purpose: str, address: Address, resolver: Resolver) -> Service:
    """A configured service, its name looked up once."""
    return Service(purpose, resolver.addresses(address.host)[0], address.port)


def minted_uid() -> str:
    """A UID that names nothing: a random UUID as PS3.5 B.2 writes it."""
    token = wiring.randomness().token(16)
    return f"2.25.{uuid.UUID(bytes=token, version=4).int}"


def budgets_of(
    settings: GuardSettings, key: bytes, tell: Callable[[Principal, Measure, Spent], None]
) -> Budgets:
    """What principals may have; ``key`` is shared by all processes of the guard."""
    given = settings.budgets
    limits = None
    if given is not None:
        limits = Limits(
            given.window,
            given.associations,
            given.queries,
            given.matches,
            given.patients,
            given.studies,
            given.bytes,
        )
    return Budgets(limits, key, wiring.clock().posix, tell)


def world_of(
    settings: GuardSettings,
    archive: Archive,
    *,
    policy: Policy,
    roll: Roll,
    budgets: Budgets,
    write: Writer,
    moves: MoveStore,
    tokens: Identities | None,
    mistake: Callable[[BaseException], None],
    resolver: Resolver,
) -> World:
    """The world of one process, on a running event loop."""
    clock = wiring.clock()
    asker = Asker(archive, settings.archive.titles[0], settings.archive.own_title)
    world: World
    knowing = Knowing(asker, lambda: world.policy.attributes_read)
    lines = _Lines(settings, resolver, lambda: world.roll)
    world = World(
        policy=policy,
        roll=roll,
        titles=frozenset(settings.archive.titles),
        archive=archive,
        studies=Studies(knowing.study, knowing.of_patient, knowing.contains, knowing.holder, clock.monotonic),
        trail=Trail(write, clock.posix, lambda: world.counts.update(audit_lost=1)),
        moves=Moves(moves, clock.posix),
        people=People(Passcodes(clock), tokens),
        budgets=budgets,
        posix=clock.posix,
        monotonic=clock.monotonic,
        mint=minted_uid,
        mistake=mistake,
        line_to=lines.to,
        archive_networks=settings.archive.sends_from,
        answers_queries=settings.archive.query,
        grace=settings.policy.grace,
        silence=settings.limits.idle,
    )
    return world


def archive_of(settings: GuardSettings, resolver: Resolver) -> Archive:
    """The archive behind the guard."""
    told = settings.archive
    where = service("the archive", told.address, resolver)
    if not told.tls or told.ca is None:
        return Archive(where)
    context = client_context(settings.tls.profile, told.ca, told.certificate, told.key)
    return Archive(where, context, told.tls_name or told.address.host)


def tokens_of(told: IdentitySettings | None, kept: KeptFiles) -> tuple[KeyCache | None, Identities | None]:
    """The provider's keys, to be kept fresh, and those who are believed by them; None without a provider."""
    if told is None:
        return None, None
    authorities = None if told.ca is None else read_file(Path(told.ca)).decode("ascii", "replace")
    issuer = told.issuer
    keys, tokens = configured(
        told, authorities, wiring.clock(), heard=lambda document: kept.heard(issuer, document)
    )
    last = kept.keys(issuer)
    if last is not None:
        with contextlib.suppress(RemoteProtocolError):
            keys.begin_by(read_keys(last.document.encode()), kept.age(last))
    return keys, tokens


def forwarder_of(settings: GuardSettings) -> Forwarder:
    """What sends the audit to the collector; ``ConfigError`` for one that would be sent patients' names openly."""
    told, archive = settings.audit, settings.archive
    assert told.syslog is not None
    where = service("the audit collector", told.syslog, resolver())
    if told.syslog_ca is None and not ipaddress.ip_address(where.host).is_loopback:
        raise ConfigError(
            "the audit names patients, and may not be sent without TLS",
            where="[audit] syslog",
            then='add syslog_ca = "collector-ca.pem"',
        )
    context = None
    if told.syslog_ca is not None:
        context = client_context(
            settings.tls.profile, told.syslog_ca, told.syslog_certificate, told.syslog_key
        )
    guard = GuardIdentity(
        settings.name, settings.listen.names[0], archive.titles, Node(archive.titles[0], archive.address.host)
    )
    collector = Collector(where, context, told.syslog.host)
    return Forwarder(Path(told.directory), guard, collector, wiring.randomness())


def web_of(settings: GuardSettings, world: World, tls: ServerTls) -> WebDoor:
    """The door for DICOMweb, on a running event loop; both sides of it are configured."""
    told, listens = settings.archive, settings.listen.web
    assert told.web is not None
    assert listens is not None
    address, secure = archive_address(told.web)
    context = None
    if secure:
        assert told.ca is not None  # the file says so
        context = client_context(settings.tls.profile, told.ca, told.certificate, told.key)
    pool = Pool(service("the archive's web server", address, resolver()), context, address.host)
    door = replace(
        door_of(settings.listen.names, listens, told.web, told.titles[0]),
        origins=frozenset(settings.listen.web_origins),
        login=_login(told),
        workitems=told.workitems,
    )
    return web_door(world, door, pool, tls.context)


def _login(told: ArchiveSettings) -> str | None:
    if told.web_user is None or told.web_password_file is None:
        return None
    password = read_file(Path(told.web_password_file)).decode(errors="replace").strip()
    return login_of(told.web_user, password)


class _Lines:
    """How destinations are reached, each made once."""

    def __init__(self, settings: GuardSettings, resolver: Resolver, roll: Callable[[], Roll]) -> None:
        self._roll = roll
        tls = settings.tls
        self._context = client_context(tls.profile, tls.ca, tls.certificate, tls.key, names=False)
        self._resolver = resolver
        self._lines: dict[tuple[str, bool], Archive] = {}

    def to(self, destination: Enrolled) -> Archive:
        """The line to an enrolled destination."""
        assert destination.address is not None
        key = (destination.address, destination.address_tls)
        line = self._lines.get(key)
        if line is None:
            host, _, port = destination.address.rpartition(":")
            address = Address(host.strip("[]"), int(port))
            where = service(destination.name, address, self._resolver)
            line = self._lines[key] = self._made(where, destination)
        return line

    def _made(self, where: Service, destination: Enrolled) -> Archive:
        if not destination.address_tls:
            return Archive(where)
        name = destination.name

        def trusted(certificate: bytes | None) -> bool:
            entry = self._roll().enrolled.get(name)
            return (
                certificate is not None
                and entry is not None
                and _fingerprint(certificate) in entry.certificates
            )

        return Archive(where, self._context, trusted=trusted)


def _fingerprint(certificate: bytes) -> str:
    return hashlib.sha256(certificate).hexdigest()
