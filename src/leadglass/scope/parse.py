"""A scope file's text to a scope, or one line that says what is wrong with it and where.

An unreadable, contradictory, empty or expired scope is no scope: nothing is guessed and nothing
is skipped, because what would be skipped may be the line that forbids something.
"""

from __future__ import annotations

import datetime as dt
import ipaddress

from leadglass.errors import ScopeError, UsageError
from leadglass.model.rung import Rung
from leadglass.model.verdict import Position
from leadglass.scope.hours import Hours, load_zone, parse_hours
from leadglass.scope.names import host_name
from leadglass.scope.ports import parse_ports
from leadglass.scope.rules import Authorisation, Basis, Exclusion, Identity, Limits, Range, Target
from leadglass.scope.scope import Scope
from leadglass.scope.special import Network, never_reason
from leadglass.settings.lines import Path
from leadglass.settings.scope_file import LimitsTable, ScopeFile, TargetTable, key_hint
from leadglass.settings.toml_file import TomlFile

__all__ = ["parse", "parse_range"]


def parse(text: str, *, filename: str, moment: float) -> Scope:
    """The scope that ``text`` says, if it is in force at POSIX time ``moment``.

    ``ScopeError`` names ``filename`` and the line, says what is wrong there and what to write instead.
    Names are not resolved: see ``Scope.names`` and ``Scope.with_names``.
    """
    reader = _Reader(text, filename)
    scope = reader.scope()
    reader.require_alive(scope, moment)
    return scope


class _Reader:
    """The file with its line numbers, turned into rules table by table."""

    def __init__(self, text: str, filename: str) -> None:
        self._toml = TomlFile(text, filename, ScopeFile, key_hint, ScopeError)
        self._file = self._toml.values
        self._fail = self._toml.fail
        self._try = self._toml.attempt

    def scope(self) -> Scope:
        file = self._file
        if file.opt_outs is not None:  # their ranges would be asked
            self._fail(("opt_outs",), "the opt-outs were not read", "please report this")
        authorisation = self._authorisation()
        limits = self._limits(authorisation)
        targets = tuple(self._target(i, t, limits) for i, t in enumerate(file.targets))
        if not targets:
            self._fail((), "the scope has no [[targets]]", 'add one, with range = "..." and ports = [...]')
        return Scope(
            name=file.name,
            authorisation=authorisation,
            limits=limits,
            position=Position(file.vantage.position),
            identity=Identity(file.identity.calling_ae, file.identity.url),
            rules=targets,
            exclusions=tuple(self._exclusion(i) for i in range(len(file.exclude))),
        )

    def require_alive(self, scope: Scope, moment: float) -> None:
        """Neither expired nor empty. What names stand for is not known yet, so they count."""
        if moment >= scope.expires:
            until = scope.authorisation.valid_until
            self._fail(
                ("authorisation", "valid_until"), f"the authorisation ended with {until}", "ask for a new one"
            )
        if not scope.names() and scope.count() == 0:
            self._fail(("targets",), "the scope is empty: every target is excluded")

    def _authorisation(self) -> Authorisation:
        table = self._file.authorisation
        return Authorisation(
            Basis(table.basis), table.granted_by, table.contact, table.reference, table.valid_until
        )

    def _limits(self, authorisation: Authorisation) -> Limits:
        table = self._file.limits
        zone = (
            dt.UTC if table.timezone is None else self._try(("limits", "timezone"), load_zone, table.timezone)
        )
        hours = self._hours(table, zone)
        deepest = Rung.from_word(table.deepest)
        self._require_allowed(deepest, authorisation)
        return Limits(
            deepest=deepest,
            rate=table.rate,
            connections_per_endpoint=table.connections_per_endpoint,
            concurrent_per_host=table.concurrent_per_host,
            concurrent_per_network=table.concurrent_per_network,
            hours=hours,
            hours_text=f"{table.hours} {table.timezone}" if hours else None,
            zone=zone,
        )

    def _hours(self, table: LimitsTable, zone: dt.tzinfo) -> Hours | None:
        if table.hours is None:
            return None
        if table.timezone is None:
            self._fail(
                ("limits", "hours"), "hours without a time zone", 'add timezone = "Europe/Berlin", or yours'
            )
        return self._try(("limits", "hours"), lambda text: parse_hours(text, zone), table.hours)

    def _require_allowed(self, deepest: Rung, authorisation: Authorisation) -> None:
        path = ("limits", "deepest")
        basis = authorisation.basis
        if deepest > basis.ceiling:
            self._fail(
                path,
                f"{deepest.word} contradicts the basis {basis.value}, which reaches {basis.ceiling.word} at most",
            )
        if deepest > authorisation.ceiling:
            self._fail(
                path,
                f"{deepest.word} needs the owner's written authorisation",
                "add reference and valid_until to [authorisation]",
            )

    def _target(self, index: int, table: TargetTable, limits: Limits) -> Target:
        path = ("targets", index)
        range_ = self._range((*path, "range"), table.range)
        deepest = Rung.from_word(table.deepest) if table.deepest else limits.deepest
        if deepest > limits.deepest:
            self._fail(
                (*path, "deepest"),
                f"{deepest.word} is deeper than the limit, {limits.deepest.word}",
                "a target may only lower the limit",
            )
        if not isinstance(range_, str):
            reason = never_reason(range_)
            if reason is not None:
                self._fail((*path, "range"), f"{table.range} holds no hosts: {reason}")
        return Target(
            range_, self._ports(path, table.ports), deepest, table.called_ae, self._toml.where(path)
        )

    def _exclusion(self, index: int) -> Exclusion:
        table, path = self._file.exclude[index], ("exclude", index)
        return Exclusion(self._range((*path, "range"), table.range), table.reason, self._toml.where(path))

    def _ports(self, path: Path, items: tuple[int | str, ...]) -> tuple[int, ...]:
        found: set[int] = set()
        for index, item in enumerate(items):
            found.update(self._try((*path, "ports", index), parse_ports, str(item)))
        if not found:
            self._fail((*path, "ports"), "there are no ports", "write ports = [104, 11112]")
        return tuple(sorted(found))

    def _range(self, path: Path, text: str) -> Range:
        return self._try(path, parse_range, text)


def parse_range(text: str) -> Range:
    """A CIDR range, an address or a host name; ``ValueError`` or ``UsageError`` for anything else."""
    if "/" not in text:
        return _single(text)
    try:
        return ipaddress.ip_network(text)
    except ValueError as exc:
        loose = _loose(text)
        if loose is None:
            raise ValueError(f"{text!r} is no range of addresses ({exc})") from exc
        raise UsageError(
            f"{text} has host bits set",
            then=f"write {loose} for the range, or {text.partition('/')[0]} for the one address",
        ) from exc


def _loose(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _single(text: str) -> Range:
    if "%" in text:
        raise ValueError(f"{text!r}: an address with a zone is not supported")
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        return host_name(text)
