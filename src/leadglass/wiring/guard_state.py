"""The guard's shared state in its database, and how a worker reaches it."""

from __future__ import annotations

from collections.abc import Mapping

from leadglass.access.budgets import Totals, read_totals
from leadglass.errors import ResourceError, TransportError
from leadglass.guard.moves import Move
from leadglass.model.enrolment import Roll
from leadglass.store.database import Database
from leadglass.store.guard_budgets import exchange_budgets
from leadglass.store.guard_moves import keep_move, kept_move
from leadglass.store.guard_roll import read_roll, roll_version

__all__ = ["KeptMoves", "SharedState"]


class SharedState:
    """``guard.worker.State`` over a database."""

    def __init__(self, database: Database, writer: str) -> None:
        """``writer`` names this process among all that share the database."""
        self._database = database
        self._writer = writer
        self._file = _file_of(database)

    def roll(self, known: int) -> Roll | None:
        """The roll if it has another version than the known one, or is another file's."""
        file = _file_of(self._database)
        if file != self._file:
            # An open file can be read after somebody has put another in its place, for ever the same.
            self._database.close()
            self._file = file
        elif roll_version(self._database) == known:
            return None
        return read_roll(self._database)

    def exchange(
        self, totals: Mapping[tuple[str, int], Totals], since: int
    ) -> Mapping[str, Mapping[int, list[Totals]]]:
        """Tell what was counted here, and hear what was counted elsewhere."""
        written = {key: told.as_json() for key, told in totals.items()}
        found: dict[str, dict[int, list[Totals]]] = {}
        for (name, step), texts in exchange_budgets(self._database, self._writer, written, since).items():
            found.setdefault(name, {})[step] = [_read(text) for text in texts]
        return found


def _file_of(database: Database) -> tuple[int, int] | None:
    """Which file it is; None: it is none. ``ResourceError`` if the file has gone."""
    if database.path is None:
        return None
    try:
        found = database.path.stat()
    except OSError as exc:
        raise ResourceError(
            f"the roll cannot be read ({(exc.strerror or str(exc)).lower()})",
            where=str(database.path),
            then="bring the file back",
        ) from exc
    return found.st_dev, found.st_ino


def _read(text: str) -> Totals:
    try:
        return read_totals(text)
    except ValueError as exc:
        raise TransportError(
            "what another guard has counted cannot be read", where="[state] database"
        ) from exc


class KeptMoves:
    """``guard.moves.MoveStore`` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, move: Move, until: float) -> None:
        """Keep it."""
        keep_move(
            self._database,
            move.destination,
            move.originator,
            move.message_id,
            move.principal,
            move.studies,
            until,
        )

    def get(self, destination: str, originator: str, message_id: int) -> Move | None:
        """The one that is in force."""
        found = kept_move(self._database, destination, originator, message_id)
        return None if found is None else Move(destination, originator, message_id, *found)
