"""``leadglass guard`` as an administrator calls it, from nothing to devices whose printed lines work."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pty
import select
import shlex
import shutil
import socket
import stat
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
import typer.main
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from tests.acceptance.test_command import command, leadglass
from tests.peers import netns
from tests.peers.orthanc import WITHOUT_PLUGINS, orthanc
from tests.peers.places import LOOPBACK, Place, free_port
from tests.peers.running import running

from leadglass.cli import app, main
from leadglass.settings.guard import GuardSettings
from leadglass.settings.guard_file import read_guard
from leadglass.store.database import Database, open_database
from leadglass.store.guard_roll import read_roll

INIT = ("init", "--archive", "127.0.0.1:4242", "--title", "ORTHANC", "--host", "localhost", "--yes")
CT = ("enrol", "ct-1", "--ae", "CT1", "--from", "127.0.0.1", "--role", "modality", "--modality", "CT")


class Done(NamedTuple):
    """What a command said."""

    stdout: str
    stderr: str


class Guard:
    """A guard's folder, and the command line called in the folder around it.

    The command is called in this process, because there are many calls; those that start the installed
    program show that it is the same.
    """

    def __init__(self, around: Path) -> None:
        self.around = around
        self.folder = around / "guard"

    def __call__(self, *words: str, code: int = 0, typed: str = "") -> Done:
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.around)
            patch.setattr("sys.stdin", io.StringIO(typed))
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                returned = main(["guard", *words])
        assert returned == code, err.getvalue()
        return Done(out.getvalue(), err.getvalue())

    def settings(self) -> GuardSettings:
        text = (self.folder / "guard.toml").read_text()
        return read_guard(text, filename="guard.toml", folder=str(self.folder))

    def listen_on(self, port: int) -> None:
        file = self.folder / "guard.toml"
        file.write_text(file.read_text().replace('"0.0.0.0:2762"', f'"0.0.0.0:{port}"'))

    def database(self) -> Database:
        return open_database(str(self.folder / "guard.sqlite"), time.time)


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Guard:
    """A guard with one device. It is for looking at, and for what is refused."""
    made = Guard(tmp_path_factory.mktemp("settled"))
    made(*INIT)
    made(*CT)
    return made


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a guard that nobody has touched since it was set up."""
    made = Guard(tmp_path_factory.mktemp("fresh"))
    made(*INIT)
    return made.folder


@pytest.fixture
def guard(fresh: Path, tmp_path: Path) -> Guard:
    """A guard that has just been set up."""
    shutil.copytree(fresh, tmp_path / "guard")
    return Guard(tmp_path)


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


def openssl(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["openssl", *words], capture_output=True, text=True, timeout=30, check=False)


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# ---- init


def test_the_installed_command_sets_a_guard_up_with_keys_for_its_owner_alone(tmp_path: Path) -> None:
    made = Guard(tmp_path)
    done = leadglass("guard", *INIT, "--name", "Example Radiology guard", cwd=tmp_path, umask=0)
    found = modes(made.folder)

    assert stat.S_IMODE(made.folder.stat().st_mode) == 0o700
    assert {name for name, mode in found.items() if mode == 0o600} >= {
        "ca.key",
        "server.key",
        "guard.toml",
        "guard.sqlite",
    }
    assert {name for name, mode in found.items() if mode == 0o644} == {"ca.pem", "server.pem", "crl.pem"}
    assert {name for name, mode in found.items() if mode == 0o700} == {"audit", "enrolled", "policy"}
    assert made.settings().name == "Example Radiology guard"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    for line in ("leadglass guard enrol ct-1", "leadglass guard firewall | nft -f -", "leadglass guard run"):
        assert line in done.stdout
    assert "tcp dport { 4242 } counter reject with tcp reset" in done.stdout


