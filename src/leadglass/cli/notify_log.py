"""``leadglass notify log``: what was sent, and what came back."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated

import typer

from leadglass import wiring
from leadglass.cli.database import DatabaseOption
from leadglass.cli.notify_options import AddressOption, RecordsOption, ScanOption, ranges_of, seen
from leadglass.cli.storing import opened
from leadglass.cli.terminal import write
from leadglass.errors import UsageError
from leadglass.model.notice import Answer, Audience, Channel, Frame, Language, SentNotice
from leadglass.notice.plain import plain
from leadglass.store import notices

__all__ = ["log"]

_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")


def log(
    reference: Annotated[
        str,
        typer.Argument(metavar="REFERENCE", help="Of the notice, as draft prints it.", show_default=False),
    ],
    channel: Annotated[
        Channel | None, typer.Option(help="It was sent, and this is how.", show_default=False)
    ] = None,
    owner: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who runs the servers.", show_default=False)
    ] = None,
    recipient: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Who got it, if that is not the owner.", show_default=False),
    ] = None,
    wording: Annotated[
        str | None,
        typer.Option(metavar="WORDING", help="As draft prints it: de-gdpr-owner.", show_default=False),
    ] = None,
    records: RecordsOption = None,
    scan: ScanOption = None,
    address: AddressOption = None,
    on: Annotated[
        str | None,
        typer.Option(metavar="YYYY-MM-DD", help="On which day, UTC; now if not given.", show_default=False),
    ] = None,
    answer: Annotated[Answer | None, typer.Option(help="This came back.", show_default=False)] = None,
    note: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What they said, in short.", show_default=False)
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Write down that a notice was sent, or what came back.

    Example: leadglass notify log LG-20261121-0A1B2C3D --channel letter --owner "Example Radiology"
    --wording de-gdpr-owner --scan last --address 192.0.2.0/28
    """
    _require_something(reference, channel, answer)
    at = _moment(on)
    if channel is not None:
        told_of = [(one.address, one.port) for one in seen(records, scan, database, ranges_of(address))]
        notice = SentNotice(
            reference=reference,
            channel=channel,
            owner=_given(owner, "--owner"),
            recipient=_given(recipient or owner, "--recipient"),
            wording=_wording(wording),
            sent_at=at,
        )
        with opened(database) as store:
            notices.log(store, notice, told_of)
        write(f"{reference} was sent by {channel.value}; endpoints: {len(told_of)}\n")
    if answer is not None:
        with opened(database) as store:
            notices.answer(store, reference, at, answer, plain(note or ""))
        write(f"{reference}: {answer.value}\n")


def _require_something(reference: str, channel: Channel | None, answer: Answer | None) -> None:
    if not _REFERENCE.fullmatch(reference):
        raise UsageError(f"this is no reference: {plain(reference)!r}", then="copy what notify draft printed")
    if channel is None and answer is None:
        raise UsageError(
            "nothing to write down", then="give --channel when it was sent, --answer when one came"
        )


def _given(text: str | None, option: str) -> str:
    name = plain(text or "")
    if not name:
        raise UsageError("a name is missing", where=option)
    return name


def _wording(text: str | None) -> str:
    known = {f"{a}-{b}-{c}" for a in Language for b in Frame for c in Audience}
    if text not in known:
        raise UsageError(
            "this is no wording", where="--wording", then="copy what notify draft printed, as en-hipaa-owner"
        )
    return text


def _moment(day: str | None) -> int:
    """The end of ``day``, so that a look on the same day is none after it; now if that is earlier."""
    now = int(wiring.clock().posix())
    if day is None:
        return now
    try:
        midnight = dt.datetime.combine(dt.date.fromisoformat(day), dt.time(23, 59, 59), dt.UTC)
    except ValueError:
        raise UsageError("this is no day", where="--on", then="write it as 2026-11-21") from None
    start = midnight - dt.timedelta(hours=23, minutes=59, seconds=59)
    if start.timestamp() > now:
        raise UsageError("this day has not come", where="--on")
    return min(int(midnight.timestamp()), now)
