"""What lint predicts of DCMTK's servers is what a look at the real ones sees, before and after it is closed.

Loopback: a caller from there has the name ``localhost``, which the fixtures give to the devices they know.
Strangers are told from them by title alone, which is all that dcmqrscp goes by: no authentication, and not called so.
"""

from __future__ import annotations

import contextlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pynetdicom
import pytest
from tests.peers import images, looking
from tests.peers.canary import Canaries
from tests.peers.certificates import Certificates, certificates
from tests.peers.places import LOOPBACK, free_port
from tests.peers.running import Peer, running, version_of

from leadglass.configs.lint import recognised
from leadglass.configs.reading import Reading
from leadglass.configs.source import Source, edited
from leadglass.errors import ConfigError
from leadglass.model.verdict import Access

pytestmark = pytest.mark.peer("dcmtk")

FIXTURES = Path(__file__).parents[1] / "fixtures" / "configs" / "dcmtk"
CT, FIND = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.2.2.1"


def fixture(name: str, home: Path, papers: Certificates | None = None) -> Source:
    """One of the files, for a free port and folders of this test."""
    (home / "db").mkdir()
    words = {"PORT": str(free_port(LOOPBACK)), "HOME": str(home / "db")}
    if papers is not None:
        words["PAPERS"] = str(papers.authority.parent)
    text = (FIXTURES / name).read_text()
    return Source(name, re.sub("@([A-Z]+)@", lambda match: words[match[1]], text))


def read(source: Source) -> Reading:
    reader = recognised(source)
    assert reader is not None
    return reader.read(source, {})


def closed(reading: Reading) -> Source:
    """The file with all changes that the findings propose."""
    edits = [edit for found in reading.findings for edit in found.edits]
    return Source(reading.source.path, edited(reading.source.text, edits))


@contextlib.contextmanager
def started(source: Source, home: Path) -> Iterator[Peer]:
    """The real server, started with that file or with its very command line."""
    (listener,) = read(source).listeners
    assert listener.port is not None
    program = listener.product.removeprefix("DCMTK ")
    if program == "dcmqrscp":
        (home / source.path).write_text(source.text)
        argv = [program, "--config", str(home / source.path)]
    else:
        argv = command_line(source.text)
    with running(
        LOOPBACK, argv, product=program, version=version_of([program, "--version"]),
        ports={"dicom": listener.port}, home=home,
    ) as peer:  # fmt: skip
        yield peer


def command_line(unit: str) -> list[str]:
    """What systemd would start, by the rules of another: shlex."""
    joined = unit.replace("\\\n", " ")
    variables = dict(
        shlex.split(line)[0].split("=", 1) for line in re.findall("^Environment=(.*)", joined, re.MULTILINE)
    )
    (line,) = re.findall("^ExecStart=(.*)", joined, re.MULTILINE)
    return shlex.split(re.sub(r"\$\{?(\w+)\}?", lambda match: variables[match[1]], line))


def seen(peer: Peer, called: str, cwd: Path) -> Access:
    """What a stranger finds who knows the server's title; titles are no secret."""
    cwd.mkdir(exist_ok=True)
    return Access(looking.look(LOOPBACK, peer.target, cwd, "--called-ae", called).access)


def used(peer: Peer, calling: str, called: str, image: pydicom.Dataset) -> tuple[bool, ...]:
    """Whether a device can echo, store and find."""
    entity = pynetdicom.AE(ae_title=calling)
    entity.add_requested_context("1.2.840.10008.1.1")
    entity.add_requested_context(CT, "1.2.840.10008.1.2.1")
    entity.add_requested_context(FIND)
    association = entity.associate("127.0.0.1", peer.port, ae_title=called)
    if not association.is_established:
        return (False,) * 3
    granted = {context.abstract_syntax for context in association.accepted_contexts}
    wanted = pydicom.Dataset()
    wanted.QueryRetrieveLevel, wanted.StudyInstanceUID = "STUDY", image.StudyInstanceUID
    done = (
        association.send_c_echo().Status == 0,
        CT in granted and association.send_c_store(image).Status == 0,
        any(answer is not None for _, answer in association.send_c_find(wanted, FIND)),
    )
    association.release()
    return done


