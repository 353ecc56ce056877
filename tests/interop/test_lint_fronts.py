"""What the lint says of a front is what the check then sees of the real one, before and after the fix."""

from __future__ import annotations

import contextlib
import http.client
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, cast

import pytest
from tests.peers import apache2, certificates, looking, netns, nginx, orthanc
from tests.peers.certificates import Certificates
from tests.peers.places import Place
from tests.peers.running import Peer

from leadglass.configs.fronts.readers import READERS
from leadglass.configs.reading import Reading
from leadglass.configs.source import decoded, edited

pytestmark = [pytest.mark.root, pytest.mark.peer("orthanc")]

FIXTURES = Path(__file__).parent.parent / "fixtures" / "configs" / "fronts"
STAFF = "staff:{PLAIN}a word that nobody guesses\n"


class Row(NamedTuple):
    """A fixture, the port that is looked at, and what the lint says of it before and after its fix."""

    file: str
    port: int
    before: str
    after: str
    rules: frozenset[str]


ROWS = (
    Row("nginx-open.conf", 80, "answers-query", "answers-query", frozenset({"LG-NGINX-001", "LG-NGINX-014"})),
    Row("nginx-path-open.conf", 80, "answers-query", "demands-login", frozenset({"LG-NGINX-002", "LG-NGINX-014"})),
    Row("nginx-login-off.conf", 80, "answers-query", "demands-login", frozenset({"LG-NGINX-003", "LG-NGINX-014"})),
    Row("nginx-no-users.conf", 80, "answers-query", "demands-login", frozenset({"LG-NGINX-004", "LG-NGINX-014"})),
    Row("nginx-writing-only.conf", 80, "answers-query", "demands-login", frozenset({"LG-NGINX-007", "LG-NGINX-014"})),
    Row("nginx-certificate-optional.conf", 443, "answers-query", "demands-certificate", frozenset({"LG-NGINX-008"})),
    Row("nginx-plain-beside.conf", 80, "answers-query", "demands-login", frozenset({"LG-NGINX-010"})),
    Row("nginx-stream.conf", 2762, "associates", "demands-certificate", frozenset({"LG-NGINX-012"})),
    Row("nginx-protected.conf", 443, "demands-login", "demands-login", frozenset()),
    Row("apache-path-open.conf", 80, "answers-query", "demands-login", frozenset({"LG-APACHE-002", "LG-APACHE-006"})),
    Row("apache-directory.conf", 80, "answers-query", "answers-query", frozenset({"LG-APACHE-003", "LG-APACHE-006"})),
    Row("apache-satisfy-any.conf", 80, "answers-query", "demands-login", frozenset({"LG-APACHE-004", "LG-APACHE-006"})),
    Row("apache-writing-only.conf", 80, "answers-query", "demands-login", frozenset({"LG-APACHE-013", "LG-APACHE-006"})),
    Row("apache-certificate-optional.conf", 443, "answers-query", "demands-certificate", frozenset({"LG-APACHE-005"})),
    Row("apache-protected.conf", 443, "demands-login", "demands-login", frozenset()),
)  # fmt: skip


class House(NamedTuple):
    """Where fronts are started before an archive that asks nobody, and from where they are looked at."""

    server: Place
    scanner: Place
    papers: Certificates


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    home = tmp_path_factory.mktemp("house")
    papers = certificates.certificates(home / "papers", netns.SERVER)
    open_web = {"AuthenticationEnabled": False}
    with netns.namespace_pair() as pair, orthanc.orthanc(pair.server, home / "archive", open_web):
        yield House(pair.server, pair.scanner, papers)


def read(path: str, text: str) -> Reading:
    source = decoded(path, text.encode())
    (reader,) = [reader for reader in READERS if reader.recognises(source)]
    return reader.read(source, {})


@contextlib.contextmanager
def furnished(house: House, text: str) -> Iterator[Path]:
    """A folder with the file, its users and its certificates."""
    with apache2.home() as home:
        shutil.copytree(house.papers.server.parent, home / "papers")
        (home / "users").write_text(STAFF)
        file = home / "front.conf"
        file.write_text(text)
        yield file


def predicted(reading: Reading, port: int) -> str | None:
    """What the lint says of the port; None when it leads to no imaging server."""
    return next((str(one.exposure) for one in reading.listeners if one.port == port), None)


