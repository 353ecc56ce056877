"""The files of a watch: ``watch.toml``, and a scope as it reads at the moment that it is scanned."""

from __future__ import annotations

from pathlib import Path

from leadglass import wiring
from leadglass.errors import ConfigError
from leadglass.scope.opt_outs import merged, named_in, opt_outs
from leadglass.scope.parse import parse
from leadglass.settings.watch_file import WatchSettings, read_watch
from leadglass.wiring.names import pinned, resolver
from leadglass.wiring.session import ScopeFile

__all__ = ["read_scope", "read_secret", "read_settings", "scope_text"]

_SHORTEST = 16
"""Bytes of a secret."""


def read_settings(path: Path) -> WatchSettings:
    """What ``path`` tells a watch, with paths that begin at its folder; ``ConfigError`` names the line."""
    return read_watch(_text(path), filename=str(path), folder=str(path.resolve().parent))


def scope_text(path: Path) -> str:
    """The text of a scope file, with those who opted out among its exclusions; ``ConfigError`` if it cannot be read."""
    text = _text(path)
    named = named_in(text, str(path)) if "opt_outs" in text else None
    if named is None:
        return text
    listed = path.parent / named
    return merged(text, str(path), opt_outs(_text(listed), str(listed)))


def read_scope(path: Path) -> ScopeFile:
    """The scope as it is now, its names pinned; ``ScopeError`` if it permits nothing any more."""
    text = scope_text(path)
    scope = parse(text, filename=str(path), moment=wiring.clock().posix())
    return ScopeFile(pinned(scope, resolver()), text, str(path.resolve()))


def read_secret(path: Path) -> bytes:
    """The secret in a file, without the line end; ``ConfigError`` if there is none, or it is too short."""
    secret = _text(path).strip().encode()
    if len(secret) < _SHORTEST:
        raise ConfigError(
            f"a secret has {_SHORTEST} characters or more",
            where=str(path),
            then="make one: openssl rand -hex 32",
        )
    return secret


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as exc:
        raise ConfigError("this is not a UTF-8 text file", where=str(path)) from exc
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise ConfigError(f"the file cannot be read ({reason})", where=str(path)) from exc
