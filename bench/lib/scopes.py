"""Scope files for the benches: a block of addresses, as deep as a C-ECHO, as fast as it goes."""

from __future__ import annotations

from collections.abc import Sequence

from bench.lib.addresses import Block

__all__ = ["FAST", "scope_text"]

FAST = 1_000_000.0
"""New connections a second: more than anybody here opens."""

_HEAD = """name = "bench"
[authorisation]
basis = "owner"
granted_by = "whoever runs the bench"
contact = "root@localhost"
[limits]
deepest = "associate"
rate = {rate}
concurrent_per_network = 256
"""
_TARGET = """[[targets]]
range = "{network}"
ports = {ports}
"""


def scope_text(block: Block, ports: Sequence[int]) -> str:
    """A scope that permits ``block`` on ``ports`` and nothing else."""
    targets = (_TARGET.format(network=network, ports=list(ports)) for network in block.networks())
    return _HEAD.format(rate=FAST) + "".join(targets)
