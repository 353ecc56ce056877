"""Who asks and what there is to ask for, in the tests of the policy."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from leadglass.access.policy import Policy, load
from leadglass.model.access import Circumstances, Kind, Node, Principal, Resource, Study

MOMENT = dt.datetime(2026, 11, 21, 14, 30, tzinfo=dt.UTC)
"""A Saturday."""
HERE = Circumstances("192.0.2.7", MOMENT, certificate="ab" * 32)
AT_DEVICE = Circumstances("192.0.2.7", MOMENT, certificate="ab" * 32, device="ct-1")
EMERGENCY = Circumstances("192.0.2.7", MOMENT, certificate="ab" * 32, emergency="unconscious, no identity")

RESOURCES: Mapping[str, Resource] = {
    "n": Node("ARCHIVE"),
    "o": Study(
        "1.2.1",
        patient_id="P1",
        accession_number="A1",
        study_date="20261121",
        modalities=frozenset({"CT", "SR"}),
        institution="North",
        referring_physician="doe^jane",
        performing_physicians=frozenset({"roe^max"}),
        station="CT1",
    ),
    "f": Study(
        "1.2.2",
        patient_id="P2",
        accession_number="A2",
        study_date="20261120",
        modalities=frozenset({"MR"}),
        institution="South",
        referring_physician="poe^ann",
        performing_physicians=frozenset({"loe^kim"}),
        labels=frozenset({"trial-7"}),
        station="MR9",
    ),
    "u": Study("1.2.3"),
    "d": Study(
        "1.2.4",
        study_date="20261101",
        modalities=frozenset({"MR"}),
        institution="South",
        labels=frozenset({"de-identified"}),
    ),
}
"""A node, an own study, a foreign one, one of which nothing is known, a foreign one that is de-identified."""

OWN, FOREIGN, UNLABELLED = RESOURCES["o"], RESOURCES["f"], RESOURCES["u"]
NODE = RESOURCES["n"]


def somebody(*roles: str, kind: Kind = Kind.PERSON) -> Principal:
    """Somebody of the institution North, at a CT, who is also called Dr Jane Doe."""
    return Principal(
        kind,
        "somebody",
        roles=frozenset(roles),
        physician_names=frozenset({"doe^jane"}),
        titles=frozenset({"CT1"}),
        institutions=frozenset({"North"}),
        modalities=frozenset({"CT"}),
    )


def policy(*texts: str) -> Policy:
    """Policies without ids of their own get some."""
    written = {f"{n}.cedar": text if "@id" in text else f'@id("p{n}") {text}' for n, text in enumerate(texts)}
    return load(written, 1)
