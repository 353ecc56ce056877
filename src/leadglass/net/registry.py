"""To whom addresses are registered: RDAP (RFC 9082, 9083), asked of the registry that IANA names for them.

The library that asks owns its sockets (it is one of the few that may). It gets a session that knows no proxy,
reads a bounded answer and follows few redirects, which registries use to name each other. Which registry has
which addresses is IANA's bootstrap file (RFC 9224), which the user brings or lets be fetched.
"""

from __future__ import annotations

import ipaddress
import json
import time
from collections.abc import MutableMapping
from typing import Any, Final

import requests
import whoisit
from whoisit.errors import WhoisItError

from leadglass.errors import ConfigError, TransportError

__all__ = ["Registries"]

_LARGEST = 1 << 20
"""Bytes of one answer; a network with all of its contacts is a hundredth of it."""
_SECONDS: Final = (5.0, 10.0)
"""To connect, and between two reads."""
_PAUSE = 1.0
"""Seconds between two questions: registries count."""


_UNFORESEEN = (AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What the library raises about answers that are JSON and no RDAP."""


class _Session(requests.Session):
    """Bounded in time and size."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self.max_redirects = 3

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        kwargs.update(stream=True, timeout=_SECONDS)
        response = super().send(request, **kwargs)
        body = b""
        for piece in response.iter_content(16384):
            body += piece
            if len(body) > _LARGEST:
                response.close()
                raise requests.exceptions.ContentDecodingError(f"more than {_LARGEST} bytes")
        response._content = body  # noqa: SLF001 - as requests does it
        return response


class Registries:
    """Asks registries for networks, seldom, and each network once.

    ``bootstrap``: IANA's five files in one JSON object, by ``asn``, ``dns``, ``ipv4``, ``ipv6``, ``object``; None
    has them fetched. ``kept``: answers by network, from earlier days. ``plain``: HTTP without TLS will do.
    """

    def __init__(
        self, bootstrap: str | None, kept: MutableMapping[str, Any] | None = None, *, plain: bool = False
    ) -> None:
        self._kept = {} if kept is None else kept
        self._session = _Session()
        self._asked_at = float("-inf")
        whoisit.clear_bootstrapping()
        try:
            if bootstrap is None:
                whoisit.bootstrap(session=self._session, allow_insecure=plain)
            else:
                whoisit.load_bootstrap_data(_stamped(bootstrap), allow_insecure=plain)
        except (WhoisItError, requests.RequestException, ValueError) as exc:
            raise ConfigError(
                f"which registry has which addresses is not known ({exc})",
                then="bring IANA's RDAP bootstrap file",
            ) from exc

    def network(self, address: str) -> dict[str, Any]:
        """What the registry says of the network that holds ``address``; ``TransportError`` if it does not say."""
        here = ipaddress.ip_address(address)
        for text, known in self._kept.items():
            if here in ipaddress.ip_network(text):
                return dict(known)
        self._wait()
        try:
            found = whoisit.ip(address, session=self._session)
        except (WhoisItError, requests.RequestException, *_UNFORESEEN) as exc:
            raise TransportError(f"the registry does not say ({_first_line(exc)})", where=address) from exc
        answer: dict[str, Any] = json.loads(json.dumps(found, default=str))
        self._kept[str(answer.get("network") or here)] = answer
        return answer

    def _wait(self) -> None:
        time.sleep(max(0.0, self._asked_at + _PAUSE - time.monotonic()))
        self._asked_at = time.monotonic()


def _stamped(bootstrap: str) -> str:
    """With the time that the library wants in it, and says no more of."""
    found = json.loads(bootstrap)
    if not isinstance(found, dict):
        raise TypeError("it is no object")
    found.setdefault("timestamp", 0)
    return json.dumps(found)


def _first_line(exc: Exception) -> str:
    return (str(exc).splitlines() or [type(exc).__name__])[0][:200]
