"""What stands before every route: whom the browser means, where it comes from, how much it may send and how slowly."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leadglass.settings.serve import ServeSettings
from leadglass.web.headers import with_headers

__all__ = ["Front", "host_of"]

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104  # compared with, not bound
_MOST_HOPS = 20


class Front:
    """Wraps the application; ``settings`` say what it believes and bears."""

    def __init__(self, app: ASGIApp, settings: ServeSettings) -> None:
        self._app = app
        self._settings = settings
        self._hosts = _LOOPBACK | {name.casefold() for name in settings.hosts}
        if settings.bind.host not in _EVERYWHERE:
            self._hosts |= {settings.bind.host.casefold()}
        self._proxies = [ipaddress.ip_network(network) for network in settings.trusted_proxy]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; anything else (lifespan) goes by, and there are no WebSockets."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = _headers(scope)
        here = self._seen(scope, headers)
        sending = _Sending(send, secure=here["scheme"] == "https")
        refusal = self._refusal(headers)
        if refusal is not None:
            await refusal(here, receive, sending)
            return
        await self._app(here, self._receiving(receive), sending)

    def _refusal(self, headers: Mapping[str, list[str]]) -> PlainTextResponse | None:
        hosts = headers.get("host", [])
        if len(hosts) != 1 or host_of(hosts[0]) not in self._hosts:
            # A name that somebody else's DNS points here (rebinding), or that nobody told us.
            says = "this server is not called so; name it in serve.toml: hosts = [...]\n"
            return PlainTextResponse(says, 421)
        lengths = headers.get("content-length", ["0"])
        if not all(text.isascii() and text.isdigit() for text in lengths) or len(set(lengths)) > 1:
            return PlainTextResponse("this length is no number\n", 400)
        if len(lengths[0]) > 15 or int(lengths[0]) > self._settings.largest_body:
            return PlainTextResponse("this is more than one request may bring\n", 413)
        return None

    def _seen(self, scope: Scope, headers: Mapping[str, list[str]]) -> dict[str, Any]:
        """The scope with the client's own address and scheme, if a proxy that is believed tells them."""
        seen = dict(scope)
        client = scope.get("client")
        if client is None or not self._is_proxy(client[0]):
            return seen
        hops = ",".join(headers.get("x-forwarded-for", [])).split(",")[-_MOST_HOPS:]
        seen["client"] = (self._behind([hop.strip() for hop in hops], client[0]), 0)
        if headers.get("x-forwarded-proto") == ["https"]:
            seen["scheme"] = "https"
        return seen

    def _behind(self, hops: list[str], nearest: str) -> str:
        """The last hop that is none of our proxies: what stands before it anybody can write."""
        for hop in reversed(hops):
            address = _address(hop)
            if address is None:
                return nearest
            nearest = address
            if not self._is_proxy(address):
                break
        return nearest

    def _is_proxy(self, text: str) -> bool:
        address = _address(text)
        return address is not None and any(ipaddress.ip_address(address) in one for one in self._proxies)

    def _receiving(self, receive: Receive) -> Receive:
        """``receive`` that ends when too much came, or the whole does not come in time."""
        taken, whole = 0, False
        end = asyncio.get_running_loop().time() + self._settings.slowest_request

        async def received() -> Message:
            nonlocal taken, whole
            if whole:  # from now on it only tells that the browser has gone
                return await receive()
            try:
                async with asyncio.timeout_at(end):
                    message = await receive()
            except TimeoutError as exc:
                raise HTTPException(408, "this request did not arrive in time", _CLOSE) from exc
            taken += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if taken > self._settings.largest_body:
                raise HTTPException(413, "this is more than one request may bring", _CLOSE)
            return message

        return received


_CLOSE = {"Connection": "close"}


class _Sending:
    """``send`` with the headers of every answer."""

    def __init__(self, send: Send, *, secure: bool) -> None:
        self._send = send
        self._secure = secure

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": with_headers(message.get("headers", ()), secure=self._secure)}
        await self._send(message)


def host_of(text: str) -> str:
    """The name in a ``Host`` header, without its port and the brackets of IPv6; "" if it is none."""
    name, bracket, rest = text.partition("]")
    if bracket:
        name, port = name.removeprefix("["), rest.removeprefix(":")
        is_whole = text.startswith("[") and (not rest or rest.startswith(":"))
    else:
        name, _, port = text.partition(":")
        is_whole = True
    is_port = not port or (port.isascii() and port.isdigit() and len(port) <= 5)
    return name.casefold().removesuffix(".") if is_whole and is_port else ""


def _headers(scope: Scope) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    pairs: Iterable[tuple[bytes, bytes]] = scope["headers"]
    for name, value in pairs:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return found


def _address(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None
