"""``leadglass schema NAME``: the JSON Schema of what Leadglass writes and reads."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode

from leadglass.cli.terminal import write
from leadglass.errors import UsageError
from leadglass.model.alert_record import ALERT_SCHEMA, AlertMessage
from leadglass.model.lint_record import LINT_SCHEMA, LintRecord
from leadglass.model.record import SCHEMA, ScanRecord
from leadglass.settings.baseline_file import BaselineFile
from leadglass.settings.guard_file import GuardFile
from leadglass.settings.peers_file import PeersFile
from leadglass.settings.scope_file import ScopeFile
from leadglass.settings.serve_file import ServeFile
from leadglass.settings.watch_file import WatchFile

__all__ = ["SCHEMAS", "schema"]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def _of(
    model: type[BaseModel], mode: JsonSchemaMode, identity: str, title: str
) -> Callable[[], dict[str, Any]]:
    """A schema under the name that the format itself carries: of what we write, or of what we read."""

    def load() -> dict[str, Any]:
        generated = model.model_json_schema(by_alias=True, mode=mode)
        head = {"$schema": _DIALECT, "$id": f"urn:{identity.replace('/', ':')}", "title": title}
        return {**head, **{key: value for key, value in generated.items() if key != "title"}}

    return load


SCHEMAS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "scan-record": _of(ScanRecord, "serialization", SCHEMA, "Leadglass scan record"),
    "scope": _of(ScopeFile, "validation", "leadglass.scope/1", "Leadglass scope file"),
    "guard-file": _of(GuardFile, "validation", "leadglass.guard-file/1", "Leadglass guard file"),
    "watch-file": _of(WatchFile, "validation", "leadglass.watch-file/1", "Leadglass watch file"),
    "serve-file": _of(ServeFile, "validation", "leadglass.serve-file/1", "Leadglass serve file"),
    "alert": _of(AlertMessage, "serialization", ALERT_SCHEMA, "Leadglass alerts"),
    "peer-list": _of(PeersFile, "validation", "leadglass.peer-list/1", "Leadglass peer list"),
    "lint-report": _of(LintRecord, "serialization", LINT_SCHEMA, "Leadglass lint report"),
    "lint-baseline": _of(
        BaselineFile, "validation", "leadglass.lint-baseline/1", "Leadglass baseline of accepted findings"
    ),
}
"""What can be asked for by name."""


def schema(
    name: Annotated[str, typer.Argument(help=f"One of: {', '.join(SCHEMAS)}.", show_default=False)],
) -> None:
    """Print the JSON Schema (draft 2020-12) of a record or a configuration file.

    Example: leadglass schema scan-record > scan-record.schema.json
    """
    load = SCHEMAS.get(name)
    if load is None:
        raise UsageError(
            f"there is no schema called {name!r}",
            where="schema",
            then=f"the schemas are {', '.join(SCHEMAS)}",
        )
    write(json.dumps(load(), indent=2) + "\n")