@pytest.mark.peer("openssl")
def test_the_certificates_hold_before_openssl(guard: Guard) -> None:
    guard(*CT)
    ca, device = guard.folder / "ca.pem", guard.folder / "enrolled" / "ct-1" / "ct-1.pem"
    for purpose, certificate in (("sslserver", guard.folder / "server.pem"), ("sslclient", device)):
        done = openssl("verify", "-x509_strict", "-CAfile", ca, "-purpose", purpose, certificate)
        assert done.returncode == 0, done.stderr

    assert openssl("verify", "-CAfile", ca, "-purpose", "sslserver", device).returncode != 0
    assert "CN = ct-1" in openssl("x509", "-in", device, "-noout", "-subject").stdout


def test_nothing_is_written_over(guard: Guard) -> None:
    before = content(guard.folder)
    done = guard(*INIT, code=2)

    assert "there is something here already; name a new folder" in done.stderr
    assert content(guard.folder) == before


def test_an_empty_folder_that_one_stands_in_can_be_the_guards(tmp_path: Path) -> None:
    done = Guard(tmp_path)("init", ".", *INIT[1:])

    assert f"leadglass guard run --config {tmp_path}/guard.toml" in done.stdout
    assert (tmp_path / "guard.toml").exists()
    assert Guard(tmp_path)("list", "--config", ".").stdout == "Nobody is enrolled.\n"


def test_without_a_terminal_what_nobody_can_guess_is_missing(tmp_path: Path) -> None:
    done = Guard(tmp_path)("init", "--archive", "127.0.0.1:104", code=2)

    assert done.stderr == "leadglass: --title is missing; give it, or call this in a terminal to be asked\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--archive", "pacs"), "--archive: 'pacs' is no address with a port"),
        (("--title", "SEVENTEEN_LETTERS"), "--title: the AE title 'SEVENTEEN_LETTERS' has 17 characters"),
        (("--host", "a b!"), "--host: 'b!' is no host name and no address"),
        (("--web", "ftp://x"), "line 11: web: must be an http:// or https:// address"),
        (("--database", "mysql://x/y"), "there is no way to store in 'mysql'"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(
    tmp_path: Path, words: Sequence[str], said: str
) -> None:
    done = Guard(tmp_path)(*INIT, *words, code=2)

    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_at_a_terminal_the_rest_is_asked(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command("guard", "init", "--title", "ORTHANC"),
        cwd=tmp_path,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    answers = ["not an address", "pacs.example.org:104", "Example guard", "guard.example.org", "-"]
    questions = ["host:port", "host:port", "What the guard is called", "clients reach the guard", "DICOMweb"]
    shown = ""
    for question, answer in zip(questions, answers, strict=True):
        shown += read_until(ours, question)
        os.write(ours, f"{answer}\n".encode())
    shown += read_until(ours, "guard run")
    assert process.wait(20) == 0
    os.close(ours)

    assert "is no address with a port" in shown
    assert "say in sends_from where the archive sends from" in shown
    assert "say so with --guard ADDRESS" in shown
    assert Guard(tmp_path).settings().listen.from_archive is None


def read_until(terminal: int, words: str) -> str:
    shown = ""
    deadline = time.monotonic() + 20
    while words not in shown:
        assert time.monotonic() < deadline, shown
        if select.select([terminal], [], [], 0.2)[0]:
            shown += os.read(terminal, 4096).decode()
    return shown


# ---- enrol


def test_an_entry_gets_a_folder_to_carry_away(guard: Guard) -> None:
    done = guard(*CT)
    folder = guard.folder / "enrolled" / "ct-1"

    assert modes(folder) == {
        "ct-1.pem": 0o644,
        "ct-1.key": 0o600,
        "ca.pem": 0o644,
        "configuration.txt": 0o644,
    }
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert done.stdout.endswith((folder / "configuration.txt").read_text())
    assert (folder / "ca.pem").read_bytes() == (guard.folder / "ca.pem").read_bytes()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("../x", "--ae", "X", "--from", "192.0.2.1"), "NAME: '../x' is no name"),
        (("x", "--ae", "X"), "--from is missing"),
        (("x", "--from", "192.0.2.1"), "--ae is missing"),
        (("x", "--ae", "A\\B", "--from", "192.0.2.1"), "--ae: the AE title"),
        (("x", "--ae", "X", "--from", "192.0.2.1/24"), "has host bits set"),
        (("x", "--ae", "X", "--from", "192.0.2.0/24", "--plain"), "only a single address tells who it is"),
        (("x", "--ae", "X", "--from", "192.0.2.1", "--kind", "robot"), "'robot' is no kind"),
        (("x", "--ae", "X", "--from", "192.0.2.1", "--role", "radiologits"), "no policy speaks of the role"),
        (("x", "--ae", "X", "--from", "192.0.2.1", "--role", "service-engineer"), "add --until YYYY-MM-DD"),
        (("x", "--ae", "X", "--from", "192.0.2.1", "--until", "2020-01-01"), "--until: that day is over"),
        (("x", "--ae", "X", "--from", "192.0.2.1", "--until", "soon"), "--until: 'soon' is no date"),
        (("x", "--ae", "X", "--from", "192.0.2.1", "--listens", "here"), "--listens: 'here' is no address"),
        (("x", "--ae", "X", "--from", "192.0.2.1", "--modality", "ct"), "--modality: 'ct' is no code"),
        (("x", "--ae", "X", "--from", "192.0.2.1", "--label", "\x07"), "--label: "),
        (("x", "--ae", "ct1", "--from", "192.0.2.1"), "the AE title CT1 belongs to ct-1"),
        (("ct-1", "--ae", "X", "--from", "192.0.2.1"), "ct-1 is enrolled already"),
    ],
)
def test_who_cannot_be_enrolled_is_not(settled: Guard, words: Sequence[str], said: str) -> None:
    before = content(settled.folder / "enrolled")
    done = settled("enrol", *words, code=2)

    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert content(settled.folder / "enrolled") == before


