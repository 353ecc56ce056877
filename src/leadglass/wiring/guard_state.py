"""The guard's shared state in its database, and how a worker reaches it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from leadglass.access.budgets import Totals, read_totals
from leadglass.errors import LeadglassError, ResourceError, TransportError
from leadglass.guard.moves import Move
from leadglass.model.enrolment import Roll
from leadglass.store.database import Database
from leadglass.store.guard_budgets import exchange_budgets
from leadglass.store.guard_moves import keep_move, kept_move
from leadglass.store.guard_roll import read_roll, roll_version

__all__ = ["KeptMoves", "Reach", "SharedState"]


class Reach:
    """The database of a guard, opened as soon as that can be: it may be away when a guard begins."""

    def __init__(self, opening: Callable[[], contextlib.AbstractContextManager[Database]]) -> None:
        self._opening = opening
        self._database: Database | None = None
        self._stack = contextlib.ExitStack()

    def open(self) -> Database:
        """The database, opened now if it was not before; one thread at a time may ask. Errors as ``opening``."""
        if self._database is None:
            self._database = self._stack.enter_context(self._opening())
        return self._database

    @property
    def database(self) -> Database:
        """The database, if it has been opened; ``ResourceError`` if not."""
        if self._database is None:
            raise ResourceError("the shared state has not been reached yet")
        return self._database

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


class SharedState:
    """``guard.worker.State`` over a database."""

    def __init__(self, reach: Reach, writer: str, confirm: Callable[[Roll | None], None]) -> None:
        """``writer`` names this process among all that share the database.

        ``confirm`` hears of each roll, and (None) that it is still the same.
        """
        self._reach = reach
        self._writer = writer
        self._confirm = confirm
        self._file: tuple[int, int] | None = None
        self._read = False

    def roll(self, known: int) -> Roll | None:
        """The roll if it has another version than the known one, is another file's, or was not read yet."""
        database = self._reach.open()
        found = self._newer(database, known)
        self._confirm(found)
        return found

    def _newer(self, database: Database, known: int) -> Roll | None:
        file = _file_of(database)
        if file != self._file:
            # An open file can be read after somebody has put another in its place, for ever the same.
            database.close()
        elif self._read and roll_version(database) == known:
            return None
        # If this fails it has not been read, whatever its version says at the next look.
        self._file, self._read = file, False
        found = read_roll(database)
        self._read = True
        return found

    def exchange(
        self, totals: Mapping[tuple[str, int], Totals], since: int
    ) -> Mapping[str, Mapping[int, list[Totals]]]:
        """Tell what was counted here, and hear what was counted elsewhere."""
        try:
            return self._exchanged(totals, since)
        except LeadglassError:
            self._read = False  # a roll that was read in the same look is lost with it
            raise

    def _exchanged(
        self, totals: Mapping[tuple[str, int], Totals], since: int
    ) -> Mapping[str, Mapping[int, list[Totals]]]:
        written = {key: told.as_json() for key, told in totals.items()}
        found: dict[str, dict[int, list[Totals]]] = {}
        for (name, step), texts in exchange_budgets(
            self._reach.database, self._writer, written, since
        ).items():
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

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    def put(self, move: Move, until: float) -> None:
        """Keep it."""
        keep_move(
            self._reach.database,
            move.destination,
            move.originator,
            move.message_id,
            move.principal,
            move.studies,
            until,
        )

    def get(self, destination: str, originator: str, message_id: int) -> Move | None:
        """The one that is in force."""
        found = kept_move(self._reach.database, destination, originator, message_id)
        return None if found is None else Move(destination, originator, message_id, *found)
