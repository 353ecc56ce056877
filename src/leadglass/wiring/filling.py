"""Writes into the register what a stored scan saw: once for whoever asks for it, the command line or the watch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from leadglass.model.register import Register, ScanTaken, Seen, System
from leadglass.register.codec import Thing, as_change, key_of, register_of
from leadglass.register.fill import declared_from, filled
from leadglass.store.database import Database
from leadglass.store.register import Change, head_of, read_state, write_down
from leadglass.store.register_looks import looks
from leadglass.store.scans import StoredScan

__all__ = ["Filled", "fill_register", "new_in", "take_in"]


@dataclass(frozen=True, slots=True)
class Filled:
    """What was written down."""

    found: Sequence[Seen]
    """Addresses where something is otherwise than before."""
    declared: Sequence[System]


def fill_register(database: Database, scan: StoredScan, by: str, *, declare: bool = False) -> Filled:
    """Write down what ``scan`` saw; with ``declare`` each server that nobody has declared, as a system.

    ``ResourceError`` if somebody changes the register meanwhile, ``ConfigError`` if it was altered.
    """
    head = head_of(database)
    register = register_of(read_state(database), database.where)
    plan = scan.plan
    taken = ScanTaken(plan.ulid, plan.began, plan.position, plan.scope_name, scan.state == "complete")
    found = list(filled(register, taken, looks(database, scan)))
    side = [one for one in register.seen.values() if one.position is taken.position]
    latest = {one.address: one for one in (*side, *found)}
    unknown = list(declared_from(register, latest.values())) if declare else []
    changes = new_in(register, [taken, *found, *unknown], f"scan {plan.ulid}")
    if changes:
        write_down(database, by, changes, after=head)
    return Filled(found, unknown)


def take_in(database: Database, scan: StoredScan, by: str) -> None:
    """The same by itself, where somebody keeps a register: one without a system is kept by nobody."""
    if register_of(read_state(database), database.where).systems:
        fill_register(database, scan, by)


def new_in(register: Register, things: Iterable[Thing], why: str) -> Sequence[Change]:
    """Those of ``things`` that are not in ``register`` as they are."""
    there: tuple[Thing, ...] = (
        *register.systems.values(),
        *register.reviews.values(),
        *register.risks.values(),
        *register.seen.values(),
        *register.scans.values(),
    )
    known = {key_of(thing): thing for thing in there}
    return [as_change(thing, why) for thing in things if known.get(key_of(thing)) != thing]
