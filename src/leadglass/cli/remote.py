"""``leadglass remote``: what another Leadglass that serves has seen, and a look that it should take."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from leadglass.cli.register_options import table, write_json
from leadglass.cli.terminal import complain, write
from leadglass.cli.watch_options import FormatOption, Shape
from leadglass.errors import ConfigError, ResourceError
from leadglass.model.verdict import Severity
from leadglass.net.api_client import Api

__all__ = ["app"]

app = typer.Typer(help="Ask another Leadglass that serves, by its API.", no_args_is_help=True)

ServerOption: TypeAlias = Annotated[
    str,
    typer.Option(
        "--server",
        envvar="LEADGLASS_SERVER",
        metavar="URL",
        help="Where it serves: https://, or http:// on this machine. The token stands in LEADGLASS_TOKEN.",
        show_default=False,
    ),
]
CaOption: TypeAlias = Annotated[
    Path | None,
    typer.Option("--ca", metavar="FILE", help="Who vouches for its certificate, PEM.", show_default=False),
]
_Most: TypeAlias = Annotated[int, typer.Option(min=1, max=100_000, help="So many at most.")]


@app.command()
def servers(
    server: ServerOption,
    severity: Annotated[Severity, typer.Option(help="This severe or worse.")] = Severity.NONE,
    most: _Most = 100,
    shape: FormatOption = Shape.TEXT,
    ca: CaOption = None,
) -> None:
    """Show its servers, the worst first.

    Example: leadglass remote servers --server https://leadglass.example.org --severity medium
    """
    found = list(_api(server, ca).rows("servers", most=most, severity=severity.value))
    _tell(found, shape, ("address", "port", "severity", "access", "product", "since"), "no such server")


@app.command()
def scans(
    server: ServerOption, most: _Most = 20, shape: FormatOption = Shape.TEXT, ca: CaOption = None
) -> None:
    """Show its scans, the latest first.

    Example: leadglass remote scans --server https://leadglass.example.org
    """
    found = list(_api(server, ca).rows("scans", most=most))
    _tell(found, shape, ("ulid", "state", "began", "ended", "endpoints", "scope"), "no scan yet")


@app.command()
def alerts(
    server: ServerOption, most: _Most = 100, shape: FormatOption = Shape.TEXT, ca: CaOption = None
) -> None:
    """Show what there was to hear of, the latest first.

    Example: leadglass remote alerts --server https://leadglass.example.org
    """
    found = list(_api(server, ca).rows("alerts", most=most))
    _tell(found, shape, ("id", "state", "severity", "kind", "summary"), "no alerts")


@app.command()
def records(
    server: ServerOption,
    scan: Annotated[
        str, typer.Argument(help="The scan, by its identifier, or last.", show_default=True)
    ] = "last",
    ca: CaOption = None,
) -> None:
    """Print the records of a scan as JSON Lines, for explain and for other programs.

    Example: leadglass remote records --server https://leadglass.example.org | leadglass explain -
    """
    api = _api(server, ca)
    for line in api.lines("scans", _latest(api) if scan == "last" else scan, "records"):
        write(line.decode("ascii", "backslashreplace") + "\n")


@app.command()
def look(
    server: ServerOption,
    scope: Annotated[
        str, typer.Argument(help="A scope that is configured there, by its name.", show_default=False)
    ],
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it has ended.")] = False,
    ca: CaOption = None,
) -> None:
    """Have it look at a scope now.

    Example: leadglass remote look practice --wait --server https://leadglass.example.org
    """
    api = _api(server, ca)
    order = api.order(scope)
    if wait:
        order = api.ended(order)
    if order["state"] in ("failed", "missed"):
        raise ResourceError(f"it was {order['state']}: {order['trouble']}", where=scope)
    complain(f"order {order['id']}: {order['state']}")
    if order["scan"]:
        write(f"{order['scan']}\n")


def _api(server: str, ca: Path | None) -> Api:
    # Not an option: a command line can be read by everybody on the machine.
    token = os.environ.get("LEADGLASS_TOKEN", "").strip()
    if not token:
        raise ConfigError(
            "there is no token", where="LEADGLASS_TOKEN", then="make one at the dashboard, under your account"
        )
    return Api(server, token, None if ca is None else str(ca))


def _latest(api: Api) -> str:
    for one in api.rows("scans", most=1):
        return str(one.get("ulid"))
    raise ConfigError("no scan is kept there", where=api.server)


def _tell(found: Iterable[Mapping[str, Any]], shape: Shape, wanted: tuple[str, ...], nothing: str) -> None:
    rows = list(found)
    if shape is Shape.JSON:
        write_json(rows)
    elif rows:
        cells = [["-" if row.get(name) in (None, "") else str(row[name]) for name in wanted] for row in rows]
        write(table([name.upper() for name in wanted], cells))
    else:
        complain(nothing)
