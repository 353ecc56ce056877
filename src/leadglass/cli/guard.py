"""``leadglass guard``: sets a lock before an archive that has none, and says who has a key to it."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import Annotated

import typer

from leadglass.cli import guard_audit, guard_people
from leadglass.cli.asking import ask, words
from leadglass.cli.guard_enrol import enrol, renew, revoke
from leadglass.cli.guard_list import list_
from leadglass.cli.guard_options import CONFIG, ConfigOption, is_address
from leadglass.cli.guard_running import edge, explain, run
from leadglass.cli.terminal import complain, write
from leadglass.errors import ConfigError, UsageError
from leadglass.guard.enrol.firewall import nftables
from leadglass.guard.enrol.ready import peer_lines
from leadglass.guard.enrol.template import Draft
from leadglass.settings.guard import Address
from leadglass.settings.guard_kinds import address as read_address
from leadglass.settings.guard_kinds import host as read_host
from leadglass.settings.titles import ae_title
from leadglass.wiring.guard_setup import Site, asks_from, begin, read_site

__all__ = ["app", "firewall", "init"]

app = typer.Typer(help="A lock for archives that have none.", no_args_is_help=True)


@app.command()
def init(
    directory: Annotated[Path, typer.Argument(help="A new folder for the guard.")] = CONFIG.parent,
    name: Annotated[str | None, typer.Option(help="What the guard is called, in audit messages.")] = None,
    archive: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Where the archive speaks DICOM.")
    ] = None,
    title: Annotated[str | None, typer.Option(help="The AE title that clients call.")] = None,
    host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="A name or an address by which clients reach the guard; may be repeated."
        ),
    ] = None,
    web: Annotated[str | None, typer.Option(metavar="URL", help="The archive's DICOMweb root.")] = None,
    database: Annotated[
        str, typer.Option(metavar="PLACE", help="Where the roll is kept: a file, or a postgresql:// URL.")
    ] = "guard.sqlite",
    rsa: Annotated[
        bool, typer.Option("--rsa", help="RSA keys everywhere, for a site whose devices know nothing else.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: what has a default gets it.")] = False,
) -> None:
    """Write a guard's configuration, its authority and its certificate; what no option says is asked.

    Example: leadglass guard init --archive 127.0.0.1:4242 --title ORTHANC --host guard.example.org --yes
    """
    here = _own_name()
    found = ask(archive, "--archive", "Where the archive speaks DICOM (host:port)", read_address, silent=yes)
    draft = Draft(
        name=ask(name, "--name", "What the guard is called", words, f"{here} guard", silent=yes),
        archive=found,
        title=ask(title, "--title", "The AE title that clients call", ae_title, silent=yes),
        hosts=ask(
            " ".join(host or ()) or None,
            "--host",
            "The names and addresses by which clients reach the guard",
            _hosts,
            here,
            silent=yes,
        ),
        web=ask(web, "--web", "The archive's DICOMweb root (- if none)", _web, "-", silent=yes),
        sends_from=_sends_from(found),
        database=database,
    )
    site = begin(directory, draft, rsa_keys=rsa)
    if not draft.sends_from:
        complain(f"{site.file}: say in sends_from where the archive sends from, and open from_archive")
    write(_welcome(site, directory))


@app.command()
def firewall(
    guard: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS",
            help="From where the guard reaches an archive on another machine; may be repeated.",
        ),
    ] = None,
    config: ConfigOption = CONFIG,
) -> None:
    """Print nftables rules that leave the archive's own ports to the guard.

    Example: leadglass guard firewall | nft -f -
    """
    write(_rules(read_site(config), guard))


app.command()(run)
app.command()(enrol)
app.command()(renew)
app.command()(revoke)
app.command("list")(list_)
app.command()(guard_people.emergency)
app.command()(explain)
app.command()(edge)
app.add_typer(guard_audit.app, name="audit", help="Look something up in the audit trail, or check it.")
app.add_typer(guard_people.user, name="user", help="Persons whom the guard knows by name and passcode.")


def _own_name() -> str:
    """This machine's name, if others could call it by that."""
    try:
        return read_host(os.uname().nodename)
    except ValueError:
        return "localhost"


def _hosts(text: str) -> tuple[str, ...]:
    hosts = tuple(dict.fromkeys(map(read_host, text.replace(",", " ").split())))
    if not hosts:
        raise ValueError("at least one name or address is needed")
    return hosts


def _web(text: str) -> str | None:
    return None if text.strip() == "-" else text.strip()


def _sends_from(archive: Address) -> tuple[str, ...]:
    """An archive sends from where it listens. Where a name leads may change, so it is not looked up."""
    try:
        return (str(ipaddress.ip_address(archive.host)),)
    except ValueError:
        return ("127.0.0.1", "::1") if archive.host == "localhost" else ()


def _rules(site: Site, guards: list[str] | None) -> str:
    if guards is None:
        guards = [name for name in site.settings.listen.names if is_address(name)]
    try:
        canonical = [str(ipaddress.ip_address(guard)) for guard in guards]
    except ValueError as exc:
        raise UsageError(str(exc), where="--guard", then="write 192.0.2.1") from exc
    return nftables(site.settings.archive, canonical)


def _welcome(site: Site, directory: Path) -> str:
    config = "" if directory == CONFIG.parent else f" --config {site.file}"
    try:
        rules = _rules(site, None)
        asked = ""
    except ConfigError as exc:
        rules, asked = f"# {exc}\n", " --guard ADDRESS"
    title = site.settings.archive.own_title
    peer = "\n  ".join(peer_lines(title, asks_from(site)))
    return f"""\
{site.file} is written, with an authority, the guard's own certificate and an empty roll. Next:

  leadglass guard enrol{config} ct-1 --ae CT1 --from 192.0.2.7 --role modality --modality CT
  leadglass guard firewall{config}{asked} | nft -f -
  leadglass guard run{config}

The guard asks the archive about studies, as {title}: the archive has to take queries from it.
Orthanc; dcmqrscp (HostTable):

  {peer}

guard firewall leaves the archive's own ports to the guard. Where the archive runs, load:

{rules}"""