def observed(house: House, row: Row, text: str, tmp_path: Path) -> str:
    """What a stranger finds at the real front with this file, which must take it; of a stream only whether he associates."""
    rung = "associate" if row.port == 2762 else "blank-query"
    with furnished(house, text) as file:
        if row.file.startswith("nginx"):
            complaint = nginx.complaint(house.server, file.parent, file)
            front = nginx.from_file(house.server, file.parent, file, {"front": row.port})
        else:
            complaint = apache2.complaint(house.server, file)
            front = apache2.from_file(house.server, file, {"front": row.port})
        assert complaint == ""
        with front:
            return looking.look(house.scanner, f"{netns.SERVER}:{row.port}", tmp_path, rung=rung).access


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, id=row.file, marks=pytest.mark.peer("nginx" if "nginx" in row.file else "apache2"))
        for row in ROWS
    ],
)
def test_what_is_predicted_is_observed_and_closed_by_the_fix(house: House, tmp_path: Path, row: Row) -> None:
    text = (FIXTURES / row.file).read_text()
    before = read(row.file, text)
    fixed = edited(text, [edit for finding in before.findings for edit in finding.edits])
    after = read(row.file, fixed)

    assert {finding.rule for finding in before.findings} == row.rules
    assert predicted(before, row.port) == row.before
    assert observed(house, row, text, tmp_path) == row.before
    if fixed != text:
        # A door that only redirects leads to no imaging server any more; seen from outside, its redirect of a path
        # called login is one to a login.
        assert predicted(after, row.port) in {row.after, None}
        assert observed(house, row, fixed, tmp_path) == row.after


FORGED = {
    "User-Agent": "stranger",
    "Authorization": "Bearer made.up",
    "Referer": "https://viewer.example/",
    "X-Real-IP": "192.0.2.7",
    "X-Key": "a guess",
}
"""What a stranger writes who has read what is checked, and knows no secret."""


def answered(house: House, peer: Peer, paths: list[str]) -> set[str]:
    """Which paths a stranger gets an answer of what is behind from."""
    found = set()
    with house.scanner.inside():
        for path in paths:
            with contextlib.closing(
                http.client.HTTPConnection(peer.host, peer.port, timeout=10)
            ) as connection:
                connection.request("GET", path, headers=FORGED)
                found |= {path} if connection.getresponse().status in {200, 204} else set()
    return found


def said_open(reading: Reading, path: str) -> bool:
    """Whether the longest path that is spoken of, and that this one begins with, is said to be open."""
    words = ("open_paths", "asking_paths", "named_paths", "closed_paths")
    said = [(one, word) for word in words for one in cast("tuple[str, ...]", reading.facts[word])]
    told = [(one.removeprefix("80 "), word) for one, word in said]
    # A location with a name is where the one that refers to it ends.
    found = [(one, word) for one, word in told if path.startswith(one)] or [
        (one, word) for one, word in told if one.startswith("@")
    ]
    return max(found)[1] == "open_paths"


def start(house: House, file: Path, product: str) -> contextlib.AbstractContextManager[Peer]:
    if product == "nginx":
        return nginx.from_file(house.server, file.parent, file, {"front": 80})
    return apache2.from_file(house.server, file, {"front": 80})


@pytest.mark.parametrize(
    ("product", "last"),
    [
        pytest.param("nginx", 23, marks=pytest.mark.peer("nginx")),
        pytest.param("apache", 19, marks=pytest.mark.peer("apache2")),
    ],
)
def test_each_way_to_ask_stops_a_stranger_or_not_as_it_was_read(
    house: House, product: str, last: int
) -> None:
    text = (FIXTURES / f"{product}-gates.conf").read_text()
    reading = read("front.conf", text)
    paths = [f"/dicom-{number:02}/studies" for number in range(1, last + 1)]

    # The archive of this house has the port that the file names; something that answers 200 stands in for it.
    with (
        furnished(house, text.replace("127.0.0.1:8042", "127.0.0.1:8043")) as file,
        start(house, file, product) as peer,
    ):
        seen = answered(house, peer, paths)

    assert {path for path in paths if said_open(reading, path)} == seen
    assert 0 < len(seen) < len(paths)
