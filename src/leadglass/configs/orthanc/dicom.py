"""What is wrong with DICOM: what strangers may do, what is taken for a lock, and TLS."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from leadglass.configs.catalogue import finding
from leadglass.configs.json_nodes import Node
from leadglass.configs.orthanc.server import Peer, Server
from leadglass.configs.orthanc.settings import shown
from leadglass.model.finding import Cause, Edit, Finding
from leadglass.model.verdict import Access, Severity

__all__ = ["dicom_findings"]

_LISTENER = "dicom"
_READING: Mapping[str, tuple[str, str]] = {
    "Find": ("LG-ORTHANC-021", "any caller may query"),
    "Get": ("LG-ORTHANC-022", "any caller may retrieve"),
    "Move": ("LG-ORTHANC-023", "any caller may have studies sent to known modalities"),
    "FindWorklist": ("LG-ORTHANC-024", "any caller may read the worklist"),
}
_PAPERS = ("DicomTlsCertificate", "DicomTlsPrivateKey", "DicomTlsTrustedCertificates")
_CHECKS = ("DicomCheckModalityHost", "StrictAetComparison")
_FIRST = "DicomAet"
"""Beside it a finding stands of which the option is not written."""


def dicom_findings(server: Server) -> Iterator[Finding]:
    """All that concerns DICOM; nothing when it does not listen."""
    if not server.dicom:
        return
    yield from _tls(server)
    if server.certified:
        return
    yield from _storing(server)
    yield from _reading(server)
    yield from _mistaken(server)
    yield from _known(server)


def _storing(server: Server) -> Iterator[Finding]:
    if "Store" in server.anybody:
        says = "any caller may store" + ("" if server.names_peers else ", and nobody is listed who may")
        yield _at(
            server, "LG-ORTHANC-020", "DicomAlwaysAllowStore", says, edits=_refusing(server, "Store", "Echo"),
            **_said(server, "DicomAlwaysAllowStore"), **_behind_a_title(server, Severity.MEDIUM),
        )  # fmt: skip
    elif server.anybody == ["Echo"]:
        says = "strangers' associations are accepted, though every command of theirs but C-ECHO is refused"
        yield _at(
            server, "LG-ORTHANC-025", "DicomAlwaysAllowEcho", says, edits=_refusing(server, "Echo"),
            **_said(server, "DicomAlwaysAllowEcho"), **_behind_a_title(server, Severity.LOW),
        )  # fmt: skip


def _reading(server: Server) -> Iterator[Finding]:
    for command, (rule, says) in _READING.items():
        if command in server.anybody:
            option = f"DicomAlwaysAllow{command}"
            edits = server.settings.put(option, value=False)
            yield _at(server, rule, option, says, edits=edits, **_behind_a_title(server, Severity.HIGH))
    if "Find" in server.anybody and server.settings.number("LimitFindResults") == 0:
        yield _at(
            server, "LG-ORTHANC-034", "LimitFindResults", "any caller may ask, and answers have no limit"
        )


def _mistaken(server: Server) -> Iterator[Finding]:
    """Options that do less than they seem to."""
    if not server.anybody:
        return
    allowed = ", ".join(f"DicomAlwaysAllow{command}" for command in server.anybody)
    if server.settings.on("DicomCheckCalledAet"):
        title = server.settings.counting(_FIRST) or "ORTHANC"
        says = f"whoever knows the title {shown(str(title), 16)} may do what {allowed} permit"
        yield _at(server, "LG-ORTHANC-026", "DicomCheckCalledAet", says)
    for option in _CHECKS:
        if server.settings.on(option):
            says = f"it does not concern strangers, whom {allowed} let in"
            yield _at(server, "LG-ORTHANC-027", option, says)


def _known(server: Server) -> Iterator[Finding]:
    """How callers are known that DicomModalities lists."""
    if server.settings.on("DicomModalitiesInDatabase") and server.settings.section("DicomModalities"):
        says = "the peers in this file count for nothing: DicomModalitiesInDatabase is true"
        yield _at(server, "LG-ORTHANC-035", "DicomModalities", says)
    if server.settings.on("DicomCheckModalityHost"):
        for peer in server.peers:
            if not _is_address(peer.host):
                yield _of(
                    server, peer, f"the host of {shown(peer.name, 40)} is a name, and its address is compared"
                )
    elif not server.anybody:
        says = "callers are known by a title that anybody can write"
        yield _at(server, "LG-ORTHANC-029", "DicomCheckModalityHost", says)


def _tls(server: Server) -> Iterator[Finding]:
    settings = server.settings
    if not settings.on("DicomTlsEnabled"):
        yield _at(server, "LG-ORTHANC-030", "DicomTlsEnabled", "DICOM without TLS")
        return
    if not settings.on("DicomTlsRemoteCertificateRequired"):
        says = "callers need no certificate"
        exposure = {"exposure": server.dicom_exposure}
        yield _at(server, "LG-ORTHANC-031", "DicomTlsRemoteCertificateRequired", says, **exposure)
    missing = [name for name in _PAPERS if settings.entry(name) is None]
    if missing:
        yield _at(server, "LG-ORTHANC-032", "DicomTlsEnabled", f"TLS is on without {', '.join(missing)}")
    if settings.number("DicomTlsMinimumProtocolVersion") in {1, 2, 3}:
        says = "versions before TLS 1.2 are accepted"
        edits = settings.put("DicomTlsMinimumProtocolVersion", 0)
        yield _at(server, "LG-ORTHANC-033", "DicomTlsMinimumProtocolVersion", says, edits=edits)


def _refusing(server: Server, *commands: str) -> tuple[Edit, ...]:
    """No command for strangers; left to a person where the files list nobody, for all are strangers then."""
    if not server.names_peers:
        return ()
    wanted = [f"DicomAlwaysAllow{command}" for command in commands if command in server.anybody]
    return tuple(edit for option in wanted for edit in server.settings.put(option, value=False))


def _behind_a_title(server: Server, severity: Severity) -> Mapping[str, Any]:
    """What is different where a stranger has to know the server's own title first."""
    if not server.settings.on("DicomCheckCalledAet"):
        return {}
    return {"exposure": Access.WANTS_TITLE, "severity": severity}


def _said(server: Server, option: str) -> Mapping[str, Any]:
    return {"cause": Cause.DELIBERATE} if server.settings.flag(option) else {}


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _node(server: Server, option: str) -> Node | None:
    entry = server.settings.entry(option)
    return entry.node if entry else None


def _of(server: Server, peer: Peer, says: str) -> Finding:
    entry = server.settings.entry("DicomModalities")
    assert entry is not None
    option = f"DicomModalities.{shown(peer.name, 40)}"
    return finding("LG-ORTHANC-028", entry.source, peer.node.start, option, says, listener=_LISTENER)


def _at(server: Server, rule: str, option: str, says: str, **other: Any) -> Finding:
    source, offset = server.settings.place(option, _FIRST)
    return finding(rule, source, offset, option, says, listener=_LISTENER, **other)