ALL, READING = (True, True, True), (True, False, True)
DEVICES = {
    "archive-anybody.cfg": {
        ("CT_ONE", "CLINIC"): ALL,
        ("VIEWER_ONE", "CLINIC"): ALL,
        ("VIEWER_TWO", "CLINIC"): ALL,
    },
    "archive-sample-title.cfg": {
        ("ULTRASOUND", "INBOX"): ALL,
        ("REPORTS", "INBOX"): ALL,
        ("ULTRASOUND", "COMMON"): READING,
        ("REPORTS", "COMMON"): READING,
    },
    "archive-two-lines.cfg": {("MR_ONE", "ARCHIVE"): ALL},
    "archive-write-only.cfg": {("DX_ONE", "DROPBOX"): ALL},
}
OPEN = {
    "archive-sample-title.cfg": "COMMON",
    "archive-two-lines.cfg": "ARCHIVE",
    "archive-write-only.cfg": "DROPBOX",
}


@pytest.mark.parametrize("name", DEVICES)
def test_an_archive_that_answers_anybody_is_seen_open_then_closed_and_its_devices_notice_nothing(
    tmp_path: Path, canaries: Canaries, name: str
) -> None:
    image = next(iter(images.datasets(canaries, 1)))
    before = read(fixture(name, tmp_path))
    after = read(closed(before))
    called = OPEN.get(name, "CLINIC")
    with started(before.source, tmp_path) as peer:
        first = seen(peer, called, tmp_path / "first")
        served = {pair: used(peer, *pair, image) for pair in DEVICES[name]}
    with started(after.source, tmp_path) as peer:
        second = seen(peer, called, tmp_path / "second")
        still = {pair: used(peer, *pair, image) for pair in DEVICES[name]}

    assert before.listeners[0].exposure is first is Access.ANSWERS_QUERY
    assert after.listeners[0].exposure is second is Access.WANTS_TITLE
    assert not any(found.exposure for found in after.findings)
    assert served == still == DEVICES[name]


def test_an_archive_that_names_its_peers_is_seen_to_want_a_title_as_predicted(tmp_path: Path) -> None:
    reading = read(fixture("archive-named.cfg", tmp_path))
    with started(reading.source, tmp_path) as peer:
        observed = seen(peer, "ARCHIVE", tmp_path / "seen")

    assert reading.findings == ()
    assert reading.listeners[0].exposure is observed is Access.WANTS_TITLE


def test_a_receiver_takes_objects_from_anybody_as_predicted(tmp_path: Path) -> None:
    reading = read(fixture("receiver.service", tmp_path))
    with started(reading.source, tmp_path) as peer:
        observed = seen(peer, "SOMEBODY", tmp_path / "seen")

    assert {found.rule for found in reading.findings} == {"LG-DCMTK-020"}
    assert reading.listeners[0].exposure is observed is Access.OFFERS_STORAGE


def test_a_worklist_is_offered_to_anybody_as_predicted(tmp_path: Path) -> None:
    reading = read(fixture("worklist.service", tmp_path))
    (tmp_path / "db" / "CLINIC").mkdir()
    (tmp_path / "db" / "CLINIC" / "lockfile").touch()
    with started(reading.source, tmp_path) as peer:
        observed = seen(peer, "CLINIC", tmp_path / "seen")

    assert {found.rule for found in reading.findings} == {"LG-DCMTK-021"}
    assert reading.listeners[0].exposure is observed is Access.OFFERS_QUERY


def test_a_receiver_that_ignores_certificates_is_seen_open_then_closed_to_who_has_none(
    tmp_path: Path,
) -> None:
    papers = certificates(tmp_path / "papers", "127.0.0.1")
    before = read(fixture("receiver-tls.service", tmp_path, papers))
    after = read(closed(before))
    with started(before.source, tmp_path) as peer:
        first = seen(peer, "RECEIVER", tmp_path / "first")
    with started(after.source, tmp_path) as peer:
        second = seen(peer, "RECEIVER", tmp_path / "second")
        scanner = enrolled(peer, papers)

    assert before.listeners[0].exposure is first is Access.OFFERS_STORAGE
    assert after.listeners[0].exposure is second is Access.DEMANDS_CERTIFICATE
    assert after.findings == ()
    assert scanner


