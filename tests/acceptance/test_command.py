"""The installed command: exit codes, signals, pipes, and one line for whatever a user gets wrong."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tests.unit.probe.acceptor import Acceptor, grant

from leadglass.wire import uids

SCOPE = """
name = "acceptance"
[authorisation]
basis = "owner"
granted_by = "the tests"
contact = "tests@example.org"
valid_until = 2099-12-31
[limits]
deepest = "blank-query"
[[targets]]
range = "127.0.0.1"
ports = [{port}]
"""


def command(*words: str) -> list[str]:
    installed = Path(sys.executable).with_name("leadglass")
    return [str(installed), *words] if installed.exists() else [sys.executable, "-m", "leadglass", *words]


def leadglass(*words: str, **how: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*words), capture_output=True, text=True, timeout=60, check=False, **how)  # type: ignore[call-overload,no-any-return]


@contextmanager
def server(make: object = None, visited: threading.Event | None = None, port: int = 0) -> Iterator[int]:
    """One port on loopback; each connection is answered by an acceptor of its own, or never."""
    listener = socket.create_server(("127.0.0.1", port))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            if visited is not None:
                visited.set()
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    def talk(connection: socket.socket) -> None:
        acceptor = make() if callable(make) else None
        with closing(connection):
            try:
                while data := connection.recv(65536):
                    if acceptor is not None:
                        connection.sendall(acceptor.talk(data))
            except OSError:
                return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def open_archive() -> Acceptor:
    acceptor = Acceptor(contexts=grant(uids.VERIFICATION, uids.STUDY_ROOT_FIND))
    acceptor.find = lambda _: acceptor.response(0)
    return acceptor


def verification_only() -> Acceptor:
    return Acceptor(contexts=grant(uids.VERIFICATION))


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("leadglass: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_nothing_exposed_and_everything_decided_is_0(closed_port: int) -> None:
    done = leadglass("check", f"127.0.0.1:{closed_port}", "--format", "jsonl")

    assert done.returncode == 0
    assert json.loads(done.stdout)["access"] == "closed"
    assert done.stderr == ""


def test_something_exposed_is_1_and_the_record_says_what() -> None:
    with server(open_archive) as port:
        done = leadglass("check", f"127.0.0.1:{port}", "--format", "jsonl")

    record = json.loads(done.stdout)
    assert done.returncode == 1
    assert (record["access"], record["rung"]) == ("answers-query", "blank-query")
    assert record["capabilities"]["query"] == "proved"


@pytest.mark.parametrize(
    ("rung", "access"),
    [("associate", "associates"), ("negotiate", "offers-query"), ("blank-query", "answers-query")],
)
def test_deepest_lowers_the_rung_and_so_the_word(rung: str, access: str) -> None:
    with server(open_archive) as port:
        done = leadglass("check", f"127.0.0.1:{port}", "--deepest", rung, "--format", "jsonl")

    assert json.loads(done.stdout)["access"] == access


def test_below_fail_on_is_0() -> None:
    with server(verification_only) as port:
        low = leadglass("check", f"127.0.0.1:{port}", "--format", "jsonl", "--fail-on", "low")
        high = leadglass("check", f"127.0.0.1:{port}", "--format", "jsonl", "--fail-on", "high")

    assert (low.returncode, high.returncode) == (1, 0)


def test_something_undecided_is_3_with_the_count() -> None:
    with server() as port:
        done = leadglass("check", f"127.0.0.1:{port}", "--format", "jsonl")

    assert done.returncode == 3
    assert json.loads(done.stdout)["access"] == "inconclusive"
    assert "1 undecided" in one_line(done)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("check", "127.0.0.1:99999"), "99999"),
        (("check", "127.0.0.1:0"), "between 1 and 65535"),
        (("check", "127.0.0.1:104-x"), "104-x"),
        (("check", "127.0.0.1:200-100"), "backwards"),
        (("check", "[::1"), "[::1"),
        (("check", "8.8.8.8"), "scope"),
        (("check", "10.0.0.1", "--authorised-by", "nobody"), "--authorised-by"),
        (("check", "127.0.0.1", "--called-ae", " "), "--called-ae"),
        (("check", "127.0.0.1", "--called-ae", "MUCH-TOO-LONG-A-TITLE"), "--called-ae"),
        (("check", "127.0.0.1", "--deepest", "bottom"), "bottom"),
        (("check", "127.0.0.1", "--scope", "missing.toml"), "missing.toml"),
        (("scan", "--scope", "missing.toml"), "missing.toml"),
        (("scan", "--scope", "."), "."),
        (("schema", "nothing"), "nothing"),
        (("check",), "check: missing argument 'HOST[:PORTS]...'; leadglass check --help"),
        (("check", "127.0.0.1", "--no-such"), "check: no such option: --no-such"),
        (("check", "127.0.0.1", "--no\n-such\x1b[31m"), "no such option"),
        (("nonsense",), "no such command 'nonsense'; leadglass --help"),
        (("check", "127.0.0.1", "--format", "pdf"), "'--format': 'pdf' is not one of 'text'"),
        (("guard", "enrol"), "guard enrol: missing argument 'name'"),
    ],
)
def test_a_mistake_is_2_and_one_line_that_says_which(
    words: tuple[str, ...], says: str, tmp_path: Path
) -> None:
    done = leadglass(*words, cwd=tmp_path)

    assert done.returncode == 2
    assert says in one_line(done)
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("2099-12-31", "2001-01-01", "line 7"),
        ('"blank-query"', '"bottom"', "line 9"),
        ("name =", "name", "line 2"),
        ('range = "127.0.0.1"', 'rnage = "127.0.0.1"', "line 11"),
        ('"owner"', '"research"', "research"),
    ],
)
def test_a_wrong_scope_is_2_and_names_the_line(old: str, new: str, says: str, tmp_path: Path) -> None:
    scope = tmp_path / "scope.toml"
    scope.write_text(SCOPE.format(port=104).replace(old, new), encoding="utf-8")
    done = leadglass("scan", "--scope", str(scope))

    assert done.returncode == 2
    assert says in one_line(done)


def test_what_the_scope_does_not_permit_is_not_asked_and_counted_aloud(tmp_path: Path) -> None:
    scope = tmp_path / "scope.toml"
    scope.write_text(SCOPE.format(port=104), encoding="utf-8")
    touched: list[int] = []

    def note() -> Acceptor:
        touched.append(1)
        return Acceptor()

    with server(note) as port:
        done = leadglass("check", f"127.0.0.1:{port}", "--scope", str(scope), "--format", "jsonl")

    assert (done.returncode, done.stdout, touched) == (3, "", [])
    assert "1 not looked at" in one_line(done)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_leaves_complete_records_and_130(
    number: int, closed_port: int, tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    visited = threading.Event()
    with server(visited=visited) as silent:
        ports = f"{closed_port},{silent}"
        with subprocess.Popen(
            command("check", f"127.0.0.1:{ports}", "--format", "jsonl", "--output", str(out))
        ) as scan:
            assert visited.wait(timeout=60)
            time.sleep(0.5)  # the closed port is decided by then; the silent one is not for seconds
            scan.send_signal(number)
            code = scan.wait(timeout=5)

    assert code == 130
    assert [json.loads(line)["access"] for line in out.read_text(encoding="utf-8").splitlines()] == ["closed"]


def test_a_full_disk_is_3_and_leaves_nothing_half_written(closed_port: int, tmp_path: Path) -> None:
    def small_files() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))

    out = tmp_path / "out.html"
    done = leadglass(
        "check", f"127.0.0.1:{closed_port}", "--format", "html", "--output", str(out), preexec_fn=small_files
    )

    assert done.returncode == 3
    assert "out.html" in one_line(done)
    assert list(tmp_path.iterdir()) == []


def test_a_full_standard_output_is_3(closed_port: int) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            command("check", f"127.0.0.1:{closed_port}"),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert done.returncode == 3
    assert "no space left" in one_line(done)


def test_a_device_is_written_to_and_not_replaced(closed_port: int) -> None:
    done = leadglass("check", f"127.0.0.1:{closed_port}", "--output", "/dev/null")

    assert done.returncode == 0
    assert Path("/dev/null").is_char_device()


def test_a_reader_that_goes_away_leaves_no_traceback() -> None:
    with server(open_archive) as port:
        line = " ".join(command("check", f"127.0.0.1:{port}"))
        done = subprocess.run(
            ["sh", "-c", f"{line} | head -c 1"], capture_output=True, text=True, check=False
        )

    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_a_report_file_is_for_its_owner_only(closed_port: int, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    leadglass("check", f"127.0.0.1:{closed_port}", "--format", "csv", "--output", str(out))

    assert oct(out.stat().st_mode & 0o777) == "0o600"


@pytest.mark.parametrize("form", ["text", "jsonl", "csv", "html", "sarif"])
def test_a_pipe_gets_no_colour_and_no_progress(form: str) -> None:
    with server(open_archive) as port:
        done = leadglass("check", f"127.0.0.1:{port}", "--format", form)

    assert "\x1b" not in done.stdout + done.stderr
    assert done.stderr == ""


def seen_on_a_terminal(*words: str, **environment: str) -> bytes:
    """Everything that a command writes to a terminal."""
    main, client = os.openpty()
    with subprocess.Popen(
        command(*words), stdout=client, stderr=client, env=os.environ | environment
    ) as running:
        os.close(client)
        seen = b""
        try:
            while data := os.read(main, 65536):
                seen += data
        except OSError:
            pass
        running.wait()
    os.close(main)
    return seen


def test_a_terminal_gets_colour_and_a_progress_bar() -> None:
    with server() as port:
        seen = seen_on_a_terminal("check", f"127.0.0.1:{port}")

    assert b"looking" in seen
    assert re.search(rb"\x1b\[[0-9;]*m", seen)


def test_who_wants_no_colour_gets_none() -> None:
    with server() as port:
        seen = seen_on_a_terminal("check", f"127.0.0.1:{port}", NO_COLOR="1")

    assert b"127.0.0.1" in seen
    # Colours are 30 to 37 and 90 to 97; the bar's bold and dim are none.
    assert not re.search(rb"\x1b\[(?:\d+;)*[39][0-7]m", seen)


def test_help_and_version_are_quick_to_say_what_there_is() -> None:
    listed = leadglass("--help").stdout

    assert all(name in listed for name in ("demo", "check", "scan", "explain", "scope", "lab", "schema"))
    assert re.fullmatch(r"leadglass \d+\.\d+\.\d+\n", leadglass("--version").stdout)
