"""What lint predicts of Orthanc is what a look at the real one sees, before and after it is closed.

Each file is linted, Orthanc started with it, and looked at from another machine; then fixed as ``lint --fix`` does, and the
same again. Peers that the file declares echo, store and find before and after; a stranger does not, after.
"""

from __future__ import annotations

import base64
import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.peers import images, looking, netns
from tests.peers.canary import Canaries
from tests.peers.certificates import Certificates
from tests.peers.places import LOOPBACK
from tests.peers.running import Peer, running, version_of

from leadglass.configs.fixing import fixed
from leadglass.configs.lint import Linted, lint
from leadglass.configs.orthanc.readers import merge
from leadglass.configs.reading import Reach, Reading
from leadglass.configs.source import Source, edited
from leadglass.errors import ConfigError
from leadglass.model.finding import Finding

pytestmark = [pytest.mark.peer("orthanc"), pytest.mark.peer("dcmtk"), pytest.mark.root]

FIXTURES = Path(__file__).parents[1] / "fixtures" / "configs" / "orthanc"
PORTS = {"dicom": 4242, "web": 8042}
SECRET = "a word that nobody knows"
DECLARED = ("WARD_CT", "WARD_WS")
NOWHERE = ["-k", "0008,0052=STUDY", "-k", "0020,000D=2.25.1"]

Access = Mapping[str, str]
OPEN = {"web": "answers-query", "dicom": "offers-storage"}
ASKING = {"web": "demands-login", "dicom": "offers-storage"}
LOCKED = {"web": "demands-login", "dicom": "wants-title"}


class Case(NamedTuple):
    """What a file exposes, and what is left of that when it is fixed."""

    before: Access
    after: Access = LOCKED
    called: str = "ORTHANC"
    user: str = ""
    """Who may log in when it is fixed; "" where no other machine is let in."""
    guessed: tuple[str, ...] = ()
    """Passwords that were good before."""


CASES: Mapping[str, Case] = {
    "viewer": Case(OPEN, called="READROOM", user="admin"),
    "factory": Case(ASKING, user="orthanc"),
    "nobody": Case(ASKING, user="admin"),
    "queries": Case(
        {"web": "demands-login", "dicom": "answers-query"}, user="student", guessed=("change-me",)
    ),
    "titled": Case(
        {"web": "answers-query", "dicom": "wants-title"},
        called="WARD",
        user="ward",
        guessed=("kV9#mQ2x!rTz",),
    ),
    "local": Case(ASKING),
}


# ---- lint


def sources(path: Path) -> list[Source]:
    """A file, or the files of a folder."""
    names = sorted(path.glob("*.json")) if path.is_dir() else [path]
    return [Source(str(name.relative_to(FIXTURES)), name.read_bytes().decode()) for name in names]


def predicted(reading: Reading) -> Access:
    """From another machine; Orthanc answers it with 403 where only its own machine is let in."""
    return {
        listener.name: "demands-login" if listener.reach is Reach.LOOPBACK else listener.exposure.value
        for listener in reading.listeners
    }


def with_edits(linted: Linted) -> Sequence[Finding]:
    return [found for found in linted.findings if found.edits]


def closed(source: Source) -> Source:
    """The file as ``lint --fix`` leaves it."""

    def again(texts: Mapping[str, str]) -> Linted:
        return lint([Source(source.path, texts.get(source.path, source.text))])

    return Source(source.path, fixed(again({}), with_edits, again)[source.path])


# ---- the real one


@contextlib.contextmanager
def started(place: netns.Pair, home: Path, files: Sequence[Source], **variables: str) -> Iterator[Peer]:
    """Orthanc, with these very files and the variables that they name."""
    folder = home / "etc"
    folder.mkdir(parents=True)
    for source in files:
        (folder / Path(source.path).name).write_bytes(source.text.encode())
    names = {name for source in files for name in re.findall(r"\$\{(\w+)\}", source.text)}
    with running(
        place.server,
        ["Orthanc", folder],
        product="orthanc",
        version=version_of(["Orthanc", "--version"]),
        ports=PORTS,
        home=home,
        environment={**dict.fromkeys(names, SECRET), **variables},
    ) as peer:
        yield peer


