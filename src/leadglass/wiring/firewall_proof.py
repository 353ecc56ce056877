"""Proves rules: two network namespaces on one cable, real servers, the real nftables, peers and strangers.

The namespaces have no names: they belong to the two processes in them, and are gone with these, even if this
process is killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import IO, Any

from leadglass.configs.firewall.plan import Address, Direction, Plan
from leadglass.configs.firewall.proof import Proof, Trial
from leadglass.configs.firewall.rehearsal import Attempt, Rehearsal, rehearsal
from leadglass.errors import ConfigError, ResourceError
from leadglass.model.endpoint import Endpoint
from leadglass.wiring.firewall_side import CABLE, program

__all__ = ["prove"]

_PATIENCE = 10.0
"""Seconds that a process has to end after its pipes are closed."""


def prove(plan: Plan, rules: str, *, log_only: bool = False) -> Proof:
    """Load ``rules`` before servers like those of ``plan``, and try every port from peers and from strangers.

    ``ResourceError`` without root, ``nft`` or ``ip``; ``ConfigError`` if nft does not take the rules.
    """
    _require_root()
    parts = rehearsal(plan)
    with _side() as inside, _side() as outside:
        _lay_cable(inside, outside, parts)
        _nft(inside, ["-f", "-"], rules)
        for side, way in ((inside, Direction.IN), (outside, Direction.OUT)):
            side.tell({"serve": _endpoints(one for one in parts.attempts if one.direction is way)})
        trials = [
            *_trials(
                outside, [one for one in parts.attempts if one.direction is Direction.IN], log_only=log_only
            ),
            *_trials(
                inside, [one for one in parts.attempts if one.direction is Direction.OUT], log_only=log_only
            ),
        ]
        listing = json.loads(_nft(inside, ["-j", "list", "ruleset"]))
    counters = list(_counters(listing))
    refused = [packets for _, packets, refuses in counters if refuses]
    notes = parts.notes if refused or log_only else (*parts.notes, "no rule counts what it refuses")
    return Proof(
        tuple(trials),
        tuple((says, packets) for says, packets, _ in counters),
        sum(refused) if refused else None,
        notes,
    )


def _require_root() -> None:
    if sys.platform != "linux":
        raise ResourceError("network namespaces need Linux", where="firewall test", then="run it there")
    if os.geteuid() != 0:
        raise ResourceError("network namespaces need root", where="firewall test", then="run it with sudo")


# ---- two sides


class _Side:
    """One process in a namespace of its own."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.pid = process.pid
        self._orders: IO[bytes] = process.stdin
        self._answers: IO[bytes] = process.stdout

    def tell(self, order: object) -> Mapping[str, Any]:
        """What it answers; ``ResourceError`` with its trouble."""
        with contextlib.suppress(BrokenPipeError):
            self._orders.write(json.dumps(order).encode() + b"\n")
            self._orders.flush()
        line = self._answers.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"trouble": "it ended"}
        if "trouble" in answer:
            raise ResourceError(str(answer["trouble"]), where="firewall test")
        return answer

    def run(self, words: Sequence[str], text: str = "") -> subprocess.CompletedProcess[str]:
        """Run a program in its namespace."""
        return subprocess.run(  # noqa: S603 - programs of the system, with addresses that were parsed
            [program("nsenter"), f"--net=/proc/{self.pid}/ns/net", "--", *words],
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )


@contextlib.contextmanager
def _side() -> Iterator[_Side]:
    # A process group of its own: Ctrl-C is for this process, whose end closes their pipes.
    process = subprocess.Popen(  # noqa: S603 - this Python, in a namespace
        [program("unshare"), "--net", "--", sys.executable, "-m", "leadglass.wiring.firewall_side"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        process_group=0,
    )
    try:
        side = _Side(process)
        side.tell({"serve": []})  # it has its namespace once it answers
        yield side
    finally:
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _lay_cable(inside: _Side, outside: _Side, parts: Rehearsal) -> None:
    made = [
        program("ip"),
        "link",
        "add",
        CABLE,
        "type",
        "veth",
        "peer",
        "name",
        CABLE,
        "netns",
        str(outside.pid),
    ]
    _must(inside, made)
    for side, addresses in ((inside, parts.inside), (outside, parts.outside)):
        # The link's own address is usable at once: neighbours are asked from it.
        _must(side, [program("sh"), "-c", f"echo 0 > /proc/sys/net/ipv6/conf/{CABLE}/accept_dad"])
        lines = [f"address add {_width(address)} dev {CABLE}{_at_once(address)}" for address in addresses]
        lines += ["link set lo up", f"link set {CABLE} up"]
        _must(side, [program("ip"), "-batch", "-"], "\n".join(lines) + "\n")
    for side, others in ((inside, parts.outside), (outside, parts.inside)):
        routes = [f"route add {_width(address)} dev {CABLE}" for address in others]
        _must(side, [program("ip"), "-batch", "-"], "\n".join(routes) + "\n")


def _width(address: Address) -> str:
    return f"{address}/{address.max_prefixlen}"


def _at_once(address: Address) -> str:
    return " nodad" if address.version == 6 else ""


def _must(side: _Side, words: Sequence[str], text: str = "") -> None:
    done = side.run(words, text)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        raise ResourceError(
            f"{words[0].rpartition('/')[2]} refused ({said[0] if said else done.returncode})",
            where="firewall test",
        )


def _nft(side: _Side, words: Sequence[str], rules: str = "") -> str:
    done = side.run([program("nft"), *words], rules)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        raise ConfigError(
            f"nft does not take these rules ({said[0] if said else 'no reason given'})", where="test"
        )
    return done.stdout


# ---- trials


def _endpoints(attempts: Iterable[Attempt]) -> list[tuple[str, int]]:
    return list(dict.fromkeys((str(one.destination), one.port) for one in attempts))


def _trials(side: _Side, attempts: Sequence[Attempt], *, log_only: bool) -> Iterator[Trial]:
    """In rounds: one source of each family at a time, all its endpoints at once."""
    families = [dict.fromkeys(one.source for one in attempts if one.source.version == v) for v in (4, 6)]
    for sources in zip_longest(*families):
        mine = [one for one in attempts if one.source in sources]
        order = {
            "from": [str(source) for source in sources if source is not None],
            "ask": [(str(one.destination), one.port) for one in mine],
        }
        for one, found in zip(mine, side.tell(order)["found"], strict=True):
            yield Trial(
                str(one.source),
                Endpoint(str(one.destination), one.port),
                one.who,
                one.allowed or log_only,
                str(found),
            )


def _counters(listing: Mapping[str, Any]) -> Iterator[tuple[str, int, bool]]:
    """Of each rule that counts: what it says, the packets, and whether it refuses them."""
    for item in listing["nftables"]:
        rule = item.get("rule")
        if rule is None:
            continue
        statements = [one for one in rule["expr"] if isinstance(one, dict)]
        packets = [one["counter"]["packets"] for one in statements if isinstance(one.get("counter"), dict)]
        if packets:
            refuses = any("drop" in one or "reject" in one for one in statements)
            yield str(rule.get("comment", f"rule {rule['handle']}")), sum(packets), refuses
