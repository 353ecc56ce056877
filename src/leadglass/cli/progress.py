"""How far a scan has come: a bar with rate and estimated end on a terminal, nothing in a pipe."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from leadglass.cli.console import console
from leadglass.cli.terminal import is_terminal

__all__ = ["ProgressBar"]


class ProgressBar:
    """Counts endpoints on standard error while somebody is watching."""

    def __init__(self, total: int, done: int = 0) -> None:
        self._progress = Progress(
            TextColumn("looking"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=console(stderr=True),
            transient=True,
            disable=not is_terminal(stderr=True),
        )
        self._task = self._progress.add_task("looking", total=total, completed=done, rate="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def advance(self, endpoints: int = 1) -> None:
        """So many endpoints more."""
        if self._progress.disable:
            return
        speed = self._progress.tasks[0].speed
        self._progress.update(self._task, advance=endpoints, rate=f"{speed:,.0f}/s" if speed else "")
