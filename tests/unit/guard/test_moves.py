"""C-MOVEs are written down for all processes, and remembered here for when those cannot be asked."""

from __future__ import annotations

import pytest
from tests.unit.guard.somebody import on_a_loop

from leadglass.errors import ResourceError
from leadglass.guard import moves as module
from leadglass.guard.moves import Move, Moves


class Store:
    """A store that can be away."""

    def __init__(self) -> None:
        self.kept: list[tuple[Move, float]] = []
        self.away = False

    def put(self, move: Move, until: float) -> None:
        self._be_there()
        self.kept.append((move, until))

    def get(self, destination: str, originator: str, message_id: int) -> Move | None:
        self._be_there()
        wanted = (destination, originator, message_id)
        found = [m for m, _ in self.kept if (m.destination, m.originator, m.message_id) == wanted]
        return found[-1] if found else None

    def _be_there(self) -> None:
        if self.away:
            raise ResourceError("the database is away")


class Now:
    seconds = 1000.0


@on_a_loop
async def test_a_move_is_kept_for_an_hour_and_found_by_what_names_it() -> None:
    store = Store()
    moves = Moves(store, lambda: 1000.0)
    await moves.expect("READER", "CT1", 7, "Device:ct1", ["2.25.1", "2.25.2"])
    ((move, until),) = store.kept

    assert until == 1000.0 + 3600
    assert move.studies == {"2.25.1", "2.25.2"}
    assert await moves.claimed("READER", "CT1", 7) == move
    assert [
        await moves.claimed(*other) for other in (("X", "CT1", 7), ("READER", "X", 7), ("READER", "CT1", 8))
    ] == [None] * 3


@on_a_loop
async def test_with_the_store_away_this_process_knows_its_own_for_as_long() -> None:
    store, now = Store(), Now()
    moves = Moves(store, lambda: now.seconds)
    store.away = True
    for study in ("2.25.1", "2.25.2"):
        with pytest.raises(ResourceError):
            await moves.expect("READER", "CT1", 7, "Device:ct1", [study])
    found = await moves.claimed("READER", "CT1", 7)
    assert found is not None
    assert found.studies == {"2.25.1", "2.25.2"}
    with pytest.raises(ResourceError):
        await moves.claimed("READER", "CT1", 8)
    now.seconds += 3601
    with pytest.raises(ResourceError):
        await moves.claimed("READER", "CT1", 7)


def test_no_more_moves_are_remembered_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 20)

    @on_a_loop
    async def test() -> None:
        store = Store()
        moves = Moves(store, lambda: 1000.0)
        for number in range(25):
            await moves.expect("READER", "CT1", number, "Device:ct1", ["2.25.1"])
        store.away = True

        assert await moves.claimed("READER", "CT1", 20) is not None
        with pytest.raises(ResourceError):
            await moves.claimed("READER", "CT1", 4)

    test()
