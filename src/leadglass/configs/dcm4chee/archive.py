"""What a configuration of dcm4chee-arc opens, whether it was exported as LDIF or as JSON."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from leadglass.configs.catalogue import finding
from leadglass.configs.dcm4chee.device import AE, Connection, Device, Given, Item
from leadglass.configs.dcm4chee.directory import directory
from leadglass.configs.dcm4chee.export import devices
from leadglass.configs.dcmtk.words import shown
from leadglass.configs.kinds import Environment
from leadglass.configs.passwords import GUESSABLE, quality
from leadglass.configs.reading import Fact, Listener, Login, Reading, Service
from leadglass.configs.source import Source
from leadglass.model.finding import Finding
from leadglass.model.verdict import Access

__all__ = ["PRODUCT", "read_directory", "read_export"]

PRODUCT = "dcm4chee-arc"
_DICOM, _HL7 = "DICOM", ("HL7", "HL7_MLLP2")
CURRENT_SUITES = (
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_AES_256_GCM_SHA384",
)
"""Of the BCP 195 profile (PS3.15 B.12), as Java names them."""
_RETIRED_SUITE = re.compile(
    r"^(?:TLS|SSL)_(?:RSA|DH|DHE_DSS|ECDH|KRB5|DH_anon|ECDH_anon)_|NULL|EXPORT|RC4|DES|MD5|_anon_|CBC_SHA$",
    re.IGNORECASE,
)
_RETIRED_PROTOCOLS = frozenset({"TLSv1", "TLSv1.1", "SSLv3", "SSLv2Hello", "SSLv2"})
_PINS = ("dcmKeyStorePin", "dcmKeyStoreKeyPin", "dcmTrustStorePin")
_PASSWORDS = ("userPassword", "olcRootPW")
_HASHED = re.compile(r"\{[A-Za-z0-9./-]{2,32}\}")


@dataclass(frozen=True)
class _Judged:
    source: Source
    devices: Sequence[Device]
    loose: Sequence[Item] = ()
    """Entries of a directory, of devices or not, that may hold passwords."""

    @cached_property
    def archives(self) -> Sequence[Device]:
        """The devices that are dcm4chee-arc."""
        return [device for device in self.devices if device.is_archive]

    @cached_property
    def names(self) -> Mapping[int, str]:
        """The listener's name of each connection of an archive that waits for callers, by where it is described."""
        counts: Counter[str] = Counter()
        found: dict[int, str] = {}
        for device in self.archives:
            for connection in device.listening():
                wanted = connection.item.name or connection.protocol.lower()
                counts[wanted] += 1
                found[connection.item.at] = wanted if counts[wanted] == 1 else f"{wanted}-{counts[wanted]}"
        return found

    @cached_property
    def answering(self) -> Mapping[int, Sequence[AE]]:
        """The archive's own AEs that take associations at a connection, by where that is described."""
        found: defaultdict[int, list[AE]] = defaultdict(list)
        for device in self.archives:
            for ae in device.aes:
                for place in {one.item.at for one in ae.connections} if ae.accepts and ae.is_archive else ():
                    found[place].append(ae)
        return found


def read_directory(source: Source, _environment: Environment) -> Reading:
    """The reading of an LDIF file."""
    file = directory(source)
    return _reading("dcm4chee-ldif", _Judged(source, file.devices(), file.items))


def read_export(source: Source, _environment: Environment) -> Reading:
    """The reading of a device in JSON."""
    found = devices(source)
    loose = [item for device in found for item in (device.item, *device.others)]
    return _reading("dcm4chee-json", _Judged(source, found, loose))


def _reading(kind: str, judged: _Judged) -> Reading:
    listeners = tuple(_listeners(judged))
    return Reading(
        kind=kind,
        source=judged.source,
        findings=tuple(found for rule in _RULES for found in rule(judged)),
        listeners=listeners,
        facts=_facts(judged, listeners),
    )


# ---- what it opens


def _listeners(judged: _Judged) -> Iterator[Listener]:
    for device in judged.archives:
        for connection in device.listening():
            if connection.protocol == _DICOM:
                service, exposure = Service.DICOM, _exposure(judged, connection)
            elif connection.protocol in _HL7:
                service, exposure = Service.HL7, _hl7(connection)
            elif connection.protocol == "HTTP":
                service, exposure = (
                    Service.WEB,
                    Access.INCONCLUSIVE,
                )  # the deployment asks for a login, or not
            else:
                continue
            yield Listener(
                judged.names[connection.item.at], service, connection.port, PRODUCT, exposure,
                tls=connection.tls, client_certificate=connection.client_certificate,
            )  # fmt: skip


