"""The real servers, how each is started, and what a stranger can do with it at each rung.

This is the truth that ``test_servers.py`` holds Leadglass to. It was written from how the
servers behave (see ``test_peers_servers.py`` and ``test_peers_tls.py``), not from what Leadglass says.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from tests.peers import dcmtk, nginx, orthanc, planted, reference, strangers
from tests.peers.canary import Canaries
from tests.peers.certificates import Certificates
from tests.peers.places import Place
from tests.peers.running import Peer

__all__ = ["SERVERS", "Expected", "Server", "Stage"]


class Stage(NamedTuple):
    """What a server needs to be started."""

    place: Place
    home: Path
    papers: Certificates
    canaries: Canaries


class Expected(NamedTuple):
    """What has to be said at one rung. Reasons are rules that must be among those that fired."""

    access: str | frozenset[str]
    capabilities: Mapping[str, str] = {}
    reasons: frozenset[str] = frozenset()

    @property
    def words(self) -> frozenset[str]:
        """The access words that are right."""
        return frozenset({self.access}) if isinstance(self.access, str) else self.access


class Server(NamedTuple):
    """One row of the table."""

    peers: tuple[str, ...]
    """The markers of the programs it needs."""
    start: Callable[[Stage], AbstractContextManager[Peer]]
    port: str
    """Which of its ports is looked at."""
    rungs: Mapping[str, Expected]
    software: frozenset[str | None] = frozenset({None})
    """The products that may be named."""
    options: tuple[str, ...] = ()


def says(access: str, *reasons: str, **capabilities: str) -> Expected:
    """What has to be said; capabilities with ``_`` for ``-``."""
    named = {name.replace("_", "-"): state for name, state in capabilities.items()}
    return Expected(access, named, frozenset({f"access.{access}", *reasons}))


def _everywhere(expected: Expected, *, since: str = "connect") -> dict[str, Expected]:
    """The same at each rung from ``since`` on."""
    rungs = ("connect", "associate", "negotiate", "blank-query")
    return dict.fromkeys(rungs[rungs.index(since) :], expected)


@contextlib.contextmanager
def _behind(
    front: Callable[..., AbstractContextManager[Peer]], stage: Stage, **options: str
) -> Iterator[Peer]:
    with (
        dcmtk.storescp(stage.place, stage.home / "behind") as archive,
        front(stage.place, stage.home / "front", stage.papers, archive, **options) as peer,
    ):
        yield peer


def _archive(**settings: object) -> Callable[[Stage], AbstractContextManager[Peer]]:
    return lambda stage: planted.orthanc_archive(stage.place, stage.home, stage.canaries, settings)


def _on_a_dicom_port(
    start: Callable[..., AbstractContextManager[Peer]],
) -> Callable[[Stage], AbstractContextManager[Peer]]:
    return lambda stage: start(stage.place, stage.home, port=104)


_USER = ("radiology", "a word that nobody guesses")

ASSOCIATES = says(
    "associates",
    "associate.accepted",
    "verification.answered",
    associate="proved",
    verification="proved",
    query="untested",
    retrieve="untested",
    storage="untested",
    worklist="untested",
)
OFFERS_QUERY = says(
    "offers-query", "negotiation.granted", query="granted", retrieve="granted", storage="granted"
)
ANSWERS_QUERY = says("answers-query", "query.processed", query="proved")
OFFERS_STORAGE = says(
    "offers-storage", "negotiation.granted", storage="granted", query="absent", retrieve="absent"
)
VERIFICATION_ONLY = says(
    "verification-only", query="absent", retrieve="absent", storage="absent", worklist="absent"
)
WANTS_TITLE = says("wants-title", "associate.refused", associate="refused", query="untested")
DEMANDS_LOGIN = says("demands-login", web_api="refused")
DEMANDS_CERTIFICATE = says("demands-certificate", query="untested", storage="untested")
NOT_DICOM = says("not-dicom")
SILENT = Expected(frozenset({"not-dicom", "inconclusive"}))

ORTHANC = frozenset({"Orthanc"})
STORESCP = frozenset({"DCMTK storescp"})
DCMQRSCP = frozenset({"DCMTK dcmqrscp"})
PYNETDICOM = frozenset({"pynetdicom"})

SERVERS: Mapping[str, Server] = {
    "orthanc-default": Server(
        ("orthanc",),
        lambda stage: planted.orthanc_archive(stage.place, stage.home, stage.canaries, {}),
        "dicom",
        {
            "associate": ASSOCIATES,
            "negotiate": OFFERS_QUERY._replace(
                capabilities={**OFFERS_QUERY.capabilities, "worklist": "absent"}
            ),
            "blank-query": says(
                "offers-storage",
                "query.aborted-by-product",
                query="refused",
                storage="granted",
                worklist="absent",
                web_query="absent",
            ),
        },
        ORTHANC,
    ),
    "orthanc-find": Server(
        ("orthanc",),
        _archive(**orthanc.FIND_ALLOWED),
        "dicom",
        {"associate": ASSOCIATES, "negotiate": OFFERS_QUERY, "blank-query": ANSWERS_QUERY},
        ORTHANC,
    ),
    "orthanc-title": Server(
        ("orthanc",),
        _archive(**orthanc.TITLE_CHECKED),
        "dicom",
        _everywhere(WANTS_TITLE, since="associate"),
    ),
    "orthanc-web-default": Server(
        ("orthanc",),
        _archive(),
        "http",
        _everywhere(DEMANDS_LOGIN, since="associate"),
        frozenset({"Orthanc"}),
    ),
    "orthanc-web-open": Server(
        ("orthanc",),
        _archive(**orthanc.REMOTE_WITHOUT_LOGIN),
        "http",
        {
            "associate": says("answers-query", "web-api.open", web_api="proved", web_query="untested"),
            "blank-query": says("answers-query", "web-query.processed", web_query="proved", web_api="proved"),
        },
        frozenset({"Orthanc"}),
    ),
    "orthanc-web-open-without-dicomweb": Server(
        ("orthanc",),
        _archive(**orthanc.REMOTE_WITHOUT_LOGIN, **orthanc.WITHOUT_PLUGINS),
        "http",
        {"blank-query": says("answers-query", "web-api.open", web_api="proved", web_query="absent")},
        frozenset({"Orthanc"}),
    ),
    "orthanc-web-user": Server(
        ("orthanc",),
        lambda stage: planted.orthanc_archive(
            stage.place, stage.home, stage.canaries, orthanc.remote_with_user(*_USER), user=_USER
        ),
        "http",
        _everywhere(DEMANDS_LOGIN, since="associate"),
        frozenset({"Orthanc"}),
    ),
    "orthanc-tls": Server(
        ("orthanc",),
        lambda stage: orthanc.orthanc(stage.place, stage.home, orthanc.mutual_tls(stage.papers)),
        "dicom",
        _everywhere(DEMANDS_CERTIFICATE),
    ),
    "dcmqrscp-stranger": Server(
        ("dcmtk",),
        lambda stage: planted.dcmqrscp(stage.place, stage.home, stage.canaries),
        "dicom",
        _everywhere(WANTS_TITLE, since="associate"),
    ),
    "dcmqrscp-titled": Server(
        ("dcmtk",),
        lambda stage: planted.dcmqrscp(stage.place, stage.home, stage.canaries),
        "dicom",
        {"associate": ASSOCIATES, "negotiate": OFFERS_QUERY, "blank-query": ANSWERS_QUERY},
        DCMQRSCP,
        ("--called-ae", dcmtk.TITLE),
    ),
    "storescp": Server(
        ("dcmtk",),
        lambda stage: dcmtk.storescp(stage.place, stage.home),
        "dicom",
        {"associate": ASSOCIATES, "negotiate": OFFERS_STORAGE, "blank-query": OFFERS_STORAGE},
        STORESCP,
    ),
    "storescp-tls-required": Server(
        ("dcmtk",),
        lambda stage: dcmtk.storescp_tls(stage.place, stage.home, stage.papers),
        "dicom",
        _everywhere(DEMANDS_CERTIFICATE),
    ),
    "storescp-tls-retired-profile": Server(
        ("dcmtk",),
        lambda stage: dcmtk.storescp_tls(stage.place, stage.home, stage.papers, dcmtk.REQUIRED, "+pa"),
        "dicom",
        _everywhere(DEMANDS_CERTIFICATE),
    ),
    "storescp-tls-verified-if-present": Server(
        ("dcmtk",),
        lambda stage: dcmtk.storescp_tls(stage.place, stage.home, stage.papers, dcmtk.VERIFIED),
        "dicom",
        {"associate": ASSOCIATES, "blank-query": OFFERS_STORAGE},
        STORESCP,
    ),
    "storescp-tls-ignored": Server(
        ("dcmtk",),
        lambda stage: dcmtk.storescp_tls(stage.place, stage.home, stage.papers, dcmtk.IGNORED),
        "dicom",
        {"associate": ASSOCIATES, "blank-query": OFFERS_STORAGE},
        STORESCP,
    ),
    "pynetdicom-echoscp": Server(
        ("pynetdicom",),
        lambda stage: reference.echoscp(stage.place, stage.home),
        "dicom",
        {"associate": ASSOCIATES, "negotiate": VERIFICATION_ONLY, "blank-query": VERIFICATION_ONLY},
        PYNETDICOM,
    ),
    "pynetdicom-storescp": Server(
        ("pynetdicom",),
        lambda stage: reference.storescp(stage.place, stage.home),
        "dicom",
        {"associate": ASSOCIATES, "negotiate": OFFERS_STORAGE, "blank-query": OFFERS_STORAGE},
        PYNETDICOM,
    ),
    "pynetdicom-qrscp": Server(
        ("pynetdicom",),
        lambda stage: planted.qrscp(stage.place, stage.home, stage.canaries),
        "dicom",
        {
            "associate": ASSOCIATES,
            "negotiate": OFFERS_QUERY._replace(
                capabilities={**OFFERS_QUERY.capabilities, "worklist": "granted"}
            ),
            "blank-query": ANSWERS_QUERY._replace(capabilities={"query": "proved", "worklist": "granted"}),
        },
        PYNETDICOM,
    ),
    "nginx-front-tls12": Server(
        ("nginx", "dcmtk"),
        lambda stage: _behind(nginx.front, stage, version="TLSv1.2"),
        "dicom",
        _everywhere(DEMANDS_CERTIFICATE),
    ),
    "nginx-front-tls13": Server(
        ("nginx", "dcmtk"),
        lambda stage: _behind(nginx.front, stage, version="TLSv1.3"),
        "dicom",
        _everywhere(DEMANDS_CERTIFICATE),
    ),
    "nginx-front-optional": Server(
        ("nginx", "dcmtk"),
        lambda stage: _behind(nginx.front, stage, verify="optional"),
        "dicom",
        {"associate": ASSOCIATES, "blank-query": OFFERS_STORAGE},
        STORESCP,
    ),
    "haproxy-required": Server(
        ("haproxy", "dcmtk"),
        lambda stage: _behind(strangers.haproxy, stage),
        "dicom",
        _everywhere(DEMANDS_CERTIFICATE),
    ),
    "nginx-web": Server(
        ("nginx",),
        _on_a_dicom_port(nginx.web),
        "http",
        _everywhere(NOT_DICOM, since="associate"),
    ),
    "nginx-web-tls-optional": Server(
        ("nginx",),
        lambda stage: nginx.web_tls(stage.place, stage.home, stage.papers, "optional", port=2762),
        "https",
        _everywhere(NOT_DICOM, since="associate"),
    ),
    "nginx-web-tls-on": Server(
        ("nginx",),
        lambda stage: nginx.web_tls(stage.place, stage.home, stage.papers, "on"),
        "https",
        _everywhere(says("demands-certificate", "tls.certificate-required"), since="associate"),
    ),
    "sshd": Server(
        ("sshd",),
        _on_a_dicom_port(strangers.sshd),
        "ssh",
        _everywhere(NOT_DICOM, since="associate"),
    ),
    "redis": Server(
        ("redis",), _on_a_dicom_port(strangers.redis), "redis", _everywhere(SILENT, since="blank-query")
    ),
    "postgresql": Server(
        ("postgresql",),
        lambda stage: strangers.postgresql(stage.place, stage.home),
        "postgresql",
        _everywhere(SILENT, since="associate"),
    ),
}
