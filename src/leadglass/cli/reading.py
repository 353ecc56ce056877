"""Reading the files a user names; every failure is one line."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from leadglass import wiring
from leadglass.errors import ConfigError
from leadglass.scope.parse import parse
from leadglass.scope.scope import Scope

__all__ = ["called_as", "read_scope", "read_text"]


def read_text(path: Path) -> str:
    """The UTF-8 text of a file; ``ConfigError`` if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as exc:
        raise ConfigError("this is not a UTF-8 text file", where=str(path)) from exc
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise ConfigError(f"the file cannot be read ({reason})", where=str(path)) from exc


def read_scope(path: Path) -> Scope:
    """The scope in a file, as of now; ``ScopeError`` names the line that is wrong."""
    return parse(read_text(path), filename=str(path), moment=wiring.clock().posix())


def called_as() -> str:
    """The command line, as typed."""
    return shlex.join(["leadglass", *sys.argv[1:]])
