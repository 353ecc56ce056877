"""Files that lie where the image of a service is built belong to it."""

from __future__ import annotations

import pytest

from leadglass.configs.lint import lint
from leadglass.configs.reading import Reach
from leadglass.configs.source import Source
from leadglass.model.verdict import Severity

OPEN = '{"Name": "archive", "RemoteAccessAllowed": true, "AuthenticationEnabled": false}'
COMPOSE = """\
services:
  archive:
    build: {build}
    ports: ["127.0.0.1:8042:8042", "4242:4242"]
"""
FRONT = """\
  front:
    build: front
    ports: ["80:80"]
"""
NGINX = "server { listen 80; location / { proxy_pass http://archive:8042; } }"


def severity(*sources: Source) -> Severity:
    (found,) = (one for one in lint(sources).findings if one.rule == "LG-ORTHANC-001")
    return found.severity


@pytest.mark.parametrize("build", ["archive", "./archive/", "{context: ./archive, dockerfile: Dockerfile}"])
def test_a_server_whose_image_is_built_beside_it_is_reached_as_its_service_is(build: str) -> None:
    compose, own = Source("compose.yaml", COMPOSE.format(build=build)), Source("archive/orthanc.json", OPEN)
    judged = next(one for one in lint([compose, own]).readings if one.kind == "orthanc")

    assert severity(own) is Severity.CRITICAL
    assert severity(compose, own) is Severity.LOW
    assert {one.name: one.reach for one in judged.listeners} == {
        "web": Reach.LOOPBACK,
        "dicom": Reach.EVERYWHERE,
    }


@pytest.mark.parametrize("build", [".", "https://example.org/archive.git", "../archive", "other"])
def test_other_places_say_nothing_of_it(build: str) -> None:
    compose = Source("compose.yaml", COMPOSE.format(build=build))
    assert severity(compose, Source("archive/orthanc.json", OPEN)) is Severity.CRITICAL


def test_a_front_that_is_built_leads_to_a_server_that_is() -> None:
    compose = Source("compose.yaml", COMPOSE.format(build="archive") + FRONT)
    assert (
        severity(compose, Source("archive/orthanc.json", OPEN), Source("front/nginx.conf", NGINX))
        is Severity.CRITICAL
    )


def test_variants_in_one_folder_are_not_read_as_one_configuration() -> None:
    files = [Source(f"archive/{name}.json", OPEN) for name in ("test", "production")]
    linted = lint([Source("compose.yaml", COMPOSE.format(build="archive")), *files])

    assert [one.rule for one in linted.findings if one.rule == "LG-ORTHANC-046"] == []
    assert len([one for one in linted.findings if one.rule == "LG-ORTHANC-001"]) == 2