def test_the_last_day_ends_the_certificate_too(guard: Guard) -> None:
    day = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 86_400))
    words = ("--ae", "ENG", "--from", "192.0.2.1", "--role", "service-engineer", "--until", day)
    guard("enrol", "engineer", *words)
    (entry,) = json.loads(guard("list", "--format", "json").stdout)["entries"]

    assert entry["not_after"] == entry["until"]
    assert 86_400 <= entry["until"] - time.time() <= 2 * 86_400
    assert "soon" in guard("list").stdout


def test_a_role_of_the_sites_own_is_known_once_a_policy_speaks_of_it(guard: Guard) -> None:
    words = ("enrol", "x", "--ae", "X", "--from", "192.0.2.1", "--role", "night-shift")
    guard(*words, code=2)
    rule = '@id("x") permit (principal, action, resource) when { principal.roles.contains("night-shift") };'
    (guard.folder / "policy" / "own.cedar").write_text(rule)

    guard(*words)


def test_what_was_revoked_is_on_no_roll_and_on_the_list(guard: Guard) -> None:
    guard(*CT)
    papers = guard.folder / "enrolled" / "ct-1" / "ct-1.pem"
    kept = guard.around / "ct-1.pem"
    kept.write_bytes(papers.read_bytes())
    done = guard("revoke", "ct-1", "--reason", "sold")
    words = ("verify", "-crl_check", "-CRLfile", guard.folder / "crl.pem", "-CAfile", guard.folder / "ca.pem")

    assert done.stdout == "ct-1 is let in no more; 1 certificate revoked.\n"
    assert "no: revoked" in guard("list").stdout
    assert not papers.parent.exists()
    assert "certificate revoked" in openssl(*words, kept).stderr
    with guard.database() as database:
        assert len(read_roll(database).revoked) == 1
    assert "nobody is enrolled as 'ct-1'" in guard("revoke", "ct-1", code=2).stderr

    guard(*CT)
    assert openssl(*words, papers).returncode == 0


def test_revoking_needs_no_authority_only_its_list_does(guard: Guard) -> None:
    guard(*CT)
    (guard.folder / "ca.key").rename(guard.around / "ca.key")
    done = guard("revoke", "ct-1")

    assert "1 certificate revoked" in done.stdout
    assert "crl.pem is not up to date for other programs" in done.stderr
    assert "ca.key: the file cannot be read (no such file" in guard(*CT, code=2).stderr


