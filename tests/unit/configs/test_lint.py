"""Files are told by what they hold, and what belongs to one server is read as one."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.source import ROOT

from leadglass.configs.lint import READERS, Broken, Unknown, lint, read, recognised
from leadglass.configs.reading import Reach, Reading
from leadglass.configs.source import Source, decoded
from leadglass.model.verdict import Severity

FIXTURES = sorted(path for path in (ROOT / "tests" / "fixtures" / "configs").rglob("*") if path.is_file())
ORTHANC = '{"RemoteAccessAllowed": true, "AuthenticationEnabled": false, "HttpPort": 8042, "Name": "Archive"}'
COMPOSE = """services:
  archive:
    image: orthancteam/orthanc
    volumes:
      - ./orthanc.json:/etc/orthanc/orthanc.json
    ports:
      - "{port}"
"""


def web_severity(*sources: Source) -> Severity:
    """How bad the open web interface of ``orthanc.json`` is."""
    found = [
        one for one in lint(sources).findings if one.place.path == "orthanc.json" and one.listener == "web"
    ]
    return min((one.severity for one in found), key=lambda severity: severity.rank)


# ---- recognition


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.name)
def test_every_fixture_is_taken_by_one_reader_whatever_its_name(path: Path) -> None:
    named = recognised(decoded(path.name, path.read_bytes()))
    nameless = recognised(decoded("x", path.read_bytes()))

    assert named is not None
    assert nameless is not None
    assert nameless.kind == named.kind


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "{}",
        "[]",
        '{"name": "app", "version": "1.0.0", "dependencies": {"react": "18"}}',
        "name: CI\non: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n      - run: make\n",
        "[tool.ruff]\nline-length = 110\n",
        "# Readme\n\nRun `docker compose up`.\n",
        "import json\n\nprint(json.dumps({'RemoteAccessAllowed': True}))\n",
        "a,b,c\n1,2,3\n",
        "<html><body>services: none</body></html>",
        "[core]\n\trepositoryformatversion = 0\n",
        "LoadModule ssl_module modules/mod_ssl.so\n",
    ],
)
def test_what_is_none_of_them_is_of_no_known_kind(text: str) -> None:
    assert read(Source("a", text)) == Unknown("a")


@given(st.text(max_size=200))
def test_whatever_a_file_holds_no_reader_raises(text: str) -> None:
    assert isinstance(read(Source("a", text)), Reading | Unknown | Broken)


def test_no_kind_has_two_readers() -> None:
    kinds = [reader.kind for reader in READERS]

    assert len(kinds) == len(set(kinds))


# ---- together


def test_the_same_file_is_safe_or_not_depending_on_what_publishes_the_port() -> None:
    server = Source("orthanc.json", ORTHANC)
    everywhere = Source("compose.yml", COMPOSE.format(port="8042:8042"))
    loopback = Source("compose.yml", COMPOSE.format(port="127.0.0.1:8042:8042"))

    assert web_severity(server) is Severity.CRITICAL
    assert web_severity(server, everywhere) is Severity.CRITICAL
    assert web_severity(server, loopback) is Severity.LOW
    assert web_severity(server, Source("other/compose.yml", loopback.text)) is Severity.CRITICAL


def test_variables_of_the_compose_file_are_filled_in() -> None:
    users = '"RegisteredUsers": {"alice": "${PASSWORD}"}, "AuthenticationEnabled": true, "RemoteAccessAllowed": true'
    server = Source("orthanc.json", f"{{{users}}}")
    environment = "    environment:\n      PASSWORD: {word}\n"

    def rules(word: str) -> set[str]:
        compose = COMPOSE.format(port="8042:8042") + environment.format(word=word)
        found = lint([server, Source("compose.yml", compose)]).findings
        return {one.rule for one in found if one.place.path == "orthanc.json"}

    assert rules("orthanc") != rules("Xk29-fh3k-PPdk-3jdk")


def test_the_folder_of_one_orthanc_is_read_as_one() -> None:
    main = Source("orthanc/orthanc.json", '{"RemoteAccessAllowed": true, "AuthenticationEnabled": true}')
    users = Source("orthanc/users.json", '{"RegisteredUsers": {"alice": "Xk29-fh3k-PPdk-3jdk"}}')
    whole = lint([main, users])

    assert [reading.source.path for reading in whole.readings] == [main.path, users.path]
    assert len(whole.findings) < len(lint([main]).findings) + len(lint([users]).findings)
    assert {one.place.path for one in lint([main]).findings} == {main.path}
    assert len([reading for reading in whole.readings if reading.listeners]) == 1


def test_two_whole_servers_in_one_folder_stay_two() -> None:
    first, second = Source("a.json", ORTHANC), Source("b.json", ORTHANC)
    both = lint([first, second])

    assert len(both.findings) == 2 * len(lint([first]).findings)


def test_findings_come_worst_first_whatever_the_order_of_the_files() -> None:
    files = [Source("b/orthanc.json", ORTHANC), Source("a/orthanc.json", ORTHANC), Source("c", "none")]
    first = lint(files)
    ranks = [one.severity.rank for one in first.findings]

    assert ranks == sorted(ranks)
    assert all(lint(order) == first for order in itertools.permutations(files))


def test_a_broken_file_does_not_hide_the_others() -> None:
    result = lint([Source("a.json", ORTHANC[:-1]), Source("b.json", ORTHANC)])

    assert [broken.path for broken in result.broken] == ["a.json"]
    assert {one.place.path for one in result.findings} == {"b.json"}


def test_brackets_without_end_are_one_broken_file() -> None:
    text = '{"RemoteAccessAllowed": ' + "[" * 200_000

    assert isinstance(read(Source("a.json", text)), Broken)


def test_no_password_is_in_what_a_lint_says() -> None:
    secret = "correct-horse-battery"
    text = json.dumps(
        {"RegisteredUsers": {"alice": secret}, "AuthenticationEnabled": True, "RemoteAccessAllowed": True}
    )

    result = lint([Source("orthanc.json", text)])

    assert secret not in repr((result.findings, [reading.facts for reading in result.readings]))


def test_a_listener_knows_who_reaches_it() -> None:
    result = lint([Source("orthanc.json", ORTHANC), Source("compose.yml", COMPOSE.format(port="8042:8042"))])
    reach = {
        (reading.kind, listener.name): listener.reach
        for reading in result.readings
        for listener in reading.listeners
    }

    assert reach["orthanc", "web"] is Reach.EVERYWHERE
    assert reach["orthanc", "dicom"] is Reach.CONTAINERS
