"""Has the register's head time-stamped, and judges the stamps that it has. Needs the extra ``stamp``."""

from __future__ import annotations

from leadglass import __version__
from leadglass.errors import ConfigError, UsageError
from leadglass.ledger.verify import Broken, verify
from leadglass.model.register import Stamp
from leadglass.net.timestamp import ask
from leadglass.register.codec import as_change
from leadglass.register.stamped import Judge
from leadglass.register.stamping import accepted, judge_of, question_about, roots_of
from leadglass.store.database import Database
from leadglass.store.register import head_of, lines_of, write_down

__all__ = ["judge", "stamp"]


def stamp(database: Database, authority: str, roots: bytes, where: str, by: str) -> Stamp:
    """Ask the authority at a URL to stamp the head, and enter what it answers; ``roots`` is PEM, found at ``where``.

    ``ConfigError`` if the chain is not whole, ``UsageError`` if it is empty, ``TransportError`` if the authority is
    not reached, ``RemoteProtocolError`` if what it answers is not to be believed: nothing is entered then.
    """
    believed = roots_of(roots, where)
    asked = question_about(_last(database))
    answer = ask(authority, asked.request, f"leadglass/{__version__}")
    found = accepted(asked, answer, authority, believed)
    write_down(database, by, [as_change(found, "time stamp")])
    return found


def judge(roots: bytes | None, where: str) -> Judge:
    """Judges stamps against the certificates in ``roots``; None: only what they say."""
    return judge_of(None if roots is None else roots_of(roots, where))


def _last(database: Database) -> bytes:
    """The newest entry of a chain that is whole."""
    head = head_of(database)
    kept = list(lines_of(database))
    result = verify(kept, head)
    if isinstance(result, Broken):
        raise ConfigError(
            f"the register is broken at entry {result.n:,}",
            where=database.where,
            then="leadglass register verify tells more",
        )
    if not kept:
        raise UsageError(
            "there is no entry yet", where=database.where, then="leadglass register add makes one"
        )
    return kept[-1]