def test_renewed_certificates_are_others_and_old_ones_stay_valid(guard: Guard) -> None:
    guard(*CT)
    before = content(guard.folder / "enrolled" / "ct-1") | {
        "server": (guard.folder / "server.pem").read_bytes()
    }
    guard("renew", "ct-1", "--days", "30")
    guard("renew")
    after = content(guard.folder / "enrolled" / "ct-1") | {
        "server": (guard.folder / "server.pem").read_bytes()
    }

    assert {name for name in before if before[name] != after[name]} == {"ct-1.pem", "ct-1.key", "server"}
    assert modes(guard.folder)["server.key"] == 0o600
    with guard.database() as database:
        assert len(read_roll(database).enrolled["ct-1"].certificates) == 2
    done = openssl("verify", "-CAfile", guard.folder / "ca.pem", guard.folder / "server.pem")
    assert done.returncode == 0


@pytest.mark.parametrize("words", [("list",), CT, ("firewall",), ("user", "remove", "x"), ("renew",)])
def test_where_no_guard_is_that_is_told(tmp_path: Path, words: Sequence[str]) -> None:
    done = Guard(tmp_path)(*words, code=2)

    assert (
        "guard.toml: the file cannot be read (no such file or directory); leadglass guard init" in done.stderr
    )
    assert list(tmp_path.iterdir()) == []


def test_a_roll_that_is_gone_is_not_made_anew(guard: Guard) -> None:
    (guard.folder / "guard.sqlite").unlink()
    done = guard("list", code=2)

    assert "guard.sqlite: there is no roll here; bring it back" in done.stderr
    assert not (guard.folder / "guard.sqlite").exists()


def test_the_variable_names_the_guard_too(
    guard: Guard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = Guard(tmp_path / "elsewhere")
    elsewhere.around.mkdir()
    monkeypatch.setenv("LEADGLASS_GUARD", str(guard.folder))

    assert elsewhere("list").stdout == "Nobody is enrolled.\n"


# ---- persons


def test_a_passcode_is_kept_as_argon2id_and_nowhere_else(guard: Guard) -> None:
    words = ("user", "add", "ada", "--role", "referring-physician", "--physician-name", "LOVELACE^Ada^ ")
    guard(*words, typed="correct horse\n")
    with guard.database() as database:
        (user,) = read_roll(database).users.values()

    Argon2id.verify_phc_encoded(b"correct horse", user.password_hash)
    assert user.physician_names == ("lovelace^ada",)
    assert not any(b"correct horse" in each for each in content(guard.folder).values())
    assert "ada   referring-physician" in guard("list").stdout

    guard("user", "remove", "ada")
    assert "there is no user 'ada'" in guard("user", "remove", "ada", code=2).stderr


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("short\n", "has 8 characters or more"),
        ("", "has 8 characters or more"),
        ("a\x00b" * 9, "cannot be used"),
    ],
)
def test_a_passcode_that_cannot_be_is_refused_unseen(settled: Guard, typed: str, said: str) -> None:
    done = settled("user", "add", "ada", code=2, typed=typed)

    assert said in done.stderr
    assert not typed.strip() or typed.strip() not in done.stderr


def test_break_glass_is_loud_bounded_and_can_be_ended(guard: Guard) -> None:
    guard("user", "add", "ada", "--role", "clinician", typed="correct horse\n")
    done = guard("emergency", "ada", "--reason", "trauma, room 2", "--for", "30m")

    assert done.stdout.startswith("BREAK-GLASS for ada until ")
    assert done.stderr == ""
    with guard.database() as database:
        reason, until = read_roll(database).emergencies["ada"]
    assert reason == "trauma, room 2"
    assert 1790 <= until - time.time() <= 1800
    assert "trauma, room 2" in guard("list").stdout

    guard("emergency", "ada", "--end")
    with guard.database() as database:
        assert dict(read_roll(database).emergencies) == {}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ada",), "--reason is missing"),
        (("ada", "--reason", "x", "--for", "25h"), "ends after 24h at most"),
        (("ada", "--reason", "x", "--for", "0s"), "ends after 24h at most"),
        (("ada", "--reason", "x", "--for", "soon"), "--for: 'soon' is no length of time"),
        (("ada", "--reason", " "), "--reason: ' ' is no line"),
        (("ada", "--end"), "not in force for 'ada'"),
    ],
)
def test_break_glass_without_a_reason_or_an_end_is_refused(
    settled: Guard, words: Sequence[str], said: str
) -> None:
    assert said in settled("emergency", *words, code=2).stderr


