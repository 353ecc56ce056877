"""One server: the verdict in plain words, its evidence, its history, and what the register says beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from leadglass.model.order import Order, OrderState
from leadglass.model.record import ScanRecord
from leadglass.model.verdict import Severity, State
from leadglass.report import say
from leadglass.report.gather import SILENT, Host
from leadglass.report.words import VANTAGE, count
from leadglass.store.diff import Seen
from leadglass.store.notes import Note
from leadglass.store.server_rows import EndpointNow, Server, Turn
from leadglass.web.pages.lines import Running, do_first, going_on, ordered, scan_path, stranger_can
from leadglass.web.pages.telling import Moment, day, lasting, moment, shortened

__all__ = [
    "Because",
    "EndpointView",
    "Fact",
    "Looks",
    "NoteView",
    "ServerView",
    "TurnView",
    "looks",
    "note_view",
    "view",
]

_VALUE = 300
"""Characters of an observed value that are shown."""
_TURNS = 60


@dataclass(frozen=True, slots=True)
class Fact:
    """One observation."""

    id: str
    value: str
    digest: str
    """The first twelve digits of its SHA-256."""


@dataclass(frozen=True, slots=True)
class Because:
    """One reason, its rule and what it stands on."""

    text: str
    rule: str
    seen: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class EndpointView:
    """One port as seen from one place."""

    id: str
    """For links within the page."""
    port: int
    place: str
    access: str
    severity: Severity
    software: str
    stranger: str
    tls: str
    because: tuple[Because, ...]
    unknown: tuple[str, ...]
    advice: tuple[str, ...]
    capabilities: tuple[tuple[str, State], ...]
    behind: str
    evidence: tuple[Fact, ...]
    seen: Moment
    scan: str
    """Its page."""
    rung: str
    vantage: str


@dataclass(frozen=True, slots=True)
class TurnView:
    """One moment of its history."""

    at: Moment
    severity: Severity
    title: str
    says: str
    scan: str


@dataclass(frozen=True, slots=True)
class Looks:
    """Looks at it that are wanted."""

    now: tuple[Running, ...]
    again: Moment | None
    """When what has fallen silent is looked at once more; None: it is not."""


@dataclass(frozen=True, slots=True)
class NoteView:
    """What somebody wrote."""

    author: str
    at: Moment
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServerView:
    """The page, apart from the register."""

    address: str
    name: str
    severity: Severity
    verdict: str
    since: str
    first: str
    vantage: str
    endpoints: tuple[EndpointView, ...]
    silent: str
    """Ports that do not answer, in one line; "" if all do."""
    timeline: tuple[TurnView, ...]
    earlier: int
    """Turns that are not shown."""
    looks: str
    letter: str
    """The command that drafts a letter to whoever runs it."""
    ports: tuple[int, ...]
    """Those that answer."""


def view(server: Server, now: int) -> ServerView:
    """The page of ``server``."""
    host = Host(server.row.address, tuple(one.record for one in server.endpoints))
    answering = [one for one in server.endpoints if one.row.access not in SILENT]
    shown = answering or server.endpoints[:1]
    advice = next((text for one in shown for text in one.record.advice), "Nothing has to be done now.")
    return ServerView(
        address=server.row.address,
        name=shortened(server.row.name or "", 120),
        severity=server.row.severity,
        verdict=say.host_verdict(host) if host.records else f"A stranger {stranger_can(server.row.access)}.",
        since=_since(server, now),
        first=do_first(server.row, advice),
        vantage=" ".join(dict.fromkeys(VANTAGE[record.vantage.position] for record in host.records)),
        endpoints=tuple(_endpoint(one, number, now) for number, one in enumerate(shown, 1)),
        silent=_silent([one for one in server.endpoints if one not in shown]),
        timeline=tuple(_turn(turn, now) for turn in server.timeline[:_TURNS]),
        earlier=max(0, len(server.timeline) - _TURNS),
        looks=f"Looked at {count(server.looks, 'time')}, first on {day(server.row.first_seen)}.",
        letter=f'leadglass notify draft "OWNER" --scope scope.toml --scan last --address {server.row.address}',
        ports=tuple(sorted({one.row.endpoint.port for one in answering})),
    )


def looks(address: str, orders: Sequence[Order], now: int) -> Looks:
    """Those of ``orders`` that are about ``address`` and not over."""
    about = [order for order in orders if any(address == wanted for wanted, _ in order.ports)]
    later = [order.due_at for order in about if order.state is OrderState.WAITING and order.due_at > now]
    live = going_on(about, now)
    return Looks(tuple(map(ordered, live)), moment(min(later), now) if later and not live else None)


def note_view(note: Note, now: int) -> NoteView:
    """A note, line by line."""
    return NoteView(note.author, moment(note.at, now), tuple(note.text.splitlines()))


def _since(server: Server, now: int) -> str:
    row = server.row
    if not row.is_exposed:
        return f"Last looked at on {moment(row.last_seen, now).full}."
    return f"At least since {day(row.since)}: for {lasting(now - row.since)}, as far as anybody looked."


def _silent(others: Sequence[EndpointNow]) -> str:
    if not others:
        return ""
    told = ", ".join(f"{one.row.endpoint.port} {one.row.access}" for one in others[:_TURNS])
    return f"No answer worth a verdict at: {told}{' ...' if len(others) > _TURNS else ''}."


def _endpoint(one: EndpointNow, number: int, now: int) -> EndpointView:
    record = one.record
    return EndpointView(
        id=f"port-{one.row.endpoint.port}-{number}",
        port=one.row.endpoint.port,
        place=one.row.place,
        access=record.access,
        severity=one.row.severity,
        software=shortened(say.software(record), _VALUE),
        stranger=say.stranger(record),
        tls=say.tls(record),
        because=tuple(_because(record)),
        unknown=say.unknown(record),
        advice=record.advice,
        capabilities=tuple(say.capabilities(record).items()),
        behind=say.behind(record),
        evidence=tuple(_fact(fact.id, say.value(fact), fact.sha256) for fact in record.evidence),
        seen=moment(one.row.last_seen, now),
        scan=scan_path(record.scan),
        rung=record.rung,
        vantage=say.source(record) or "not known",
    )


def _because(record: ScanRecord) -> Iterator[Because]:
    for reason in say.because(record):
        seen = tuple(_fact(fact.id, say.value(fact), fact.sha256) for fact in reason.seen)
        yield Because(reason.text, reason.rule, seen)


def _fact(name: str, value: str, digest: str) -> Fact:
    return Fact(name, shortened(value, _VALUE), digest[:12])


def _turn(turn: Turn, now: int) -> TurnView:
    return TurnView(
        at=moment(turn.at, now),
        severity=turn.after.severity,
        title=f"Port {turn.endpoint.port}: {turn.after.access}",
        says=" ".join(_told(turn, now)),
        scan=scan_path(turn.scan),
    )


def _told(turn: Turn, now: int) -> Iterable[str]:
    if turn.before is None:
        yield "First look."
    else:
        yield f"Before: {_side(turn.before)}."
        if turn.not_before is not None:
            yield f"It changed after {moment(turn.not_before, now).full}."
    if turn.after.product:
        yield f"Software: {shortened(_product(turn.after), 80)}."
    if turn.place:
        yield f"Seen from {shortened(turn.place, 80)}."


def _side(seen: Seen) -> str:
    return f"{seen.access}, {seen.severity}"


def _product(seen: Seen) -> str:
    return " ".join(part for part in (seen.product, seen.version) if part)
