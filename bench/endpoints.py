"""How many endpoints a second, full ladder to C-ECHO: Leadglass, pynetdicom, nmap's dicom-ping.

One process answers with canned bytes on 127.90.0.1 to 127.90.0.64; the clients take turns, three
rounds each, and ratios are taken within a round. Run it on a quiet machine: ``make bench``.
Leadglass and pynetdicom associate, echo and release; dicom-ping stops at the A-ASSOCIATE-AC.
"""

from __future__ import annotations

import select
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from pynetdicom import AE

from leadglass.model.endpoint import Endpoint, Permit
from leadglass.model.evidence import AssociateEvidence
from leadglass.model.rung import Rung
from leadglass.net.engine import Engine
from leadglass.net.pace import Pace
from leadglass.probe.ladder import EndpointVisit, Questions
from leadglass.wire.command import encode_command
from leadglass.wire.dimse import CEchoRSP
from leadglass.wire.pdata import fragment
from leadglass.wire.pdu import AAssociateAC, AReleaseRP, PresentationContextAC, UserInformation, encode
from leadglass.wire.uids import IMPLICIT_VR_LE, VERIFICATION
from leadglass.wiring import clock, randomness

HOSTS = [f"127.90.0.{n}" for n in range(1, 65)]
PORT = 11190
ROUNDS = 3
LEADGLASS, PYNETDICOM, THREADS = 20_000, 600, 8

ANSWERS = {
    1: encode(
        AAssociateAC(
            "ANY-SCP",
            "LEADGLASS",
            (PresentationContextAC(1, 0, IMPLICIT_VR_LE),),
            UserInformation(
                maximum_length=16384, implementation_class_uid="1.2.3", implementation_version_name="CANNED"
            ),
        )
    ),
    4: fragment(1, encode_command(CEchoRSP(1, 0, VERIFICATION)), None, 16384),
    5: encode(AReleaseRP()),
}


class OpenGate:
    """This bench asks only the addresses above."""

    def permit(self, endpoint: Endpoint, rung: Rung, moment: float) -> Permit:
        return Permit(endpoint, rung, moment + 60)


def serve() -> None:
    """Answer each PDU type with its canned bytes, for ever."""
    poll, connections = select.epoll(), {}
    listeners = {}
    for host in HOSTS:
        listener = socket.create_server((host, PORT), backlog=1024)
        listener.setblocking(False)
        listeners[listener.fileno()] = listener
        poll.register(listener.fileno(), select.EPOLLIN)
    print("ready", flush=True)
    while True:
        for fd, _ in poll.poll():
            if fd in listeners:
                connection, _ = listeners[fd].accept()
                connections[connection.fileno()] = connection
                poll.register(connection.fileno(), select.EPOLLIN)
            else:
                data = connections[fd].recv(65536)
                if data:
                    connections[fd].send(ANSWERS.get(data[0], b""))
                else:
                    connections.pop(fd).close()


def leadglass() -> float:
    questions = Questions(randomness(), "2.25.1")
    visits = (
        EndpointVisit(Endpoint(HOSTS[i % 64], PORT), Rung.ASSOCIATE, questions) for i in range(LEADGLASS)
    )
    answered = 0

    def done(visit: object) -> None:
        nonlocal answered
        assert isinstance(visit, EndpointVisit)
        seen = visit.evidence[-1]
        answered += isinstance(seen, AssociateEvidence) and seen.echo_status == 0

    began = time.perf_counter()
    Engine(OpenGate(), clock(), Pace(rate=1e9, in_flight=256)).run(visits, done)
    assert answered == LEADGLASS
    return LEADGLASS / (time.perf_counter() - began)


def pynetdicom() -> float:
    def echo(number: int) -> bool:
        ae = AE("LEADGLASS")
        ae.add_requested_context(VERIFICATION)
        association = ae.associate(HOSTS[number % 64], PORT)
        status = association.send_c_echo()
        association.release()
        return bool(status.Status == 0)

    began = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        assert all(pool.map(echo, range(PYNETDICOM)))
    return PYNETDICOM / (time.perf_counter() - began)


def nmap() -> float:
    command = ["nmap", "-n", "-Pn", "-T5", "-p", str(PORT), "--script", "+dicom-ping", "127.90.0.1-64"]
    began = time.perf_counter()
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert out.count("DICOM Service Provider discovered") == len(HOSTS)
    return len(HOSTS) / (time.perf_counter() - began)


def main() -> None:
    clients: dict[str, Callable[[], float]] = {"leadglass": leadglass, "pynetdicom": pynetdicom}
    if shutil.which("nmap"):
        clients["nmap dicom-ping (64 hosts)"] = nmap
    with subprocess.Popen([sys.executable, __file__, "serve"], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        server.stdout.readline()
        rounds = [{name: client() for name, client in clients.items()} for _ in range(ROUNDS)]
        server.kill()
    for name in clients:
        rates = [r[name] for r in rounds]
        ratios = [r["leadglass"] / r[name] for r in rounds]
        print(
            f"{name:28} {statistics.median(rates):9,.0f} endpoints/s ({min(rates):,.0f} to {max(rates):,.0f}),"
            f" leadglass is {statistics.median(ratios):.1f}x"
        )


if __name__ == "__main__":
    serve() if sys.argv[1:] == ["serve"] else main()
