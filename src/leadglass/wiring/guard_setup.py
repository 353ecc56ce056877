"""Sets a guard up: its folder, its roll, its certificates, and what each of its clients is handed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from leadglass import wiring
from leadglass.access.roles import ROLES
from leadglass.errors import ConfigError, LeadglassError, UsageError
from leadglass.guard.dicomweb.paths import Roots
from leadglass.guard.enrol.authority import (
    SERIAL_BYTES,
    Authority,
    Stamp,
    Withdrawn,
    Writ,
    new_authority,
    serial_of,
)
from leadglass.guard.enrol.ready import Handout, handout_text
from leadglass.guard.enrol.template import POLICY, Draft, guard_text
from leadglass.model.enrolment import Enrolled
from leadglass.settings.guard import Address, GuardSettings
from leadglass.settings.guard_file import read_guard
from leadglass.store import guard_roll
from leadglass.store.database import Database
from leadglass.store.guard_roll import Issued
from leadglass.store.migrating import migrate
from leadglass.wiring.guard_files import put, read_file, remove, staged
from leadglass.wiring.storage import open_storage

__all__ = [
    "Enrolment",
    "Site",
    "asks_from",
    "begin",
    "enrol",
    "knows_role",
    "read_site",
    "renew",
    "renew_own",
    "revoke",
    "roll_of",
]

FILE = "guard.toml"
_FROM_ARCHIVE = 11113
_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104  # compared with, not bound


@dataclass(frozen=True, slots=True)
class Site:
    """A guard's file, and what it says."""

    file: Path
    settings: GuardSettings

    @property
    def enrolled(self) -> Path:
        """Holds a folder for each entry, to be carried to the device."""
        return self.file.parent / "enrolled"

    @property
    def kept(self) -> Path:
        """Holds what the guard begins by when others are away."""
        return self.file.parent / "kept"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What came of enrolling somebody."""

    folder: Path | None
    """With the certificate, its key and the authority's certificate; None: it needs none."""
    not_after: int | None
    """POSIX seconds."""
    handout: str
    """Ready configuration."""


# ---- the site


def read_site(path: Path) -> Site:
    """The guard whose file is at ``path`` (or in that folder); ``ConfigError`` names the line that is wrong."""
    file = path / FILE if path.is_dir() else path
    try:
        text = read_file(file).decode()
    except UnicodeDecodeError as exc:
        raise ConfigError("this is not a UTF-8 text file", where=str(file)) from exc
    except ConfigError as exc:
        then = "leadglass guard init makes one; --config names another"
        raise ConfigError(exc.what, where=exc.where, then=then) from exc
    return Site(file, read_guard(text, filename=str(file), folder=str(file.parent)))


def begin(folder: Path, draft: Draft, *, rsa_keys: bool) -> Site:
    """Make a guard's folder: its file, an authority, its own certificate, an empty roll.

    ``UsageError`` if there is something in that folder already.
    """
    folder = folder.resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError("there is something here already", where=str(folder), then="name a new folder")
    settings = read_guard(text := guard_text(draft), filename=FILE, folder=str(folder))
    files = {FILE: text.encode(), **_papers(settings, rsa_keys)}
    with staged(folder, files, frozenset({FILE, "ca.key", "server.key"})) as part:
        for name in ("policy", "audit", "enrolled"):
            (part / name).mkdir(mode=0o700)
        put(part / "policy" / "site.cedar", POLICY.encode())
        made = Site(part / FILE, read_guard(text, filename=FILE, folder=str(part)))
        with roll_of(made, new=True):
            pass
    return Site(folder / FILE, settings)


@contextlib.contextmanager
def roll_of(site: Site, *, new: bool = False) -> Iterator[Database]:
    """The database with the roll; ``new``: it may have to be made. Errors as ``store.open_database``."""
    where = site.settings.database
    if not new and "://" not in where and not Path(where).exists():
        raise ConfigError(
            "there is no roll here", where=where, then="bring it back, or begin with guard init"
        )
    try:
        with open_storage(where, migrate) as database:
            yield database
    except LeadglassError as exc:
        if not any(option in exc.then for option in ("--database", "--resume")):
            raise
        # The store knows scans; of a guard, something else has to be put right.
        then = f"see database under [state] in {site.file}"
        raise type(exc)(exc.what, where=exc.where, then=then) from exc


def knows_role(site: Site, role: str) -> bool:
    """Whether a ready role has this name, or the site's own policies speak of it."""
    if role in {*ROLES, "clinician"} - {"break-glass"}:
        return True
    own = Path(site.settings.policy.folder).glob("*.cedar")
    return any(f'"{role}"'.encode() in read_file(file) for file in own)


# ---- entries


def enrol(site: Site, entry: Enrolled, *, until: float, rsa_keys: bool) -> Enrolment:
    """Put ``entry`` on the roll and write down what it is to be handed.

    ``until``: when its certificate is to end, POSIX seconds. ``UsageError`` if name or title is taken.
    """
    if entry.plain:
        with roll_of(site) as database:
            guard_roll.enrol(database, entry, None)
        return Enrolment(None, None, handout_text(_handout(site, entry, rsa=False)))
    authority = _authority(site.settings)
    writ = _client_writ(site, authority, entry, until, rsa_keys=rsa_keys)
    handout = handout_text(_handout(site, entry, rsa=authority.uses_rsa))
    with _folder(site, entry, writ, handout) as folder, roll_of(site) as database:
        guard_roll.enrol(database, entry, _issued(writ))
    return Enrolment(folder, writ.not_after, handout)


