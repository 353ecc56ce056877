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
from leadglass.configs.reading import Reach
from leadglass.configs.source import Source, edited

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
    options = json.loads(effective(source, workload, family).text())
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
        return {
            name: looking.look(pair.scanner, f"{peer.host}:{port}", home).access
            for name, port in PORTS.items()
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
