"""The main program of one side of a rehearsal: serves, and asks the other side, as it is told on standard input.

It runs in a network namespace of its own, which ends with it; and it ends when nobody is there any more to tell
it anything, however that came about.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from typing import Any, BinaryIO

from leadglass import wiring
from leadglass.configs.firewall.proof import ANSWERS
from leadglass.errors import LeadglassError, ResourceError
from leadglass.lab.stage import Stage
from leadglass.model.endpoint import Endpoint
from leadglass.model.evidence import Reply
from leadglass.net.engine import Engine
from leadglass.net.pace import Pace
from leadglass.ports.conversation import Loss, Visit
from leadglass.probe.associate import AssociateConversation
from leadglass.scope.parse import parse
from leadglass.scope.scope import Scope

__all__ = ["CABLE", "EchoVisit", "main", "program"]

CABLE = "cable"
"""The only interface beside loopback."""

_PATIENCE = 1.2
"""Seconds for a handshake: the repeated SYN, after one second, is still heard."""
_PACKAGES = {
    "nft": "nftables",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "sh": "dash",
}
_WORDS = {Loss.REFUSED: "closed", Loss.UNANSWERED: "filtered"}

_SCOPE = """\
name = "Namespaces of leadglass firewall test"
[authorisation]
basis = "owner"
granted_by = "whoever started the test"
contact = "whoever started the test"
"""


class EchoVisit:
    """One association and one C-ECHO. Implements ``ports.conversation.Visit``."""

    def __init__(self, address: str, port: int) -> None:
        self.endpoint = Endpoint(address, port)
        self.not_before = 0.0
        self.found = "unreachable"
        """In words."""
        self._conversation: AssociateConversation | None = None

    def next(self, now: float) -> AssociateConversation | None:  # noqa: ARG002 - the contract's signature
        """The question, once."""
        if self._conversation is None:
            self._conversation = AssociateConversation("ANY-SCP", "LEADGLASS")
            return self._conversation
        if self._conversation.evidence.echo is Reply.ANSWERED:
            self.found = ANSWERS
        elif self.found == "unreachable":
            self.found = "open, and no C-ECHO was answered"
        return None

    def source(self, address: str) -> None:
        """Told by whoever chose it."""

    def failed(self, loss: Loss) -> None:
        """No connection."""
        self.found = _WORDS.get(loss, "not to be reached")

    def denied(self, why: str) -> None:
        """The scope is made of what is asked."""
        self.found = f"not permitted: {why}"


def program(name: str) -> str:
    """Where a program of the system is; ``ResourceError`` if it is not there."""
    found = shutil.which(name, path=os.pathsep.join([os.defpath, "/usr/sbin", "/sbin"]))
    if found is None:
        raise ResourceError(f"{name} is not here", where="firewall test", then=f"install {_PACKAGES[name]}")
    return found


def main() -> None:
    """Obey until there is nobody left to obey."""
    # Outermost: what could not be answered is tried once more when the pipe is closed.
    with suppress(BrokenPipeError), open(0, "rb") as orders, open(1, "wb") as answers, ExitStack() as serving:
        for order in map(json.loads, orders):
            try:
                _answer(answers, _obey(order, serving))
            except LeadglassError as exc:
                _answer(answers, {"trouble": str(exc)})


def _obey(order: Mapping[str, Any], serving: ExitStack) -> object:
    if "serve" in order:
        serving.enter_context(Stage((address, port) for address, port in order["serve"]))
        return {"serves": len(order["serve"])}
    return {"found": _asked(order["from"], [(address, port) for address, port in order["ask"]])}


def _asked(sources: Sequence[str], endpoints: Sequence[tuple[str, int]]) -> list[str]:
    """What each endpoint does for whoever comes from ``sources``: at most one of each family."""
    _come_from(sources, {address for address, _ in endpoints})
    engine = Engine(
        _scope(endpoints),
        wiring.clock(),
        Pace(per_host=64, per_prefix=256, in_flight=512, connect_timeout=_PATIENCE),
    )
    visits = [EchoVisit(address, port) for address, port in endpoints]
    asked: Iterator[Visit | None] = iter(visits)
    engine.run(asked, lambda _: None)
    return [visit.found for visit in visits]


def _scope(endpoints: Sequence[tuple[str, int]]) -> Scope:
    ports: dict[str, list[int]] = {}
    for address, port in endpoints:
        ports.setdefault(address, []).append(port)
    targets = "".join(
        f"[[targets]]\nrange = {json.dumps(address)}\nports = {sorted(listed)}\n"
        for address, listed in ports.items()
    )
    return parse(_SCOPE + targets, filename="the rehearsal", moment=wiring.clock().posix())


def _come_from(sources: Sequence[str], destinations: set[str]) -> None:
    """The kernel takes the source of a connection from the route to where it goes."""
    by_family = {":" in source: source for source in sources}
    lines = [
        f"route replace {address}{'/128' if ':' in address else '/32'} dev {CABLE} src {by_family[':' in address]}\n"
        for address in sorted(destinations)
    ]
    done = subprocess.run(  # noqa: S603 - addresses that were parsed
        [program("ip"), "-batch", "-"], input="".join(lines), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise ResourceError(f"no route could be set ({done.stderr.strip()[:200]})", where="ip")


def _answer(pipe: BinaryIO, value: object) -> None:
    pipe.write(json.dumps(value).encode() + b"\n")
    pipe.flush()


if __name__ == "__main__":
    main()
