"""``leadglass serve``: the dashboard and the API."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

from leadglass.cli import fetch, load
from leadglass.cli.database import DatabaseOption
from leadglass.cli.ending import stop_on_signals
from leadglass.cli.storing import opened
from leadglass.cli.terminal import complain, write
from leadglass.errors import UsageError
from leadglass.settings.guard_kinds import address
from leadglass.settings.serve import ServeSettings
from leadglass.settings.serve_file import require_safe

__all__ = ["serve"]


def serve(
    context: typer.Context,
    bind: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Where to listen; 127.0.0.1:8104 if not given."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="serve.toml: TLS, names, the watch, the guard.")
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Serve the dashboard and the API until SIGTERM or Ctrl-C; the first start prints how to sign in.

    With a watch in the configuration it scans as well, unless another process does already.

    Example: leadglass serve
    """
    if context.invoked_subcommand is not None:
        return
    module = load("leadglass.wiring.serving", extra="web")
    settings = _settings(module, bind, config)
    require_safe(settings)
    with opened(database) as store, stop_on_signals() as signals:
        serving = module.Serving(store, settings, _dossiers(), complain)
        signals.tell(serving.stop)
        _greet(settings, serving.first_link())
        serving.run()


def _settings(module: Any, bind: str | None, config: Path | None) -> ServeSettings:
    settings: ServeSettings = ServeSettings() if config is None else module.settings_in(config)
    if bind is None:
        return settings
    try:
        return dataclasses.replace(settings, bind=address(bind))
    except ValueError as exc:
        raise UsageError(str(exc), where="--bind") from exc


def _greet(settings: ServeSettings, link: str | None) -> None:
    complain(f"serving at {settings.address} until Ctrl-C")
    if link is not None:
        write(
            f"Nobody has an account yet. This link makes the first administrator, once, within 30 minutes:\n{link}\n"
        )


def _dossiers() -> Any:
    """What makes dossiers, where the extra pdf is installed."""
    with contextlib.suppress(ModuleNotFoundError):
        return fetch("leadglass.wiring.dossier").dossier
    return None
