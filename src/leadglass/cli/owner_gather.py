"""``leadglass owner gather``: what is around the servers of a stored scan, found out once and kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from leadglass import wiring
from leadglass.cli import load
from leadglass.cli.database import DatabaseOption
from leadglass.cli.owner_options import (
    Ask,
    AskOption,
    BootstrapOption,
    MmdbOption,
    NameserverOption,
    PlainOption,
    nameserver_of,
)
from leadglass.cli.storing import opened
from leadglass.cli.terminal import complain, write
from leadglass.errors import UsageError
from leadglass.judge.signs import Surroundings
from leadglass.model.endpoint import Endpoint
from leadglass.owner.clues import Clue
from leadglass.owner.gather import Asked, announced
from leadglass.owner.gather import gather as gathered
from leadglass.owner.natures import around
from leadglass.store.counting import servers
from leadglass.store.database import Database
from leadglass.store.scans import StoredScan, find
from leadglass.store.surroundings import Announced, announce, keep
from leadglass.wiring.storage import default_database

__all__ = ["gather"]

_AT_ONCE = 200
"""Addresses in one transaction: what was found out is kept, whatever happens later."""


class _Found(NamedTuple):
    """What came of it."""

    servers: int = 0
    named: int = 0
    unknown: int = 0


def gather(
    scan: Annotated[
        str,
        typer.Option(metavar="SCAN", help="A stored scan: its identifier, the end of it, or last."),
    ] = "last",
    ask: AskOption = None,
    domain: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="With dns-sd: a domain in which a name of the scan's scope lies. Again for more.",
            show_default=False,
        ),
    ] = None,
    mmdb: MmdbOption = None,
    nameserver: NameserverOption = None,
    bootstrap: BootstrapOption = None,
    plain: PlainOption = False,
    database: DatabaseOption = None,
) -> None:
    """Find out what is around the servers of a stored scan, and keep it for the survey.

    Third parties are asked only if they are named, DNS-SD only within the scope's own names.

    Example: leadglass owner gather --scan last --ask dns --mmdb asn.mmdb
    """
    asked = set(ask or ())
    if not asked and not mmdb:
        raise UsageError(
            "nobody may be asked", then="give --ask dns, rdap or dns-sd, or a database with --mmdb"
        )
    with opened(database) as store:
        stored = find(store, scan)
        domains = _domains(stored, domain or (), wanted=Ask.DNS_SD in asked)
        with load("leadglass.wiring.owning", extra="owner").asking(
            dns=bool(asked & {Ask.DNS, Ask.DNS_SD}),
            nameserver=None if nameserver is None else nameserver_of(nameserver),
            rdap=Ask.RDAP in asked,
            bootstrap=bootstrap,
            plain=plain,
            cache=Path(default_database()).parent / "registries.json",
            databases=mmdb or (),
        ) as open_:
            if Ask.DNS_SD in asked:
                _announced(store, domains, open_)
            if asked - {Ask.DNS_SD} or mmdb:
                _tell(_around(store, stored, open_ if Ask.DNS in asked else replace(open_, names=None)))


def _around(store: Database, scan: StoredScan, asked: Asked) -> _Found:
    found = _Found()
    waiting: dict[str, Surroundings] = {}
    now = int(wiring.clock().posix())
    # All of them first: who is asked takes long, and a database is not read for so long.
    for address in [server.address for server in servers(store, scan) if server.face is not None]:
        told = list(gathered(address, asked))
        clues = [one for one in told if isinstance(one, Clue)]
        if clues:
            waiting[address] = around(clues)
        found = _Found(
            found.servers + 1,
            found.named + bool(clues),
            found.unknown + sum(isinstance(one, str) for one in told),
        )
        if len(waiting) >= _AT_ONCE:
            keep(store, waiting, now)
            waiting.clear()
    keep(store, waiting, now)
    return found


def _announced(store: Database, domains: Sequence[str], asked: Asked) -> None:
    assert asked.names is not None
    found: list[Announced] = []
    for domain in domains:
        for one in announced(domain, asked.names):
            if isinstance(one, str):
                complain(f"not known: {one}")
            else:
                found.append(Announced(one[0], one[1], one[2], domain))
    announce(store, domains, found, int(wiring.clock().posix()))
    for each in found:
        write(f"{Endpoint(each.address, each.port)} is announced as {each.service}.{each.domain}\n")
    write(f"{len(domains)} of the scope's names asked, {len(found)} endpoints are announced as DICOM\n")


def _domains(scan: StoredScan, given: Sequence[str], *, wanted: bool) -> Sequence[str]:
    """The names of the scan's scope, and the ``given`` domains around them."""
    names = sorted(json.loads(scan.plan.pins))
    if given and not wanted:
        raise UsageError("--domain has no meaning here", then="add --ask dns-sd, or leave it out")
    if wanted and not names:
        raise UsageError(
            "the scope of this scan has no names", where="--ask dns-sd", then="there is nobody to ask"
        )
    domains = [domain.rstrip(".").lower() for domain in given]
    for domain in domains:
        if "." not in domain or not any(name == domain or name.endswith(f".{domain}") for name in names):
            raise UsageError(
                "no name of the scan's scope lies in it",
                where=f"--domain {domain[:60]}",
                then="ask its own names",
            )
    return [*names, *(domain for domain in domains if domain not in names)]


def _tell(found: _Found) -> None:
    write(f"{found.servers:,} servers; something is known around {found.named:,} of them\n")
    if found.unknown:
        complain(f"{found.unknown:,} questions were not answered")
