"""``leadglass guard enrol``, ``renew``, ``revoke``: who has a key to the lock, and until when."""

from __future__ import annotations

import ipaddress
from typing import Annotated

import typer

from leadglass.cli.guard_options import (
    CONFIG,
    REASON,
    ConfigOption,
    InstitutionsOption,
    LabelsOption,
    RolesOption,
    choice,
    day,
    last_second,
    name_of,
    now,
    shown_time,
    texts,
)
from leadglass.cli.terminal import complain, write
from leadglass.errors import UsageError
from leadglass.model.access import Kind
from leadglass.model.enrolment import Enrolled
from leadglass.settings import guard_kinds as kinds
from leadglass.settings.titles import ae_title
from leadglass.wiring import guard_setup
from leadglass.wiring.guard_setup import Enrolment, Site

__all__ = ["enrol", "renew", "require_roles", "revoke"]

_DAY = 86_400
_YEAR = 365
_TIME_BOXED = "service-engineer"

_Name = Annotated[str, typer.Argument(help="Its name, for you and for the audit.", show_default=False)]
_Titles = Annotated[
    list[str] | None,
    typer.Option("--ae", metavar="TITLE", help="An AE title it may use; may be repeated."),
]
_Networks = Annotated[
    list[str] | None,
    typer.Option("--from", metavar="NET", help="An address or range it is heard from; may be repeated."),
]
_Days = Annotated[int, typer.Option(min=1, max=3650, help="How long the certificate is valid.")]
_Rsa = Annotated[bool, typer.Option("--rsa", help="An RSA key, for a device that knows nothing else.")]


def enrol(
    name: _Name,
    ae: _Titles = None,
    from_: _Networks = None,
    kind: Annotated[str, typer.Option(metavar="KIND", help="device, service or person.")] = "device",
    role: RolesOption = None,
    listens: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Where it listens, for what the archive sends to it."),
    ] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="It knows no TLS: no certificate, from single addresses only.")
    ] = False,
    until: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="The last day on which it is let in.")
    ] = None,
    modality: Annotated[
        list[str] | None, typer.Option(metavar="CODE", help="What it produces, as CT; may be repeated.")
    ] = None,
    institution: InstitutionsOption = None,
    label: LabelsOption = None,
    vouches_for: Annotated[
        list[str] | None,
        typer.Option(metavar="USER", help="A user whose name alone it may send; may be repeated."),
    ] = None,
    days: _Days = _YEAR,
    rsa: _Rsa = False,
    config: ConfigOption = CONFIG,
) -> None:
    """Let a device, a service or a person in: writes its certificate, prints its configuration.

    Example: leadglass guard enrol ct-1 --ae CT1 --from 192.0.2.7 --role modality --modality CT
    """
    site = guard_setup.read_site(config)
    entry = Enrolled(
        name=name_of(name),
        kind=_kind(kind),
        titles=tuple(dict.fromkeys(_title(title) for title in ae or ())),
        networks=tuple(dict.fromkeys(_network(network, plain=plain) for network in from_ or ())),
        roles=texts(role, "--role"),
        institutions=texts(institution, "--institution"),
        modalities=choice(modality, "--modality"),
        labels=texts(label, "--label"),
        users=texts(vouches_for, "--vouches-for"),
        address=_address(listens),
        address_tls=not plain,
        plain=plain,
        until=None if until is None else last_second(day(until, "--until")),
    )
    _require_whole(entry)
    require_roles(site, entry.roles)
    done = guard_setup.enrol(site, entry, until=now() + days * _DAY, rsa_keys=rsa)
    _tell(entry.name, done)
    if not entry.roles:
        complain(f"{entry.name} has no role: it may do nothing until the site's own policies name it")


def renew(
    name: Annotated[
        str | None,
        typer.Argument(help="The enrolled name; the guard itself if not given.", show_default=False),
    ] = None,
    days: _Days = _YEAR,
    rsa: _Rsa = False,
    config: ConfigOption = CONFIG,
) -> None:
    """Issue a new certificate with a new key; one that was issued before stays valid until its end.

    Example: leadglass guard renew ct-1
    """
    site = guard_setup.read_site(config)
    if name is None:
        write(f"The guard's own certificate is valid until {shown_time(guard_setup.renew_own(site))}.\n")
        return
    _tell(name, guard_setup.renew(site, name_of(name), until=now() + days * _DAY, rsa_keys=rsa))


def revoke(
    name: _Name,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, for you and for the audit.")] = "revoked",
    config: ConfigOption = CONFIG,
) -> None:
    """Let it in no more: all its certificates are revoked, and its AE titles are free again.

    Example: leadglass guard revoke ct-1 --reason "sold"
    """
    site = guard_setup.read_site(config)
    (why,) = texts([reason], "--reason", REASON)
    count, trouble = guard_setup.revoke(site, name_of(name), why)
    write(f"{name} is let in no more; {count} certificate{'' if count == 1 else 's'} revoked.\n")
    if trouble is not None:
        complain(f"{site.settings.tls.crl} is not up to date for other programs: {trouble}")


def require_roles(site: Site, roles: tuple[str, ...]) -> None:
    """``UsageError`` for a role that no policy speaks of: it would silently permit nothing."""
    for role in roles:
        if not guard_setup.knows_role(site, role):
            raise UsageError(
                f"no policy speaks of the role {role!r}",
                where="--role",
                then=f"see docs/reference/policy.md, or write it into {site.settings.policy.folder} first",
            )


def _require_whole(entry: Enrolled) -> None:
    if not entry.networks:
        raise UsageError("--from is missing", then="say from which address it comes, as --from 192.0.2.7")
    if not entry.titles and (entry.kind is not Kind.PERSON or entry.plain):
        raise UsageError("--ae is missing", then="say which AE title it uses, as --ae CT1")
    if entry.address is not None and not entry.titles:
        raise UsageError("what listens needs an AE title", where="--listens", then="add --ae TITLE")
    if entry.until is not None and entry.until <= now():
        raise UsageError("that day is over", where="--until")
    if entry.until is None and _TIME_BOXED in entry.roles:
        raise UsageError(f"a {_TIME_BOXED} is let in for a time only", then="add --until YYYY-MM-DD")


def _kind(text: str) -> Kind:
    try:
        return Kind(text.capitalize())
    except ValueError as exc:
        raise UsageError(
            f"{text!r} is no kind", where="--kind", then="say device, service or person"
        ) from exc


def _title(text: str) -> str:
    try:
        return ae_title(text)
    except ValueError as exc:
        raise UsageError(str(exc), where="--ae") from exc


def _network(text: str, *, plain: bool) -> str:
    try:
        network = kinds.network(text)
    except ValueError as exc:
        raise UsageError(str(exc), where="--from") from exc
    if plain and ipaddress.ip_network(network).num_addresses > 1:
        raise UsageError(
            f"{text} is a range: without TLS, only a single address tells who it is",
            where="--from",
            then="name the device's address",
        )
    return network


def _address(text: str | None) -> str | None:
    try:
        return None if text is None else str(kinds.address(text))
    except ValueError as exc:
        raise UsageError(str(exc), where="--listens") from exc


def _tell(name: str, done: Enrolment) -> None:
    if done.folder is None or done.not_after is None:
        write(f"{name} is enrolled, without a certificate.\n\n{done.handout}")
        return
    write(
        f"{name} has a certificate until {shown_time(done.not_after)}. Carry this folder to it, and keep no copy of"
        f" the key:\n\n  {done.folder}\n\n{done.handout}"
    )
