"""``leadglass guard`` as an administrator calls it, from nothing to a roll with devices and persons."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import select
import stat
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from tests.acceptance.guards import CT, INIT, Guard
from tests.acceptance.test_command import command, leadglass
from tests.peers import postgresql

from leadglass.store.guard_roll import read_roll


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
    assert '{"DicomModalities": {"LEADGLASS": ["LEADGLASS", "127.0.0.1", 11113]}}\n' in done.stdout
    assert "LEADGLASS = (LEADGLASS, 127.0.0.1, 11113)\n" in done.stdout


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
        (("--web", "ftp://x"), "line 11: web: 'ftp://x' is no http:// or https:// address"),
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
    with contextlib.suppress(OSError):  # the terminal's other end has gone
        while select.select([ours], [], [], 0)[0]:
            shown += os.read(ours, 4096).decode()
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


def test_a_roll_that_is_damaged_is_told_in_the_guards_words(guard: Guard) -> None:
    (guard.folder / "guard.sqlite").write_bytes(b"no database" * 1000)

    said = guard(*CT, code=2).stderr
    assert "guard.sqlite: this is not a database; see database under [state] in guard/guard.toml" in said
    assert list((guard.folder / "enrolled").iterdir()) == []


@pytest.mark.peer("postgresql")
def test_a_roll_can_be_kept_where_several_guards_reach_it(tmp_path: Path) -> None:
    first, second = Guard(tmp_path / "first"), Guard(tmp_path / "second")
    with postgresql.cluster() as cluster, cluster.database() as name:
        for each in (first, second):
            each.around.mkdir()
            each(*INIT, "--database", cluster.url(name))
        first(*CT)

        assert "ct-1  device" in second("list").stdout
        assert "the AE title CT1 belongs to ct-1" in second("enrol", "x", *CT[2:], code=2).stderr
        second("revoke", "ct-1")
        assert "no: revoked" in first("list").stdout


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
    guard("user", "add", "ct-1", "--role", "clinician", typed="correct horse\n")
    said = guard("emergency", "ct-1", "--reason", "x").stderr
    assert "a person and a device are called ct-1: break-glass is in force for both" in said
