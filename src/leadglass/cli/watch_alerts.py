"""``leadglass watch alerts`` and what one does about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

import typer
from rich.text import Text

from leadglass.cli.database import DatabaseOption
from leadglass.cli.prose import STYLE, print_lines
from leadglass.cli.register_options import who
from leadglass.cli.terminal import complain, write
from leadglass.cli.watch_options import (
    CONFIG,
    AlertArgument,
    ByOption,
    ConfigOption,
    FormatOption,
    Shape,
    desk,
    settings,
)
from leadglass.model.alert import Alert, AlertState
from leadglass.model.alert_record import message_of, record_of
from leadglass.model.verdict import Severity
from leadglass.notice.alerts import as_line
from leadglass.report.safe import visible
from leadglass.store.alerts import page

__all__ = ["acknowledge", "alerts", "close", "retest"]

_LIVING = (AlertState.OPEN, AlertState.ACKNOWLEDGED, AlertState.SILENT)


def alerts(
    all_: Annotated[bool, typer.Option("--all", help="Those that are closed, too.")] = False,
    severity: Annotated[Severity, typer.Option(help="This severe or worse.")] = Severity.NONE,
    most: Annotated[int, typer.Option(min=1, max=10_000, help="So many, the latest first.")] = 100,
    shape: FormatOption = Shape.TEXT,
    database: DatabaseOption = None,
) -> None:
    """What somebody has to hear of, the latest first.

    Example: leadglass watch alerts --severity high
    """
    with desk(database) as one:
        states = () if all_ else _LIVING
        found = page(one.database, states=states, least=severity, most=most)
    if shape is Shape.JSON:
        message = message_of([record_of(alert) for alert in found])
        write(message.model_dump_json(by_alias=True, indent=2, ensure_ascii=True) + "\n")
    elif found:
        print_lines(_lines(found))
    else:
        complain("no alerts")


def acknowledge(alert: AlertArgument, by: ByOption = None, database: DatabaseOption = None) -> None:
    """Say that somebody has seen an alert and sees to it: it is not escalated any more.

    Example: leadglass watch acknowledge 7Q2M4K9P --by "Dr. Hopper"
    """
    with desk(database) as one:
        _tell(one.acknowledge(alert, who(by)))


def close(alert: AlertArgument, by: ByOption = None, database: DatabaseOption = None) -> None:
    """Say that an alert is over. If the same happens again, it is a new one.

    Example: leadglass watch close 7Q2M4K9P --by "Dr. Hopper"
    """
    with desk(database) as one:
        _tell(one.close(alert, who(by)))


def retest(
    alert: AlertArgument, by: ByOption = None, config: ConfigOption = CONFIG, database: DatabaseOption = None
) -> None:
    """Have whoever watches look again, now, at what an alert is about.

    Example: leadglass watch retest 7Q2M4K9P --by "Dr. Hopper"
    """
    with desk(database, settings(config)) as one:
        write(f"ordered: {one.retest(alert, who(by)).id}\n")
        if not one.is_running():
            complain("nobody watches now; leadglass watch run does it")


def _tell(alert: Alert) -> None:
    write(f"{alert.id}: {alert.state} by {visible(alert.changed_by)}\n")


def _lines(found: Sequence[Alert]) -> Iterator[Text]:
    for alert in found:
        state = "" if alert.state is AlertState.OPEN else f"  {alert.state}"
        by = f" by {visible(alert.changed_by)}" if alert.changed_by else ""
        line = Text(f"{alert.id}  {alert.kind}{state}{by}  ")
        line.append(visible(as_line(alert)), style=STYLE[alert.severity])
        yield line