def test_break_glass_without_effect_is_told(guard: Guard) -> None:
    guard(*CT)

    assert "ct-1 has not the role clinician" in guard("emergency", "ct-1", "--reason", "x").stderr
    assert "nobody on the roll is called bob" in guard("emergency", "bob", "--reason", "x").stderr


# ---- what is printed works


@contextlib.contextmanager
def doorkeeper(guard: Guard, home: Path) -> Iterator[int]:
    """A DICOM server with the guard's own certificate, that takes none but enrolled clients."""
    port = free_port(LOOPBACK)
    papers: list[str | Path] = [
        "+tls",
        guard.folder / "server.key",
        guard.folder / "server.pem",
        "+cf",
        guard.folder / "ca.pem",
    ]
    words = ["storescp", "--output-directory", home, *papers, "-rc", str(port)]
    with running(LOOPBACK, words, product="storescp", version="", ports={"dicom": port}, home=home):
        guard.listen_on(port)
        yield port


def line_of(text: str, program: str) -> list[str]:
    return next(shlex.split(line) for line in text.splitlines() if line.startswith(f"{program} "))


@pytest.mark.peer("dcmtk")
@pytest.mark.parametrize("keys", [(), ("--rsa",)], ids=["p256", "rsa"])
def test_the_lines_for_dcmtk_work_and_only_with_their_papers(tmp_path: Path, keys: Sequence[str]) -> None:
    guard = Guard(tmp_path)
    guard(*INIT, *keys)
    home = tmp_path / "home"
    home.mkdir()
    with doorkeeper(guard, home):
        words = line_of(guard(*CT).stdout, "echoscu")
        folder = guard.folder / "enrolled" / "ct-1"
        let_in = subprocess.run(words, cwd=folder, capture_output=True, timeout=30, check=False)
        assert let_in.returncode == 0, let_in.stderr

        other = Guard(tmp_path / "other")
        other.around.mkdir()
        other(*INIT)
        other(*CT)
        stranger = other.folder / "enrolled" / "ct-1"
        (stranger / "ca.pem").write_bytes((folder / "ca.pem").read_bytes())
        refused = subprocess.run(words, cwd=stranger, capture_output=True, timeout=30, check=False)
        assert refused.returncode != 0
        assert b"Association Request Failed" in refused.stderr


@pytest.mark.peer("dcmtk")
def test_a_device_that_listens_is_reached_by_the_guard_alone(guard: Guard, tmp_path: Path) -> None:
    port = free_port(LOOPBACK)
    words = ("--ae", "WS3", "--from", "127.0.0.1", "--role", "radiologist", "--listens", f"localhost:{port}")
    printed = guard("enrol", "ws-3", "--kind", "service", *words).stdout
    folder = guard.folder / "enrolled" / "ws-3"
    calling = ["echoscu", "+tls", "server.key", "server.pem", "+cf", "ca.pem", "localhost", str(port)]
    stranger = ["echoscu", "+tla", "+cf", "ca.pem", "localhost", str(port)]
    listening = line_of(printed, "storescp")
    with running(LOOPBACK, listening, product="storescp", version="", ports={"dicom": port}, home=folder):
        by_guard = subprocess.run(calling, cwd=guard.folder, capture_output=True, timeout=30, check=False)
        by_other = subprocess.run(stranger, cwd=guard.folder, capture_output=True, timeout=30, check=False)

    assert by_guard.returncode == 0, by_guard.stderr
    assert by_other.returncode != 0
    assert b"Association Request Failed" in by_other.stderr


