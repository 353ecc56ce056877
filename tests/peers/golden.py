"""What Leadglass said of a real product and version the last time somebody looked at it and agreed.

A golden file holds one record for each way the product was run, without what differs from one
run to the next. ``make golden-accept`` writes them anew; the difference is then to be read.
"""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.peers.running import Peer

__all__ = ["compare"]

FOLDER = Path(__file__).parents[1] / "interop" / "golden"
ACCEPT = os.environ.get("LEADGLASS_GOLDEN") == "accept"

_PASSING = ("scan", "observed_at", "endpoint", "vantage", "scope", "nature_prior")
_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")
_MINTED = re.compile(r"\b2\.25\.\d{20,}\b")
_MOMENT = re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)?")
_TRUSTME = re.compile(r"#[\w-]{16}")


def compare(peer: Peer, case: str, record: Mapping[str, Any]) -> None:
    """Fail with the difference if ``record`` differs from what was agreed for ``case``; skip if this version is not known."""
    path = FOLDER / f"{peer.product}-{peer.version}.json"
    now = _normal(record, peer)
    if ACCEPT:
        _accept(path, case, now)
        return
    agreed = json.loads(path.read_text()) if path.exists() else {}
    if case not in agreed:
        pytest.skip(f"nothing agreed for {path.name}, {case}; `make golden-accept` writes it down")
    lines = difflib.unified_diff(_lines(agreed[case]), _lines(now), "agreed", "now", n=1, lineterm="")
    difference = "\n".join(lines)
    if difference:
        pytest.fail(f"{path.name}, {case}\n{difference}", pytrace=False)


def _lines(record: Mapping[str, Any]) -> list[str]:
    return json.dumps(record, indent=1, sort_keys=True).splitlines()


def _accept(path: Path, case: str, record: Mapping[str, Any]) -> None:
    agreed = json.loads(path.read_text()) if path.exists() else {}
    agreed[case] = record
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(agreed, indent=1, sort_keys=True) + "\n")


def _normal(record: Mapping[str, Any], peer: Peer) -> dict[str, Any]:
    """The record without times, identifiers, digests, addresses and ports; evidence by its id."""
    kept = {key: value for key, value in record.items() if key not in _PASSING}
    kept["evidence"] = {fact["id"]: fact["value"] for fact in record["evidence"]}
    text = json.dumps(kept).replace(peer.host, "ADDRESS")
    for pattern, word in (
        (_MINTED, "MINTED"),
        (_DIGEST, "DIGEST"),
        (_MOMENT, "MOMENT"),
        (_TRUSTME, "#SERIAL"),
    ):
        text = pattern.sub(word, text)
    normal: dict[str, Any] = json.loads(text)
    return normal