def observed(pair: netns.Pair, peer: Peer, home: Path) -> Access:
    """What ``leadglass check`` says from the other machine, of both ports."""
    return {
        name: looking.look(pair.scanner, f"{peer.host}:{port}", home).access for name, port in PORTS.items()
    }


def works(pair: netns.Pair, peer: Peer, caller: str, called: str, image: Path) -> Mapping[str, bool]:
    """Whether a caller of that title echoes, stores and finds."""
    words = ["--aetitle", caller, "--call", called, peer.host, str(peer.port)]
    echoed = pair.scanner.run(["echoscu", *words])
    stored = pair.scanner.run(["storescu", *words, image])
    found = pair.scanner.run(["findscu", "--verbose", "--study", *words, *NOWHERE])
    answered = "Received Final Find Response (Success)" in found.stdout + found.stderr
    return {"echo": echoed.returncode == 0, "store": stored.returncode == 0, "find": answered}


def let_in(pair: netns.Pair, peer: Peer, user: str, word: str) -> bool:
    """Whether the web interface lets somebody in from the other machine."""
    token = base64.b64encode(f"{user}:{word}".encode()).decode()
    with (
        pair.scanner.inside(),
        contextlib.closing(HTTPConnection(peer.host, PORTS["web"], timeout=20)) as line,
    ):
        line.request("GET", "/system", headers={"Authorization": f"Basic {token}"})
        return line.getresponse().status == HTTPStatus.OK


