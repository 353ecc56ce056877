"""The commands of docs/howto/use-the-api.md, and ``leadglass remote``, against a dashboard that runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.peers import practice
from tests.peers.dashboard import Dashboard, dashboard

from leadglass.model.account import Permission
from leadglass.settings.guard import Address
from leadglass.settings.serve import ServeSettings
from leadglass.web.serving import Server

PAGE = Path(__file__).parents[2] / "docs/howto/use-the-api.md"
COMMANDS = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Dashboard]:
    with dashboard(tmp_path) as one:
        practice.fill(one.database)
        yield one


@pytest.fixture
def environment(made: Dashboard) -> Iterator[dict[str, str]]:
    """Address and token, as the page has them."""
    shown = made.program(list(Permission)).client.headers["Authorization"].removeprefix("Bearer ")
    server = Server(made.app, ServeSettings(bind=Address("127.0.0.1", 0)), None)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield {
        "PATH": os.environ["PATH"],
        "LEADGLASS_TOKEN": shown,
        "LEADGLASS_SERVER": f"http://127.0.0.1:{server.port}",
    }
    server.stop()
    thread.join()


def said(command: str, environment: dict[str, str]) -> str:
    run = subprocess.run(
        ["sh", "-e", "-c", command], env=environment, capture_output=True, text=True, timeout=30, check=False
    )
    assert (run.returncode, run.stderr) == (0, ""), run.stdout
    return run.stdout


def test_the_commands_of_the_page_do_what_it_says(environment: dict[str, str]) -> None:
    token, overview, servers, records, order, *rest = (command.replace("   ", "") for command in COMMANDS)

    assert token.startswith("export LEADGLASS_TOKEN=lgt_")
    assert json.loads(said(overview, environment))["exposed"] > 0
    assert '"rows":[{"address":' in said(servers, environment)
    schemas = {json.loads(line)["schema"] for line in said(records, environment).splitlines()}
    assert schemas == {"leadglass.scan-record/1"}
    assert json.loads(said(order, environment))["status"] == 400  # nobody has configured a scope here
    for command in rest:
        assert said(named(command), environment)


def named(command: str) -> str:
    """The command with the place of the program, which is on nobody's path here."""
    return re.sub(r"\bleadglass (?=remote|explain)", f"{Path(sys.executable).parent}/leadglass ", command)


# ---- leadglass remote


def remote(environment: dict[str, str], *words: str, **other: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).parent / "leadglass", "remote", *words],
        env={**environment, **other},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_servers_scans_and_alerts_are_told_as_they_are_kept(environment: dict[str, str]) -> None:
    told = remote(environment, "servers", "--severity", "high")
    assert (told.returncode, told.stderr) == (0, "")
    assert {line.split()[2] for line in told.stdout.splitlines()[1:]} == {"high"}
    assert "192.0.2.10" in told.stdout
    rows = json.loads(remote(environment, "servers", "--format", "json", "--most", "3").stdout)
    assert len(rows) == 3
    assert len(json.loads(remote(environment, "scans", "--format", "json").stdout)) == 3
    assert "certificate-expiring" in remote(environment, "alerts").stdout


def test_the_records_of_the_last_scan_come_whole(environment: dict[str, str]) -> None:
    told = remote(environment, "records")
    assert {json.loads(line)["schema"] for line in told.stdout.splitlines()} == {"leadglass.scan-record/1"}
    assert len(told.stdout.splitlines()) == 14


@pytest.mark.parametrize(
    ("words", "other", "says"),
    [
        (("look", "practice"), {}, "the server declines:"),
        (("records", "01ABCDEF"), {}, "the server declines:"),
        (("servers",), {"LEADGLASS_TOKEN": ""}, "there is no token"),
        (("servers",), {"LEADGLASS_TOKEN": "lgt_" + "x" * 43}, "the server declines:"),
        (("servers",), {"LEADGLASS_SERVER": "http://192.0.2.1:8104"}, "would go over the network in plain"),
        (("servers",), {"LEADGLASS_SERVER": "ftp://127.0.0.1"}, "this is no server"),
    ],
)
def test_what_cannot_be_asked_is_one_line_and_2(
    environment: dict[str, str], words: tuple[str, ...], other: dict[str, str], says: str
) -> None:
    told = remote(environment, *words, **other)
    assert (told.returncode, told.stdout) == (2, "")
    assert says in told.stderr
    assert told.stderr.count("\n") == 1
