"""A new guard's files: a commented ``guard.toml`` that is valid as it stands, and a folder for policies."""

from __future__ import annotations

import json
from dataclasses import dataclass

from leadglass.guard.enrol.firewall import is_here
from leadglass.settings.guard import Address

__all__ = ["POLICY", "Draft", "guard_text"]


@dataclass(frozen=True, slots=True)
class Draft:
    """What a new ``guard.toml`` is made from."""

    name: str
    archive: Address
    title: str
    hosts: tuple[str, ...]
    """The names and addresses by which clients reach the guard."""
    web: str | None = None
    """The archive's DICOMweb root."""
    sends_from: tuple[str, ...] = ()
    """Where the archive's own associations come from; none: it cannot send."""
    database: str = "guard.sqlite"


_FILE = """\
# A lock before an archive that has none. Paths begin where this file lies.
# Every key: docs/reference/guard-file.md
name = {name}  # names this guard in its certificate and in audit messages

[archive]
title = {title}  # the AE title that clients call; titles = ["A", "B"] for more than one
address = {address}
# tls = true  # with ca = "archive-ca.pem", and certificate and key if it asks for them
# own_title = "LEADGLASS"  # the guard's own AE title, when it asks the archive itself
# query = false  # for an archive that only stores
{web}
# web_user = "guard"  # where the archive asks for a password
# web_password_file = "archive-password"
{ca}{sends_from}

[listen]
names = {hosts}  # by which clients reach the guard
dicom = "0.0.0.0:2762"  # mutual TLS
# plain = "0.0.0.0:11112"  # for what was enrolled with --plain, from its own address only
{listen_web}
# web_origins = ["https://viewer.example.org"]  # viewers in a browser that come with a token
{from_archive}
# health = "127.0.0.1:9117"

[tls]
profile = "BCP195"  # PS3.15 B.12; "strict": B.13
certificate = "server.pem"
key = "server.key"
ca = "ca.pem"
ca_key = "ca.key"  # needed to enrol, never to run: it may be kept elsewhere

[policy]
folder = "policy"  # the site's own *.cedar, in addition to the ready roles
grace = "8h"  # so long enrolled devices and break-glass go on while a service is away
# timezone = "Europe/Berlin"  # in which policies read the hour, the weekday and today's date

# [identity]  # persons by token
# issuer = "https://login.example.org/realms/hospital"
# audience = "pacs"
# roles_claim = "roles"

# [budgets]  # the most that one principal may have in a window
# window = "1h"
# queries = 1000
# studies = 500
# bytes = "200GB"

[audit]
directory = "audit"
# syslog = "collector.example.org:6514"  # RFC 5425; syslog_ca = "collector.pem"

[state]
database = {database}  # postgresql://... is shared by several guards

# [limits]
# connections = 512
# per_address = 32
# idle = "60s"
# workers = 0  # 0: one for each core
"""

POLICY = """\
// Who may do what, in addition to the ready roles (see docs/reference/policy.md). What nothing permits is
// denied; what a rule forbids is denied even if others permit it. Rules are in the language Cedar.
//
// Example: nobody reads from outside of working hours, but in an emergency.
//
// @id("no-reading-at-night")
// forbid (
//   principal is Person,
//   action in [Action::"find", Action::"move", Action::"get", Action::"qido", Action::"wado"],
//   resource
// )
// when { context.hour < 6 || context.hour >= 20 }
// unless { context has emergency };
"""
"""The file ``policy/site.cedar``: comments only."""


def guard_text(draft: Draft) -> str:
    """The file's text; ``settings.guard_file.read_guard`` says whether its values make sense."""
    return _FILE.format(
        name=_text(draft.name),
        title=_text(draft.title),
        address=_text(str(draft.archive)),
        web=_key("web", draft.web, "http://127.0.0.1:8042/dicom-web", "its DICOMweb root"),
        ca=_authority(draft),
        sends_from=_listed(draft),
        hosts=_list(draft.hosts),
        listen_web=_key("web", "0.0.0.0:8443" if draft.web else None, "0.0.0.0:8443", "DICOMweb over TLS"),
        from_archive=_from_archive(draft),
        database=_text(draft.database),
    )


def _key(key: str, value: str | None, example: str, meaning: str) -> str:
    mark = "# " if value is None else ""
    return f"{mark}{key} = {_text(value or example)}  # {meaning}"


def _authority(draft: Draft) -> str:
    if not (draft.web or "").startswith("https://"):
        return ""
    return 'ca = "archive-ca.pem"  # put the certificates here that vouch for the archive\n'


def _listed(draft: Draft) -> str:
    mark = "" if draft.sends_from else "# "
    networks = _list(draft.sends_from or ("192.0.2.1",))
    return f"{mark}sends_from = {networks}  # where associations come from that it opens itself"


def _from_archive(draft: Draft) -> str:
    value = "127.0.0.1:11113" if is_here(draft.archive) else "0.0.0.0:11113"
    meaning = "what the archive sends: it must have this as the address of every C-MOVE destination"
    return _key("from_archive", value if draft.sends_from else None, value, meaning)


def _list(values: tuple[str, ...]) -> str:
    return f"[{', '.join(map(_text, values))}]"


def _text(value: str) -> str:
    # A TOML basic string is a JSON string, but for DEL, which JSON lets stand (TOML 1.0, String).
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
