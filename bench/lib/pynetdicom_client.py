"""pynetdicom as a client that measures itself: associate, C-ECHO, release.

``python -m bench.lib.pynetdicom_client BASE COUNT PORT THREADS PROCESSES``; prints one line of JSON.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

from bench.lib.addresses import Block
from pynetdicom import AE

__all__ = ["echo_all"]

_VERIFICATION = "1.2.840.10008.1.1"


def echo_all(block: Block, port: int, threads: int) -> int:
    """Ask every address; how many answered the C-ECHO with success."""

    def echo(address: str) -> bool:
        ae = AE("LEADGLASS")
        ae.add_requested_context(_VERIFICATION)
        association = ae.associate(address, port)
        status = association.send_c_echo()
        association.release()
        return bool(status.Status == 0)

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(echo, block))


def _echo_all(words: tuple[Block, int, int]) -> int:
    return echo_all(*words)


def main() -> None:
    first, *numbers = sys.argv[1:]
    count, port, threads, processes = map(int, numbers)
    parts = [(block, port, threads) for block in Block(first, count).split(processes)]
    began = time.perf_counter()
    with ProcessPoolExecutor(processes, multiprocessing.get_context("fork")) as pool:
        answered = sum(pool.map(_echo_all, parts))
    seconds = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime
    print(json.dumps({"answered": answered, "failed": count - answered, "seconds": seconds, "cpu": cpu}))


if __name__ == "__main__":
    main()
