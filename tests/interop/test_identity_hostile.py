"""Services that pose as an identity provider, or are a broken one: no keys, one line why, and in time."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from tests.unit.access.minting import key, public

from leadglass.access.key_set import Keys
from leadglass.errors import LeadglassError, RemoteProtocolError, TransportError
from leadglass.guard.identity import jwks
from leadglass.guard.identity.jwks import provider

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

SET = json.dumps(public(key())).encode()
ISSUER = "https://id.example"


@pytest.fixture
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jwks, "_PATIENCE", 0.3)


@contextlib.asynccontextmanager
async def served(serve: Serve) -> AsyncIterator[str]:
    """The URL of a server on loopback."""
    serving: set[asyncio.Task[None] | None] = set()

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await serve(reader, writer)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(once, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for task in filter(None, serving):
            task.cancel()
        await asyncio.gather(*filter(None, serving))


def answering(*pieces: bytes) -> Serve:
    """Reads a request, sends these, and closes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.writelines(pieces)
        await writer.drain()

    return serve


def found(body: bytes, *headers: str) -> bytes:
    """A whole HTTP answer."""
    head = "\r\n".join(["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers])
    return head.encode() + b"\r\n\r\n" + body


async def keys_at(serve: Serve) -> tuple[Keys, float | None]:
    async with served(serve) as url:
        return await provider(ISSUER, url + "/jwks").keys()


def failure(serve: Serve) -> LeadglassError:
    began = time.monotonic()
    with pytest.raises((TransportError, RemoteProtocolError)) as caught:
        asyncio.run(keys_at(serve))
    assert time.monotonic() - began < jwks._PATIENCE + 2
    assert "\n" not in str(caught.value)
    return caught.value


# ---- answers that are good


@pytest.mark.parametrize(
    ("headers", "max_age"),
    [
        ([], None),
        (["Cache-Control: public, max-age=120"], 120.0),
        (["Cache-Control: MAX-AGE=120, must-revalidate"], 120.0),
        (["Cache-Control: max-age=99999999999999999999"], 999999999.0),
        (["Cache-Control: s-maxage=5"], None),
        (["Cache-Control: max-age=120, no-store"], 0.0),
        (["Cache-Control: no-cache"], 0.0),
        (["Cache-Control: max-age=soon"], None),
    ],
)
def test_a_provider_says_for_how_long_its_keys_may_be_kept(headers: list[str], max_age: float | None) -> None:
    keys, told = asyncio.run(keys_at(answering(found(SET, *headers))))

    assert [k.kid for k in keys.keys] == ["first"]
    assert told == max_age


def test_an_answer_may_come_in_pieces_and_chunks_and_after_hints() -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\n\r\n"
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = [f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in (SET[:7], SET[7:])]

    assert asyncio.run(keys_at(answering(hints, head, *chunks, b"0\r\n\r\n")))[0].keys


def test_the_question_asks_for_nothing_but_the_document() -> None:
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(found(SET))

    asyncio.run(keys_at(serve))
    lines = asked[0].decode().splitlines()
    assert lines[0] == "GET /jwks HTTP/1.1"
    assert "Accept-Encoding: identity" in lines
    assert "Connection: close" in lines
    assert not [line for line in lines if line.lower().startswith(("cookie", "authorization"))]


# ---- answers that are not


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", "redirects"),
        (b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", "answers 500"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "answers 204"),
        (found(b"<!doctype html><title>Sign in</title>"), "cannot be read"),
        (found(b""), "cannot be read"),
        (found(b'{"keys":[]}'), "no public key"),
        (found(gzip.compress(SET), "Content-Encoding: gzip"), "compresses"),
        (found(b"a" * (256 * 1024 + 1)), "more than 262144 bytes"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n" + b"a" * 400_000,
            "more than 262144 bytes",
        ),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * 400_000, "more than 262144 bytes"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 60_000,
            "more than 262144 bytes",
        ),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" * 20_000, "more than 262144 bytes"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000, "not answer in HTTP"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nContent-Length: 20\r\n\r\n" + b"a" * 20,
            "not answer in HTTP",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "not answer in HTTP"),
        (b"\x16\x03\x01\x00\x05hello", "not answer in HTTP"),
        (b"", "not answer in HTTP"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_bounded_key_set_is_refused(answer: bytes, word: str) -> None:
    assert word in str(failure(answering(answer)))


@pytest.mark.usefixtures("short_patience")
def test_a_provider_that_says_nothing_is_left() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    assert "did not answer within 0.3 s" in str(failure(silent))


@pytest.mark.usefixtures("short_patience")
def test_a_provider_that_answers_drop_by_drop_is_left() -> None:
    async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for byte in found(SET):
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.02)

    assert "did not answer within 0.3 s" in str(failure(dripping))


def test_a_provider_that_is_not_there_is_named() -> None:
    with pytest.raises(TransportError, match=r"identity provider at 127\.0\.0\.1:1: cannot be reached"):
        asyncio.run(provider(ISSUER, "http://127.0.0.1:1/jwks").keys())


def test_a_name_that_is_none_is_named() -> None:
    with pytest.raises(TransportError, match="has no address"):
        asyncio.run(provider(ISSUER, "https://a..b/jwks").keys())


# ---- discovery


def discovered(told: dict[str, object]) -> tuple[Keys, float | None] | LeadglassError:
    """The keys by way of a discovery document that says so; ``{url}`` in it is the server's own."""
    paths: list[str] = []

    async def story() -> tuple[Keys, float | None]:
        async with served(serve) as url:
            told.setdefault("issuer", url)
            document.append(json.dumps(told).replace("{url}", url).encode())
            return await provider(url).keys()

    document: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        paths.append(request.split()[1].decode())
        writer.write(found(SET if paths[-1] == "/jwks" else document[0]))

    try:
        return asyncio.run(story())
    except LeadglassError as exc:
        assert paths == ["/.well-known/openid-configuration"]
        return exc


def test_keys_are_where_the_discovery_document_says() -> None:
    keys = discovered({"jwks_uri": "{url}/jwks"})

    assert isinstance(keys, tuple)


@pytest.mark.parametrize(
    ("told", "word"),
    [
        ({"jwks_uri": "{url}/jwks", "issuer": "https://other.example"}, "another issuer"),
        ({"jwks_uri": "{url}/jwks", "issuer": None}, "another issuer"),
        ({"jwks_uri": "http://127.0.0.2/jwks"}, "another host"),
        ({"jwks_uri": "https://keys.example/jwks"}, "another host"),
        ({"jwks_uri": "http://keys.example/jwks"}, "names no address of keys"),
        ({"jwks_uri": "file:///etc/passwd"}, "names no address of keys"),
        ({"jwks_uri": 7}, "names no address of keys"),
        ({}, "names no address of keys"),
    ],
)
def test_a_discovery_document_that_leads_elsewhere_is_not_followed(
    told: dict[str, object], word: str
) -> None:
    found_ = discovered(dict(told))

    assert isinstance(found_, RemoteProtocolError)
    assert word in str(found_)