@pytest.mark.peer("dcmtk", "orthanc")
def test_orthanc_takes_what_is_printed_for_it(guard: Guard, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with doorkeeper(guard, home):
        printed = guard(*CT).stdout
        options = json.loads(printed[printed.index("{\n") : printed.index("\n}\n") + 2])
        folder = guard.folder / "enrolled" / "ct-1"
        files = {
            key: str(folder / value)
            for key, value in options.items()
            if str(value).startswith(("ct-1", "ca"))
        }
        http, dicom = free_port(LOOPBACK), free_port(LOOPBACK)
        with orthanc(
            LOOPBACK, tmp_path / "orthanc", {**options, **files, **WITHOUT_PLUGINS}, http=http, dicom=dicom
        ):
            url = f"http://127.0.0.1:{http}/modalities/guard/echo"
            asked = ["curl", "--silent", "--show-error", "--fail", "--data", "{}", url]
            done = subprocess.run(asked, capture_output=True, text=True, timeout=30, check=False)

    assert done.returncode == 0, done.stderr


@pytest.mark.peer("openssl")
def test_the_line_for_a_java_key_store_makes_one(guard: Guard) -> None:
    words = line_of(guard(*CT).stdout, "openssl")
    folder = guard.folder / "enrolled" / "ct-1"
    made = subprocess.run(
        [*words, "-passout", "pass:x"], cwd=folder, capture_output=True, timeout=30, check=False
    )
    assert made.returncode == 0, made.stderr

    shown = openssl("pkcs12", "-in", folder / "ct-1.p12", "-passin", "pass:x", "-nodes")
    assert "friendlyName: ct-1" in shown.stdout
    assert shown.stdout.count("BEGIN CERTIFICATE") == 2


def test_the_line_for_the_edge_is_one_that_it_takes(settled: Guard) -> None:
    printed = (settled.folder / "enrolled" / "ct-1" / "configuration.txt").read_text()
    group = typer.main.get_command(app())
    for word in ("guard", "edge"):
        group = group.commands[word]  # type: ignore[attr-defined]  # it is a group
    context = group.make_context("edge", line_of(printed, "leadglass")[3:])

    assert context.params["guard"] == "localhost:2762"
    assert context.params["device"] == ["DEVICE-ADDRESS"]


# ---- the firewall


@pytest.mark.root
@pytest.mark.peer("nft")
def test_the_printed_rules_leave_the_archives_port_to_its_own_machine(guard: Guard) -> None:
    rules = guard("firewall").stdout
    with netns.namespace_pair() as pair, serving(pair.server, 4242):
        assert knock(pair.scanner, pair.server.address, 4242) == "open"
        for _ in range(2):
            pair.server.must(["nft", "-f", "-"], input=rules, stdin=None)

        assert knock(pair.scanner, pair.server.address, 4242) == "closed"
        assert knock(pair.server, pair.server.address, 4242) == "open"
        assert knock(pair.server, "127.0.0.1", 4242) == "open"


@pytest.mark.root
@pytest.mark.peer("nft")
def test_the_printed_rules_let_a_guard_on_another_machine_through(tmp_path: Path) -> None:
    guard = Guard(tmp_path)
    guard(*INIT, "--archive", f"{netns.SERVER}:4242")
    assert "say so with --guard ADDRESS" in guard("firewall", code=2).stderr
    with netns.namespace_pair() as pair, serving(pair.server, 4242):
        for address, found in (("192.0.2.1", "closed"), (netns.SCANNER, "open")):
            rules = guard("firewall", "--guard", address).stdout
            pair.server.must(["nft", "-f", "-"], input=rules, stdin=None)
            assert knock(pair.scanner, pair.server.address, 4242) == found


@contextlib.contextmanager
def serving(place: Place, port: int) -> Iterator[None]:
    with place.inside():
        listener = socket.create_server(("0.0.0.0", port))
    with listener:
        yield


def knock(place: Place, address: str, port: int) -> str:
    with place.inside(), socket.socket() as knocking:
        knocking.settimeout(5)
        try:
            knocking.connect((address, port))
        except ConnectionRefusedError:
            return "closed"
    return "open"