def renew(site: Site, name: str, *, until: float, rsa_keys: bool) -> Enrolment:
    """A new certificate with a new key for ``name``. The one before stays valid until its end."""
    with roll_of(site) as database:
        entry = guard_roll.enrolled(database, name)
    if entry.plain:
        raise UsageError(f"{name} was enrolled with --plain and has no certificate")
    authority = _authority(site.settings)
    writ = _client_writ(site, authority, entry, until, rsa_keys=rsa_keys)
    handout = handout_text(_handout(site, entry, rsa=authority.uses_rsa))
    with _folder(site, entry, writ, handout) as folder, roll_of(site) as database:
        guard_roll.add_certificate(database, name, _issued(writ))
    return Enrolment(folder, writ.not_after, handout)


def renew_own(site: Site) -> int:
    """A new certificate for the guard itself; when it ends, POSIX seconds."""
    settings = site.settings
    writ = _authority(settings).server(settings.name, settings.listen.names, _stamp())
    put(Path(settings.tls.key), writ.key, secret=True)
    put(Path(settings.tls.certificate), writ.certificate)
    return writ.not_after


def revoke(site: Site, name: str, reason: str) -> tuple[int, str | None]:
    """Take ``name`` off the roll; how many certificates went, and why the list for others could not be written."""
    with roll_of(site) as database:
        count = guard_roll.revoke(database, name, reason)
        withdrawn = [Withdrawn(one.serial, one.at) for one in guard_roll.revoked(database)]
    remove(site.enrolled / name)
    try:
        crl = _authority(site.settings).revocations(withdrawn, wiring.clock().posix())
        put(Path(site.settings.tls.crl), crl)
    except LeadglassError as exc:
        return count, str(exc)
    return count, None


# ---- certificates


def _papers(settings: GuardSettings, rsa_keys: bool) -> dict[str, bytes]:
    root = new_authority(settings.name, _stamp(), rsa_keys=rsa_keys)
    authority = Authority(root.certificate, root.key, FILE)
    own = authority.server(settings.name, settings.listen.names, _stamp())
    return {
        "ca.pem": root.certificate,
        "ca.key": root.key,
        "server.pem": own.certificate,
        "server.key": own.key,
        "crl.pem": authority.revocations([], wiring.clock().posix()),
    }


def _authority(settings: GuardSettings) -> Authority:
    tls = settings.tls
    certificate, key = read_file(Path(tls.ca)), read_file(Path(tls.ca_key))
    return Authority(certificate, key, f"{tls.ca}, {tls.ca_key}")


def _stamp() -> Stamp:
    return Stamp(serial_of(wiring.randomness().token(SERIAL_BYTES)), wiring.clock().posix())


def _client_writ(site: Site, authority: Authority, entry: Enrolled, until: float, *, rsa_keys: bool) -> Writ:
    host = None if entry.address is None else entry.address.rpartition(":")[0].strip("[]")
    end = until if entry.until is None else min(until, entry.until)
    return authority.client(site.settings.name, entry.name, _stamp(), end, host=host, rsa_keys=rsa_keys)


def _issued(writ: Writ) -> Issued:
    return Issued(writ.fingerprint, writ.serial, int(wiring.clock().posix()), writ.not_after)


# ---- what is handed out


@contextlib.contextmanager
def _folder(site: Site, entry: Enrolled, writ: Writ, handout: str) -> Iterator[Path]:
    """The entry's folder, which is there once the block is over; what it held before is replaced."""
    files = {
        f"{entry.name}.pem": writ.certificate,
        f"{entry.name}.key": writ.key,
        "ca.pem": read_file(Path(site.settings.tls.ca)),
        "configuration.txt": handout.encode(),
    }
    folder = site.enrolled / entry.name
    with staged(folder, files, frozenset({f"{entry.name}.key"})):
        yield folder


def _handout(site: Site, entry: Enrolled, *, rsa: bool) -> Handout:
    listen = site.settings.listen
    door = listen.plain if entry.plain else listen.dicom
    web = None if listen.web is None else f"https://{_reached(site, listen.web)}{Roots().web}"
    return Handout(
        entry=entry,
        archive=site.settings.archive.titles[0],
        dicom=None if door is None else _reached(site, door),
        web=web,
        rsa=rsa,
        from_archive=None if listen.from_archive is None else _reached(site, listen.from_archive),
    )


def asks_from(site: Site) -> Address:
    """Where an archive has the guard itself among its peers; where it sends nothing, the port is a matter of form."""
    listen = site.settings.listen
    door = listen.from_archive
    return Address(listen.names[0], _FROM_ARCHIVE) if door is None else _reached(site, door)


def _reached(site: Site, door: Address) -> Address:
    """How others write down a door that is open on every address."""
    host = site.settings.listen.names[0] if door.host in _EVERYWHERE else door.host
    return Address(host, door.port)
