"""Writes down what a request did, or tried to do: who, what, on what, from where, and with which outcome."""

from __future__ import annotations

import logging

from leadglass.report.safe import visible
from leadglass.store.actions import Action, note_action
from leadglass.web.site import Site
from leadglass.web.visit import Via, Visit

__all__ = ["outcome_of", "write_down"]

_MOST_ON, _MOST_DETAIL, _MOST_WHO = 200, 500, 64
_LOG = logging.getLogger(__name__)


def write_down(site: Site, visit: Visit, action: str, on: str, outcome: str) -> None:
    """Append it to the chain; ``ResourceError`` if that cannot be written."""
    visitor, deed = visit.visitor, visit.deed
    done = Action(
        who=_cut(deed.who or visitor.name, _MOST_WHO),
        via=visitor.via.value if visitor.via is not Via.TOKEN else f"token {visitor.credential}",
        what=action,
        on=_cut(deed.on or on, _MOST_ON),
        outcome=outcome,
        address=visitor.address,
        detail=_cut(deed.detail, _MOST_DETAIL),
    )
    note_action(site.database, done)
    _LOG.info(
        "%s %s %s by %s from %s", done.what, done.on, outcome, done.who or "a stranger", visitor.address
    )


def outcome_of(status: int) -> str:
    """What an answer with this status came to."""
    if status < 400:
        return "done"
    return "refused" if status in {401, 403, 409, 413, 422, 429} else "failed"


def _cut(text: str, most: int) -> str:
    """Text that shows what is in it, at most ``most`` characters of it."""
    shown = visible(text)
    return shown if len(shown) <= most else shown[: most - 1] + "…"