@pytest.fixture(scope="session")
def image(canaries: Canaries, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One image of a planted patient."""
    path = tmp_path_factory.mktemp("image") / "ct.dcm"
    next(images.datasets(canaries, 1)).save_as(path, enforce_file_format=True)
    return path


# ---- the tests


@pytest.mark.parametrize("name", CASES)
def test_what_is_predicted_is_seen_and_what_is_fixed_is_closed(
    pair: netns.Pair, tmp_path: Path, image: Path, name: str
) -> None:
    case = CASES[name]
    (source,) = sources(FIXTURES / f"{name}.json")
    before, after = merge([source], {}), merge([closed(source)], {})
    everything = {"echo": True, "store": True, "find": True}
    assert (predicted(before), predicted(after)) == (case.before, case.after)

    with started(pair, tmp_path / "before", [before.source]) as peer:
        assert observed(pair, peer, tmp_path / "before") == case.before
        assert all(works(pair, peer, caller, case.called, image) == everything for caller in DECLARED)

    with started(pair, tmp_path / "after", [after.source]) as peer:
        assert observed(pair, peer, tmp_path / "after") == case.after
        assert all(works(pair, peer, caller, case.called, image) == everything for caller in DECLARED)
        assert not any(works(pair, peer, "STRANGER", case.called, image).values())
        assert let_in(pair, peer, case.user, SECRET) == bool(case.user)
        assert not any(let_in(pair, peer, case.user, word) for word in (*case.guessed, "", "orthanc"))


def test_a_folder_is_one_configuration_for_lint_and_for_orthanc(
    pair: netns.Pair, tmp_path: Path, image: Path
) -> None:
    before = sources(FIXTURES / "folder")
    reading = merge(before, {})
    edits = [edit for found in reading.findings for edit in found.edits]
    texts = {one.path: edited(one.text, [e for e in edits if e.path == one.path]) for one in before}
    after = [Source(path, text) for path, text in texts.items()]
    assert predicted(reading) == {"web": "demands-login", "dicom": "offers-storage"}
    assert predicted(merge(after, {})) == LOCKED

    with started(pair, tmp_path / "after", after) as peer:
        assert observed(pair, peer, tmp_path / "after") == LOCKED
        assert works(pair, peer, "WARD_CT", "PARTS", image) == {"echo": True, "store": True, "find": True}


def test_a_closed_one_is_found_closed_by_both(pair: netns.Pair, tmp_path: Path, papers: Certificates) -> None:
    # No TLS for the web: Orthanc 1.10.1 of Debian 12 ends with a segmentation fault at the first handshake.
    home = tmp_path / "papers"
    home.mkdir()
    for name, paper in (
        ("server.pem", papers.server),
        ("server.key", papers.server_key),
        ("authority.pem", papers.authority),
    ):
        (home / name).write_bytes(paper.read_bytes())
    (source,) = sources(FIXTURES / "shut.json")
    reading = merge([source], {"PAPERS": str(home), "ARCHIVE_PASSWORD": None})
    assert predicted(reading) == {"web": "demands-login", "dicom": "demands-certificate"}
    assert [found.rule for found in reading.findings] == ["LG-ORTHANC-011"]

    with started(pair, tmp_path / "shut", [source], PAPERS=str(home)) as peer:
        assert observed(pair, peer, tmp_path / "shut") == predicted(reading)


def test_a_password_of_a_variable_that_is_not_set_is_empty_as_the_finding_says(
    pair: netns.Pair, tmp_path: Path
) -> None:
    (source,) = sources(FIXTURES / "shut.json")
    text = "\n".join(line for line in source.text.splitlines() if "DicomTls" not in line).replace(
        "false,", "false"
    )
    unset = Source(source.path, text)
    assert "LG-ORTHANC-008" in {found.rule for found in merge([unset], {}).findings}

    with started(pair, tmp_path, [unset], ARCHIVE_PASSWORD="") as peer:
        assert let_in(pair, peer, "reader", "")


# ---- what Orthanc takes, and what it refuses

ODD = (
    '// first\n{ /* in */ "HttpPort": 1, "HttpPort" : 8042, /* last */\n"DicomPort":/* no */${PORT:-04242},\n'
    '"LuaScripts": [], "DicomModalities": {"ct": ["WARD_CT", "10.99.0.2", 11112,],}, "Name": "a\tb",} } whatever'
)


@pytest.mark.parametrize(
    "text",
    [
        "{'HttpPort': 8042}",
        '{"Name": "a" "DicomAet": "B"}',
        '{"Name": "a",, "DicomAet": "B"}',
        '{"Name" /* no */ : "a"}',
        '{"SslEnabled": False}',
        '{"StableAge": 1e999}',
        r'{"Name": "\q"}',
        "# no\n{}",
        "[]",
        "",
    ],
)
def test_what_orthanc_cannot_read_is_broken_for_lint_too(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError):
        merge([Source("o.json", text)], {})

    assert starts_not(tmp_path, text)


@pytest.mark.parametrize(
    "option",
    ['"KeepAlive": "true"', '"KeepAlive": null', '"StableAge": 60.0', '"StableAge": -1', '"LuaScripts": "x.lua"',
     '"DicomModalities": []', '"RegisteredUsers": []', '"DicomTlsEnabled": true'],
)  # fmt: skip
def test_what_orthanc_does_not_start_with_is_found(tmp_path: Path, option: str) -> None:
    text = f"{{{option}}}"
    rules = {found.rule for found in merge([Source("o.json", text)], {}).findings}

    assert rules & {"LG-ORTHANC-043", "LG-ORTHANC-032"}
    assert starts_not(tmp_path, text)


def test_what_is_odd_and_right_is_read_by_both(pair: netns.Pair, tmp_path: Path) -> None:
    reading = merge([Source("o.json", ODD)], {})
    assert [listener.port for listener in reading.listeners] == [8042, 4242]
    assert reading.facts["peers"] == ("WARD_CT@10.99.0.2:11112",)

    with started(
        pair, tmp_path, [Source("o.json", ODD.replace("${PORT:-", "${OTHER:-"))], OTHER="4242"
    ) as peer:
        assert peer.ports == PORTS


def starts_not(home: Path, text: str) -> bool:
    """Whether Orthanc gives up at once."""
    (home / "o.json").write_text(text)
    return LOOPBACK.run(["Orthanc", home / "o.json"], cwd=home, timeout=20).returncode != 0
