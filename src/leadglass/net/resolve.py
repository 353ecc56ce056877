"""Names to addresses and texts: asked once, of this machine's resolver or of one that was named.

What DNS answers is only a claim. Whether an address may be touched is for the scope to say, and
the answer is kept for the life of the resolver, so that no later answer can slip in beside it.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Iterable, Iterator

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.resolver
import dns.reversename
from dns.rdtypes.IN.SRV import SRV
from dns.rdtypes.txtbase import TXTBase

from leadglass.errors import TransportError
from leadglass.net.services import Service, Transport, connect

__all__ = ["SystemResolver"]

_ATTEMPTS = 2
_MOST_INSTANCES = 32
"""Of a service: a zone may name any number."""
_SECONDS = 2.0


class SystemResolver:
    """``ports.world.Resolver``.

    Addresses come from the system (``getaddrinfo``: the hosts file counts), texts from its
    nameservers; both from ``nameserver`` (address, port) if one is given. ``timeout`` is in seconds,
    for one attempt at one nameserver.
    """

    def __init__(self, nameserver: tuple[str, int] | None = None, timeout: float = _SECONDS) -> None:
        self._nameserver = nameserver
        self._timeout = timeout
        self._addresses: dict[str, tuple[str, ...]] = {}
        self._texts: dict[str, tuple[str, ...]] = {}

    def addresses(self, name: str) -> tuple[str, ...]:
        """The canonical literals of ``name``, in the order of preference; ``TransportError`` if there are none."""
        if name not in self._addresses:
            found = self._look_up(name) if self._nameserver else _from_system(name)
            self._addresses[name] = _canonical(name, found)
        return self._addresses[name]

    def texts(self, name: str) -> tuple[str, ...]:
        """The TXT records at ``name``; empty if there are none, ``TransportError`` if nobody can tell."""
        if name not in self._texts:
            records = self._records(name, dns.rdatatype.TXT)
            # One record may come in several strings of at most 255 bytes (RFC 1035 3.3.14).
            self._texts[name] = tuple(
                b"".join(r.strings).decode("ascii", "replace") for r in records if isinstance(r, TXTBase)
            )
        return self._texts[name]

    def pointers(self, address: str) -> tuple[str, ...]:
        """The names that ``address`` has (PTR), in lower case; empty if it has none."""
        records = self._records(dns.reversename.from_address(address).to_text(), dns.rdatatype.PTR)
        return tuple(dict.fromkeys(record.to_text().rstrip(".").lower() for record in records))

    def services(self, name: str) -> tuple[tuple[str, int], ...]:
        """Host and port of what is announced at ``name``, such as ``_dicom-tls._tcp.example.org``; empty if nothing is.

        By SRV records there (RFC 2782), and at the instances that its PTR records name (RFC 6763 4.1).
        """
        instances = [record.to_text() for record in self._records(name, dns.rdatatype.PTR)]
        found = [
            record
            for place in (name, *instances[:_MOST_INSTANCES])
            for record in self._records(place, dns.rdatatype.SRV)
            if isinstance(record, SRV)
        ]
        told = ((record.target.to_text().rstrip(".").lower(), record.port) for record in found)
        return tuple(dict.fromkeys((host, port) for host, port in told if host and port))

    def _look_up(self, name: str) -> Iterator[str]:
        if _is_literal(name):
            yield name
            return
        for kind in (dns.rdatatype.A, dns.rdatatype.AAAA):
            for record in self._records(name, kind):
                yield record.to_text()

    def _records(self, name: str, kind: dns.rdatatype.RdataType) -> list[dns.rdata.Rdata]:
        failures: list[str] = []
        for service in self._services() * _ATTEMPTS:
            try:
                response = _ask(service, dns.message.make_query(name, kind), self._timeout)
                if response.rcode() == dns.rcode.NXDOMAIN:
                    return []
                if response.rcode() == dns.rcode.NOERROR:
                    return list(_chained(response))
                failures.append(f"{service} answers {dns.rcode.to_text(response.rcode())}")
            except dns.exception.DNSException as exc:
                failures.append(f"{service}: {str(exc) or type(exc).__name__}")
            except (OSError, EOFError) as exc:
                failures.append(f"{service}: {exc}")
            except TransportError as exc:
                failures.append(str(exc))
        raise TransportError(
            f"cannot be looked up ({failures[-1]})", where=name, then="check the network and try again"
        )

    def _services(self) -> list[Service]:
        if self._nameserver:
            host, port = self._nameserver
            return [Service("DNS", host, port, Transport.UDP)]
        try:
            system = dns.resolver.Resolver()
        except dns.exception.DNSException as exc:
            raise TransportError("this machine names no nameserver") from exc
        return [Service("DNS", host, system.port, Transport.UDP) for host in map(str, system.nameservers)]


def _ask(service: Service, query: dns.message.Message, timeout: float) -> dns.message.Message:
    """One question over UDP, and over TCP if the answer does not fit (RFC 7766 5)."""
    until = time.time() + timeout
    with connect(service, timeout) as sock:
        dns.query.send_udp(sock, query, None, until)
        try:
            # Answers to other questions are passed over, forged ones too.
            return _receive_udp(sock, until, query)
        except dns.message.Truncated:
            pass
    stream = Service(service.purpose, service.host, service.port, Transport.TCP)
    with connect(stream, timeout) as sock:
        dns.query.send_tcp(sock, query, time.time() + timeout)
        response = dns.query.receive_tcp(sock, time.time() + timeout)[0]
    if not query.is_response(response):
        raise dns.query.BadResponse
    return response


def _receive_udp(sock: socket.socket, until: float, query: dns.message.Message) -> dns.message.Message:
    found = dns.query.receive_udp(
        sock, None, until, raise_on_truncation=True, ignore_errors=True, query=query
    )
    response: dns.message.Message = found[0]
    return response


def _chained(response: dns.message.Message) -> Iterable[dns.rdata.Rdata]:
    """The records at the end of the answer's aliases."""
    if not isinstance(response, dns.message.QueryMessage):
        return ()
    return response.resolve_chaining().answer or ()


def _from_system(name: str) -> list[str]:
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else exc
        raise TransportError(f"no address ({reason})", where=name, then="check its spelling") from exc
    return [str(address[0]) for *_, address in found]


def _canonical(name: str, found: Iterable[str]) -> tuple[str, ...]:
    literals = tuple(dict.fromkeys(str(ipaddress.ip_address(text.partition("%")[0])) for text in found))
    if not literals:
        raise TransportError("no address", where=name, then="check its spelling")
    return literals


def _is_literal(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
