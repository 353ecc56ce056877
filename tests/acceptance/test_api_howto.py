"""The commands of docs/howto/use-the-api.md, as they stand there, against a dashboard that runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
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
    server = Server(made.app, ServeSettings(bind=Address("127.0.0.1", 0)))
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
    token, overview, servers, records, order = (command.replace("   ", "") for command in COMMANDS)

    assert token.startswith("export LEADGLASS_TOKEN=lg_")
    assert json.loads(said(overview, environment))["exposed"] > 0
    assert '"rows":[{"address":' in said(servers, environment)
    schemas = {json.loads(line)["schema"] for line in said(records, environment).splitlines()}
    assert schemas == {"leadglass.scan-record/1"}
    assert json.loads(said(order, environment))["status"] == 400  # nobody has configured a scope here
