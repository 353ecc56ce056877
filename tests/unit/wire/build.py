"""Builds the bytes of items, well-formed or not, without our own encoder."""

from __future__ import annotations

__all__ = ["ac", "application_context", "context_ac", "context_rq", "item", "rq", "uid", "user_information"]

TITLES = b"ANY-SCP         LEADGLASS       "


def item(kind: int, *payload: bytes, length: int | None = None) -> bytes:
    """An item; ``length`` lets it lie."""
    data = b"".join(payload)
    return bytes((kind, 0)) + (len(data) if length is None else length).to_bytes(2, "big") + data


def uid(text: str) -> bytes:
    """A UID behind its length in two bytes."""
    return len(text).to_bytes(2, "big") + text.encode()


def application_context() -> bytes:
    return item(0x10, b"1.2.840.10008.3.1.1.1")


def context_rq(context_id: int = 1, transfer_syntaxes: int = 1) -> bytes:
    syntaxes = item(0x40, b"1.2.840.10008.1.2") * transfer_syntaxes
    return item(0x20, bytes((context_id, 0, 0, 0)), item(0x30, b"1.2.840.10008.1.1"), syntaxes)


def context_ac(context_id: int = 1, result: int = 0) -> bytes:
    return item(0x21, bytes((context_id, 0, result, 0)), item(0x40, b"1.2.840.10008.1.2"))


def user_information(*items: bytes) -> bytes:
    return item(0x50, *(items or (item(0x51, b"\0\0\x40\0"), item(0x52, b"2.25.1"))))


def rq(*items: bytes, titles: bytes = TITLES) -> bytes:
    """The body of an A-ASSOCIATE-RQ; ``items`` are all of it behind the fixed part."""
    return b"\0\1\0\0" + titles + bytes(32) + b"".join(items)


def ac(*items: bytes) -> bytes:
    """The body of an A-ASSOCIATE-AC."""
    return rq(*items)
