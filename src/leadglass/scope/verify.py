"""Proof that whoever wrote a scope controls what it names: what to publish, and what counts.

The token is a digest of what was authorised, so a proof is for these targets, this depth and this
end date; a scope that is widened later is not proved any more. It is no secret: knowing it lets
nobody publish it in somebody else's zone or on somebody else's server.

What counts, for each target:

- a TXT record at ``_leadglass.NAME``. For a range of addresses NAME is the reverse zone around it
  (RFC 1035 3.5, RFC 3596 2.5), which only the holder of the addresses can write;
- or, for a single address or a name, the token in ``/.well-known/leadglass.txt`` on every address of the
  target, on one of its web ports (RFC 8615). One server's file says nothing about its neighbours.

Nothing here sends anything: looking up and fetching are arguments.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from leadglass.errors import LeadglassError
from leadglass.model.endpoint import Endpoint
from leadglass.scope.ports import ports_text
from leadglass.scope.rules import Range
from leadglass.scope.scope import Scope
from leadglass.scope.special import Network

__all__ = ["PATH", "Claim", "Outcome", "Page", "claims", "prove", "proves", "token"]

PATH = "/.well-known/leadglass.txt"

_WEB_PORTS = {80: False, 8080: False, 8042: False, 443: True, 8443: True}
"""Ports on which the file is looked for, if the target has them, and whether they speak TLS."""


@dataclass(frozen=True, slots=True)
class Page:
    """One place where the file may be: ``http`` or, with ``tls``, ``https``."""

    endpoint: Endpoint
    tls: bool

    def __str__(self) -> str:
        host = self.endpoint.name or str(self.endpoint).rpartition(":")[0]
        scheme = "https" if self.tls else "http"
        return f"{scheme}://{host}:{self.endpoint.port}{PATH}"


@dataclass(frozen=True, slots=True)
class Claim:
    """One target, and where its proof may stand."""

    range: str
    dns_name: str
    pages: tuple[tuple[Page, ...], ...] = ()
    """For each address its pages, any of which proves it; empty where a file would prove nothing."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether control of one target is proved."""

    claim: Claim
    proof: str | None
    """Where the token was found; None if it was not."""
    tried: tuple[str, ...] = field(default=())
    """What was looked at in vain, each with its reason."""


def token(scope: Scope) -> str:
    """What to publish: ``leadglass-scope=`` and 32 hexadecimal digits.

    The first half of the SHA-256 of the authorisation, the limits, the targets and the exclusions as canonical JSON.
    """
    text = json.dumps(_authorised(scope), sort_keys=True, separators=(",", ":"))
    return f"leadglass-scope={hashlib.sha256(text.encode()).hexdigest()[:32]}"


def proves(texts: Iterable[str], wanted: str) -> bool:
    """Whether one of ``texts`` is the token, alone on a line."""
    return any(line.strip() == wanted for text in texts for line in text.splitlines())


def claims(scope: Scope) -> tuple[Claim, ...]:
    """What there is to prove: every range and name of the scope once, names with their pinned addresses."""
    answers = dict(scope.pins or ())
    ports: dict[Range, set[int]] = {}
    for rule in scope.rules:
        ports.setdefault(rule.range, set()).update(rule.ports)
    return tuple(_claim(scope, range_, ports[range_], answers) for range_ in ports)


def prove(
    scope: Scope, texts: Callable[[str], Sequence[str]], fetch: Callable[[Page], str]
) -> Iterator[Outcome]:
    """Look for the proof of each claim: first in DNS, then on the servers.

    ``texts`` returns the TXT records at a name, ``fetch`` the text of a page; what they raise as
    ``LeadglassError`` is a reason, not the end.
    """
    wanted = token(scope)
    for claim in claims(scope):
        tried: list[str] = []
        proof = _by_dns(claim, wanted, texts, tried) or _by_pages(claim, wanted, fetch, tried)
        yield Outcome(claim, proof, tuple(tried))


def _by_dns(claim: Claim, wanted: str, texts: Callable[[str], Sequence[str]], tried: list[str]) -> str | None:
    where = f"TXT at {claim.dns_name}"
    try:
        records = texts(claim.dns_name)
    except LeadglassError as exc:
        tried.append(f"{where}: {exc.what}")
        return None
    if proves(records, wanted):
        return where
    tried.append(f"{where}: {'another text' if records else 'no such record'}")
    return None


def _by_pages(claim: Claim, wanted: str, fetch: Callable[[Page], str], tried: list[str]) -> str | None:
    found: list[str] = []
    for pages in claim.pages:
        shown = next((str(page) for page in pages if _shows(page, wanted, fetch, tried)), None)
        if shown is None:
            return None
        found.append(shown)
    return ", ".join(dict.fromkeys(found)) or None


def _shows(page: Page, wanted: str, fetch: Callable[[Page], str], tried: list[str]) -> bool:
    try:
        if proves([fetch(page)], wanted):
            return True
    except LeadglassError as exc:
        tried.append(f"{page}: {exc.what}")
        return False
    tried.append(f"{page}: another text")
    return False


def _claim(
    scope: Scope, range_: Range, ports: Collection[int], answers: Mapping[str, tuple[str, ...]]
) -> Claim:
    if isinstance(range_, str):
        pages = _pages(scope, answers.get(range_, ()), ports, range_)
        return Claim(range_, f"_leadglass.{range_}", pages)
    dns_name = f"_leadglass.{_reverse_zone(range_)}"
    if range_.num_addresses > 1:
        return Claim(str(range_), dns_name)
    address = str(range_.network_address)
    return Claim(address, dns_name, _pages(scope, [address], ports, None))


def _pages(
    scope: Scope, addresses: Iterable[str], ports: Collection[int], name: str | None
) -> tuple[tuple[Page, ...], ...]:
    # An address that the scope refuses is no target; the others must all show the file.
    touched = [a for a in addresses if any(scope.depth(a, port) is not None for port in ports)]
    web = [(port, tls) for port, tls in _WEB_PORTS.items() if port in ports]
    return tuple(tuple(Page(Endpoint(address, port, name), tls) for port, tls in web) for address in touched)


def _reverse_zone(network: Network) -> str:
    """The reverse zone at the last label boundary around ``network``."""
    step = 8 if network.version == 4 else 4
    kept = network.prefixlen // step
    labels = network.network_address.reverse_pointer.split(".")
    whole = network.max_prefixlen // step
    return ".".join(labels[whole - kept :])


def _authorised(scope: Scope) -> object:
    authorisation, limits = scope.authorisation, scope.limits
    return {
        "basis": authorisation.basis.value,
        "granted_by": authorisation.granted_by,
        "contact": authorisation.contact,
        "reference": authorisation.reference,
        "valid_until": str(authorisation.valid_until),
        "deepest": limits.deepest.word,
        "rate": limits.rate,
        "connections_per_endpoint": limits.connections_per_endpoint,
        "concurrent_per_host": limits.concurrent_per_host,
        "hours": limits.hours_text,
        "targets": sorted(
            [str(rule.range), ports_text(rule.ports), rule.deepest.word, rule.called_ae or ""]
            for rule in scope.rules
        ),
        "exclude": sorted(str(exclusion.range) for exclusion in scope.exclusions),
    }
