"""No packet goes where the scope does not permit it: counted on the wire, for many random scopes.

Every address in the world is answered for, or at least counted, on the other side of the cable.
What a scope permits is worked out by the test itself. One port has an archive behind it, which
notes how deep it was asked.
"""

from __future__ import annotations

import datetime as dt
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.peers import firewall, listener, looking, netns, nginx, scopes
from tests.peers.places import Place
from tests.peers.scopes import RandomScope

pytestmark = [pytest.mark.root, pytest.mark.peer("nft"), pytest.mark.peer("pynetdicom")]

SEED = int(os.environ.get("LEADGLASS_SEED", "20261121"))
ARCHIVE_PORT = 11112
BATCH = 100


def _scan(scanner: Place, cwd: Path, drawn: Sequence[tuple[int, RandomScope]]) -> list[int]:
    """Scan each scope, all in one process; the exit codes."""
    lines = []
    for number, scope in drawn:
        path = cwd / f"{number}.toml"
        path.write_text(scope.text)
        report = str(path.with_suffix(".jsonl"))
        lines.append(["scan", "--scope", str(path), "--format", "jsonl", "--output", report])
    return looking.repeat(scanner, lines, timeout=900)


def _hold(seen: Counter[firewall.Contact], asked: listener.Asked, drawn: Sequence[RandomScope]) -> None:
    permitted = {endpoint: rung for scope in drawn for endpoint, rung in scope.permitted.items()}
    reached = {(contact.address, contact.port) for contact in seen if contact.protocol == "tcp"}
    too_deep = [
        (address, rung, permitted[address, ARCHIVE_PORT])
        for address, rungs in asked.items()
        for rung in rungs
        if scopes.DEPTHS.index(rung) > scopes.DEPTHS.index(permitted[address, ARCHIVE_PORT])
    ]

    assert {contact for contact in seen if contact.protocol != "tcp"} == set()
    assert reached - permitted.keys() == set()
    assert permitted.keys() - reached == set(), "permitted, and yet not looked at"
    assert too_deep == []


def _run(pair: netns.Pair, cwd: Path, first: int, last: int) -> Counter[str]:
    """Scan scopes ``first`` to ``last - 1`` in batches; how many of each kind there were."""
    kinds: Counter[str] = Counter()
    for network in scopes.NETWORKS:
        pair.answer_for(network)
    firewall.count_arrivals(pair.server)
    with listener.listener(pair.server, ARCHIVE_PORT) as asked:
        for start in range(first, last, BATCH):
            now = dt.datetime.now(dt.UTC)
            numbers = range(start, min(start + BATCH, last))
            drawn = [(number, scopes.random_scope(number, SEED, now)) for number in numbers]
            codes = _scan(pair.scanner, cwd, drawn)
            for code, (number, scope) in zip(codes, drawn, strict=True):
                kinds[scope.why_shut or ("open" if scope.permitted else "empty")] += 1
                if scope.why_shut in {"contradictory", "expired"}:
                    assert code == 2, f"scope {number} is {scope.why_shut}"
            _hold(firewall.read_arrivals(pair.server), asked, [scope for _, scope in drawn])
            firewall.forget_arrivals(pair.server)
            asked.clear()
    return kinds


def test_sixty_random_scopes_send_no_packet_outside(pair: netns.Pair, tmp_path: Path) -> None:
    kinds = _run(pair, tmp_path, 0, 60)

    assert set(kinds) == {"open", "empty", "contradictory", "expired", "out of hours"}


@pytest.mark.peer("nginx")
@pytest.mark.parametrize(
    "elsewhere", ["http://198.51.100.7/dicom-web/studies", f"http://{netns.SERVER}:8081/ui/"]
)
def test_a_redirection_is_not_followed_out_of_the_scope(
    pair: netns.Pair, tmp_path: Path, elsewhere: str
) -> None:
    firewall.count_arrivals(pair.server)
    with nginx.web(pair.server, tmp_path / "web", port=8080, redirect=elsewhere) as peer:
        looking.look(pair.scanner, peer.target, tmp_path)

    assert set(firewall.read_arrivals(pair.server)) == {firewall.Contact(netns.SERVER, "tcp", 8080)}


def test_a_name_is_not_looked_up_where_an_address_is_given(pair: netns.Pair, tmp_path: Path) -> None:
    firewall.count_arrivals(pair.server)

    looking.look(pair.scanner, f"{netns.SERVER}:104", tmp_path)

    assert set(firewall.read_arrivals(pair.server)) == {firewall.Contact(netns.SERVER, "tcp", 104)}


@pytest.mark.deep
@pytest.mark.timeout(7200)
def test_ten_thousand_random_scopes_send_no_packet_outside(pair: netns.Pair, tmp_path: Path) -> None:
    kinds = _run(pair, tmp_path, 60, 10_060)

    assert kinds.total() == 10_000
    assert min(kinds.values()) > 100
