"""Ready configuration for whoever was enrolled: lines to type, and pieces of files to put in.

File names are those in the entry's folder, which is to be carried to the device as a whole.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from leadglass.model.enrolment import Enrolled
from leadglass.settings.guard import Address

__all__ = ["Handout", "handout_text", "peer_lines"]

_SUITES = {True: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", False: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"}
"""By the kind of the guard's key, the suite that every TLS 1.2 of this kind has."""


@dataclass(frozen=True, slots=True)
class Handout:
    """What an entry's configuration is made from."""

    entry: Enrolled
    archive: str
    """The AE title to be called."""
    dicom: Address | None
    """Where this entry reaches the guard: over TLS, or the plain door if it was enrolled for that."""
    web: str | None
    """The guard's DICOMweb root."""
    rsa: bool
    """Whether the guard's own key is RSA."""
    from_archive: Address | None
    """Where the archive sends what is meant for this entry; None: it can send nothing."""


def handout_text(handout: Handout) -> str:
    """All of it, for a terminal or a file."""
    sections = _plain(handout) if handout.entry.plain else _secure(handout)
    return "\n".join([*sections, *_at_the_archive(handout)])


def _secure(handout: Handout) -> Iterator[str]:
    if handout.dicom is not None and handout.entry.titles:
        yield _section("DCMTK", _dcmtk(handout, handout.dicom))
        yield _section("dcm4che", _dcm4che(handout, handout.dicom))
        yield _section("Orthanc: put this into its configuration", [_orthanc(handout, handout.dicom)])
        if not handout.entry.address_tls or handout.entry.address is None:
            yield _section(
                "A device without TLS: run this beside it, and let it send there",
                _edge(handout, handout.dicom),
            )
    if handout.web is not None:
        yield _section("DICOMweb", _curl(handout, handout.web))


def _plain(handout: Handout) -> Iterator[str]:
    if handout.dicom is None:
        yield "guard.toml opens no [listen] plain: nothing is heard from it until it does.\n"
        return
    words = ["echoscu", *_titles(handout), handout.dicom.host, str(handout.dicom.port)]
    yield _section("DCMTK, without TLS", [shlex.join(words)])
    yield _section("Any device", _settings(handout, handout.dicom))


def _at_the_archive(handout: Handout) -> Iterator[str]:
    """The archive knows its C-MOVE destinations; each must be at the guard, which sends on."""
    if handout.entry.address is None or handout.from_archive is None:
        return
    title, (host, port) = handout.entry.titles[0], handout.from_archive
    lines = peer_lines(title, Address(host, port))
    yield _section("On the archive, so that it can send there: Orthanc; dcmqrscp (HostTable)", lines)


def peer_lines(title: str, place: Address) -> list[str]:
    """How an archive is told of a peer: Orthanc's configuration, and dcmqrscp's."""
    host, port = place
    orthanc = json.dumps({"DicomModalities": {title: [title, host, port]}}, ensure_ascii=False)
    return [orthanc, f"{title} = ({title}, {host}, {port})"]


def _section(title: str, lines: Iterable[str]) -> str:
    return f"# {title}\n" + "".join(f"{line}\n" for line in lines)


def _titles(handout: Handout) -> list[str]:
    return ["-aet", handout.entry.titles[0], "-aec", handout.archive]


def _dcmtk(handout: Handout, guard: Address) -> Iterator[str]:
    name = handout.entry.name
    tls = ["+tls", f"{name}.key", f"{name}.pem", "+cf", "ca.pem"]
    place = [*_titles(handout), guard.host, str(guard.port)]
    yield shlex.join(["echoscu", *tls, *place])
    yield shlex.join(["storescu", *tls, *place, "image.dcm"])
    if handout.entry.address is not None and handout.entry.address_tls:
        port = handout.entry.address.rpartition(":")[2]
        yield shlex.join(["storescp", *tls, "-rc", "-aet", handout.entry.titles[0], port])


def _dcm4che(handout: Handout, guard: Address) -> Iterator[str]:
    name = handout.entry.name
    yield f"openssl pkcs12 -export -in {name}.pem -inkey {name}.key -certfile ca.pem -name {name} -out {name}.p12"
    yield "keytool -importcert -noprompt -alias guard -file ca.pem -keystore trust.p12 -storetype PKCS12"
    words = ["storescu", "-b", handout.entry.titles[0], "-c", f"{handout.archive}@{guard}"]
    words += ["--tls12", "--tls-cipher", _SUITES[handout.rsa]]
    for store, file in (("key", f"{name}.p12"), ("trust", "trust.p12")):
        words += [
            f"--{store}-store",
            file,
            f"--{store}-store-type",
            "PKCS12",
            f"--{store}-store-pass",
            "PASSWORD",
        ]
    yield shlex.join([*words, "image.dcm"])


def _orthanc(handout: Handout, guard: Address) -> str:
    name, title = handout.entry.name, handout.entry.titles[0]
    modality = {
        "AET": handout.archive,
        "Host": guard.host,
        "Port": guard.port,
        "UseDicomTls": True,
        "LocalAet": title,
    }
    options = {
        "DicomTlsEnabled": handout.entry.address is not None and handout.entry.address_tls,
        "DicomTlsCertificate": f"{name}.pem",
        "DicomTlsPrivateKey": f"{name}.key",
        "DicomTlsTrustedCertificates": "ca.pem",
        "DicomTlsRemoteCertificateRequired": True,
        "DicomModalities": {"guard": modality},
    }
    return json.dumps(options, indent=2, ensure_ascii=False)


def _edge(handout: Handout, guard: Address) -> Iterator[str]:
    name = handout.entry.name
    words = ["leadglass", "guard", "edge", "--guard", str(guard)]
    words += ["--certificate", f"{name}.pem", "--key", f"{name}.key", "--ca", "ca.pem"]
    yield shlex.join([*words, "--listen", "0.0.0.0:11112", "--from", "DEVICE-ADDRESS"])


def _curl(handout: Handout, web: str) -> Iterator[str]:
    name = handout.entry.name
    words = ["curl", "--cert", f"{name}.pem", "--key", f"{name}.key", "--cacert", "ca.pem"]
    yield shlex.join([*words, f"{web}/studies?limit=1"])


def _settings(handout: Handout, guard: Address) -> Iterator[str]:
    yield f"own AE title       {handout.entry.titles[0]}"
    yield f"called AE title    {handout.archive}"
    yield f"address, port      {guard.host}, {guard.port}"
