"""The scope file as people write it: its keys, their types, their spelling.

Nothing here says what a scope permits; ``leadglass.scope.parse`` does. A key that nobody reads is an
error: a misspelt ``exclude`` would otherwise silently permit what it was meant to forbid.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema

from leadglass.model.rung import Rung
from leadglass.settings import kinds
from leadglass.settings.kinds import Table, Text, Title, Url

__all__ = [
    "AuthorisationTable",
    "ExcludeTable",
    "IdentityTable",
    "LimitsTable",
    "ScopeFile",
    "TargetTable",
    "VantageTable",
    "key_hint",
]

MOST_PER_ENDPOINT = 6
MOST_PER_HOST = 8
MOST_PER_NETWORK = 256
"""What is promised to every peer; a scope may ask for less, never for more."""


def _positive(value: float) -> float:
    if not (math.isfinite(value) and value > 0):
        raise ValueError("must be a number above zero")
    return value


def _rung(value: str) -> str:
    Rung.from_word(value)
    return value


def _at_most(most: int, what: str) -> AfterValidator:
    def check(value: int) -> int:
        _positive(value)
        if value > most:
            raise ValueError(f"contradicts the promise of at most {most} {what}")
        return value

    return AfterValidator(check)


def _ports(value: object) -> tuple[int | str, ...]:
    # A plain validator: the errors of a pydantic union would name its branches, not the file's keys.
    items = value if isinstance(value, list) else [value]
    for item in items:
        if isinstance(item, bool) or not isinstance(item, int | str):
            # pydantic reports a ValueError and lets a TypeError pass
            raise ValueError(  # noqa: TRY004
                'must be a list of ports and ranges such as [104, "20000-20207"]'
            )
    return tuple(items)


RungWord: TypeAlias = Annotated[
    str,
    AfterValidator(_rung),
    WithJsonSchema({"type": "string", "enum": [rung.word for rung in Rung]}),
]
Rate: TypeAlias = Annotated[
    float, AfterValidator(_positive), WithJsonSchema({"type": "number", "exclusiveMinimum": 0})
]
PerEndpoint: TypeAlias = Annotated[
    int,
    _at_most(MOST_PER_ENDPOINT, "connections per endpoint, one at a time"),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MOST_PER_ENDPOINT}),
]
PerHost: TypeAlias = Annotated[
    int,
    _at_most(MOST_PER_HOST, "connections at once per host"),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MOST_PER_HOST}),
]
PerNetwork: TypeAlias = Annotated[
    int,
    _at_most(MOST_PER_NETWORK, "endpoints at once per network"),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MOST_PER_NETWORK}),
]
Ports: TypeAlias = Annotated[
    tuple[int | str, ...],
    PlainValidator(_ports, json_schema_input_type=str | list[int | str]),
]


class AuthorisationTable(Table):
    """``[authorisation]``: who allowed it, until when, and who a disturbed administrator writes to."""

    basis: Literal["owner", "mandate", "research"]
    granted_by: Text
    contact: Text
    reference: Text | None = None
    valid_until: dt.date | None = None


class LimitsTable(Table):
    """``[limits]``: how deep, how fast, when."""

    deepest: RungWord = Rung.ASSOCIATE.word
    rate: Rate = 500.0
    connections_per_endpoint: PerEndpoint = MOST_PER_ENDPOINT
    concurrent_per_host: PerHost = MOST_PER_HOST
    concurrent_per_network: PerNetwork = 64
    hours: str | None = None
    timezone: str | None = None


class VantageTable(Table):
    """``[vantage]``: from which side of the owner's network the look is taken."""

    position: Literal["outside", "inside", "unknown"] = "unknown"


class IdentityTable(Table):
    """``[identity]``: how the scanner introduces itself."""

    calling_ae: Title = "LEADGLASS"
    url: Url | None = None


class TargetTable(Table):
    """``[[targets]]``: one range of addresses, or one name, with its ports."""

    range: Text
    ports: Ports
    deepest: RungWord | None = None
    called_ae: Title | None = None


class ExcludeTable(Table):
    """``[[exclude]]``: what is never touched, whatever the targets say."""

    range: Text
    reason: Text


class ScopeFile(Table):
    """The whole file."""

    name: Text
    opt_outs: Text | None = None
    """A file with those who asked to be left alone, beside this one."""
    authorisation: AuthorisationTable
    limits: LimitsTable = LimitsTable()
    vantage: VantageTable = VantageTable()
    identity: IdentityTable = IdentityTable()
    targets: tuple[TargetTable, ...] = Field(default=(), strict=False)
    exclude: tuple[ExcludeTable, ...] = Field(default=(), strict=False)


_TABLES: kinds.Tables = {
    "": ScopeFile,
    "authorisation": AuthorisationTable,
    "limits": LimitsTable,
    "vantage": VantageTable,
    "identity": IdentityTable,
    "targets": TargetTable,
    "exclude": ExcludeTable,
}


def key_hint(table: str, key: str) -> str:
    """What the writer of an unknown ``key`` in ``table`` (empty: top level) may have meant; may be empty."""
    return kinds.key_hint(_TABLES, table, key)
