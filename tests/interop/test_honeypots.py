"""Honeypots as they behave are told by a real scan that is kept, and a genuine archive that is one is left open.

What dicompot and DICOMHawk do stands in their sources: the lab serves it. A genuine Orthanc that somebody set
out as a trap says nothing else than any Orthanc; what may be said of it is that nothing tells.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.peers import looking
from tests.peers.orthanc import FIND_ALLOWED, orthanc
from tests.peers.places import LOOPBACK, free_port

from leadglass.lab.dicom import RETRIEVE, STORAGE, Manners, OnStore
from leadglass.lab.fiction import Cast
from leadglass.lab.personas import Holding, Persona, Service, Truth
from leadglass.model.verdict import Access, Kind
from leadglass.wire import uids
from leadglass.wire.pdu import UserInformation
from leadglass.wiring.lab import running_lab

FINDS = frozenset({uids.PATIENT_ROOT_FIND, uids.STUDY_ROOT_FIND})
TRUTH = Truth(Access.ASSOCIATES, Access.OFFERS_QUERY, Access.ANSWERS_QUERY)
PYNETDICOM = 16382
"""The maximum length of pynetdicom, on which DICOMHawk is written."""


def trap(name: str, manners: Manners) -> Persona:
    return Persona(
        name, "A trap.", (Service(11112, manners, TRUTH),), Kind.HONEYPOT, Holding(Cast.DEMONSTRATION, 3)
    )


def hawk(name: str, uid: str, version: str, title: str, maximum_length: int = PYNETDICOM) -> Persona:
    known = UserInformation(maximum_length, uid, version)
    return trap(name, Manners(grants=FINDS | RETRIEVE | STORAGE, information=known, title=title))


TRAPS = (
    # contextmanager.go: every context is accepted in the first syntax offered, 51H is all that is said of itself.
    trap(
        "dicompot",
        Manners(
            grants_everything=True,
            on_store=OnStore.REFUSE,
            information=UserInformation(maximum_length=4194304),
            title="RADIANT",
        ),
    ),
    hawk("dicomhawk-2", "1.2.826.0.1.3680043.9.3811.2.0.1", "ORTHANC", "ORTHANC"),
    hawk("dicomhawk-ge", "1.2.840.113619.6.96", "GE_PACS_REV_24", "GEREVCT01"),
    hawk("dicomhawk-siemens", "1.3.12.2.1107.5.2", "syngo CT VA48A", "CTAWP73129"),
    hawk("dicomhawk-philips", "1.3.46.670589.11", "PHILIPS_MR_56.1", "PHILIPS_MR01"),
)
SYNAPSE = hawk("dicomhawk-3", "1.2.840.113845.1.1", "Syn7,3,0,1", "SYNAPSEDICOMSCP", 65000)
"""Its persona copies a real product to the letter, so that DICOM alone cannot tell it from one."""
FILES = Persona(
    "files",
    "A server that takes images, on the same toolkit and honest about it.",
    (
        Service(
            11112,
            Manners(
                grants=STORAGE,
                information=UserInformation(PYNETDICOM, "1.2.826.0.1.3680043.9.3811.3.0.4", "PYNETDICOM_304"),
            ),
            TRUTH,
        ),
    ),
)


def surveyed(home: Path, scope: str) -> dict[str, Any]:
    """A scan at the rung negotiate, kept and read again: by address, what survey nature says."""
    (home / "scope.toml").write_text(scope)
    kept = ("--database", str(home / "scans.sqlite"))
    words = ("scan", "--scope", "scope.toml", "--deepest", "negotiate", "--format", "jsonl")
    done = looking.leadglass(LOOPBACK, [*words, *kept, "--output", "records.jsonl"], home)
    assert done.returncode in (0, 1), done.stderr
    said = looking.leadglass(LOOPBACK, ["survey", "nature", "--format", "jsonl", *kept], home)
    assert said.returncode == 0, said.stderr
    return {row["address"]: row for row in map(json.loads, said.stdout.splitlines())}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """By persona, what a stored scan of the traps says."""
    home = tmp_path_factory.mktemp("traps")
    with running_lab((*TRAPS, SYNAPSE, FILES)) as lab:
        found = surveyed(home, lab.scope_text())
        return {running.persona.name: found[running.address] for running in lab.servers}


@pytest.mark.parametrize("name", [persona.name for persona in TRAPS])
def test_a_honeypot_is_told_by_what_it_negotiates(told: dict[str, Any], name: str) -> None:
    shares = told[name]["nature"]

    assert max(shares, key=lambda kind: shares[kind]) == "honeypot"
    assert shares["honeypot"] > 0.75
    assert not told[name]["settled"]


def test_a_persona_that_copies_a_product_is_suspected_and_no_more(told: dict[str, Any]) -> None:
    assert 0.3 < told["dicomhawk-3"]["nature"]["honeypot"] < 0.75


def test_an_honest_server_on_the_same_toolkit_is_not_taken_for_one(told: dict[str, Any]) -> None:
    assert told["files"]["nature"]["honeypot"] < 0.3


@pytest.mark.peer("orthanc")
def test_a_genuine_orthanc_that_is_a_trap_cannot_be_told_and_that_is_said(tmp_path: Path) -> None:
    dicom, web = free_port(LOOPBACK), free_port(LOOPBACK)
    scope = f"""
name = "a trap"

[authorisation]
basis = "owner"
granted_by = "this test"
contact = "this test"

[limits]
deepest = "blank-query"

[vantage]
position = "outside"

[[targets]]
range = "127.0.0.1"
ports = [{dicom}]
"""
    with orthanc(LOOPBACK, tmp_path / "trap", FIND_ALLOWED, dicom=dicom, http=web):
        (row,) = surveyed(tmp_path, scope).values()
    record = json.loads((tmp_path / "records.jsonl").read_text())

    assert not row["settled"]
    assert row["nature"]["honeypot"] == pytest.approx(record["nature_prior"]["honeypot"], abs=0.05)
    assert not any(reason.startswith("nature.tell") for reason in record["reasons"])
    assert record["nature_settles"], "what would tell is said"
    assert "expected to tell" in record["nature_settles"][0]
