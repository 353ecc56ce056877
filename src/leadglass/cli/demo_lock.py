"""The end of the demonstration: a guard before one exposed archive, and a second look."""

from __future__ import annotations

import sys

from rich.text import Text

from leadglass import wiring
from leadglass.cli import load
from leadglass.cli.console import console
from leadglass.cli.prose import STYLE, print_lines, wrapped
from leadglass.errors import ConfigError
from leadglass.model.record import ScanRecord
from leadglass.model.rung import Rung
from leadglass.model.verdict import Access
from leadglass.scan.run import Sink
from leadglass.scope.check import scope_for_check
from leadglass.scope.ports import HostPorts
from leadglass.settings.guard import Address
from leadglass.wiring.scanning import engine_for, scan_of

__all__ = ["lock_one"]

_LINE = "{:26}  {:17}  {:20}  {}"


class _One(Sink):
    """Keeps the last record."""

    kept: ScanRecord | None = None

    def record(self, record: ScanRecord) -> None:
        """The only one there is."""
        self.kept = record

    def denied(self, reason: str) -> None:
        """The scope was made for it."""


def lock_one(before: ScanRecord) -> bool:
    """Set a guard before the archive of this record and look at the guard; whether a stranger gets no further.

    Where there can be no guard, or its packages are missing, it says so, and nothing is wrong.
    """
    console().print()
    console().print(Text("Now the lock", style="bold"))
    if sys.platform != "linux":
        print_lines(wrapped("The guard needs Linux; everything up to here does not."))
        return True
    try:
        module = load("leadglass.wiring.guard_demo", extra="guard")
    except ConfigError as exc:
        print_lines(wrapped(f"The guard is not installed here: {exc.then}"))
        return True
    endpoint = before.endpoint
    with module.locked(Address(endpoint.address, endpoint.port)) as lock:
        after = _looked_at(lock.door)
        studies = lock.seen_by_enrolled()
    return _told(before, after, studies)


def _looked_at(door: Address) -> ScanRecord:
    scope = scope_for_check(
        [HostPorts(door.host, (door.port,), is_name=False)],
        {},
        authorised_by=None,
        called_ae=None,
        calling_ae="LEADGLASS",
        moment=wiring.clock().posix(),
    )
    sink = _One()
    scan_of(scope, Rung.BLANK_QUERY).run(engine_for(scope), wiring.clock(), sink)
    assert sink.kept is not None
    return sink.kept


def _told(before: ScanRecord, after: ScanRecord, studies: int) -> bool:
    print_lines(
        wrapped(
            "An archive cannot tell users apart, and most cannot even ask for a certificate. So leadglass guard "
            "now stands before the first of them: it terminates mutual TLS, knows who is asking, and lets through "
            "what its policy permits. Leadglass looks again."
        )
    )
    rows = (("a stranger, at the archive", before), ("a stranger, at the guard", after))
    for who, record in rows:
        line = Text(_LINE.format(who, str(record.endpoint), record.access, record.severity))
        line.highlight_regex(rf"{record.severity}$", STYLE[record.severity])
        console().print(line)
    closed = after.access is Access.DEMANDS_CERTIFICATE
    found = "1 study" if studies == 1 else f"{studies} studies"
    print_lines(
        wrapped(
            f"An enrolled workstation shows its certificate, asks the same guard, and finds {found}. "
            "In earnest, leadglass guard firewall prints the rules that leave the archive's own port to the guard."
        ),
        style="" if closed and studies else "bold red",
    )
    return closed and studies > 0
