"""The clinic behind a guard, once before Orthanc and once before dcmqrscp, for all tests of this folder."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest
from tests.peers.clinic import ALPHA, GREY, STUDIES
from tests.peers.guarded import entry, person
from tests.peers.guarded_clinic import Site, dcmqrscp_site, orthanc_site
from tests.peers.places import LOOPBACK, free_port

ENTRIES = (
    entry("work", "WORK", "radiologist", institutions=(ALPHA,)),
    entry("oldwork", "OLDWORK", "radiologist", institutions=(ALPHA,), plain=True),
    entry("desk", "DESK", users=("tess",)),
    entry("oldct", "OLDCT", "modality", modalities=("CT",), plain=True),
    entry("lab", "LAB", "researcher"),
    entry("engineer", "ENGINEER", "service-engineer", until=time.time() + 3600),
    entry("office", "OFFICE", "auditor"),
    entry("er", "ER", "clinician"),
    entry("ctdesk", "CTDESK", "ct-reader"),
)
PEOPLE = (
    person("grey", "ada's own", "referring-physician", physician_names=(GREY,)),
    person("tess", "unused", "technologist", institutions=(ALPHA,)),
)
SITE_POLICY = """
@id("ct-reader-services")
permit (principal, action in [Action::"find", Action::"move", Action::"get"], resource is Node)
when { principal.roles.contains("ct-reader") };

@id("ct-reader")
permit (principal, action in [Action::"find", Action::"move", Action::"get"], resource is Study)
when { principal.roles.contains("ct-reader") }
when { resource has modalities && resource.modalities.contains("CT") };
"""

# dcmqrscp knows nothing of institutions and of de-identification: what it does not tell is denied.
SEEN: Mapping[str, Mapping[str, set[str]]] = {
    "radiologist": {"orthanc": {"head", "chest"}, "dcmtk": set()},
    "referring physician": {"orthanc": {"head", "liver"}, "dcmtk": {"head", "liver"}},
    "technologist": {"orthanc": {"chest"}, "dcmtk": set()},
    "researcher": {"orthanc": {"trial"}, "dcmtk": set()},
    "clinician": {"orthanc": set(STUDIES), "dcmtk": set(STUDIES)},
    "CT reader": {"orthanc": {"head", "trial", "stray"}, "dcmtk": {"head", "trial", "stray"}},
}


@dataclass(frozen=True)
class Before:
    """A site, and which archive it has."""

    site: Site
    name: str
    listens: Mapping[str, int]
    """Where ORTHCLIENT and CTROOM listen, when they do."""

    def seen(self, role: str) -> set[str]:
        return SEEN[role][self.name]


def _before(name: str, factory: pytest.TempPathFactory) -> Iterator[Before]:
    start = {"orthanc": orthanc_site, "dcmtk": dcmqrscp_site}[name]
    listens = {title: free_port(LOOPBACK) for title in ("ORTHCLIENT", "CTROOM")}
    at = {title: f"127.0.0.1:{port}" for title, port in listens.items()}
    client = entry(
        "orthclient", "ORTHCLIENT", "ct-reader", "modality", modalities=("CT",), address=at["ORTHCLIENT"]
    )
    room = entry("ctroom", "CTROOM", "modality", modalities=("CT",), users=("tess",), address=at["CTROOM"])
    home = factory.mktemp(name)
    with start(home, *ENTRIES, client, room, people=PEOPLE, policies={"clinic.cedar": SITE_POLICY}) as site:
        site.guard.break_glass("er", "unconscious, no papers")
        site.guard.look()
        yield Before(site, name, listens)


@pytest.fixture(scope="session")
def before_orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Before]:
    yield from _before("orthanc", tmp_path_factory)


@pytest.fixture(scope="session")
def before_dcmqrscp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Before]:
    yield from _before("dcmtk", tmp_path_factory)


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.peer(name)) for name in ("orthanc", "dcmtk")])
def before(request: pytest.FixtureRequest) -> Before:
    """Each of the two."""
    wanted = {"orthanc": "before_orthanc", "dcmtk": "before_dcmqrscp"}[request.param]
    found: Before = request.getfixturevalue(wanted)
    return found