def _exposure(judged: _Judged, connection: Connection) -> Access:
    if connection.client_certificate:
        return Access.DEMANDS_CERTIFICATE
    aes = judged.answering.get(connection.item.at, ())
    return Access.ANSWERS_QUERY if any(not _callers(ae) for ae in aes) else Access.WANTS_TITLE


def _hl7(connection: Connection) -> Access:
    return Access.DEMANDS_CERTIFICATE if connection.client_certificate else Access.NOT_DICOM


def _callers(ae: AE) -> Sequence[Given]:
    return ae.item.all("dcmAcceptedCallingAETitle")


def _facts(judged: _Judged, listeners: Sequence[Listener]) -> dict[str, Fact]:
    dicom = [listener for listener in listeners if listener.service is Service.DICOM]
    is_open = any(listener.exposure is Access.ANSWERS_QUERY for listener in dicom)
    return {
        "product": PRODUCT,
        "ports": tuple(str(listener.port) for listener in listeners),
        "verdict": "dicom-open" if is_open else "dicom-limited" if dicom else None,
        "dicom_if_public": "any AE store/query/retrieve" if is_open else None,
        "tls_dicom": any(listener.tls for listener in dicom) if dicom else None,
        "titles": tuple(ae.item.name for device in judged.archives for ae in device.aes if ae.accepts),
    }


# ---- findings: who is let in


def _anybody(judged: _Judged) -> Iterator[Finding]:
    for device in judged.archives:
        for connection in device.listening():
            if connection.protocol != _DICOM or connection.client_certificate:
                continue
            for ae in judged.answering.get(connection.item.at, ()):
                if not _callers(ae):
                    title = shown(ae.item.name)
                    says = f"{title} takes associations of any calling AE on port {connection.port}"
                    yield finding(
                        "LG-DCM4CHEE-001", judged.source, ae.item.at, f"{title} dcmAcceptedCallingAETitle", says,
                        listener=judged.names[connection.item.at],
                    )  # fmt: skip


def _beside(judged: _Judged) -> Iterator[Finding]:
    for device in judged.archives:
        dicom = [connection for connection in device.listening() if connection.protocol == _DICOM]
        secure = [connection for connection in dicom if connection.tls]
        for connection in dicom:
            if not connection.tls:
                with_tls = f", beside TLS on {secure[0].port}" if secure else "; there is no TLS connection"
                given = connection.item.first("dicomPort")
                yield finding(
                    "LG-DCM4CHEE-002" if secure else "LG-DCM4CHEE-003", judged.source,
                    given.at if given else connection.item.at, "dicomPort",
                    f"plain DICOM on port {connection.port}{with_tls}",
                    listener=judged.names[connection.item.at],
                )  # fmt: skip


def _certificates(judged: _Judged) -> Iterator[Finding]:
    for device in judged.devices:
        for connection in device.listening():
            given = connection.item.first("dcmTLSNeedClientAuth")
            if connection.tls and given is not None and not connection.client_certificate:
                says = f"callers on port {connection.port} need no certificate"
                yield finding(
                    "LG-DCM4CHEE-006", judged.source, given.at, given.name, says,
                    listener=judged.names.get(connection.item.at),
                )  # fmt: skip


def _hosts(judged: _Judged) -> Iterator[Finding]:
    for device in judged.archives:
        listed = [ae for ae in device.aes if ae.accepts and ae.is_archive and _callers(ae)]
        checked = device.item.is_true("dcmValidateCallingAEHostname", absent=False)
        for ae in listed:
            if not ae.item.is_true("dcmValidateCallingAEHostname", absent=checked):
                title = shown(ae.item.name)
                given = ae.item.first("dcmValidateCallingAEHostname") or _callers(ae)[0]
                says = f"{title} knows its callers by title alone: their addresses are not compared"
                yield finding(
                    "LG-DCM4CHEE-007", judged.source, given.at, f"{title} dcmValidateCallingAEHostname", says
                )


def _access_ids(judged: _Judged) -> Iterator[Finding]:
    for device in judged.archives:
        aes = [ae for ae in device.aes if ae.is_archive]
        limited = [ae for ae in aes if ae.item.all("dcmAccessControlID")]
        if not limited:
            continue
        for ae in aes:
            title = shown(ae.item.name)
            if ae.accepts and not ae.item.all("dcmAccessControlID"):
                says = f"{title} has no access control ID and sees every study, whatever IDs the studies have"
                yield finding(
                    "LG-DCM4CHEE-008", judged.source, ae.item.at, f"{title} dcmAccessControlID", says
                )
        if not _tags(device):
            given = limited[0].item.all("dcmAccessControlID")[0]
            says = "nothing gives studies an access control ID: those without one are seen from every AE"
            yield finding("LG-DCM4CHEE-008", judged.source, given.at, "dcmStoreAccessControlID", says)


