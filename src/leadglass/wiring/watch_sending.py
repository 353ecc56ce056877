"""Carries alerts to the channels that ``watch.toml`` names: all that wait for one in one message.

What may have left already is sent again as the same message: with the same key, Message-ID or identifier.
"""

from __future__ import annotations

import email.utils
import platform
from collections.abc import Callable, Sequence
from pathlib import Path

from leadglass.errors import ConfigError, TransportError
from leadglass.net import syslog, webhook
from leadglass.net.mail import Delivery, postbox
from leadglass.notice import alerts as words
from leadglass.ports.world import Clock
from leadglass.settings.mail_file import read_mail
from leadglass.settings.watch_file import MailChannel, SyslogChannel, WatchSettings, Webhook
from leadglass.store import deliveries
from leadglass.store.database import Database
from leadglass.wiring.posting import server_of
from leadglass.wiring.watch_files import read_secret

__all__ = ["Sender"]

_AT_ONCE = 100
"""Alerts in one message."""
_SHORTEST, _LONGEST = 30.0, 3600.0
"""Seconds until a channel that failed is tried again; each time twice as long."""


class Sender:
    """Sends what waits; ``say`` hears of a channel that does not work, once."""

    def __init__(
        self, database: Database, settings: WatchSettings, clock: Clock, say: Callable[[str], None]
    ) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._say = say
        self._failures: dict[str, int] = {}

    def round(self) -> None:
        """Escalate what has stood too long, and send what is due to each channel."""
        escalation, now = self._settings.escalation, self._clock.posix()
        if escalation is not None:
            severities = [one for one in type(escalation.severity) if one.rank <= escalation.severity.rank]
            deliveries.escalate(self._database, escalation.to, severities, now - escalation.after)
        for channel in self._settings.channels:
            self._serve(channel)

    def _serve(self, channel: Webhook | MailChannel | SyslogChannel) -> None:
        now = self._clock.posix()
        again, begun_at = deliveries.unsure(self._database, channel.name, now)
        due = again or deliveries.due(self._database, channel.name, now, _AT_ONCE)
        if not due:
            return
        items = [(alert.id, occasion) for alert, occasion in due]
        since = begun_at if again else None
        ours = set(deliveries.begin(self._database, channel.name, items, now, begun_at=since))
        told: list[words.Told] = [
            (alert, occasion.value) for alert, occasion in due if (alert.id, occasion) in ours
        ]
        if told:
            fate, why = self._attempt(channel, told, int(now))
            # What may have left once is not known not to have left because it was refused the second time.
            fate = Delivery.UNKNOWN if again and fate is Delivery.REFUSED else fate
            self._note(channel.name, sorted(ours), fate, why)

    def _attempt(
        self, channel: Webhook | MailChannel | SyslogChannel, told: Sequence[words.Told], now: int
    ) -> tuple[Delivery, str]:
        try:
            if isinstance(channel, Webhook):
                return self._post(channel, told, now)
            if isinstance(channel, MailChannel):
                return self._mail(channel, told, now)
            return self._log(channel, told)
        except (ConfigError, TransportError) as exc:
            return Delivery.REFUSED, str(exc)

    def _post(self, channel: Webhook, told: Sequence[words.Told], now: int) -> tuple[Delivery, str]:
        hook = webhook.Hook(channel.url, read_secret(Path(channel.secret_file)), channel.ca_file)
        first, occasion = told[0]
        body = words.as_json(told, self._settings.name)
        return webhook.post(hook, body, f"{first.id}-{occasion}-{len(told)}", now)

    def _mail(self, channel: MailChannel, told: Sequence[words.Told], now: int) -> tuple[Delivery, str]:
        path = Path(channel.file)
        try:
            file = read_mail(path.read_text(encoding="utf-8"), str(path))
        except (OSError, UnicodeDecodeError) as exc:
            raise ConfigError("the mail file cannot be read", where=str(path)) from exc
        date = email.utils.formatdate(now)
        mail = words.as_mail(told, self._settings.name, file.sender, channel.to, date)
        with postbox(server_of(file, path.parent)) as box:
            return box.deliver(mail, file.sender, channel.to)

    def _log(self, channel: SyslogChannel, told: Sequence[words.Told]) -> tuple[Delivery, str]:
        collector = syslog.SyslogCollector(
            channel.address.host,
            channel.address.port,
            channel.tls,
            channel.ca_file,
            channel.certificate,
            channel.key,
        )
        host = platform.node()
        return syslog.send(collector, [words.as_syslog(alert, occasion, host) for alert, occasion in told])

    def _note(self, channel: str, items: Sequence[deliveries.Item], fate: Delivery, why: str) -> None:
        now = self._clock.posix()
        if fate is Delivery.LEFT:
            deliveries.end(self._database, channel, items, now=now)
            self._failures.pop(channel, None)
            return
        failures = self._failures.get(channel, 0)
        self._failures[channel] = failures + 1
        if not failures:
            self._say(f"alerts cannot be sent by {channel}: {why}")
        if fate is Delivery.REFUSED:
            rest = min(_LONGEST, _SHORTEST * 2.0 ** min(failures, 10))
            deliveries.end(self._database, channel, items, trouble=why[:300], again_at=now + rest)
        # Else nobody knows whether it left: it stays as begun, status tells so, and it is sent again later.
