"""``leadglass owner state`` and ``statements``: what owners say of their servers. Sends nothing."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.text import Text

from leadglass import wiring
from leadglass.cli.database import DatabaseOption
from leadglass.cli.owner_options import Shape, moment
from leadglass.cli.prose import print_lines, wrapped
from leadglass.cli.storing import kept, opened
from leadglass.cli.terminal import complain, write
from leadglass.errors import UsageError
from leadglass.model.finding import Cause
from leadglass.model.statement import Statement
from leadglass.model.verdict import Data, Kind
from leadglass.notice.plain import plain
from leadglass.store import statements as stored

__all__ = ["state", "statements"]


def state(
    target: Annotated[
        str,
        typer.Argument(
            metavar="ADDRESS[:PORT]",
            help="The server, or one port of it: [2001:db8::7]:104.",
            show_default=False,
        ),
    ],
    by: Annotated[str, typer.Option(metavar="NAME", help="Who says so.", show_default=False)],
    reference: Annotated[
        str,
        typer.Option(
            metavar="TEXT", help="Where that is written down: a letter, a ticket.", show_default=False
        ),
    ],
    nature: Annotated[Kind | None, typer.Option(help="What stands behind it.", show_default=False)] = None,
    data: Annotated[Data | None, typer.Option(help="Whose data it holds.", show_default=False)] = None,
    cause: Annotated[
        Cause | None, typer.Option(help="How it came to stand open.", show_default=False)
    ] = None,
    on: Annotated[
        str | None,
        typer.Option(metavar="YYYY-MM-DD", help="On which day, UTC; now if not given.", show_default=False),
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Write down what an owner says of a server, which overrules the evidence.

    Example: leadglass owner state 192.0.2.7:104 --nature teaching --data de-identified
    --by "Dr. Example" --reference "letter of 3 May"
    """
    address, port = _target(target)
    if nature is None and data is None and cause is None:
        raise UsageError("nothing is stated", then="give --nature, --data or --cause")
    statement = Statement(
        number=0,
        address=address,
        port=port,
        nature=nature,
        data=data,
        cause=cause,
        by=_given(by, "--by"),
        reference=_given(reference, "--reference"),
        at=moment(on, int(wiring.clock().posix())),
    )
    with opened(database) as store:
        said = stored.say(store, statement)
    write(f"statement {said.number} on {said.target} is written down\n")


def statements(
    withdraw: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER", help="Let this one stand no more. It stays listed.", show_default=False
        ),
    ] = None,
    shape: Annotated[Shape, typer.Option("--format", help="How to answer.")] = Shape.TEXT,
    database: DatabaseOption = None,
) -> None:
    """What owners said of their servers; or withdraw one of them.

    Example: leadglass owner statements --withdraw 7
    """
    if withdraw is not None:
        with opened(database) as store:
            done = stored.withdraw(store, withdraw, int(wiring.clock().posix()))
        write(f"statement {done.number} on {done.target} is withdrawn\n")
        return
    with kept(database) as store:
        found = stored.listed(store)
        where = store.where
    if shape is Shape.JSON:
        write(
            json.dumps(
                {"schema": "leadglass.statements/1", "statements": [_json(one) for one in found]}, indent=2
            )
        )
        write("\n")
    elif found:
        print_lines(line for one in found for line in _lines(one))
    else:
        complain(f"{where}: no owner has stated anything yet")


def _target(text: str) -> tuple[str, int | None]:
    """``192.0.2.7``, ``2001:db8::7``, or either with a port."""
    host, colon, port = text.rpartition(":")
    if text.startswith("[") or text.count(":") == 1:
        if text.endswith("]"):
            host, port, colon = text, "", ""
    else:
        host, port, colon = text, "", ""
    try:
        address = str(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        address = ""
    if not address or "%" in address or (colon and not (port.isdecimal() and 0 < int(port) < 1 << 16)):
        raise UsageError("not ADDRESS or ADDRESS:PORT", where=text[:60], then="e.g. [2001:db8::7]:104")
    return address, int(port) if colon else None


def _given(text: str, option: str) -> str:
    name = plain(text)
    if not name:
        raise UsageError("nothing that can be read", where=option, then="who is to check it later needs it")
    return name


def _lines(one: Statement) -> Iterator[Text]:
    words = [
        word
        for word in (one.nature, one.data and f"data {one.data}", one.cause and f"cause {one.cause}")
        if word
    ]
    ended = "" if one.withdrawn_at is None else f"; withdrawn on {_day(one.withdrawn_at)}"
    yield from wrapped(
        f"{one.number}  {one.target}: {', '.join(words)}; stated by {one.by} on {_day(one.at)}, "
        f"reference {one.reference}{ended}",
        indent=4,
    )


def _json(one: Statement) -> dict[str, str | int | None]:
    return {
        "number": one.number,
        "address": one.address,
        "port": one.port,
        "nature": one.nature,
        "data": one.data,
        "cause": one.cause,
        "by": one.by,
        "reference": one.reference,
        "on": _day(one.at),
        "withdrawn_on": None if one.withdrawn_at is None else _day(one.withdrawn_at),
    }


def _day(posix: int) -> str:
    return dt.datetime.fromtimestamp(posix, dt.UTC).date().isoformat()
