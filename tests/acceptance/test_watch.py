"""``leadglass watch`` as a user calls it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]  # it has no types
import pytest
from tests.contract.samples import ulid
from tests.contract.test_alerts import alert

from leadglass import cli, wiring
from leadglass.cli.schema import SCHEMAS
from leadglass.errors import ScopeDenied, UsageError
from leadglass.model.order import Why
from leadglass.model.verdict import Severity
from leadglass.store import alerts, orders
from leadglass.store.alerts import News
from leadglass.store.database import Database, open_database
from leadglass.wiring.watch_desk import Desk
from leadglass.wiring.watch_files import read_settings

SCOPE = """
name = "Example Radiology"
[authorisation]
basis = "owner"
granted_by = "A. Tester"
contact = "tester@example.org"
reference = "change 4711"
valid_until = 2199-12-31
[[targets]]
range = "127.0.0.0/24"
ports = [104, 11112]
"""
WATCH = """
name = "Example Radiology"
[[schedule]]
name = "nightly"
scope = "scope.toml"
cron = "30 2 * * *"
"""


@pytest.fixture
def database(own_database: Path) -> Iterator[Database]:
    with open_database(str(own_database), time.time) as opened:
        yield opened


@pytest.fixture
def config(tmp_path: Path) -> str:
    (tmp_path / "scope.toml").write_text(SCOPE)
    path = tmp_path / "watch.toml"
    path.write_text(WATCH)
    return str(path)


def test_status_tells_schedules_alerts_and_detection(
    database: Database, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["watch", "status", "--config", config]) == 0
    said = capsys.readouterr().out
    assert "nobody watches" in said
    assert "nightly: Example Radiology, at 30 2 * * *; next " in said
    assert "open alerts: none" in said

    alerts.raise_(database, News("s", [alert(1), alert(2, severity=Severity.LOW)]))
    assert cli.main(["watch", "status", "--config", config, "--format", "json"]) == 1
    status = json.loads(capsys.readouterr().out)
    assert status["detection_seconds"] == {"alerts": 2, "median_at_most": 60, "worst_at_most": 60}
    assert {"state": "open", "severity": "high", "count": 1} in status["alerts"]
    assert cli.main(["watch", "status", "--config", config, "--fail-on", "critical"]) == 0
    assert "1.0 minutes" in capsys.readouterr().out


def test_alerts_are_listed_acknowledged_and_closed(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    alerts.raise_(database, News("s", [alert(1), alert(2)]))

    assert cli.main(["watch", "acknowledge", ulid(1)[-8:], "--by", "ada"]) == 0
    assert cli.main(["watch", "close", ulid(2), "--by", "bob"]) == 0
    assert cli.main(["watch", "close", ulid(2), "--by", "bob"]) == 2
    capsys.readouterr()
    assert cli.main(["watch", "alerts"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{ulid(1)}  new-server  acknowledged by ada  [high] ")
    assert cli.main(["watch", "alerts", "--all", "--format", "json"]) == 0
    message = json.loads(capsys.readouterr().out)
    jsonschema.validate(message, SCHEMAS["alert"]())
    assert [(one["state"], one["changed_by"]) for one in message["alerts"]] == [
        ("closed", "bob"),
        ("acknowledged", "ada"),
    ]


def test_scans_and_second_looks_are_ordered(
    database: Database, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    here = alert(1, endpoint=None)
    alerts.raise_(database, News("s", [here, alert(2)]))

    assert cli.main(["watch", "now", "nightly", "--by", "ada", "--config", config]) == 0
    assert "nobody watches now" in capsys.readouterr().err
    assert cli.main(["watch", "now", "daily", "--by", "ada", "--config", config]) == 2
    assert "the schedules are nightly" in capsys.readouterr().err
    assert cli.main(["watch", "retest", ulid(1), "--by", "ada", "--config", config]) == 0
    assert cli.main(["watch", "retest", ulid(2), "--by", "ada", "--config", config]) == 2
    assert "does not permit 192.0.2.2 port 104" in capsys.readouterr().err
    assert [(one.why, one.asked_by) for one in orders.waiting(database)] == [
        (Why.PERSON, "ada"),
        (Why.RETEST, "ada"),
    ]


def test_the_dashboard_orders_by_the_name_of_a_scope(database: Database, config: str) -> None:
    desk = Desk(database, read_settings(Path(config)), wiring.clock(), wiring.randomness())

    assert list(desk.scopes()) == ["Example Radiology"]
    order = desk.order("Example Radiology", [("127.0.0.7", 104)], "ada")
    assert desk.order_of(order.id) == order
    assert [one.next_at is not None for one in desk.schedules()] == [True]
    with pytest.raises(UsageError, match="no scope"):
        desk.order("Another", [], "ada")
    with pytest.raises(ScopeDenied, match="does not permit"):
        desk.order("Example Radiology", [("127.0.0.7", 105)], "ada")
    Path(config).with_name("scope.toml").unlink()
    assert desk.scopes() == {}
    assert Desk(database, None, wiring.clock(), wiring.randomness()).schedules() == []


def test_silences_are_added_listed_and_ended(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["watch", "silence", "add", "--owner", "ada", "--reason", "replaced"]
    assert cli.main([*words, "--until", "2199-05-31"]) == 2
    assert "would silence everything" in capsys.readouterr().err
    assert cli.main([*words, "--until", "2020-05-31", "--port", "104"]) == 2
    assert cli.main([*words, "--until", "May", "--port", "104"]) == 2
    assert cli.main([*words, "--until", "2199-05-31", "--address", "192.0.2.1/24"]) == 2
    capsys.readouterr()
    assert cli.main([*words, "--until", "2199-05-31", "--address", "192.0.2.0/24", "--port", "104"]) == 0
    assert cli.main(["watch", "silence", "list", "--format", "json"]) == 0
    out = capsys.readouterr().out
    (silence,) = json.loads(out[out.index("{") :])["silences"]
    assert (silence["address"], silence["port"]) == ("192.0.2.0/24", 104)
    assert cli.main(["watch", "silence", "list"]) == 0
    assert "ada: replaced  (192.0.2.0/24; port 104)" in capsys.readouterr().out
    assert cli.main(["watch", "silence", "end", silence["id"], "--by", "bob"]) == 0
    assert cli.main(["watch", "silence", "end", silence["id"], "--by", "bob"]) == 2


def test_what_is_wrong_in_the_file_is_named(
    config: str, own_database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(config).write_text(WATCH + "jiter = 3\n")

    assert cli.main(["watch", "run", "--config", config]) == 2
    assert "line 7: unknown key 'jiter'; did you mean 'jitter'?" in capsys.readouterr().err
    assert not own_database.exists()
