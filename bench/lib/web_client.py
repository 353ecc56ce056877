"""An ordinary client of DICOMweb: some connections that stay open, each asking one thing after the other.

``python -m bench.lib.web_client PORT COUNT CONNECTIONS PATH [--accept TYPE] --papers CERTIFICATE KEY AUTHORITY``
prints what it took as JSON.
"""

from __future__ import annotations

import argparse
import http.client
import json
import ssl
import threading
import time
from collections.abc import Sequence


def main() -> None:
    said = _words()
    connections = [_connected(said.port, said.papers) for _ in range(said.connections)]
    _ask(connections[0], 1, said.path, said.accept)  # whatever is done once is done
    share = said.count // said.connections
    threads = [
        threading.Thread(target=_ask, args=(one, share, said.path, said.accept)) for one in connections
    ]
    began, before = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds, cpu = time.perf_counter() - began, time.process_time() - before
    print(json.dumps({"done": share * len(threads), "seconds": seconds, "cpu": cpu}))


def _words() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("count", type=int)
    parser.add_argument("connections", type=int)
    parser.add_argument("path")
    parser.add_argument("--accept", default="application/dicom+json")
    parser.add_argument("--papers", nargs=3)
    return parser.parse_args()


def _connected(port: int, papers: Sequence[str]) -> http.client.HTTPSConnection:
    certificate, key, authority = papers
    context = ssl.create_default_context(cafile=authority)
    context.load_cert_chain(certificate, key)
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=60)
    connection.connect()
    return connection


def _ask(connection: http.client.HTTPSConnection, count: int, path: str, accept: str) -> None:
    for _ in range(count):
        connection.request("GET", path, headers={"Accept": accept})
        answer = connection.getresponse()
        told = answer.read()
        if answer.status != 200 or not told:
            raise SystemExit(f"{answer.status} for {path}: {told[:200]!r}")


if __name__ == "__main__":
    main()
