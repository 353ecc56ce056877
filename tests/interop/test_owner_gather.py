"""``leadglass owner gather`` with a nameserver of its own: what it may ask, what it keeps, and what that changes."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import pytest
from tests.contract.reading import PINS, secured, store, told
from tests.interop.local_servers import Nameserver, Zone, nameserver
from tests.peers import looking
from tests.peers.places import LOOPBACK

from leadglass.model.verdict import Access, ClientCertificate, TlsSummary
from leadglass.store.database import open_database

ZONE: Zone = {
    "11.2.0.192.in-addr.arpa": {"PTR": ("pacs.hospital-sur.example.",)},
    "pacs.hospital-sur.example": {"A": ("192.0.2.11",)},
    "_dicom-tls._tcp.example.org": {"PTR": ("archive._dicom-tls._tcp.example.org.",)},
    "archive._dicom-tls._tcp.example.org": {"SRV": ("0 0 2762 pacs.example.org.",)},
    "_dicom._tcp.pacs.example.org": {"SRV": ("0 0 104 pacs.example.org.", "0 0 0 .")},
    "pacs.example.org": {"A": ("192.0.2.10",)},
}
LOCKED = dataclasses.replace(
    secured("192.0.2.10", "a", access=Access.DEMANDS_CERTIFICATE).verdict,
    tls=TlsSummary("TLSv1.3", None, ClientCertificate.REQUIRED),
    protocols=("tls",),
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A database with a scan of a server, and of another behind mutual TLS whose name is in the scope."""
    kept = tmp_path / "scans.sqlite"
    with open_database(str(kept), time.time) as database:
        locked = dataclasses.replace(secured("192.0.2.10", "a"), verdict=LOCKED)
        store(database, [told("192.0.2.11", Access.ANSWERS_QUERY), locked])
    return kept


def say(place: Path, *words: str) -> Any:
    done = looking.leadglass(LOOPBACK, [*words, "--database", str(place)], place.parent)
    assert "Traceback" not in done.stderr
    return done


def asking(names: Nameserver) -> tuple[str, ...]:
    return ("owner", "gather", "--nameserver", "{}:{}".format(*names.address))


def test_names_that_lead_back_move_what_stands_behind_a_server_from_then_on(place: Path) -> None:
    before = json.loads(say(place, "survey", "nature", "--format", "jsonl").stdout)
    with nameserver(ZONE) as names:
        done = say(place, *asking(names), "--ask", "dns")
        assert {name for _, name, _ in names.asked} == {
            "11.2.0.192.in-addr.arpa",
            "pacs.hospital-sur.example",
        }
    after = json.loads(say(place, "survey", "nature", "--format", "jsonl").stdout)

    assert "1 servers; something is known around 1 of them" in done.stdout
    assert after["nature"]["clinical"] > 2 * before["nature"]["clinical"]


def test_what_the_scopes_own_names_announce_is_confirmed_and_nobody_else_is_asked(place: Path) -> None:
    before = json.loads(say(place, "survey", "hidden", "--scan", "last", "--format", "json").stdout)
    with nameserver(ZONE) as names:
        done = say(place, *asking(names), "--ask", "dns-sd", "--domain", "example.org")
        asked = {name for _, name, _ in names.asked}
    after = json.loads(say(place, "survey", "hidden", "--scan", "last", "--format", "json").stdout)
    shown = say(place, "owner", "192.0.2.10").stdout

    assert "192.0.2.10:2762 is announced as _dicom-tls._tcp.example.org" in done.stdout
    assert asked <= {
        name
        for domain in ("example.org", *PINS)
        for name in (domain, *(f"{prefix}.{domain}" for prefix in ("_dicom._tcp", "_dicom-tls._tcp")))
    } | {"archive._dicom-tls._tcp.example.org"}
    assert (before["result"]["counts"]["confirmed"], after["result"]["counts"]["confirmed"]) == (0, 1)
    assert "port 2762 is announced as _dicom-tls._tcp.example.org" in shown


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "nobody may be asked"),
        (("--ask", "dns-sd", "--domain", "elsewhere.example"), "no name of the scan's scope lies in it"),
        (("--ask", "dns-sd", "--domain", "org"), "no name of the scan's scope lies in it"),
        (("--ask", "dns", "--domain", "example.org"), "--domain has no meaning here"),
    ],
)
def test_what_may_not_be_asked_is_one_line_and_no_question(
    place: Path, words: tuple[str, ...], says: str
) -> None:
    with nameserver(ZONE) as names:
        done = say(place, *asking(names), *words)
        assert names.asked == []

    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert says in done.stderr
