"""Puts the dashboard together: the store, the desks, the real clock, the watch beside it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from leadglass import wiring
from leadglass.errors import ConfigError, LeadglassError
from leadglass.model.dossier import Dossier, DossierOptions
from leadglass.net.secured import context_for
from leadglass.ports.dashboard import Desks
from leadglass.settings.serve import OidcSettings, ServeSettings
from leadglass.settings.serve_file import read_serve
from leadglass.settings.watch_file import WatchSettings
from leadglass.store import accounts
from leadglass.store.database import Database
from leadglass.web.app import create
from leadglass.web.oidc import Provider
from leadglass.web.secrets import digest_of, secret
from leadglass.web.serving import Server
from leadglass.web.site import Site
from leadglass.wiring.desk_guard import guard_desk
from leadglass.wiring.desk_register import RegisterKept
from leadglass.wiring.desk_survey import SurveyKept
from leadglass.wiring.refreshing import keep_current
from leadglass.wiring.renewing import Renewing
from leadglass.wiring.watch_desk import Desk
from leadglass.wiring.watch_files import read_settings
from leadglass.wiring.watching import run_watch

__all__ = [
    "FIRST_LINK_SECONDS",
    "Dossiers",
    "Serving",
    "account_link",
    "desks_of",
    "provider_of",
    "settings_in",
]

FIRST_LINK_SECONDS = 1800
"""How long the link of the first start works."""
_AGAIN = 30.0
"""Seconds until the watch is tried again, while another process watches."""

Dossiers: TypeAlias = Callable[[Database, DossierOptions], Dossier]
"""``wiring.dossier.dossier``, where the extra ``pdf`` is installed."""


def settings_in(file: Path) -> ServeSettings:
    """What ``serve.toml`` says; ``ConfigError`` names the line."""
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError("the file cannot be read", where=str(file)) from exc
    return read_serve(text, filename=str(file), folder=str(file.resolve().parent))


def desks_of(database: Database, settings: ServeSettings, dossiers: Dossiers | None = None) -> Desks:
    """Everything that the dashboard asks; ``ConfigError`` for a file of ``settings`` that cannot be read."""
    make = None if dossiers is None else lambda options: dossiers(database, options)
    watched = _watched(settings)
    return Desks(
        register=RegisterKept(database, make, settings.organisation),
        survey=SurveyKept(database),
        watch=Desk(database, watched, wiring.clock(), wiring.randomness()),
        guard=None if settings.guard is None else guard_desk(Path(settings.guard)),
    )


def provider_of(settings: OidcSettings) -> Provider:
    """The identity provider, not yet asked; ``ConfigError`` names the file that cannot be used."""
    file = Path(settings.client_secret_file)
    try:
        secret = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError("the client's secret cannot be read", where=str(file)) from exc
    if not secret or not secret.isprintable():
        raise ConfigError("holds no secret", where=str(file), then="write it there, alone, on one line")
    context_for(settings.ca)
    return Provider(settings, secret, wiring.clock())


def account_link(database: Database, account: str | None, seconds: int) -> str:
    """The path of a link that sets the password of ``account`` once (None: makes the first administrator)."""
    shown = secret(wiring.randomness())
    accounts.give_link(database, digest_of(shown), account, seconds)
    return f"/welcome?link={shown}"


class Serving:
    """The dashboard while it runs. ``say`` takes what the operator should know, from any thread."""

    def __init__(
        self,
        database: Database,
        settings: ServeSettings,
        dossiers: Dossiers | None,
        say: Callable[[str], None],
    ) -> None:
        """``ConfigError`` or ``ResourceError`` if it cannot begin; nothing is open then."""
        self._database = database
        self._settings = settings
        self._say = say
        self._watched = _watched(settings)
        self._end = threading.Event()
        desks = desks_of(database, settings, dossiers)
        provider = None if settings.oidc is None else provider_of(settings.oidc)
        site = Site(database, wiring.clock(), wiring.randomness(), settings, desks, provider)
        self._register = desks.register
        self._renewing = _renewing(settings)
        tls = None if self._renewing is None else self._renewing.certificate.context
        self._server = Server(create(site), settings, tls)

    def first_link(self) -> str | None:
        """The address that makes the first administrator; None if there are accounts."""
        if accounts.every_account(self._database):
            return None
        return self._settings.address + account_link(self._database, None, FIRST_LINK_SECONDS)

    def run(self) -> None:
        """Serve, and watch if that is configured, until ``stop``."""
        threads = [
            threading.Thread(target=self._keep_current, name="lists"),
            threading.Thread(target=self._follow, name="findings"),
        ]
        if self._renewing is not None:
            words = (self._end, self._say)
            threads.append(threading.Thread(target=self._renewing.keep, args=words, name="certificate"))
        if self._watched is not None:
            threads.append(threading.Thread(target=self._watch, args=(self._watched,), name="watch"))
        for thread in threads:
            thread.start()
        try:
            self._server.run()
        finally:
            self._end.set()
            for thread in threads:
                thread.join()

    def stop(self) -> None:
        """End well: what is asked is answered, nothing new is taken. Safe in a signal handler."""
        self._server.stop()

    def _keep_current(self) -> None:
        keep_current(self._database, self._end, self._say)

    def _follow(self) -> None:
        """Go through the register's entries now, so that nobody waits for that when its page is first opened."""
        with contextlib.suppress(LeadglassError):  # the page tells whoever asks for it
            self._register.since(self._settings.profiles)

    def _watch(self, watched: WatchSettings) -> None:
        """Watch, or wait until whoever watches already has gone."""
        while not self._end.is_set():
            try:
                if run_watch(self._database, watched, self._end, self._say):
                    return
            except LeadglassError as exc:
                self._say(f"nothing is watched: {exc}")
                return
            self._end.wait(_AGAIN)


def _renewing(settings: ServeSettings) -> Renewing | None:
    if settings.certificate is None or settings.key is None:
        return None
    return Renewing(settings.certificate, settings.key)


def _watched(settings: ServeSettings) -> WatchSettings | None:
    return None if settings.watch is None else read_settings(Path(settings.watch))
