"""Puts a notice together: who says so, and when."""

from __future__ import annotations

import datetime as dt

from leadglass import wiring
from leadglass.errors import ScopeError
from leadglass.model.notice import Sender
from leadglass.settings.scope_file import ScopeFile, key_hint
from leadglass.settings.toml_file import TomlFile

__all__ = ["sender_of", "today"]


def today() -> dt.date:
    """The day, UTC."""
    return dt.datetime.fromtimestamp(wiring.clock().posix(), dt.UTC).date()


def sender_of(text: str, filename: str) -> Sender:
    """Who looked, by a scope file's ``text``, which need not be in force any more; ``ScopeError`` names the line."""
    file = TomlFile(text, filename, ScopeFile, key_hint, ScopeError).values
    leave = file.authorisation
    return Sender(
        name=leave.granted_by,
        contact=leave.contact,
        url=file.identity.url,
        calling_ae=file.identity.calling_ae,
        basis=leave.basis,
        reference=leave.reference or file.name,
    )
