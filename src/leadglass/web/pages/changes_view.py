"""What is not as it was, one line an endpoint."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from leadglass.model.verdict import Severity
from leadglass.store.diff import Change, Kind
from leadglass.store.server_rows import ServerRow
from leadglass.web.pages.lines import stranger_can
from leadglass.web.pages.telling import address_of, server_path

__all__ = ["ChangeLine", "change_line", "change_lines", "new_line"]

_TITLES = {Kind.APPEARED: "Answers:", Kind.GONE: "Gone:", Kind.CHANGED: "Changed:", Kind.MOVED: "Moved:"}


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One endpoint, or one new server."""

    title: str
    at: str
    """Address, or address and port."""
    href: str
    severity: Severity
    """As it is now."""
    says: str


def change_line(change: Change) -> ChangeLine:
    """The line of one change."""
    title = _TITLES[change.kind]
    if change.after and change.before and change.after.severity is not change.before.severity:
        worse = change.after.severity.rank < change.before.severity.rank
        title = f"{'Worse' if worse else 'Better'}, now {change.after.severity}:"
    return ChangeLine(
        title=title,
        at=address_of(change.endpoint),
        href=server_path(change.endpoint.address),
        severity=change.after.severity if change.after else Severity.NONE,
        says=_says(change),
    )


def change_lines(changes: Iterable[Change]) -> tuple[ChangeLine, ...]:
    """The lines of ``changes``."""
    return tuple(change_line(change) for change in changes)


def new_line(row: ServerRow) -> ChangeLine:
    """The line of a server that was seen for the first time."""
    says = f"a stranger {stranger_can(row.access)} (port {row.port})"
    return ChangeLine(
        f"New server, {row.severity}:", row.address, server_path(row.address), row.severity, says
    )


def _says(change: Change) -> str:
    before, after = change.before, change.after
    if after is None:
        return "nobody looked at it this time"
    now = f"a stranger {stranger_can(after.access)}"
    if before is not None and before.access is after.access:
        return f"{now}, as before; other evidence: {', '.join(change.facts[:3]) or 'none'}"
    came = f"; it was at {address_of(change.came_from)}" if change.came_from else ""
    return f"{now}; before: {before.access if before else 'not looked at'}{came}"
