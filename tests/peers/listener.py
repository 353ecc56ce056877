"""An archive that answers on every address of its side of the cable, and notes how deep it was asked at each."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import pynetdicom
from pynetdicom import evt
from tests.peers.places import Place

__all__ = ["Asked", "listener"]

_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
_PATIENT_FIND = "1.2.840.10008.5.1.4.1.2.1.1"
_VERIFICATION = "1.2.840.10008.1.1"

Asked = dict[str, set[str]]
"""Address to the rungs that were seen there: associate, negotiate, blank-query."""


@contextlib.contextmanager
def listener(place: Place, port: int) -> Iterator[Asked]:
    """Listen at ``place`` on ``port`` of all its addresses, IPv4 and IPv6, while the block runs."""
    asked: Asked = {}
    lock = threading.Lock()

    def note(event: Any, rung: str) -> None:
        address = event.assoc.dul.socket.socket.getsockname()[0].removeprefix("::ffff:")
        with lock:
            asked.setdefault(address, set()).add(rung)

    def requested(event: Any) -> None:
        offered = {str(context.abstract_syntax) for context in event.assoc.requestor.requested_contexts}
        note(event, "associate" if offered == {_VERIFICATION} else "negotiate")

    def found(event: Any) -> Iterator[tuple[int, None]]:
        note(event, "blank-query")
        yield 0x0000, None

    entity = pynetdicom.AE(ae_title="LISTENER")
    entity.supported_contexts = [
        pynetdicom.build_context(uid) for uid in (_VERIFICATION, _FIND, _PATIENT_FIND)
    ]
    handlers = [(evt.EVT_REQUESTED, requested), (evt.EVT_C_FIND, found)]
    with place.inside():
        server = entity.start_server(("::", port), block=False, evt_handlers=handlers)
    try:
        yield asked
    finally:
        server.shutdown()
