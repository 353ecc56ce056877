"""What a container opens, who reaches it, and what is wrong with that: the same for compose files and manifests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from leadglass.configs.catalogue import finding
from leadglass.configs.containers.images import Listens, usual
from leadglass.configs.containers.orthanc import Judged, judged
from leadglass.configs.containers.orthanc_image import family_of
from leadglass.configs.containers.ports import Published
from leadglass.configs.containers.secrets import Opened, logins, opened, secret_findings
from leadglass.configs.containers.workload import Workload
from leadglass.configs.passwords import GUESSABLE
from leadglass.configs.reading import Listener, Login, Reach, Service
from leadglass.configs.source import Source
from leadglass.model.finding import Certainty, Edit, Finding
from leadglass.model.verdict import Access, Severity

__all__ = ["Close", "Exposed", "exposed", "rule_number"]

Close: TypeAlias = Callable[[Published], tuple[Edit, ...]]
"""The change that takes an entry from everybody but the machine itself."""

_NUMBERS: Mapping[Service, int] = {
    Service.DICOM: 1,
    Service.WEB: 2,
    Service.DATABASE: 4,
    Service.DIRECTORY: 5,
    Service.ADMIN: 6,
    Service.HL7: 7,
}
"""Of the rules on publishing, the same for each kind of file; 3 is a web interface with a login, without TLS."""
_WORDS: Mapping[Service, str] = {
    Service.DICOM: "DICOM",
    Service.WEB: "the web interface",
    Service.DATABASE: "a database",
    Service.DIRECTORY: "an LDAP directory",
    Service.ADMIN: "an administration console",
    Service.HL7: "HL7",
}
_WAYS: Mapping[str, str] = {"LG-COMPOSE": "on all interfaces", "LG-K8S": "outside the cluster"}
_MOST = 16
"""Entries that publish one port, and are bound."""
_OPEN = frozenset({Access.ANSWERS_QUERY, Access.OFFERS_QUERY, Access.OFFERS_STORAGE, Access.ASSOCIATES})
_ORTHANC = (
    Listens(4242, "dicom", Service.DICOM, Access.OFFERS_STORAGE),
    Listens(8042, "web", Service.WEB, Access.DEMANDS_LOGIN),
)
"""As long as only its files say more."""


@dataclass(frozen=True, slots=True)
class Exposed:
    """What is known of one container."""

    workload: Workload
    findings: tuple[Finding, ...]
    listeners: tuple[Listener, ...]
    secrets: tuple[Opened, ...]
    orthanc: Judged | None = None


def exposed(source: Source, workload: Workload, kind: str, close: Close) -> Exposed:
    """Judge one container; ``kind`` is the family of the rules on publishing, as ``LG-COMPOSE``."""
    secrets = opened(workload)
    orthanc = _orthanc(source, workload)
    listeners = tuple(_listeners(workload, secrets, orthanc))
    told = {listener.name for listener in listeners}
    publishing = _Publishing(source, workload, kind, close, peers=orthanc is None or orthanc.peers)
    weak = (_with_listener(one, told) for one in secret_findings(source, workload, secrets))
    findings = (
        *publishing.findings(listeners or tuple(_assumed(workload, orthanc)), told),
        *weak,
        *_open_without(source, workload, told),
        *_ended(source, workload),
        *(orthanc.findings if orthanc else ()),
    )
    return Exposed(workload, findings, listeners, secrets, orthanc)


def _orthanc(source: Source, workload: Workload) -> Judged | None:
    family = family_of(workload.image, workload.variables)
    return None if family is None else judged(source, workload, family)


# ---- what listens


def _listeners(workload: Workload, secrets: tuple[Opened, ...], orthanc: Judged | None) -> Iterator[Listener]:
    """What the image opens, or what is published by custom where the image is not known."""
    if orthanc is not None:
        yield from orthanc.listeners
        return
    if workload.product is None and workload.configured:
        return
    product = workload.product.name if workload.product else "unknown"
    for one in workload.product.listens if workload.product else _customary(workload):
        login = _login(workload, one, secrets)
        listener = _listener(workload, one, product)
        exposure = Access.ANSWERS_QUERY if login is Login.NONE else one.exposure
        yield replace(listener, login=login, exposure=exposure)


def _assumed(workload: Workload, orthanc: Judged | None) -> Iterator[Listener]:
    """Where a file says what listens: the usual ports, for what publishes them."""
    product, some = ("unknown", _customary(workload)) if orthanc is None else ("Orthanc", _of(orthanc))
    return (_listener(workload, one, product) for one in some)


def _of(orthanc: Judged) -> Iterator[Listens]:
    """What an Orthanc opens; the files of one whose variables let everybody in say nothing else of that."""
    over = orthanc.layers.over
    is_open = over.get("AuthenticationEnabled") is False and "Authorization" not in over
    for one in _ORTHANC:
        is_web = one.service is Service.WEB
        yield replace(one, exposure=Access.ANSWERS_QUERY) if is_open and is_web else one


def _listener(workload: Workload, one: Listens, product: str) -> Listener:
    return Listener(
        name=f"{workload.name}/{one.name}",
        service=one.service,
        port=one.port,
        product=product,
        exposure=one.exposure,
        reach=workload.reach(one.port),
        tls=one.tls,
        client_certificate=one.certificate,
    )


def _customary(workload: Workload) -> Iterator[Listens]:
    """Ports of which one can say what listens on them."""
    found = (usual(port) for one in workload.published for port in one.inside[:64] if one.protocol == "tcp")
    seen = set()
    for listens in found:
        if listens is not None and listens not in seen:
            seen.add(listens)
            yield listens


def _login(workload: Workload, one: Listens, secrets: tuple[Opened, ...]) -> Login | None:
    if one.exposure not in {Access.DEMANDS_LOGIN, Access.ANSWERS_QUERY} or one.service is Service.DICOM:
        return None
    if one.service is Service.WEB and one.exposure is Access.ANSWERS_QUERY:
        return Login.NONE
    return Login.NONE if _unlocked(workload) else one.login or logins(secrets, one.name)


def _unlocked(workload: Workload) -> bool:
    """Its database asks for no password."""
    product = workload.product
    if product is None:
        return False
    value = workload.variables.get(product.open["variable"]) if product.open else None
    if product.open and value is not None and value.value is not None:
        return value.value.strip().lower() in {
            product.open["value"],
            "true" if product.open["value"] == "yes" else "",
        }
    if not product.needs or workload.elsewhere or workload.configured:
        return False
    named = any(name in workload.variables for name in product.needs)
    return not named and product.flag not in workload.command


# ---- what is wrong with it


def rule_number(listener: Listener) -> tuple[int | None, Severity | None]:
    """The rule on publishing that a listener breaks, and its severity if it is not the rule's; None: it breaks none."""
    number, easy = _NUMBERS[listener.service], listener.login in GUESSABLE
    if listener.client_certificate:
        return None, None
    if listener.service is Service.WEB and listener.exposure not in _OPEN and not easy:
        return (None if listener.tls else 3), None
    severe = easy and listener.service in {Service.DATABASE, Service.DIRECTORY, Service.ADMIN}
    return number, Severity.CRITICAL if severe else None


