"""``leadglass watch silence``: risks that somebody takes upon himself until a day."""

from __future__ import annotations

import datetime as dt
import json
from typing import Annotated

import typer

from leadglass.cli.database import DatabaseOption
from leadglass.cli.register_options import who
from leadglass.cli.terminal import complain, write
from leadglass.cli.watch_options import ByOption, FormatOption, Shape, desk
from leadglass.errors import UsageError
from leadglass.model.alert import AlertKind, Silence
from leadglass.report.safe import visible

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True)


@app.command()
def add(
    owner: Annotated[str, typer.Option(metavar="NAME", help="Who takes the risk upon himself.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    until: Annotated[str, typer.Option(metavar="DAY", help="The last day, as 2027-01-31.")],
    kind: Annotated[
        list[AlertKind] | None, typer.Option(help="Only alerts of this kind; repeat it.", show_default=False)
    ] = None,
    address: Annotated[
        str | None, typer.Option(metavar="RANGE", help="Only there: an address or a CIDR range.")
    ] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Only this port.")] = None,
    system: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this system of the register.")
    ] = None,
    risk: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The accepted risk of the register that it follows and ends with."),
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Keep alerts that match and send them to nobody, until a day.

    Example: leadglass watch silence add --owner "Dr. Hopper" --reason "replaced in May" --until 2027-05-31 --address 192.0.2.7
    """
    silence = Silence("", owner, reason, _day(until), tuple(kind or ()), address, port, system, risk)
    if not (kind or address or port or system or risk):
        raise UsageError(
            "that would silence everything", then="say what: --address, --port, --kind, --system or --risk"
        )
    with desk(database) as one:
        write(f"silent until {until}: {one.silence(silence, owner).id}\n")


@app.command("list")
def list_(shape: FormatOption = Shape.TEXT, database: DatabaseOption = None) -> None:
    """The silences in force.

    Example: leadglass watch silence list
    """
    with desk(database) as one:
        found = one.silences()
    if shape is Shape.JSON:
        rows = [_as_json(silence) for silence in found]
        write(json.dumps({"schema": "leadglass.silences/1", "silences": rows}, indent=2) + "\n")
    elif not found:
        complain("nothing is silent")
    else:
        for silence in found:
            write(
                f"{silence.id}  until {silence.until}  {visible(silence.owner)}: {visible(silence.reason)}"
                f"  ({visible(_about(silence))})\n"
            )


@app.command()
def end(
    silence: Annotated[str, typer.Argument(metavar="SILENCE", help="Its identifier.", show_default=False)],
    by: ByOption = None,
    database: DatabaseOption = None,
) -> None:
    """End a silence before its day.

    Example: leadglass watch silence end 01JD5Y0000000000000000000A --by "Dr. Hopper"
    """
    with desk(database) as one:
        one.end_silence(silence, who(by))
    write(f"{silence}: ended\n")


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as exc:
        raise UsageError(f"{text!r} is no day", where="--until", then="write it as 2027-01-31") from exc


def _about(silence: Silence) -> str:
    parts = [
        ", ".join(silence.kinds),
        silence.address or "",
        "" if silence.port is None else f"port {silence.port}",
        silence.system or "",
        "" if silence.risk is None else f"risk {silence.risk}",
    ]
    return "; ".join(filter(None, parts))


def _as_json(silence: Silence) -> dict[str, object]:
    return {
        "id": silence.id,
        "owner": silence.owner,
        "reason": silence.reason,
        "until": silence.until.isoformat(),
        "kinds": list(silence.kinds),
        "address": silence.address,
        "port": silence.port,
        "system": silence.system,
        "risk": silence.risk,
    }
