"""Opens what ``leadglass owner`` may ask: the DNS, registries, databases that the user brought."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import maxminddb

from leadglass.errors import ConfigError
from leadglass.net.registry import Registries
from leadglass.net.resolve import SystemResolver
from leadglass.owner.gather import Asked, Database

__all__ = ["asking"]


@contextmanager
def asking(
    *,
    dns: bool,
    nameserver: tuple[str, int] | None,
    rdap: bool,
    bootstrap: Path | None,
    plain: bool,
    cache: Path,
    databases: Sequence[Path],
) -> Iterator[Asked]:
    """What was asked for by name, and nothing else. Answers of registries are kept in ``cache`` (0600)."""
    kept = _kept(cache) if rdap else {}
    before = dict(kept)
    with ExitStack() as stack:
        registry = None
        if rdap:
            text = None if bootstrap is None else _read(bootstrap)
            registry = Registries(text, kept, plain=plain).network
        yield Asked(
            names=SystemResolver(nameserver) if dns else None,
            registry=registry,
            databases=[stack.enter_context(_database(path)) for path in databases],
        )
    if kept != before:
        _keep(cache, kept)


@contextmanager
def _database(path: Path) -> Iterator[Database]:
    try:
        with maxminddb.open_database(str(path)) as opened:
            yield opened
    except (OSError, maxminddb.InvalidDatabaseError) as exc:
        raise ConfigError(
            f"cannot be read as MMDB ({exc})", where=str(path), then="name another file"
        ) from exc


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"cannot be read ({exc})", where=str(path)) from exc


def _kept(cache: Path) -> dict[str, Any]:
    try:
        found = json.loads(cache.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _keep(cache: Path, kept: dict[str, Any]) -> None:
    cache.parent.mkdir(parents=True, exist_ok=True)
    new = cache.with_suffix(".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(kept, file)
    new.replace(cache)
