"""Writes a fixed configuration: whole or not at all, with mode and owner as before, and only if it is still the one read."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from leadglass.configs.source import decoded
from leadglass.errors import ConfigError, ResourceError

__all__ = ["write_fixed"]

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL


def write_fixed(path: str, before: str, after: str) -> None:
    """Replace the text of a file.

    ``ConfigError`` if it does not read as ``before`` any more, ``ResourceError`` if it cannot be written.
    """
    try:
        target = Path(path).resolve(strict=True)  # a link stays a link
        raw = target.read_bytes()
        if decoded(path, raw).text != before:
            raise ConfigError("changed since it was read", where=path, then="lint it again")
        _replace(target, _encoded(raw, after))
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise ResourceError(
            f"cannot be written ({reason})", where=path, then="nothing of it was changed"
        ) from exc


def _encoded(raw: bytes, text: str) -> bytes:
    """``text`` in the encoding of ``raw``, with the mark that it begins with."""
    if raw.startswith(b"\xff\xfe"):
        return b"\xff\xfe" + text.encode("utf-16-le")
    if raw.startswith(b"\xfe\xff"):
        return b"\xfe\xff" + text.encode("utf-16-be")
    return (b"\xef\xbb\xbf" if raw.startswith(b"\xef\xbb\xbf") else b"") + text.encode()


def _replace(target: Path, content: bytes) -> None:
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with os.fdopen(os.open(part, _FLAGS, 0o600), "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        _like(part, target)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _like(part: Path, target: Path) -> None:
    """Owner, mode, labels and access lists of the file that is replaced."""
    old, new = target.stat(), part.stat()
    if sys.platform != "win32" and (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        os.chown(part, old.st_uid, old.st_gid)
    shutil.copystat(target, part)  # after the owner, whose change may take away bits of the mode
    os.utime(part)
