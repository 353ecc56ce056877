"""What a scan adds to the register: only what is otherwise than before, so that the chain tells when it changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from leadglass.model.register import Register, ScanTaken, Seen, System
from leadglass.model.verdict import Access, Position
from leadglass.register.matching import systems_at
from leadglass.store.register_looks import Look

__all__ = ["declared_from", "filled"]


def filled(register: Register, taken: ScanTaken, looks: Iterable[Look]) -> Iterator[Seen]:
    """What is new of the addresses that ``taken`` looked at.

    Kept are addresses where a server answered, or where one is declared or was seen before. A look that is
    older than what is kept of the same address changes nothing.
    """
    wanted = {address for system in register.systems.values() for address in system.addresses}
    for look in looks:
        before = register.seen.get(f"{look.address} {taken.position}")
        is_known = before is not None or look.address in wanted or look.name in wanted
        if is_known or any(port.access is not Access.NOT_DICOM for port in look.ports):
            now = _seen(before, taken, look)
            if now is not None:
                yield now


def _seen(before: Seen | None, taken: ScanTaken, look: Look) -> Seen | None:
    """What is seen now; None: the same, or it is older."""
    answered = look.at if look.ports else before and before.answered
    identity = look.identity or (before and before.identity) or None
    now = Seen(
        look.address, taken.position, taken.scan, look.at, look.ports, look.name, identity, answered or None
    )
    if before is None:
        return now
    if look.at < before.since:
        return None
    same = replace(now, scan=before.scan, since=before.since, answered=before.answered)
    return None if same == before else now


def declared_from(register: Register, seen: Iterable[Seen]) -> Iterator[System]:
    """A declaration of each server that nobody has declared, named after its address: as it is, for people to complete."""
    for one in seen:
        ports = tuple(port.port for port in one.ports)
        is_server = any(port.access is not Access.NOT_DICOM for port in one.ports)
        if is_server and not systems_at(register, one) and one.address not in register.systems:
            side = "" if one.position is Position.UNKNOWN else f" from {one.position}"
            note = f"declared as scan {one.scan} saw it{side}"
            yield System(one.address, addresses=(one.address,), ports=ports, note=note)
