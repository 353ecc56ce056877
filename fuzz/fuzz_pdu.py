"""Any bytes: an event or RemoteProtocolError; bounded memory and time. What was decoded survives encoding.

Input: a PDU type, then the body. A body that decodes must encode to bytes that decode to the same
value and encode to the same bytes again.
"""

from __future__ import annotations

import atheris

with atheris.instrument_imports(include=["leadglass.wire"]):
    from leadglass.wire import pdu

# A script finds its neighbours in its own folder; mypy counts modules from the root.
import samples  # type: ignore[import-not-found]
from harness import run  # type: ignore[import-not-found]

from leadglass.errors import RemoteProtocolError


def target(data: bytes) -> None:
    try:
        value = pdu.decode(data[0] % 9 if data else 0, data[1:])
    except RemoteProtocolError:
        return
    encoded = pdu.encode(value)
    again = pdu.decode(encoded[0], encoded[6:])
    assert again == value
    assert pdu.encode(again) == encoded


if __name__ == "__main__":
    run(target, [encoded[:1] + encoded[6:] for encoded in samples.PDUS])
