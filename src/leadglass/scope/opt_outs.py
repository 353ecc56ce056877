"""Those who asked to be left alone become exclusions of the scope, in its own text.

So whoever has the text, a worker on another machine or a scan that is resumed, has them too; and a
scope whose opt-outs were not put in is refused by ``scope.parse``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from leadglass.errors import ScopeError
from leadglass.scope.parse import parse_range
from leadglass.settings.opt_out_file import OptOutFile, OptOutTable, key_hint
from leadglass.settings.scope_file import ScopeFile
from leadglass.settings.scope_file import key_hint as scope_hint
from leadglass.settings.toml_file import TomlFile

__all__ = ["merged", "named_in", "opt_outs"]


def named_in(text: str, filename: str) -> str | None:
    """The list that the scope ``text`` names; ``ScopeError`` as in ``scope.parse``."""
    return TomlFile(text, filename, ScopeFile, scope_hint, ScopeError).values.opt_outs


def opt_outs(text: str, filename: str) -> Sequence[OptOutTable]:
    """The entries of a list; ``ScopeError`` names the line of what is wrong. Nothing is skipped."""
    file = TomlFile(text, filename, OptOutFile, key_hint, ScopeError)
    for number, entry in enumerate(file.values.opt_out):
        file.attempt(("opt_out", number, "range"), parse_range, entry.range)
    return file.values.opt_out


def merged(text: str, filename: str, entries: Sequence[OptOutTable]) -> str:
    """The scope ``text`` with ``entries`` as exclusions, and without the key that names their list.

    ``ScopeError`` if the exclusions of the scope are written as one value, to which nothing can be added.
    """
    file = TomlFile(text, filename, ScopeFile, scope_hint, ScopeError)
    lines = text.split("\n")
    number = file.line(("opt_outs",)) - 1
    lines[number] = f"# {lines[number]}"
    if entries and file.values.exclude and "[[exclude]]" not in text.replace(" ", ""):
        file.fail(("exclude",), "opt-outs cannot be added to a list in brackets", "write [[exclude]] tables")
    return "\n".join([*lines, *map(_table, entries), ""])


def _table(entry: OptOutTable) -> str:
    by = "not verified yet" if entry.verified == "pending" else f"verified by {entry.verified}"
    reason = json.dumps(f"opted out: {entry.asked_by}, {entry.asked_on}, {by}", ensure_ascii=False)
    return f"\n[[exclude]]\nrange = {json.dumps(entry.range)}\nreason = {reason}"
