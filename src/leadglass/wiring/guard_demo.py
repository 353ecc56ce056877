"""A guard for the demonstration: set before one archive of the lab as it would be set before any."""

from __future__ import annotations

import contextlib
import json
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from leadglass import wiring
from leadglass.errors import ResourceError
from leadglass.guard.dimse.archive import Archive
from leadglass.guard.dimse.asking import SYNTAX_UID, Asker
from leadglass.guard.doors import listen
from leadglass.guard.enrol.template import Draft
from leadglass.guard.identifiers.questions import ask_study
from leadglass.guard.process import ask
from leadglass.guard.tls import client_context
from leadglass.model.access import Kind
from leadglass.model.enrolment import Enrolled
from leadglass.net.services import Service
from leadglass.settings.guard import Address, Profile
from leadglass.wire.elements import syntax_of
from leadglass.wiring.guard_run import Guard
from leadglass.wiring.guard_setup import Site, begin, enrol, read_site

__all__ = ["Locked", "locked"]

_HERE = "127.0.0.1"
_TITLE, _CALLING, _NAME = "ARCHIVE", "READER", "reading-room"
_YEAR = 365 * 86400.0
_PATIENCE = 60.0
_POLICY = """\
// The lab's archive tells no institutions: whoever has the role "reader" sees all of it.
@id("demo-reader")
permit (principal, action in [Action::"echo", Action::"find"], resource)
when { principal.roles.contains("reader") };
"""


class Locked:
    """An archive behind a running guard."""

    def __init__(self, site: Site, door: Address) -> None:
        self._site = site
        self.door = door
        """Where the guard listens, mutual TLS."""

    def seen_by_enrolled(self) -> int:
        """How many studies an enrolled workstation finds through the guard."""
        folder = self._site.enrolled / _NAME
        papers = (str(folder / "ca.pem"), str(folder / f"{_NAME}.pem"), str(folder / f"{_NAME}.key"))
        context = client_context(Profile.BCP195, *papers)
        syntax = syntax_of(SYNTAX_UID)
        assert syntax is not None
        question = ask_study("", frozenset(), syntax)

        async def count() -> int:
            line = Archive(Service("the guard", self.door.host, self.door.port), context, _HERE)
            return len(await Asker(line, _TITLE, _CALLING).find(question))

        return ask(count)


@contextlib.contextmanager
def locked(archive: Address) -> Iterator[Locked]:
    """Set a guard before ``archive`` for the length of the block; errors as ``guard run`` has them."""
    with tempfile.TemporaryDirectory(prefix="leadglass-guard-") as home:
        doors = {name: _free() for name in ("dicom", "health")}
        site = _site(Path(home) / "guard", archive, doors)
        entry = Enrolled(_NAME, Kind.DEVICE, (_CALLING,), ("127.0.0.0/8",), roles=("reader",))
        enrol(site, entry, until=wiring.clock().posix() + _YEAR, rsa_keys=False)
        guard = Guard(site, silent=True)
        running = threading.Thread(target=guard.run, daemon=True)
        running.start()
        try:
            _await(guard, running)
            yield Locked(site, doors["dicom"])
        finally:
            guard.stop()
            running.join()


def _site(folder: Path, archive: Address, doors: dict[str, Address]) -> Site:
    site = begin(folder, Draft("demonstration", archive, _TITLE, (_HERE,)), rsa_keys=False)
    told = "\n".join(f"{name} = {json.dumps(str(address))}" for name, address in doors.items())
    file = f"""\
name = "demonstration"
[archive]
title = "{_TITLE}"
address = "{archive}"
[listen]
names = ["{_HERE}"]
{told}
[audit]
reserve = "1MiB"
[limits]
workers = 1
"""
    site.file.write_text(file, encoding="utf-8")
    (folder / "policy" / "demo.cedar").write_text(_POLICY, encoding="utf-8")
    return read_site(site.file)


def _free() -> Address:
    with contextlib.closing(listen(Address(_HERE, 0))) as sock:
        return Address(_HERE, sock.getsockname()[1])


def _await(guard: Guard, running: threading.Thread) -> None:
    until = wiring.clock().monotonic() + _PATIENCE
    while not guard.numbers()["workers"]:
        if not running.is_alive() or wiring.clock().monotonic() > until:
            raise ResourceError("the guard does not come up")
        running.join(0.05)
