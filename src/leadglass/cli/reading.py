"""Reading the files a user names; every failure is one line."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from leadglass import wiring
from leadglass.cli.terminal import complain
from leadglass.errors import ConfigError
from leadglass.scope.opt_outs import merged, named_in, opt_outs
from leadglass.scope.parse import parse
from leadglass.scope.scope import Scope

__all__ = ["called_as", "read_scope", "read_scope_text", "read_text"]

_LARGEST = 64 << 20
"""Characters of a file that a person wrote; a device or a disk image has no end."""


def read_text(path: Path) -> str:
    """The UTF-8 text of a file; ``ConfigError`` if it cannot be read."""
    try:
        with path.open(encoding="utf-8") as stream:
            text = stream.read(_LARGEST + 1)
    except UnicodeDecodeError as exc:
        raise ConfigError("this is not a UTF-8 text file", where=str(path)) from exc
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise ConfigError(f"the file cannot be read ({reason})", where=str(path)) from exc
    if len(text) > _LARGEST:
        raise ConfigError(
            f"this is larger than {_LARGEST >> 20} MiB", where=str(path), then="name a text file"
        )
    return text


def read_scope(path: Path) -> Scope:
    """The scope in a file, as of now; ``ScopeError`` names the line that is wrong."""
    return parse(read_scope_text(path), filename=str(path), moment=wiring.clock().posix())


def read_scope_text(path: Path, *, aloud: bool = True) -> str:
    """The text of a scope file, with those who opted out among its exclusions; ``aloud`` says how many."""
    text = read_text(path)
    named = named_in(text, str(path)) if "opt_outs" in text else None
    if named is None:
        return text
    listed = path.parent / named
    entries = opt_outs(read_text(listed), str(listed))
    if aloud:
        pending = sum(entry.verified == "pending" for entry in entries)
        more = f" ({pending} not verified yet)" if pending else ""
        complain(f"left alone, by {listed}: {len(entries)} who opted out{more}")
    return merged(text, str(path), entries)


def called_as() -> str:
    """The command line, as typed."""
    return shlex.join(["leadglass", *sys.argv[1:]])