@dataclass(frozen=True, slots=True)
class _Publishing:
    source: Source
    workload: Workload
    kind: str
    close: Close
    peers: bool
    """Others are known to need its DICOM port, or may be."""

    def findings(self, listeners: tuple[Listener, ...], told: set[str]) -> Iterator[Finding]:
        """What of it is published on all interfaces."""
        for listener in listeners:
            if listener.port is not None and listener.reach is Reach.EVERYWHERE:
                found = self._finding(listener)
                if found is not None:
                    yield found if listener.name in told else replace(found, listener=None)

    def _finding(self, listener: Listener) -> Finding | None:
        number, severity = rule_number(listener)
        if number is None:
            return None
        entries = tuple(self.workload.entries(listener.port or 0, Reach.EVERYWHERE))
        entry = entries[0] if entries else None
        at = self.workload.host_at if entry is None else entry.offset
        known = Certainty.LIKELY if listener.product == "unknown" else Certainty.SURE
        return finding(
            f"{self.kind}-{number:03}",
            self.source,
            self.workload.offset if at is None else at,
            f"{self.workload.name}:{listener.port}",
            self._says(listener, entry),
            listener=listener.name,
            edits=self._edits(listener, entries),
            exposure=listener.exposure,
            certainty=known if entry is None or entry.sure else Certainty.DEPENDS,
            **({} if severity is None else {"severity": severity}),
        )

    def _says(self, listener: Listener, entry: Published | None) -> str:
        what = _WORDS[listener.service]
        host = None if entry is None else entry.at(listener.port or 0)
        way = "in the host's own network" if entry is None else _WAYS[self.kind]
        as_port = f", as port {host}" if host is not None and host != listener.port else ""
        return f"{self.workload.name} opens {what} ({listener.port}) to everybody: {way}{as_port}"

    def _edits(self, listener: Listener, entries: tuple[Published, ...]) -> tuple[Edit, ...]:
        """None where somebody is served who would be cut off, or where not all entries can be bound."""
        needed = listener.service is Service.DICOM and self.peers
        served = listener.service is Service.WEB and listener.exposure not in _OPEN
        if needed or served or listener.service is Service.HL7:
            return ()
        found = [self.close(entry) if len(entry.inside) == 1 else () for entry in entries[:_MOST]]
        return tuple(edit for edits in found for edit in edits) if all(found) else ()


def _with_listener(one: Finding, told: set[str]) -> Finding:
    return one if one.listener in told else replace(one, listener=None)


def _open_without(source: Source, workload: Workload, told: set[str]) -> Iterator[Finding]:
    """A database that asks for no password."""
    product = workload.product
    if product is None or not _unlocked(workload):
        return
    variable = workload.variables.get(product.open["variable"]) if product.open else None
    first = f"{workload.name}/{product.listens[0].name}"
    rule, option = ("005", variable.name) if variable else ("006", product.needs[0])
    says = f"{product.name} of {workload.name} asks for no password"
    edits: tuple[Edit, ...] = ()
    if variable is not None and variable.value == "trust" and "POSTGRES_PASSWORD" in workload.variables:
        edits = variable.set_to(source, "scram-sha-256")
    offset = workload.offset if variable is None else variable.offset
    listener = first if first in told else None
    yield finding(f"LG-CONTAINERS-{rule}", source, offset, option, says, listener=listener, edits=edits)


def _ended(source: Source, workload: Workload) -> Iterator[Finding]:
    """An image that nobody maintains."""
    ended = workload.product.ended if workload.product else ""
    if workload.image is not None and workload.image.repository.startswith("osimis/orthanc"):
        ended = "osimis/orthanc: not updated since February 2024, when it became orthancteam/orthanc"
    if ended:
        yield finding("LG-CONTAINERS-007", source, workload.offset, "image", f"{workload.name} runs {ended}")
