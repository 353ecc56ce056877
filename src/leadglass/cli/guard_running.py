"""``leadglass guard run``, ``edge`` and ``explain``: what a guard does all day, and why."""

from __future__ import annotations

import ipaddress
import signal
from pathlib import Path
from typing import Annotated

import typer

from leadglass.cli import load
from leadglass.cli.ending import stop_on_signals
from leadglass.cli.guard_options import CONFIG, ConfigOption, is_address
from leadglass.cli.terminal import complain, write
from leadglass.errors import UsageError
from leadglass.model.access import Action
from leadglass.settings.guard import Address
from leadglass.settings.guard_kinds import address as read_address
from leadglass.wire.uids import is_valid
from leadglass.wiring.guard_setup import read_site

__all__ = ["edge", "explain", "run"]


def run(config: ConfigOption = CONFIG) -> None:
    """Open the guard's doors, until SIGTERM or Ctrl-C; those inside then have 30 seconds to finish.

    SIGHUP reads certificates and policies anew; policies and the roll are looked at every second anyway.

    Example: leadglass guard run --config /etc/leadglass/guard
    """
    guard = load("leadglass.wiring.guard_run", extra="guard").Guard(read_site(config))
    with stop_on_signals() as signals:
        signals.tell(guard.stop)
        signal.signal(signal.SIGHUP, lambda *_: guard.reload())
        guard.run()


def edge(
    guard: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where the guard is.")],
    certificate: Annotated[Path, typer.Option(help="The device's certificate, from guard enrol.")],
    key: Annotated[Path, typer.Option(help="Its key.")],
    ca: Annotated[Path, typer.Option(help="The guard's authority.")],
    device: Annotated[
        list[str],
        typer.Option("--from", metavar="NETWORK", help="The device's address or network; may be repeated."),
    ],
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where the device sends to.")
    ] = "127.0.0.1:11112",
    name: Annotated[
        str | None, typer.Option(help="The name in the guard's certificate; that of --guard if not given.")
    ] = None,
) -> None:
    """Beside a device that knows nothing of TLS: take its plain DICOM, and speak mutual TLS to the guard.

    Example: leadglass guard edge --guard guard.example.org:2762 --from 192.0.2.7 --certificate ct.pem --key ct.key --ca ca.pem
    """
    module = load("leadglass.wiring.guard_aside", extra="guard")
    papers = (str(certificate), str(key), str(ca))
    here, there = _address(listen, "--listen"), _address(guard, "--guard")
    module.edge(here, _networks(device), there, papers, name, complain)


def explain(
    who: Annotated[str, typer.Option("--as", metavar="WHO", help="An enrolled name, or a person's.")],
    action: Annotated[Action, typer.Option("--do", help="What would be done.")],
    study: Annotated[
        str | None,
        typer.Option("--on", metavar="UID", help="Study Instance UID; the service itself if not given."),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="ADDRESS", help="The address it would come from, if not where it is enrolled."
        ),
    ] = None,
    config: ConfigOption = CONFIG,
) -> None:
    """Say whether the guard would allow something, by which rule, without doing it.

    Exit code 0: allowed; 1: denied.

    Example: leadglass guard explain --as ct-1 --do store --on 1.2.840.113619.2.1
    """
    if study is not None and not is_valid(study):
        raise UsageError(f"{study!r} is no UID", where="--on")
    if address is not None and not is_address(address):
        raise UsageError(f"{address!r} is no address", where="--from", then="write it as 192.0.2.7")
    module = load("leadglass.wiring.guard_aside", extra="guard")
    lines = module.explained(read_site(config), who, action, study, address)
    write("".join(f"{line}\n" for line in lines))
    if lines[0].startswith("denied"):
        raise typer.Exit(1)


def _address(text: str, option: str) -> Address:
    try:
        return read_address(text)
    except ValueError as exc:
        raise UsageError(str(exc), where=option) from exc


def _networks(texts: list[str]) -> list[str]:
    try:
        return [str(ipaddress.ip_network(text)) for text in texts]
    except ValueError as exc:
        raise UsageError(str(exc), where="--from", then="write it as 192.0.2.7 or 192.0.2.0/28") from exc
