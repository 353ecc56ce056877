"""What lint predicts of an Orthanc in a container is what a look at the real one sees, as started and as fixed.

No container runs here: Orthanc itself is started with the configuration that the image makes of the compose file's variables.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests.peers import looking, netns
from tests.peers.running import Peer, running, version_of

from leadglass.configs.containers.compose import read, workloads
from leadglass.configs.containers.orthanc_image import effective, family_of
from leadglass.configs.lint import lint
from leadglass.configs.reading import Reach
from leadglass.configs.source import Source, edited
from leadglass.configs.together import laid

pytestmark = [pytest.mark.peer("orthanc"), pytest.mark.root]

FIXTURES = Path(__file__).parents[1] / "fixtures" / "configs" / "compose"
PORTS = {"web": 8042, "dicom": 4242}
KNOWN = {"ORTHANC_ADMIN_PASSWORD": "a word that nobody knows"}


def predicted(source: Source) -> Mapping[str, str]:
    return {
        listener.name.rpartition("/")[2]: listener.exposure.value
        for listener in read(source, KNOWN).listeners
        if listener.reach is Reach.EVERYWHERE
    }


def fixed(source: Source) -> Source:
    """With every edit to Orthanc's options, its ports published as before."""
    findings = read(source, KNOWN).findings
    edits = [edit for finding in findings if finding.rule.startswith("LG-ORTHANC") for edit in finding.edits]
    return Source(source.path, edited(source.text, edits))


@contextlib.contextmanager
def started(pair: netns.Pair, home: Path, source: Source) -> Iterator[Peer]:
    """Orthanc as the image starts it, its storage in ``home``."""
    (workload,) = workloads(source, KNOWN)
    family = family_of(workload.image, workload.variables)
    assert family is not None
    with begun(pair, home, json.loads(effective(source, workload, family).text())) as peer:
        yield peer


@contextlib.contextmanager
def begun(pair: netns.Pair, home: Path, options: Mapping[str, object]) -> Iterator[Peer]:
    """Orthanc with these options."""
    home.mkdir()
    (home / "orthanc.json").write_text(json.dumps({**options, "StorageDirectory": str(home / "db")}))
    with running(
        pair.server,
        ["Orthanc", home / "orthanc.json"],
        product="orthanc",
        version=version_of(["Orthanc", "--version"]),
        ports=PORTS,
        home=home,
        environment=KNOWN,
    ) as peer:
        yield peer


def observed(pair: netns.Pair, source: Source, home: Path) -> Mapping[str, str]:
    with started(pair, home, source) as peer:
        return seen(pair, peer, home)


def seen(pair: netns.Pair, peer: Peer, home: Path) -> Mapping[str, str]:
    return {
        name: looking.look(pair.scanner, f"{peer.host}:{port}", home).access for name, port in PORTS.items()
    }


def test_an_open_one_is_seen_open_and_closed_when_it_is_fixed(pair: netns.Pair, tmp_path: Path) -> None:
    source = Source("compose.yml", (FIXTURES / "orthanc-open.yml").read_text())
    after = fixed(source)

    assert predicted(source) == {"web": "answers-query", "dicom": "answers-query"}
    assert observed(pair, source, tmp_path / "before") == predicted(source)
    assert predicted(after) == {"web": "demands-login", "dicom": "offers-storage"}
    assert observed(pair, after, tmp_path / "after") == predicted(after)


def test_one_with_the_factory_user_and_a_title_is_seen_as_that(pair: netns.Pair, tmp_path: Path) -> None:
    source = Source("compose.yml", (FIXTURES / "orthanc-json.yml").read_text())

    assert read(source, {}).facts["cred"] == "default"
    assert predicted(source) == {"web": "demands-login", "dicom": "wants-title"}
    assert observed(pair, source, tmp_path / "home") == predicted(source)


@pytest.mark.parametrize(
    ("variables", "web"),
    [("{}", "demands-login"), ('{ORTHANC__AUTHENTICATION_ENABLED: "false"}', "answers-query")],
)
def test_a_mounted_file_is_seen_open_as_what_the_image_lays_under_and_over_it_makes_it(
    variables: str, web: str, pair: netns.Pair, tmp_path: Path
) -> None:
    options: dict[str, object] = {"DicomAet": "ARCHIVE", "AuthenticationEnabled": True}
    compose = f"""\
services:
  archive:
    image: orthancteam/orthanc
    ports: ["8042:8042", "4242:4242"]
    volumes: ["./orthanc.json:/etc/orthanc/orthanc.json"]
    environment: {variables}
"""
    files = [Source("compose.yml", compose), Source("orthanc.json", json.dumps(options))]
    linted = lint(files)
    layers = laid(linted.readings)["orthanc.json"]
    predictions = {
        listener.name: listener.exposure.value
        for reading in linted.readings
        for listener in reading.listeners
        if listener.reach is Reach.EVERYWHERE
    }
    storage = {"StorageDirectory": str(tmp_path / "home" / "db")}
    with begun(pair, tmp_path / "home", {**layers.under, **options, **layers.over, **storage}) as peer:
        assert seen(pair, peer, tmp_path / "home") == predictions == {"web": web, "dicom": "offers-storage"}
