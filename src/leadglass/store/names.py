"""Rows that are few and are asked for by name: places and vantages."""

from __future__ import annotations

from sqlalchemy import Connection, text

from leadglass.model.verdict import Position

__all__ = ["place_of", "vantage_of"]

_FIND_PLACE = text("SELECT id FROM places WHERE name = :name")
_ADD_PLACE = text("INSERT INTO places (name) VALUES (:name) ON CONFLICT DO NOTHING")
_FIND_VANTAGE = text(
    "SELECT id FROM vantages WHERE place = :place AND source = :source AND position = :position"
)
_ADD_VANTAGE = text(
    "INSERT INTO vantages (place, source, position) VALUES (:place, :source, :position) ON CONFLICT DO NOTHING"
)


def place_of(connection: Connection, name: str) -> int:
    """The number of the place called ``name``, which is written down if it is new."""
    wanted = {"name": name}
    found = connection.execute(_FIND_PLACE, wanted).scalar()
    if found is None:
        connection.execute(_ADD_PLACE, wanted)
        found = connection.execute(_FIND_PLACE, wanted).scalar_one()
    return int(found)


def vantage_of(connection: Connection, place: int, source: str | None, position: Position) -> int:
    """The number of ``place`` with the address ``source`` (None: no connection opened) and ``position``."""
    wanted = {"place": place, "source": source or "", "position": position.value}
    found = connection.execute(_FIND_VANTAGE, wanted).scalar()
    if found is None:
        connection.execute(_ADD_VANTAGE, wanted)
        found = connection.execute(_FIND_VANTAGE, wanted).scalar_one()
    return int(found)
