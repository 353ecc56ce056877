"""``leadglass guard list``: everybody who has or had a key, and until when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from leadglass.cli.console import console
from leadglass.cli.guard_options import CONFIG, ConfigOption, Shape, ShapeOption, as_json, now, shown_time
from leadglass.cli.terminal import write
from leadglass.model.enrolment import Roll
from leadglass.store.guard_people import Emergency, emergencies
from leadglass.store.guard_roll import Member, members, read_roll
from leadglass.wiring.guard_setup import read_site, roll_of

__all__ = ["list_"]

_SOON = 30 * 86_400
"""Seconds before its end from which a certificate is said to end soon."""
_SHOWN = 10
"""Emergencies."""


def list_(shape: ShapeOption = Shape.TEXT, config: ConfigOption = CONFIG) -> None:
    """Show who is or was enrolled, who is known by passcode, and who broke the glass.

    Example: leadglass guard list
    """
    with roll_of(read_site(config)) as database:
        entries, roll, broken = members(database), read_roll(database), emergencies(database)
    if shape is Shape.JSON:
        write(as_json(_as_json(entries, roll, broken)))
        return
    for title, rows in (
        (("NAME", "KIND", "TITLES", "FROM", "ROLES", "LET IN"), [_row(member) for member in entries]),
        (("USER", "ROLES"), [(user.name, _words(user.roles)) for user in roll.users.values()]),
        (("BREAK-GLASS", "BEGAN", "UNTIL", "REASON"), [_broken(one) for one in broken[:_SHOWN]]),
    ):
        if rows:
            _table(title, rows)
    if not entries and not roll.users:
        write("Nobody is enrolled.\n")


def _row(member: Member) -> tuple[str, ...]:
    entry = member.entry
    return (
        entry.name,
        entry.kind.value.lower(),
        _words(entry.titles),
        _words(entry.networks),
        _words(entry.roles),
        _standing(member, now()),
    )


def _standing(member: Member, moment: float) -> str:
    entry, end = member.entry, member.not_after
    if member.revoked_at is not None:
        return f"no: revoked {shown_time(member.revoked_at)}"
    if entry.until is not None and entry.until <= moment:
        return f"no: ended {shown_time(entry.until)}"
    if entry.plain:
        return "without TLS" + ("" if entry.until is None else f" until {shown_time(entry.until)}")
    if end is None:
        return "no: its certificate has ended"
    last = end if entry.until is None else min(end, entry.until)
    return f"until {shown_time(last)}" + (", soon" if last - moment < _SOON else "")


def _broken(one: Emergency) -> tuple[str, ...]:
    until = one.until if one.ended is None else one.ended
    return one.name, shown_time(one.began), shown_time(until), one.reason


def _words(values: Sequence[str]) -> str:
    return ", ".join(values) or "-"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as they need to be; the last one as it comes."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)][:-1]
    screen = console()
    screen.print(Text(_line(head, widths), style="bold"))
    for row in rows:
        screen.print(Text(_line(row, widths)), soft_wrap=True)
    screen.print()


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=False))
    return "  ".join([*padded, cells[-1]])


def _as_json(entries: list[Member], roll: Roll, broken: list[Emergency]) -> object:
    return {
        "schema": "leadglass.guard-roll/1",
        "version": roll.version,
        "entries": list(_entries(entries)),
        "users": [
            {
                "name": user.name,
                "roles": list(user.roles),
                "physician_names": list(user.physician_names),
                "institutions": list(user.institutions),
                "labels": list(user.labels),
            }
            for user in roll.users.values()
        ],
        "emergencies": [
            {
                "name": one.name,
                "reason": one.reason,
                "began": one.began,
                "until": one.until,
                "ended": one.ended,
            }
            for one in broken
        ],
    }


def _entries(entries: list[Member]) -> Iterator[object]:
    for member in entries:
        entry = member.entry
        yield {
            "name": entry.name,
            "kind": entry.kind.value.lower(),
            "titles": list(entry.titles),
            "networks": list(entry.networks),
            "roles": list(entry.roles),
            "institutions": list(entry.institutions),
            "modalities": list(entry.modalities),
            "labels": list(entry.labels),
            "vouches_for": list(entry.users),
            "listens": entry.address,
            "plain": entry.plain,
            "until": entry.until,
            "certificates": sorted(entry.certificates),
            "not_after": member.not_after,
            "enrolled_at": member.enrolled_at,
            "revoked_at": member.revoked_at,
        }
