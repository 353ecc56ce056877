"""The mail file: by which server notices are sent. There is none unless somebody writes one."""

from __future__ import annotations

import re
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, WithJsonSchema

from leadglass.errors import ConfigError
from leadglass.settings import kinds
from leadglass.settings.kinds import Table, Text
from leadglass.settings.toml_file import TomlFile

__all__ = ["MailFile", "Mailbox", "is_mailbox", "read_mail"]

_MAILBOX = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?"
)
_LAST_PORT = 65535


def is_mailbox(text: str) -> bool:
    """Whether it is one plain address (RFC 5321 4.1.2), without a name, quotes or a line end."""
    return _MAILBOX.fullmatch(text) is not None


def _mailbox(value: str) -> str:
    if not is_mailbox(value):
        raise ValueError("must be one address such as abuse@example.org")
    return value


def _port(value: int) -> int:
    if not 0 < value <= _LAST_PORT:
        raise ValueError("must be a port")
    return value


Mailbox: TypeAlias = Annotated[
    str, AfterValidator(_mailbox), WithJsonSchema({"type": "string", "format": "email"})
]
Port: TypeAlias = Annotated[
    int, AfterValidator(_port), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": _LAST_PORT})
]


class MailFile(Table):
    """The whole file. STARTTLS is always asked for, so there is no key for it."""

    host: Text
    sender: Mailbox
    port: Port = 587
    user: Text | None = None
    password_file: Text | None = None
    """Seen from the folder of this file, as ``ca_file`` is."""
    ca_file: Text | None = None
    """Whose certificates are believed, instead of the system's."""


def read_mail(text: str, filename: str) -> MailFile:
    """The mail file in ``text``; ``ConfigError`` names the line of what is wrong."""
    file = TomlFile(text, filename, MailFile, _hint, ConfigError)
    if (file.values.user is None) != (file.values.password_file is None):
        file.fail(("user",), "user and password_file belong together")
    return file.values


def _hint(table: str, key: str) -> str:
    return kinds.key_hint({"": MailFile}, table, key)