def _tags(device: Device) -> bool:
    """Whether anything stamps studies on arrival."""
    items = (device.item, *(ae.item for ae in device.aes), *device.others)
    return any(item.all("dcmStoreAccessControlID") for item in items)


def _identity(judged: _Judged) -> Iterator[Finding]:
    for device in judged.archives:
        for item in (device.item, *(ae.item for ae in device.aes)):
            given = item.first("dcmUserIdentityNegotiation")
            if given is not None and given.text.strip().upper() == "SUPPORTS":
                says = "SUPPORTS lets in callers who send no identity"
                yield finding("LG-DCM4CHEE-009", judged.source, given.at, given.name, says)


def _messages(judged: _Judged) -> Iterator[Finding]:
    for device in judged.archives:
        for connection in device.listening():
            if connection.protocol in _HL7 and not connection.tls:
                given = connection.item.first("dicomPort")
                says = f"HL7 without TLS on port {connection.port}: whoever reaches it changes patients and orders"
                yield finding(
                    "LG-DCM4CHEE-010", judged.source, given.at if given else connection.item.at, "dicomPort",
                    says, listener=judged.names[connection.item.at],
                )  # fmt: skip


# ---- findings: TLS and secrets


def _suites(judged: _Judged) -> Iterator[Finding]:
    for device in judged.devices:
        for connection in device.connections:
            given = connection.item.all("dicomTLSCipherSuite")
            retired = [one for one in given if _RETIRED_SUITE.search(one.text)]
            if retired:
                kept = _without(given, retired)
                edits = connection.item.rewrite("dicomTLSCipherSuite", kept or CURRENT_SUITES)
                says = f"{len(retired)} of {len(given)} cipher suites of {_named(device, connection)} are retired"
                yield finding(
                    "LG-DCM4CHEE-004", judged.source, retired[0].at, retired[0].name, says,
                    listener=judged.names.get(connection.item.at), edits=edits,
                )  # fmt: skip


def _without(given: Sequence[Given], gone: Sequence[Given]) -> list[str]:
    texts = {one.text for one in gone}
    return [one.text for one in given if one.text not in texts]


def _named(device: Device, connection: Connection) -> str:
    return shown(f"{device.item.name}/{connection.item.name}")


def _protocols(judged: _Judged) -> Iterator[Finding]:
    for device in judged.devices:
        for connection in device.connections:
            given = connection.item.all("dcmTLSProtocol")
            retired = [one for one in given if one.text in _RETIRED_PROTOCOLS]
            if retired:
                kept = _without(given, retired)
                edits = connection.item.rewrite("dcmTLSProtocol", kept or ("TLSv1.2", "TLSv1.3"))
                says = f"{_named(device, connection)} speaks {', '.join(one.text for one in retired)}"
                yield finding(
                    "LG-DCM4CHEE-005", judged.source, retired[0].at, retired[0].name, says, edits=edits
                )


def _pins(judged: _Judged) -> Iterator[Finding]:
    for device in judged.devices:
        for name in _PINS:
            given = device.item.first(name)
            if given is not None and quality(given.text) in GUESSABLE:
                how = "the factory's" if given.text == "secret" else "a weak one"
                says = f"the password in {given.name} of {shown(device.item.name)} is {how}"
                yield finding("LG-DCM4CHEE-011", judged.source, given.at, given.name, says)


def _passwords(judged: _Judged) -> Iterator[Finding]:
    for item in judged.loose:
        for name in _PASSWORDS:
            for given in item.all(name):
                if _HASHED.match(given.text) and not given.text.upper().startswith("{CLEARTEXT}"):
                    continue
                how = quality(_HASHED.sub("", given.text, count=1), item.name)
                if how in GUESSABLE:
                    says = f"{given.name} of {shown(item.name)} is {how}: it is guessed first"
                    yield finding("LG-DCM4CHEE-012", judged.source, given.at, given.name, says)
                elif how is Login.PUBLISHED:
                    says = f"{given.name} of {shown(item.name)} stands here in clear"
                    yield finding("LG-DCM4CHEE-013", judged.source, given.at, given.name, says)


_RULES: tuple[Callable[[_Judged], Iterator[Finding]], ...] = (
    *(_anybody, _beside, _certificates, _hosts, _access_ids, _identity, _messages),
    *(_suites, _protocols, _pins, _passwords),
)