def enrolled(peer: Peer, papers: Certificates) -> bool:
    """Whether a device with a certificate still gets in."""
    entity = pynetdicom.AE(ae_title="CT_ONE")
    entity.add_requested_context("1.2.840.10008.1.1")
    context = papers.enrolled()
    association = entity.associate(
        "127.0.0.1", peer.port, ae_title="RECEIVER", tls_args=(context, "archive.example")
    )
    established = bool(association.is_established)
    association.release()
    return established


HOSTS = "HostTable BEGIN\na = (A, localhost, 104)\nHostTable END\n"
LINES = {
    "peers of a name": f"{HOSTS}AETable BEGIN\nX @HOME@ RW (1, 1mb) a\nAETable END\n",
    "no line end at the end": "AETable BEGIN\nX @HOME@ RW (1, 1mb) ANY\nAETable END",
    "comment behind ANY": "AETable BEGIN\nX @HOME@ RW (1, 1mb) ANY # all\nAETable END\n",
    "empty table": "AETable BEGIN\nAETable END\n",
    "quotes of all kinds": "AETable BEGIN\n'X\" (@HOME@' RW \"1, 1mb) 'ANY\"\nAETable END\n",
    "carriage returns": "AETable BEGIN\r\nX @HOME@ RW (1, 1mb) ANY\r\nAETable END\r\n",
    "comment behind a name": f"{HOSTS}AETable BEGIN\nX @HOME@ RW (1, 1mb) a # all\nAETable END\n",
    "unknown name": f"{HOSTS}AETable BEGIN\nX @HOME@ RW (1, 1mb) b\nAETable END\n",
    "name used before it is defined": f"AETable BEGIN\nX @HOME@ RW (1, 1mb) a\nAETable END\n{HOSTS}",
    "ANY among others": f"{HOSTS}AETable BEGIN\nX @HOME@ RW (1, 1mb) a, ANY\nAETable END\n",
    "any in small letters": f"{HOSTS}AETable BEGIN\nX @HOME@ RW (1, 1mb) any\nAETable END\n",
    "no quota": f"{HOSTS}AETable BEGIN\nX @HOME@ RW a\nAETable END\n",
    "no end": "AETable BEGIN\nX @HOME@ RW (1, 1mb) ANY\n",
    "end of another": "AETable BEGIN\nX @HOME@ RW (1, 1mb) ANY\nHostTable END\n",
    "begin in small letters": "AETable begin\n",
    "unknown word": "Port = 104\nAETable BEGIN\nAETable END\n",
    "no space": "MaxPDUSize=16384\nAETable BEGIN\nAETable END\n",
    "indented": "AETable BEGIN\n X @HOME@ RW (1, 1mb) ANY\nAETable END\n",
    "line of blanks": "HostTable BEGIN\n  \nHostTable END\n",
    "summary": "AETable: X @HOME@ RW (1, 1mb) ANY\n",
}


@pytest.mark.parametrize("name", LINES)
def test_a_file_is_refused_where_dcmqrscp_refuses_it(tmp_path: Path, name: str) -> None:
    (tmp_path / "db").mkdir()
    port = free_port(LOOPBACK)
    text = f"NetworkTCPPort = {port}\n{LINES[name]}".replace("@HOME@", str(tmp_path / "db"))
    (tmp_path / "dcmqrscp.cfg").write_text(text)
    try:
        found = {found.rule for found in read(Source("dcmqrscp.cfg", text)).findings}
        taken = "LG-DCMTK-008" not in found
    except ConfigError:
        taken = False

    assert taken == runs(["dcmqrscp", "--config", str(tmp_path / "dcmqrscp.cfg")], port, tmp_path)


def runs(argv: list[str], port: int, home: Path) -> bool:
    """Whether the real program starts with it, or says that it is bad."""
    try:
        with running(LOOPBACK, argv, product="dcmqrscp", version="", ports={"dicom": port}, home=home):
            return True
    except RuntimeError as refusal:
        if "bad config file" not in str(refusal):
            raise
        return False
