"""A guard that begins while others are away does what it may by what it kept, or waits, and never opens wide."""

from __future__ import annotations

import contextlib
import json
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.peers import certificates, oidc, postgresql, ward
from tests.peers.guarded import Guard, again, guard
from tests.peers.guarded_clinic import TITLE, eventually
from tests.peers.places import LOOPBACK, free_port
from tests.peers.running import Peer
from tests.peers.ward import CARE, FINE, NOT_NOW

from leadglass.settings.guard import Address

pytestmark = [pytest.mark.peer("orthanc"), pytest.mark.peer("pynetdicom"), pytest.mark.peer("postgresql")]

AUDIENCE = "pacs"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    with ward.archive(tmp_path_factory.mktemp("ward")) as running:
        yield running


@pytest.fixture(scope="module")
def cluster() -> Iterator[postgresql.Cluster]:
    with postgresql.cluster() as running:
        yield running


@contextlib.contextmanager
def before(archive: Peer, home: Path, database: str, **tables: dict[str, str]) -> Iterator[Guard]:
    """A guard in front of it that has had an emergency."""
    where = Address("127.0.0.1", archive.ports["dicom"])
    with guard(home, where, *ward.ENTRIES, title=TITLE, database=database, settings=tables) as made:
        made.break_glass("er", "unconscious, no papers")
        assert eventually(lambda: ward.emergency(made) == FINE)
        yield made


@contextlib.contextmanager
def away(cluster: postgresql.Cluster) -> Iterator[Callable[[], None]]:
    """The cluster is down until the end, or until it is called back."""
    with contextlib.ExitStack() as stack:
        cluster.stop()
        stack.callback(cluster.start)
        yield stack.close


def everything(running: Guard) -> bool:
    return ward.hears(running) == {**CARE, "read": FINE}


def log_of(running: Guard, event: str) -> list[dict[str, str]]:
    lines = [json.loads(line) for line in running.log.read_text().splitlines()]
    return [line for line in lines if line["event"] == event]


def test_a_guard_that_begins_without_its_database_goes_on_with_care_by_the_roll_that_it_kept(
    archive: Peer, cluster: postgresql.Cluster, tmp_path: Path
) -> None:
    with cluster.database() as name, before(archive, tmp_path, cluster.url(name)) as first:
        papers = first.site.enrolled / "work"
        shutil.copytree(papers, tmp_path / "work")
        first.revoke("work")
        (tmp_path / "work").rename(papers)
        assert eventually(lambda: ward.read(first).startswith("rejected 1/"))
        kept = first.site.kept / "state.json"
        assert eventually(lambda: '"enrolled":{' in kept.read_text() and '"work"' not in kept.read_text())
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        with away(cluster) as back, again(first, "degraded") as second:
            assert second.health()["problems"] == ["state"]
            heard = ward.hears(second)
            assert heard.pop("read").startswith("rejected 1/"), "a revoked one stays so"
            assert heard == CARE
            assert log_of(second, "begun by what was kept")
            assert second.metrics()["stale"] > 0
            back()
            assert eventually(lambda: second.health()["state"] == "ok", 12)
            second.break_glass("ctroom", "now")
            assert eventually(lambda: "break-glass begins" in second.log.read_text())


@pytest.mark.deep
def test_what_was_kept_too_long_ago_permits_nothing(archive: Peer, tmp_path: Path) -> None:
    with before(archive, tmp_path, "guard.sqlite", policy={"grace": "1h"}) as first:
        kept = first.site.kept / "state.json"
        assert eventually(kept.exists)
        (first.home / "guard.sqlite").rename(tmp_path / "elsewhere")
        written = json.loads(kept.read_text())
        kept.write_text(json.dumps({**written, "confirmed": written["confirmed"] - 3600}))
        with again(first, "degraded") as second:
            assert set(ward.hears(second).values()) == {NOT_NOW}
            (tmp_path / "elsewhere").rename(first.home / "guard.sqlite")
            assert eventually(lambda: everything(second), 12)


def test_a_guard_that_kept_nothing_waits_for_its_database_and_says_so(
    archive: Peer, cluster: postgresql.Cluster, tmp_path: Path
) -> None:
    with (
        cluster.database() as name,
        before(archive, tmp_path, cluster.url(name)) as first,
        away(cluster) as back,
    ):
        (first.site.kept / "state.json").write_text("{")
        with again(first, "failing") as second:
            assert eventually(lambda: second.metrics()["waiting"] == 1, 20)
            assert second.health()["problems"] == ["state"]
            assert "there is no connection to the server" in log_of(second, "waiting")[0]["words"]
            second.reload()
            back()
            assert eventually(lambda: second.health()["state"] == "ok", 20)
            assert everything(second)
            assert second.metrics()["restarts_total"] == 0


@pytest.mark.deep
@pytest.mark.peer("node")
@pytest.mark.peer("oidc")
def test_the_keys_of_a_provider_that_is_away_serve_over_a_restart(archive: Peer, tmp_path: Path) -> None:
    papers = certificates.certificates(tmp_path, "127.0.0.1")
    port = free_port(LOOPBACK)
    identity = {
        "issuer": f"https://127.0.0.1:{port}",
        "audience": AUDIENCE,
        "ca": str(papers.authority),
        "roles_claim": "groups",
    }
    with oidc.oidc_provider(tmp_path / "oidc", papers, port) as issuer:
        person = ward.as_bearer(issuer.person("ada", AUDIENCE, groups=["clinician"]))
        with before(archive, tmp_path, "guard.sqlite", identity=identity) as first:
            first.break_glass("ada", "trauma")
            kept = first.site.kept / "keys.json"
            assert eventually(lambda: ward.read(first, who="er", person=person) == FINE)
            assert eventually(kept.exists)
    with again(first, "degraded") as second:
        assert second.health()["problems"] == ["identity-provider"]
        assert ward.read(second, who="er", person=person) == FINE
